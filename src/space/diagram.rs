//! The memoised decision tree over the finite dimensions, of one or more lists at once: its nodes, and where a point
//! falls. What is left at a leaf is rules on the path, for each list.
#![expect(clippy::indexing_slicing, reason = "columns and nodes are numbered here")]

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::budget::Excess;
use super::classes::{AtomIds, Classes};
use super::list::{Dimension, Label};
use super::path_book::PathRules;
use super::store::Space;
use super::universe::Point;

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
    pub(super) why: Excess,
    /// The labels that the last list may give there.
    pub(super) labels: Vec<Label>,
}

/// The branches of a node.
#[derive(Debug)]
pub(super) struct Branches {
    /// The column that is asked.
    pub(super) column: usize,
    /// One branch for each distinct child, the cheapest class first.
    pub(super) edges: SmallVec<[Edge; 2]>,
    /// What was not split.
    pub(super) rest: Option<Unknown>,
}

/// A branch.
#[derive(Debug)]
pub(super) struct Edge {
    /// The child.
    pub(super) child: usize,
    /// The classes that lead there.
    pub(super) atoms: AtomIds,
    /// The cheapest of them.
    pub(super) first: u32,
}

/// A dimension as one diagram sees it.
#[derive(Debug)]
pub(super) struct View {
    /// Its classes.
    pub(super) classes: Arc<Classes>,
    /// The place of each test in the classes; `None` where it is the number of the test.
    pub(super) places: Option<FxHashMap<u32, usize>>,
    /// The classes that the bounds leave; `None` for all.
    pub(super) allowed: Option<AtomIds>,
}

impl View {
    /// The classes on which a test holds.
    pub(super) fn set(&self, test: u32) -> &AtomIds {
        let place = self.places.as_ref().map_or(test as usize, |places| places[&test]);
        &self.classes.sets[place]
    }

    /// Whether a class is within the bounds.
    pub(super) fn allows(&self, atom: u32) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(atom))
    }

    /// How many classes are within the bounds.
    pub(super) fn count(&self) -> usize {
        let all = self.classes.atoms.len();
        self.allowed.as_ref().map_or(all, |allowed| allowed.len(all))
    }

    /// The cheapest class within the bounds that is none of these, which ascend.
    pub(super) fn first_but(&self, these: &[u32]) -> Option<u32> {
        let all = 0..u32::try_from(self.classes.atoms.len()).unwrap_or(u32::MAX);
        all.into_iter().find(|atom| self.allows(*atom) && these.binary_search(atom).is_err())
    }
}

/// The diagram.
#[derive(Debug)]
pub(super) struct Diagram {
    /// What is known of dimensions and paths.
    pub(super) space: Arc<Space>,
    /// The dimensions in play, by column.
    pub(super) views: Vec<Option<View>>,
    /// The nodes, children first.
    pub(super) nodes: Vec<Node>,
    /// The rules on the path at the leaves, for each list.
    pub(super) leaves: Vec<SmallVec<[PathRules; 1]>>,
    /// The node to start from; `None` when no request is possible at all.
    pub(super) root: Option<usize>,
    /// The cheapest class of each dimension that the bounds are about; others are free where nobody asks.
    pub(super) defaults: Vec<(usize, u32)>,
}

impl Diagram {
    /// The leaf of a point, or what is unknown there; `None` outside of the universe.
    pub(super) fn leaf(&self, point: &Point) -> Option<Result<usize, &Unknown>> {
        let outside = |(column, _): &(usize, &View)| {
            let column = &self.space.columns[*column];
            point.values.get(&column.dimension).is_some_and(|values| !column.domain.contains(values))
        };
        if self.in_play().any(|view| outside(&view)) {
            return None;
        }
        let mut node = self.root?;
        loop {
            match &self.nodes[node] {
                Node::Leaf(leaf) => return Some(Ok(*leaf)),
                Node::Unknown(unknown) => return Some(Err(unknown)),
                Node::Split(branches) => {
                    let values = point.values(&self.space.columns[branches.column].dimension);
                    let atom = self.views[branches.column].as_ref()?.classes.find(values);
                    let edge = atom.and_then(|atom| branches.edges.iter().find(|edge| edge.atoms.contains(atom)));
                    match edge {
                        Some(edge) => node = edge.child,
                        None => return branches.rest.as_ref().map(Err),
                    }
                }
            }
        }
    }

    /// The dimensions in play.
    fn in_play(&self) -> impl Iterator<Item = (usize, &View)> {
        self.views.iter().enumerate().filter_map(|(column, view)| Some((column, view.as_ref()?)))
    }

    /// A point of these classes, with defaults for what the bounds are about.
    pub(super) fn point(&self, atoms: impl Iterator<Item = (usize, u32)>, path: String) -> Point {
        let mut values: BTreeMap<Dimension, Vec<String>> = BTreeMap::new();
        for (column, atom) in self.defaults.iter().copied().chain(atoms) {
            let example = self.views[column].as_ref().and_then(|view| view.classes.atoms.get(atom as usize));
            let example = example.map_or_else(Vec::new, |atom| atom.example.clone());
            values.insert(self.space.columns[column].dimension.clone(), example);
        }
        values.retain(|_, values| !values.is_empty());
        Point { values, path }
    }
}
