//! The exact partition of all points by label: a decision diagram over the finite dimensions with path lists at its leaves.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::atoms::{self, Atom};
use super::decision_list::{Cube, DecisionList, Dimension, Label, PathTest, Point, Rule, Universe};
use super::explore::Budget;
use super::path_list::{PathList, PathSearch};
use super::pattern::Pattern;

/// What searching for a request of a label gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// This one
    Found(Point),
    /// There is none: proven
    Empty,
    /// Not settled within the budget
    OutOfBudget {
        /// What was too much
        why: String,
    },
}

/// Where a dimension stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// The dimension
    pub dimension: Dimension,
    /// Representatives of the classes in the cell; an empty one is absence
    pub values: Vec<Vec<String>>,
    /// Whether the cell holds the class of what no pattern names
    pub others: bool,
}

/// Points of one label, one leaf and one way of the diagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Their label
    pub label: Label,
    /// The dimensions in play
    pub constraints: Vec<Constraint>,
    /// One of them
    pub witness: Point,
    /// Its paths, by the patterns that tell them from others
    pub paths: PathClass,
}

/// The paths of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathClass {
    /// No pattern is in play
    Any,
    /// The patterns that the witness matches
    Like(Vec<String>),
    /// Those that no pattern matches
    Other,
}

/// Index of a node; leaves count on their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum NodeId {
    /// An inner node
    Inner(u32),
    /// A leaf
    Leaf(u32),
}

/// An inner node: for each group of atoms what follows.
#[derive(Debug, Clone)]
struct Inner {
    /// Index of its dimension
    dimension: usize,
    /// Atoms by index, and the child
    children: Vec<(Vec<u32>, NodeId)>,
}

/// The partition of a decision list.
#[derive(Debug, Clone)]
pub struct Partition {
    /// Dimensions in play, in order
    dimensions: Vec<Dimension>,
    /// Patterns of each
    patterns: Vec<Vec<Pattern>>,
    /// Classes of each
    atoms: Vec<Vec<Atom>>,
    /// Inner nodes
    inner: Vec<Inner>,
    /// Leaves
    leaves: Vec<PathList>,
    /// A path for each label of each leaf
    paths: Vec<BTreeMap<Label, PathSearch>>,
    /// Where it begins
    root: NodeId,
    /// What was too much, if anything
    exceeded: Option<String>,
    /// Labels of the list
    all: BTreeSet<Label>,
}

/// The list with what lies outside of `within` labelled so.
pub(super) fn restricted(list: &DecisionList, within: &Cube) -> DecisionList {
    let mut rules = Vec::new();
    let outside = |cube: Cube| Rule { cube, label: Label::OUTSIDE };
    for test in &within.tests {
        if let Some(any_of) = &test.any_of {
            rules.push(outside(Cube::default().none(test.dimension.clone(), any_of.clone())));
        }
        if !test.none_of.is_empty() {
            rules.push(outside(Cube::default().any(test.dimension.clone(), test.none_of.clone())));
        }
    }
    for test in &within.path {
        if let Some(any_of) = &test.any_of {
            let path = PathTest { any_of: None, none_of: any_of.clone() };
            rules.push(outside(Cube { tests: Vec::new(), path: vec![path] }));
        }
        if !test.none_of.is_empty() {
            rules.push(outside(Cube::default().path(test.none_of.clone())));
        }
    }
    rules.extend(list.rules.iter().cloned());
    DecisionList { rules, default: list.default }
}

/// The classes of every dimension in play. What exceeds the budget is said, its dimension left out.
pub(super) struct Classes {
    /// Dimensions in play, in order
    pub(super) dimensions: Vec<Dimension>,
    /// Patterns of each
    pub(super) patterns: Vec<Vec<Pattern>>,
    /// Classes of each
    pub(super) atoms: Vec<Vec<Atom>>,
}

/// Finds the classes of every dimension that some rule looks at.
pub(super) fn classes<'r>(
    rules: impl Iterator<Item = &'r Rule>,
    universe: &Universe,
    budget: &Budget,
) -> Result<Classes, String> {
    let mut by_dimension: BTreeMap<Dimension, BTreeSet<Pattern>> = BTreeMap::new();
    for test in rules.flat_map(|rule| &rule.cube.tests) {
        by_dimension.entry(test.dimension.clone()).or_default().extend(test.patterns().cloned());
    }
    let mut found = Classes { dimensions: Vec::new(), patterns: Vec::new(), atoms: Vec::new() };
    for (dimension, patterns) in by_dimension {
        let patterns: Vec<Pattern> = patterns.into_iter().collect();
        let atoms = atoms::atoms(&patterns, &universe.domain(&dimension), budget.states)
            .map_err(|why| format!("too many combinations: {why} ({dimension:?})"))?;
        found.dimensions.push(dimension);
        found.patterns.push(patterns);
        found.atoms.push(atoms);
    }
    Ok(found)
}

