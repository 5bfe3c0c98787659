//! Two hops against the concrete reading, on enumerated paths.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::random::{Random, texts};

/// What the concrete reading says of a path.
fn walk(
    first: &DecisionList,
    rewrite: &PathRewrite,
    second: &DecisionList,
    within: &Cube,
    mode: Normalization,
    path: &str,
) -> Option<(Label, Label)> {
    let at_first = Point { values: BTreeMap::new(), path: path.to_owned() };
    let sent = rewrite.apply(path)?;
    let seen = normalize(&sent, mode)?;
    let seen = seen.split('?').next().unwrap_or_default().to_owned();
    let at_second = Point { values: BTreeMap::new(), path: seen };
    within.holds(&at_second).then(|| (label_of(first, &at_first), label_of(second, &at_second)))
}

#[test]
fn two_hops_agree_with_the_concrete_reading() {
    let mut random = Random(23);
    let all = texts("/aA.;b", 6);
    let (mut compared, mut doubtful, mut found, mut empty, mut second_only) = (0_u64, 0, 0, 0, 0);
    for round in 0..1500 {
        let mode = *random.pick(&[
            Normalization::None,
            Normalization::Base,
            Normalization::Base,
            Normalization::MergeSlashes,
            Normalization::DecodeAndMergeSlashes,
        ]);
        let form = super::super::form::Form::of_paths(PathDomain::Normalized(mode));
        let universe = Universe { domains: BTreeMap::new(), path: PathDomain::Normalized(mode) };
        let first = random.path_list("/abA.;", 3, 2);
        let second = random.path_list("/abA.;", 3, 4);
        let within =
            if random.chance(70) { Cube::default() } else { Cube::default().with_path(random.path_test("/ab")) };
        let rewrite = match random.below(8) {
            0..=1 => PathRewrite::Keep,
            2 => PathRewrite::ReplaceAll(format!("/{}", random.text("/a.;", 4)).into()),
            _ => PathRewrite::ReplacePrefix {
                from: format!("/{}", random.text("/aA.", 2)).into(),
                to: if random.chance(5) { random.text("/a?", 3) } else { format!("/{}", random.text("/a.;%\\", 5)) }
                    .into(),
                ignore_case: random.chance(30),
            },
        };
        let answers = through(&first, Label(0), &rewrite, &second, &within, &universe, &Budget::default());
        let context = || format!("round {round} {mode:?} {rewrite:?}\n{first:?}\n{second:?}\n{within:?}");
        for (label, answer) in &answers {
            match answer {
                TwoHopSearch::Found { first: point, wire_path, second_path } => {
                    found += 1;
                    assert_eq!(normalize(wire_path, mode).as_deref(), Some(&*point.path), "{}", context());
                    let walked = walk(&first, &rewrite, &second, &within, mode, &point.path);
                    assert_eq!(walked, Some((Label(0), *label)), "{}", context());
                    assert!(form.contains(second_path));
                    second_only += 1;
                }
                TwoHopSearch::Empty => empty += 1,
                TwoHopSearch::OutOfBudget { .. } => doubtful += 1,
            }
        }
        let hit: BTreeSet<&Label> = answers
            .iter()
            .filter(|(_, answer)| !matches!(answer, TwoHopSearch::Empty))
            .map(|(label, _)| label)
            .collect();
        let step = 1 + random.below(40);
        for path in all.iter().skip(random.below(40)).step_by(step).filter(|path| form.contains(path)) {
            compared += 1;
            if let Some((Label(0), label)) = walk(&first, &rewrite, &second, &within, mode, path) {
                assert!(hit.contains(&label), "{path} reaches {label:?} {}", context());
            }
        }
    }
    assert!(compared > 1_000_000, "{compared}");
    assert!(doubtful * 50 < found + empty, "{doubtful} of {found} + {empty}, {second_only}");
}

/// A list of one DENY.
fn deny(patterns: &[Pattern]) -> DecisionList {
    let rule = Rule::new(Cube::default().with_path(PathTest::any(patterns.to_vec())), Label(1));
    DecisionList { rules: vec![rule], default: Label(0) }
}

#[test]
fn a_deny_at_the_gateway_alone_is_passed_by_dot_parameters() {
    let admin = [Pattern::Exact("/admin".into()), Pattern::Prefix("/admin/".into())];
    let gateway = deny(&admin);
    // Label 1 at the second hop: the application serves `/admin`.
    let answers = through(
        &gateway,
        Label(0),
        &PathRewrite::Keep,
        &deny(&admin),
        &Cube::default(),
        &Universe::default(),
        &Budget::default(),
    );
    match answers.get(&Label(1)) {
        Some(TwoHopSearch::Found { first, wire_path, second_path }) => {
            assert_eq!(first.path, "/..;/admin");
            assert_eq!(wire_path, "/%2e%2e;/admin");
            assert_eq!(second_path, "/admin");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_prefix_rewrite_meets_the_rest_of_the_path() {
    let rewrite = PathRewrite::ReplacePrefix { from: "/p".into(), to: "/.".into(), ignore_case: false };
    let route = DecisionList {
        rules: vec![Rule::new(Cube::default().path(vec![Pattern::Prefix("/p".into())]), Label(7))],
        default: Label(0),
    };
    let answers = through(
        &route,
        Label(7),
        &rewrite,
        &deny(&[Pattern::Exact("/admin".into())]),
        &Cube::default(),
        &Universe::default(),
        &Budget::default(),
    );
    assert!(matches!(answers.get(&Label(1)), Some(TwoHopSearch::Found { .. })), "{answers:?}");
}

#[test]
fn an_exact_route_leaves_no_doubt() {
    let route = DecisionList {
        rules: vec![Rule::new(Cube::default().path(vec![Pattern::Exact("/shop".into())]), Label(7))],
        default: Label(0),
    };
    let answers = through(
        &route,
        Label(7),
        &PathRewrite::Keep,
        &deny(&[Pattern::Prefix("/admin".into())]),
        &Cube::default(),
        &Universe::default(),
        &Budget::default(),
    );
    assert_eq!(answers.get(&Label(1)), Some(&TwoHopSearch::Empty));
}
