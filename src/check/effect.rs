//! What policy rules come to: rules that matter to no request, and denials that leave nothing of what was allowed.
//! Asked of the lists that decide, with one rule left out; a rule that matters anywhere is settled by the first request
//! that shows it.

use std::collections::HashSet;

use rayon::prelude::*;

use super::facts::Facts;
use super::observation::Observation;
use super::shut::Shut;
use super::standing::{Standing, standing};
use crate::model::{Action, AuthorizationPolicy, ObjectId, Resource};
use crate::semantics::{By, Decision, Ending, PolicyRuleRef, Request};
use crate::text::{Span, Spanned};

/// Rules of observations that say of a value, better than this module could, why its policy rule does nothing.
const EXPLAINS: &[&str] = &[
    "claims-never-verified",
    "foreign-trust-domain",
    "http-field-on-tcp-port",
    "http-policy-on-passthrough",
    "impossible-method",
    "impossible-path",
    "impossible-port",
    "literal-wildcard",
    "malformed-principal",
    "malformed-request-principal",
    "regex-in-literal-field",
    "rewrite-escapes-policy",
    "split-policy-rule",
    "unknown-issuer",
];

/// Looks at every rule of every policy that decides by itself.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let shut = Shut::of(facts);
    seen.extend(shut.observations());
    let policies: Vec<&Resource<AuthorizationPolicy>> =
        facts.own_policies().filter(|policy| matches!(policy.spec.action(), Action::Allow | Action::Deny)).collect();
    let idle = policies.par_iter().flat_map_iter(|policy| {
        let all = policy.spec.rules().iter().enumerate();
        all.filter_map(|(index, rule)| Idle::of(facts, &shut, Placed { policy, index, rule }, &HashSet::new()))
    });
    let idle: Vec<Idle<'_>> = idle.collect();
    // What is called redundant can be dropped together: of rules that do the same, the first stays.
    let mut dropped: HashSet<PolicyRuleRef> = HashSet::new();
    for one in idle.into_iter().rev() {
        let again = match one.dead() {
            Some(found) => {
                seen.push(found);
                continue;
            }
            None if dropped.is_empty() => Some(one),
            None => Idle::of(facts, &shut, one.placed, &dropped),
        };
        if let Some(one) = again {
            dropped.insert(one.placed.reference());
            seen.push(one.redundant());
        }
    }
}

/// Takes back what another observation says better. They are sorted by place.
pub(super) fn settle(seen: &mut Vec<Observation>) {
    let places = |rules: &[&str]| -> Vec<Span> {
        seen.iter().filter(|one| rules.contains(&one.rule)).map(|one| one.label.span).collect()
    };
    let explained = places(EXPLAINS);
    let unasked = places(&["unknown-ext-authz-provider"]);
    let denied: HashSet<ObjectId> =
        seen.iter().filter(|one| one.rule == "http-field-on-tcp-port").filter_map(|one| one.resource.clone()).collect();
    seen.retain(|one| match one.rule {
        "dead-policy-rule" | "redundant-policy-rule" => !holds_any(one.label.span, &explained),
        "undetermined-access" => !holds_any(one.label.span, &unasked),
        "deny-overrides-everything" => one.resource.as_ref().is_none_or(|policy| !denied.contains(policy)),
        _ => true,
    });
}

/// Whether a place holds one of others, which are sorted.
fn holds_any(place: Span, sorted: &[Span]) -> bool {
    let from = sorted.partition_point(|known| (known.file, known.start) < (place.file, place.start));
    sorted.get(from).is_some_and(|known| known.file == place.file && known.start < place.end)
}

/// A rule of a policy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'w> {
    /// The policy
    pub(super) policy: &'w Resource<AuthorizationPolicy>,
    /// Its place in the policy
    pub(super) index: usize,
    /// The rule
    pub(super) rule: &'w Spanned<crate::model::PolicyRule>,
}

impl Placed<'_> {
    /// As decisions refer to it.
    pub(super) fn reference(&self) -> PolicyRuleRef {
        PolicyRuleRef { policy: self.policy.id.clone(), rule: self.index, span: self.rule.span }
    }
}

