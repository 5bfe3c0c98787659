//! Which labels of a path list some path gets: candidates first, then a proof by breadth-first search.
#![expect(clippy::indexing_slicing, reason = "nodes of the search are numbered here")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::{FxHashMap, FxHashSet};

use super::bank::Alphabet;
use super::budget::Excess;
use super::bytes::ByteSet;
use super::form::{DEAD, Form};
use super::list::Label;
use super::pattern::Pattern;
use super::residual::{ListMachine, ListState, PathList};

/// The answer to "does some path get the label?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathSearch {
    /// Yes, this one.
    Found(String),
    /// Proven: no.
    Empty,
    /// Not settled.
    OutOfBudget(Excess),
}

/// How much a path costs the reader: short, plain letters, no slash at the end.
pub(super) fn cost(path: &str) -> u32 {
    let byte_cost = |byte: u8| match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'/' => 2,
        b'A'..=b'Z' | b'-' | b'_' | b'.' => 3,
        b'%' => 8,
        _ => 6,
    };
    let odd = u32::from(path.len() > 1 && path.ends_with('/')) * 3 + u32::from(path.contains("//")) * 6;
    path.bytes().map(byte_cost).sum::<u32>() + odd
}

/// Paths worth trying for a set of patterns, cheapest first.
pub(super) fn candidates<'a>(patterns: impl Iterator<Item = &'a Pattern>, form: &Form) -> Vec<String> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    for pattern in patterns {
        match pattern {
            Pattern::Exact(text) | Pattern::ExactIgnoreCase(text) => {
                all.insert(text.to_string());
                all.insert(format!("{text}x"));
            }
            Pattern::Prefix(text) | Pattern::PrefixIgnoreCase(text) => {
                all.insert(text.to_string());
                all.insert(format!("{text}x"));
                all.insert(format!("{text}/x"));
            }
            Pattern::Suffix(text) | Pattern::SuffixIgnoreCase(text) => {
                all.insert(text.to_string());
                all.insert(format!("/{text}"));
                all.insert(format!("/x{text}"));
                all.insert(format!("/x/y{text}"));
            }
            Pattern::Contains(text) => {
                all.insert(text.to_string());
                all.insert(format!("/{text}"));
                all.insert(format!("/x{text}"));
                all.insert(format!("/x{text}x"));
            }
            Pattern::Language(language) => {
                if let Some(word) = language.sample(form) {
                    all.insert(format!("{word}x"));
                    all.insert(word);
                }
            }
            Pattern::NonEmpty | Pattern::Any | Pattern::Cidr(_) => {}
        }
    }
    let mut all: Vec<String> = all.into_iter().filter(|path| form.contains(path)).collect();
    all.sort_by_cached_key(|path| cost(path));
    all
}

/// Settles the labels that no candidate got: all at once, then, if that is too much, each alone.
pub(super) fn prove(
    list: &PathList,
    machine: &mut ListMachine,
    form: &Form,
    mut wanted: BTreeSet<Label>,
    states: usize,
) -> BTreeMap<Label, PathSearch> {
    let mut out = BTreeMap::new();
    let mut doubtful = BTreeSet::new();
    let mut done = explore(machine, form, &mut wanted, states, &mut out, &mut doubtful);
    if !done && wanted.len() > 1 {
        let mut left = states.saturating_mul(2);
        for label in wanted.clone() {
            let mut one = BTreeSet::from([label]);
            let before = left.min(states);
            done = explore(machine, form, &mut one, before, &mut out, &mut doubtful);
            if !done {
                left -= before;
            } else if one.is_empty() || !doubtful.contains(&label) {
                wanted.remove(&label);
                out.entry(label).or_insert(PathSearch::Empty);
            }
        }
        done = false;
    }
    for label in wanted {
        let answer = match (doubtful.contains(&label), done) {
            (true, _) => {
                let excess = machine.unsupported(list).map_or(Excess::Paths(states), Excess::Pattern);
                PathSearch::OutOfBudget(excess)
            }
            (false, true) => PathSearch::Empty,
            (false, false) => PathSearch::OutOfBudget(Excess::Paths(states)),
        };
        out.insert(label, answer);
    }
    out
}

/// A breadth-first search for paths of the wanted labels, within the states from which one is still possible.
/// False where the budget ran out. Labels that only a pattern without an automaton could give are `doubtful`.
fn explore(
    machine: &mut ListMachine,
    form: &Form,
    wanted: &mut BTreeSet<Label>,
    states: usize,
    out: &mut BTreeMap<Label, PathSearch>,
    doubtful: &mut BTreeSet<Label>,
) -> bool {
    let alphabet = Alphabet::of(&[machine.bank()], form, ByteSet::NONE);
    let mut trail = Trail::default();
    let mut seen: FxHashSet<(u8, ListState)> = FxHashSet::default();
    let mut open: VecDeque<(u8, ListState, u32)> = VecDeque::new();
    let mut hopeful: FxHashMap<u32, bool> = FxHashMap::default();
    open.push_back((0, machine.start(), trail.root()));
    while let Some((shape, state, at)) = open.pop_front() {
        for byte in alphabet.bytes() {
            let shape = form.step(shape, byte);
            if shape == DEAD {
                continue;
            }
            let state = machine.step(&state, byte);
            let hope = *hopeful
                .entry(state.remainder)
                .or_insert_with(|| machine.labels(state.remainder).iter().any(|label| wanted.contains(label)));
            if !hope || seen.contains(&(shape, state.clone())) {
                continue;
            }
            if seen.len() >= states {
                return false;
            }
            seen.insert((shape, state.clone()));
            let at = trail.add(at, byte);
            if form.accepts(shape) {
                match machine.possible(&state) {
                    Ok(label) if wanted.remove(&label) => {
                        out.insert(label, PathSearch::Found(trail.text(at)));
                        hopeful.clear();
                        if wanted.is_empty() {
                            return true;
                        }
                    }
                    Ok(_) => {}
                    Err(labels) => doubtful.extend(labels),
                }
            }
            open.push_back((shape, state, at));
        }
    }
    true
}

/// How each state of a search was reached.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail(Vec<(u32, u8)>);

impl Trail {
    /// The state before any byte.
    pub(super) fn root(&mut self) -> u32 {
        self.0.push((0, 0));
        0
    }

    /// A state reached by one more byte.
    pub(super) fn add(&mut self, parent: u32, byte: u8) -> u32 {
        self.0.push((parent, byte));
        u32::try_from(self.0.len() - 1).unwrap_or(0)
    }

    /// The bytes that lead to a state.
    pub(super) fn text(&self, mut at: u32) -> String {
        let mut bytes = Vec::new();
        while at != 0 {
            let (parent, byte) = self.0[at as usize];
            bytes.push(byte);
            at = parent;
        }
        bytes.reverse();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
