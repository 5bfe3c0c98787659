//! The paths that one normalisation can give, as a machine.

use super::decision_list::PathDomain;
use super::normalize::{Normalization, is_unreserved};

/// Where in a path the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FormState {
    /// What is known of the segment so far
    segment: Segment,
    /// What is known of an escape
    escape: Escape,
}

/// What is known of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Segment {
    /// Before the first slash
    Before,
    /// Right behind the first slash
    Root,
    /// `//` and nothing else, under merging
    OnlySlashes,
    /// Right behind a later slash
    Empty,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// Anything else
    Other,
}

/// What is known of an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Escape {
    /// None is open
    None,
    /// `%`
    Percent,
    /// `%` and a digit
    Digit(u8),
}

/// The machine of a path domain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Which paths
    domain: PathDomain,
}

impl Form {
    /// The machine of a domain.
    pub(super) fn new(domain: PathDomain) -> Self {
        Self { domain }
    }

    /// Before the first byte.
    pub(super) fn start() -> FormState {
        FormState { segment: Segment::Before, escape: Escape::None }
    }

    /// After one more byte. `None`: no path of the domain goes on so.
    pub(super) fn next(self, state: FormState, byte: u8) -> Option<FormState> {
        if state.segment == Segment::Before {
            return (byte == b'/').then_some(FormState { segment: Segment::Root, escape: Escape::None });
        }
        let PathDomain::Normalized(mode) = self.domain else {
            return raw(byte).then_some(FormState { segment: Segment::Other, escape: Escape::None });
        };
        if mode == Normalization::None {
            return raw(byte).then_some(FormState { segment: Segment::Other, escape: Escape::None });
        }
        if !(byte.is_ascii_alphanumeric() || b"!$&'()*+,-./:;=@[]_~%".contains(&byte)) {
            return None;
        }
        let escape = Self::escape(state.escape, byte, mode)?;
        let merging = mode != Normalization::Base;
        let segment = match (state.segment, byte) {
            (Segment::Root, b'/') if merging => Segment::OnlySlashes,
            (Segment::Empty, b'/') if merging => return None,
            (Segment::OnlySlashes, _) | (Segment::Dot | Segment::DotDot, b'/') => return None,
            (_, b'/') => Segment::Empty,
            (Segment::Root | Segment::Empty, b'.') => Segment::Dot,
            (Segment::Dot, b'.') => Segment::DotDot,
            _ => Segment::Other,
        };
        Some(FormState { segment, escape })
    }

    /// The escape after one more byte. `None`: the escape would have been decoded or refused.
    fn escape(escape: Escape, byte: u8, mode: Normalization) -> Option<Escape> {
        let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        Some(match (escape, digit) {
            (Escape::Percent, Some(digit)) => Escape::Digit(digit),
            (Escape::Digit(high), Some(low)) => {
                let value = high * 16 + low;
                let slash = mode == Normalization::DecodeAndMergeSlashes && matches!(value, b'/' | b'\\');
                if value == 0 || is_unreserved(value) || slash {
                    return None;
                }
                Escape::None
            }
            _ if byte == b'%' => Escape::Percent,
            _ => Escape::None,
        })
    }

    /// Whether what was read is a path of the domain.
    pub(super) fn accepts(state: FormState) -> bool {
        !matches!(state.segment, Segment::Before | Segment::Dot | Segment::DotDot)
    }

    /// Whether a whole string is a path of the domain.
    pub(super) fn contains(self, path: &str) -> bool {
        let end = path.bytes().try_fold(Self::start(), |state, byte| self.next(state, byte));
        end.is_some_and(Self::accepts)
    }

    /// What tells this byte from others, to this machine.
    pub(super) fn class(self, byte: u8) -> u8 {
        if self.domain == PathDomain::Raw || self.domain == PathDomain::Normalized(Normalization::None) {
            return if byte == b'/' { 2 } else { u8::from(raw(byte)) };
        }
        match byte {
            b'/' | b'.' | b'%' => byte,
            // Each hex digit counts: escapes are judged by value.
            byte if byte.is_ascii_hexdigit() => byte,
            byte if byte.is_ascii_alphanumeric() || b"!$&'()*+,-:;=@[]_~".contains(&byte) => 1,
            _ => 0,
        }
    }
}

/// Whether a byte can stand in a path as sent.
fn raw(byte: u8) -> bool {
    byte > b' ' && byte < 0x7f && byte != b'?' && byte != b'#'
}
