//! Many patterns as one automaton: prefixes share a trie, suffixes their tails, languages keep their tables.
#![expect(clippy::indexing_slicing, reason = "patterns and languages are numbered here")]

use std::sync::{Arc, LazyLock};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::bytes::ByteSet;
use super::form::Form;
use super::language::{Fate, Language};
use super::pattern::Pattern;
use super::trie::{DROPPED, Tails, Trie};

/// A language from which nothing leads to a member.
const HOPELESS: u32 = u32::MAX;
/// A language from which everything leads to a member.
const CERTAIN: u32 = u32::MAX - 1;

/// Where a pattern is looked up.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// The node of the exact trie.
    Exact(u32),
    /// The node of the exact trie.
    Prefix(u32),
    /// The node of the tails.
    Suffix(u32),
    /// The node of the trie in lower case.
    FoldedExact(u32),
    /// The node of the trie in lower case.
    FoldedPrefix(u32),
    /// The node of the tails in lower case.
    FoldedSuffix(u32),
    /// The number of the text among those that are contained.
    Contains(u32),
    /// Not empty.
    NonEmpty,
    /// Always true.
    Any,
    /// The number of the language.
    Language(usize),
    /// Not an automaton.
    Unsupported,
}

/// What is known of a pattern whatever follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// It will match.
    Always,
    /// It will not.
    Never,
    /// It depends.
    Open,
}

/// What the bank remembers of the bytes read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BankState {
    /// Whether there was a byte.
    begun: bool,
    /// In the exact trie.
    plain: u32,
    /// In the trie in lower case.
    folded: u32,
    /// In the tails.
    tail: u32,
    /// In the tails in lower case.
    folded_tail: u32,
    /// In the tails of contained texts.
    inner_tail: u32,
    /// The contained texts that were read already, by number, ascending.
    contained: SmallVec<[u32; 2]>,
    /// By language.
    languages: SmallVec<[u32; 4]>,
}

/// Which parts of a state somebody still asks about.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    /// The parts but the languages.
    parts: [bool; 5],
    /// The contained texts, by number, ascending.
    contained: SmallVec<[u32; 2]>,
    /// By language.
    languages: SmallVec<[bool; 4]>,
}

impl Needs {
    /// Whether a step can settle anything: tails never do.
    pub(super) fn can_settle(&self) -> bool {
        let [begun, plain, folded, _, _] = self.parts;
        begun || plain || folded || !self.contained.is_empty() || self.languages.contains(&true)
    }
}

/// The automaton.
#[derive(Debug, Default)]
pub(super) struct Bank {
    /// The patterns in order.
    patterns: Vec<Pattern>,
    /// Where each is.
    slots: Vec<Slot>,
    /// Exact texts and prefixes.
    plain: Trie,
    /// The same in lower case.
    folded: Trie,
    /// Suffixes.
    tail: Tails,
    /// The same in lower case.
    folded_tail: Tails,
    /// Contained texts.
    inner_tail: Tails,
    /// The languages.
    languages: Vec<Arc<Language>>,
    /// Whether no control characters are read, so `.*` is certain.
    visible: bool,
}

impl Bank {
    /// Builds the automaton of distinct patterns for values without control characters, such as paths.
    pub(super) fn visible(patterns: Vec<Pattern>) -> Self {
        Self { visible: true, ..Self::new(patterns) }
    }

