//! Workloads that policies only watch, or that nothing but denials guard.

use super::facts::{Facts, Site};
use super::observation::{Observation, Severity};
use super::onward::lets_in;
use super::policy_shape::action_span;
use super::shut::lets_pass;
use super::spot::{Spot, Through};
use super::value::values_of;
use crate::model::{Action, AuthorizationPolicy, Resource, workload_in_words};
use crate::semantics::{AttachedPolicies, DRY_RUN, is_dry_run};

/// Looks at what else stands where a policy is attached.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies() {
        seen.extend(audit_only(facts, policy));
        seen.extend(deny_only(facts, policy));
    }
}

/// At how many of a policy's sites a request is looked for.
const MANY_SITES: usize = 50;

/// A request that gets in at a site, where a proxy guards it.
fn gets_in<'w>(facts: &Facts<'w>, site: &Site<'w>) -> Option<Through> {
    facts.spots_at(site).into_iter().filter(Spot::is_guarded).find_map(|spot| lets_in(facts, &spot))
}

/// `audit-only-protection`: nothing that acts selects what this policy selects.
fn audit_only(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    if !matches!(policy.spec.action(), Action::Audit) && !is_dry_run(policy) {
        return None;
    }
    let acts = |attached: &AttachedPolicies<'_>| {
        [&attached.custom, &attached.deny, &attached.allow].into_iter().any(|policies| !policies.is_empty())
    };
    let bare = || facts.sites_of(&policy.id).filter(|site| !acts(&site.attached));
    let open = bare().take(MANY_SITES).find_map(|site| Some((site, Some(gets_in(facts, site)?))));
    let (site, through) = open.or_else(|| Some((bare().next()?, None)))?;
    let annotation = policy.annotations.get(DRY_RUN).filter(|_| is_dry_run(policy));
    let span = annotation.map_or_else(|| action_span(policy), |annotation| annotation.span);
    let who = site.name();
    let shown = workload_in_words(&who);
    let message = format!("nothing guards {shown}: every policy that selects it only watches");
    let mut seen = Observation::new("audit-only-protection", &policy.id, span, "only watches", message);
    seen.workload = site.workload().map(|_| who);
    seen.witness = through.map(|through| through.request.into());
    seen.admits = Some(span);
    Some(seen)
}

/// `deny-only-protection`: whatever the DENY policies of a workload do not name gets in.
fn deny_only(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    if policy.spec.action() != Action::Deny || is_dry_run(policy) {
        return None;
    }
    let alone = |site: &&Site<'_>| {
        let attached = &site.attached;
        let first = attached.deny.iter().find(|deny| !deny.context).is_some_and(|deny| deny.id == policy.id);
        site.workload().is_some() && first && attached.allow.is_empty() && attached.custom.is_empty()
    };
    let open = |site| {
        let guarded = || facts.spots_at(site).into_iter().filter(Spot::is_guarded);
        let through = gets_in(facts, site);
        let passes = |spot: Spot<'_, '_>| lets_pass(spot.judgement(), &spot.judgement().list);
        (through.is_some() || guarded().any(passes)).then_some((site, through))
    };
    let (site, through) = facts.sites_of(&policy.id).filter(alone).find_map(open)?;
    let who = site.name();
    let shown = workload_in_words(&who);
    let message = format!("only DENY policies guard {shown}: whatever they do not name gets in");
    let span = action_span(policy);
    let mut seen = Observation::new("deny-only-protection", &policy.id, span, "no ALLOW beside it", message);
    seen.severity = site.attached.deny.iter().any(|deny| is_allow_list(deny)).then_some(Severity::Info);
    seen.workload = Some(who);
    seen.witness = through.map(|through| through.request.into());
    seen.admits = Some(span);
    Some(seen)
}

/// Whether a DENY names only what it spares.
fn is_allow_list(policy: &Resource<AuthorizationPolicy>) -> bool {
    let rules = policy.spec.rules();
    let spares = |rule| {
        let mut values = values_of(policy, rule).peekable();
        values.peek().is_some() && values.all(|value| value.negated)
    };
    !rules.is_empty() && rules.iter().all(spares)
}
