//! The conditions on paths of a space, numbered, with paths worth trying for each.
#![expect(clippy::indexing_slicing, reason = "conditions are numbered here")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use smallvec::SmallVec;

use super::form::Form;
use super::list::{Label, PathTest};
use super::narrow::{Narrowed, narrowed};
use super::normalize::Normalization;
use super::path_index::{PathIndex, is_shadowed, last_rules, needed, relevant};
use super::path_search::{PathSearch, candidates, cost, prove};
use super::pattern::Pattern;
use super::residual::{ListMachine, PathList};
use super::universe::PathDomain;

/// Above this many rules paths are looked up by their letters.
const MANY_RULES: usize = 48;

/// Above this many pairs of a beginning and an end none is tried.
const MANY_PAIRS: usize = 64;

/// Path rules with numbered conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PathRules {
    /// Conjunctions of conditions and their labels.
    pub(super) rules: Vec<(SmallVec<[u32; 1]>, Label)>,
    /// The label where no rule matches.
    pub(super) fallback: Label,
}

/// A path worth trying and what it costs the reader.
type Candidate = (u32, Box<str>);

/// The conditions on paths.
#[derive(Debug)]
pub(super) struct PathBook {
    /// The automaton of the shape of paths.
    pub(super) form: &'static Form,
    /// How paths are normalised.
    pub(super) mode: Normalization,
    /// The conditions by number.
    tests: Vec<PathTest>,
    /// Paths worth trying for each, the cheapest first.
    candidates: Vec<Vec<Candidate>>,
    /// Paths worth trying for any.
    common: Vec<Candidate>,
}

impl PathRules {
    /// The labels that a path may get.
    pub(super) fn labels(&self) -> BTreeSet<Label> {
        let all = self.rules.iter().map(|(_, label)| *label).chain([self.fallback]);
        all.filter(|label| *label != Label::IMPOSSIBLE).collect()
    }
}

impl PathBook {
    /// Conditions by number.
    pub(super) fn new(domain: PathDomain, tests: Vec<PathTest>) -> Self {
        let form = Form::paths(domain);
        let priced = |paths: Vec<String>| paths.into_iter().map(|path| (cost(&path), path.into())).collect();
        let of = |test: &PathTest| {
            let patterns = test.any_of.iter().flatten().chain(&test.none_of);
            priced(candidates(patterns, form))
        };
        let all = tests.par_iter().map(of).collect();
        let common = ["/", "/x", "/x/y", "/zz9/x-y"].map(str::to_owned).into();
        Self { mode: domain.normalization(), candidates: all, common: priced(common), form, tests }
    }

    /// The patterns of which a path must match one to satisfy some conditions.
    pub(super) fn needed(&self, tests: &[u32]) -> Option<&[Pattern]> {
        needed(tests.iter().map(|test| &self.tests[*test as usize]))
    }

    /// The rules with their conditions written out.
    pub(super) fn spelled(&self, rules: &PathRules) -> PathList {
        let spell = |(tests, label): &(SmallVec<[u32; 1]>, Label)| {
            (tests.iter().map(|test| self.tests[*test as usize].clone()).collect(), *label)
        };
        PathList { rules: rules.rules.iter().map(spell).collect(), fallback: rules.fallback }
    }

    /// What bounds settle of a condition.
    pub(super) fn narrowed(&self, test: u32, bounds: &[PathTest]) -> Narrowed {
        let test = &self.tests[test as usize];
        let mut settled = bounds.iter().map(|bound| narrowed(test, bound));
        settled.find(|narrowed| *narrowed != Narrowed::Open).unwrap_or(Narrowed::Open)
    }

    /// Whether a condition holds for a path.
    pub(super) fn holds(&self, test: u32, path: &str) -> bool {
        self.tests[test as usize].holds(path)
    }

