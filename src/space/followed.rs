//! Patterns followed side by side through the values of a language, and what was met on the way.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::bank::{Alphabet, Bank, BankState};
use super::bytes::ByteSet;
use super::classes::Truth;
use super::form::{DEAD, Form};
use super::path_search::Trail;
use super::pattern::Pattern;

/// What texts look like, with or without control characters.
pub(super) fn text_form(visible: bool) -> &'static Form {
    static VISIBLE: LazyLock<Form> = LazyLock::new(|| Form::of_text(true));
    static ANY: LazyLock<Form> = LazyLock::new(|| Form::of_text(false));
    if visible { &VISIBLE } else { &ANY }
}

/// A value that a search met.
#[derive(Debug)]
pub(super) struct Member {
    /// The places of the patterns that match it, ascending.
    pub(super) truth: Truth,
    /// The value, the shortest that leads to its state.
    pub(super) text: String,
    /// Its bytes.
    pub(super) length: u32,
}

/// What following some patterns through a language meets.
#[derive(Debug)]
pub(super) struct Explored {
    /// The automaton.
    pub(super) search: Followed,
    /// A value for each state at which one may end, the shortest first.
    pub(super) members: Vec<Member>,
    /// Whether there are no other states; otherwise the budget ran out.
    pub(super) complete: bool,
    /// What was asked.
    asked: Asked,
    /// The truths of values that somebody named.
    named: Mutex<FxHashMap<Box<str>, Truth>>,
}

/// What is asked.
#[derive(Debug, PartialEq)]
struct Asked {
    /// The patterns.
    followed: Vec<Pattern>,
    /// The language.
    language: Pattern,
    /// Whether no value has control characters.
    visible: bool,
    /// The budget.
    states: usize,
}

/// How many answers are kept.
const KEPT: usize = 64;
/// How many values an answer may have that is kept.
const SMALL: usize = 2_000;
/// Of how many names it is kept what matches them.
const NAMES: usize = 4_096;

/// The latest answers, the oldest first: many questions are asked of the rules of one place, and most of them follow the
/// same patterns. An answer depends on nothing else, so whoever asks first changes no other's.
static LATEST: LazyLock<Mutex<VecDeque<Arc<Explored>>>> = LazyLock::new(Mutex::default);

impl Explored {
    /// Follows patterns through the values of a language, or knows what that met.
    pub(super) fn of(followed: Vec<Pattern>, language: &Pattern, visible: bool, states: usize) -> Arc<Self> {
        let asked = Asked { followed, language: language.clone(), visible, states };
        let latest = || LATEST.lock().unwrap_or_else(PoisonError::into_inner);
        let known = latest().iter().rev().find(|known| known.asked == asked).cloned();
        if let Some(known) = known {
            return known;
        }
        let explored = Arc::new(Self::explore(asked));
        if explored.members.len() <= SMALL {
            let mut latest = latest();
            if latest.len() >= KEPT {
                latest.pop_front();
            }
            latest.push_back(Arc::clone(&explored));
        }
        explored
    }

    /// Follows the patterns.
    fn explore(asked: Asked) -> Self {
        let search = Followed::new(asked.followed.iter().cloned(), std::iter::empty(), &asked.language);
        let mut members = Vec::new();
        // What is no automaton cannot be followed.
        let complete = search.odd().is_none()
            && search.walk(text_form(asked.visible), asked.states, |state, text, length| {
                members.push(Member { truth: search.truth(state), text: text(), length });
                true
            });
        Self { search, members, complete, asked, named: Mutex::default() }
    }

    /// The places of the patterns that match a value, ascending.
    pub(super) fn truth_of(&self, text: &str) -> Truth {
        let named = || self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = named().get(text) {
            return known.clone();
        }
        let truth = self.search.truth(&self.search.read(text));
        let mut named = named();
        if named.len() < NAMES {
            named.insert(text.into(), truth.clone());
        }
        truth
    }

    /// The patterns that were followed.
    pub(super) fn followed(&self) -> &[Pattern] {
        &self.asked.followed
    }
}

/// Patterns that are followed through a language: the wanted ones, some names, and the language at the end.
#[derive(Debug)]
pub(super) struct Followed {
    /// The automaton.
    bank: Bank,
    /// How many patterns are wanted.
    wanted: u32,
    /// The place of the language.
    language: u32,
    /// The places of wanted patterns that look for a text anywhere, by the number of the text.
    by_text: FxHashMap<u32, u32>,
    /// The places of the other wanted patterns.
    plain: Vec<u32>,
}

impl Followed {
    /// The automaton of some patterns.
    pub(super) fn new(
        wanted: impl Iterator<Item = Pattern>,
        names: impl Iterator<Item = Pattern>,
        language: &Pattern,
    ) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let mut all: Vec<Pattern> = wanted.collect();
        let wanted = number(all.len());
        all.extend(names);
        let at_end = number(all.len());
        all.push(language.clone());
        let bank = Bank::new(all);
        let by_text = (0..wanted).filter_map(|place| Some((bank.contained_text(place)?, place))).collect();
        let plain = (0..wanted).filter(|place| bank.contained_text(*place).is_none()).collect();
        Self { bank, wanted, language: at_end, by_text, plain }
    }

    /// The place of a pattern that is no automaton.
    pub(super) fn odd(&self) -> Option<u32> {
        (0..=self.language).find(|place| self.bank.is_unsupported(*place))
    }

    /// What was read of a value.
    fn read(&self, text: &str) -> BankState {
        text.bytes().fold(self.bank.start(), |state, byte| self.bank.step(&state, byte))
    }

    /// The places of the wanted patterns that match what was read, ascending.
    pub(super) fn truth(&self, state: &BankState) -> Truth {
        let contained = Bank::contained(state).iter().filter_map(|text| self.by_text.get(text));
        let places = contained.chain(self.plain.iter().filter(|place| self.bank.holds(**place, state)));
        let mut truth: Vec<u32> = places.copied().collect();
        truth.sort_unstable();
        truth.into()
    }

    /// Whether what was read is one of the names.
    pub(super) fn is_named(&self, state: &BankState) -> bool {
        (self.wanted..self.language).any(|place| self.bank.holds(place, state))
    }

    /// Visits every state at which a value may end, the shortest value that leads there first, until told to
    /// stop. `false`: the budget ran out.
    pub(super) fn walk(
        &self,
        form: &Form,
        budget: usize,
        mut visit: impl FnMut(&BankState, &dyn Fn() -> String, u32) -> bool,
    ) -> bool {
        let alphabet = Alphabet::of(&[&self.bank], form, ByteSet::NONE);
        let mut trail = Trail::default();
        let start = (0_u8, self.bank.start());
        let mut seen = FxHashSet::from_iter([start.clone()]);
        let mut open = VecDeque::from([(start, trail.root(), 0_u32)]);
        while let Some(((shape, state), at, length)) = open.pop_front() {
            if form.accepts(shape)
                && self.bank.holds(self.language, &state)
                && !visit(&state, &|| trail.text(at), length)
            {
                return true;
            }
            for byte in alphabet.apart(self.bank.edges(&state)) {
                let shape = form.step(shape, byte);
                if shape == DEAD {
                    continue;
                }
                let next = (shape, self.bank.step(&state, byte));
                if self.bank.is_hopeless(self.language, &next.1) || seen.contains(&next) {
                    continue;
                }
                if seen.len() >= budget {
                    return false;
                }
                seen.insert(next.clone());
                open.push_back((next, trail.add(at, byte), length + 1));
            }
        }
        true
    }
}
