//! Regular languages as dense tables. A language is identified by its source text.
#![expect(clippy::indexing_slicing, reason = "states and classes are created here and never leave their tables")]

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};
use rustc_hash::FxHashMap;

use super::bank::readable;
use super::bytes::ByteSet;
use super::form::{DEAD, Form};
use super::path_search::Trail;
use super::pattern::Piece;
use super::re2::RegexError;

/// How many bytes one automaton may take while it is built.
const SIZE_LIMIT: usize = 8 << 20;

/// A regular language over bytes.
pub struct Language {
    /// The text that it was written as; its identity.
    source: Box<str>,
    /// The literal prefix that every member has.
    stem: Box<str>,
    /// The automaton, once it is built; `None` where it would be too large.
    table: OnceLock<Option<Table>>,
    /// The pieces of a concatenation, to match by simulation as long as there is no automaton.
    pieces: Vec<Piece>,
}

impl Language {
    /// The members of a concatenation. Never fails: without an automaton it can still be matched.
    pub(super) fn sequence(pieces: Vec<Piece>) -> Self {
        let stem = match pieces.first() {
            Some(Piece::Literal(text)) => text.clone(),
            Some(Piece::AnyCase(_) | Piece::Repeat { .. }) | None => "".into(),
        };
        Self { source: piece_source(&pieces), stem, table: OnceLock::new(), pieces }
    }

    /// Builds the automaton now, for a language that is asked about for certain.
    pub(super) fn build(&self) {
        let _ = self.table();
    }

    /// The full matches of a parsed expression.
    pub(super) fn regex(source: &str, hir: &Hir) -> Result<Self, RegexError> {
        let table = Table::build(hir.clone()).map_err(|why| RegexError::TooLarge { why })?;
        let stem = table.stem().into();
        Ok(Self { source: source.into(), stem, table: OnceLock::from(Some(table)), pieces: Vec::new() })
    }

    /// The text that the language was written as.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The longest known literal prefix of all members.
    pub(super) fn stem(&self) -> &str {
        &self.stem
    }

    /// The automaton, unless it is too large to build.
    pub(super) fn table(&self) -> Option<&Table> {
        let build = || Table::build(Hir::concat(self.pieces.iter().map(piece_hir).collect())).ok();
        self.table.get_or_init(build).as_ref()
    }

    /// A shortest readable member of a shape, if one of few states is found.
    pub(super) fn sample(&self, form: &Form) -> Option<String> {
        let Some(table) = self.table() else {
            return Some(
                self.pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(text) | Piece::AnyCase(text) => text.to_string(),
                        Piece::Repeat { bytes, at_least } => {
                            let byte = readable().iter().find(|byte| bytes.contains(**byte) && byte.is_ascii());
                            byte.map(|byte| char::from(*byte)).into_iter().take(usize::from(*at_least)).collect()
                        }
                    })
                    .collect(),
            );
        };
        let alphabet = readable();
        let mut seen = rustc_hash::FxHashSet::default();
        let mut trail = Trail::default();
        let mut open = std::collections::VecDeque::from([(0_u8, 0_u32, trail.root())]);
        while let Some((shape, state, at)) = open.pop_front() {
            if form.accepts(shape) && table.accepts(state) {
                return Some(trail.text(at));
            }
            for byte in alphabet {
                let (shape, state) = (form.step(shape, *byte), table.step(state, *byte));
                if shape != DEAD && !table.is_dead(state) && seen.len() < 2_000 && seen.insert((shape, state)) {
                    open.push_back((shape, state, trail.add(at, *byte)));
                }
            }
        }
        None
    }

    /// Whether the value is a member.
    #[must_use]
    pub fn matches(&self, value: &[u8]) -> bool {
        match self.table.get() {
            Some(Some(table)) => table.accepts(value.iter().fold(0, |state, byte| table.step(state, *byte))),
            Some(None) | None => pieces_match(&self.pieces, value),
        }
    }
}

/// Matches a concatenation by tracking the set of positions reachable after each piece.
fn pieces_match(pieces: &[Piece], value: &[u8]) -> bool {
    let mut reached = vec![false; value.len() + 1];
    reached[0] = true;
    for piece in pieces {
        let mut next = vec![false; value.len() + 1];
        for start in (0..=value.len()).filter(|start| reached[*start]) {
            match piece {
                Piece::Literal(text) => {
                    if value[start..].starts_with(text.as_bytes()) {
                        next[start + text.len()] = true;
                    }
                }
                Piece::AnyCase(text) => {
                    let end = start + text.len();
                    if value.get(start..end).is_some_and(|part| part.eq_ignore_ascii_case(text.as_bytes())) {
                        next[end] = true;
                    }
                }
                Piece::Repeat { bytes, at_least } => {
                    let run = value[start..].iter().take_while(|byte| bytes.contains(**byte)).count();
                    next.iter_mut()
                        .take(start + run + 1)
                        .skip(start + usize::from(*at_least))
                        .for_each(|end| *end = true);
                }
            }
        }
        reached = next;
    }
    reached[value.len()]
}

