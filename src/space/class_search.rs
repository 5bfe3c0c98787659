//! The search for the classes of a dimension: patterns followed side by side through the values that can occur, and
//! a readable member of each class.
#![expect(clippy::indexing_slicing, reason = "classes and patterns are numbered here")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::budget::{Budget, Excess};
use super::classes::{Atom, Truth};
use super::followed::{Explored, Followed, Member, text_form};
use super::form::Form;
use super::list::Dimension;
use super::pattern::Pattern;
use super::universe::{Domain, Values};

/// A search for classes.
pub(super) struct Finder<'a> {
    /// The dimension.
    dimension: &'a Dimension,
    /// What can occur.
    domain: &'a Domain,
    /// The patterns by number.
    patterns: &'a [&'a Pattern],
    /// The numbers of those that match one text, by it.
    exact: FxHashMap<&'a str, SmallVec<[u32; 1]>>,
    /// The numbers of all others.
    wide: Vec<u32>,
    /// Limits on work.
    budget: &'a Budget,
    /// The cheapest single value of each class.
    found: FxHashMap<Truth, (u32, String)>,
}

/// What a value costs the reader at least that was searched for.
const SEARCHED: u32 = 100;

/// What a value costs the reader when it was listed at this place.
fn rank(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX / 2)
}

