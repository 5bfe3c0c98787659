//! One change at one place.

use serde::Serialize;

use super::culprit::Culprit;
use super::fate::Fate;
use crate::semantics::{Decision, Request};
use crate::text::Span;

/// What a change comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// Denied before, allowed now
    Allowed,
    /// Told before, undetermined now
    Undetermined,
    /// Undetermined before, told now
    Settled,
    /// Allowed before, denied now
    Denied,
}

impl ChangeKind {
    /// The kind of a change. `None`: the decision is the same.
    pub(super) fn of(before: Decision, now: Decision) -> Option<Self> {
        Some(match (before, now) {
            (before, now) if before == now => return None,
            (_, Decision::Undetermined) => Self::Undetermined,
            (Decision::Undetermined, _) => Self::Settled,
            (_, Decision::Allowed) => Self::Allowed,
            (_, Decision::Denied) => Self::Denied,
        })
    }
}

/// One change at one place, with a request that shows it.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it comes to
    pub kind: ChangeKind,
    /// What happened before
    pub before: Fate,
    /// What happens now
    pub now: Fate,
    /// What makes the change
    pub culprit: Culprit,
    /// A request that shows it, at its place on the new side, or on the old one if it is only there
    pub witness: Request,
    /// The place as the old side calls it; `None` where it does not have it
    pub old_entrypoint: Option<String>,
    /// The place as the new side calls it; `None` where it does not have it
    pub new_entrypoint: Option<String>,
    /// Why the witness may show something else, if it may
    pub doubt: Option<&'static str>,
}

/// A place of which it cannot be told whether something changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unsettled {
    /// Where requests enter
    pub entrypoint: String,
    /// Why not
    pub message: String,
    /// What makes it so
    pub span: Option<Span>,
}
