//! The values of one dimension, split into classes that no test in play can tell apart.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustc_hash::{FxHashMap, FxHashSet};

use super::bank::{Bank, alphabet};
use super::bits::Bits;
use super::budget::Budget;
use super::bytes::ByteSet;
use super::form::{DEAD, Form};
use super::list::{Dimension, Test};
use super::path_search::Trail;
use super::pattern::Pattern;
use super::universe::{Domain, Values};

/// A class of values of one dimension.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    /// Which of the asked tests hold.
    pub(super) truth: Bits,
    /// A readable member; empty when absent.
    pub(super) example: Vec<String>,
    /// How much the member costs the reader.
    pub(super) cost: u32,
}

/// All classes.
#[derive(Clone, Debug)]
pub(super) struct Split {
    /// The classes in the order of their truths.
    pub(super) atoms: Vec<Atom>,
    /// Why there may be more.
    pub(super) incomplete: Option<String>,
}

/// One dimension with every test on it.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The dimension.
    pub(super) dimension: Dimension,
    /// What can occur.
    pub(super) domain: Domain,
    /// The distinct tests.
    pub(super) tests: Vec<Test>,
    /// The tests that every request in question satisfies.
    pub(super) within: Vec<usize>,
}

/// A class of single values.
struct Single {
    /// Which patterns match.
    truth: Bits,
    /// A member.
    value: String,
    /// How much it costs the reader.
    cost: u32,
}

impl Column {
    /// Splits the values by some of the tests.
    pub(super) fn split(&self, asked: &[usize], budget: &Budget) -> Split {
        let tests: Vec<&Test> = asked.iter().chain(&self.within).filter_map(|test| self.tests.get(*test)).collect();
        let mut ids: BTreeMap<&Pattern, usize> = BTreeMap::new();
        let mut patterns: Vec<&Pattern> = Vec::new();
        for pattern in tests.iter().flat_map(|test| test.any_of.iter().flatten().chain(&test.none_of)) {
            ids.entry(pattern).or_insert_with(|| {
                patterns.push(pattern);
                patterns.len() - 1
            });
        }
        let mask = |some: &[Pattern]| {
            let mut bits = Bits::none(patterns.len());
            some.iter().filter_map(|pattern| ids.get(pattern)).for_each(|index| bits.set(*index));
            bits
        };
        let masks: Vec<(Option<Bits>, Bits)> =
            tests.iter().map(|test| (test.any_of.as_deref().map(mask), mask(&test.none_of))).collect();
        let (singles, mut incomplete) = self.singles(&patterns, budget);
        let (sets, more) = self.sets(singles, patterns.len(), budget);
        incomplete = incomplete.or(more);
        let mut best: BTreeMap<Bits, Atom> = BTreeMap::new();
        for (matched, example, cost) in sets {
            let holds = |(any, none): &(Option<Bits>, Bits)| {
                any.as_ref().is_none_or(|any| any.meets(&matched)) && !none.meets(&matched)
            };
            let mut masks = masks.iter();
            let truth = Bits::collect(masks.by_ref().take(asked.len()).map(holds).collect::<Vec<_>>().into_iter());
            if !masks.all(holds) {
                continue;
            }
            let atom = Atom { truth: truth.clone(), example, cost };
            let known = best.entry(truth).or_insert_with(|| atom.clone());
            if atom.cost < known.cost {
                *known = atom;
            }
        }
        Split { atoms: best.into_values().collect(), incomplete }
    }

