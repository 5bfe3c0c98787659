//! Small automata for the shape that every value has: normal paths, and text.
#![expect(clippy::indexing_slicing, reason = "states are rows of the table beside them")]

use std::sync::LazyLock;

use super::normalize::{Normalization, is_unreserved};
use super::universe::PathDomain;

/// No value of this shape begins so.
pub(super) const DEAD: u8 = u8::MAX;

/// A small automaton. State 0 is the start.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// The successor by state and byte.
    next: Vec<[u8; 256]>,
    /// Whether a value may end in the state.
    accepts: Vec<bool>,
    /// The class of each byte: bytes of one class have the same successors everywhere; 0 for those in no value.
    classes: Box<[u8; 256]>,
}

/// The paths of each normalisation, as [`Form::paths`] numbers them.
static PATHS: LazyLock<[Form; 4]> = LazyLock::new(|| {
    use Normalization::{Base, DecodeAndMergeSlashes, MergeSlashes, None};
    [None, Base, MergeSlashes, DecodeAndMergeSlashes].map(Form::of_paths)
});

/// Nothing read.
const INIT: u8 = 0;
/// The first slash.
const ROOT: u8 = 1;
/// Two slashes and nothing more, where slashes are merged.
const TWO_SLASHES: u8 = 2;
/// Behind a slash.
const START: u8 = 3;
/// A segment `.` so far.
const DOT: u8 = 4;
/// A segment `..` so far.
const DOT_DOT: u8 = 5;
/// Within a segment.
const OTHER: u8 = 6;
/// Behind a `%`.
const PERCENT: u8 = 7;
/// Behind a `%` and the hexadecimal digit 0; the digits up to 7 follow.
const PERCENT_0: u8 = 8;

impl Form {
    /// The automaton of a table.
    fn new(next: Vec<[u8; 256]>, accepts: Vec<bool>) -> Self {
        let mut classes = Box::new([0; 256]);
        let mut columns: Vec<Vec<u8>> = Vec::new();
        for byte in 0..=u8::MAX {
            let column: Vec<u8> = next.iter().map(|row| row[usize::from(byte)]).collect();
            if column.iter().all(|state| *state == DEAD) {
                continue;
            }
            let place = columns.iter().position(|known| *known == column).unwrap_or_else(|| {
                columns.push(column);
                columns.len() - 1
            });
            classes[usize::from(byte)] = u8::try_from(place + 1).unwrap_or(u8::MAX);
        }
        Self { next, accepts, classes }
    }

    /// The paths of a domain.
    pub(super) fn paths(domain: PathDomain) -> &'static Self {
        match domain.normalization() {
            Normalization::None => &PATHS[0],
            Normalization::Base => &PATHS[1],
            Normalization::MergeSlashes => &PATHS[2],
            Normalization::DecodeAndMergeSlashes => &PATHS[3],
        }
    }

    /// The image of one normalisation.
    fn of_paths(mode: Normalization) -> Self {
        if mode == Normalization::None {
            let mut rows = vec![[DEAD; 256]; 2];
            rows[0][usize::from(b'/')] = 1;
            for byte in 0x21..=0x7e_u8 {
                if !matches!(byte, b'?' | b'#') {
                    rows[1][usize::from(byte)] = 1;
                }
            }
            return Self::new(rows, vec![false, true]);
        }
        let merge = mode != Normalization::Base;
        let decode = mode == Normalization::DecodeAndMergeSlashes;
        let mut next = vec![[DEAD; 256]; 16];
        for byte in 0..=u8::MAX {
            for state in 0..16 {
                next[usize::from(state)][usize::from(byte)] = path_step(state, byte, merge, decode);
            }
        }
        let accepts = (0..16).map(|state| !matches!(state, INIT | DOT | DOT_DOT)).collect();
        Self::new(next, accepts)
    }

    /// Well-formed UTF-8, with or without control characters.
    pub(super) fn of_text(visible: bool) -> Self {
        let mut next = vec![[DEAD; 256]; 8];
        let mut row = |state: usize, first: u8, last: u8, target: u8| {
            for byte in first..=last {
                next[state][usize::from(byte)] = target;
            }
        };
        row(0, if visible { 0x20 } else { 0 }, if visible { 0x7e } else { 0x7f }, 0);
        if visible {
            row(0, b'\t', b'\t', 0);
        }
        row(0, 0xc2, 0xdf, 1);
        row(0, 0xe0, 0xe0, 4);
        row(0, 0xe1, 0xef, 2);
        row(0, 0xed, 0xed, 5);
        row(0, 0xf0, 0xf0, 6);
        row(0, 0xf1, 0xf3, 3);
        row(0, 0xf4, 0xf4, 7);
        row(1, 0x80, 0xbf, 0);
        row(2, 0x80, 0xbf, 1);
        row(3, 0x80, 0xbf, 2);
        row(4, 0xa0, 0xbf, 1);
        row(5, 0x80, 0x9f, 1);
        row(6, 0x90, 0xbf, 2);
        row(7, 0x80, 0x8f, 2);
        Self::new(next, (0..8).map(|state| state == 0).collect())
    }

    /// The state after one more byte.
    pub(super) fn step(&self, state: u8, byte: u8) -> u8 {
        self.next.get(usize::from(state)).map_or(DEAD, |row| row[usize::from(byte)])
    }

    /// Whether a value may end here.
    pub(super) fn accepts(&self, state: u8) -> bool {
        self.accepts.get(usize::from(state)).copied().unwrap_or(false)
    }

    /// Whether the whole value has this shape.
    pub(super) fn contains(&self, value: &str) -> bool {
        self.accepts(value.bytes().fold(0, |state, byte| self.step(state, byte)))
    }

    /// The class of a byte, by its successors in all states; `None` for one that occurs in no value.
    pub(super) fn class(&self, byte: u8) -> Option<u8> {
        Some(self.classes[usize::from(byte)]).filter(|class| *class > 0)
    }
}

/// One step of the automaton of normal paths.
fn path_step(state: u8, byte: u8, merge: bool, decode: bool) -> u8 {
    if state == INIT {
        return if byte == b'/' { ROOT } else { DEAD };
    }
    let is_plain = byte.is_ascii_alphanumeric() || b"!$&'()*+,-./:;=@[]_~%".contains(&byte);
    if !is_plain || state == TWO_SLASHES {
        return DEAD;
    }
    if state >= PERCENT_0
        && let Some(low) = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
    {
        let value = (state - PERCENT_0) << 4 | low;
        let slash = decode && matches!(value, b'/' | b'\\');
        return if value == 0 || is_unreserved(value) || slash { DEAD } else { OTHER };
    }
    match byte {
        b'/' => match state {
            ROOT if merge => TWO_SLASHES,
            START if merge => DEAD,
            DOT | DOT_DOT => DEAD,
            _ => START,
        },
        b'.' => match state {
            ROOT | START => DOT,
            DOT => DOT_DOT,
            _ => OTHER,
        },
        b'%' => PERCENT,
        b'0'..=b'7' if state == PERCENT => PERCENT_0 + (byte - b'0'),
        _ => OTHER,
    }
}
