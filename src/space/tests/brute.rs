//! Brute force: the engine against the naive reading, request by request.

use std::collections::{BTreeMap, BTreeSet};

use super::super::bank::Bank;
use super::super::form::{DEAD, Form};
use super::super::path_search::{PathSearch, prove};
use super::super::residual::{ListMachine, ListState, PathList};
use super::super::*;
use super::random::{Random, texts};
use super::world::{self, World};

const MODES: [Normalization; 5] = [
    Normalization::None,
    Normalization::Base,
    Normalization::Base,
    Normalization::MergeSlashes,
    Normalization::DecodeAndMergeSlashes,
];

/// The path rules of a list that asks about nothing else.
fn path_rules(list: &DecisionList) -> PathList {
    let rules = list.rules.iter().map(|rule| (rule.cube.path.clone(), rule.label)).collect();
    PathList { rules, fallback: list.default }
}

/// A walk through all paths over some letters, with the automaton beside the naive reading.
struct Walk<'a> {
    list: &'a DecisionList,
    form: &'a Form,
    machine: ListMachine,
    letters: &'a [u8],
    compared: u64,
    /// The length of the shortest path of each label.
    shortest: BTreeMap<Label, usize>,
}

impl Walk<'_> {
    fn from(&mut self, path: &mut String, shape: u8, state: &ListState, most: usize) {
        if self.form.accepts(shape) {
            let point = Point { values: BTreeMap::new(), path: path.clone() };
            let label = label_of(self.list, &point);
            assert_eq!(self.machine.label(state), Some(label), "{path} in {:?}", self.list);
            let known = self.shortest.entry(label).or_insert(path.len());
            *known = path.len().min(*known);
            self.compared += 1;
        }
        if path.len() == most {
            return;
        }
        for byte in self.letters {
            let next = self.form.step(shape, *byte);
            if next != DEAD {
                let state = self.machine.step(state, *byte);
                path.push(char::from(*byte));
                self.from(path, next, &state, most);
                path.pop();
            }
        }
    }
}

/// The automaton of path rules, proofs and the partition on every path up to a length.
fn paths_agree(seed: u64, rounds: u64, most: usize) -> u64 {
    let mut random = Random(seed);
    let mut compared = 0;
    for round in 0..rounds {
        let mode = *random.pick(&MODES);
        let domain = PathDomain::Normalized(mode);
        let form = Form::paths(domain);
        let list = random.path_list("/abA.;", 6, 4);
        let rules = path_rules(&list);
        let machine = ListMachine::new(&rules);
        let (start, letters) = (machine.start(), b"/abA.;");
        let mut walk = Walk { list: &list, form, machine, letters, compared: 0, shortest: BTreeMap::new() };
        walk.from(&mut String::new(), 0, &start, most);
        compared += walk.compared;

        // Proofs alone: what is found is a shortest path, what is not found does not occur.
        let all: BTreeSet<Label> = (0..4).map(Label).collect();
        let proven = prove(&rules, &mut ListMachine::new(&rules), form, all, 100_000);
        for (label, answer) in &proven {
            let shortest = walk.shortest.get(label);
            match answer {
                PathSearch::Found(path) => {
                    assert!(form.contains(path), "round {round}: {path}");
                    assert_eq!(rules.label(path), *label, "round {round}: {path} in {list:?}");
                    assert!(shortest.is_none_or(|least| path.len() <= *least), "round {round}: {path} is not shortest");
                    let ours = path.bytes().all(|byte| letters.contains(&byte)) && path.len() <= most;
                    assert!(!ours || shortest == Some(&path.len()), "round {round}: {path} was walked");
                }
                PathSearch::Empty => assert_eq!(shortest, None, "round {round}: {label:?} of {list:?}"),
                PathSearch::OutOfBudget(why) => panic!("round {round}: {why}"),
            }
        }

        // Witnesses first: the same labels, with witnesses that the naive reading confirms.
        let universe = Universe { path: domain, ..Universe::default() };
        let found = partition(&list, &Cube::default(), &universe, &Budget::default()).labels();
        for (label, search) in found {
            let expected = matches!(proven.get(&label), Some(PathSearch::Found(_)));
            match search {
                Search::Found(point) => {
                    assert_eq!((label_of(&list, &point), expected), (label, true), "round {round}: {point:?}");
                }
                Search::Empty => assert!(!expected, "round {round}: {label:?} occurs in {list:?}"),
                Search::OutOfBudget { why } => panic!("round {round}: {why}"),
            }
            compared += 1;
        }
    }
    compared
}