/// Partitions the points of `within` that can occur.
pub fn partition(list: &DecisionList, within: &Cube, universe: &Universe, budget: &Budget) -> Partition {
    let list = restricted(list, within);
    let all = list.rules.iter().map(|rule| rule.label).chain([list.default]).filter(|label| !label.is_left_out());
    let mut partition = Partition {
        dimensions: Vec::new(),
        patterns: Vec::new(),
        atoms: Vec::new(),
        inner: Vec::new(),
        leaves: Vec::new(),
        paths: Vec::new(),
        root: NodeId::Leaf(0),
        exceeded: None,
        all: all.collect(),
    };
    match classes(list.rules.iter(), universe, budget) {
        Err(why) => partition.exceeded = Some(why),
        Ok(classes) => {
            partition.dimensions = classes.dimensions;
            partition.patterns = classes.patterns;
            partition.atoms = classes.atoms;
            let mut builder = Builder {
                list: &list,
                partition: &mut partition,
                memo: FxHashMap::default(),
                leaves: FxHashMap::default(),
                nodes: budget.nodes,
            };
            let live: Vec<u32> = (0..u32::try_from(list.rules.len()).unwrap_or(u32::MAX)).collect();
            match builder.node(0, live) {
                Ok(root) => partition.root = root,
                Err(why) => partition.exceeded = Some(why),
            }
        }
    }
    partition.paths = partition.leaves.iter().map(|leaf| leaf.labels(universe.path, budget)).collect();
    partition
}

/// Builds the diagram.
struct Builder<'a> {
    /// The list
    list: &'a DecisionList,
    /// What is built
    partition: &'a mut Partition,
    /// Nodes by dimension and live rules
    memo: FxHashMap<(usize, Vec<u32>), NodeId>,
    /// Leaves by content
    leaves: FxHashMap<PathList, u32>,
    /// Nodes left in the budget
    nodes: usize,
}

impl Builder<'_> {
    /// The node of a dimension with the rules that are still live.
    fn node(&mut self, dimension: usize, mut live: Vec<u32>) -> Result<NodeId, String> {
        // Behind a rule that holds for all that is left, no other one matters.
        let wanted = self.partition.dimensions.get(dimension..).unwrap_or_default();
        let free = |rule: &Rule| {
            rule.cube.path.is_empty() && !rule.cube.tests.iter().any(|test| wanted.contains(&test.dimension))
        };
        let rule = |index: &u32| self.list.rules.get(*index as usize);
        if let Some(end) = live.iter().position(|index| rule(index).is_some_and(free)) {
            live.truncate(end + 1);
        }
        let next = (dimension..self.partition.dimensions.len()).find(|at| {
            let dimension = self.partition.dimensions.get(*at);
            live.iter()
                .filter_map(rule)
                .any(|rule| rule.cube.tests.iter().any(|test| Some(&test.dimension) == dimension))
        });
        let Some(at) = next else {
            return Ok(self.leaf(&live));
        };
        if let Some(known) = self.memo.get(&(at, live.clone())) {
            return Ok(*known);
        }
        if self.nodes == 0 {
            return Err("too many combinations of conditions".to_owned());
        }
        self.nodes -= 1;
        let mut groups: BTreeMap<Vec<u32>, Vec<u32>> = BTreeMap::new();
        let atoms = self.partition.atoms.get(at).map_or(0, Vec::len);
        for atom in 0..atoms {
            let survivors = self.survivors(at, atom, &live);
            groups.entry(survivors).or_default().push(u32::try_from(atom).unwrap_or(u32::MAX));
        }
        let mut groups: Vec<(Vec<u32>, Vec<u32>)> = groups.into_iter().collect();
        groups.sort_by_key(|(_, atoms)| atoms.first().copied());
        let mut children = Vec::new();
        for (survivors, atoms) in groups {
            children.push((atoms, self.node(at + 1, survivors)?));
        }
        let id = NodeId::Inner(u32::try_from(self.partition.inner.len()).unwrap_or(u32::MAX));
        self.partition.inner.push(Inner { dimension: at, children });
        self.memo.insert((at, live), id);
        Ok(id)
    }

    /// The live rules whose tests on a dimension hold for an atom.
    fn survivors(&self, at: usize, atom: usize, live: &[u32]) -> Vec<u32> {
        let (Some(dimension), Some(patterns), Some(atom)) = (
            self.partition.dimensions.get(at),
            self.partition.patterns.get(at),
            self.partition.atoms.get(at).and_then(|atoms| atoms.get(atom)),
        ) else {
            return live.to_vec();
        };
        let matched =
            |pattern: &Pattern| patterns.binary_search(pattern).is_ok_and(|index| atoms::holds(&atom.truth, index));
        let keep = |index: &&u32| {
            self.list.rules.get(**index as usize).is_some_and(|rule| {
                rule.cube.tests.iter().filter(|test| test.dimension == *dimension).all(|test| {
                    test.any_of.as_ref().is_none_or(|any_of| any_of.iter().any(matched))
                        && !test.none_of.iter().any(matched)
                })
            })
        };
        live.iter().filter(keep).copied().collect()
    }

    /// The leaf of the rules that are still live.
    fn leaf(&mut self, live: &[u32]) -> NodeId {
        let mut list = PathList { rules: Vec::new(), default: self.list.default };
        for rule in live.iter().filter_map(|index| self.list.rules.get(*index as usize)) {
            if rule.cube.path.is_empty() {
                list.default = rule.label;
                break;
            }
            list.rules.push((rule.cube.path.clone(), rule.label));
        }
        // Rules at the end that say what the default says add nothing.
        while list.rules.last().is_some_and(|(_, label)| *label == list.default) {
            list.rules.pop();
        }
        let next = u32::try_from(self.partition.leaves.len()).unwrap_or(u32::MAX);
        let index = *self.leaves.entry(list.clone()).or_insert(next);
        if index == next {
            self.partition.leaves.push(list);
        }
        NodeId::Leaf(index)
    }
}

