//! The rules of many lists, each cube numbered once, and the space that they span: what a partition needs to
//! know of dimensions and paths is worked out once for all lists.
#![expect(clippy::indexing_slicing, reason = "columns, tests and cubes are numbered here")]

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexSet;
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};
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

/// Distinct things, numbered; their hashes are kept, so that growing costs no second look at them.
type Numbers<T> = IndexSet<T, FxBuildHasher>;

/// The number of a thing among others, which gets the next one if it is new.
fn number<T: Clone + Eq + Hash>(known: &mut Numbers<T>, one: &T) -> u32 {
    let place = known.get_index_of(one).unwrap_or_else(|| known.insert_full(one.clone()).0);
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The rules of many lists.
#[derive(Debug)]
pub struct RuleStore {
    /// What can occur.
    universe: Universe,
    /// The dimensions that may be asked about.
    dimensions: Numbers<Dimension>,
    /// The tests of each dimension.
    tests: Vec<Numbers<Test>>,
    /// The conditions on the path.
    paths: Numbers<PathTest>,
    /// The cubes.
    cubes: Numbers<Arc<Cube>>,
    /// Their tests and conditions by number; a column is still the number of a dimension.
    numbered: Vec<Numbered>,
    /// The numbers of cubes by their address, and what keeps them there.
    shared: FxHashMap<usize, (CubeId, Arc<Cube>)>,
}

impl RuleStore {
    /// An empty store.
    #[must_use]
    pub fn new(universe: Universe) -> Self {
        let dimensions: Numbers<Dimension> = universe.domains.keys().cloned().collect();
        Self {
            universe,
            tests: vec![Numbers::default(); dimensions.len()],
            dimensions,
            paths: Numbers::default(),
            cubes: Numbers::default(),
            numbered: Vec::new(),
            shared: FxHashMap::default(),
        }
    }

    /// The number of a cube. One that was asked about before is known by its address.
    pub fn cube(&mut self, cube: &Arc<Cube>) -> CubeId {
        let address = Arc::as_ptr(cube).addr();
        if let Some((id, _)) = self.shared.get(&address) {
            return *id;
        }
        let id = CubeId(number(&mut self.cubes, cube));
        if self.numbered.len() == id.0 as usize {
            let numbered = self.numbers(cube);
            self.numbered.push(numbered);
        }
        self.shared.insert(address, (id, Arc::clone(cube)));
        id
    }

    /// Numbers the tests and conditions of a cube.
    fn numbers(&mut self, cube: &Cube) -> Numbered {
        let mut tests: SmallVec<[(u32, u32); 3]> = SmallVec::new();
        for test in &cube.tests {
            let dimension = number(&mut self.dimensions, &test.dimension);
            if self.tests.len() < self.dimensions.len() {
                self.tests.push(Numbers::default());
            }
            tests.push((dimension, number(&mut self.tests[dimension as usize], test)));
        }
        let decides = |test: &&PathTest| test.any_of.is_some() || !test.none_of.is_empty();
        let path = cube.path.iter().filter(decides).map(|test| number(&mut self.paths, test)).collect();
        Numbered { tests, path }
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
                outside.push(number(&mut self.paths, &PathTest::none(any_of.clone())));
            }
            if !test.none_of.is_empty() {
                outside.push(number(&mut self.paths, &PathTest::any(test.none_of.clone())));
            }
        }
        let cube = Cube { tests: within.tests.clone(), path: Vec::new() };
        Bounds { cube: self.cube(&Arc::new(cube)), outside, inside: within.path.clone() }
    }

    /// Works out the classes of every dimension.
    #[must_use]
    pub fn freeze(self, budget: &Budget) -> Arc<Space> {
        let mut order: Vec<(Dimension, Numbers<Test>, usize)> = self
            .dimensions
            .into_iter()
            .zip(self.tests)
            .zip(0..)
            .map(|((one, tests), from)| (one, tests, from))
            .collect();
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut places = vec![0; order.len()];
        for (place, (_, _, from)) in (0_u32..).zip(&order) {
            places[*from] = place;
        }
        let mut cubes = self.numbered;
        for cube in &mut cubes {
            for (dimension, _) in &mut cube.tests {
                *dimension = places[*dimension as usize];
            }
            cube.tests.sort_unstable();
            cube.tests.dedup();
        }
        let columns = order.into_par_iter();
        let columns = columns
            .map(|(dimension, tests, _)| Column::new(dimension, tests.into_iter().collect(), &self.universe, budget));
        let columns: Vec<Column> = columns.collect();
        let paths = PathBook::new(self.universe.path, self.paths.into_iter().collect());
        Arc::new(Space { columns, cubes, paths, budget: *budget, splits: Mutex::default() })
    }
}

/// One dimension with every test on it.
#[derive(Debug)]
pub(super) struct Column {
    /// The dimension.
    pub(super) dimension: Dimension,
    /// What can occur.
    pub(super) domain: Arc<Domain>,
    /// The tests by number.
    tests: Vec<Test>,
    /// The classes by all tests; `None` where a list is better split by its own tests alone.
    pub(super) whole: Option<Arc<Classes>>,
}

impl Column {
    /// A dimension and its tests.
    fn new(dimension: Dimension, tests: Vec<Test>, universe: &Universe, budget: &Budget) -> Self {
        let domain = universe.domain(&dimension);
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
