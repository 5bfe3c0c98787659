//! Decision lists over the path alone: which label a path gets, and a path for each label.

use std::collections::{BTreeMap, BTreeSet};

use super::decision_list::{Label, PathDomain, PathTest};
use super::explore::{Budget, Flow, Reader, alphabet, explore};
use super::machine::{Machine, State};
use super::normal_form::{Form, FormState};
use super::pattern::Pattern;

/// What searching for a path of a label gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathSearch {
    /// This one
    Found(String),
    /// There is none
    Empty,
    /// More work than the budget allows
    OutOfBudget,
}

/// Path tests in order with their labels; each test is a conjunction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PathList {
    /// First match wins
    pub(super) rules: Vec<(Vec<PathTest>, Label)>,
    /// Where none matches
    pub(super) default: Label,
}

impl PathList {
    /// The label of a path, by trying rule after rule.
    pub(super) fn label(&self, path: &str) -> Label {
        let rule = self.rules.iter().find(|(tests, _)| tests.iter().all(|test| test.holds(path)));
        rule.map_or(self.default, |(_, label)| *label)
    }

    /// The labels that stand in it.
    pub(super) fn all_labels(&self) -> BTreeSet<Label> {
        self.rules.iter().map(|(_, label)| *label).chain([self.default]).collect()
    }

    /// Every pattern, once.
    pub(super) fn patterns(&self) -> Vec<&Pattern> {
        let all: BTreeSet<&Pattern> =
            self.rules.iter().flat_map(|(tests, _)| tests).flat_map(PathTest::patterns).collect();
        all.into_iter().collect()
    }

    /// Paths that likely tell the labels apart.
    pub(super) fn candidates(&self) -> Vec<String> {
        let mut found = Vec::new();
        for pattern in self.patterns() {
            pattern.candidates(&mut found);
        }
        found.push("/x".to_owned());
        found.push("/".to_owned());
        found
    }

    /// A path for each label that has one: likely paths first, then an exploration that proves.
    pub(super) fn labels(&self, domain: PathDomain, budget: &Budget) -> BTreeMap<Label, PathSearch> {
        let form = Form::new(domain);
        let mut found: BTreeMap<Label, PathSearch> = BTreeMap::new();
        let mut likely: Vec<String> = self.candidates().into_iter().filter(|path| form.contains(path)).collect();
        likely.sort_by_key(|path| cost(path));
        for path in likely {
            found.entry(self.label(&path)).or_insert_with(|| PathSearch::Found(path.clone()));
        }
        let mut missing: BTreeSet<Label> =
            self.all_labels().into_iter().filter(|label| !found.contains_key(label)).collect();
        if missing.is_empty() {
            return found;
        }
        let runner = Runner::new(self, form);
        let complete = explore(&runner, &runner.alphabet(), budget.states, |state, word| {
            if Form::accepts(state.0) {
                let label = runner.label(&state.1);
                if missing.remove(&label) {
                    found.insert(label, PathSearch::Found(word()));
                }
            }
            if missing.is_empty() {
                Flow::Stop
            } else if runner.is_settled(&state.1, &missing) {
                Flow::Prune
            } else {
                Flow::On
            }
        });
        let rest = if complete { PathSearch::Empty } else { PathSearch::OutOfBudget };
        found.extend(missing.into_iter().map(|label| (label, rest.clone())));
        found
    }
}

/// How willingly a path is shown: short, ordinary, and below a named prefix rather than the bare prefix.
pub(super) fn cost(path: &str) -> (usize, String) {
    let odd = path
        .bytes()
        .filter(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.')))
        .count();
    let doubled = usize::from(path.contains("//"));
    let bare = usize::from(path.len() > 1 && path.ends_with('/'));
    (path.len() + 8 * odd + 8 * doubled + 2 * bare, path.to_owned())
}

/// A path test with its patterns as indexes: one of these, none of those.
type IndexedTest = (Option<Vec<usize>>, Vec<usize>);

/// The patterns of a list side by side, on paths of a domain.
pub(super) struct Runner<'p> {
    /// The paths
    form: Form,
    /// Every pattern, once
    machines: Vec<Machine<'p>>,
    /// Rules as indexes of patterns: conjunctions of (any of, none of)
    rules: Vec<(Vec<IndexedTest>, Label)>,
    /// Where none matches
    default: Label,
}

