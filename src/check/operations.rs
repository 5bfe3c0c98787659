//! Methods and hosts of policies that other requests get past.

use super::facts::Facts;
use super::observation::{Observation, Severity};
use super::spot::{Spot, Through, without};
use super::value::{Field, Value, values};
use crate::model::Action;
use crate::semantics::{Chain, Guard};
use crate::space::{Cube, Dimension, Pattern, Test};
use crate::yaml::Change;

/// Looks at the operations of every policy.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies() {
        let asked = |value: &Value<'_>| matches!(value.field, Field::Method | Field::Host);
        let asked: Vec<Value<'_>> = values(policy).filter(asked).collect();
        if asked.is_empty() {
            continue;
        }
        let spots = facts.spots_of(&policy.id);
        for value in &asked {
            seen.extend(method_gap(&spots, value));
            seen.extend(host_without_port(&spots, value));
        }
        seen.extend(host_on_sidecar(facts, &asked));
    }
}

/// A request that a rule means, but for one value: with another one in its place.
fn evades<'s>(
    spots: &'s [Spot<'_, '_>],
    value: &Value<'_>,
    dimension: &Dimension,
    named: &Pattern,
    other: &Pattern,
) -> Option<(Through, &'s Spot<'s, 's>)> {
    let rule = value.rule_index();
    let deny = value.policy.spec.action() == Action::Deny;
    let asks = |test: &Test| {
        let list = if deny { test.any_of.as_ref() } else { Some(&test.none_of) };
        list.is_some_and(|list| list.contains(named))
    };
    let here = |cube: &&Cube| cube.tests.iter().any(|test| test.dimension == *dimension && asks(test));
    for spot in spots.iter().filter(|spot| spot.chain() == Chain::Http && spot.is_guarded()) {
        for cube in spot.cubes_of(&value.policy.id, rule).into_iter().filter(here) {
            let within = without(cube, dimension).any(dimension.clone(), vec![other.clone()]);
            let found = spot.gets_through_by(&within, |ending| {
                let by = ending.policy.as_ref();
                deny || by.is_some_and(|by| by.policy == value.policy.id && by.rule == rule)
            });
            if let Some(found) = found {
                return Some((found, spot));
            }
        }
    }
    None
}

/// An observation about a request that gets past a value.
fn evaded(
    rule: &'static str,
    value: &Value<'_>,
    label: &str,
    message: String,
    by: (Through, &Spot<'_, '_>),
) -> Observation {
    let mut seen = Observation::new(rule, &value.policy.id, value.text.span, label, message);
    seen.workload = by.1.door().map(|door| door.workload.display_name());
    seen.witness = Some(by.0.request);
    seen
}

/// `method-gap`: GET is refused, and HEAD tells much of the same.
fn method_gap(spots: &[Spot<'_, '_>], value: &Value<'_>) -> Option<Observation> {
    if value.field != Field::Method || value.text.value != "GET" || !value.opens_when_dead() {
        return None;
    }
    let [get, head] = ["GET", "HEAD"].map(|method| Pattern::Exact(method.into()));
    let by = evades(spots, value, &Dimension::Method, &get, &head)?;
    let message = "`GET` is refused and `HEAD` gets through, which runs the same handler".to_owned();
    Some(evaded("method-gap", value, "without HEAD", message, by).help("write `HEAD` beside it"))
}

/// `host-without-port`: the same host with a port behind it is another value.
fn host_without_port(spots: &[Spot<'_, '_>], value: &Value<'_>) -> Option<Observation> {
    let host = value.text.value.as_str();
    if value.field != Field::Host || host.ends_with('*') || host.contains(':') {
        return None;
    }
    if !value.opens_when_dead() {
        return shut_out(spots, value);
    }
    let (named, other) = match host.strip_prefix('*') {
        Some(suffix) => (Pattern::SuffixIgnoreCase(suffix.into()), format!("www{suffix}:8080")),
        None => (Pattern::ExactIgnoreCase(host.into()), format!("{host}:8080")),
    };
    let by = evades(spots, value, &Dimension::Authority, &named, &Pattern::Exact(other.as_str().into()))?;
    let message = format!("the authority `{other}` gets past `{host}`: the port is part of what is compared");
    let seen = evaded("host-without-port", value, "without its port", message, by);
    if host.starts_with('*') {
        // Of two stars one would be a letter.
        return Some(seen.help(format!(
            "write `{host}:PORT` beside it for each port that the authority may have, or admit the hosts that are meant"
        )));
    }
    let twin = format!("{host}:*");
    let help = format!("write `{twin}` beside it");
    Some(seen.help(help).fix(Change::Beside(twin), value.effect_of_matching()))
}

/// `host-without-port` in an ALLOW: clients that name the port are refused, where the port is none that they leave out.
fn shut_out(spots: &[Spot<'_, '_>], value: &Value<'_>) -> Option<Observation> {
    let host = value.text.value.as_str();
    let policy = value.policy;
    let odd = spots.iter().find_map(|spot| match spot {
        Spot::Listener(listener) => {
            listener.entrypoint.rsplit(':').next().filter(|port| !matches!(*port, "80" | "443"))
        }
        Spot::Door(_) => None,
    })?;
    // Of two stars one would be a letter.
    let twin = if host.starts_with('*') { format!("{host}:{odd}") } else { format!("{host}:*") };
    if values(policy).any(|other| other.field == Field::Host && other.text.value == twin) {
        return None;
    }
    let message = format!("clients of port {odd} send `{host}:{odd}`, and `{host}` does not match it");
    let seen = Observation::new("host-without-port", &policy.id, value.text.span, "without its port", message);
    let seen = seen.severity(Severity::Warning).help(format!("write `{twin}` beside it"));
    Some(seen.fix(Change::Beside(twin), value.effect_of_matching()))
}

/// `host-policy-on-sidecar`: whoever calls a sidecar chooses the authority.
fn host_on_sidecar(facts: &Facts<'_>, asked: &[Value<'_>]) -> Option<Observation> {
    let ingress = |value: &Value<'_>| {
        let sources = value.rule.value.from.iter().flat_map(|from| &from.value);
        let principals: Vec<&str> = sources
            .filter_map(|from| from.value.source.as_ref())
            .flat_map(|source| source.value.principals.iter().flat_map(|list| &list.value))
            .map(|principal| principal.value.as_str())
            .collect();
        let known = |principal: &&str| {
            let path = principal.split_once('/').map_or("", |(_, path)| path);
            facts.world().ingress.contains(path)
        };
        !principals.is_empty() && principals.iter().all(known)
    };
    let value = asked.iter().find(|value| value.field == Field::Host && !ingress(value))?;
    let guarded = |door: &crate::matrix::Door<'_>| door.lock.guard == Guard::Sidecar && door.chain == Chain::Http;
    let site = facts.sites_of(&value.policy.id).find(|site| site.doors.iter().any(guarded))?;
    let who = site.name();
    let message = format!("who calls `{who}` from inside the mesh writes any host: it tells nothing of the caller");
    let mut seen =
        Observation::new("host-policy-on-sidecar", &value.policy.id, value.text.span, "chosen by the caller", message);
    seen.workload = Some(who);
    Some(seen)
}
