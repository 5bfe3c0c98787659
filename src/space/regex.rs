//! Regular languages: sequences of pieces, and regular expressions in RE2's syntax.
//!
//! RE2 and the syntax of the `regex` crates agree on most patterns. Those on which they differ, or
//! of which one of them knows nothing, are refused here, so that no answer rests on them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};

use super::bytes::{ByteSet, Piece};
use super::explore::{Flow, Reader, alphabet, explore};

/// A regular language with its automaton. Told apart by its source text.
#[derive(Clone)]
pub struct Language {
    /// What it was made from
    source: Box<str>,
    /// What every member begins with
    stem: Box<str>,
    /// A shortest member
    shortest: Option<Box<str>>,
    /// Recognises exactly the members
    pub(super) dfa: dense::DFA<Vec<u32>>,
    /// Where it begins
    pub(super) start: StateID,
}

/// Why a regular expression cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegexError {
    /// It is none
    Syntax(String),
    /// RE2 reads it otherwise than this program
    Unsupported(&'static str),
    /// Its automaton is too large
    TooLarge,
}

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(message) => write!(f, "{message}"),
            Self::Unsupported(what) => write!(f, "{what} is not supported"),
            Self::TooLarge => f.write_str("its automaton is too large"),
        }
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Language({:?})", self.source)
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Language {}

impl PartialOrd for Language {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Language {
    fn cmp(&self, other: &Self) -> Ordering {
        self.source.cmp(&other.source)
    }
}

impl Hash for Language {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

/// Bytes that an automaton and its making may take.
const SIZE_LIMIT: usize = 8 << 20;

impl Language {
    /// The language of a regular expression, of whole values.
    pub fn parse(re2: &str) -> Result<Self, RegexError> {
        refuse_differences(re2)?;
        let hir = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(re2)
            .map_err(|error| RegexError::Syntax(short(&error.to_string())))?;
        Self::build(re2, "", hir)
    }

    /// The language of a syntax tree.
    fn build(source: &str, stem: &str, hir: Hir) -> Result<Self, RegexError> {
        let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
        let nfa = regex_automata::nfa::thompson::Compiler::new()
            .configure(
                regex_automata::nfa::thompson::Config::new()
                    .utf8(false)
                    .which_captures(regex_automata::nfa::thompson::WhichCaptures::None)
                    .nfa_size_limit(Some(SIZE_LIMIT)),
            )
            .build_from_hir(&whole)
            .map_err(|_| RegexError::TooLarge)?;
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            .match_kind(MatchKind::All)
            .accelerate(false)
            .dfa_size_limit(Some(SIZE_LIMIT))
            .determinize_size_limit(Some(SIZE_LIMIT));
        let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa).map_err(|_| RegexError::TooLarge)?;
        let start = dfa
            .universal_start_state(Anchored::Yes)
            .or_else(|| dfa.start_state(&regex_automata::util::start::Config::new().anchored(Anchored::Yes)).ok())
            .ok_or(RegexError::TooLarge)?;
        let mut language = Self { source: source.into(), stem: stem.into(), shortest: None, dfa, start };
        language.shortest = shortest_member(&language).map(String::into_boxed_str);
        Ok(language)
    }

    /// Whether the value is a member.
    pub fn matches(&self, value: &str) -> bool {
        let end = value.bytes().fold(self.start, |state, byte| self.dfa.next_state(state, byte));
        self.accepts(end)
    }

    /// Whether a value that leads to the state is a member.
    pub(super) fn accepts(&self, state: StateID) -> bool {
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
    }

    /// What it was made from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What every member begins with, as far as known.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// A shortest member.
    pub fn shortest(&self) -> Option<&str> {
        self.shortest.as_deref()
    }
}

/// The first line of a parser's message that says something.
fn short(message: &str) -> String {
    message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// Refuses what RE2 and this program read differently.
fn refuse_differences(re2: &str) -> Result<(), RegexError> {
    let has = |part: &str| re2.contains(part);
    let differences: [(&[&str], &str); 6] = [
        (&["&&", "--", "~~", "[["], "an operator within a class"),
        (&["\\<", "\\>", "\\b{", "\\B", "\\b"], "a word boundary"),
        (&["\\Q", "\\E", "\\C"], "quoting by \\Q, \\E or \\C"),
        (&["(?x", "(?-u", "(?u", "(?R", "(?ix", "(?sx", "(?mx"], "such a flag"),
        (&["**", "+*", "?*", "*+", "++", "?+", "}{", "}*", "}+"], "a repeated repetition"),
        (&["\\p", "\\P", "\\x{"], "a Unicode class or character"),
    ];
    for (parts, what) in differences {
        if parts.iter().any(|part| has(part)) {
            return Err(RegexError::Unsupported(what));
        }
    }
    if !re2.is_ascii() {
        return Err(RegexError::Unsupported("a character beyond ASCII"));
    }
    Ok(())
}

/// The language of pieces one after the other. Such automata are small.
pub(super) fn sequence_language(pieces: &[Piece]) -> Language {
    let mut source = String::new();
    let mut stem = String::new();
    let mut fixed = true;
    let mut parts = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => {
                source.push_str(text);
                if fixed {
                    stem.push_str(text);
                }
                parts.push(Hir::literal(text.as_bytes().to_vec()));
            }
            Piece::Repeat { bytes, at_least } => {
                source.push_str(if *at_least == 0 { "{**}" } else { "{*}" });
                // Sets of bytes differ where the marks do not: the source must tell them apart.
                if *bytes != ByteSet::ANY {
                    source.push(if bytes.contains(b'/') { '·' } else { '˙' });
                }
                fixed = false;
                parts.push(repeat(*bytes, *at_least));
            }
        }
    }
    Language::build(&source, &stem, Hir::concat(parts.clone())).unwrap_or_else(|_| nothing(&source))
}

/// An unbounded run of bytes of a set.
fn repeat(bytes: ByteSet, at_least: u8) -> Hir {
    let ranges = (0..=u8::MAX).filter(|byte| bytes.contains(*byte)).map(|byte| ClassBytesRange::new(byte, byte));
    Hir::repetition(Repetition {
        min: u32::from(at_least),
        max: None,
        greedy: true,
        sub: Box::new(Hir::class(Class::Bytes(ClassBytes::new(ranges)))),
    })
}

/// The empty language, for a sequence longer than any size limit.
fn nothing(source: &str) -> Language {
    let dfa = dense::DFA::never_match().unwrap_or_else(|_| unreachable!("the smallest automaton always fits"));
    let start = dfa.universal_start_state(Anchored::Yes).unwrap_or_default();
    Language { source: source.into(), stem: "".into(), shortest: None, dfa, start }
}

/// A language alone.
struct Alone<'l>(&'l Language);

impl Reader for Alone<'_> {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.start.as_u32()
    }

    fn next(&self, state: &u32, byte: u8) -> Option<u32> {
        let state = StateID::new(*state as usize).ok()?;
        let next = self.0.dfa.next_state(state, byte);
        (!self.0.dfa.is_dead_state(next)).then(|| next.as_u32())
    }
}

/// A shortest member of a language that can be shown as text.
fn shortest_member(language: &Language) -> Option<String> {
    let letters = alphabet(|byte| language.dfa.byte_classes().get(byte));
    let mut found = None;
    explore(&Alone(language), &letters, 20_000, |state, word| {
        let Ok(state) = StateID::new(*state as usize) else {
            return Flow::Prune;
        };
        if language.accepts(state) {
            found = Some(word());
            return Flow::Stop;
        }
        Flow::On
    });
    found
}
