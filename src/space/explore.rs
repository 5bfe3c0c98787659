//! Breadth-first exploration of machines run side by side, shortest words first, within a budget of work.

use std::collections::VecDeque;
use std::hash::Hash;

use rustc_hash::{FxHashMap, FxHashSet};

use super::machine::{Machine, State};
use super::regex::Language;

/// How much work an answer may take. Counts work, not time, so that answers do not depend on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// States of one exploration
    pub states: usize,
    /// Nodes of one partition
    pub nodes: usize,
    /// Cells that are listed
    pub cells: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { states: 200_000, nodes: 200_000, cells: 50_000 }
    }
}

/// Something that reads words byte by byte.
pub(super) trait Reader {
    /// Where it is
    type State: Clone + Eq + Hash;
    /// Before the first byte.
    fn start(&self) -> Self::State;
    /// After one more byte; `None` where no word goes on so.
    fn next(&self, state: &Self::State, byte: u8) -> Option<Self::State>;
}

/// What to do after a state was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Go on from here
    On,
    /// Nothing new lies behind this state
    Prune,
    /// The search is over
    Stop,
}

/// Visits every state, the shortest word that leads to it first. `false`: the budget ran out.
pub(super) fn explore<R: Reader>(
    reader: &R,
    alphabet: &[u8],
    budget: usize,
    mut visit: impl FnMut(&R::State, &dyn Fn() -> String) -> Flow,
) -> bool {
    let mut known: FxHashMap<R::State, usize> = FxHashMap::default();
    let mut trail: Vec<(usize, u8)> = vec![(0, 0)];
    let mut queue: VecDeque<(usize, R::State)> = VecDeque::new();
    let start = reader.start();
    known.insert(start.clone(), 0);
    queue.push_back((0, start));
    while let Some((index, state)) = queue.pop_front() {
        let word = || word_of(&trail, index);
        match visit(&state, &word) {
            Flow::Stop => return true,
            Flow::Prune => continue,
            Flow::On => {}
        }
        for byte in alphabet {
            let Some(next) = reader.next(&state, *byte) else {
                continue;
            };
            if known.contains_key(&next) {
                continue;
            }
            if known.len() >= budget {
                return false;
            }
            known.insert(next.clone(), trail.len());
            queue.push_back((trail.len(), next));
            trail.push((index, *byte));
        }
    }
    true
}

/// The word that leads to a state.
fn word_of(trail: &[(usize, u8)], mut index: usize) -> String {
    let mut bytes = Vec::new();
    while let Some((before, byte)) = trail.get(index).filter(|_| index != 0) {
        bytes.push(*byte);
        index = *before;
    }
    bytes.reverse();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Bytes in the order in which people like to read them.
const READABLE: &[u8] = b"xabcdefghijklmnopqrstuvwyz0123456789/-_.ABCDEFGHIJKLMNOPQRSTUVWXYZ~%;:@!$&'()*+,=[]";

/// One byte for each class that the function tells apart, readable ones first.
pub(super) fn alphabet<K: Eq + Hash>(class: impl Fn(u8) -> K) -> Vec<u8> {
    let mut seen: FxHashSet<K> = FxHashSet::default();
    let others = (0..=127_u8).filter(|byte| !READABLE.contains(byte));
    READABLE.iter().copied().chain(others).filter(|byte| seen.insert(class(*byte))).collect()
}

/// A language alone.
struct Alone<'l>(&'l Language);

impl Reader for Alone<'_> {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.start.as_u32()
    }

    fn next(&self, state: &u32, byte: u8) -> Option<u32> {
        use regex_automata::dfa::Automaton as _;
        let state = regex_automata::util::primitives::StateID::new(*state as usize).ok()?;
        let next = self.0.dfa.next_state(state, byte);
        (!self.0.dfa.is_dead_state(next)).then(|| next.as_u32())
    }
}

/// A shortest member of a language that can be shown as text.
pub(super) fn shortest_member(language: &Language) -> Option<String> {
    let letters = alphabet(|byte| language.dfa.byte_classes().get(byte));
    let mut found = None;
    explore(&Alone(language), &letters, 20_000, |state, word| {
        let Ok(state) = regex_automata::util::primitives::StateID::new(*state as usize) else {
            return Flow::Prune;
        };
        if language.accepts(state) {
            found = Some(word());
            return Flow::Stop;
        }
        Flow::On
    });
    found
}

/// Patterns side by side, within another one.
pub(super) struct Side<'m, 'p> {
    /// The patterns
    pub(super) machines: &'m [Machine<'p>],
    /// Words outside are not read
    pub(super) within: &'m Machine<'p>,
}

impl Reader for Side<'_, '_> {
    type State = (State, Box<[State]>);

    fn start(&self) -> Self::State {
        (self.within.start(), self.machines.iter().map(Machine::start).collect())
    }

    fn next(&self, state: &Self::State, byte: u8) -> Option<Self::State> {
        let within = self.within.next(state.0, byte);
        if Machine::is_settled(within) && !self.within.accepts(within) {
            return None;
        }
        Some((within, self.machines.iter().zip(&state.1).map(|(machine, state)| machine.next(*state, byte)).collect()))
    }
}
