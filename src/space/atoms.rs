//! The classes of values of one dimension that no pattern in play tells apart, each with a representative.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::decision_list::{Domain, Values};
use super::explore::{Flow, alphabet, explore};
use super::machine::{Machine, Side};
use super::pattern::Pattern;

/// Which patterns match some value of a class, one bit each.
pub(super) type Truth = Box<[u64]>;

/// A class of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom {
    /// Which patterns match
    pub(super) truth: Truth,
    /// A representative; empty is absent
    pub(super) values: Vec<String>,
}

/// Most patterns on a dimension with several values whose combinations are all looked at.
const SEVERAL_LIMIT: usize = 12;

/// The truth of no pattern.
fn none(patterns: usize) -> Truth {
    vec![0; patterns.div_ceil(64).max(1)].into()
}

/// Sets the bit of a pattern.
fn set(truth: &mut Truth, index: usize) {
    if let Some(word) = truth.get_mut(index / 64) {
        *word |= 1 << (index % 64);
    }
}

/// Whether a pattern's bit is set.
pub(super) fn holds(truth: &Truth, index: usize) -> bool {
    truth.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
}

/// Which patterns match some of the values.
pub(super) fn truth_of(patterns: &[Pattern], values: &[String]) -> Truth {
    let mut truth = none(patterns.len());
    for (index, pattern) in patterns.iter().enumerate() {
        if values.iter().any(|value| pattern.matches(value)) {
            set(&mut truth, index);
        }
    }
    truth
}

/// All classes of a dimension, in the order in which their representatives are good to show.
/// `Err`: more work than the budget allows.
pub(super) fn atoms(patterns: &[Pattern], domain: &Domain, budget: usize) -> Result<Vec<Atom>, String> {
    let mut found = Classes::default();
    if domain.absent {
        found.add(none(patterns.len()), Vec::new());
    }
    match &domain.values {
        Values::Finite(values) => {
            for value in domain.preferred.iter().filter(|value| values.contains(value)).chain(values) {
                found.value(patterns, value);
            }
        }
        Values::Ip => {
            for address in addresses(patterns) {
                found.value(patterns, &address.to_string());
            }
        }
        Values::Language(within) => language(patterns, within, domain, budget, &mut found)?,
    }
    if domain.several {
        found.close(patterns.len())?;
    }
    Ok(found.atoms)
}

/// Classes found so far.
#[derive(Default)]
struct Classes {
    /// In the order found
    atoms: Vec<Atom>,
    /// Index by truth
    known: BTreeMap<Truth, usize>,
}

impl Classes {
    /// Adds a class if it is new.
    fn add(&mut self, truth: Truth, values: Vec<String>) -> bool {
        if self.known.contains_key(&truth) {
            return false;
        }
        self.known.insert(truth.clone(), self.atoms.len());
        self.atoms.push(Atom { truth, values });
        true
    }

    /// Adds the class of one value.
    fn value(&mut self, patterns: &[Pattern], value: &str) {
        let mut truth = none(patterns.len());
        for (index, pattern) in patterns.iter().enumerate() {
            if pattern.matches(value) {
                set(&mut truth, index);
            }
        }
        if !self.known.contains_key(&truth) {
            self.add(truth, vec![value.to_owned()]);
        }
    }

    /// Adds what several values together can be.
    fn close(&mut self, patterns: usize) -> Result<(), String> {
        if patterns > SEVERAL_LIMIT {
            return Err(format!("{patterns} patterns on one dimension that may have several values"));
        }
        let mut index = 0;
        while let Some(atom) = self.atoms.get(index).cloned() {
            for other in 0..index {
                let Some(other) = self.atoms.get(other).cloned() else {
                    continue;
                };
                let both = atom.truth.iter().zip(&other.truth).map(|(a, b)| a | b).collect();
                let values = other.values.into_iter().chain(atom.values.clone()).collect();
                self.add(both, values);
            }
            index += 1;
        }
        Ok(())
    }
}

