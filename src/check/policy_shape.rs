//! The shape of authorization policies: what they say without asking what it comes to.

use super::facts::Facts;
use super::value::values_of;
use super::{Observation, Severity};
use crate::model::{Action, AuthorizationPolicy, PolicyRule, Resource};
use crate::semantics::{DRY_RUN, is_dry_run};
use crate::text::{Span, Spanned};

/// Looks at every policy on its own.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies() {
        seen.extend(allow_all(facts, policy));
        seen.extend(split_rules(policy));
        seen.extend(named_deny(policy));
        seen.extend(dry_run(policy));
        seen.extend(audit_only(facts, policy));
        seen.extend(deny_only(facts, policy));
        seen.extend(unsafe_polarity(policy));
    }
}

/// The place of what a policy does: its `action`, else its name.
pub(super) fn action_span(policy: &Resource<AuthorizationPolicy>) -> Span {
    policy.spec.action.as_ref().map_or(policy.name_span, |action| action.span)
}

/// Whether a list is absent or empty.
fn is_empty<T>(list: Option<&Spanned<Vec<T>>>) -> bool {
    list.is_none_or(|list| list.value.is_empty())
}

/// `allow-all-policy`: an ALLOW rule that asks for nothing.
fn allow_all<'a>(
    facts: &Facts<'_>,
    policy: &'a Resource<AuthorizationPolicy>,
) -> impl Iterator<Item = Observation> + use<'a> {
    let mut sites = facts.sites_of(&policy.id).peekable();
    let gateway = sites.peek().is_some() && sites.all(|site| site.gateway().is_some());
    let allow = policy.spec.action() == Action::Allow;
    let rules = policy.spec.rules().iter().filter(move |rule| {
        let PolicyRule { from, to, when } = &rule.value;
        allow && is_empty(from.as_ref()) && is_empty(to.as_ref()) && is_empty(when.as_ref())
    });
    rules.map(move |rule| {
        let message = format!("{} admits every request", policy.id);
        let mut seen = Observation::new("allow-all-policy", &policy.id, rule.span, "asks for nothing", message);
        seen.severity = gateway.then_some(Severity::Info);
        seen.admits = Some(rule.span);
        seen
    })
}

/// `split-policy-rule`: neighbours of which one says only who and the other only what.
fn split_rules(policy: &Resource<AuthorizationPolicy>) -> impl Iterator<Item = Observation> {
    let allow = policy.spec.action() == Action::Allow;
    let who_only =
        |rule: &PolicyRule| !is_empty(rule.from.as_ref()) && is_empty(rule.to.as_ref()) && is_empty(rule.when.as_ref());
    let what_only = |rule: &PolicyRule| {
        is_empty(rule.from.as_ref()) && !(is_empty(rule.to.as_ref()) && is_empty(rule.when.as_ref()))
    };
    let pairs = policy.spec.rules().windows(2).filter_map(move |pair| match pair {
        [one, other] if allow => {
            let split =
                (who_only(&one.value) && what_only(&other.value)) || (what_only(&one.value) && who_only(&other.value));
            split.then_some((one, other))
        }
        _ => None,
    });
    pairs.map(|(one, other)| {
        let message = format!("two rules of {} are alternatives, not one condition", policy.id);
        let mut seen = Observation::new("split-policy-rule", &policy.id, other.span, "a rule of its own", message)
            .related(one.span, "admits whatever the other asks for")
            .help("drop the `-` in front of the second, so that both are one rule");
        seen.admits = Some(other.span);
        seen
    })
}

/// Words of a name.
fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|letter: char| !letter.is_ascii_alphanumeric()).map(str::to_ascii_lowercase)
}

/// `deny-named-allow-policy`: a policy that is called a denial and, without `action`, admits.
fn named_deny(policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    const DENIES: [&str; 4] = ["deny", "denies", "block", "blocks"];
    const EXCEPTIONS: [&str; 9] =
        ["allow", "allows", "allowed", "except", "exception", "but", "unless", "only", "default"];
    if policy.spec.action.is_some() || policy.spec.rules().is_empty() {
        return None;
    }
    let named = |name: &str| words(name).any(|word| DENIES.contains(&word.as_str()));
    let excepts = words(&policy.id.name).any(|word| EXCEPTIONS.contains(&word.as_str()));
    let said = named(&policy.id.name) || policy.labels.values().any(|value| named(value));
    (said && !excepts).then(|| {
        let message = format!("{} has no `action`, so it admits what it is said to deny", policy.id);
        let mut seen =
            Observation::new("deny-named-allow-policy", &policy.id, policy.name_span, "an ALLOW policy", message);
        seen.admits = policy.spec.rules().first().map(|rule| rule.span);
        seen
    })
}