    /// The classes of values, absent and several ones included.
    fn sets(
        &self,
        singles: Vec<Single>,
        patterns: usize,
        budget: &Budget,
    ) -> (Vec<(Bits, Vec<String>, u32)>, Option<String>) {
        let mut out: Vec<(Bits, Vec<String>, u32)> = Vec::new();
        let mut incomplete = None;
        if self.domain.several {
            let mut seen: FxHashSet<Bits> = singles.iter().map(|single| single.truth.clone()).collect();
            let mut frontier: Vec<(Bits, Vec<String>, u32)> =
                singles.iter().map(|one| (one.truth.clone(), vec![one.value.clone()], one.cost)).collect();
            while !frontier.is_empty() {
                let mut next = Vec::new();
                'grow: for (truth, values, cost) in &frontier {
                    for single in &singles {
                        let both = truth.or(&single.truth);
                        if seen.contains(&both) {
                            continue;
                        }
                        if seen.len() >= budget.combinations.max(singles.len()) {
                            incomplete = Some(format!(
                                "{} has more than {} combinations of values",
                                self.dimension, budget.combinations
                            ));
                            break 'grow;
                        }
                        seen.insert(both.clone());
                        let mut values = values.clone();
                        values.push(single.value.clone());
                        next.push((both, values, cost.saturating_add(single.cost).saturating_add(50)));
                    }
                }
                out.append(&mut frontier);
                frontier = next;
            }
        } else {
            out.extend(singles.into_iter().map(|one| (one.truth, vec![one.value], one.cost)));
        }
        if self.domain.absent {
            out.push((Bits::none(patterns), Vec::new(), 0));
        }
        (out, incomplete)
    }

    /// The classes of single values.
    fn singles(&self, patterns: &[&Pattern], budget: &Budget) -> (Vec<Single>, Option<String>) {
        let mut best: FxHashMap<Bits, usize> = FxHashMap::default();
        let mut out: Vec<Single> = Vec::new();
        let mut add = |truth: Bits, value: &str, cost: u32| match best.get(&truth).copied() {
            Some(known) => {
                if let Some(known) = out.get_mut(known).filter(|known| cost < known.cost) {
                    known.value = value.to_owned();
                    known.cost = cost;
                }
            }
            None => {
                best.insert(truth.clone(), out.len());
                out.push(Single { truth, value: value.to_owned(), cost });
            }
        };
        let judged = |value: &str| Bits::collect(patterns.iter().map(|pattern| pattern.matches(value)));
        let rank = |index: usize| u32::try_from(index).unwrap_or(u32::MAX / 2);
        for (index, value) in self.domain.preferred.iter().enumerate() {
            if self.domain.contains(std::slice::from_ref(value)) {
                add(judged(value), value, 1 + rank(index));
            }
        }
        let incomplete = match &self.domain.values {
            Values::Finite(values) => {
                for (index, value) in values.iter().enumerate() {
                    add(judged(value), value, 10 + rank(index));
                }
                None
            }
            Values::Ip => {
                let (values, incomplete) = addresses(patterns);
                for (index, value) in values.iter().enumerate() {
                    add(judged(value), value, 10 + rank(index));
                }
                incomplete
            }
            Values::Language(language) => self.texts(language, patterns, budget, &mut add),
        };
        (out, incomplete)
    }

    /// Explores the product of the patterns within a language.
    fn texts(
        &self,
        language: &Pattern,
        patterns: &[&Pattern],
        budget: &Budget,
        add: &mut impl FnMut(Bits, &str, u32),
    ) -> Option<String> {
        let visible =
            !matches!(self.dimension, Dimension::Claim(_) | Dimension::Issuer | Dimension::Subject | Dimension::Token);
        let form = Form::of_text(visible);
        let mut all: Vec<Pattern> = patterns.iter().map(|pattern| (*pattern).clone()).collect();
        all.push(language.clone());
        let count = u32::try_from(all.len() - 1).unwrap_or(u32::MAX);
        let bank = Bank::new(all);
        if let Some(odd) = (0..=count).find(|index| bank.is_unsupported(*index)) {
            let odd = patterns.get(odd as usize).map_or_else(|| language.to_string(), ToString::to_string);
            return Some(format!("the pattern `{odd}` on {} cannot be followed", self.dimension));
        }
        let alphabet = alphabet(&[&bank], &form, ByteSet::NONE);
        let mut trail = Trail::default();
        let start = (0_u8, bank.start());
        let mut seen = FxHashSet::from_iter([start.clone()]);
        let mut open = std::collections::VecDeque::from([(start, trail.root(), 0_u32)]);
        while let Some(((shape, state), at, length)) = open.pop_front() {
            if form.accepts(shape) && bank.holds(count, &state) {
                let truth = Bits::collect(
                    (0..patterns.len()).map(|index| u32::try_from(index).is_ok_and(|index| bank.holds(index, &state))),
                );
                // An empty value is no nice example where a letter will do.
                add(truth, &trail.text(at), if length == 0 { 200 } else { 100 + length });
            }
            for byte in &alphabet {
                let next = (form.step(shape, *byte), bank.step(&state, *byte));
                if next.0 == DEAD || bank.is_hopeless(count, &next.1) || seen.contains(&next) {
                    continue;
                }
                if seen.len() >= budget.atom_states {
                    return Some(format!(
                        "the patterns on {} need more than {} states",
                        self.dimension, budget.atom_states
                    ));
                }
                seen.insert(next.clone());
                open.push_back((next, trail.add(at, *byte), length + 1));
            }
        }
        None
    }
}

