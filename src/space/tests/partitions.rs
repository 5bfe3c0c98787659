//! The partition against the naive reading of the list, on enumerated points.

use super::super::*;
use super::random::{Random, texts};
use super::world::{self, World};

#[test]
fn specialising_is_fixing_the_value() {
    let mut random = Random(13);
    let world = World::new();
    let form = super::super::form::Form::of_paths(world.universe.path);
    let paths: Vec<String> = texts("/abA.;", 3).into_iter().filter(|path| form.contains(path)).collect();
    for _ in 0..300 {
        let axes = world.some(&mut random, 3);
        let list = world::list(&mut random, &axes, "/ab");
        let whole = partition(&list, &Cube::default(), &world.universe, &Budget::default());
        for _ in 0..20 {
            let point = world::point(&mut random, &axes, &paths);
            let dimension = &random.pick(&axes).dimension;
            let values: Vec<&str> = point.values(dimension).iter().map(String::as_str).collect();
            let fixed = list.specialise(dimension, &values);
            let mut without = point.clone();
            without.values.remove(dimension);
            assert_eq!(label_of(&fixed, &without), label_of(&list, &point), "{dimension:?} {point:?} {list:?}");
            // Its partition is the whole one, restricted to the value.
            let part = partition(&fixed, &Cube::default(), &world.universe, &Budget::default());
            assert_eq!(part.label(&without), whole.label(&point), "{dimension:?} {point:?} {list:?}");
            for (label, search) in part.labels() {
                if let Search::Found(mut found) = search {
                    // What the part does not name is absent, or free where it cannot be.
                    found.values.insert(dimension.clone(), point.values(dimension).to_vec());
                    for (free, values) in &point.values {
                        if !world.universe.domain(free).absent {
                            found.values.entry(free.clone()).or_insert_with(|| values.clone());
                        }
                    }
                    assert_eq!(whole.label(&found), Some(label), "{dimension:?} {found:?} {list:?}");
                }
            }
        }
    }
}

/// A list with one rule for each pattern.
fn blame(patterns: impl Iterator<Item = Pattern>) -> DecisionList {
    let rule =
        |(label, pattern)| Rule { cube: Cube::default().with_path(PathTest::any(vec![pattern])), label: Label(label) };
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
            Rule { cube: Cube::default().with_path(PathTest::any(prefixes.clone().collect())), label: Label(1) },
            Rule { cube: Cube::default().with_path(PathTest::any(suffixes.collect())), label: Label(2) },
            Rule { cube: Cube::default().with_path(PathTest::any(prefixes.take(500).collect())), label: Label(3) },
        ],
        default: Label(4),
    };
    let found = partition(&effect, &Cube::default(), &Universe::default(), &Budget::default()).labels();
    assert_eq!(found.get(&Label(3)), Some(&Search::Empty));
}

#[test]
fn many_header_values_end_in_the_budget() {
    let header = Dimension::Header("h".into());
    let rule = |n: u32| Rule {
        cube: Cube::default().with(Test::any(header.clone(), vec![Pattern::Exact(format!("v{n}").into())])),
        label: Label(n),
    };
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
