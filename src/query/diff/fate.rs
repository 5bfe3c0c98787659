//! How requests end on one side, in words and with the place that makes it so.

use std::hash::{Hash, Hasher};

use crate::semantics::{By, Decision, Ending, Guard, Inbound, PolicyRuleRef};
use crate::text::Span;

/// How requests end on one side.
#[derive(Debug, Clone)]
pub struct Fate {
    /// Whether a workload gets them
    pub decision: Decision,
    /// How they end; `None` when undetermined
    pub by: Option<By>,
    /// Why, lower-case, without full stop
    pub text: String,
    /// What in the manifests makes it so
    pub span: Option<Span>,
    /// The policy rule that decides, where one does
    pub rule: Option<PolicyRuleRef>,
}

/// Equal where the same is said, wherever it stands: the sides of a comparison have different files.
impl PartialEq for Fate {
    fn eq(&self, other: &Self) -> bool {
        (self.decision, self.by, &self.text) == (other.decision, other.by, &other.text)
    }
}

impl Eq for Fate {}

impl Hash for Fate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.decision, self.by, &self.text).hash(state);
    }
}

impl Fate {
    /// Requests that a proxy ends.
    pub(super) fn of(ending: &Ending) -> Self {
        if let Some(rule) = &ending.policy {
            let does = if ending.decision == Decision::Allowed { "admits" } else { "refuses" };
            return Self {
                text: format!("{} rules[{}] {does} it", rule.policy, rule.rule),
                span: Some(rule.span),
                rule: Some((**rule).clone()),
                ..Self::plain(ending.decision, ending.by, "")
            };
        }
        if let Some(cause) = &ending.cause {
            return Self { span: cause.span, ..Self::plain(ending.decision, ending.by, &cause.message) };
        }
        let text = match ending.by {
            Some(By::Reached) => "no ALLOW policy is attached, so everything passes",
            Some(By::Policy) => "no ALLOW policy matches",
            Some(By::Jwt) => "the token does not verify",
            Some(By::Closed) => "the connection is refused",
            Some(By::NoRoute) => "no route takes it",
            Some(By::Redirect) => "it is answered with a redirect",
            Some(By::DirectResponse) => "the proxy answers by itself",
            Some(By::Fault) => "a fault aborts it",
            Some(By::NoDestination) => "the route leads nowhere",
            Some(By::BadRequest) => "the port speaks HTTP only",
            Some(By::NoListener) => "nothing listens there",
            None => "it cannot be told",
        };
        Self::plain(ending.decision, ending.by, text)
    }

    /// Requests that end at the chain of a workload's port.
    pub(super) fn at(inbound: &Inbound<'_>, ending: &Ending) -> Self {
        let fate = Self::of(ending);
        match (&inbound.guard, ending.by) {
            (Guard::Nothing { reason, span }, Some(By::Reached)) => {
                Self { text: format!("no proxy stands in front: {reason}"), span: *span, ..fate }
            }
            (_, Some(By::Closed)) => {
                let mode = super::culprit::mode_word(inbound.mode.mode);
                Self { text: format!("the connection is refused (mTLS is {mode})"), span: inbound.mode.span, ..fate }
            }
            _ => fate,
        }
    }

    /// Requests to where nothing listens.
    pub(super) fn nothing() -> Self {
        Self::of(&Ending::denied(By::NoListener, None))
    }

    /// A fate without a place.
    fn plain(decision: Decision, by: Option<By>, text: &str) -> Self {
        Self { decision, by, text: text.to_owned(), span: None, rule: None }
    }
}
