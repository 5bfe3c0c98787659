//! The cells of a partition, one by one.
#![expect(clippy::indexing_slicing, reason = "nodes and leaves are numbered by the diagram")]

use std::sync::Arc;

use super::classes::{AtomIds, Classes};
use super::diagram::{Branches, Edge, Node};
use super::list::{Dimension, Label, PathTest};
use super::partition::Partition;
use super::path_search::PathSearch;
use super::pattern::Pattern;
use super::residual::PathList;
use super::universe::Point;

/// A set of values of one dimension.
#[derive(Clone, Debug)]
pub struct AtomSet {
    /// The classes of the dimension.
    classes: Arc<Classes>,
    /// The classes in the set; `None` for values of which no class is known.
    atoms: Option<AtomIds>,
    /// What the question leaves of the dimension; `None` for everything.
    allowed: Option<AtomIds>,
    /// Readable members.
    examples: Vec<Vec<String>>,
}

impl AtomSet {
    /// Whether a value of the dimension is in the set.
    #[must_use]
    pub fn contains(&self, values: &[String]) -> bool {
        match (self.classes.find(values), &self.atoms) {
            (Some(atom), Some(atoms)) => {
                atoms.contains(atom) && self.allowed.as_ref().is_none_or(|allowed| allowed.contains(atom))
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether values that no pattern names are in the set.
    #[must_use]
    pub fn has_unnamed(&self) -> bool {
        let Some(atoms) = &self.atoms else { return true };
        let mut all = (0..).zip(&self.classes.atoms);
        all.any(|(id, atom): (u32, _)| atom.is_unnamed() && atoms.contains(id))
    }

    /// Whether there are classes in the set of which no example is given.
    #[must_use]
    pub fn has_others(&self) -> bool {
        let Some(atoms) = &self.atoms else { return false };
        let allowed = |id: u32| self.allowed.as_ref().is_none_or(|allowed| allowed.contains(id));
        let all = (0..).zip(&self.classes.atoms).map(|(id, _)| id);
        all.filter(|id| atoms.contains(*id) && allowed(*id)).count() > self.examples.len()
    }

    /// Readable members, the nicest first; an empty one is absence. One for each class that the set names, and
    /// one for all others together.
    #[must_use]
    pub fn examples(&self) -> &[Vec<String>] {
        &self.examples
    }
}

/// A condition in words.
fn describe(any_of: Option<&[Pattern]>, none_of: &[Pattern]) -> String {
    let list = |patterns: &[Pattern]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
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
        values: &mut Vec<(usize, u32)>,
        cells: &mut Vec<Cell>,
    ) {
        let branches = match &self.diagram.nodes[node] {
            Node::Split(branches) if cells.len() < self.diagram.space.budget.cells => branches,
            Node::Split(_) | Node::Unknown(_) => {
                self.joined(node, constraints, values, cells);
                return;
            }
            Node::Leaf(leaf) => {
                self.leaf_cells(*leaf, constraints, values, cells);
                return;
            }
        };
        let dimension = &self.diagram.space.columns[branches.column].dimension;
        for edge in &branches.edges {
            let Some(atoms) = self.atoms(branches, Some(edge)) else { continue };
            constraints.push((dimension.clone(), atoms));
            values.push((branches.column, edge.first));
            self.cells_below(edge.child, constraints, values, cells);
            constraints.pop();
            values.pop();
        }
        if let Some(rest) = &branches.rest
            && let Some(atoms) = self.atoms(branches, None)
        {
            constraints.push((dimension.clone(), atoms));
            for label in &rest.labels {
                cells.push(self.doubtful(*label, constraints, values));
            }
            constraints.pop();
        }
    }

    /// The values of a branch, or those of which no class is known.
    fn atoms(&self, branches: &Branches, edge: Option<&Edge>) -> Option<AtomSet> {
        let view = self.diagram.views[branches.column].as_ref()?;
        let mut named: Vec<u32> = Vec::new();
        if let Some(edge) = edge {
            named.push(edge.first);
            if edge.atoms.except {
                // Classes that another branch asks about are told apart; those nobody asks about stand together.
                let asked = branches.edges.iter().flat_map(|edge| edge.atoms.ids.iter()).copied();
                named.extend(asked.filter(|atom| edge.atoms.contains(*atom)));
            } else {
                named.extend(edge.atoms.ids.iter().copied());
            }
            named.sort_unstable();
            named.dedup();
        }
        let example = |atom: &u32| view.classes.atoms.get(*atom as usize).map(|atom| atom.example.clone());
        Some(AtomSet {
            classes: Arc::clone(&view.classes),
            atoms: edge.map(|edge| edge.atoms.clone()),
            allowed: view.allowed.clone(),
            examples: named.iter().filter_map(example).collect(),
        })
    }

    /// One cell for each label below a node, not split further.
    fn joined(
        &self,
        node: usize,
        constraints: &[(Dimension, AtomSet)],
        values: &[(usize, u32)],
        cells: &mut Vec<Cell>,
    ) {
        for label in self.best().labels(node) {
            if let Some(witness) = self.witness(node, values, label) {
                let paths = vec!["several".to_owned()];
                cells.push(Cell { label, constraints: constraints.to_vec(), paths, witness, proven: true });
            }
        }
        for label in self.best().unknown_labels(node) {
            cells.push(self.doubtful(label, constraints, values));
        }
    }

    /// The cells of a leaf.
    fn leaf_cells(
        &self,
        leaf: usize,
        constraints: &[(Dimension, AtomSet)],
        values: &[(usize, u32)],
        cells: &mut Vec<Cell>,
    ) {
        let Some(rules) = self.diagram.leaves[leaf].first() else { return };
        let list = self.diagram.space.paths.spelled(rules);
        for (label, answer) in &self.answers[leaf] {
            let paths = paths_of(&list, *label);
            match answer {
                PathSearch::Found(path) => {
                    let witness = self.diagram.point(values.iter().copied(), path.clone());
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
    fn doubtful(&self, label: Label, constraints: &[(Dimension, AtomSet)], values: &[(usize, u32)]) -> Cell {
        let witness = self.diagram.point(values.iter().copied(), "/".to_owned());
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