    /// The label of a path.
    pub(super) fn label(&self, rules: &PathRules, path: &str) -> Label {
        let holds = |tests: &[u32]| tests.iter().all(|test| self.holds(*test, path));
        rules.rules.iter().find(|(tests, _)| holds(tests)).map_or(rules.fallback, |(_, label)| *label)
    }

    /// Paths worth trying for some rules, the cheapest first.
    pub(super) fn likely(&self, lists: &[&PathRules]) -> impl Iterator<Item = Cow<'_, str>> {
        let tests = lists.iter().flat_map(|rules| &rules.rules).flat_map(|(tests, _)| tests);
        let own = tests.clone().flat_map(|test| &self.candidates[*test as usize]);
        let mut likely: Vec<Cow<'_, Candidate>> = self.common.iter().chain(own).map(Cow::Borrowed).collect();
        let asked: Vec<&PathTest> = tests.map(|test| &self.tests[*test as usize]).collect();
        likely.extend(self.joined(&asked).into_iter().map(Cow::Owned));
        likely.sort_unstable();
        likely.dedup();
        likely.into_iter().map(|one| match one {
            Cow::Borrowed((_, path)) => Cow::Borrowed(&**path),
            Cow::Owned((_, path)) => Cow::Owned(path.into()),
        })
    }

    /// Paths that begin as some conditions ask and end as others do.
    fn joined(&self, tests: &[&PathTest]) -> Vec<Candidate> {
        let patterns = || tests.iter().flat_map(|test| test.any_of.iter().flatten().chain(&test.none_of));
        let mut heads: Vec<&str> =
            patterns().filter_map(|one| if let Pattern::Prefix(text) = one { Some(&**text) } else { None }).collect();
        let mut tails: Vec<&str> =
            patterns().filter_map(|one| if let Pattern::Suffix(text) = one { Some(&**text) } else { None }).collect();
        for texts in [&mut heads, &mut tails] {
            texts.sort_unstable();
            texts.dedup();
        }
        if heads.len() * tails.len() > MANY_PAIRS {
            return Vec::new();
        }
        let pairs = heads.iter().flat_map(|head| tails.iter().map(move |tail| (head.trim_end_matches('/'), *tail)));
        let paths = pairs.map(|(head, tail)| format!("{head}/{}", tail.trim_start_matches('/')));
        paths.filter(|path| self.form.contains(path)).map(|path| (cost(&path), path.into())).collect()
    }

    /// Decides every label of the rules: by paths worth trying, and by proofs for labels that none of them got.
    pub(super) fn solve(&self, rules: &PathRules, states: usize) -> BTreeMap<Label, PathSearch> {
        let list = (rules.rules.len() > MANY_RULES).then(|| self.spelled(rules));
        let index = list.as_ref().map(PathIndex::new);
        let label = |path: &str| index.as_ref().map_or_else(|| self.label(rules, path), |index| index.label(path));
        let mut found: BTreeMap<Label, PathSearch> = BTreeMap::new();
        let mut wanted = rules.labels();
        for path in self.likely(&[rules]) {
            if wanted.is_empty() {
                return found;
            }
            let label = label(&path);
            if wanted.remove(&label) {
                found.insert(label, PathSearch::Found(path.into_owned()));
            }
        }
        match &list {
            _ if wanted.is_empty() => {}
            None => {
                let list = self.spelled(rules);
                found.extend(prove(&list, &mut ListMachine::new(&list), self.form, wanted, states));
            }
            // Of a long list each label has to do with a few rules only.
            Some(list) => {
                let ends = last_rules(list);
                for label in wanted {
                    if is_shadowed(list, label) {
                        found.insert(label, PathSearch::Empty);
                        continue;
                    }
                    let part = relevant(list, label, ends.get(&label).copied());
                    let one = BTreeSet::from([label]);
                    found.extend(prove(&part, &mut ListMachine::new(&part), self.form, one, states));
                }
            }
        }
        found
    }
}
