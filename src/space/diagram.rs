//! The memoised decision tree over the finite dimensions. Carries one or more lists at once; what is left at a
//! leaf is one path list for each.
#![expect(clippy::indexing_slicing, reason = "columns, rules and nodes are numbered here")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::atoms::{Column, Split};
use super::bits::Bits;
use super::budget::Budget;
use super::list::{Cube, DecisionList, Dimension, Label, PathTest, Test};
use super::residual::PathList;
use super::universe::{Point, Universe};

/// A rule with its tests numbered by column.
#[derive(Debug)]
struct Numbered {
    /// Its tests, ascending.
    tests: Vec<(usize, usize)>,
    /// Its conditions on the path.
    path: Vec<PathTest>,
    /// Its label.
    label: Label,
}

/// The rules of one list that are still possible.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Live {
    /// Their numbers.
    rules: Vec<u32>,
    /// The label where none matches.
    fallback: Label,
}

/// A node of the diagram.
#[derive(Debug)]
pub(super) enum Node {
    /// The finite dimensions are decided.
    Leaf(usize),
    /// Asks one dimension.
    Split(Branches),
    /// Too much work.
    Unknown(Unknown),
}

/// What was not looked at.
#[derive(Clone, Debug)]
pub(super) struct Unknown {
    /// Why.
    pub(super) why: String,
    /// The labels that the last list may give there.
    pub(super) labels: Vec<Label>,
}

/// The branches of a node.
#[derive(Debug)]
pub(super) struct Branches {
    /// The column that is asked.
    pub(super) column: usize,
    /// The tests that are asked.
    pub(super) asked: Arc<[Test]>,
    /// One branch for each distinct child.
    pub(super) edges: Vec<Edge>,
    /// The branch by the truths of the tests.
    pub(super) by_truth: BTreeMap<Bits, usize>,
    /// What was not split.
    pub(super) rest: Option<Unknown>,
}

/// A branch.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    /// The child.
    pub(super) child: usize,
    /// The truths of the asked tests that lead there.
    pub(super) truths: Vec<Bits>,
    /// Members of the classes, the cheapest first.
    pub(super) examples: Vec<(u32, Vec<String>)>,
}

/// The diagram.
#[derive(Debug)]
pub(super) struct Diagram {
    /// The dimensions in play.
    pub(super) columns: Vec<Column>,
    /// The nodes, children first.
    pub(super) nodes: Vec<Node>,
    /// The path lists at the leaves, one for each list.
    pub(super) leaves: Vec<Vec<PathList>>,
    /// The node to start from; `None` when no request is possible at all.
    pub(super) root: Option<usize>,
    /// A value for each dimension that the cube bounds; the others are free where they are not asked.
    pub(super) defaults: BTreeMap<Dimension, Vec<String>>,
}

/// The state of the construction.
struct Builder<'a> {
    /// The lists.
    lists: Vec<Vec<Numbered>>,
    /// Limits on work.
    budget: &'a Budget,
    /// What is built.
    diagram: Diagram,
    /// Nodes by column and live rules.
    memo: FxHashMap<(usize, Vec<Live>), usize>,
    /// Leaves by content.
    leaf_ids: FxHashMap<Vec<PathList>, usize>,
    /// Columns by all their tests; used to split by some of them.
    whole: Vec<Split>,
    /// Splits by some tests of a column.
    splits: FxHashMap<(usize, Vec<usize>), Arc<Split>>,
    /// Rules put in front of the last list at each leaf.
    path_within: Vec<(Vec<PathTest>, Label)>,
}

