//! The exact partition of all requests by a decision list.
#![expect(clippy::indexing_slicing, reason = "nodes and leaves are numbered by the diagram")]

use std::collections::BTreeMap;

use super::best::{Best, Choice};
use super::budget::{Budget, Search};
use super::diagram::{Diagram, Node};
use super::form::Form;
use super::list::{Cube, DecisionList, Label};
use super::path_search::{PathSearch, Paths, solve};
use super::residual::ListMachine;
use super::universe::{Point, Universe};

/// The partition of all requests of a universe, within a cube, by the label that a decision list gives them.
#[derive(Debug)]
pub struct Partition {
    /// The finite dimensions.
    pub(super) diagram: Diagram,
    /// Which labels occur at each leaf.
    pub(super) answers: Vec<BTreeMap<Label, PathSearch>>,
    /// The shape of paths.
    paths: Paths,
    /// The cube.
    within: Cube,
    /// Every label of the list.
    written: Vec<Label>,
    /// The cheapest witnesses.
    pub(super) best: Best,
    /// Limits on work.
    pub(super) budget: Budget,
}

/// Partitions all requests of a universe that lie within a cube.
#[must_use]
pub fn partition(list: &DecisionList, within: &Cube, universe: &Universe, budget: &Budget) -> Partition {
    let paths = Paths { form: Form::of_paths(universe.path), mode: universe.path.normalization() };
    let diagram = Diagram::build(&[list], within, universe, budget);
    let solved =
        |lists: &Vec<_>| lists.first().map_or_else(BTreeMap::new, |list| solve(list, &paths, budget.path_states));
    let answers: Vec<BTreeMap<Label, PathSearch>> = diagram.leaves.iter().map(solved).collect();
    let choice = |answer: &PathSearch| match answer {
        PathSearch::Found(path) => Choice::Leaf(super::path_search::cost(path)),
        PathSearch::Empty => Choice::Empty,
        PathSearch::OutOfBudget(why) => Choice::Unknown(why.clone()),
    };
    let leaves = answers
        .iter()
        .map(|leaf| leaf.iter().map(|(label, answer)| (*label, choice(answer))).collect())
        .collect::<Vec<BTreeMap<Label, Choice>>>();
    let best = Best::of(&diagram, &leaves);
    let mut written: Vec<Label> = list.rules.iter().map(|rule| rule.label).collect();
    written.push(list.default);
    written.retain(|label| *label != Label::IMPOSSIBLE);
    written.sort_unstable();
    written.dedup();
    Partition { diagram, answers, paths, within: within.clone(), written, best, budget: *budget }
}

impl Partition {
    /// The label of a point, looked up in the partition; `None` outside of the cube or the universe, or where
    /// the budget ran out.
    #[must_use]
    pub fn label(&self, point: &Point) -> Option<Label> {
        if !self.within.holds(point) || !self.paths.form.contains(&point.path) {
            return None;
        }
        let leaf = self.diagram.leaf(point)?.ok()?;
        let list = self.diagram.leaves[leaf].first()?;
        let mut machine = ListMachine::new(list);
        let end = point.path.bytes().fold(machine.start(), |state, byte| machine.step(&state, byte));
        machine.label(&end)
    }

    /// For each label of the list a preferred witness, or that there is none.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<Label, Search> {
        self.written.iter().map(|label| (*label, self.search(*label))).collect()
    }

    /// A preferred witness of one label, or that there is none.
    #[must_use]
    pub fn search(&self, label: Label) -> Search {
        let Some(root) = self.diagram.root else { return Search::Empty };
        match self.witness(root, &[], label) {
            Some(point) => Search::Found(point),
            None => match self.best.unknown(root, label) {
                Some(why) => Search::OutOfBudget { why: why.to_owned() },
                None => Search::Empty,
            },
        }
    }

    /// The cheapest point of a label below a node, given the branches taken before.
    pub(super) fn witness(&self, node: usize, before: &[(usize, Vec<String>)], label: Label) -> Option<Point> {
        let (values, leaf) = self.best.descend(&self.diagram, node, label)?;
        let PathSearch::Found(path) = self.answers[leaf].get(&label)? else { return None };
        Some(self.point(before.iter().cloned().chain(values), path.clone()))
    }

    /// A point with defaults for what is not asked.
    pub(super) fn point(&self, values: impl Iterator<Item = (usize, Vec<String>)>, path: String) -> Point {
        self.diagram.point(values, path)
    }

    /// How many classes of paths there are, over all leaves.
    #[must_use]
    pub fn path_classes(&self) -> usize {
        let found = |answer: &&PathSearch| matches!(answer, PathSearch::Found(_));
        self.answers.iter().map(|leaf| leaf.values().filter(found).count()).sum()
    }

    /// How many nodes the diagram of the finite dimensions has.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.diagram.nodes.len()
    }

    /// Why something is not settled, if anything is.
    #[must_use]
    pub fn unsettled(&self) -> Option<&str> {
        self.diagram.nodes.iter().enumerate().find_map(|(id, node)| match node {
            Node::Unknown(unknown) => Some(unknown.why.as_str()),
            Node::Split(branches) => branches.rest.as_ref().map(|rest| rest.why.as_str()),
            Node::Leaf(_) => self.best.any_unknown(id),
        })
    }
}