/// Partitions over several dimensions, on points around the borders of classes.
fn requests_agree(seed: u64, rounds: u64, points: u64) -> u64 {
    let mut random = Random(seed);
    let world = World::new();
    let form = Form::paths(world.universe.path);
    let paths: Vec<String> = texts("/abA.;", 4).into_iter().filter(|path| form.contains(path)).collect();
    let mut compared = 0;
    for round in 0..rounds {
        let count = 1 + random.below(5);
        let axes = world.some(&mut random, count);
        let list = world::list(&mut random, &axes, "/abA.;");
        let within = if random.chance(50) { Cube::default() } else { world::cube(&mut random, &axes, "/ab") };
        let partition = partition(&list, &within, &world.universe, &Budget::default());
        let labels = partition.labels();
        let cells = partition.cells();
        let context = || format!("round {round}: {list:?} within {within:?}");
        assert_eq!(partition.unsettled(), None, "{}", context());
        for (label, search) in &labels {
            assert_ne!(*label, Label::IMPOSSIBLE);
            match search {
                Search::Found(point) => {
                    assert_eq!(label_of(&list, point), *label, "{point:?} in {}", context());
                    assert!(within.holds(point), "{point:?} in {}", context());
                    assert_eq!(partition.label(point), Some(*label), "{point:?} in {}", context());
                }
                Search::Empty => assert!(cells.iter().all(|cell| cell.label != *label), "{}", context()),
                Search::OutOfBudget { why } => panic!("{why} in {}", context()),
            }
        }
        for cell in &cells {
            assert!(cell.proven);
            assert_eq!(label_of(&list, &cell.witness), cell.label, "{:?} in {}", cell.witness, context());
            assert!(within.holds(&cell.witness), "{:?} in {}", cell.witness, context());
            compared += 1;
        }
        for turn in 0..points {
            let point = world::point(&mut random, &axes, &paths);
            let label = label_of(&list, &point);
            let inside = within.holds(&point);
            assert_eq!(partition.label(&point), inside.then_some(label), "{point:?} in {}", context());
            compared += 1;
            if !inside || label == Label::IMPOSSIBLE {
                continue;
            }
            assert!(matches!(labels.get(&label), Some(Search::Found(_))), "{point:?} in {}", context());
            if turn % 16 == 0 {
                let fits = |(dimension, atoms): &(Dimension, AtomSet)| atoms.contains(point.values(dimension));
                let of_point = cells.iter().filter(|cell| cell.label == label && cell.constraints.iter().all(fits));
                assert_eq!(of_point.count(), 1, "{point:?} in {}", context());
            }
        }
    }
    compared
}

/// The patterns of a bank, side by side, on every text up to a length.
fn banks_agree(seed: u64, rounds: u64, most: usize) -> u64 {
    let mut random = Random(seed);
    let all = texts("/abA.", most);
    let mut compared = 0;
    for _ in 0..rounds {
        let mut patterns: Vec<Pattern> = (0..10).map(|_| random.path_pattern("/abA.")).collect();
        patterns.sort();
        patterns.dedup();
        let bank = Bank::new(patterns.clone());
        for text in &all {
            let state = text.bytes().fold(bank.start(), |state, byte| bank.step(&state, byte));
            for (index, pattern) in (0..).zip(&patterns) {
                assert_eq!(bank.holds(index, &state), pattern.matches(text), "{pattern} on {text}");
                compared += 1;
            }
        }
    }
    compared
}

#[test]
fn path_rules_agree_with_the_first_match() {
    let compared = paths_agree(7, 400, 6);
    assert!(compared > 3_000_000, "{compared}");
}

#[test]
fn requests_agree_with_the_first_match() {
    let compared = requests_agree(11, 1_000, 500);
    assert!(compared > 500_000, "{compared}");
}

#[test]
fn a_bank_agrees_with_each_of_its_patterns() {
    let compared = banks_agree(3, 40, 5);
    assert!(compared > 1_000_000, "{compared}");
}

/// The same, much longer, by `cargo test --lib brute -- --ignored`: 120 million at the last run,
/// nearly half of them paths, a sixth requests over several dimensions, a fifth each patterns and two hops.
#[test]
#[ignore = "takes minutes"]
fn a_hundred_million_comparisons_agree() {
    let halves: Vec<_> = (0..2)
        .map(|half: u64| {
            std::thread::spawn(move || {
                let (mut paths, mut requests, mut banks, mut hops) = (0, 0, 0, 0);
                for turn in 0_u64.. {
                    let seed = 1_000_003 * (2 * turn + half) + 17;
                    paths += paths_agree(seed, 700, 6);
                    requests += requests_agree(seed + 1, 2_000, 800);
                    banks += banks_agree(seed + 2, 60, 5);
                    hops += super::two_hops::hops_agree(seed + 3, 1_500).compared;
                    if paths + requests + banks + hops > 50_000_000 {
                        break;
                    }
                }
                [paths, requests, banks, hops]
            })
        })
        .collect();
    let mut sums = [0_u64; 4];
    for half in halves {
        let counts = half.join().expect("no comparison fails");
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    let all: u64 = sums.iter().sum();
    assert!(all > 100_000_000, "{all}: {sums:?}");
}
