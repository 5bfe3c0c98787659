//! Laws of the space, by brute force against rule-by-rule evaluation.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::normal_form::Form;
use super::*;

/// Strings of up to `length` letters over an alphabet.
fn words(alphabet: &str, length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..length {
        last = last.iter().flat_map(|word| alphabet.chars().map(move |letter| format!("{word}{letter}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[test]
fn the_normal_form_is_exactly_what_one_normalisation_gives() {
    for mode in [Normalization::Base, Normalization::MergeSlashes, Normalization::DecodeAndMergeSlashes] {
        let form = Form::new(PathDomain::Normalized(mode));
        for word in words("/aA.-%2f;", 6) {
            let word = format!("/{word}");
            if let Some(normal) = normalize(&word, mode) {
                assert!(form.contains(&normal), "{mode:?}: `{word}` gives `{normal}`, which the form refuses");
            }
            if form.contains(&word) {
                let wire = wire_form(&word, mode);
                assert_eq!(normalize(&wire, mode).as_deref(), Some(word.as_str()), "{mode:?}: `{wire}`");
            }
        }
    }
}

#[test]
fn paths_are_normalised_as_observed() {
    // Request target, then what BASE, MERGE_SLASHES and DECODE_AND_MERGE_SLASHES make of it.
    let rows: &[(u32, &str, &str, &str, &str)] = &[
        (1, "/a/../b", "/b", "/b", "/b"),
        (3, "/a/b/..", "/a/", "/a/", "/a/"),
        (4, "/a/b/.", "/a/b/", "/a/b/", "/a/b/"),
        (6, "/a/../../b", "/b", "/b", "/b"),
        (7, "/a//b", "/a//b", "/a/b", "/a/b"),
        (8, "//a", "//a", "/a", "/a"),
        (10, "//../a", "/a", "/a", "/a"),
        (11, "//", "//", "//", "//"),
        (12, "///", "///", "//", "//"),
        (13, "/a//../b", "/a/b", "/a/b", "/a/b"),
        (14, "/a/..//b", "//b", "/b", "/b"),
        (15, "/a%2Fb", "/a%2Fb", "/a%2Fb", "/a/b"),
        (18, "/a\\b", "/a/b", "/a/b", "/a/b"),
        (19, "/a\\..\\b", "/b", "/b", "/b"),
        (20, "/a%2F..%2Fb", "/a%2F..%2Fb", "/a%2F..%2Fb", "/b"),
        (23, "/a/.%2e/b", "/b", "/b", "/b"),
        (24, "/a/%2e%2e%2fb", "/a/..%2fb", "/a/..%2fb", "/b"),
        (27, "/a/%2F/b", "/a/%2F/b", "/a/%2F/b", "/a/b"),
        (28, "/%61dmin", "/admin", "/admin", "/admin"),
        (30, "/a%252e%252e/b", "/a%252e%252e/b", "/a%252e%252e/b", "/a%252e%252e/b"),
        (33, "/a%zz", "/a%zz", "/a%zz", "/a%zz"),
        (35, "/a%2", "/a%2", "/a%2", "/a%2"),
        (40, "/a/..;/b", "/b", "/b", "/b"),
        (41, "/a/.;/b", "/a/b", "/a/b", "/a/b"),
        (42, "/a/..;x=1/b", "/b", "/b", "/b"),
        (43, "/a/..x/b", "/a/..x/b", "/a/..x/b", "/a/..x/b"),
        (44, "/a/..;", "/", "/", "/"),
        (45, "/a/%2e%2e;/b", "/a/..;/b", "/a/..;/b", "/a/..;/b"),
        (46, "/a/..%3B/b", "/a/..%3B/b", "/a/..%3B/b", "/a/..%3B/b"),
        (49, "/a?x=/../b", "/a?x=/../b", "/a?x=/../b", "/a?x=/../b"),
        (50, "/a//b?x=//c%2F", "/a//b?x=//c%2F", "/a/b?x=//c%2F", "/a/b?x=//c%2F"),
        (56, "/a/#/../b", "/a/", "/a/", "/a/"),
        (57, "/a?x#frag", "/a?x", "/a?x", "/a?x"),
        (62, "/a|b^c\"d`e", "/a%7Cb%5Ec%22d%60e", "/a%7Cb%5Ec%22d%60e", "/a%7Cb%5Ec%22d%60e"),
        (64, "/a~b%7Ec", "/a~b~c", "/a~b~c", "/a~b~c"),
        (67, "/.", "/", "/", "/"),
        (70, "/%2F", "/%2F", "/%2F", "//"),
        (71, "/%2F%2Fa", "/%2F%2Fa", "/%2F%2Fa", "/a"),
    ];
    for (row, target, base, merged, decoded) in rows {
        assert_eq!(normalize(target, Normalization::Base).as_deref(), Some(*base), "row {row}");
        assert_eq!(normalize(target, Normalization::MergeSlashes).as_deref(), Some(*merged), "row {row}");
        assert_eq!(normalize(target, Normalization::DecodeAndMergeSlashes).as_deref(), Some(*decoded), "row {row}");
    }
    assert_eq!(normalize("/a%00b", Normalization::Base), None, "row 32");
    assert_eq!(normalize("/a%00b", Normalization::None).as_deref(), Some("/a%00b"), "row 32");
}

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
    let rule = (cube(), 0..4_u32).prop_map(|(cube, label)| Rule { cube, label: Label(label) });
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
        for cell in partition.cells(&Budget::default()) {
            prop_assert_eq!(label_of(&list, &cell.witness), cell.label, "{:?}", cell);
        }
    }

    /// Within a cube the partition answers for the requests of the cube and for no others.
    #[test]
    fn a_query_is_answered_within_its_bounds(list in list(), within in cube()) {
        let partition = partition(&list, &within, &universe(), &Budget::default());
        let inside = DecisionList { rules: vec![Rule { cube: within, label: Label(1) }], default: Label(0) };
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
                .map(|(pattern, label)| Rule { cube: Cube::default().path(vec![pattern]), label: Label(label) })
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
                first.rules.insert(0, Rule { cube: Cube { tests: Vec::new(), path: vec![outside] }, label: Label(7) });
                PathRewrite::ReplacePrefix { from: from.into(), to: to.into(), ignore_case: false }
            }
        };
        let mode = Normalization::Base;
        let answers = through(&first, Label(0), &rewrite, &second, &Cube::default(), &universe(), &Budget::default());
        let at = |path: &str| Point { values: BTreeMap::new(), path: path.to_owned() };
        let walk = |wire: &str| {
            let seen = normalize(wire, mode)?;
            (label_of(&first, &at(&seen)) == Label(0)).then_some(())?;
            let arrived = normalize(&rewrite_path(&seen, &rewrite)?, mode)?;
            Some(label_of(&second, &at(&arrived)))
        };
        for word in words("/ab.;", 5) {
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
}

#[test]
fn a_thousand_prefixes_and_suffixes_end_within_the_budget() {
    let rule = |pattern: Pattern, label: u32| Rule { cube: Cube::default().path(vec![pattern]), label: Label(label) };
    let prefixes = (0..1000).map(|n| rule(Pattern::Prefix(format!("/p{n}/").into()), 1));
    let suffixes = (0..1000).map(|n| rule(Pattern::Suffix(format!("/s{n}").into()), 2));
    let list = DecisionList { rules: prefixes.chain(suffixes).collect(), default: Label(0) };
    let labels = partition(&list, &Cube::default(), &universe(), &Budget::default()).labels();
    assert!(labels.values().all(|search| matches!(search, Search::Found(_))), "{labels:?}");
}

#[test]
fn an_allow_under_a_deny_of_the_same_tree_is_proven_dead() {
    let rules = vec![
        Rule { cube: Cube::default().path(vec![Pattern::Prefix("/api/".into())]), label: Label(1) },
        Rule { cube: Cube::default().path(vec![Pattern::Exact("/api/v1".into())]), label: Label(2) },
    ];
    let list = DecisionList { rules, default: Label(0) };
    let labels = partition(&list, &Cube::default(), &universe(), &Budget::default()).labels();
    assert_eq!(labels.get(&Label(2)), Some(&Search::Empty));
}

#[test]
fn expressions_that_re2_reads_otherwise_are_refused() {
    for re2 in ["[a&&b]", "a**", "\\<a", "(?x)a", "a{1}{2}", "\\pN", "[[a]]"] {
        assert!(Pattern::regex(re2).is_err(), "{re2}");
    }
    let digits = Pattern::regex("/v[0-9]+/.*").expect("a plain expression");
    assert!(digits.matches("/v12/x") && !digits.matches("/v/x") && !digits.matches("x/v1/"));
}
