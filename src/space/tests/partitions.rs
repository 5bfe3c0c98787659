//! The partition against the naive reading of the list, on enumerated points.

use std::collections::BTreeMap;

use super::super::*;
use super::random::{Random, texts};

/// The paths of a shape, short ones all and longer ones by chance.
fn paths(mode: Normalization) -> Vec<String> {
    let form = super::super::form::Form::of_paths(PathDomain::Normalized(mode));
    texts("/abA.;-", 5).into_iter().filter(|path| form.contains(path)).collect()
}

#[test]
fn path_lists_agree_with_the_first_match() {
    let mut random = Random(7);
    let all = paths(Normalization::Base);
    let mut compared = 0_u64;
    for round in 0..1000 {
        let list = random.path_list("/abA.;", 6, 4);
        let universe = Universe::default();
        let partition = partition(&list, &Cube::default(), &universe, &Budget::default());
        let labels = partition.labels();
        for (label, search) in &labels {
            if let Search::Found(point) = search {
                assert_eq!(label_of(&list, point), *label, "round {round}");
            }
            assert!(!matches!(search, Search::OutOfBudget { .. }), "round {round}: {search:?}");
        }
        let step = 1 + random.below(5);
        for path in all.iter().skip(random.below(5)).step_by(step) {
            let point = Point { values: BTreeMap::new(), path: path.clone() };
            let label = label_of(&list, &point);
            assert_eq!(
                labels.get(&label).map(|search| matches!(search, Search::Found(_))),
                Some(true),
                "round {round}: {path} has {label:?} in {list:?}"
            );
            compared += 1;
        }
        for path in all.iter().step_by(97) {
            let point = Point { values: BTreeMap::new(), path: path.clone() };
            assert_eq!(partition.label(&point), Some(label_of(&list, &point)), "round {round}: {path}");
        }
    }
    assert!(compared > 1_000_000, "{compared}");
}

/// A random list over several dimensions.
fn mixed(random: &mut Random) -> DecisionList {
    let header = || Dimension::Header("h".into());
    let rules = (0..=random.below(7)).map(|_| {
        let mut cube = Cube::default();
        if random.chance(40) {
            cube = cube.with(
                random
                    .test(Dimension::Peer, &mut |random| Pattern::Exact((*random.pick(&["p", "q", "r", "z"])).into())),
            );
        }
        for dimension in [Dimension::Authority, header(), Dimension::Query("q".into())] {
            if random.chance(40) {
                cube = cube.with(random.test(dimension, &mut |random| random.text_pattern("abB")));
            }
        }
        if random.chance(40) {
            cube = cube.with(random.test(Dimension::SourceIp, &mut |random| {
                let some = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0", "fd00::/8", "10.0.0.1/32"];
                Pattern::Cidr(random.pick(&some).parse().unwrap())
            }));
        }
        if random.chance(60) {
            cube = cube.with_path(random.path_test("/ab"));
        }
        let label = if random.chance(5) { Label::IMPOSSIBLE } else { random.label(4) };
        Rule::new(cube, label)
    });
    let rules = rules.collect();
    DecisionList { rules, default: random.label(4) }
}

/// A random point.
fn point(random: &mut Random, letters: &[String], paths: &[String]) -> Point {
    let mut point = Point { values: BTreeMap::new(), path: random.pick(paths).clone() };
    if random.chance(80) {
        let peer = (*random.pick(&["p", "q", "r"])).to_owned();
        point.values.insert(Dimension::Peer, vec![peer]);
    }
    let address = *random.pick(&["10.0.0.1", "10.1.2.3", "10.9.9.9", "8.8.8.8", "fd00::1", "2001::1"]);
    point.values.insert(Dimension::SourceIp, vec![address.to_owned()]);
    point.values.insert(Dimension::Authority, vec![random.pick(letters).clone()]);
    let lines = (0..random.below(4)).map(|_| random.pick(letters).clone()).collect();
    point.values.insert(Dimension::Header("h".into()), lines);
    if random.chance(50) {
        point.values.insert(Dimension::Query("q".into()), vec![random.pick(letters).clone()]);
    }
    point
}

/// Peers from a list, perhaps none.
fn universe() -> Universe {
    let mut universe = Universe::default();
    let peers = ["p", "q", "r"].map(str::to_owned).to_vec();
    let domain = Domain { values: Values::Finite(peers), absent: true, several: false, preferred: vec!["r".into()] };
    universe.domains.insert(Dimension::Peer, domain);
    universe
}

