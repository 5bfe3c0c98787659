//! Expressions as trees.

use std::rc::Rc;

use super::super::bytes::ByteSet;

/// The flags in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "RE2 has four independent flags")]
pub(super) struct Flags {
    /// `i`: letters in either case.
    pub(super) ignore_case: bool,
    /// `m`: `^` and `$` at lines.
    pub(super) lines: bool,
    /// `s`: `.` matches a newline.
    pub(super) dot_newline: bool,
    /// `U`: repetitions prefer to be short, unless followed by `?`.
    pub(super) ungreedy: bool,
}

/// A condition on the place in the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The start of the value.
    Start,
    /// The end of the value, as `\z`.
    End,
    /// The same, as `$`; RE2 does not take the two for equal.
    Dollar,
    /// The start of a line.
    LineStart,
    /// The end of a line.
    LineEnd,
    /// A border of a word.
    Word,
    /// No border of a word.
    NoWord,
}

/// A repetition without numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// `*`
    Star,
    /// `+`
    Plus,
    /// `?`
    Quest,
}

/// An expression. Parts are shared, for RE2 unrolls repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// Nothing matches.
    Nothing,
    /// The empty value.
    Empty,
    /// Bytes, at least one. Where case is ignored letters are lower.
    Text(Vec<u8>, bool),
    /// One byte of a class.
    Class(ByteSet),
    /// Any byte, newlines included.
    Any,
    /// A condition on the place.
    Look(Look),
    /// One after the other.
    Concat(Vec<Rc<Self>>),
    /// One of them.
    Alternate(Vec<Rc<Self>>),
    /// A repetition and the flags at it.
    Repeat(Op, Rc<Self>, Flags),
    /// At least and at most so often.
    Count(Rc<Self>, u32, Option<u32>, Flags),
    /// A group that captures, and its number.
    Capture(Rc<Self>, usize),
}

impl Tree {
    /// One byte. In Latin-1 mode RE2 folds the letters of ASCII only.
    pub(super) fn literal(byte: u8, ignore_case: bool) -> Self {
        Self::Text(vec![if ignore_case { byte.to_ascii_lowercase() } else { byte }], ignore_case)
    }

    /// A class; one of a single character, or of both cases of a letter, is a literal.
    pub(super) fn class(bytes: ByteSet, ignore_case: bool) -> Self {
        let mut members = bytes.iter();
        match (members.next(), members.next(), members.next()) {
            (None, ..) => Self::Nothing,
            // Not lowered: only the flag says that case is ignored.
            (Some(only), None, _) => Self::Text(vec![only], ignore_case),
            (Some(upper), Some(lower), None) if upper.is_ascii_uppercase() && lower == upper + 0x20 => {
                Self::Text(vec![lower], true)
            }
            _ => Self::Class(bytes),
        }
    }

    /// The bytes of an expression that is one character.
    pub(super) fn single(&self) -> Option<ByteSet> {
        match self {
            Self::Nothing => Some(ByteSet::NONE),
            Self::Any => Some(ByteSet::ANY),
            Self::Class(bytes) => Some(*bytes),
            Self::Text(bytes, ignore_case) => {
                let [byte] = bytes.as_slice() else { return None };
                let either = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
                Some(ByteSet::from_bytes(if *ignore_case { &either } else { std::slice::from_ref(byte) }))
            }
            Self::Empty
            | Self::Look(_)
            | Self::Concat(_)
            | Self::Alternate(_)
            | Self::Repeat(..)
            | Self::Count(..)
            | Self::Capture(..) => None,
        }
    }

    /// What is repeated, how and with which flags, if it is a repetition without numbers.
    pub(super) fn repeated(&self) -> Option<(Op, &Rc<Self>, Flags)> {
        if let Self::Repeat(op, part, flags) = self { Some((*op, part, *flags)) } else { None }
    }

    /// Whether some part never matches, or is left out.
    pub(super) fn has_nothing(&self) -> bool {
        match self {
            Self::Nothing | Self::Count(_, _, Some(0), _) => true,
            Self::Empty | Self::Text(..) | Self::Class(_) | Self::Any | Self::Look(_) => false,
            Self::Concat(parts) | Self::Alternate(parts) => parts.iter().any(|part| part.has_nothing()),
            Self::Repeat(_, part, _) | Self::Count(part, ..) | Self::Capture(part, _) => part.has_nothing(),
        }
    }
}
