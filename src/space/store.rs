//! The rules of many lists, each cube numbered once, and the space that they span: what a partition needs to
//! know of dimensions and paths is worked out once for all lists.
#![expect(clippy::indexing_slicing, reason = "columns, tests and cubes are numbered here")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::budget::Budget;
use super::classes::Classes;
use super::list::{Cube, DecisionList, Dimension, Label, PathTest, Test};
use super::path_book::PathBook;
use super::universe::{Domain, Universe};

/// A cube of a store, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CubeId(u32);

/// A decision list of numbered cubes. Equal lists of one store decide alike, so it is also a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleList {
    /// The rules in order.
    pub rules: Vec<(CubeId, Label)>,
    /// The label where no rule matches.
    pub default: Label,
}

/// A cube that bounds a question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// The cube.
    pub(super) cube: CubeId,
    /// Conditions on the path of which each leads out of it.
    pub(super) outside: SmallVec<[u32; 1]>,
    /// The conditions on the path that hold within it.
    pub(super) inside: Vec<PathTest>,
}

/// A cube whose tests are numbered.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    /// Its tests by column, ascending.
    pub(super) tests: SmallVec<[(u32, u32); 3]>,
    /// Its conditions on the path.
    pub(super) path: SmallVec<[u32; 1]>,
}

/// The rules of many lists.
#[derive(Debug)]
pub struct RuleStore {
    /// What can occur.
    universe: Universe,
    /// The tests of each dimension, by number.
    tests: BTreeMap<Dimension, FxHashMap<Test, u32>>,
    /// The conditions on the path, by number.
    paths: FxHashMap<PathTest, u32>,
    /// The cubes, by number.
    cubes: FxHashMap<Arc<Cube>, CubeId>,
    /// The numbers of cubes by their address, and what keeps them there.
    shared: FxHashMap<usize, (CubeId, Arc<Cube>)>,
}

/// The number of the next member of a map.
fn next<K, V>(map: &FxHashMap<K, V>) -> u32 {
    u32::try_from(map.len()).unwrap_or(u32::MAX)
}

impl RuleStore {
    /// An empty store.
    #[must_use]
    pub fn new(universe: Universe) -> Self {
        let tests = universe.domains.keys().map(|dimension| (dimension.clone(), FxHashMap::default())).collect();
        Self { universe, tests, paths: FxHashMap::default(), cubes: FxHashMap::default(), shared: FxHashMap::default() }
    }

    /// The number of a cube. One that was asked about before is known by its address.
    pub fn cube(&mut self, cube: &Arc<Cube>) -> CubeId {
        let address = Arc::as_ptr(cube).addr();
        if let Some((id, _)) = self.shared.get(&address) {
            return *id;
        }
        let id = self.cubes.get(cube).copied().unwrap_or_else(|| self.number(cube));
        self.shared.insert(address, (id, Arc::clone(cube)));
        id
    }

    /// Numbers a cube that is new.
    fn number(&mut self, cube: &Arc<Cube>) -> CubeId {
        for test in &cube.tests {
            if !self.tests.contains_key(&test.dimension) {
                self.tests.insert(test.dimension.clone(), FxHashMap::default());
            }
            if let Some(known) = self.tests.get_mut(&test.dimension)
                && !known.contains_key(test)
            {
                known.insert(test.clone(), next(known));
            }
        }
        for test in &cube.path {
            self.path(test);
        }
        let id = CubeId(next(&self.cubes));
        self.cubes.insert(Arc::clone(cube), id);
        id
    }

    /// The number of a condition on the path.
    fn path(&mut self, test: &PathTest) -> u32 {
        let fresh = next(&self.paths);
        if let Some(id) = self.paths.get(test) {
            return *id;
        }
        self.paths.insert(test.clone(), fresh);
        fresh
    }

    /// A list of numbered cubes.
    pub fn list(&mut self, list: &DecisionList) -> RuleList {
        let rules = list.rules.iter().map(|rule| (self.cube(&rule.cube), rule.label)).collect();
        RuleList { rules, default: list.default }
    }

    /// A cube that bounds questions.
    pub fn bounds(&mut self, within: &Cube) -> Bounds {
        let mut outside = SmallVec::new();
        for test in &within.path {
            if let Some(any_of) = &test.any_of {
                outside.push(self.path(&PathTest::none(any_of.clone())));
            }
            if !test.none_of.is_empty() {
                outside.push(self.path(&PathTest::any(test.none_of.clone())));
            }
        }
        let cube = Cube { tests: within.tests.clone(), path: Vec::new() };
        Bounds { cube: self.cube(&Arc::new(cube)), outside, inside: within.path.clone() }
    }