/// The ends of all blocks and their neighbours: one address of every interval between them.
fn addresses(patterns: &[Pattern]) -> Vec<IpAddr> {
    let mut found =
        vec![IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))];
    for pattern in patterns {
        let Pattern::Cidr(block) = pattern else {
            continue;
        };
        found.push(block.network());
        found.push(block.broadcast());
        let neighbours = match (block.network(), block.broadcast()) {
            (IpAddr::V4(first), IpAddr::V4(last)) => [
                u32::from(first).checked_sub(1).map(|address| IpAddr::V4(address.into())),
                u32::from(last).checked_add(1).map(|address| IpAddr::V4(address.into())),
            ],
            (IpAddr::V6(first), IpAddr::V6(last)) => [
                u128::from(first).checked_sub(1).map(|address| IpAddr::V6(address.into())),
                u128::from(last).checked_add(1).map(|address| IpAddr::V6(address.into())),
            ],
            _ => [None, None],
        };
        found.extend(neighbours.into_iter().flatten());
    }
    found
}

/// The classes of a language: of the preferred values, of what patterns name exactly, then of whatever else there is.
fn language(
    patterns: &[Pattern],
    within: &Pattern,
    domain: &Domain,
    budget: usize,
    found: &mut Classes,
) -> Result<(), String> {
    let mut likely: Vec<String> = domain.preferred.clone();
    for pattern in patterns {
        pattern.candidates(&mut likely);
    }
    for value in likely.iter().filter(|value| within.matches(value)) {
        found.value(patterns, value);
    }
    // What is named exactly is found already; the rest is told apart by the other patterns alone.
    let exact: Vec<&str> = patterns
        .iter()
        .filter_map(|pattern| if let Pattern::Exact(text) = pattern { Some(&**text) } else { None })
        .collect();
    let others: Vec<Machine<'_>> =
        patterns.iter().filter(|pattern| !matches!(pattern, Pattern::Exact(_))).map(Machine::new).collect();
    let within = Machine::new(within);
    let letters = alphabet(|byte| {
        let classes: Vec<u8> = others.iter().map(|machine| machine.class(byte)).collect();
        (within.class(byte), classes)
    });
    let side = Side { machines: &others, within: &within };
    let mut failed = None;
    let complete = explore(&side, &letters, budget, |state, word| {
        if !within.accepts(state.0) {
            return Flow::On;
        }
        let word = word();
        let word =
            if exact.contains(&word.as_str()) { another(&word, &exact, &side, state, &letters) } else { Some(word) };
        match word {
            Some(word) => {
                let values = vec![word];
                found.add(truth_of(patterns, &values), values);
            }
            None => failed = Some("values that no pattern names exactly".to_owned()),
        }
        Flow::On
    });
    if !complete {
        return Err(format!("{} patterns on one dimension", patterns.len()));
    }
    failed.map_or(Ok(()), Err)
}

/// A longer word that leads to the same state and is not named exactly. `Some` of an exact word, if
/// the state has no other: then it adds no class.
fn another(
    word: &str,
    exact: &[&str],
    side: &Side<'_, '_>,
    state: &<Side<'_, '_> as super::explore::Reader>::State,
    letters: &[u8],
) -> Option<String> {
    use super::explore::Reader as _;
    let run = |text: &str| {
        text.bytes().try_fold(side.start(), |state, byte| side.next(&state, byte)).filter(|end| end == state)
    };
    let insertions = (0..=word.len()).rev().filter(|at| word.is_char_boundary(*at));
    let mut tried = 0;
    for at in insertions {
        for length in 1..=3_usize {
            for letter in letters {
                let (head, tail) = word.split_at(at);
                let longer = format!("{head}{}{tail}", char::from(*letter).to_string().repeat(length));
                if !exact.contains(&longer.as_str()) && run(&longer).is_some() {
                    return Some(longer);
                }
                tried += 1;
                if tried > 2_000 {
                    return None;
                }
            }
        }
    }
    Some(word.to_owned())
}
