//! What policies take for the origin of a request: addresses and headers.

use super::evasion::{Chosen, chosen};
use super::facts::{Facts, Site};
use super::observation::{Observation, Severity};
use super::value::{Field, Value, values};
use crate::model::{Action, workload_in_words};
use crate::semantics::{Chain, Guard, gateway_topology};
use crate::space::{Dimension, Pattern};

/// Looks at addresses and headers of every policy.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies() {
        let mut values = values(policy).filter(|value| is_remote(value)).peekable();
        if values.peek().is_some() {
            seen.extend(values.find_map(|value| untrusted(facts, &value)));
        }
        if policy.spec.action() == Action::Allow {
            seen.extend(header_grants(facts, policy));
        }
    }
}

/// Whether a value is compared with the address of the client as proxies report it.
fn is_remote(value: &Value<'_>) -> bool {
    matches!(value.field, Field::RemoteIpBlock | Field::Condition("remote.ip"))
}

/// `untrusted-forwarded-for`: a sidecar believes whoever calls, a gateway nobody.
fn untrusted(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let guarded = |site: &&Site<'_>| site.doors.iter().any(|door| door.lock.guard == Guard::Sidecar);
    let new = |label: &str, message: String| {
        Observation::new("untrusted-forwarded-for", &value.policy.id, value.text.span, label, message)
    };
    if let Some(site) = facts.sites_of(&value.policy.id).find(guarded) {
        let forged = |who: &str| {
            let who = workload_in_words(who);
            let message =
                format!("{who} takes the address from `x-forwarded-for`, where its callers write what they like");
            new("written by the caller", message)
                .help("judge addresses at the gateway, and admit only the gateway here")
        };
        match chosen(facts, &facts.spots_of(&value.policy.id), value, &Dimension::RemoteIp) {
            Chosen::Shown(through, spot) => {
                let who = spot.door().map_or_else(|| site.name(), |door| door.workload.display_name());
                return Some(spot.shown(forged(&who), *through));
            }
            Chosen::Never => {}
            Chosen::Untold => {
                let who = site.name();
                let mut seen = forged(&who);
                seen.workload = Some(who);
                return Some(seen);
            }
        }
    }
    let world = facts.world();
    let gateway = facts.sites_of(&value.policy.id).filter_map(Site::gateway).find(|gateway| {
        let topology = gateway_topology(world, gateway);
        topology.trusted_proxies == 0 && !topology.announced
    })?;
    let message = format!(
        "the gateway `{}` trusts no proxy in front of it, so this is the address of the connection",
        gateway.gateways.first().map_or_else(|| gateway.namespace.clone(), |gateway| gateway.path())
    );
    let mut seen = new("the other end of the connection", message);
    seen.severity = (!world.mesh.settings.known()).then_some(Severity::Info);
    Some(seen.help("set `gateway_topology.numTrustedProxies`, or write `ipBlocks` if nothing stands in front"))
}

/// `spoofable-header-grant`: the rules of an ALLOW that a header alone opens.
fn header_grants(
    facts: &Facts<'_>,
    policy: &crate::model::Resource<crate::model::AuthorizationPolicy>,
) -> Vec<Observation> {
    let mut found = Vec::new();
    let mut said = None;
    for value in values(policy) {
        let Field::Condition(key) = value.field else { continue };
        let Some(name) = key.strip_prefix("request.headers[").and_then(|rest| rest.strip_suffix(']')) else { continue };
        let name = name.to_ascii_lowercase();
        if value.negated || name.starts_with(':') || name == "host" || said == Some(value.rule.span) {
            continue;
        }
        let header = Dimension::Header(name.as_str().into());
        for spot in facts.spots_of(&policy.id).iter().filter(|spot| spot.chain() == Chain::Http && spot.is_guarded()) {
            let trusted = [Dimension::Peer, Dimension::Token, Dimension::Issuer, Dimension::Subject];
            let open = spot.cubes_of(&policy.id, value.rule_index()).into_iter().find_map(|cube| {
                let limited = cube.tests.iter().any(|test| {
                    test.any_of.is_some()
                        && (trusted.contains(&test.dimension) || matches!(test.dimension, Dimension::Claim(_)))
                });
                let asks = cube.tests.iter().any(|test| test.dimension == header && test.any_of.is_some());
                let without_it = super::spot::without(cube, &header).none(header.clone(), vec![Pattern::Any]);
                (asks && !limited && spot.gets_through(&without_it).is_none())
                    .then(|| spot.gets_through(cube))
                    .flatten()
            });
            let Some(through) = open else { continue };
            let message = format!("whoever writes the header `{name}` is admitted, and any client can");
            let mut seen = Observation::new(
                "spoofable-header-grant",
                &policy.id,
                value.text.span,
                "written by the client",
                message,
            );
            seen.workload = spot.door().map(|door| door.workload.display_name());
            seen.witness = Some(through.request.into());
            found.push(seen);
            said = Some(value.rule.span);
            break;
        }
    }
    found
}
