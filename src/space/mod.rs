//! The request-space algebra: patterns, decision lists, their exact partition, and witnesses.
//!
//! A request is a point: values on finite dimensions (peer, method, headers …) and a path. A
//! [`DecisionList`] labels every point, first match wins. [`partition()`] splits all points that can
//! occur by label: dimension by dimension through the classes of values that no pattern in play
//! tells apart, and the path last, by an automaton. Nothing is sampled; every request lies in
//! exactly one cell. What would take more than a budget of work is said to be so, never guessed.
//!
//! Knows no YAML and no Istio resource.

mod atoms;
mod bytes;
mod decision_list;
mod explore;
mod machine;
mod normal_form;
mod normalize;
mod pair;
mod partition;
mod path_list;
mod pattern;
mod regex;
mod rewrite;
mod through;

pub use bytes::{ByteSet, Piece};
pub use decision_list::{
    Cube, DecisionList, Dimension, Domain, Label, PathDomain, PathTest, Point, Rule, Test, Universe, Values, label_of,
};
pub use explore::Budget;
pub use normalize::{Normalization, normalize, wire_form};
pub use partition::{Cell, Constraint, Partition, PathClass, Search, partition};
pub use pattern::Pattern;
pub use regex::{Language, RegexError};
pub use rewrite::{PathRewrite, rewrite_path};
pub use through::{TwoHopSearch, through};

#[cfg(test)]
mod tests;