    /// Builds the automaton of distinct patterns.
    pub(super) fn new(patterns: Vec<Pattern>) -> Self {
        let lower = |text: &str| text.to_ascii_lowercase().into_bytes();
        let bytes = |text: &str| text.as_bytes().to_vec();
        let (mut plain, mut folded, mut tail, mut folded_tail, mut inner) = (vec![], vec![], vec![], vec![], vec![]);
        let mut languages: Vec<Arc<Language>> = Vec::new();
        let number = |count: usize| u32::try_from(count).unwrap_or(DROPPED);
        let mut slots: Vec<Slot> = Vec::with_capacity(patterns.len());
        for pattern in &patterns {
            let slot = match pattern {
                Pattern::Exact(text) => {
                    plain.push((bytes(text), false));
                    Slot::Exact(number(plain.len() - 1))
                }
                Pattern::Prefix(text) => {
                    plain.push((bytes(text), true));
                    Slot::Prefix(number(plain.len() - 1))
                }
                Pattern::Suffix(text) => {
                    tail.push(bytes(text));
                    Slot::Suffix(number(tail.len() - 1))
                }
                Pattern::ExactIgnoreCase(text) => {
                    folded.push((lower(text), false));
                    Slot::FoldedExact(number(folded.len() - 1))
                }
                Pattern::PrefixIgnoreCase(text) => {
                    folded.push((lower(text), true));
                    Slot::FoldedPrefix(number(folded.len() - 1))
                }
                Pattern::SuffixIgnoreCase(text) => {
                    folded_tail.push(lower(text));
                    Slot::FoldedSuffix(number(folded_tail.len() - 1))
                }
                Pattern::Contains(text) if text.is_empty() => Slot::Any,
                Pattern::Contains(text) => {
                    inner.push(bytes(text));
                    Slot::Contains(number(inner.len() - 1))
                }
                Pattern::NonEmpty => Slot::NonEmpty,
                Pattern::Any => Slot::Any,
                Pattern::Language(language) if language.table().is_some() => {
                    languages.push(Arc::clone(language));
                    Slot::Language(languages.len() - 1)
                }
                Pattern::Language(_) | Pattern::Cidr(_) => Slot::Unsupported,
            };
            slots.push(slot);
        }
        let (plain, plain_nodes) = Trie::build(&plain);
        let (folded, folded_nodes) = Trie::build(&folded);
        let (tail, tail_nodes) = Tails::build(&tail);
        let (folded_tail, folded_tail_nodes) = Tails::build(&folded_tail);
        let (inner_tail, _) = Tails::build(&inner);
        for slot in &mut slots {
            match slot {
                Slot::Exact(node) | Slot::Prefix(node) => *node = plain_nodes[*node as usize],
                Slot::FoldedExact(node) | Slot::FoldedPrefix(node) => *node = folded_nodes[*node as usize],
                Slot::Suffix(node) => *node = tail_nodes[*node as usize],
                Slot::FoldedSuffix(node) => *node = folded_tail_nodes[*node as usize],
                Slot::Contains(_) | Slot::NonEmpty | Slot::Any | Slot::Language(_) | Slot::Unsupported => {}
            }
        }
        Self { patterns, slots, plain, folded, tail, folded_tail, inner_tail, languages, visible: false }
    }

    /// Whether a pattern is among these and no automaton.
    pub(super) fn lacks(&self, pattern: &Pattern) -> bool {
        let mut both = self.patterns.iter().zip(&self.slots);
        both.any(|(known, slot)| matches!(slot, Slot::Unsupported) && known == pattern)
    }

    /// Whether the pattern is no automaton, so nothing can be proven about it.
    pub(super) fn is_unsupported(&self, index: u32) -> bool {
        matches!(self.slots[index as usize], Slot::Unsupported)
    }

    /// The state before any byte.
    pub(super) fn start(&self) -> BankState {
        let languages = self.languages.iter().map(|language| self.clamp(language, 0)).collect();
        BankState {
            begun: false,
            plain: 0,
            folded: 0,
            tail: 0,
            folded_tail: 0,
            inner_tail: 0,
            contained: SmallVec::new(),
            languages,
        }
    }

    /// Merges the states of a language that have only one future.
    fn clamp(&self, language: &Language, state: u32) -> u32 {
        match language.table().map(|table| table.fate(state, self.visible)) {
            Some(Fate::Dead) => HOPELESS,
            Some(Fate::Universal) => CERTAIN,
            Some(Fate::Open) | None => state,
        }
    }

    /// The state after one more byte.
    pub(super) fn step(&self, state: &BankState, byte: u8) -> BankState {
        let low = byte.to_ascii_lowercase();
        let mut next = BankState {
            begun: true,
            plain: self.plain.step(state.plain, byte),
            folded: self.folded.step(state.folded, low),
            tail: self.tail.step(state.tail, byte),
            folded_tail: self.folded_tail.step(state.folded_tail, low),
            inner_tail: self.inner_tail.step(state.inner_tail, byte),
            contained: state.contained.clone(),
            languages: state.languages.clone(),
        };
        for text in self.inner_tail.ending(next.inner_tail) {
            if let Err(place) = next.contained.binary_search(text) {
                next.contained.insert(place, *text);
            }
        }
        for (language, state) in self.languages.iter().zip(&mut next.languages) {
            if *state < CERTAIN
                && let Some(table) = language.table()
            {
                *state = self.clamp(language, table.step(*state, byte));
            }
        }
        next
    }