/// One piece as an expression.
fn piece_hir(piece: &Piece) -> Hir {
    match piece {
        Piece::Literal(text) => Hir::literal(text.as_bytes()),
        Piece::AnyCase(text) => {
            let either = |byte: u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
            let class = |byte: u8| ClassBytes::new(either(byte).map(|byte| ClassBytesRange::new(byte, byte)));
            Hir::concat(text.bytes().map(|byte| Hir::class(Class::Bytes(class(byte)))).collect())
        }
        Piece::Repeat { bytes, at_least } => Hir::repetition(Repetition {
            min: u32::from(*at_least),
            max: None,
            greedy: true,
            sub: Box::new(Hir::class(Class::Bytes(ClassBytes::new(
                bytes.iter().map(|byte| ClassBytesRange::new(byte, byte)),
            )))),
        }),
    }
}

/// A readable text that tells any two concatenations apart.
fn piece_source(pieces: &[Piece]) -> Box<str> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.push_str(&text.replace('{', "{{}")),
            Piece::AnyCase(text) => {
                out.push_str("{i:");
                out.push_str(&text.replace('{', "{{}").replace('}', "{}}"));
                out.push('}');
            }
            Piece::Repeat { bytes: ByteSet::ANY, at_least: 0 } => out.push('*'),
            Piece::Repeat { bytes: ByteSet::ANY, .. } => out.push_str("?*"),
            Piece::Repeat { bytes, at_least } => {
                out.push('{');
                let mut run: Option<(u8, u8)> = None;
                for byte in bytes.iter() {
                    run = match run {
                        Some((first, last)) if byte == last + 1 => Some((first, byte)),
                        before => {
                            push_run(&mut out, before);
                            Some((byte, byte))
                        }
                    };
                }
                push_run(&mut out, run);
                out.push_str(if *at_least == 0 { "}*" } else { "}+" });
            }
        }
    }
    out.into()
}

/// Writes a run of bytes as `a-z`.
fn push_run(out: &mut String, run: Option<(u8, u8)>) {
    if let Some((first, last)) = run {
        out.extend(first.escape_ascii().map(char::from));
        if last > first {
            out.push('-');
            out.extend(last.escape_ascii().map(char::from));
        }
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
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
        // The pieces tell a concatenation from an expression with the same text.
        self.source.cmp(&other.source).then_with(|| self.pieces.cmp(&other.pieces))
    }
}

impl Hash for Language {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.source.hash(hasher);
    }
}

impl std::fmt::Debug for Language {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Language({})", self.source)
    }
}

/// A complete automaton. State 0 is the start.
pub(super) struct Table {
    /// The class of each byte.
    classes: Box<[u8; 256]>,
    /// How many classes there are.
    width: usize,
    /// The successor by state and class.
    next: Vec<u32>,
    /// What is known of each state.
    states: Vec<Standing>,
}

/// What a state says about the bytes read so far and about those to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    /// What was read is a member.
    accepts: bool,
    /// What is known of continuations of any bytes.
    any: Fate,
    /// The same of continuations without control characters.
    visible: Fate,
}

/// What is known of the continuations of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// None is a member.
    Dead,
    /// All are members.
    Universal,
    /// Some are, some are not.
    Open,
}

/// Whether a byte occurs in values without control characters; a tab is none.
const fn is_visible(byte: u8) -> bool {
    byte == b'\t' || (byte >= 0x20 && byte != 0x7f)
}