impl<'p> Runner<'p> {
    /// A runner of a list.
    pub(super) fn new(list: &'p PathList, form: Form) -> Self {
        let patterns = list.patterns();
        let index = |wanted: &Pattern| patterns.binary_search(&wanted).unwrap_or(usize::MAX);
        let rules = list.rules.iter().map(|(tests, label)| {
            let tests = tests.iter().map(|test| {
                let any_of = test.any_of.as_ref().map(|patterns| patterns.iter().map(index).collect());
                (any_of, test.none_of.iter().map(index).collect())
            });
            (tests.collect(), *label)
        });
        Self {
            form,
            rules: rules.collect(),
            default: list.default,
            machines: patterns.iter().map(|pattern| Machine::new(pattern)).collect(),
        }
    }

    /// Bytes of which no two lead everywhere to the same states.
    pub(super) fn alphabet(&self) -> Vec<u8> {
        alphabet(|byte| self.class(byte))
    }

    /// What tells this byte from others.
    pub(super) fn class(&self, byte: u8) -> (u8, Vec<u8>) {
        (self.form.class(byte), self.machines.iter().map(|machine| machine.class(byte)).collect())
    }

    /// States before the first byte.
    pub(super) fn start_states(&self) -> Box<[State]> {
        self.machines.iter().map(Machine::start).collect()
    }

    /// States after one more byte.
    pub(super) fn next_states(&self, states: &[State], byte: u8) -> Box<[State]> {
        self.machines.iter().zip(states).map(|(machine, state)| machine.next(*state, byte)).collect()
    }

    /// The label of the path that leads to the states.
    pub(super) fn label(&self, states: &[State]) -> Label {
        let accepted = |index: &usize| match (self.machines.get(*index), states.get(*index)) {
            (Some(machine), Some(state)) => machine.accepts(*state),
            _ => false,
        };
        let rule = self.rules.iter().find(|(tests, _)| {
            tests.iter().all(|(any_of, none_of)| {
                any_of.as_ref().is_none_or(|any_of| any_of.iter().any(accepted)) && !none_of.iter().any(accepted)
            })
        });
        rule.map_or(self.default, |(_, label)| *label)
    }

    /// Whether no label that is still missing can lie behind the states.
    fn is_settled(&self, states: &[State], missing: &BTreeSet<Label>) -> bool {
        let settled = |index: &usize| states.get(*index).is_none_or(|state| Machine::is_settled(*state));
        let accepted = |index: &usize| match (self.machines.get(*index), states.get(*index)) {
            (Some(machine), Some(state)) => machine.accepts(*state),
            _ => false,
        };
        for (tests, label) in &self.rules {
            let certain = tests.iter().all(|(any_of, none_of)| {
                any_of.as_ref().is_none_or(|any_of| any_of.iter().any(|index| settled(index) && accepted(index)))
                    && none_of.iter().all(|index| settled(index) && !accepted(index))
            });
            if certain {
                // Every path from here gets this label, unless an earlier rule takes it.
                return !missing.contains(label);
            }
            let impossible = tests.iter().any(|(any_of, none_of)| {
                any_of.as_ref().is_some_and(|any_of| any_of.iter().all(|index| settled(index) && !accepted(index)))
                    || none_of.iter().any(|index| settled(index) && accepted(index))
            });
            if !impossible && missing.contains(label) {
                return false;
            }
        }
        !missing.contains(&self.default)
    }
}

impl Reader for Runner<'_> {
    type State = (FormState, Box<[State]>);

    fn start(&self) -> Self::State {
        (Form::start(), self.start_states())
    }

    fn next(&self, state: &Self::State, byte: u8) -> Option<Self::State> {
        Some((self.form.next(state.0, byte)?, self.next_states(&state.1, byte)))
    }
}