/// One address of each interval between the bounds of some blocks.
fn addresses(patterns: &[&Pattern]) -> (Vec<String>, Option<String>) {
    let mut four: Vec<u32> = vec![0];
    let mut six: Vec<u128> = vec![0];
    let mut incomplete = None;
    for pattern in patterns {
        let (first, last) = match pattern {
            Pattern::Cidr(block) => (block.network(), block.broadcast()),
            Pattern::Exact(text) | Pattern::ExactIgnoreCase(text) => match text.parse::<IpAddr>() {
                Ok(address) => (address, address),
                Err(_) => continue,
            },
            Pattern::Any | Pattern::NonEmpty => continue,
            Pattern::Prefix(_)
            | Pattern::Suffix(_)
            | Pattern::PrefixIgnoreCase(_)
            | Pattern::SuffixIgnoreCase(_)
            | Pattern::Language(_) => {
                incomplete = Some(format!("the text pattern `{pattern}` on addresses cannot be followed"));
                continue;
            }
        };
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                four.push(first.into());
                four.extend(u32::from(last).checked_add(1));
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                six.push(first.into());
                six.extend(u128::from(last).checked_add(1));
            }
            _ => {}
        }
    }
    four.sort_unstable();
    four.dedup();
    six.sort_unstable();
    six.dedup();
    let mut out = Vec::new();
    for (index, bound) in four.iter().enumerate() {
        let end = four.get(index + 1).copied().unwrap_or(u32::MAX);
        // The second address of a block reads better than the first.
        out.push(Ipv4Addr::from(if end - bound > 1 { bound + 1 } else { *bound }).to_string());
    }
    out.push("2001:db8::1".to_owned());
    for (index, bound) in six.iter().enumerate() {
        let end = six.get(index + 1).copied().unwrap_or(u128::MAX);
        out.push(Ipv6Addr::from(if end - bound > 1 { bound + 1 } else { *bound }).to_string());
    }
    (out, incomplete)
}

impl std::fmt::Display for Dimension {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Port => out.write_str("port"),
            Self::Peer => out.write_str("peer"),
            Self::SourceIp => out.write_str("source address"),
            Self::RemoteIp => out.write_str("remote address"),
            Self::DestinationIp => out.write_str("destination address"),
            Self::Sni => out.write_str("SNI"),
            Self::Method => out.write_str("method"),
            Self::Scheme => out.write_str("scheme"),
            Self::Authority => out.write_str("authority"),
            Self::Header(name) => write!(out, "header `{name}`"),
            Self::Query(name) => write!(out, "query parameter `{name}`"),
            Self::Token => out.write_str("token"),
            Self::Issuer => out.write_str("issuer"),
            Self::Subject => out.write_str("subject"),
            Self::Claim(path) => write!(out, "claim `{}`", path.join(".")),
            Self::Metadata(key) => write!(out, "metadata `{key}`"),
        }
    }
}
