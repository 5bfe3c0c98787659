//! Addresses of connections in policies, where a proxy stands between the client and who looks.

use std::net::IpAddr;

use super::facts::{Facts, Site};
use super::observation::Observation;
use super::value::{Field, Value, values};
use crate::model::workload_in_words;
use crate::semantics::{Guard, address_block, gateway_topology};
use crate::text::Span;

/// Looks at the addresses of every policy; one observation for each policy rule.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let of_connection = |value: &Value<'_>| {
        matches!(value.field, Field::IpBlock | Field::Condition("source.ip")) && is_public(&value.text.value)
    };
    let mut said: Option<Span> = None;
    for policy in facts.own_policies() {
        for value in values(policy).filter(of_connection) {
            if said == Some(value.rule.span) {
                continue;
            }
            let found = behind_gateway(facts, &value).or_else(|| behind_service(facts, &value));
            said = found.as_ref().map(|_| value.rule.span).or(said);
            seen.extend(found);
        }
    }
}

/// Whether a block lies outside of the addresses that clusters give to their own pods and nodes.
fn is_public(text: &str) -> bool {
    address_block(text).is_some_and(|block| match block.addr() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            block.prefix_len() > 0
                && !address.is_private()
                && !address.is_loopback()
                && !address.is_link_local()
                && !shared
        }
        IpAddr::V6(address) => {
            let local =
                address.segments().first().is_some_and(|first| first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80);
            block.prefix_len() > 0 && !address.is_loopback() && !local
        }
    })
}

/// `source-ip-behind-proxy` at a workload: the address is the gateway's.
fn behind_gateway(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let guarded = |site: &&Site<'_>| site.doors.iter().any(|door| door.lock.guard == Guard::Sidecar);
    let led_to = |site: &&Site<'_>| site.workload().is_some_and(|workload| facts.is_led_to(&workload.id));
    let site = facts.sites_of(&value.policy.id).filter(led_to).find(guarded)?;
    let who = site.name();
    let shown = workload_in_words(&who);
    let message = format!(
        "{shown} is behind a gateway, so the address of the connection is the gateway's, {}",
        value.when_dead()
    );
    let mut seen =
        Observation::new("source-ip-behind-proxy", &value.policy.id, value.text.span, "no client's address", message)
            .help("judge addresses at the gateway, by `remoteIpBlocks` where something stands in front of it");
    seen.workload = Some(who);
    Some(seen)
}

/// `source-ip-behind-proxy` at a gateway: nodes write their own address over the client's.
fn behind_service(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let world = facts.world();
    let found = facts.sites_of(&value.policy.id).filter_map(Site::gateway).find_map(|gateway| {
        let pod = world.mesh.workloads.iter().find(|pod| gateway.object.as_ref() == Some(&pod.id))?;
        let hides = world.services_of(pod).find_map(|service| {
            let kind = service.spec.service_type.as_ref()?;
            let local = service.spec.external_traffic_policy.as_deref() == Some("Local");
            (matches!(kind.value.as_str(), "LoadBalancer" | "NodePort") && !local).then_some((service, kind.span))
        });
        hides.filter(|_| !gateway_topology(world, gateway).announced)
    });
    let (service, span) = found?;
    let message = format!(
        "{} lets nodes write their own address over the client's before the gateway sees it, {}",
        service.id,
        value.when_dead()
    );
    let seen =
        Observation::new("source-ip-behind-proxy", &value.policy.id, value.text.span, "a node's address", message);
    Some(seen.related(span, "without `externalTrafficPolicy: Local`").help("set `externalTrafficPolicy: Local`"))
}