    /// Whether the pattern matches what was read, if it ends here.
    pub(super) fn holds(&self, index: u32, state: &BankState) -> bool {
        match self.slots[index as usize] {
            Slot::Exact(node) => Trie::is_at(state.plain, node),
            Slot::Prefix(node) => self.plain.is_within(state.plain, node),
            Slot::Suffix(node) => self.tail.ends_with(state.tail, node),
            Slot::FoldedExact(node) => Trie::is_at(state.folded, node),
            Slot::FoldedPrefix(node) => self.folded.is_within(state.folded, node),
            Slot::FoldedSuffix(node) => self.folded_tail.ends_with(state.folded_tail, node),
            Slot::Contains(text) => state.contained.binary_search(&text).is_ok(),
            Slot::NonEmpty => state.begun,
            Slot::Any => true,
            Slot::Language(index) => match state.languages[index] {
                HOPELESS => false,
                CERTAIN => true,
                at => self.languages[index].table().is_some_and(|table| table.accepts(at)),
            },
            Slot::Unsupported => false,
        }
    }

    /// The number of the text that the pattern looks for anywhere, if it is of that kind.
    pub(super) fn contained_text(&self, index: u32) -> Option<u32> {
        if let Slot::Contains(text) = self.slots[index as usize] { Some(text) } else { None }
    }

    /// The numbers of the texts that were read anywhere, ascending.
    pub(super) fn contained(state: &BankState) -> &[u32] {
        &state.contained
    }

    /// Whether the pattern cannot match any more.
    pub(super) fn is_hopeless(&self, index: u32, state: &BankState) -> bool {
        self.outlook(index, state) == Outlook::Never
    }

    /// What is known of the pattern whatever follows.
    pub(super) fn outlook(&self, index: u32, state: &BankState) -> Outlook {
        let along = |trie: &Trie, state: u32, node: u32, prefix: bool| {
            if prefix && trie.is_within(state, node) {
                Outlook::Always
            } else if trie.may_reach(state, node) {
                Outlook::Open
            } else {
                Outlook::Never
            }
        };
        match self.slots[index as usize] {
            Slot::Exact(node) => along(&self.plain, state.plain, node, false),
            Slot::Prefix(node) => along(&self.plain, state.plain, node, true),
            Slot::FoldedExact(node) => along(&self.folded, state.folded, node, false),
            Slot::FoldedPrefix(node) => along(&self.folded, state.folded, node, true),
            Slot::Contains(text) if state.contained.binary_search(&text).is_ok() => Outlook::Always,
            Slot::NonEmpty if !state.begun => Outlook::Open,
            Slot::NonEmpty | Slot::Any => Outlook::Always,
            Slot::Language(index) => match state.languages[index] {
                HOPELESS => Outlook::Never,
                CERTAIN => Outlook::Always,
                _ => Outlook::Open,
            },
            Slot::Suffix(_) | Slot::FoldedSuffix(_) | Slot::Contains(_) | Slot::Unsupported => Outlook::Open,
        }
    }

    /// Collects the parts of a state that some patterns depend on.
    pub(super) fn needs(&self, indices: impl Iterator<Item = u32>) -> Needs {
        let mut needs = Needs {
            parts: [false; 5],
            contained: SmallVec::new(),
            languages: self.languages.iter().map(|_| false).collect(),
        };
        for index in indices {
            match self.slots[index as usize] {
                Slot::NonEmpty => needs.parts[0] = true,
                Slot::Exact(_) | Slot::Prefix(_) => needs.parts[1] = true,
                Slot::FoldedExact(_) | Slot::FoldedPrefix(_) => needs.parts[2] = true,
                Slot::Suffix(_) => needs.parts[3] = true,
                Slot::FoldedSuffix(_) => needs.parts[4] = true,
                Slot::Contains(text) => {
                    if let Err(place) = needs.contained.binary_search(&text) {
                        needs.contained.insert(place, text);
                    }
                }
                Slot::Language(language) => needs.languages[language] = true,
                Slot::Any | Slot::Unsupported => {}
            }
        }
        needs
    }