impl Diagram {
    /// Builds the diagram of some lists. `within` restricts the dimensions, and the path of the last list.
    pub(super) fn build(lists: &[&DecisionList], within: &Cube, universe: &Universe, budget: &Budget) -> Self {
        let mut columns = columns(lists, within, universe);
        let numbered = lists.iter().map(|list| number(list, &mut columns)).collect();
        for test in &within.tests {
            if let Some(column) = columns.iter_mut().find(|column| column.dimension == test.dimension) {
                let test = test_number(column, test);
                column.within.push(test);
            }
        }
        let mut diagram =
            Self { columns, nodes: Vec::new(), leaves: Vec::new(), root: None, defaults: BTreeMap::new() };
        for column in &diagram.columns {
            let split = column.split(&[], budget);
            match split.atoms.first() {
                Some(atom) if !column.within.is_empty() => {
                    diagram.defaults.insert(column.dimension.clone(), atom.example.clone());
                }
                Some(_) => {}
                None if split.incomplete.is_none() => return diagram,
                None => {}
            }
        }
        let whole = diagram.columns.iter().map(|column| {
            let asked: Vec<usize> = (0..column.tests.len()).collect();
            column.split(&asked, budget)
        });
        let whole = whole.collect();
        let mut builder = Builder {
            lists: numbered,
            budget,
            diagram,
            memo: FxHashMap::default(),
            leaf_ids: FxHashMap::default(),
            whole,
            splits: FxHashMap::default(),
            path_within: outside(within),
        };
        let start: Vec<Live> = lists
            .iter()
            .enumerate()
            .map(|(at, list)| {
                let all = (0..list.rules.len()).filter_map(|rule| u32::try_from(rule).ok());
                builder.live(at, 0, all, list.default)
            })
            .collect();
        let root = builder.node(0, start);
        builder.diagram.root = Some(root);
        builder.diagram
    }

    /// The leaf of a point, or what is unknown there; `None` outside of the universe.
    pub(super) fn leaf(&self, point: &Point) -> Option<Result<usize, &Unknown>> {
        let outside =
            |column: &Column| point.values.get(&column.dimension).is_some_and(|values| !column.domain.contains(values));
        if self.columns.iter().any(outside) {
            return None;
        }
        let mut node = self.root?;
        loop {
            match &self.nodes[node] {
                Node::Leaf(leaf) => return Some(Ok(*leaf)),
                Node::Unknown(unknown) => return Some(Err(unknown)),
                Node::Split(branches) => {
                    let values = point.values(&self.columns[branches.column].dimension);
                    let truth = Bits::collect(branches.asked.iter().map(|test| test.holds(values)));
                    match branches.by_truth.get(&truth) {
                        Some(edge) => node = branches.edges[*edge].child,
                        None => return branches.rest.as_ref().map(Err),
                    }
                }
            }
        }
    }
}

/// Rules that catch every path outside of a cube.
fn outside(within: &Cube) -> Vec<(Vec<PathTest>, Label)> {
    let mut rules = Vec::new();
    for test in &within.path {
        if let Some(any_of) = &test.any_of {
            rules.push((vec![PathTest::none(any_of.clone())], Label::IMPOSSIBLE));
        }
        if !test.none_of.is_empty() {
            rules.push((vec![PathTest::any(test.none_of.clone())], Label::IMPOSSIBLE));
        }
    }
    rules
}

/// Every dimension that somebody mentions.
fn columns(lists: &[&DecisionList], within: &Cube, universe: &Universe) -> Vec<Column> {
    let tests = lists.iter().flat_map(|list| &list.rules).flat_map(|rule| &rule.cube.tests);
    let mut dimensions: BTreeSet<&Dimension> = tests.map(|test| &test.dimension).collect();
    dimensions.extend(within.tests.iter().map(|test| &test.dimension));
    dimensions.extend(universe.domains.keys());
    let column = |dimension: &Dimension| Column {
        dimension: dimension.clone(),
        domain: universe.domain(dimension),
        tests: Vec::new(),
        within: Vec::new(),
    };
    dimensions.into_iter().map(column).collect()
}

/// The number of a test in its column.
fn test_number(column: &mut Column, test: &Test) -> usize {
    if let Some(known) = column.tests.iter().position(|known| known == test) {
        return known;
    }
    column.tests.push(test.clone());
    column.tests.len() - 1
}

/// Numbers the tests of a list.
fn number(list: &DecisionList, columns: &mut [Column]) -> Vec<Numbered> {
    let places: BTreeMap<Dimension, usize> =
        columns.iter().enumerate().map(|(at, column)| (column.dimension.clone(), at)).collect();
    let mut known: FxHashMap<Test, usize> = FxHashMap::default();
    for column in columns.iter() {
        known.extend(column.tests.iter().cloned().enumerate().map(|(at, test)| (test, at)));
    }
    let mut out = Vec::with_capacity(list.rules.len());
    for rule in &list.rules {
        let mut tests = Vec::new();
        for test in &rule.cube.tests {
            let Some(column) = places.get(&test.dimension).copied() else { continue };
            let id = *known.entry(test.clone()).or_insert_with(|| {
                columns[column].tests.push(test.clone());
                columns[column].tests.len() - 1
            });
            tests.push((column, id));
        }
        tests.sort_unstable();
        tests.dedup();
        let mut path = rule.cube.path.clone();
        path.retain(|test| test.any_of.is_some() || !test.none_of.is_empty());
        out.push(Numbered { tests, path, label: rule.label });
    }
    out
}