impl Partition {
    /// The label of a point. `None`: it lies outside, or the budget did not suffice.
    pub fn label(&self, point: &Point) -> Option<Label> {
        if self.exceeded.is_some() {
            return None;
        }
        let mut node = self.root;
        while let NodeId::Inner(index) = node {
            let inner = self.inner.get(index as usize)?;
            let values = point.values.get(self.dimensions.get(inner.dimension)?).map_or(&[][..], Vec::as_slice);
            let truth = atoms::truth_of(self.patterns.get(inner.dimension)?, values);
            let atom = self.atoms.get(inner.dimension)?.iter().position(|atom| atom.truth == truth)?;
            let atom = u32::try_from(atom).ok()?;
            node = inner.children.iter().find(|(atoms, _)| atoms.contains(&atom))?.1;
        }
        let NodeId::Leaf(leaf) = node else {
            return None;
        };
        Some(self.leaves.get(leaf as usize)?.label(&point.path)).filter(|label| !label.is_left_out())
    }

    /// For each label of the list a request that gets it, or the proof that none does.
    pub fn labels(&self) -> BTreeMap<Label, Search> {
        if let Some(why) = &self.exceeded {
            return self.all.iter().map(|label| (*label, Search::OutOfBudget { why: why.clone() })).collect();
        }
        let mut memo = FxHashMap::default();
        let best = self.best(self.root, &mut memo);
        let labels = self.all.iter().map(|label| {
            let search = match best.get(label) {
                Some((_, Ok(point))) => Search::Found(point.clone()),
                Some((_, Err(()))) => Search::OutOfBudget { why: "the path could not be settled".to_owned() },
                None => Search::Empty,
            };
            (*label, search)
        });
        labels.collect()
    }

    /// For each label below a node the cheapest point, with its cost. `Err`: not settled.
    fn best(&self, node: NodeId, memo: &mut FxHashMap<NodeId, Best>) -> Best {
        if let Some(known) = memo.get(&node) {
            return known.clone();
        }
        let mut best = Best::new();
        match node {
            NodeId::Leaf(index) => {
                for (label, search) in self.paths.get(index as usize).into_iter().flatten() {
                    let found = match search {
                        PathSearch::Found(path) => Ok(Point { values: BTreeMap::new(), path: path.clone() }),
                        PathSearch::OutOfBudget => Err(()),
                        PathSearch::Empty => continue,
                    };
                    let cost = found.as_ref().map_or(usize::MAX, |point| super::path_list::cost(&point.path).0);
                    best.insert(*label, (cost, found));
                }
            }
            NodeId::Inner(index) => {
                if let Some(inner) = self.inner.get(index as usize) {
                    for (atoms, child) in &inner.children {
                        let below = self.best(*child, memo);
                        let first = atoms.first().copied().unwrap_or(0);
                        self.take(inner.dimension, first, &below, &mut best);
                    }
                }
            }
        }
        memo.insert(node, best.clone());
        best
    }

