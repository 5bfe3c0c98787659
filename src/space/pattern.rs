//! Sets of strings, each given by one pattern that the whole value must match.

#![expect(clippy::wildcard_enum_match_arm, reason = "the patterns that are not named need nothing of their own")]

use std::sync::Arc;

use ipnet::IpNet;

use super::bytes::{ByteSet, Piece};
use super::regex::{Language, RegexError, sequence_language};

/// A set of strings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// This string
    Exact(Box<str>),
    /// What begins so
    Prefix(Box<str>),
    /// What ends so
    Suffix(Box<str>),
    /// Every string but the empty one
    NonEmpty,
    /// Every string
    Any,
    /// This string in any ASCII case
    ExactIgnoreCase(Box<str>),
    /// What begins so, in any ASCII case
    PrefixIgnoreCase(Box<str>),
    /// What ends so, in any ASCII case
    SuffixIgnoreCase(Box<str>),
    /// A regular language
    Language(Arc<Language>),
    /// Addresses of a block
    Cidr(IpNet),
}

impl Pattern {
    /// The pieces one after the other.
    pub fn sequence(pieces: &[Piece]) -> Self {
        match pieces {
            [] => Self::Exact("".into()),
            [Piece::Literal(text)] => Self::Exact(text.clone()),
            [Piece::Literal(text), Piece::Repeat { bytes, at_least: 0 }] if *bytes == ByteSet::ANY => {
                Self::Prefix(text.clone())
            }
            _ => Self::Language(Arc::new(sequence_language(pieces))),
        }
    }

    /// A regular expression in RE2's syntax, of the whole value.
    pub fn regex(re2: &str) -> Result<Self, RegexError> {
        Language::parse(re2).map(|language| Self::Language(Arc::new(language)))
    }

    /// Whether the value is in the set.
    pub fn matches(&self, value: &str) -> bool {
        let starts = |text: &str| {
            value.as_bytes().get(..text.len()).is_some_and(|head| head.eq_ignore_ascii_case(text.as_bytes()))
        };
        let ends = |text: &str| {
            let at = value.len().checked_sub(text.len());
            at.and_then(|at| value.as_bytes().get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(text.as_bytes()))
        };
        match self {
            Self::Exact(text) => **text == *value,
            Self::Prefix(text) => value.starts_with(&**text),
            Self::Suffix(text) => value.ends_with(&**text),
            Self::NonEmpty => !value.is_empty(),
            Self::Any => true,
            Self::ExactIgnoreCase(text) => text.eq_ignore_ascii_case(value),
            Self::PrefixIgnoreCase(text) => starts(text),
            Self::SuffixIgnoreCase(text) => ends(text),
            Self::Language(language) => language.matches(value),
            Self::Cidr(block) => value.parse::<std::net::IpAddr>().is_ok_and(|address| block.contains(&address)),
        }
    }

    /// The longest text that every member begins with, as far as the pattern shows it.
    pub fn literal_stem(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) => text,
            Self::Language(language) => language.stem(),
            _ => "",
        }
    }

    /// Strings that are likely members, for searching.
    pub(super) fn candidates(&self, found: &mut Vec<String>) {
        match self {
            Self::Exact(text) | Self::ExactIgnoreCase(text) => found.push(text.to_string()),
            Self::Prefix(text) | Self::PrefixIgnoreCase(text) => {
                found.push(text.to_string());
                found.push(format!("{text}x"));
                found.push(format!("{text}/x"));
            }
            Self::Suffix(text) | Self::SuffixIgnoreCase(text) => {
                found.push(text.to_string());
                found.push(format!("/x{text}"));
                found.push(format!("x{text}"));
            }
            Self::Language(language) => found.extend(language.shortest().map(str::to_owned)),
            Self::NonEmpty | Self::Any | Self::Cidr(_) => {}
        }
    }

    /// What people read: `/api/*`, `*info`, `~regex`.
    pub fn describe(&self) -> String {
        match self {
            Self::Exact(text) | Self::ExactIgnoreCase(text) => text.to_string(),
            Self::Prefix(text) | Self::PrefixIgnoreCase(text) => format!("{text}*"),
            Self::Suffix(text) | Self::SuffixIgnoreCase(text) => format!("*{text}"),
            Self::NonEmpty | Self::Any => "*".to_owned(),
            Self::Language(language) => language.source().to_owned(),
            Self::Cidr(block) => block.to_string(),
        }
    }
}
