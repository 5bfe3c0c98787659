//! Laws of the space as properties, with counterexamples that shrink.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::*;
use super::random::texts;

/// Patterns over a small alphabet of paths.
fn path_pattern() -> impl Strategy<Value = Pattern> {
    let text = "/[ab]{0,2}(/[ab]{0,1})?";
    prop_oneof![
        text.prop_map(|text| Pattern::Exact(text.into())),
        text.prop_map(|text| Pattern::Prefix(text.into())),
        "[ab]{1,2}".prop_map(|text| Pattern::Suffix(text.into())),
        text.prop_map(|text| Pattern::PrefixIgnoreCase(text.to_uppercase().into())),
        Just(Pattern::regex("/[ab]+/?").expect("a plain expression")),
        Just(Pattern::NonEmpty),
    ]
}

/// Patterns over a small alphabet of values.
fn value_pattern() -> impl Strategy<Value = Pattern> {
    prop_oneof![
        "[pq]{1,2}".prop_map(|text| Pattern::Exact(text.into())),
        "[pq]".prop_map(|text| Pattern::Prefix(text.into())),
        "[pq]".prop_map(|text| Pattern::Suffix(text.into())),
        Just(Pattern::Any),
        Just(Pattern::NonEmpty),
    ]
}

/// Cubes over three dimensions and the path.
fn cube() -> impl Strategy<Value = Cube> {
    let dimension = prop_oneof![Just(Dimension::Peer), Just(Dimension::Method), Just(Dimension::Header("h".into())),];
    let side = || prop::collection::vec(value_pattern(), 0..3);
    let test = (dimension, prop::option::of(side()), side()).prop_map(|(dimension, any_of, none_of)| Test {
        dimension,
        any_of,
        none_of,
    });
    let paths = || prop::collection::vec(path_pattern(), 0..3);
    let path = (prop::option::of(paths()), paths()).prop_map(|(any_of, none_of)| PathTest { any_of, none_of });
    (prop::collection::vec(test, 0..3), prop::collection::vec(path, 0..2))
        .prop_map(|(tests, path)| Cube { tests, path })
}

/// Decision lists of a few labels.
fn list() -> impl Strategy<Value = DecisionList> {
    let rule = (cube(), 0..4_u32).prop_map(|(cube, label)| Rule::new(cube, Label(label)));
    (prop::collection::vec(rule, 0..6), 0..4_u32)
        .prop_map(|(rules, default)| DecisionList { rules, default: Label(default) })
}

/// Points around the borders of those lists.
fn points() -> Vec<Point> {
    let values = ["", "p", "q", "pq", "qp", "x"];
    let mut headers: Vec<Vec<String>> = vec![Vec::new()];
    headers.extend(values.iter().map(|value| vec![(*value).to_owned()]));
    headers.push(vec!["p".to_owned(), "q".to_owned()]);
    let mut all = Vec::new();
    for peer in [None, Some("p"), Some("pq"), Some("x"), Some("qq")] {
        for method in ["p", "q", "qp", "x"] {
            for header in &headers {
                for path in ["/", "/a", "/b", "/ab", "/a/", "/a/b", "/A", "/AB/x", "//a", "/x", "/ba/b/a"] {
                    all.push(Point {
                        values: BTreeMap::from([
                            (Dimension::Peer, peer.iter().map(|peer| (*peer).to_owned()).collect()),
                            (Dimension::Method, vec![method.to_owned()]),
                            (Dimension::Header("h".into()), header.clone()),
                        ]),
                        path: path.to_owned(),
                    });
                }
            }
        }
    }
    all
}

/// Everything that can occur, for the lists above.
fn universe() -> Universe {
    Universe { domains: BTreeMap::new(), path: PathDomain::Normalized(Normalization::Base) }
}

/// What an authorization says.
const DENIED: Label = Label(0);
const ALLOWED: Label = Label(1);

