//! YAML as kubectl reads it, into a tree whose every node knows its bytes.
//!
//! Documents are split by lines before they are parsed, only the first root of each piece counts,
//! plain scalars follow YAML 1.1, the last of equal keys wins. Reading never fails: what cannot be
//! read is a [`Problem`], and the next document is read all the same. Knows nothing of Istio.

mod build;
mod node;
mod pieces;
mod scalar;
mod typed;

pub use build::{Comment, Problem, ProblemKind, Stream, read};
pub use node::{Document, Node, NodeKind};
pub use typed::{IntOrString, OneOrMany, TypeError, Typed, Unread, from_node};