/// A rule without which no decision changes.
#[derive(Debug)]
struct Idle<'w> {
    /// The rule
    placed: Placed<'w>,
    /// How its requests end without it, over all places
    endings: Vec<Ending>,
    /// A request of an ALLOW that a denial refuses
    example: Option<Box<Request>>,
}

/// In how many places it is proven that a rule does nothing; past that nothing is said of it.
const MANY_PLACES: usize = 200;

impl<'w> Idle<'w> {
    /// The rule, if some decision is asked about it and none changes without it.
    fn of(facts: &Facts<'w>, shut: &Shut<'_>, placed: Placed<'w>, dropped: &HashSet<PolicyRuleRef>) -> Option<Self> {
        let mut endings: Vec<Ending> = Vec::new();
        let mut example: Option<Box<Request>> = None;
        let mut idle_at = 0;
        for spot in facts.spots_of(&placed.policy.id).iter().filter(|spot| spot.is_guarded()) {
            match standing(spot, &placed, dropped) {
                Standing::Needed => return None,
                Standing::Absent => {}
                Standing::Idle(..) if shut.is_shut(spot) => {}
                Standing::Idle(found, refused) => {
                    example = example.or(refused);
                    idle_at += 1;
                    endings.extend(found);
                    endings.sort();
                    endings.dedup();
                }
            }
            if idle_at > MANY_PLACES {
                return None;
            }
        }
        (idle_at > 0).then_some(Self { placed, endings, example })
    }

    /// `dead-policy-rule`: no request that can occur fulfils it, or a denial comes first.
    fn dead(&self) -> Option<Observation> {
        let allow = self.placed.policy.spec.action() == Action::Allow;
        let dead = |ending: &Ending| {
            let early = matches!(ending.by, Some(By::Closed | By::Jwt));
            early || (allow && ending.decision == Decision::Denied && ending.policy.is_some())
        };
        if !self.endings.iter().all(dead) {
            return None;
        }
        let id = &self.placed.policy.id;
        let comes = if allow { "admits" } else { "refuses" };
        let blockers: Vec<&PolicyRuleRef> = self.endings.iter().filter_map(|ending| ending.policy.as_deref()).collect();
        let why = match (blockers.first(), self.endings.is_empty()) {
            (Some(first), _) => format!("{} refuses {} that it matches", first.policy, everything(&blockers)),
            (None, true) => "no request fulfils all of its conditions".to_owned(),
            (None, false) => "such a request is refused before any policy is asked".to_owned(),
        };
        let message = format!("{id} {comes} nothing by this rule: {why}");
        let label = if allow { "admits nothing" } else { "refuses nothing" };
        let mut seen = Observation::new("dead-policy-rule", id, self.placed.rule.span, label, message);
        seen.witness.clone_from(&self.example);
        seen.refused = seen.witness.is_some();
        Some(beside(seen, &blockers, "refuses what it matches"))
    }

    /// `redundant-policy-rule`: other rules decide alike what it matches.
    fn redundant(&self) -> Observation {
        let id = &self.placed.policy.id;
        let allow = self.placed.policy.spec.action() == Action::Allow;
        let others: Vec<&PolicyRuleRef> = self.endings.iter().filter_map(|ending| ending.policy.as_deref()).collect();
        let why = if allow { "others admit what it admits" } else { "others refuse what it refuses" };
        let message = format!("no decision changes without this rule of {id}: {why}");
        let seen = Observation::new("redundant-policy-rule", id, self.placed.rule.span, "changes nothing", message);
        beside(seen, &others, "decides alike")
    }
}

/// How much one blocker refuses.
fn everything(blockers: &[&PolicyRuleRef]) -> &'static str {
    let one = blockers.iter().all(|blocker| blockers.first().is_some_and(|first| first.policy == blocker.policy));
    if one { "every request" } else { "with others every request" }
}

/// Names the rules on which an observation rests, the first of them.
fn beside(seen: Observation, rules: &[&PolicyRuleRef], words: &str) -> Observation {
    rules.iter().take(3).fold(seen, |seen, rule| seen.related(rule.span, words))
}