/// DENY before ALLOW, and what nothing allows is denied.
fn authorization(deny: &[Cube], allow: &[Cube]) -> DecisionList {
    let rules = |cubes: &[Cube], label| cubes.iter().map(move |cube| Rule::new(cube.clone(), label)).collect();
    let both: [Vec<Rule>; 2] = [rules(deny, DENIED), rules(allow, ALLOWED)];
    DecisionList { rules: both.concat(), default: DENIED }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The partition labels every point as the list does, finds a real request for each label it says
    /// is there, and none of the labels that it says are empty.
    #[test]
    fn the_partition_and_rule_by_rule_evaluation_agree(list in list()) {
        let partition = partition(&list, &Cube::default(), &universe(), &Budget::default());
        let labels = partition.labels();
        for point in points() {
            let expected = label_of(&list, &point);
            prop_assert_eq!(partition.label(&point), Some(expected), "{:?}", point);
            prop_assert_ne!(labels.get(&expected), Some(&Search::Empty), "{:?}", point);
        }
        for (label, search) in labels {
            if let Search::Found(point) = search {
                prop_assert_eq!(label_of(&list, &point), label, "{:?}", point);
            }
        }
        for cell in partition.cells() {
            prop_assert_eq!(label_of(&list, &cell.witness), cell.label, "{:?}", cell);
        }
    }

    /// Within a cube the partition answers for the requests of the cube and for no others.
    #[test]
    fn a_query_is_answered_within_its_bounds(list in list(), within in cube()) {
        let partition = partition(&list, &within, &universe(), &Budget::default());
        let inside = DecisionList { rules: vec![Rule::new(within, Label(1))], default: Label(0) };
        for point in points() {
            let expected = (label_of(&inside, &point) == Label(1)).then(|| label_of(&list, &point));
            prop_assert_eq!(partition.label(&point), expected, "{:?}", point);
        }
    }

    /// On two hops every request that is found is real, and no request has a label that was proven empty.
    #[test]
    fn two_hops_agree_with_walking_them(
        first in prop::collection::vec((path_pattern(), 0..2_u32), 0..4),
        second in prop::collection::vec((path_pattern(), 0..3_u32), 0..4),
        from in "/[ab]{0,1}/?",
        to in "/[ab]{0,1}/?",
        kind in 0..3,
    ) {
        let lists = [first, second].map(|rules| DecisionList {
            rules: rules
                .into_iter()
                .map(|(pattern, label)| Rule::new(Cube::default().path(vec![pattern]), Label(label)))
                .collect(),
            default: Label(0),
        });
        let [mut first, second] = lists;
        let rewrite = match kind {
            0 => PathRewrite::Keep,
            1 => PathRewrite::ReplaceAll(to.into()),
            _ => {
                // A prefix is replaced only where the route asked for it.
                let outside = PathTest { any_of: None, none_of: vec![Pattern::Prefix(from.as_str().into())] };
                first.rules.insert(0, Rule::new(Cube { tests: Vec::new(), path: vec![outside] }, Label(7)));
                PathRewrite::ReplacePrefix { from: from.into(), to: to.into(), ignore_case: false }
            }
        };
        let mode = Normalization::Base;
        let answers = through(&first, Label(0), &rewrite, &second, &Cube::default(), &universe(), &Budget::default());
        let at = |path: &str| Point { values: BTreeMap::new(), path: path.to_owned() };
        let walk = |wire: &str| {
            let seen = normalize(wire, mode)?;
            (label_of(&first, &at(&seen)) == Label(0)).then_some(())?;
            let arrived = normalize(&rewrite.apply(&seen)?, mode)?;
            Some(label_of(&second, &at(&arrived)))
        };
        for word in texts("/ab.;", 5) {
            if let Some(label) = walk(&wire_form(&format!("/{word}"), mode)) {
                prop_assert_ne!(answers.get(&label), Some(&TwoHopSearch::Empty), "/{}", word);
            }
        }
        for (label, search) in answers {
            if let TwoHopSearch::Found { wire_path, .. } = search {
                prop_assert_eq!(walk(&wire_path), Some(label), "{}", wire_path);
            }
        }
    }

    /// A DENY goes before the ALLOW rules, so one more of them takes away and never gives.
    #[test]
    fn adding_a_deny_never_allows(
        deny in prop::collection::vec(cube(), 0..3),
        allow in prop::collection::vec(cube(), 0..4),
        more in cube(),
    ) {
        let (before, after) = (authorization(&deny, &allow), authorization(&[deny.clone(), vec![more]].concat(), &allow));
        let split = |list: &DecisionList| partition(list, &Cube::default(), &universe(), &Budget::default());
        let (before, after) = (split(&before), split(&after));
        for point in points() {
            prop_assert!(after.label(&point) != Some(ALLOWED) || before.label(&point) == Some(ALLOWED), "{:?}", point);
        }
        if let Search::Found(point) = after.search(ALLOWED) {
            prop_assert_eq!(before.label(&point), Some(ALLOWED));
        }
        prop_assert!(before.search(ALLOWED) != Search::Empty || after.search(ALLOWED) == Search::Empty);
    }

    /// Rules of one label behind each other say the same in any order, and twice what they say once.
    #[test]
    fn the_order_of_allow_rules_changes_nothing(
        deny in prop::collection::vec(cube(), 0..3),
        allow in prop::collection::vec(cube(), 1..5),
        turn in 0..5_usize,
    ) {
        let mut other = allow.clone();
        other.rotate_left(turn % allow.len());
        other.reverse();
        other.push(allow[0].clone());
        let split = |allow: &[Cube]| {
            partition(&authorization(&deny, allow), &Cube::default(), &universe(), &Budget::default())
        };
        let (one, two) = (split(&allow), split(&other));
        for point in points() {
            prop_assert_eq!(one.label(&point), two.label(&point), "{:?}", point);
        }
        for label in [DENIED, ALLOWED] {
            prop_assert_eq!(one.search(label) == Search::Empty, two.search(label) == Search::Empty, "{:?}", label);
        }
    }

    /// A rule behind one that takes every request is never reached.
    #[test]
    fn what_stands_behind_everything_is_empty(list in list(), last in cube()) {
        let mut shadowed = list;
        shadowed.rules.push(Rule::new(Cube::default(), Label(2)));
        shadowed.rules.push(Rule::new(last, Label(9)));
        let partition = partition(&shadowed, &Cube::default(), &universe(), &Budget::default());
        prop_assert_eq!(partition.search(Label(9)), Search::Empty);
    }

    #[test]
    fn both_cubes_hold_where_each_does(one in cube(), other in cube()) {
        let both = one.and(&other);
        for point in points() {
            prop_assert_eq!(both.holds(&point), one.holds(&point) && other.holds(&point), "{:?}", point);
        }
        prop_assert_eq!(one.and(&one), one);
    }
}