/// `dry-run-policy`: the annotation is left on.
fn dry_run(policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    let annotation = policy.annotations.get(DRY_RUN).filter(|_| is_dry_run(policy))?;
    let does = if policy.spec.action() == Action::Deny { "refuses nothing" } else { "neither admits nor closes" };
    let message = format!("{} is only tried out: it {does}", policy.id);
    let mut seen = Observation::new("dry-run-policy", &policy.id, annotation.span, "only tried out", message);
    seen.admits = Some(annotation.span);
    Some(seen)
}

/// `audit-only-protection`: nothing that acts selects what this policy selects.
fn audit_only(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    if !matches!(policy.spec.action(), Action::Audit) && !is_dry_run(policy) {
        return None;
    }
    let acts = |attached: &crate::semantics::AttachedPolicies<'_>| {
        [&attached.custom, &attached.deny, &attached.allow].into_iter().any(|policies| !policies.is_empty())
    };
    let bare = facts.sites_of(&policy.id).find(|site| !acts(&site.attached))?;
    let annotation = policy.annotations.get(DRY_RUN).filter(|_| is_dry_run(policy));
    let span = annotation.map_or_else(|| action_span(policy), |annotation| annotation.span);
    let who = bare.name();
    let message = format!("nothing guards `{who}`: every policy that selects it only watches");
    let mut seen = Observation::new("audit-only-protection", &policy.id, span, "only watches", message);
    seen.workload = bare.workload().map(|_| who);
    seen.admits = Some(span);
    Some(seen)
}

/// `deny-only-protection`: whatever the DENY policies of a workload do not name gets in.
fn deny_only(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    if policy.spec.action() != Action::Deny || is_dry_run(policy) {
        return None;
    }
    let open = facts.sites_of(&policy.id).find(|site| {
        let attached = &site.attached;
        let first = attached.deny.iter().find(|deny| !deny.context).is_some_and(|deny| deny.id == policy.id);
        site.workload().is_some() && first && attached.allow.is_empty() && attached.custom.is_empty()
    })?;
    let listed = policy.spec.rules().iter().all(|rule| {
        let mut values = values_of(policy, rule).peekable();
        values.peek().is_some() && values.all(|value| value.negated)
    });
    let who = open.name();
    let message = format!("only DENY policies guard `{who}`: whatever they do not name gets in");
    let span = action_span(policy);
    let mut seen = Observation::new("deny-only-protection", &policy.id, span, "no ALLOW beside it", message);
    seen.severity = listed.then_some(Severity::Info);
    seen.workload = Some(who);
    seen.admits = Some(span);
    Some(seen)
}

/// `unsafe-polarity`: what nobody thought of is let in, by a DENY that lists the bad or an ALLOW that excludes it. Once
/// for each rule.
fn unsafe_polarity(policy: &Resource<AuthorizationPolicy>) -> Vec<Observation> {
    let (negated, words) = match policy.spec.action() {
        Action::Allow => (true, "an ALLOW that leaves out what it knows admits everything else"),
        Action::Deny => (false, "a DENY that lists what it knows lets everything else pass"),
        Action::Custom | Action::Audit => return Vec::new(),
    };
    let first = policy.spec.rules().iter().filter_map(|rule| {
        // A star asks whether there is a value at all, which lists nothing.
        let mut values = values_of(policy, rule).filter(|value| value.text.value != "*");
        values.find(|value| value.negated == negated).map(|value| value.text)
    });
    let seen = first.map(|text| {
        let message = format!("{words}: whatever is not `{}`, another spelling of it included", text.value);
        Observation::new("unsafe-polarity", &policy.id, text.span, "leaves the rest open", message)
    });
    seen.collect()
}
