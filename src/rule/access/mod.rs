//! The access table held against what the manifests do: what gets in beyond it, and what of it nobody can use.

mod answers;
mod cubes;
mod glob;
mod table;
mod words;

pub use answers::{Answers, Beyond, Item, answers, has_no_path};
pub use cubes::{cubes, paths};
pub use table::AccessTable;
pub(super) use words::{AccessFindings, ask, unmatched};