impl Builder<'_> {
    /// The live rules before a column: cut at the first that always matches, and at the end where the rest agrees.
    fn live(&self, list: usize, column: usize, rules: impl Iterator<Item = u32>, fallback: Label) -> Live {
        let mut live = Live { rules: Vec::new(), fallback };
        for id in rules {
            let rule = &self.lists[list][id as usize];
            let done = rule.tests.last().is_none_or(|(last, _)| *last < column);
            if done && rule.path.is_empty() {
                live.fallback = rule.label;
                break;
            }
            live.rules.push(id);
        }
        while live.rules.last().is_some_and(|id| self.lists[list][*id as usize].label == live.fallback) {
            live.rules.pop();
        }
        live
    }

    /// The node of some live rules from a column on.
    fn node(&mut self, from: usize, lives: Vec<Live>) -> usize {
        let next = lives.iter().enumerate().flat_map(|(list, live)| {
            let rules = &self.lists[list];
            live.rules.iter().filter_map(move |id| {
                let tests = &rules[*id as usize].tests;
                tests.iter().map(|(column, _)| *column).find(|column| *column >= from)
            })
        });
        let column = next.min().unwrap_or(self.diagram.columns.len());
        let key = (column, lives);
        if let Some(node) = self.memo.get(&key) {
            return *node;
        }
        let (column, lives) = (key.0, &key.1);
        let node = if column == self.diagram.columns.len() {
            Node::Leaf(self.leaf(lives))
        } else if self.diagram.nodes.len() >= self.budget.nodes {
            let why = format!("the conditions combine in more than {} ways", self.budget.nodes);
            Node::Unknown(Unknown { why, labels: self.labels(lives) })
        } else {
            Node::Split(self.branches(column, lives))
        };
        self.diagram.nodes.push(node);
        let id = self.diagram.nodes.len() - 1;
        self.memo.insert(key, id);
        id
    }

    /// The labels that the last list may still give.
    fn labels(&self, lives: &[Live]) -> Vec<Label> {
        let mut labels = Vec::new();
        if let (Some(live), Some(rules)) = (lives.last(), self.lists.last()) {
            labels.extend(live.rules.iter().map(|id| rules[*id as usize].label));
            labels.push(live.fallback);
        }
        labels.retain(|label| *label != Label::IMPOSSIBLE);
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// The leaf of some live rules.
    fn leaf(&mut self, lives: &[Live]) -> usize {
        let mut lists: Vec<PathList> = Vec::with_capacity(lives.len());
        for (list, live) in lives.iter().enumerate() {
            let rules = live.rules.iter().map(|id| {
                let rule = &self.lists[list][*id as usize];
                (rule.path.clone(), rule.label)
            });
            let before = if list + 1 == lives.len() { self.path_within.as_slice() } else { &[] };
            lists.push(PathList { rules: before.iter().cloned().chain(rules).collect(), fallback: live.fallback });
        }
        let fresh = self.diagram.leaves.len();
        let leaf = *self.leaf_ids.entry(lists.clone()).or_insert(fresh);
        if leaf == fresh {
            self.diagram.leaves.push(lists);
        }
        leaf
    }

    /// The classes of a column by some of its tests.
    fn split(&mut self, column: usize, asked: &[usize]) -> Arc<Split> {
        let key = (column, asked.to_vec());
        if let Some(split) = self.splits.get(&key) {
            return Arc::clone(split);
        }
        let whole = &self.whole[column];
        let split = if whole.incomplete.is_some() {
            self.diagram.columns[column].split(asked, self.budget)
        } else {
            project(whole, asked)
        };
        let split = Arc::new(split);
        self.splits.insert(key, Arc::clone(&split));
        split
    }

    /// Splits a node along a column.
    fn branches(&mut self, column: usize, lives: &[Live]) -> Branches {
        let mut asked: Vec<usize> = Vec::new();
        for (list, live) in lives.iter().enumerate() {
            for id in &live.rules {
                let tests = &self.lists[list][*id as usize].tests;
                asked.extend(tests.iter().filter(|(at, _)| *at == column).map(|(_, test)| *test));
            }
        }
        asked.sort_unstable();
        asked.dedup();
        let split = self.split(column, &asked);
        let place: FxHashMap<usize, usize> = asked.iter().enumerate().map(|(at, test)| (*test, at)).collect();
        let indices: Vec<Incidence> =
            lives.iter().enumerate().map(|(list, live)| self.incidence(list, live, column, &place)).collect();
        let mut edges: Vec<Edge> = Vec::new();
        let mut by_child: FxHashMap<usize, usize> = FxHashMap::default();
        let mut by_truth = BTreeMap::new();
        for atom in &split.atoms {
            let next: Vec<Live> = lives
                .iter()
                .zip(&indices)
                .enumerate()
                .map(|(list, (live, index))| {
                    let rules = index.survivors(&atom.truth, &live.rules);
                    self.live(list, column + 1, rules.into_iter(), live.fallback)
                })
                .collect();
            let child = self.node(column + 1, next);
            let edge = *by_child.entry(child).or_insert(edges.len());
            if edge == edges.len() {
                edges.push(Edge { child, truths: Vec::new(), examples: Vec::new() });
            }
            edges[edge].truths.push(atom.truth.clone());
            edges[edge].examples.push((atom.cost, atom.example.clone()));
            by_truth.insert(atom.truth.clone(), edge);
        }
        for edge in &mut edges {
            edge.examples.sort();
        }
        let tests = &self.diagram.columns[column].tests;
        let asked = asked.iter().map(|test| tests[*test].clone()).collect();
        let rest = split.incomplete.clone().map(|why| Unknown { why, labels: self.labels(lives) });
        Branches { column, asked, edges, by_truth, rest }
    }

    /// Indexes live rules by their tests on a column.
    fn incidence(&self, list: usize, live: &Live, column: usize, place: &FxHashMap<usize, usize>) -> Incidence {
        let mut index = Incidence { free: Vec::new(), by_test: vec![Vec::new(); place.len()], needed: Vec::new() };
        for (at, id) in live.rules.iter().enumerate() {
            let tests = &self.lists[list][*id as usize].tests;
            let mut needed = 0;
            for (_, test) in tests.iter().filter(|(of, _)| *of == column) {
                if let Some(test) = place.get(test) {
                    index.by_test[*test].push(at);
                    needed += 1;
                }
            }
            if needed == 0 {
                index.free.push(at);
            }
            index.needed.push(needed);
        }
        index
    }
}

