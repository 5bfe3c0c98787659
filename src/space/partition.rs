//! The exact partition of all requests by a decision list.
#![expect(clippy::indexing_slicing, reason = "nodes and leaves are numbered by the diagram")]

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::best::Best;
use super::budget::{Budget, Excess, Search};
use super::builder::Joint;
use super::diagram::{Diagram, Node};
use super::list::{Cube, DecisionList, Label};
use super::path_search::PathSearch;
use super::store::{Bounds, RuleList, RuleStore, Space};
use super::universe::{Point, Universe};

/// The partition of all requests of a universe, within a cube, by the label that a decision list gives them.
#[derive(Debug)]
pub struct Partition {
    /// The finite dimensions.
    pub(super) diagram: Diagram,
    /// Which labels occur at each leaf.
    pub(super) answers: Vec<BTreeMap<Label, PathSearch>>,
    /// The bounds.
    bounds: Bounds,
    /// Every label of the list.
    written: Vec<Label>,
    /// The cheapest witnesses, once somebody asks.
    best: OnceLock<Best>,
}

/// Partitions all requests of a universe that lie within a cube.
#[must_use]
pub fn partition(list: &DecisionList, within: &Cube, universe: &Universe, budget: &Budget) -> Partition {
    let mut store = RuleStore::new(universe.clone());
    let near = store.list(&list.near(within));
    let bounds = store.bounds(within);
    let found = store.freeze(budget).partition(&near, &bounds);
    Partition { written: written(list.rules.iter().map(|rule| rule.label), list.default), ..found }
}

/// Every label that occurs in a list.
fn written(labels: impl Iterator<Item = Label>, default: Label) -> Vec<Label> {
    let mut written: Vec<Label> = labels.chain([default]).filter(|label| *label != Label::IMPOSSIBLE).collect();
    written.sort_unstable();
    written.dedup();
    written
}

impl Space {
    /// Partitions all requests that lie within the bounds.
    #[must_use]
    pub fn partition(self: &Arc<Self>, list: &RuleList, bounds: &Bounds) -> Partition {
        let diagram = Diagram::build(self, &[list], bounds, &mut Joint::Hops);
        let rules = diagram.leaves.iter().filter_map(|lists| lists.first());
        let answers = rules.map(|rules| self.paths.solve(rules, self.budget.path_states)).collect();
        let written = written(list.rules.iter().map(|(_, label)| *label), list.default);
        Partition { diagram, answers, bounds: bounds.clone(), written, best: OnceLock::new() }
    }
}

impl Partition {
    /// The label of a point, looked up in the partition; `None` outside of the cube or the universe, or where
    /// the budget ran out.
    #[must_use]
    pub fn label(&self, point: &Point) -> Option<Label> {
        let paths = &self.diagram.space.paths;
        let led_out = self.bounds.outside.iter().any(|test| paths.holds(*test, &point.path));
        if led_out || !paths.form.contains(&point.path) || !self.is_within(point) {
            return None;
        }
        let leaf = self.diagram.leaf(point)?.ok()?;
        Some(paths.label(self.diagram.leaves[leaf].first()?, &point.path))
    }

    /// Whether the values of a point are within the bounds.
    fn is_within(&self, point: &Point) -> bool {
        self.diagram.views.iter().enumerate().all(|(column, view)| {
            let Some(view) = view.as_ref().filter(|view| view.allowed.is_some()) else { return true };
            let values = point.values(&self.diagram.space.columns[column].dimension);
            view.classes.find(values).is_some_and(|atom| view.allows(atom))
        })
    }

    /// The cheapest witnesses.
    pub(super) fn best(&self) -> &Best {
        self.best.get_or_init(|| Best::of(&self.diagram, &self.answers))
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
            None => match self.best().unknown(root, label) {
                Some(why) => Search::OutOfBudget { why: why.clone() },
                None => Search::Empty,
            },
        }
    }

    /// The cheapest point of a label below a node, given the classes taken before.
    pub(super) fn witness(&self, node: usize, before: &[(usize, u32)], label: Label) -> Option<Point> {
        let (atoms, leaf) = self.best().descend(&self.diagram, node, label)?;
        let PathSearch::Found(path) = self.answers[leaf].get(&label)? else { return None };
        Some(self.diagram.point(before.iter().copied().chain(atoms), path.clone()))
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
    pub fn unsettled(&self) -> Option<&Excess> {
        let mut rests = self.diagram.nodes.iter().filter_map(|node| match node {
            Node::Unknown(rest) => Some(rest),
            Node::Split(branches) => branches.rest.as_ref(),
            Node::Leaf(_) => None,
        });
        rests.next().map(|rest| &rest.why).or_else(|| self.best().any_unknown())
    }
}