    /// Forgets the parts of a state that nobody asks about, so that more states are equal.
    pub(super) fn forget(state: &mut BankState, needs: &Needs) {
        let [begun, plain, folded, tail, folded_tail] = needs.parts;
        state.begun |= !begun;
        for (part, needed) in [
            (&mut state.plain, plain),
            (&mut state.folded, folded),
            (&mut state.tail, tail),
            (&mut state.folded_tail, folded_tail),
        ] {
            if !needed {
                *part = DROPPED;
            }
        }
        if needs.contained.is_empty() {
            state.inner_tail = DROPPED;
        }
        state.contained.retain(|text| needs.contained.binary_search(text).is_ok());
        for (language, needed) in state.languages.iter_mut().zip(&needs.languages) {
            if !needed {
                *language = HOPELESS;
            }
        }
    }

    /// The parts of a state that can settle a pattern: everything but the tails.
    pub(super) fn settling(state: &BankState) -> BankState {
        BankState { tail: DROPPED, folded_tail: DROPPED, inner_tail: DROPPED, ..state.clone() }
    }

    /// The bytes by which the tries go on from a state. All others lead to one state, as far as the languages let them.
    pub(super) fn edges(&self, state: &BankState) -> ByteSet {
        let folded = self.folded.edges(state.folded).union(self.folded_tail.edges(state.folded_tail));
        let exact = self.plain.edges(state.plain).union(self.tail.edges(state.tail));
        exact.union(self.inner_tail.edges(state.inner_tail)).union(folded.in_both_cases())
    }

    /// The bytes on edges, in every case that counts.
    fn edge_bytes(&self) -> ByteSet {
        let exact = self
            .plain
            .bytes()
            .chain(self.tail.bytes())
            .chain(self.inner_tail.bytes())
            .fold(ByteSet::NONE, ByteSet::with);
        let folded = self.folded.bytes().chain(self.folded_tail.bytes());
        folded.fold(exact, |set, byte| set.with(byte.to_ascii_lowercase()).with(byte.to_ascii_uppercase()))
    }
}

/// What the shape of values and the languages make of a byte.
type Signature = (u8, SmallVec<[u8; 8]>);

/// One readable byte for each class of bytes that neither the banks nor the shape of values tell apart.
#[derive(Clone, Debug)]
pub(super) struct Alphabet {
    /// The bytes, the readable ones first, each with its kind: bytes of one kind differ on edges alone.
    bytes: Vec<(u8, u8)>,
}

impl Alphabet {
    /// The alphabet of some banks. Bytes that are `singled` out are alone in their class.
    pub(super) fn of(banks: &[&Bank], form: &Form, singled: ByteSet) -> Self {
        let own = banks.iter().fold(singled, |set, bank| set.union(bank.edge_bytes()));
        let tables: Vec<_> =
            banks.iter().flat_map(|bank| &bank.languages).filter_map(|language| language.table()).collect();
        let mut kinds: FxHashMap<Signature, (u8, bool)> = FxHashMap::default();
        let mut bytes = Vec::new();
        for byte in readable() {
            let Some(class) = form.class(*byte) else { continue };
            let signature = tables.iter().map(|table| table.classes()[usize::from(*byte)]).collect();
            // There are no more kinds than bytes.
            let next = u8::try_from(kinds.len()).unwrap_or(u8::MAX);
            let (kind, has_plain) = kinds.entry((class, signature)).or_insert((next, false));
            let is_own = own.contains(*byte);
            if is_own || !*has_plain {
                bytes.push((*byte, *kind));
            }
            *has_plain |= !is_own;
        }
        Self { bytes }
    }

    /// Every byte of it.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> {
        self.bytes.iter().map(|(byte, _)| *byte)
    }

    /// The bytes at a state of which these are the edges, but of those that lead the same way only the first.
    pub(super) fn apart(&self, edges: ByteSet) -> impl Iterator<Item = u8> {
        let mut kinds = ByteSet::NONE;
        let apart = self.bytes.iter().filter(move |(byte, kind)| {
            let is_first = !kinds.contains(*kind);
            if !edges.contains(*byte) {
                kinds = kinds.with(*kind);
            }
            is_first || edges.contains(*byte)
        });
        apart.map(|(byte, _)| *byte)
    }
}

/// Every byte, the readable ones first.
pub(super) fn readable() -> &'static [u8] {
    static ORDER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut order: Vec<u8> = b"xabcdefghijklmnopqrstuvwyz0123456789-_/.ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_vec();
        order.extend((0x21..=0x7e).filter(|byte: &u8| !order.contains(byte)).collect::<Vec<_>>());
        order.extend((0..=u8::MAX).filter(|byte| !order.contains(byte)).collect::<Vec<_>>());
        order
    });
    &ORDER
}
