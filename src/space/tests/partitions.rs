//! The partition against the naive reading of the list, on enumerated points.

use super::super::*;
use super::adversarial::blame;
use super::random::{Random, texts};
use super::world::{self, World};

#[test]
fn specialising_is_fixing_the_value() {
    let mut random = Random(13);
    let world = World::new();
    let form = super::super::form::Form::paths(world.universe.path);
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

#[test]
fn what_is_not_near_a_cube_decides_nothing_within_it() {
    let mut random = Random(29);
    let world = World::new();
    let paths: Vec<String> = texts("/abA.;", 3);
    let (mut dropped, mut compared) = (0, 0);
    for round in 0..400 {
        let axes = world.some(&mut random, 4);
        let list = world::list(&mut random, &axes, "/ab");
        let within = world::cube(&mut random, &axes, "/ab");
        let near = list.near(&within);
        dropped += list.rules.len() - near.rules.len();
        for _ in 0..60 {
            let point = world::point(&mut random, &axes, &paths);
            if within.holds(&point) {
                compared += 1;
                let expected = label_of(&list, &point);
                assert_eq!(label_of(&near, &point), expected, "round {round}: {point:?} of {within:?} in {list:?}");
            }
        }
    }
    assert!(dropped > 100 && compared > 1_000, "{dropped} dropped, {compared} compared");
}

#[test]
fn witnesses_are_short_and_plain() {
    let list = blame([Pattern::Prefix("/internal/".into()), Pattern::Prefix("/api".into())]);
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
