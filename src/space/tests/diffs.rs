//! Changes between two lists: complete, real, and none where nothing changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::*;
use super::random::{Random, texts};
use super::world::{self, World};

/// Two lists, the second made from the first by some edits, numbered in one store.
fn edited(random: &mut Random, list: &DecisionList, axes: &[&world::Axis]) -> DecisionList {
    let mut new = list.clone();
    for _ in 0..=random.below(2) {
        let at = random.below(new.rules.len() + 1);
        let rule = Rule::new(world::cube(random, axes, "/abA.;"), random.label(4));
        match random.below(3) {
            0 => new.rules.insert(at, rule),
            1 if at < new.rules.len() => new.rules[at] = rule,
            _ if at < new.rules.len() => drop(new.rules.remove(at)),
            _ => new.default = random.label(4),
        }
    }
    new
}

/// The changes of two lists, both ways.
type BothWays = (BTreeMap<Change, Search>, BTreeMap<Change, Search>);

fn both_ways(old: &DecisionList, new: &DecisionList, within: &Cube, universe: &Universe) -> BothWays {
    let mut store = RuleStore::new(universe.clone());
    let (old, new, bounds) = (store.list(old), store.list(new), store.bounds(within));
    let space: Arc<Space> = store.freeze(&Budget::default());
    assert!(space.changes(&old, &old, &bounds).is_empty(), "nothing changed");
    (space.changes(&old, &new, &bounds), space.changes(&new, &old, &bounds))
}

#[test]
fn changes_are_complete_and_real_and_turn_round_with_the_lists() {
    let mut random = Random(5);
    let world = World::new();
    let normal = partition(
        &DecisionList { rules: Vec::new(), default: Label(0) },
        &Cube::default(),
        &world.universe,
        &Budget::default(),
    );
    let is_path = |path: &String| normal.label(&Point { path: path.clone(), ..Point::default() }).is_some();
    let paths: Vec<String> = texts("/abA.;", 4).into_iter().filter(is_path).collect();
    let (mut compared, mut shown) = (0_u64, 0_u64);
    for round in 0..400 {
        let count = random.below(5);
        let axes = world.some(&mut random, count);
        let old = world::list(&mut random, &axes, "/abA.;");
        let new = edited(&mut random, &old, &axes);
        let within = if random.chance(50) { Cube::default() } else { world::cube(&mut random, &axes, "/ab") };
        let (there, back) = both_ways(&old, &new, &within, &world.universe);
        let turned: Vec<Change> = back.keys().map(|(from, to)| (*to, *from)).collect();
        assert!(there.keys().all(|pair| turned.contains(pair)) && there.len() == back.len(), "round {round}");
        for ((from, to), search) in &there {
            let Search::Found(point) = search else { panic!("round {round}: {search:?}") };
            assert_ne!(from, to);
            assert_eq!((label_of(&old, point), label_of(&new, point)), (*from, *to), "round {round}: {point:?}");
            assert!(within.holds(point), "round {round}: {point:?}");
            shown += 1;
        }
        for _ in 0..500 {
            let point = world::point(&mut random, &axes, &paths);
            let pair = (label_of(&old, &point), label_of(&new, &point));
            let counts = within.holds(&point) && pair.0 != Label::IMPOSSIBLE && pair.1 != Label::IMPOSSIBLE;
            if counts && pair.0 != pair.1 {
                assert!(there.contains_key(&pair), "round {round}: {point:?} changed from {pair:?}");
            }
            compared += 1;
        }
    }
    assert!(compared > 150_000 && shown > 200, "{compared} compared, {shown} changes shown");
}

#[test]
fn a_deny_that_is_added_takes_away_and_gives_nothing() {
    let (allowed, denied) = (Label(1), Label(2));
    let mut random = Random(23);
    let world = World::new();
    for round in 0..200 {
        let axes = world.some(&mut random, 3);
        let allow = |random: &mut Random| Rule::new(world::cube(random, &axes, "/ab"), allowed);
        let old = DecisionList { rules: (0..4).map(|_| allow(&mut random)).collect(), default: denied };
        let mut new = old.clone();
        new.rules.insert(0, Rule::new(world::cube(&mut random, &axes, "/ab"), denied));
        let (there, _) = both_ways(&old, &new, &Cube::default(), &world.universe);
        assert!(there.keys().all(|pair| *pair == (allowed, denied)), "round {round}: {there:?}");
        let mut shuffled = old.clone();
        shuffled.rules.reverse();
        let (there, _) = both_ways(&old, &shuffled, &Cube::default(), &world.universe);
        assert!(there.is_empty(), "round {round}: the order of ALLOW rules changes nothing: {there:?}");
    }
}

#[test]
fn a_change_that_cannot_be_followed_is_no_silence() {
    // No path worth trying has an `a` before `z9`, and one state is too few for any proof.
    let middle = Pattern::sequence(&[
        Piece::Repeat { bytes: ByteSet::ANY, at_least: 0 },
        Piece::Literal("a".into()),
        Piece::Repeat { bytes: ByteSet::SEGMENT, at_least: 1 },
    ]);
    let rule = |pattern: Pattern, label| Rule::new(Cube::default().path(vec![pattern]), Label(label));
    let old = DecisionList { rules: vec![rule(middle.clone(), 1)], default: Label(0) };
    let new = DecisionList { rules: vec![rule(Pattern::Suffix("z9".into()), 2), rule(middle, 1)], default: Label(0) };
    let mut store = RuleStore::new(Universe::default());
    let (old, new, bounds) = (store.list(&old), store.list(&new), store.bounds(&Cube::default()));
    let space = store.freeze(&Budget { path_states: 1, ..Budget::default() });
    let changes = space.changes(&old, &new, &bounds);
    assert!(matches!(changes.get(&(Label(0), Label(2))), Some(Search::Found(_))), "{changes:?}");
    assert!(matches!(changes.get(&(Label(1), Label(2))), Some(Search::OutOfBudget { .. })), "{changes:?}");
}
