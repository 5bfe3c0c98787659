//! The cheapest witness of each label, found from the leaves up.
#![expect(clippy::indexing_slicing, reason = "nodes are numbered by the diagram, children first")]

use std::collections::BTreeMap;

use super::budget::Excess;
use super::diagram::{Diagram, Node};
use super::list::Label;
use super::path_search::{PathSearch, cost};

/// By node: the labels that have a witness below, and those that may.
#[derive(Debug, Default)]
pub(super) struct Best {
    /// The cost and the branch of the cheapest witness.
    found: Vec<Vec<(Label, u32, u32)>>,
    /// Why a label without a witness may still have one.
    unknown: BTreeMap<(usize, Label), Excess>,
}

/// The way to a witness: the class on each column, and the leaf.
pub(super) type Way = (Vec<(usize, u32)>, usize);

impl Best {
    /// Fills the tables.
    pub(super) fn of(diagram: &Diagram, answers: &[BTreeMap<Label, PathSearch>]) -> Self {
        let mut best = Self::default();
        let mut uncertain: Vec<Vec<Label>> = Vec::with_capacity(diagram.nodes.len());
        for (at, node) in diagram.nodes.iter().enumerate() {
            let mut found: Vec<(Label, u32, u32)> = Vec::new();
            let mut unknown: Vec<(Label, Excess)> = Vec::new();
            match node {
                Node::Leaf(leaf) => {
                    for (label, answer) in &answers[*leaf] {
                        match answer {
                            PathSearch::Found(path) => found.push((*label, cost(path), 0)),
                            PathSearch::Empty => {}
                            PathSearch::OutOfBudget(why) => unknown.push((*label, why.clone())),
                        }
                    }
                }
                Node::Split(branches) => {
                    let atoms = diagram.views[branches.column].as_ref().map(|view| &view.classes.atoms);
                    for (edge, branch) in (0..).zip(&branches.edges) {
                        let own = atoms.and_then(|atoms| atoms.get(branch.first as usize)).map_or(0, |atom| atom.cost);
                        let below = best.found[branch.child]
                            .iter()
                            .map(|(label, cost, _)| (*label, cost.saturating_add(own), edge));
                        found.extend(below);
                        for label in &uncertain[branch.child] {
                            unknown.extend(best.unknown.get(&(branch.child, *label)).map(|why| (*label, why.clone())));
                        }
                    }
                    // Of each label the cheapest, and of those the first.
                    found.sort_unstable();
                    found.dedup_by_key(|(label, _, _)| *label);
                    let rest = branches
                        .rest
                        .iter()
                        .flat_map(|rest| rest.labels.iter().map(|label| (*label, rest.why.clone())));
                    unknown.extend(rest);
                }
                Node::Unknown(rest) => {
                    unknown.extend(rest.labels.iter().map(|label| (*label, rest.why.clone())));
                }
            }
            let mut labels: Vec<Label> = Vec::new();
            for (label, why) in unknown {
                best.unknown.entry((at, label)).or_insert_with(|| {
                    labels.push(label);
                    why
                });
            }
            best.found.push(found);
            uncertain.push(labels);
        }
        best
    }

    /// The labels that have a witness below a node.
    pub(super) fn labels(&self, node: usize) -> impl Iterator<Item = Label> {
        self.found[node].iter().map(|(label, _, _)| *label)
    }

    /// The labels below a node of which it is not known whether they occur.
    pub(super) fn unknown_labels(&self, node: usize) -> impl Iterator<Item = Label> {
        let all = self.unknown.range((node, Label(0))..=(node, Label::IMPOSSIBLE)).map(|((_, label), _)| *label);
        all.filter(move |label| self.choice(node, *label).is_none())
    }

    /// Why a label may occur below a node.
    pub(super) fn unknown(&self, node: usize, label: Label) -> Option<&Excess> {
        self.unknown.get(&(node, label))
    }

    /// Why any label may occur somewhere.
    pub(super) fn any_unknown(&self) -> Option<&Excess> {
        self.unknown.values().next()
    }

    /// The branch to the cheapest witness of a label.
    fn choice(&self, node: usize, label: Label) -> Option<usize> {
        let found = &self.found[node];
        let at = found.binary_search_by_key(&label, |(of, _, _)| *of).ok()?;
        Some(found[at].2 as usize)
    }

    /// The way to the cheapest witness of a label.
    pub(super) fn descend(&self, diagram: &Diagram, mut node: usize, label: Label) -> Option<Way> {
        let mut atoms = Vec::new();
        loop {
            let edge = self.choice(node, label)?;
            match &diagram.nodes[node] {
                Node::Leaf(leaf) => return Some((atoms, *leaf)),
                Node::Split(branches) => {
                    let edge = &branches.edges[edge];
                    atoms.push((branches.column, edge.first));
                    node = edge.child;
                }
                Node::Unknown(_) => return None,
            }
        }
    }
}
