//! The answer to one request, and the way it was found.

use super::decision::{By, Cause, Decision, PolicyRuleRef};
use crate::text::Span;

/// Something that a proxy did with the request on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `gateway NS/NAME`, `client NS/NAME`, `workload NS/NAME`
    pub at: String,
    /// What happened there, lower-case, without full stop
    pub what: String,
    /// What in the manifests made it so
    pub span: Option<Span>,
}

/// How a step reads that leaves a route for the next one.
pub const PASSED_OVER: &str = "does not match";

/// How one request ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether a workload gets it
    pub decision: Decision,
    /// How it ended; `None` when undetermined
    pub by: Option<By>,
    /// Which workload, `NS/NAME`, also for a denial at its sidecar
    pub workload: Option<String>,
    /// The path that it sees
    pub path: Option<String>,
    /// The authority that it sees
    pub authority: Option<String>,
    /// The proxy that decided
    pub at: Option<String>,
    /// The policy rule that decided; `None` with [`By::Policy`] where no ALLOW matched
    pub policy: Option<PolicyRuleRef>,
    /// Why it is undetermined
    pub cause: Option<Cause>,
}

/// The answer to a request: one outcome, or several where chance decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The outcome; with several, the one that the decision stands for
    pub outcome: Outcome,
    /// Every possible outcome, mirrors included, where chance decides; else empty
    pub outcomes: Vec<Outcome>,
    /// Hop by hop
    pub trace: Vec<Step>,
}
