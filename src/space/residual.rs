//! Ordered path rules as one lazy automaton. A rule whose outcome is known whatever follows is settled and
//! dropped, so that prefixes times suffixes cost their sum and a decided path is a sink.
#![expect(clippy::indexing_slicing, reason = "remainders are numbered here")]

use rustc_hash::FxHashMap;

use super::bank::{Bank, BankState, Needs, Outlook};
use super::list::{Label, PathTest};
use super::pattern::Pattern;

/// Path rules and what holds where none matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PathList {
    /// Conjunctions of tests and their labels.
    pub(super) rules: Vec<(Vec<PathTest>, Label)>,
    /// The label where no rule matches.
    pub(super) fallback: Label,
}

impl PathList {
    /// The label of a path.
    pub(super) fn label(&self, path: &str) -> Label {
        let first = self.rules.iter().find(|(tests, _)| tests.iter().all(|test| test.holds(path)));
        first.map_or(self.fallback, |(_, label)| *label)
    }

    /// Every pattern in order of first use.
    pub(super) fn patterns(&self) -> Vec<&Pattern> {
        let tests = self.rules.iter().flat_map(|(tests, _)| tests);
        tests.flat_map(|test| test.any_of.iter().flatten().chain(&test.none_of)).collect()
    }
}

/// What is left of a test.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct OpenTest {
    /// One of them must match, unless that is done.
    any_of: Option<Vec<u32>>,
    /// None of them may match.
    none_of: Vec<u32>,
}

/// What is left of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Remainder {
    /// Open rules.
    rules: Vec<(Vec<OpenTest>, Label)>,
    /// The label of the first settled rule, or the default.
    fallback: Label,
}

/// What is known of an interned remainder.
#[derive(Debug)]
struct Known {
    /// The remainder.
    remainder: Remainder,
    /// Which parts of the bank it asks about.
    needs: Needs,
    /// The labels that are still possible.
    labels: Vec<Label>,
}

/// A state of the automaton.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ListState {
    /// What the patterns remember.
    bank: BankState,
    /// The number of the remainder.
    pub(super) remainder: u32,
}

/// The automaton of a list.
#[derive(Debug)]
pub(super) struct ListMachine {
    /// Its patterns.
    bank: Bank,
    /// Remainders by number.
    known: Vec<Known>,
    /// Numbers by remainder.
    ids: FxHashMap<Remainder, u32>,
    /// Remainders after a step.
    settled: FxHashMap<(u32, BankState), u32>,
    /// The state before any byte.
    start: ListState,
}

impl ListMachine {
    /// Builds the automaton of a list.
    pub(super) fn new(list: &PathList) -> Self {
        Self::shared([list]).0
    }

