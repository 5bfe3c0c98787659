//! What makes a change: the policy rule or field on either side that the other side does not have.

use super::fate::Fate;
use crate::model::{AuthorizationPolicy, Mesh, MtlsMode, PolicyRule, Resource};
use crate::semantics::{By, Guard, Inbound, PolicyRuleRef};
use crate::text::Span;

/// A side of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What was
    Old,
    /// What is
    New,
}

/// What makes a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Culprit {
    /// On which side it stands
    pub side: Side,
    /// Where, if one place makes it so
    pub span: Option<Span>,
    /// What is true of it, lower-case, without full stop
    pub text: String,
}

impl Culprit {
    /// Something of a side.
    pub(super) fn new(side: Side, span: Option<Span>, text: impl Into<String>) -> Self {
        Self { side, span, text: text.into() }
    }

    /// What makes a change between the chains of a port on both sides.
    pub(super) fn between(before: &Fate, now: &Fate, old: &Inbound<'_>, new: &Inbound<'_>) -> Self {
        let here = Seen { side: Side::New, own: new, other: old };
        let there = Seen { side: Side::Old, own: old, other: new };
        let found = here.rule(now).or_else(|| there.rule(before));
        let found = found.or_else(|| here.guard().or_else(|| there.guard()));
        let found = found.or_else(|| {
            if old.mode.mode == new.mode.mode || (now.by != Some(By::Closed) && before.by != Some(By::Closed)) {
                return None;
            }
            let (is, was) = (mode_word(new.mode.mode), mode_word(old.mode.mode));
            let (side, span) = match new.mode.span {
                Some(span) => (Side::New, Some(span)),
                None => (Side::Old, old.mode.span),
            };
            Some(Self::new(side, span, format!("mTLS is {is} and was {was}")))
        });
        let found = found.or_else(|| here.attachment(now).or_else(|| there.attachment(before)));
        let found = found.or_else(|| here.filter(now).or_else(|| there.filter(before)));
        found.unwrap_or_else(|| Self::fallback(before, now))
    }

    /// What makes a change where only the rules that decide are known: one that the other side does not have.
    pub(super) fn by_rules(before: &Fate, now: &Fate, old: &Mesh, new: &Mesh) -> Option<Self> {
        let lone = |fate: &Fate, own: &Mesh, other: &Mesh| {
            let rule = fate.rule.as_ref()?;
            let value = rule_of(own.authorization_policy(&rule.policy)?, rule)?;
            let known = other.authorization_policy(&rule.policy);
            let kept = known.is_some_and(|policy| policy.spec.rules().iter().any(|rule| rule.value == *value));
            (!kept).then(|| (rule.span, format!("{} rules[{}]", rule.policy, rule.rule)))
        };
        if let Some((span, name)) = lone(now, new, old) {
            return Some(Self::new(Side::New, Some(span), format!("{name} is new or changed")));
        }
        let (span, name) = lone(before, old, new)?;
        Some(Self::new(Side::Old, Some(span), format!("{name} is gone or changed")))
    }

    /// The place of either fate, where nothing better is known.
    pub(super) fn fallback(before: &Fate, now: &Fate) -> Self {
        match (now.span, before.span) {
            (None, Some(span)) => Self::new(Side::Old, Some(span), before.text.clone()),
            (span, _) => Self::new(Side::New, span, now.text.clone()),
        }
    }
}

/// A mode in Istio's word.
pub(super) fn mode_word(mode: MtlsMode) -> &'static str {
    match mode {
        MtlsMode::Strict => "STRICT",
        MtlsMode::Disable => "DISABLE",
        MtlsMode::Permissive | MtlsMode::Unset => "PERMISSIVE",
    }
}

/// One side of a chain as seen from the other.
struct Seen<'a, 'w> {
    /// Which side
    side: Side,
    /// What stands there
    own: &'a Inbound<'w>,
    /// What stands on the other
    other: &'a Inbound<'w>,
}

impl Seen<'_, '_> {
    /// The rule that decides here, if the other side does not have it.
    fn rule(&self, fate: &Fate) -> Option<Culprit> {
        let rule = fate.rule.as_ref()?;
        let holds = |policy: &&&Resource<AuthorizationPolicy>| policy.id == rule.policy;
        let stages = stages(self.own).into_iter().zip(stages(self.other));
        let mut stages = stages.filter_map(|(own, other)| Some((own.iter().find(holds)?, other.iter().find(holds))));
        let (policy, known) = stages.next()?;
        let value = rule_of(policy, rule)?;
        let what = match (known, self.side) {
            (Some(known), _) if known.spec.rules().iter().any(|known| known.value == *value) => return None,
            (Some(_), Side::New) => "is new or changed",
            (Some(_), Side::Old) => "is gone or changed",
            (None, Side::New) => "acts here now",
            (None, Side::Old) => "acts here no longer",
        };
        let name = format!("{} rules[{}]", rule.policy, rule.rule);
        Some(Culprit::new(self.side, Some(rule.span), format!("{name} {what}")))
    }

    /// What takes the proxy away here, if the other side has one.
    fn guard(&self) -> Option<Culprit> {
        let Guard::Nothing { reason, span } = &self.own.guard else { return None };
        if matches!(self.other.guard, Guard::Nothing { .. }) {
            return None;
        }
        let stands = if self.side == Side::New { "stands" } else { "stood" };
        Some(Culprit::new(self.side, *span, format!("no proxy {stands} in front: {reason}")))
    }

    /// The ALLOW policies that close here or closed, if the other side does not have them.
    fn attachment(&self, fate: &Fate) -> Option<Culprit> {
        if fate.by != Some(By::Policy) || fate.rule.is_some() {
            return None;
        }
        let lone = |policy: &&&Resource<AuthorizationPolicy>| {
            !self.other.attached.allow.iter().any(|known| known.id == policy.id)
        };
        let policy = self.own.attached.allow.iter().find(lone)?;
        let what = if self.side == Side::New { "acts here now" } else { "acts here no longer" };
        Some(Culprit::new(self.side, Some(policy.name_span), format!("{} {what}", policy.id)))
    }

    /// The filter that decides here, if the other side does not have it.
    fn filter(&self, fate: &Fate) -> Option<Culprit> {
        if fate.by == Some(By::Jwt) {
            let lone = |rule: &&crate::text::Spanned<crate::model::JwtRule>| !self.other.jwt.rules.contains(rule);
            let rule = self.own.jwt.rules.iter().find(lone)?;
            let what = if self.side == Side::New { "verifies" } else { "verified" };
            return Some(Culprit::new(self.side, Some(rule.span), format!("a JWT rule {what} tokens here")));
        }
        (fate.decision == crate::semantics::Decision::Undetermined)
            .then(|| Culprit::new(self.side, fate.span, fate.text.clone()))
    }
}

/// The policies of a chain, by stage.
fn stages<'a, 'w>(inbound: &'a Inbound<'w>) -> [&'a [&'w Resource<AuthorizationPolicy>]; 3] {
    let attached = &inbound.attached;
    [&attached.custom, &attached.deny, &attached.allow]
}

/// A rule of a policy.
fn rule_of<'a>(policy: &'a Resource<AuthorizationPolicy>, rule: &PolicyRuleRef) -> Option<&'a PolicyRule> {
    policy.spec.rules().get(rule.rule).map(|rule| &rule.value)
}
