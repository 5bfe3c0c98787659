//! Two path lists side by side: the second one reads what a rewrite makes of what the first one reads.

#![expect(clippy::wildcard_enum_match_arm, reason = "a rewrite that is not named leaves the path as it is")]

use super::explore::{Reader, alphabet};
use super::machine::State;
use super::normal_form::{Form, FormState};
use super::normalize::{Normalization, normalize};
use super::path_list::{PathList, Runner};
use super::rewrite::PathRewrite;

/// Both lists side by side, the second one fed with the rewritten path.
pub(super) struct Pair<'p> {
    /// At the first hop
    pub(super) first: Runner<'p>,
    /// At the second hop
    pub(super) second: Runner<'p>,
    /// What becomes of the path
    rewrite: &'p PathRewrite,
    /// The paths that the first hop sees
    form: Form,
}

/// Where both are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PairState {
    /// Of the path at the first hop
    pub(super) form: FormState,
    /// States of the first list
    pub(super) first: Box<[State]>,
    /// States of the second list; `None` while the prefix to be replaced is read
    pub(super) second: Option<Box<[State]>>,
    /// How much of that prefix was read
    prefix: u32,
    /// Whether the second normalisation may change the path
    pub(super) changes: bool,
    /// What is known of the segment at the second hop: how many dots it consists of, 3 for anything else
    dots: u8,
}

impl<'p> Pair<'p> {
    /// Both lists and what lies between them.
    pub(super) fn new(first: &'p PathList, second: &'p PathList, rewrite: &'p PathRewrite, form: Form) -> Self {
        Self { first: Runner::new(first, form), second: Runner::new(second, form), rewrite, form }
    }

    /// Bytes of which no two lead everywhere to the same states.
    pub(super) fn alphabet(&self) -> Vec<u8> {
        let prefix = |byte: u8| match self.rewrite {
            PathRewrite::ReplacePrefix { from, .. } if from.bytes().any(|known| known.eq_ignore_ascii_case(&byte)) => {
                byte
            }
            _ => 0,
        };
        alphabet(|byte| {
            let marks = if matches!(byte, b'/' | b'.' | b';') { byte } else { 0 };
            (self.first.class(byte), self.second.class(byte), prefix(byte), marks)
        })
    }

    /// One byte of the path at the second hop.
    fn feed(&self, state: &mut PairState, byte: u8) {
        if let Some(second) = &mut state.second {
            *second = self.second.next_states(second, byte);
        }
        state.dots = match (state.dots, byte) {
            (_, b'/') => {
                // A whole segment of dots can only have come about at the junction.
                state.changes |= matches!(state.dots, 1 | 2);
                0
            }
            (0, b'.') => 1,
            (1, b'.') => 2,
            (1 | 2, b';') => {
                state.changes = true;
                3
            }
            _ => 3,
        };
    }
}

impl Reader for Pair<'_> {
    type State = PairState;

    fn start(&self) -> PairState {
        let mut state = PairState {
            form: Form::start(),
            first: self.first.start_states(),
            second: Some(self.second.start_states()),
            prefix: 0,
            changes: false,
            dots: 3,
        };
        match self.rewrite {
            PathRewrite::ReplacePrefix { from, to, .. } if from.is_empty() => {
                to.bytes().for_each(|byte| self.feed(&mut state, byte));
            }
            PathRewrite::ReplacePrefix { .. } => state.second = None,
            PathRewrite::ReplaceAll(to) => {
                to.bytes().for_each(|byte| self.feed(&mut state, byte));
                // The text was not normalised by anyone yet.
                state.changes = normalize(to, Normalization::Base).as_deref() != Some(to);
            }
            PathRewrite::Keep | PathRewrite::Opaque => {}
        }
        state
    }

    fn next(&self, state: &PairState, byte: u8) -> Option<PairState> {
        let mut next = state.clone();
        next.form = self.form.next(state.form, byte)?;
        next.first = self.first.next_states(&state.first, byte);
        match self.rewrite {
            PathRewrite::ReplaceAll(_) => {}
            PathRewrite::ReplacePrefix { from, to, ignore_case } if state.second.is_none() => {
                let wanted = *from.as_bytes().get(state.prefix as usize)?;
                if wanted != byte && !(*ignore_case && wanted.eq_ignore_ascii_case(&byte)) {
                    return None;
                }
                next.prefix += 1;
                if next.prefix as usize == from.len() {
                    next.second = Some(self.second.start_states());
                    next.dots = 3;
                    to.bytes().for_each(|byte| self.feed(&mut next, byte));
                    // A rewrite that leaves no leading slash, or half an escape, is not followed further.
                    next.changes |= !to.starts_with('/') || to.contains('%');
                }
            }
            _ => self.feed(&mut next, byte),
        }
        Some(next)
    }
}
