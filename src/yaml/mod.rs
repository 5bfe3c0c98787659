//! YAML as kubectl reads it, into a tree whose every node knows its bytes.
//!
//! Documents are split by lines before they are parsed, only the first root of each piece counts,
//! plain scalars follow YAML 1.1, the last of equal keys wins. Reading never fails: what cannot be
//! read is a [`Problem`], and the next document is read all the same. Knows nothing of Istio.
//!
//! Two readers fill the same tree. `scan` takes the plain block style that manifests are mostly written in, and declines
//! whatever is not certain to it; `build` takes all of YAML from a parser, and is what `scan` is held against. `json` reads
//! what kubectl takes for JSON.

mod aliases;
mod build;
mod choice;
mod edit;
mod guard;
mod json;
mod keys;
mod node;
mod pieces;
mod scalar;
mod scan;
mod stream;
mod tag;
mod typed;

pub use choice::{IntOrString, OneOrMany};
pub use edit::{Change, edit};
pub use node::{Document, Node, NodeId, NodeKind};
pub use scalar::surprise;
pub use stream::{Comment, Problem, ProblemKind, Stream, read, read_by_parser};
pub use typed::{TypeError, Typed, Unread, from_node};
