//! The cells of a partition, one by one.
#![expect(clippy::indexing_slicing, reason = "nodes and leaves are numbered by the diagram")]

use std::sync::Arc;

use super::bits::Bits;
use super::diagram::Node;
use super::list::{Dimension, Label, PathTest, Test};
use super::partition::Partition;
use super::path_search::PathSearch;
use super::residual::PathList;
use super::universe::Point;

/// A set of values of one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtomSet {
    /// The tests that tell its values apart.
    tests: Arc<[Test]>,
    /// The truths of the tests on its values.
    truths: Vec<Bits>,
    /// Whether it is everything but these.
    rest: bool,
    /// Readable members, the nicest first; an empty one is absence.
    examples: Vec<Vec<String>>,
}

impl AtomSet {
    /// Whether a value of the dimension is in the set.
    #[must_use]
    pub fn contains<S: AsRef<str>>(&self, values: &[S]) -> bool {
        let truth = Bits::collect(self.tests.iter().map(|test| test.holds(values)));
        self.truths.contains(&truth) != self.rest
    }

    /// Whether values that no pattern names are in the set.
    #[must_use]
    pub fn has_unnamed(&self) -> bool {
        let unnamed = Bits::collect(self.tests.iter().map(|test| test.any_of.is_none()));
        self.truths.contains(&unnamed) != self.rest
    }

    /// Readable members, one for each class, the nicest first; an empty one is absence.
    #[must_use]
    pub fn examples(&self) -> &[Vec<String>] {
        &self.examples
    }
}

impl std::fmt::Display for AtomSet {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.rest {
            return out.write_str("other values");
        }
        for (at, truth) in self.truths.iter().enumerate() {
            if at > 0 {
                out.write_str(" or ")?;
            }
            let told: Vec<String> = truth.ones().filter_map(|test| self.tests.get(test)).map(describe_test).collect();
            out.write_str(if told.is_empty() { "anything else" } else { "" })?;
            out.write_str(&told.join(" and "))?;
        }
        Ok(())
    }
}

/// A test in words.
fn describe_test(test: &Test) -> String {
    describe(test.any_of.as_deref(), &test.none_of)
}

/// A condition in words.
fn describe(any_of: Option<&[super::Pattern]>, none_of: &[super::Pattern]) -> String {
    let list = |patterns: &[super::Pattern]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (any_of, none_of) {
        (Some(any_of), []) => list(any_of),
        (Some(any_of), none_of) => format!("{} but not {}", list(any_of), list(none_of)),
        (None, none_of) => format!("not {}", list(none_of)),
    }
}

/// A non-empty class of requests that get one label.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The label.
    pub label: Label,
    /// The values on the dimensions that matter; the others are free.
    pub constraints: Vec<(Dimension, AtomSet)>,
    /// The rules whose paths these are, in words; earlier rules of the same class go before.
    pub paths: Vec<String>,
    /// A request of the cell. Where `proven` is false it only lies in the same class of the other dimensions.
    pub witness: Point,
    /// Whether the cell is known to be non-empty. False where the budget ran out: it may be empty.
    pub proven: bool,
}

impl Partition {
    /// The cells: disjoint, and together every request. Beyond the budget of cells the dimensions that are left
    /// are not split further: such a cell is still exactly the requests of its class with its label.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        if let Some(root) = self.diagram.root {
            self.cells_below(root, &mut Vec::new(), &mut Vec::new(), &mut cells);
        }
        cells
    }

    /// The cells below a node.
    fn cells_below(
        &self,
        node: usize,
        constraints: &mut Vec<(Dimension, AtomSet)>,
        values: &mut Vec<(usize, Vec<String>)>,
        cells: &mut Vec<Cell>,
    ) {
        let branches = match &self.diagram.nodes[node] {
            Node::Split(branches) if cells.len() < self.budget.cells => branches,
            Node::Split(_) | Node::Unknown(_) => {
                self.joined(node, constraints, values, cells);
                return;
            }
            Node::Leaf(leaf) => {
                self.leaf_cells(*leaf, constraints, values, cells);
                return;
            }
        };
        let dimension = &self.diagram.columns[branches.column].dimension;
        for edge in &branches.edges {
            let atoms = AtomSet {
                tests: Arc::clone(&branches.asked),
                truths: edge.truths.clone(),
                rest: false,
                examples: edge.examples.iter().map(|(_, example)| example.clone()).collect(),
            };
            let first = atoms.examples.first().cloned().unwrap_or_default();
            constraints.push((dimension.clone(), atoms));
            values.push((branches.column, first));
            self.cells_below(edge.child, constraints, values, cells);
            constraints.pop();
            values.pop();
        }
        if let Some(rest) = &branches.rest {
            let atoms = AtomSet {
                tests: Arc::clone(&branches.asked),
                truths: branches.by_truth.keys().cloned().collect(),
                rest: true,
                examples: Vec::new(),
            };
            constraints.push((dimension.clone(), atoms));
            for label in &rest.labels {
                cells.push(self.doubtful(*label, constraints, values));
            }
            constraints.pop();
        }
    }

    /// One cell for each label below a node, not split further.
    fn joined(
        &self,
        node: usize,
        constraints: &[(Dimension, AtomSet)],
        values: &[(usize, Vec<String>)],
        cells: &mut Vec<Cell>,
    ) {
        for label in self.best.labels(node) {
            if let Some(witness) = self.witness(node, values, label) {
                let paths = vec!["several".to_owned()];
                cells.push(Cell { label, constraints: constraints.to_vec(), paths, witness, proven: true });
            }
        }
        for label in self.best.unknown_labels(node) {
            cells.push(self.doubtful(label, constraints, values));
        }
    }

    /// The cells of a leaf.
    fn leaf_cells(
        &self,
        leaf: usize,
        constraints: &[(Dimension, AtomSet)],
        values: &[(usize, Vec<String>)],
        cells: &mut Vec<Cell>,
    ) {
        let Some(list) = self.diagram.leaves[leaf].first() else { return };
        for (label, answer) in &self.answers[leaf] {
            let paths = paths_of(list, *label);
            match answer {
                PathSearch::Found(path) => {
                    let witness = self.point(values.iter().cloned(), path.clone());
                    cells.push(Cell { label: *label, constraints: constraints.to_vec(), paths, witness, proven: true });
                }
                PathSearch::Empty => {}
                PathSearch::OutOfBudget(_) => {
                    cells.push(Cell { paths, ..self.doubtful(*label, constraints, values) });
                }
            }
        }
    }

    /// A cell of which it is not known whether it is empty.
    fn doubtful(&self, label: Label, constraints: &[(Dimension, AtomSet)], values: &[(usize, Vec<String>)]) -> Cell {
        let witness = self.point(values.iter().cloned(), "/".to_owned());
        Cell { label, constraints: constraints.to_vec(), paths: Vec::new(), witness, proven: false }
    }
}

/// The paths of a label in words.
fn paths_of(list: &PathList, label: Label) -> Vec<String> {
    let words = |test: &PathTest| describe(test.any_of.as_deref(), &test.none_of);
    let of_label = list.rules.iter().filter(|(_, of)| *of == label);
    let mut paths: Vec<String> =
        of_label.map(|(tests, _)| tests.iter().map(words).collect::<Vec<_>>().join(" and ")).collect();
    if list.fallback == label {
        paths.push(if list.rules.is_empty() { "any path" } else { "other paths" }.to_owned());
    }
    paths
}
