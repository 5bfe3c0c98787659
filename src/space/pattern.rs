//! Sets of strings, each given by one pattern. Matching is byte by byte and always of the whole value.

use std::net::IpAddr;
use std::sync::Arc;

use super::bytes::ByteSet;
use super::language::Language;
use super::re2::{self, RegexError};

/// A set of strings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// This value alone.
    Exact(Box<str>),
    /// Values that begin so.
    Prefix(Box<str>),
    /// Values that end so.
    Suffix(Box<str>),
    /// Values that have it somewhere.
    Contains(Box<str>),
    /// Every value but the empty one.
    NonEmpty,
    /// Every value.
    Any,
    /// This value in any ASCII case.
    ExactIgnoreCase(Box<str>),
    /// Values that begin so in any ASCII case.
    PrefixIgnoreCase(Box<str>),
    /// Values that end so in any ASCII case.
    SuffixIgnoreCase(Box<str>),
    /// A regular language.
    Language(Arc<Language>),
    /// Addresses of a block.
    Cidr(ipnet::IpNet),
}

/// A piece of a concatenation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// This text.
    Literal(Box<str>),
    /// This text in any ASCII case.
    AnyCase(Box<str>),
    /// An unbounded run of bytes of a class.
    Repeat {
        /// The class.
        bytes: ByteSet,
        /// The least length of the run, 0 or 1.
        at_least: u8,
    },
}

impl Pattern {
    /// Whether the value is in the set.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let bytes = value.as_bytes();
        match self {
            Self::Exact(text) => value == &**text,
            Self::Prefix(text) => value.starts_with(&**text),
            Self::Suffix(text) => value.ends_with(&**text),
            Self::Contains(text) => value.contains(&**text),
            Self::NonEmpty => !value.is_empty(),
            Self::Any => true,
            Self::ExactIgnoreCase(text) => value.eq_ignore_ascii_case(text),
            Self::PrefixIgnoreCase(text) => {
                bytes.get(..text.len()).is_some_and(|head| head.eq_ignore_ascii_case(text.as_bytes()))
            }
            Self::SuffixIgnoreCase(text) => bytes
                .len()
                .checked_sub(text.len())
                .and_then(|start| bytes.get(start..))
                .is_some_and(|tail| tail.eq_ignore_ascii_case(text.as_bytes())),
            Self::Language(language) => language.matches(bytes),
            Self::Cidr(block) => value.parse::<IpAddr>().is_ok_and(|address| block.contains(&address)),
        }
    }

    /// The values that are a concatenation of the pieces. Uses the plain forms where they say the same.
    #[must_use]
    pub fn sequence(pieces: &[Piece]) -> Self {
        let pieces = joined(pieces);
        let any = |bytes: &ByteSet, at_least: &u8| *bytes == ByteSet::ANY && *at_least == 0;
        match pieces.as_slice() {
            [] => Self::Exact("".into()),
            [Piece::Literal(text)] => Self::Exact(text.clone()),
            [Piece::Repeat { bytes: ByteSet::ANY, at_least: 0 }] => Self::Any,
            [Piece::Repeat { bytes: ByteSet::ANY, .. }] => Self::NonEmpty,
            [Piece::Literal(text), Piece::Repeat { bytes, at_least }] if any(bytes, at_least) => {
                Self::Prefix(text.clone())
            }
            [Piece::Repeat { bytes, at_least }, Piece::Literal(text)] if any(bytes, at_least) => {
                Self::Suffix(text.clone())
            }
            [
                Piece::Repeat { bytes, at_least },
                Piece::Literal(text),
                Piece::Repeat { bytes: after, at_least: more },
            ] if any(bytes, at_least) && any(after, more) => Self::Contains(text.clone()),
            _ => {
                let language = Language::sequence(pieces);
                language.build();
                Self::Language(Arc::new(language))
            }
        }
    }

    /// The same of pieces of which at least one is a run. Its automaton is built once a search needs it, for sets of
    /// which there are thousands and few are asked about.
    #[must_use]
    pub fn lazy_sequence(pieces: Vec<Piece>) -> Self {
        Self::Language(Arc::new(Language::sequence(pieces)))
    }

    /// The values that an RE2 expression matches in full.
    pub fn regex(re2: &str) -> Result<Self, RegexError> {
        Language::regex(re2, &re2::parse(re2)?).map(|language| Self::Language(Arc::new(language)))
    }

    /// The longest literal prefix that every member has; the empty one where nothing is known.
    #[must_use]
    pub fn literal_stem(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) => text,
            Self::ExactIgnoreCase(text) | Self::PrefixIgnoreCase(text) => {
                // Bytes without case are the same in every member.
                let cased = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
                text.get(..cased).unwrap_or("")
            }
            Self::Language(language) => language.stem(),
            Self::Suffix(_)
            | Self::SuffixIgnoreCase(_)
            | Self::Contains(_)
            | Self::NonEmpty
            | Self::Any
            | Self::Cidr(_) => "",
        }
    }
}

/// Joins neighbouring literals and drops empty ones.
fn joined(pieces: &[Piece]) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (out.last_mut(), piece) {
            (_, Piece::Literal(text) | Piece::AnyCase(text)) if text.is_empty() => {}
            (Some(Piece::Literal(before)), Piece::Literal(text)) => *before = format!("{before}{text}").into(),
            _ => out.push(piece.clone()),
        }
    }
    out
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(text) => out.write_str(text),
            Self::Prefix(text) => write!(out, "{text}*"),
            Self::Suffix(text) => write!(out, "*{text}"),
            Self::Contains(text) => write!(out, "*{text}*"),
            Self::NonEmpty => out.write_str("?*"),
            Self::Any => out.write_str("*"),
            Self::ExactIgnoreCase(text) => write!(out, "{text} (any case)"),
            Self::PrefixIgnoreCase(text) => write!(out, "{text}* (any case)"),
            Self::SuffixIgnoreCase(text) => write!(out, "*{text} (any case)"),
            Self::Language(language) => out.write_str(language.source()),
            Self::Cidr(block) => write!(out, "{block}"),
        }
    }
}
