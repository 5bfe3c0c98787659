//! The cheapest witness of each label, found from the leaves up.
#![expect(clippy::indexing_slicing, reason = "nodes are numbered by the diagram, children first")]

use std::collections::BTreeMap;

use super::diagram::{Diagram, Node};
use super::list::Label;
use super::universe::Point;

/// What a leaf knows of a label.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    /// It has a witness of this cost.
    Leaf(u32),
    /// Proven: none.
    Empty,
    /// Not settled.
    Unknown(String),
}

/// By node: the labels that have a witness below, and those that may.
#[derive(Debug, Default)]
pub(super) struct Best {
    /// The cost and the branch of the cheapest witness.
    found: Vec<BTreeMap<Label, (u32, usize)>>,
    /// Why a label without a witness may still have one.
    unknown: Vec<BTreeMap<Label, String>>,
}

impl Best {
    /// Fills the tables.
    pub(super) fn of(diagram: &Diagram, leaves: &[BTreeMap<Label, Choice>]) -> Self {
        let mut best = Self::default();
        for node in &diagram.nodes {
            let mut found: BTreeMap<Label, (u32, usize)> = BTreeMap::new();
            let mut unknown: BTreeMap<Label, String> = BTreeMap::new();
            match node {
                Node::Leaf(leaf) => {
                    for (label, choice) in &leaves[*leaf] {
                        match choice {
                            Choice::Leaf(cost) => {
                                found.insert(*label, (*cost, 0));
                            }
                            Choice::Empty => {}
                            Choice::Unknown(why) => {
                                unknown.insert(*label, why.clone());
                            }
                        }
                    }
                }
                Node::Split(branches) => {
                    for (at, edge) in branches.edges.iter().enumerate() {
                        let own = edge.examples.first().map_or(0, |(cost, _)| *cost);
                        for (label, (cost, _)) in &best.found[edge.child] {
                            let cost = cost.saturating_add(own);
                            if found.get(label).is_none_or(|(known, _)| cost < *known) {
                                found.insert(*label, (cost, at));
                            }
                        }
                        for (label, why) in &best.unknown[edge.child] {
                            unknown.entry(*label).or_insert_with(|| why.clone());
                        }
                    }
                    if let Some(rest) = &branches.rest {
                        for label in &rest.labels {
                            unknown.entry(*label).or_insert_with(|| rest.why.clone());
                        }
                    }
                }
                Node::Unknown(rest) => {
                    unknown.extend(rest.labels.iter().map(|label| (*label, rest.why.clone())));
                }
            }
            best.found.push(found);
            best.unknown.push(unknown);
        }
        best
    }

    /// The labels that have a witness below a node.
    pub(super) fn labels(&self, node: usize) -> impl Iterator<Item = Label> {
        self.found[node].keys().copied()
    }

    /// The labels below a node of which it is not known whether they occur.
    pub(super) fn unknown_labels(&self, node: usize) -> impl Iterator<Item = Label> {
        self.unknown[node].keys().copied().filter(move |label| !self.found[node].contains_key(label))
    }

    /// Why a label may occur below a node.
    pub(super) fn unknown(&self, node: usize, label: Label) -> Option<&str> {
        self.unknown[node].get(&label).map(String::as_str)
    }

    /// Why any label may occur below a node.
    pub(super) fn any_unknown(&self, node: usize) -> Option<&str> {
        self.unknown[node].values().next().map(String::as_str)
    }

    /// The values on the way to the cheapest witness of a label, and its leaf.
    pub(super) fn descend(
        &self,
        diagram: &Diagram,
        mut node: usize,
        label: Label,
    ) -> Option<(Vec<(usize, Vec<String>)>, usize)> {
        let mut values = Vec::new();
        loop {
            let (_, at) = self.found[node].get(&label)?;
            match &diagram.nodes[node] {
                Node::Leaf(leaf) => return Some((values, *leaf)),
                Node::Split(branches) => {
                    let edge = &branches.edges[*at];
                    let example = edge.examples.first().map_or_else(Vec::new, |(_, example)| example.clone());
                    values.push((branches.column, example));
                    node = edge.child;
                }
                Node::Unknown(_) => return None,
            }
        }
    }
}

impl Diagram {
    /// A point with defaults for what is not asked.
    pub(super) fn point(&self, values: impl Iterator<Item = (usize, Vec<String>)>, path: String) -> Point {
        let mut point = Point { values: self.defaults.clone(), path };
        for (column, example) in values {
            point.values.insert(self.columns[column].dimension.clone(), example);
        }
        point.values.retain(|_, values| !values.is_empty());
        point
    }
}
