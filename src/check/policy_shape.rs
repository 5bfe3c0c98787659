//! The shape of authorization policies: what they say without asking what it comes to.

use super::facts::Facts;
use super::onward::lets_in;
use super::spot::{Spot, Through};
use super::value::values_of;
use super::{Observation, Severity};
use crate::model::{Action, AuthorizationPolicy, PolicyRule, Resource};
use crate::semantics::{DRY_RUN, is_dry_run};
use crate::space::Cube;
use crate::text::{Span, Spanned};

/// Looks at every policy on its own.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies() {
        seen.extend(allow_all(facts, policy));
        seen.extend(split_rules(facts, policy));
        seen.extend(named_deny(facts, policy));
        seen.extend(dry_run(facts, policy));
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
fn allow_all(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Vec<Observation> {
    let mut sites = facts.sites_of(&policy.id).peekable();
    let gateway = sites.peek().is_some() && sites.all(|site| site.gateway().is_some());
    let allow = policy.spec.action() == Action::Allow;
    let rules = policy.spec.rules().iter().enumerate().filter(|(_, rule)| {
        let PolicyRule { from, to, when } = &rule.value;
        allow && is_empty(from.as_ref()) && is_empty(to.as_ref()) && is_empty(when.as_deref())
    });
    let seen = rules.map(|(index, rule)| {
        let message = format!("{} admits every request", policy.id);
        let mut seen = Observation::new("allow-all-policy", &policy.id, rule.span, "asks for nothing", message);
        seen.severity = gateway.then_some(Severity::Info);
        seen.admits = Some(rule.span);
        // Whatever a gateway lets pass this rule admits.
        let shown = |spot: &Spot<'_, '_>| match spot {
            Spot::Door(_) => spot.admitted_by(&policy.id, index, Cube::clone),
            Spot::Listener(_) => lets_in(facts, spot),
        };
        show_first(facts, policy, seen, shown)
    });
    seen.collect()
}

/// In how many places a request is looked for that shows what is said.
const MANY_PLACES: usize = 50;

/// Shows the first request that is found where a policy is asked.
fn show_first(
    facts: &Facts<'_>,
    policy: &Resource<AuthorizationPolicy>,
    seen: Observation,
    shown: impl Fn(&Spot<'_, '_>) -> Option<Through>,
) -> Observation {
    let spots = facts.spots_of(&policy.id);
    let guarded = spots.iter().filter(|spot| spot.is_guarded());
    match guarded.take(MANY_PLACES).find_map(|spot| Some((shown(spot)?, spot))) {
        Some((through, spot)) => spot.shown(seen, through),
        None => seen,
    }
}

/// `split-policy-rule`: neighbours of which one says only who and the other only what.
fn split_rules(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Vec<Observation> {
    let allow = policy.spec.action() == Action::Allow;
    let who_only = |rule: &PolicyRule| {
        !is_empty(rule.from.as_ref()) && is_empty(rule.to.as_ref()) && is_empty(rule.when.as_deref())
    };
    let what_only = |rule: &PolicyRule| {
        is_empty(rule.from.as_ref()) && !(is_empty(rule.to.as_ref()) && is_empty(rule.when.as_deref()))
    };
    let pairs = policy.spec.rules().windows(2).enumerate().filter_map(|(index, pair)| match pair {
        [one, other] if allow && who_only(&one.value) && what_only(&other.value) => {
            Some((one, other, (index, index + 1)))
        }
        [one, other] if allow && what_only(&one.value) && who_only(&other.value) => {
            Some((one, other, (index + 1, index)))
        }
        _ => None,
    });
    let seen = pairs.map(|(one, other, (who, what))| {
        let message = format!("two rules of {} are alternatives, not one condition", policy.id);
        let mut seen = Observation::new("split-policy-rule", &policy.id, other.span, "a rule of its own", message)
            .related(one.span, "admits whatever the other asks for")
            .help("drop the `-` in front of the second, so that both are one rule");
        seen.admits = Some(other.span);
        show_first(facts, policy, seen, |spot| {
            let meant = spot.cubes_of(&policy.id, who);
            spot.admitted_by(&policy.id, what, |cube| outside(cube, &meant))
        })
    });
    seen.collect()
}

/// A cube without the sources of others, as far as one condition says who they are.
fn outside(cube: &Cube, sources: &[&Cube]) -> Cube {
    let tests = sources.iter().filter_map(|source| match source.tests.as_slice() {
        [one] => one.complement().next(),
        _ => None,
    });
    tests.fold(cube.clone(), Cube::with)
}

/// Words of a name.
fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|letter: char| !letter.is_ascii_alphanumeric()).map(str::to_ascii_lowercase)
}

/// `deny-named-allow-policy`: a policy that is called a denial and, without `action`, admits.
fn named_deny(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
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
        show_first(facts, policy, seen, |spot| {
            (0..policy.spec.rules().len()).find_map(|rule| spot.admitted_by(&policy.id, rule, Cube::clone))
        })
    })
}

/// `dry-run-policy`: the annotation is left on.
fn dry_run(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    let annotation = policy.annotations.get(DRY_RUN).filter(|_| is_dry_run(policy))?;
    let deny = policy.spec.action() == Action::Deny;
    let does = if deny { "refuses nothing" } else { "neither admits nor closes" };
    let message = format!("{} is only tried out: it {does}", policy.id);
    let mut seen = Observation::new("dry-run-policy", &policy.id, annotation.span, "only tried out", message);
    seen.admits = Some(annotation.span);
    let refused = |spot: &Spot<'_, '_>| {
        let cubes = policy.spec.rules().iter().flat_map(|rule| spot.cubes_if(facts.world(), policy, &rule.value));
        cubes.into_iter().find_map(|cube| spot.gets_through(&cube))
    };
    Some(if deny { show_first(facts, policy, seen, refused) } else { seen })
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