/// Live rules by the tests that they ask on one column.
struct Incidence {
    /// Rules without a test there, by position.
    free: Vec<usize>,
    /// The positions of rules by test.
    by_test: Vec<Vec<usize>>,
    /// How many tests each rule asks.
    needed: Vec<u32>,
}

impl Incidence {
    /// The rules whose tests all hold, in order.
    fn survivors(&self, truth: &Bits, rules: &[u32]) -> Vec<u32> {
        let mut held: FxHashMap<usize, u32> = FxHashMap::default();
        let mut alive = self.free.clone();
        for at in truth.ones().flat_map(|test| &self.by_test[test]) {
            let count = held.entry(*at).or_insert(0);
            *count += 1;
            if *count == self.needed[*at] {
                alive.push(*at);
            }
        }
        alive.sort_unstable();
        alive.into_iter().map(|at| rules[at]).collect()
    }
}

/// Joins classes that differ only in tests nobody asks.
fn project(whole: &Split, asked: &[usize]) -> Split {
    let mut best: BTreeMap<Bits, super::atoms::Atom> = BTreeMap::new();
    for atom in &whole.atoms {
        let truth = Bits::collect(asked.iter().map(|test| atom.truth.get(*test)));
        match best.get_mut(&truth) {
            Some(known) if known.cost <= atom.cost => {}
            Some(known) => {
                known.example.clone_from(&atom.example);
                known.cost = atom.cost;
            }
            None => {
                best.insert(truth.clone(), super::atoms::Atom { truth, ..atom.clone() });
            }
        }
    }
    Split { atoms: best.into_values().collect(), incomplete: None }
}
