//! How much work an answer may take, and answers that may be missing. Counts of work, never time.

use super::universe::Point;

/// Limits on work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Nodes of one decision diagram.
    pub nodes: usize,
    /// States of one proof about paths.
    pub path_states: usize,
    /// States explored to split one dimension.
    pub atom_states: usize,
    /// Combinations of values on one dimension that may have several.
    pub combinations: usize,
    /// Cells listed one by one.
    pub cells: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { nodes: 200_000, path_states: 200_000, atom_states: 200_000, combinations: 4_096, cells: 50_000 }
    }
}

/// The answer to "is there such a request?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// Yes, this one.
    Found(Point),
    /// Proven: no.
    Empty,
    /// Not settled within the budget.
    OutOfBudget {
        /// What was too much.
        why: String,
    },
}
