//! Breadth-first exploration of machines run side by side, shortest words first, within a budget of work.

use std::collections::VecDeque;
use std::hash::Hash;

use rustc_hash::{FxHashMap, FxHashSet};

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
