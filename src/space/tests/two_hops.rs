//! Two hops against the concrete reading, on enumerated paths.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::random::{Random, texts};

/// What the concrete reading says of a request.
fn walk(
    first: &DecisionList,
    rewrite: &PathRewrite,
    second: &DecisionList,
    within: &Cube,
    mode: Normalization,
    point: &Point,
) -> Option<(Label, Label)> {
    let sent = rewrite.apply(&point.path)?;
    let seen = normalize(&sent, mode)?;
    let seen = seen.split('?').next().unwrap_or_default().to_owned();
    let at_second = Point { path: seen, ..point.clone() };
    within.holds(&at_second).then(|| (label_of(first, point), label_of(second, &at_second)))
}

/// What a run of comparisons saw.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) compared: u64,
    found: u64,
    empty: u64,
    doubtful: u64,
}

/// A random rewrite.
fn rewrite(random: &mut Random) -> PathRewrite {
    match random.below(8) {
        0..=1 => PathRewrite::Keep,
        2 => PathRewrite::ReplaceAll(format!("/{}", random.text("/a.;", 4)).into()),
        _ => PathRewrite::ReplacePrefix {
            from: format!("/{}", random.text("/aA.", 2)).into(),
            to: if random.chance(5) { random.text("/a?", 3) } else { format!("/{}", random.text("/a.;%\\", 5)) }.into(),
            ignore_case: random.chance(30),
        },
    }
}

/// Some rules also ask for a method.
fn with_methods(random: &mut Random, mut list: DecisionList) -> DecisionList {
    for rule in &mut list.rules {
        if random.chance(30) {
            let test = random.test(Dimension::Method, &mut |_| Pattern::Exact("GET".into()));
            rule.cube = (*rule.cube).clone().with(test).into();
        }
    }
    list
}

/// Two hops against the concrete reading of each.
pub(super) fn hops_agree(seed: u64, rounds: u64) -> Tally {
    let mut random = Random(seed);
    let all = texts("/aA.;b", 6);
    let modes = [Normalization::None, Normalization::Base, Normalization::Base, Normalization::MergeSlashes];
    let mut tally = Tally::default();
    for round in 0..rounds {
        let mode = if random.chance(20) { Normalization::DecodeAndMergeSlashes } else { *random.pick(&modes) };
        let form = super::super::form::Form::paths(PathDomain::Normalized(mode));
        let universe = Universe { domains: BTreeMap::new(), path: PathDomain::Normalized(mode) };
        let first = random.path_list("/abA.;", 3, 2);
        let first = with_methods(&mut random, first);
        let second = random.path_list("/abA.;", 3, 4);
        let second = with_methods(&mut random, second);
        let within =
            if random.chance(70) { Cube::default() } else { Cube::default().with_path(random.path_test("/ab")) };
        let rewrite = rewrite(&mut random);
        let answers = through(&first, Label(0), &rewrite, &second, &within, &universe, &Budget::default());
        let context = || format!("round {round} {mode:?} {rewrite:?}\n{first:?}\n{second:?}\n{within:?}");
        for (label, answer) in &answers {
            match answer {
                TwoHopSearch::Found { first: point, wire_path, second_path } => {
                    tally.found += 1;
                    assert_eq!(normalize(wire_path, mode).as_deref(), Some(&*point.path), "{}", context());
                    let walked = walk(&first, &rewrite, &second, &within, mode, point);
                    assert_eq!(walked, Some((Label(0), *label)), "{}", context());
                    assert!(form.contains(second_path), "{second_path} {}", context());
                }
                TwoHopSearch::Empty => tally.empty += 1,
                TwoHopSearch::OutOfBudget { .. } => tally.doubtful += 1,
            }
        }
        let hit: BTreeSet<&Label> = answers
            .iter()
            .filter(|(_, answer)| !matches!(answer, TwoHopSearch::Empty))
            .map(|(label, _)| label)
            .collect();
        let step = 1 + random.below(40);
        for path in all.iter().skip(random.below(40)).step_by(step).filter(|path| form.contains(path)) {
            for method in ["GET", "PUT"] {
                tally.compared += 1;
                let values = BTreeMap::from([(Dimension::Method, vec![method.to_owned()])]);
                let point = Point { values, path: path.clone() };
                if let Some((Label(0), label)) = walk(&first, &rewrite, &second, &within, mode, &point) {
                    assert!(hit.contains(&label), "{method} {path} reaches {label:?} {}", context());
                }
            }
        }
    }
    tally
}

#[test]
fn two_hops_agree_with_the_concrete_reading() {
    let tally = hops_agree(23, 800);
    assert!(tally.compared > 1_000_000, "{tally:?}");
    assert!(tally.doubtful * 50 < tally.found + tally.empty, "{tally:?}");
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