#[test]
fn requests_agree_with_the_first_match() {
    let mut random = Random(11);
    let letters = texts("abB", 3);
    let all = paths(Normalization::Base);
    let universe = universe();
    for round in 0..400 {
        let list = mixed(&mut random);
        let within = if random.chance(50) { Cube::default() } else { (*mixed(&mut random).rules[0].cube).clone() };
        let partition = partition(&list, &within, &universe, &Budget::default());
        let labels = partition.labels();
        let cells = partition.cells();
        for (label, search) in &labels {
            assert_ne!(*label, Label::IMPOSSIBLE);
            match search {
                Search::Found(point) => {
                    assert_eq!(label_of(&list, point), *label, "round {round}");
                    assert!(within.holds(point), "round {round}: {point:?}");
                    assert_eq!(partition.label(point), Some(*label), "round {round}");
                }
                Search::Empty => assert!(cells.iter().all(|cell| cell.label != *label)),
                Search::OutOfBudget { why } => panic!("round {round}: {why}"),
            }
        }
        for cell in &cells {
            assert!(cell.proven);
            assert_eq!(label_of(&list, &cell.witness), cell.label, "round {round}");
            assert!(within.holds(&cell.witness), "round {round}");
        }
        for _ in 0..500 {
            let point = point(&mut random, &letters, &all);
            let label = label_of(&list, &point);
            let inside = within.holds(&point);
            assert_eq!(partition.label(&point), inside.then_some(label), "round {round}: {point:?} {list:?}");
            if !inside || label == Label::IMPOSSIBLE {
                continue;
            }
            assert!(matches!(labels.get(&label), Some(Search::Found(_))), "round {round}: {point:?}");
            let of_point = cells.iter().filter(|cell| {
                let fits = |(dimension, atoms): &(Dimension, AtomSet)| atoms.contains(point.values(dimension));
                cell.label == label && cell.constraints.iter().all(fits)
            });
            assert_eq!(of_point.count(), 1, "round {round}: {point:?}");
        }
    }
}

#[test]
fn specialising_is_fixing_the_value() {
    let mut random = Random(13);
    let letters = texts("abB", 2);
    let all = paths(Normalization::Base);
    for _ in 0..300 {
        let list = mixed(&mut random);
        let mut point = point(&mut random, &letters, &all);
        for dimension in [Dimension::Peer, Dimension::Header("h".into())] {
            let values: Vec<&str> = point.values(&dimension).iter().map(String::as_str).collect();
            let fixed = list.specialise(&dimension, &values);
            let before = label_of(&list, &point);
            let mut without = point.clone();
            without.values.remove(&dimension);
            assert_eq!(label_of(&fixed, &without), before);
        }
        point.values.clear();
    }
}

/// A list with one rule for each pattern.
fn blame(patterns: impl Iterator<Item = Pattern>) -> DecisionList {
    let rule = |(label, pattern)| Rule::new(Cube::default().with_path(PathTest::any(vec![pattern])), Label(label));
    DecisionList { rules: (0..).zip(patterns).map(rule).collect(), default: Label(1_000_000) }
}

#[test]
fn a_thousand_prefixes_and_a_thousand_suffixes_end() {
    let prefixes = (0..1000).map(|n| Pattern::Prefix(format!("/p{n:03}/").into()));
    let suffixes = (0..1000).map(|n| Pattern::Suffix(format!("/s{n:03}").into()));
    let list = blame(prefixes.clone().chain(suffixes.clone()));
    let found = partition(&list, &Cube::default(), &Universe::default(), &Budget::default()).labels();
    assert!(found.values().all(|search| matches!(search, Search::Found(_))));
    // The same as two rules, and a third that is shadowed.
    let effect = DecisionList {
        rules: vec![
            Rule::new(Cube::default().with_path(PathTest::any(prefixes.clone().collect())), Label(1)),
            Rule::new(Cube::default().with_path(PathTest::any(suffixes.collect())), Label(2)),
            Rule::new(Cube::default().with_path(PathTest::any(prefixes.take(500).collect())), Label(3)),
        ],
        default: Label(4),
    };
    let found = partition(&effect, &Cube::default(), &Universe::default(), &Budget::default()).labels();
    assert_eq!(found.get(&Label(3)), Some(&Search::Empty));
}

#[test]
fn many_header_values_end_in_the_budget() {
    let header = Dimension::Header("h".into());
    let value = |n: u32| Test::any(header.clone(), vec![Pattern::Exact(format!("v{n}").into())]);
    let rule = |n: u32| Rule::new(Cube::default().with(value(n)), Label(n));
    let list = DecisionList { rules: (0..30).map(rule).collect(), default: Label(99) };
    let partition = partition(&list, &Cube::default(), &Universe::default(), &Budget::default());
    let labels = partition.labels();
    assert!(labels.values().all(|search| matches!(search, Search::Found(_))), "{labels:?}");
    assert!(partition.unsettled().is_some());
}

#[test]
fn witnesses_are_short_and_plain() {
    let list = blame([Pattern::Prefix("/internal/".into()), Pattern::Prefix("/api".into())].into_iter());
    let within = Cube::default().none(Dimension::Method, vec![Pattern::Exact("GET".into())]);
    let labels = partition(&list, &within, &Universe::default(), &Budget::default()).labels();
    let path = |label: u32| match labels.get(&Label(label)) {
        Some(Search::Found(point)) => (point.path.as_str(), point.values(&Dimension::Method).join(" ")),
        _ => panic!("no witness of {label}"),
    };
    // The nicest value that the cube leaves; what nobody asks about is not named.
    assert_eq!(path(0), ("/internal/x", "POST".to_owned()));
    assert_eq!(path(1).0, "/api");
    assert_eq!(path(1_000_000).0, "/");
    let anything = partition(&list, &Cube::default(), &Universe::default(), &Budget::default()).labels();
    assert!(matches!(anything.get(&Label(0)), Some(Search::Found(point)) if point.values.is_empty()));
}
