//! Headers that policies rely on behind a gateway which passes them on as clients send them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::facts::{Facts, Site};
use super::observation::Observation;
use super::onward::led_to;
use super::rewrites::written;
use super::spot::Spot;
use super::value::{Field, Value, values};
use crate::matrix::{Across, Crossing, Way};
use crate::model::{AuthorizationPolicy, Resource, workload_in_words};
use crate::semantics::Ending;
use crate::text::Span;

/// What is seen, by the header's value.
type Found = BTreeMap<Span, Observation>;

/// Looks at every route of every gateway that leads to a policy with headers, at listeners side by side.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    if facts.own_policies().all(|policy| headers(policy).is_empty()) {
        return;
    }
    let gateways = facts.sites.iter().filter(|site| site.gateway().is_some());
    let spots: Vec<(&Site<'_>, Spot<'_, '_>)> =
        gateways.flat_map(|gateway| facts.spots_at(gateway).into_iter().map(move |spot| (gateway, spot))).collect();
    let parts: Vec<Found> = spots.par_iter().map(|(gateway, spot)| at_spot(facts, gateway, *spot)).collect();
    let mut found = Found::new();
    for (span, one) in parts.into_iter().flatten() {
        found.entry(span).or_insert(one);
    }
    seen.extend(found.into_values());
}

/// What is seen at one listener.
fn at_spot(facts: &Facts<'_>, gateway: &Site<'_>, spot: Spot<'_, '_>) -> Found {
    let mut found = Found::new();
    let Spot::Listener(listener) = spot else { return found };
    for way in Way::all(&listener.proxy, listener.judgement()) {
        let Some((site, door)) = led_to(facts, &way) else { continue };
        let policies = site.attached.allow.iter().filter(|policy| !policy.context);
        let is_passed_on = |name: &String| !way.leg.changes.known(name).0 && !gateway.jwt.headers().contains(name);
        let headers: Vec<(String, Value<'_>)> = policies
            .flat_map(|policy| headers(policy))
            .filter(|(name, value)| is_passed_on(name) && !found.contains_key(&value.text.span))
            .collect();
        if headers.is_empty() {
            continue;
        }
        let across = way.all_that_get_in(facts.world(), door, &Crossing::default(), &[]);
        for (name, value) in headers {
            let (policy, rule) = (&value.policy.id, value.rule_index());
            let by_it =
                |ending: &Ending| ending.policy.as_ref().is_some_and(|by| by.policy == *policy && by.rule == rule);
            let Some((_, across)) = across.iter().find(|(ending, _)| by_it(ending)) else { continue };
            let seen = || forwarded(facts, site, &way, (&listener.entrypoint, across), &name, &value);
            found.entry(value.text.span).or_insert_with(seen);
        }
    }
    found
}

/// The headers that rules of a policy ask for, by name, each with its first value.
fn headers(policy: &Resource<AuthorizationPolicy>) -> Vec<(String, Value<'_>)> {
    let named = values(policy).filter(|value| !value.negated).filter_map(|value| {
        let Field::Condition(key) = value.field else { return None };
        let name = key.strip_prefix("request.headers[")?.strip_suffix(']')?.to_ascii_lowercase();
        // Proxies take care of these.
        let managed = name.starts_with("x-envoy-") || name.starts_with("x-forwarded-") || name.starts_with(':');
        (!managed && name != "host").then_some((name, value))
    });
    let mut found: Vec<(String, Value<'_>)> = named.collect();
    found.dedup_by(|later, first| later.0 == first.0 && std::ptr::eq(later.1.rule, first.1.rule));
    found
}

/// `spoofable-header-forwarded`: a client of the gateway gets in by a header of its own.
fn forwarded(
    facts: &Facts<'_>,
    site: &Site<'_>,
    way: &Way<'_>,
    (entrypoint, across): (&str, &Across),
    name: &str,
    value: &Value<'_>,
) -> Observation {
    let message =
        format!("`{name}` opens {}, and the gateway passes it on as clients send it", workload_in_words(&site.name()));
    let mut seen =
        Observation::new("spoofable-header-forwarded", &value.policy.id, value.text.span, "from the client", message)
            .help(format!("remove `{name}` under `headers.request.remove` of the route, or set it there"));
    if let Some(route) = way.proxy.table.routes.get(way.route)
        && let Some((_, written)) = written(facts, route)
    {
        let host = written.value.destination_hosts().next();
        seen = seen.related(host.map_or(route.span, |host| host.span), "passed on here");
    }
    seen.workload = Some(site.name());
    seen.witness = Some(way.witness(entrypoint, across).into()).filter(|_| !across.supposed);
    seen
}