    /// Works out the classes of every dimension.
    #[must_use]
    pub fn freeze(self, budget: &Budget) -> Arc<Space> {
        let places: FxHashMap<&Dimension, u32> = self.tests.keys().zip(0..).collect();
        let mut cubes: Vec<Numbered> =
            vec![Numbered { tests: SmallVec::new(), path: SmallVec::new() }; self.cubes.len()];
        let mut numbered: Vec<(&Arc<Cube>, &CubeId)> = self.cubes.iter().collect();
        numbered.sort_unstable_by_key(|(_, id)| **id);
        for (cube, id) in numbered {
            let number =
                |test: &Test| Some((*places.get(&test.dimension)?, *self.tests.get(&test.dimension)?.get(test)?));
            let mut tests: SmallVec<[(u32, u32); 3]> = cube.tests.iter().filter_map(number).collect();
            tests.sort_unstable();
            tests.dedup();
            let decides = |test: &&PathTest| test.any_of.is_some() || !test.none_of.is_empty();
            let path = cube.path.iter().filter(decides).filter_map(|test| self.paths.get(test).copied()).collect();
            cubes[id.0 as usize] = Numbered { tests, path };
        }
        let tests: Vec<(Dimension, FxHashMap<Test, u32>)> = self.tests.into_iter().collect();
        let columns: Vec<Column> = tests
            .into_par_iter()
            .map(|(dimension, tests)| Column::new(dimension, tests, &self.universe, budget))
            .collect();
        let mut paths: Vec<(PathTest, u32)> = self.paths.into_iter().collect();
        paths.sort_unstable_by_key(|(_, id)| *id);
        let paths = PathBook::new(self.universe.path, paths.into_iter().map(|(test, _)| test).collect());
        Arc::new(Space { columns, cubes, paths, budget: *budget, splits: Mutex::default() })
    }
}

/// One dimension with every test on it.
#[derive(Debug)]
pub(super) struct Column {
    /// The dimension.
    pub(super) dimension: Dimension,
    /// What can occur.
    pub(super) domain: Domain,
    /// The tests by number.
    tests: Vec<Test>,
    /// The classes by all tests; `None` where a list is better split by its own tests alone.
    pub(super) whole: Option<Arc<Classes>>,
}

impl Column {
    /// A dimension and its tests.
    fn new(dimension: Dimension, tests: FxHashMap<Test, u32>, universe: &Universe, budget: &Budget) -> Self {
        let domain = universe.domain(&dimension);
        let mut tests: Vec<(Test, u32)> = tests.into_iter().collect();
        tests.sort_unstable_by_key(|(_, id)| *id);
        let tests: Vec<Test> = tests.into_iter().map(|(test, _)| test).collect();
        // Where several values come at once, the classes multiply with every test.
        let whole = (!domain.several).then(|| {
            let all: Vec<&Test> = tests.iter().collect();
            Classes::of(&dimension, &domain, &all, budget)
        });
        let whole = whole.filter(|classes| classes.incomplete.is_none()).map(Arc::new);
        Self { dimension, domain, tests, whole }
    }
}

/// Tests of a column, by its number.
type Asked = (usize, Vec<u32>);

/// What is known of dimensions and paths, for every list of a store.
#[derive(Debug)]
pub struct Space {
    /// The dimensions in order.
    pub(super) columns: Vec<Column>,
    /// The cubes by number.
    cubes: Vec<Numbered>,
    /// The conditions on paths.
    pub(super) paths: PathBook,
    /// Limits on work.
    pub(super) budget: Budget,
    /// The classes of columns by some of their tests.
    splits: Mutex<FxHashMap<Asked, Arc<Classes>>>,
}

impl Space {
    /// A cube by its number.
    pub(super) fn cube(&self, id: CubeId) -> &Numbered {
        &self.cubes[id.0 as usize]
    }

    /// The classes of a column by some of its tests, ascending.
    pub(super) fn split(&self, column: usize, asked: Vec<u32>) -> Arc<Classes> {
        let key = (column, asked);
        let known = self.splits.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| {
            let Column { dimension, domain, tests, .. } = &self.columns[column];
            let asked: Vec<&Test> = key.1.iter().map(|test| &tests[*test as usize]).collect();
            let classes = Arc::new(Classes::of(dimension, domain, &asked, &self.budget));
            self.splits.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&classes));
            classes
        })
    }
}
