//! Headers that policies rely on behind a gateway which passes them on as clients send them.

use std::collections::BTreeMap;

use super::facts::{Facts, Site};
use super::observation::Observation;
use super::onward::led_to;
use super::rewrites::written;
use super::spot::Spot;
use super::value::{Field, Value, values};
use crate::matrix::{Crossing, Door, Way};
use crate::model::{AuthorizationPolicy, Resource, workload_in_words};
use crate::text::Span;

/// Looks at every route of every gateway that leads to a policy with headers.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let asking = facts.own_policies().any(|policy| !headers(policy).is_empty());
    let mut found: BTreeMap<Span, Observation> = BTreeMap::new();
    for gateway in facts.sites.iter().filter(|site| asking && site.gateway().is_some()) {
        for spot in facts.spots_at(gateway) {
            let Spot::Listener(listener) = spot else { continue };
            for way in Way::all(&listener.proxy, listener.judgement()) {
                let Some((site, door)) = led_to(facts, &way) else { continue };
                for policy in site.attached.allow.iter().filter(|policy| !policy.context) {
                    for (name, value) in headers(policy) {
                        let set = way.leg.changes.known(&name).0 || gateway.jwt.headers().contains(&name);
                        if set || found.contains_key(&value.text.span) {
                            continue;
                        }
                        let one = forwarded(facts, (site, door), &way, &listener.entrypoint, &name, &value);
                        found.extend(one.map(|one| (value.text.span, one)));
                    }
                }
            }
        }
    }
    seen.extend(found.into_values());
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
    (site, door): (&Site<'_>, &Door<'_>),
    way: &Way<'_>,
    entrypoint: &str,
    name: &str,
    value: &Value<'_>,
) -> Option<Observation> {
    let rule = value.rule_index();
    let across = way.gets_in(facts.world(), door, &Crossing::default(), &[], |ending| {
        ending.policy.as_ref().is_some_and(|by| by.policy == value.policy.id && by.rule == rule)
    })?;
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
    seen.witness = Some(way.witness(entrypoint, &across).into()).filter(|_| !across.supposed);
    Some(seen)
}