impl Table {
    /// Determinises an expression, matched in full.
    fn build(hir: Hir) -> Result<Self, String> {
        let hir = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
        let nfa = thompson::Compiler::new()
            .configure(thompson::Config::new().utf8(false).nfa_size_limit(Some(SIZE_LIMIT)))
            .build_from_hir(&hir)
            .map_err(|error| error.to_string())?;
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            .match_kind(MatchKind::All)
            .accelerate(false)
            .dfa_size_limit(Some(SIZE_LIMIT))
            .determinize_size_limit(Some(SIZE_LIMIT));
        let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa).map_err(|error| error.to_string())?;
        let start =
            dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).map_err(|error| error.to_string())?;
        Ok(Self::flatten(&dfa, start))
    }

    /// Copies the reachable part of an automaton and classifies its states.
    fn flatten(dfa: &dense::DFA<Vec<u32>>, start: regex_automata::util::primitives::StateID) -> Self {
        let mut classes = Box::new([0; 256]);
        let mut samples: Vec<u8> = Vec::new();
        for byte in 0..=u8::MAX {
            let class = dfa.byte_classes().get(byte);
            if usize::from(class) >= samples.len() {
                samples.push(byte);
            }
            classes[usize::from(byte)] = class;
        }
        let width = samples.len();
        let mut ids = FxHashMap::default();
        ids.insert(start, 0_u32);
        let mut order = vec![start];
        let mut next = Vec::new();
        let mut states = Vec::new();
        let mut at = 0;
        while let Some(&state) = order.get(at) {
            at += 1;
            let accepts = dfa.is_match_state(dfa.next_eoi_state(state));
            states.push(Standing { accepts, any: Fate::Open, visible: Fate::Open });
            for sample in &samples {
                let target = dfa.next_state(state, *sample);
                let fresh = u32::try_from(order.len()).unwrap_or(u32::MAX);
                let id = *ids.entry(target).or_insert_with(|| {
                    order.push(target);
                    fresh
                });
                next.push(id);
            }
        }
        let mut visible = vec![false; width];
        for byte in (0..=u8::MAX).filter(|byte| is_visible(*byte)) {
            visible[usize::from(classes[usize::from(byte)])] = true;
        }
        let mut table = Self { classes, width, next, states };
        let any = table.fates(|_| true);
        let visible = table.fates(|class| visible[class]);
        for (state, (any, visible)) in table.states.iter_mut().zip(any.into_iter().zip(visible)) {
            (state.any, state.visible) = (any, visible);
        }
        table
    }

    /// What is known of continuations over some classes of bytes: from which states an accepting one can be
    /// reached, and a refusing one.
    fn fates(&self, uses: impl Fn(usize) -> bool) -> Vec<Fate> {
        let mut sources: Vec<Vec<u32>> = vec![Vec::new(); self.states.len()];
        for (edge, target) in self.next.iter().enumerate().filter(|(edge, _)| uses(edge % self.width)) {
            sources[*target as usize].push(u32::try_from(edge / self.width).unwrap_or(u32::MAX));
        }
        let reaching = |wanted: bool| {
            let mut seen: Vec<bool> = self.states.iter().map(|state| state.accepts == wanted).collect();
            let mut open: Vec<usize> = (0..seen.len()).filter(|state| seen[*state]).collect();
            while let Some(state) = open.pop() {
                for source in &sources[state] {
                    if !std::mem::replace(&mut seen[*source as usize], true) {
                        open.push(*source as usize);
                    }
                }
            }
            seen
        };
        let fate = |(accepts, refuses): (bool, bool)| match (accepts, refuses) {
            (false, _) => Fate::Dead,
            (true, false) => Fate::Universal,
            (true, true) => Fate::Open,
        };
        reaching(true).into_iter().zip(reaching(false)).map(fate).collect()
    }

    /// The state after one more byte.
    pub(super) fn step(&self, state: u32, byte: u8) -> u32 {
        self.next[state as usize * self.width + usize::from(self.classes[usize::from(byte)])]
    }

    /// Whether what was read is a member.
    pub(super) fn accepts(&self, state: u32) -> bool {
        self.states[state as usize].accepts
    }

    /// Whether nothing that begins so is a member.
    pub(super) fn is_dead(&self, state: u32) -> bool {
        self.states[state as usize].any == Fate::Dead
    }

    /// What is known of values that begin so, with any bytes or without control characters.
    pub(super) fn fate(&self, state: u32, visible: bool) -> Fate {
        let standing = self.states[state as usize];
        if visible { standing.visible } else { standing.any }
    }

    /// The class of each byte.
    pub(super) fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// The bytes that every member begins with, as far as they are printable ASCII.
    fn stem(&self) -> String {
        let mut out = String::new();
        let mut state = 0;
        while !self.accepts(state) && out.len() < 256 {
            let mut alive = (0..=u8::MAX).filter(|byte| !self.is_dead(self.step(state, *byte)));
            match (alive.next(), alive.next()) {
                (Some(byte), None) if byte.is_ascii_graphic() => {
                    out.push(char::from(byte));
                    state = self.step(state, byte);
                }
                _ => break,
            }
        }
        out
    }
}