impl<'a> Finder<'a> {
    /// A search for the classes of a dimension by some patterns.
    pub(super) fn new(
        dimension: &'a Dimension,
        domain: &'a Domain,
        patterns: &'a [&'a Pattern],
        budget: &'a Budget,
    ) -> Self {
        let mut exact: FxHashMap<&str, SmallVec<[u32; 1]>> = FxHashMap::default();
        let mut wide = Vec::new();
        for (id, pattern) in (0..).zip(patterns) {
            if let Pattern::Exact(text) = pattern {
                exact.entry(text).or_default().push(id);
            } else {
                wide.push(id);
            }
        }
        Self { dimension, domain, patterns, exact, wide, budget, found: FxHashMap::default() }
    }

    /// Keeps a value if it is the cheapest of its class.
    fn add(&mut self, truth: Truth, cost: u32, value: &str) {
        match self.found.get_mut(&truth) {
            Some(known) if (known.0, known.1.as_str()) <= (cost, value) => {}
            Some(known) => *known = (cost, value.to_owned()),
            None => {
                self.found.insert(truth, (cost, value.to_owned()));
            }
        }
    }

    /// Which patterns match a value.
    fn judge(&self, value: &str) -> Truth {
        let wide = self.wide.iter().filter(|id| self.patterns[**id as usize].matches(value));
        let mut matching: SmallVec<[u32; 8]> =
            self.exact.get(value).into_iter().flatten().chain(wide).copied().collect();
        matching.sort_unstable();
        Truth::from(matching.as_slice())
    }

    /// Finds the classes of single values. Says why there may be more.
    pub(super) fn singles(&mut self) -> Option<Excess> {
        for (index, value) in self.domain.preferred.iter().enumerate() {
            self.add(self.judge(value), 1 + rank(index), value);
            if self.patterns.is_empty() {
                return None;
            }
        }
        match &self.domain.values {
            Values::Finite(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.add(self.judge(value), 10 + rank(index), value);
                }
                None
            }
            Values::Ip => self.addresses(),
            Values::Language(language) => self.texts(language),
        }
    }

    /// The classes of values, absent and several ones included.
    pub(super) fn sets(self) -> (Vec<Atom>, Option<Excess>) {
        let mut singles: Vec<Atom> =
            self.found.into_iter().map(|(truth, (cost, value))| Atom { truth, example: vec![value], cost }).collect();
        singles.sort_by(|a, b| (a.cost, &a.example).cmp(&(b.cost, &b.example)));
        let mut seen: FxHashMap<Truth, usize> = FxHashMap::default();
        let mut atoms: Vec<Atom> = Vec::new();
        let mut incomplete = None;
        if self.domain.absent {
            seen.insert(Truth::default(), 0);
            atoms.push(Atom { truth: Truth::default(), example: Vec::new(), cost: 0 });
        }
        for single in &singles {
            if !seen.contains_key(&single.truth) {
                seen.insert(single.truth.clone(), atoms.len());
                atoms.push(single.clone());
            }
        }
        if !self.domain.several {
            return (atoms, None);
        }
        let limit = self.budget.combinations.max(atoms.len());
        let mut at = 0;
        'grow: while at < atoms.len() {
            for single in &singles {
                let mut both: Vec<u32> = atoms[at].truth.iter().chain(&single.truth).copied().collect();
                both.sort_unstable();
                both.dedup();
                if seen.contains_key(both.as_slice()) {
                    continue;
                }
                if atoms.len() >= limit {
                    let most = self.budget.combinations;
                    incomplete = Some(Excess::Combinations(self.dimension.clone(), most));
                    break 'grow;
                }
                let truth: Truth = both.into();
                seen.insert(truth.clone(), atoms.len());
                let mut example = atoms[at].example.clone();
                example.extend(single.example.iter().cloned());
                let cost = atoms[at].cost.saturating_add(single.cost).saturating_add(50);
                atoms.push(Atom { truth, example, cost });
            }
            at += 1;
        }
        (atoms, incomplete)
    }

    /// Follows the patterns, side by side, through a language.
    fn texts(&mut self, language: &Pattern) -> Option<Excess> {
        let secret =
            matches!(self.dimension, Dimension::Claim(_) | Dimension::Issuer | Dimension::Subject | Dimension::Token);
        let form = text_form(!secret);
        let patterns = self.patterns;
        let is_exact = |pattern: &Pattern| matches!(pattern, Pattern::Exact(_));
        let others: Vec<u32> = (0..).zip(patterns).filter(|(_, one)| !is_exact(one)).map(|(id, _)| id).collect();
        if self.are_beginnings_listed(&others, language) {
            self.below_beginnings(&others, form, language);
            return None;
        }
        let followed: Vec<Pattern> = others.iter().map(|id| patterns[*id as usize].clone()).collect();
        let explored = Explored::of(followed, language, !secret, self.budget.atom_states);
        let search = &explored.search;
        if let Some(place) = search.odd() {
            let odd = others.get(place as usize).map_or(language, |id| patterns[*id as usize]);
            return Some(Excess::Followed(self.dimension.clone(), odd.clone()));
        }
        // Places among the others as numbers of patterns: both ascend.
        let numbers = |places: &[u32]| -> Truth { places.iter().map(|place| others[*place as usize]).collect() };
        // What is named exactly is found without a search, and is no example of what is not.
        let mut named: FxHashMap<&str, u32> = FxHashMap::default();
        let mut among: FxHashMap<Truth, Vec<u32>> = FxHashMap::default();
        for (id, pattern) in (0_u32..).zip(patterns) {
            let Pattern::Exact(text) = pattern else { continue };
            named.insert(text, id);
            if !form.contains(text) || !language.matches(text) {
                continue;
            }
            let rest = numbers(&explored.truth_of(text));
            let mut truth: Vec<u32> = rest.iter().copied().chain([id]).collect();
            truth.sort_unstable();
            self.add(truth.into(), SEARCHED + rank(text.len()), text);
            among.entry(rest).or_default().push(id);
        }
        let mut hidden: FxHashSet<Truth> = FxHashSet::default();
        for Member { truth, text, length } in &explored.members {
            let truth = numbers(truth);
            if named.contains_key(text.as_str()) {
                hidden.insert(truth);
            } else {
                // An empty value is no nice example where a letter will do.
                self.add(truth, if *length == 0 { 2 * SEARCHED } else { SEARCHED + length }, text);
            }
        }
        let mut hidden: Vec<Truth> = hidden.into_iter().filter(|truth| !self.found.contains_key(truth)).collect();
        hidden.sort_unstable();
        let mut all_seen = explored.complete;
        for wanted in hidden {
            let exact = among.get(&wanted).map_or(&[][..], Vec::as_slice);
            // A name beside a known one is mostly nobody's, and found without a search.
            let beside = exact.iter().filter_map(|id| {
                let Pattern::Exact(text) = patterns[*id as usize] else { return None };
                Some(format!("{text}x"))
            });
            let fits = |text: &String| {
                !named.contains_key(text.as_str())
                    && form.contains(text)
                    && language.matches(text)
                    && numbers(&explored.truth_of(text)) == wanted
            };
            if let Some(text) = beside.take(4).find(fits) {
                self.add(wanted.clone(), SEARCHED + rank(text.len()), &text);
                continue;
            }
            let named = exact.iter().map(|id| patterns[*id as usize].clone());
            let search = Followed::new(explored.followed().iter().cloned(), named, language);
            all_seen &= search.walk(form, self.budget.atom_states, |state, text, length| {
                let fits = numbers(&search.truth(state)) == wanted && !search.is_named(state);
                if fits {
                    self.add(wanted.clone(), SEARCHED + length, &text());
                }
                !fits
            });
        }
        let limit = self.budget.atom_states;
        (!all_seen).then(|| Excess::States(self.dimension.clone(), limit))
    }

    /// Whether some patterns only look how a value begins, and a value of each class that they can make is listed: no
    /// search would find another class.
    fn are_beginnings_listed(&self, others: &[u32], language: &Pattern) -> bool {
        let is_general = |pattern: &Pattern| matches!(pattern, Pattern::Any | Pattern::NonEmpty);
        let beginning = |id: &u32| {
            let pattern = self.patterns[*id as usize];
            if let Pattern::Prefix(text) = pattern { Some(&**text) } else { is_general(pattern).then_some("") }
        };
        let beginnings: Option<Vec<&str>> = others.iter().map(beginning).collect();
        let Some(beginnings) = beginnings else { return false };
        // What matches a beginning matches every value that begins so, and with none longer.
        let begun = |text: &str| -> Truth {
            let begins = |pattern: &Pattern| is_general(pattern) || pattern.matches(text);
            others.iter().filter(|id| begins(self.patterns[**id as usize])).copied().collect()
        };
        let is_listed = |truth: Truth| (truth.is_empty() && self.domain.absent) || self.found.contains_key(&truth);
        // What is empty is told from the rest by one pattern alone.
        let told = others.iter().any(|id| matches!(self.patterns[*id as usize], Pattern::NonEmpty));
        let settled = !told || !language.matches("");
        settled && is_listed(begun("")) && beginnings.into_iter().all(|text| is_listed(begun(text)))
    }

    /// The classes of single names, where all other classes are found.
    fn below_beginnings(&mut self, others: &[u32], form: &Form, language: &Pattern) {
        for (id, pattern) in (0_u32..).zip(self.patterns) {
            if let Pattern::Exact(text) = pattern
                && form.contains(text)
                && language.matches(text)
            {
                let begun = others.iter().filter(|other| self.patterns[**other as usize].matches(text));
                let mut truth: Vec<u32> = begun.copied().chain([id]).collect();
                truth.sort_unstable();
                self.add(truth.into(), SEARCHED + rank(text.len()), text);
            }
        }
    }

    /// One address of each interval between the bounds of some blocks.
    fn addresses(&mut self) -> Option<Excess> {
        let mut four: Vec<u32> = vec![0];
        let mut six: Vec<u128> = vec![0];
        let mut incomplete = None;
        for pattern in self.patterns {
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
                | Pattern::Contains(_)
                | Pattern::Language(_) => {
                    incomplete = Some(Excess::Followed(self.dimension.clone(), (*pattern).clone()));
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
        let mut all: Vec<IpAddr> = Vec::new();
        for (index, bound) in four.iter().enumerate() {
            let end = four.get(index + 1).copied().unwrap_or(u32::MAX);
            // The second address of a block reads better than the first.
            all.push(Ipv4Addr::from(if end - bound > 1 { bound + 1 } else { *bound }).into());
        }
        all.push(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into());
        for (index, bound) in six.iter().enumerate() {
            let end = six.get(index + 1).copied().unwrap_or(u128::MAX);
            all.push(Ipv6Addr::from(if end - bound > 1 { bound + 1 } else { *bound }).into());
        }
        for (index, address) in all.into_iter().enumerate() {
            let text = address.to_string();
            let matches = |pattern: &Pattern| {
                if let Pattern::Cidr(block) = pattern { block.contains(&address) } else { pattern.matches(&text) }
            };
            let truth = (0..).zip(self.patterns).filter(|(_, one)| matches(one)).map(|(id, _): (u32, _)| id).collect();
            self.add(truth, 10 + rank(index), &text);
        }
        incomplete
    }
}
