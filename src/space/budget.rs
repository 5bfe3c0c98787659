//! How much work an answer may take, and answers that may be missing. Counts of work, never time.

use std::fmt;

use super::list::{Cube, Dimension};
use super::pattern::Pattern;
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

/// What was too much, or cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Excess {
    /// The automaton of a pattern would be too large
    Pattern(Pattern),
    /// A pattern on the dimension is no automaton
    Followed(Dimension, Pattern),
    /// The patterns on the dimension need more states than this
    States(Dimension, usize),
    /// The values of the dimension combine in more ways than this
    Combinations(Dimension, usize),
    /// The conditions combine in more ways than this
    Nodes(usize),
    /// The path rules need more states than this
    Paths(usize),
    /// The rules of two hops need more states than this
    TwoHops(usize),
    /// A rewrite that may make anything
    RegexRewrite,
    /// A rewrite whose replacement ends within an escape
    SplitEscape,
    /// Segments such as `..;x`, which the second hop removes, may lead there
    DotParameters,
    /// A path that one reading finds and the other refuses
    Disagreement,
}

impl Excess {
    /// Whether a cube holds what was too much; `None` where no single construct does.
    #[must_use]
    pub fn stands_in(&self, cube: &Cube) -> Option<bool> {
        let asks = |dimension: &Dimension| cube.tests.iter().any(|test| test.dimension == *dimension);
        let patterns = cube.tests.iter().map(|test| (&test.any_of, &test.none_of));
        let mut patterns = patterns.chain(cube.path.iter().map(|test| (&test.any_of, &test.none_of)));
        match self {
            Self::Pattern(pattern) | Self::Followed(_, pattern) => {
                Some(patterns.any(|(any_of, none_of)| any_of.iter().flatten().chain(none_of).any(|one| one == pattern)))
            }
            Self::States(dimension, _) | Self::Combinations(dimension, _) => Some(asks(dimension)),
            Self::Paths(_) | Self::TwoHops(_) | Self::DotParameters => Some(!cube.path.is_empty()),
            Self::Nodes(_) => Some(!cube.tests.is_empty()),
            Self::RegexRewrite | Self::SplitEscape | Self::Disagreement => None,
        }
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => write!(f, "the pattern `{}` is too large to follow", brief(pattern)),
            Self::Followed(dimension, pattern) => {
                write!(f, "the pattern `{}` on {dimension} cannot be followed", brief(pattern))
            }
            Self::States(dimension, most) => write!(f, "the patterns on {dimension} need more than {most} states"),
            Self::Combinations(dimension, most) => write!(f, "{dimension} has more than {most} combinations of values"),
            Self::Nodes(most) => write!(f, "the conditions combine in more than {most} ways"),
            Self::Paths(most) => write!(f, "the path rules need more than {most} states"),
            Self::TwoHops(most) => write!(f, "the path rules of both hops need more than {most} states"),
            Self::RegexRewrite => write!(f, "the path is rewritten by a regular expression"),
            Self::SplitEscape => write!(f, "the replacement of the rewrite ends within an escape"),
            Self::DotParameters => write!(f, "a path with dot-parameter segments may lead there"),
            Self::Disagreement => write!(f, "the two readings of a path disagree"),
        }
    }
}

/// A pattern for a message: one that is too large to follow may be too long to read as well.
fn brief(pattern: &Pattern) -> String {
    const MOST: usize = 80;
    let text = pattern.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
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
        why: Excess,
    },
}