    /// Takes over what lies below an atom where it is cheaper.
    fn take(&self, at: usize, atom: u32, below: &Best, best: &mut Best) {
        let dimension = self.dimensions.get(at);
        let values = self.atoms.get(at).and_then(|atoms| atoms.get(atom as usize)).map(|atom| &atom.values);
        for (label, (cost, found)) in below {
            // Early atoms are the ones that are good to show; a value costs more than absence.
            let cost = cost.saturating_add(atom as usize * 3);
            let better = best.get(label).is_none_or(|(known, _)| cost < *known);
            if !better {
                continue;
            }
            let found = found.clone().map(|mut point| {
                if let (Some(dimension), Some(values)) = (dimension, values) {
                    point.values.insert(dimension.clone(), values.clone());
                }
                point
            });
            best.insert(*label, (cost, found));
        }
    }

    /// Every cell, at most as many as the budget lists.
    pub fn cells(&self, budget: &Budget) -> Vec<Cell> {
        let mut cells = Vec::new();
        if self.exceeded.is_none() {
            self.collect(self.root, &mut Vec::new(), budget.cells, &mut cells);
        }
        cells
    }

    /// Lists the cells below a node.
    fn collect(&self, node: NodeId, way: &mut Vec<(usize, Vec<u32>)>, limit: usize, cells: &mut Vec<Cell>) {
        match node {
            NodeId::Inner(index) => {
                let Some(inner) = self.inner.get(index as usize) else {
                    return;
                };
                for (atoms, child) in &inner.children {
                    way.push((inner.dimension, atoms.clone()));
                    self.collect(*child, way, limit, cells);
                    way.pop();
                }
            }
            NodeId::Leaf(index) => {
                let (Some(leaf), Some(paths)) = (self.leaves.get(index as usize), self.paths.get(index as usize))
                else {
                    return;
                };
                for (label, search) in paths {
                    let PathSearch::Found(path) = search else {
                        continue;
                    };
                    if label.is_left_out() || cells.len() >= limit {
                        continue;
                    }
                    cells.push(self.cell(*label, path, leaf, way));
                }
            }
        }
    }

    /// One cell.
    fn cell(&self, label: Label, path: &str, leaf: &PathList, way: &[(usize, Vec<u32>)]) -> Cell {
        let mut witness = Point { values: BTreeMap::new(), path: path.to_owned() };
        let mut constraints = Vec::new();
        for (at, chosen) in way {
            let (Some(dimension), Some(atoms)) = (self.dimensions.get(*at), self.atoms.get(*at)) else {
                continue;
            };
            let chosen: Vec<&Atom> = chosen.iter().filter_map(|atom| atoms.get(*atom as usize)).collect();
            if let Some(first) = chosen.first() {
                witness.values.insert(dimension.clone(), first.values.clone());
            }
            constraints.push(Constraint {
                dimension: dimension.clone(),
                values: chosen.iter().map(|atom| atom.values.clone()).collect(),
                others: chosen.iter().any(|atom| atom.truth.iter().all(|word| *word == 0)),
            });
        }
        let patterns = leaf.patterns();
        let matching = patterns.iter().filter(|pattern| pattern.matches(path)).map(|pattern| pattern.describe());
        let matching: Vec<String> = matching.collect();
        let paths = match (patterns.is_empty(), matching.is_empty()) {
            (true, _) => PathClass::Any,
            (false, true) => PathClass::Other,
            (false, false) => PathClass::Like(matching),
        };
        Cell { label, constraints, witness, paths }
    }

    /// How many path classes there are.
    pub fn path_classes(&self) -> usize {
        let found = |search: &&PathSearch| matches!(search, PathSearch::Found(_));
        self.paths.iter().map(|paths| paths.values().filter(found).count()).sum()
    }
}

/// For each label the cheapest point, with its cost.
type Best = BTreeMap<Label, (usize, Result<Point, ()>)>;
