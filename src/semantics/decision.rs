//! Answers: what happens to a request, who decided, and why an answer cannot be given.

use std::sync::Arc;

use serde::Serialize;

use crate::model::ObjectId;
use crate::text::Span;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// A workload gets it
    Allowed,
    /// No workload gets it
    Denied,
    /// The manifests do not say
    Undetermined,
}

/// How the request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// A workload got it
    Reached,
    /// 403, or a TCP chain closed by policy
    Policy,
    /// 404 by a proxy
    NoRoute,
    /// Answered with a redirect
    Redirect,
    /// Answered by the proxy itself
    DirectResponse,
    /// Aborted by a fault
    Fault,
    /// The route leads nowhere
    NoDestination,
    /// 400
    BadRequest,
    /// 401, or 403 for a wrong audience
    Jwt,
    /// Connection or handshake refused
    Closed,
    /// Nothing listens there
    NoListener,
}

/// Why an answer cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// A CUSTOM policy refers to an external authorizer
    CustomPolicy,
    /// A filter that may refuse requests
    RefusingFilter,
    /// A filter or patch that may change anything
    ChangingFilter,
    /// A condition on something that is not modelled
    UnmodelledCondition,
    /// A kind that is not modelled yet
    UnmodelledKind,
    /// Only the age of objects decides
    CreationOrder,
    /// What the route names is not in the input
    MissingResource,
    /// Who calls cannot be told
    UnknownCaller,
    /// More work than the budget allows
    Budget,
    /// A regular expression that cannot be judged
    Regex,
    /// A proxy would refuse the configuration as a whole
    RefusedConfiguration,
}

impl CauseKind {
    /// The kind in kebab-case, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::CustomPolicy => "custom-policy",
            Self::RefusingFilter => "refusing-filter",
            Self::ChangingFilter => "changing-filter",
            Self::UnmodelledCondition => "unmodelled-condition",
            Self::UnmodelledKind => "unmodelled-kind",
            Self::CreationOrder => "creation-order",
            Self::MissingResource => "missing-resource",
            Self::UnknownCaller => "unknown-caller",
            Self::Budget => "budget",
            Self::Regex => "regex",
            Self::RefusedConfiguration => "refused-configuration",
        }
    }
}

/// Why an answer cannot be given, with the place that makes it so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// The sort of reason
    pub kind: CauseKind,
    /// What is true, lower-case, without full stop
    pub message: String,
    /// Where, if one place makes it so
    pub span: Option<Span>,
}

/// The policy rule that decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyRuleRef {
    /// The policy
    pub policy: Arc<ObjectId>,
    /// Index of the rule in `spec.rules`
    pub rule: usize,
    /// The rule in the text, or what stands for it
    pub span: Span,
}

/// Something that an answer rests on and the input does not say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assumption {
    /// Kebab-case: `membership`, `gateway-identity`, `mesh-settings`, `trusted` …
    pub kind: &'static str,
    /// What is assumed
    pub message: String,
    /// What made it necessary
    pub span: Option<Span>,
}
