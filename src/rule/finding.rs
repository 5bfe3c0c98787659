//! Findings: facts with spans, worded by their rule, before anything is rendered.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use crate::check::{Effect, Fix, Label, Related, Severity};
use crate::model::ObjectId;
use crate::semantics::{Cause, PASSED_OVER, Request, Step};

/// The id of a rule: a built-in one, or one that the user wrote.
pub type RuleId = Cow<'static, str>;

/// Whether the rule is broken, or cannot be proven to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A request goes through, or the fact is there
    Broken,
    /// An undetermined cell stands in the way of a proof
    NotProven,
}

/// What the proxies do with a witness.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Way {
    /// Hop by hop
    pub steps: Vec<Step>,
    /// Whether the client opens it by TLS of its own
    pub tls: bool,
    /// Whether what it shows is that it is refused, and not that it goes through
    pub refused: bool,
}

impl Way {
    /// Whether a step leaves a route for the next one, and so leads nowhere.
    pub fn is_passed_over(step: &Step) -> bool {
        step.what.contains(PASSED_OVER)
    }
}

/// A fact that breaks a rule, or keeps it from being proven.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Id of the rule
    pub rule: RuleId,
    /// How bad
    pub severity: Severity,
    /// Broken or not proven
    pub status: Status,
    /// The world, where the configuration has several
    pub world: Option<String>,
    /// What is true, lower-case, without full stop, user text in backticks
    pub message: String,
    /// What to do: an imperative, and in further lines the YAML to write
    pub help: Option<String>,
    /// The line that opens the hole
    pub label: Label,
    /// The object on that line
    pub resource: Option<ObjectId>,
    /// The workload that is open, `NS/NAME` or `NS/{k=v}`
    pub workload: Option<String>,
    /// A request that goes through, or is refused where that is what is found
    pub witness: Option<Box<Request>>,
    /// The path as the workload sees it, where that is another than the witness's
    pub seen_path: Option<String>,
    /// The doors that are open by it, and to whom
    pub doors: BTreeSet<String>,
    /// What the proxies do with the witness
    pub way: Way,
    /// How many cells of the matrix it stands for
    pub cells: usize,
    /// Why it is not proven
    pub causes: Vec<Cause>,
    /// Further places
    pub related: Vec<Related>,
    /// What would mend it
    pub fix: Option<Fix>,
}
