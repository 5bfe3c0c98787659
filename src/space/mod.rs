//! The space of requests: sets of strings, conditions on requests, ordered lists of them, and the exact
//! partition of all requests that such a list makes. Knows no YAML and no Istio resource.
#![warn(clippy::missing_docs_in_private_items)]

mod bank;
mod best;
mod budget;
mod builder;
mod bytes;
mod cell;
mod class_search;
mod classes;
mod diagram;
mod diff;
mod followed;
mod form;
mod junction;
mod language;
mod list;
mod naive;
mod narrow;
mod normalize;
mod partition;
mod path_book;
mod path_index;
mod path_search;
mod pattern;
mod re2;
mod residual;
mod second_hop;
mod store;
mod substitution;
mod trie;
mod two_hops;
mod universe;

pub use budget::{Budget, Excess, Search};
pub use bytes::ByteSet;
pub use cell::{AtomSet, Cell};
pub use diff::Change;
pub use language::Language;
pub use list::{Cube, DecisionList, Dimension, Label, PathTest, Rule, Test};
pub use naive::label_of;
pub use normalize::{Normalization, normalize, wire_form};
pub use partition::{Partition, partition};
pub use pattern::{Pattern, Piece};
pub use re2::RegexError;
pub use store::{Bounds, CubeId, RuleList, RuleStore, Space};
pub use substitution::substitute;
pub use two_hops::{PathRewrite, TwoHopSearch, through};
pub use universe::{Domain, PathDomain, Point, Universe, Values};

#[cfg(test)]
mod tests;