    /// Builds one automaton for several lists, with the state of each before any byte: where the states of two lists
    /// are equal, so is whatever follows.
    pub(super) fn shared<const N: usize>(lists: [&PathList; N]) -> (Self, [ListState; N]) {
        let mut ids: FxHashMap<&Pattern, u32> = FxHashMap::default();
        let mut patterns = Vec::new();
        for pattern in lists.iter().flat_map(|list| list.patterns()) {
            ids.entry(pattern).or_insert_with(|| {
                patterns.push(pattern.clone());
                u32::try_from(patterns.len() - 1).unwrap_or(u32::MAX)
            });
        }
        let numbers = |some: &Vec<Pattern>| -> Vec<u32> {
            let mut numbers: Vec<u32> = some.iter().filter_map(|pattern| ids.get(pattern).copied()).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let open =
            |test: &PathTest| OpenTest { any_of: test.any_of.as_ref().map(numbers), none_of: numbers(&test.none_of) };
        let bank = Bank::visible(patterns);
        let begin = bank.start();
        let start = ListState { bank: begin.clone(), remainder: 0 };
        let mut machine =
            Self { bank, known: Vec::new(), ids: FxHashMap::default(), settled: FxHashMap::default(), start };
        let starts = lists.map(|list| {
            let rules = list.rules.iter().map(|(tests, label)| (tests.iter().map(open).collect(), *label)).collect();
            let whole = machine.settle(&Remainder { rules, fallback: list.fallback }, &begin);
            let id = machine.intern(whole);
            machine.state(begin.clone(), id)
        });
        if let Some(first) = starts.first() {
            machine.start = first.clone();
        }
        (machine, starts)
    }

    /// The patterns.
    pub(super) fn bank(&self) -> &Bank {
        &self.bank
    }

    /// The state before any byte.
    pub(super) fn start(&self) -> ListState {
        self.start.clone()
    }

    /// The state after one more byte.
    pub(super) fn step(&mut self, state: &ListState, byte: u8) -> ListState {
        let bank = self.bank.step(&state.bank, byte);
        if !self.known[state.remainder as usize].needs.can_settle() {
            return ListState { bank, remainder: state.remainder };
        }
        let key = (state.remainder, Bank::settling(&bank));
        let id = if let Some(id) = self.settled.get(&key) {
            *id
        } else {
            let next = self.settle(&self.known[state.remainder as usize].remainder, &bank);
            let id = self.intern(next);
            self.settled.insert(key, id);
            id
        };
        self.state(bank, id)
    }

    /// The label if the path ends here; `None` where a pattern cannot be followed.
    pub(super) fn label(&self, state: &ListState) -> Option<Label> {
        self.possible(state).ok()
    }

    /// The label if the path ends here; else, where patterns cannot be followed, every label that it may get.
    pub(super) fn possible(&self, state: &ListState) -> Result<Label, Vec<Label>> {
        let remainder = &self.known[state.remainder as usize].remainder;
        let mut doubtful = Vec::new();
        let settled = |label: Label, mut doubtful: Vec<Label>| {
            if doubtful.is_empty() {
                return Ok(label);
            }
            doubtful.push(label);
            Err(doubtful)
        };
        for (tests, label) in &remainder.rules {
            // One test that fails is enough; one that is unknown leaves the rule open.
            let mut verdict = Some(true);
            for test in tests {
                match self.holds(test, &state.bank) {
                    Some(true) => {}
                    Some(false) => {
                        verdict = Some(false);
                        break;
                    }
                    None => verdict = None,
                }
            }
            match verdict {
                Some(true) => return settled(*label, doubtful),
                Some(false) => {}
                None => doubtful.push(*label),
            }
        }
        settled(remainder.fallback, doubtful)
    }

    /// The labels that some continuation may get.
    pub(super) fn labels(&self, remainder: u32) -> &[Label] {
        &self.known[remainder as usize].labels
    }

    /// A pattern that cannot be followed, if there is one.
    pub(super) fn unsupported(&self, list: &PathList) -> Option<Pattern> {
        list.patterns().into_iter().find(|pattern| self.bank.lacks(pattern)).cloned()
    }

    /// Whether a test holds if the path ends here.
    fn holds(&self, test: &OpenTest, state: &BankState) -> Option<bool> {
        let some = |patterns: &[u32]| {
            let mut unknown = false;
            for pattern in patterns {
                if self.bank.holds(*pattern, state) {
                    return Some(true);
                }
                unknown |= self.bank.is_unsupported(*pattern);
            }
            if unknown { None } else { Some(false) }
        };
        match (test.any_of.as_deref().map_or(Some(true), some), some(&test.none_of)) {
            (Some(false), _) | (_, Some(true)) => Some(false),
            (Some(true), Some(false)) => Some(true),
            _ => None,
        }
    }

    /// Drops what is known whatever follows.
    fn settle(&self, remainder: &Remainder, state: &BankState) -> Remainder {
        let mut rules: Vec<(Vec<OpenTest>, Label)> = Vec::new();
        let mut fallback = remainder.fallback;
        'rules: for (tests, label) in &remainder.rules {
            let mut open = Vec::new();
            for test in tests {
                match self.settle_test(test, state) {
                    Ok(None) => {}
                    Ok(Some(test)) => open.push(test),
                    Err(()) => continue 'rules,
                }
            }
            if open.is_empty() {
                fallback = *label;
                break;
            }
            rules.push((open, *label));
        }
        while rules.last().is_some_and(|(_, label)| *label == fallback) {
            rules.pop();
        }
        Remainder { rules, fallback }
    }

    /// What is left of a test: `Ok(None)` when it will hold, `Err` when it will not.
    fn settle_test(&self, test: &OpenTest, state: &BankState) -> Result<Option<OpenTest>, ()> {
        let open = |patterns: &[u32]| -> Option<Vec<u32>> {
            let mut open = Vec::new();
            for pattern in patterns {
                match self.bank.outlook(*pattern, state) {
                    Outlook::Always => return None,
                    Outlook::Open => open.push(*pattern),
                    Outlook::Never => {}
                }
            }
            Some(open)
        };
        let none_of = open(&test.none_of).ok_or(())?;
        let any_of = test.any_of.as_deref().and_then(open);
        match any_of {
            Some(some) if some.is_empty() => Err(()),
            None if none_of.is_empty() => Ok(None),
            any_of => Ok(Some(OpenTest { any_of, none_of })),
        }
    }

    /// The number of a remainder.
    fn intern(&mut self, remainder: Remainder) -> u32 {
        if let Some(id) = self.ids.get(&remainder) {
            return *id;
        }
        let id = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let tests = remainder.rules.iter().flat_map(|(tests, _)| tests);
        let patterns = tests.flat_map(|test| test.any_of.iter().flatten().chain(&test.none_of)).copied();
        let needs = self.bank.needs(patterns);
        let mut labels: Vec<Label> = remainder.rules.iter().map(|(_, label)| *label).collect();
        labels.push(remainder.fallback);
        labels.sort_unstable();
        labels.dedup();
        self.known.push(Known { remainder: remainder.clone(), needs, labels });
        self.ids.insert(remainder, id);
        id
    }

    /// A state without what its remainder does not ask about.
    fn state(&self, mut bank: BankState, remainder: u32) -> ListState {
        Bank::forget(&mut bank, &self.known[remainder as usize].needs);
        ListState { bank, remainder }
    }
}
