//! Patterns as machines that read a value byte by byte, so that many can be run side by side.

#![expect(clippy::wildcard_enum_match_arm, reason = "the patterns that are not named need nothing of their own")]

use regex_automata::dfa::Automaton as _;
use regex_automata::util::primitives::StateID;

use super::explore::Reader;
use super::pattern::Pattern;

/// State of a machine.
pub(super) type State = u32;

/// No continuation is a member.
const DEAD: State = State::MAX;
/// Every continuation is a member.
const DONE: State = State::MAX - 1;

/// A pattern, ready to run.
#[derive(Debug, Clone)]
pub(super) struct Machine<'p> {
    /// The pattern
    pattern: &'p Pattern,
    /// For suffixes: how far to fall back at a mismatch
    fallback: Vec<u32>,
}

impl<'p> Machine<'p> {
    /// The machine of a pattern of text.
    pub(super) fn new(pattern: &'p Pattern) -> Self {
        let fallback = match pattern {
            Pattern::Suffix(text) => fallback(text.as_bytes(), false),
            Pattern::SuffixIgnoreCase(text) => fallback(text.as_bytes(), true),
            _ => Vec::new(),
        };
        Self { pattern, fallback }
    }

    /// Before the first byte.
    pub(super) fn start(&self) -> State {
        match self.pattern {
            Pattern::Any => DONE,
            Pattern::Prefix(text) | Pattern::PrefixIgnoreCase(text) if text.is_empty() => DONE,
            Pattern::Language(language) => language.start.as_u32(),
            Pattern::Cidr(_) => DEAD,
            _ => 0,
        }
    }

    /// After one more byte.
    pub(super) fn next(&self, state: State, byte: u8) -> State {
        if state == DEAD || state == DONE {
            return state;
        }
        match self.pattern {
            Pattern::Exact(text) => literal(text.as_bytes(), state, byte, false, false),
            Pattern::ExactIgnoreCase(text) => literal(text.as_bytes(), state, byte, true, false),
            Pattern::Prefix(text) => literal(text.as_bytes(), state, byte, false, true),
            Pattern::PrefixIgnoreCase(text) => literal(text.as_bytes(), state, byte, true, true),
            Pattern::Suffix(text) => self.suffix(text.as_bytes(), state, byte, false),
            Pattern::SuffixIgnoreCase(text) => self.suffix(text.as_bytes(), state, byte, true),
            Pattern::NonEmpty | Pattern::Any => DONE,
            Pattern::Language(language) => {
                let next = language.dfa.next_state(StateID::new_unchecked_u32(state), byte);
                if language.dfa.is_dead_state(next) { DEAD } else { next.as_u32() }
            }
            Pattern::Cidr(_) => DEAD,
        }
    }

    /// Whether the value read so far is a member.
    pub(super) fn accepts(&self, state: State) -> bool {
        match state {
            DEAD => false,
            DONE => true,
            state => match self.pattern {
                Pattern::Exact(text)
                | Pattern::ExactIgnoreCase(text)
                | Pattern::Suffix(text)
                | Pattern::SuffixIgnoreCase(text) => state as usize == text.len(),
                Pattern::Language(language) => language.accepts(StateID::new_unchecked_u32(state)),
                Pattern::Prefix(_)
                | Pattern::PrefixIgnoreCase(_)
                | Pattern::NonEmpty
                | Pattern::Any
                | Pattern::Cidr(_) => false,
            },
        }
    }

    /// Whether what follows can still change the answer.
    pub(super) fn is_settled(state: State) -> bool {
        state == DEAD || state == DONE
    }

    /// What tells this byte from others, to this machine.
    pub(super) fn class(&self, byte: u8) -> u8 {
        let lower = byte.to_ascii_lowercase();
        match self.pattern {
            Pattern::Exact(text) | Pattern::Prefix(text) | Pattern::Suffix(text) => {
                if text.as_bytes().contains(&byte) {
                    byte
                } else {
                    0
                }
            }
            Pattern::ExactIgnoreCase(text) | Pattern::PrefixIgnoreCase(text) | Pattern::SuffixIgnoreCase(text) => {
                if text.bytes().any(|known| known.to_ascii_lowercase() == lower) {
                    lower
                } else {
                    0
                }
            }
            Pattern::Language(language) => language.dfa.byte_classes().get(byte),
            Pattern::NonEmpty | Pattern::Any | Pattern::Cidr(_) => 0,
        }
    }

    /// A suffix that is looked for at the end of what was read.
    fn suffix(&self, text: &[u8], state: State, byte: u8, ignore_case: bool) -> State {
        let mut length = state;
        loop {
            if text.get(length as usize).is_some_and(|wanted| same(*wanted, byte, ignore_case)) {
                return length + 1;
            }
            if length == 0 {
                return 0;
            }
            length = self.fallback.get(length as usize - 1).copied().unwrap_or(0);
        }
    }
}

/// Makes state ids from numbers that came from state ids.
trait FromNumber {
    /// The id of this number.
    fn new_unchecked_u32(number: u32) -> StateID;
}

impl FromNumber for StateID {
    fn new_unchecked_u32(number: u32) -> StateID {
        Self::new(number as usize).unwrap_or_default()
    }
}

/// One byte of a literal that is read from its beginning.
fn literal(text: &[u8], state: State, byte: u8, ignore_case: bool, prefix: bool) -> State {
    match text.get(state as usize) {
        Some(wanted) if same(*wanted, byte, ignore_case) => {
            if prefix && state as usize + 1 == text.len() {
                DONE
            } else {
                state + 1
            }
        }
        _ => DEAD,
    }
}

/// Whether two bytes are the same.
fn same(a: u8, b: u8, ignore_case: bool) -> bool {
    a == b || (ignore_case && a.eq_ignore_ascii_case(&b))
}

/// For each beginning of the text, the longest of its proper endings that is a beginning too.
fn fallback(text: &[u8], ignore_case: bool) -> Vec<u32> {
    let mut table = vec![0_u32; text.len()];
    let mut length = 0_u32;
    for (index, byte) in text.iter().enumerate().skip(1) {
        while length > 0 && !text.get(length as usize).is_some_and(|wanted| same(*wanted, *byte, ignore_case)) {
            length = table.get(length as usize - 1).copied().unwrap_or(0);
        }
        if text.get(length as usize).is_some_and(|wanted| same(*wanted, *byte, ignore_case)) {
            length += 1;
        }
        if let Some(slot) = table.get_mut(index) {
            *slot = length;
        }
    }
    table
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
