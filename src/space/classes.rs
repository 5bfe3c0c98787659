//! The values of one dimension, split into classes that no test in play can tell apart. Sets of classes are
//! canonical: equal sets are equal values.
#![expect(clippy::indexing_slicing, reason = "classes and patterns are numbered here")]

use rustc_hash::FxHashMap;

use super::budget::{Budget, Excess};
use super::class_search::Finder;
use super::list::{Dimension, Test};
use super::pattern::Pattern;
use super::universe::Domain;

/// The patterns that match some value of a class, by number, ascending.
pub(super) type Truth = Box<[u32]>;

/// A class of values of one dimension.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    /// Which patterns match.
    pub(super) truth: Truth,
    /// A readable member; empty when absent.
    pub(super) example: Vec<String>,
    /// How much the member costs the reader.
    pub(super) cost: u32,
}

impl Atom {
    /// Whether no pattern names its values.
    pub(super) fn is_unnamed(&self) -> bool {
        self.truth.is_empty()
    }
}

/// A set of classes: these, or all but these, whichever are fewer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AtomIds {
    /// Whether it is all but these.
    pub(super) except: bool,
    /// Numbers of classes, ascending.
    pub(super) ids: Box<[u32]>,
}

impl AtomIds {
    /// The canonical form of a set among so many classes.
    pub(super) fn canonical(except: bool, ids: Vec<u32>, count: usize) -> Self {
        let more = ids.len() * 2 > count || (except && ids.len() * 2 == count);
        if !more {
            return Self { except, ids: ids.into() };
        }
        let all = 0..u32::try_from(count).unwrap_or(u32::MAX);
        let others: Vec<u32> = all.filter(|id| ids.binary_search(id).is_err()).collect();
        Self { except: !except, ids: others.into() }
    }

    /// Whether a class is in the set.
    pub(super) fn contains(&self, id: u32) -> bool {
        self.ids.binary_search(&id).is_ok() != self.except
    }

    /// The classes of both sets.
    pub(super) fn and(&self, other: &Self, count: usize) -> Self {
        let all = 0..u32::try_from(count).unwrap_or(u32::MAX);
        let both = all.filter(|id| self.contains(*id) && other.contains(*id)).collect();
        Self::canonical(false, both, count)
    }

    /// How many classes of so many are in it.
    pub(super) fn len(&self, count: usize) -> usize {
        if self.except { count - self.ids.len() } else { self.ids.len() }
    }
}

/// All classes of one dimension by some tests.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    /// The classes, the cheapest first.
    pub(super) atoms: Vec<Atom>,
    /// For each test the classes on which it holds.
    pub(super) sets: Vec<AtomIds>,
    /// Why there may be more classes.
    pub(super) incomplete: Option<Excess>,
    /// The patterns by number.
    patterns: Vec<Pattern>,
    /// The classes by their truth.
    by_truth: FxHashMap<Truth, u32>,
}

impl Classes {
    /// The classes of a dimension by some tests.
    pub(super) fn of(dimension: &Dimension, domain: &Domain, tests: &[&Test], budget: &Budget) -> Self {
        let mut ids: FxHashMap<&Pattern, u32> = FxHashMap::default();
        let mut patterns: Vec<&Pattern> = Vec::new();
        for pattern in tests.iter().flat_map(|test| test.any_of.iter().flatten().chain(&test.none_of)) {
            ids.entry(pattern).or_insert_with(|| {
                patterns.push(pattern);
                u32::try_from(patterns.len() - 1).unwrap_or(u32::MAX)
            });
        }
        let mut finder = Finder::new(dimension, domain, &patterns, budget);
        let incomplete = finder.singles();
        let (mut atoms, more) = finder.sets();
        atoms.sort_by(|a, b| (a.cost, &a.example).cmp(&(b.cost, &b.example)));
        let mut incidence: Vec<Vec<u32>> = vec![Vec::new(); patterns.len()];
        let mut by_truth = FxHashMap::default();
        for (id, atom) in (0_u32..).zip(&atoms) {
            atom.truth.iter().for_each(|pattern| incidence[*pattern as usize].push(id));
            by_truth.insert(atom.truth.clone(), id);
        }
        let union = |some: &[Pattern]| -> Vec<u32> {
            let mut all: Vec<u32> = some
                .iter()
                .filter_map(|pattern| ids.get(pattern))
                .flat_map(|id| &incidence[*id as usize])
                .copied()
                .collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let set = |test: &&Test| {
            let none_of = union(&test.none_of);
            match &test.any_of {
                None => AtomIds::canonical(true, none_of, atoms.len()),
                Some(any_of) => {
                    let mut all = union(any_of);
                    all.retain(|id| none_of.binary_search(id).is_err());
                    AtomIds::canonical(false, all, atoms.len())
                }
            }
        };
        let sets = tests.iter().map(set).collect();
        let patterns = patterns.into_iter().cloned().collect();
        Self { sets, atoms, incomplete: incomplete.or(more), patterns, by_truth }
    }

    /// The class of a value; `None` where no class of it is known.
    pub(super) fn find(&self, values: &[String]) -> Option<u32> {
        let matches = |pattern: &Pattern| values.iter().any(|value| pattern.matches(value));
        let truth: Truth =
            (0..).zip(&self.patterns).filter(|(_, pattern)| matches(pattern)).map(|(id, _): (u32, _)| id).collect();
        self.by_truth.get(&truth).copied()
    }
}
