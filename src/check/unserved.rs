//! Hosts that a gateway's policies name and that the gateway does not serve.

use compact_str::CompactString;

use super::facts::{Facts, Site};
use super::identity::nearest;
use super::observation::{Observation, Severity};
use super::spot::{Listener, Spot};
use super::value::{Field, Value, values};
use crate::model::{ObjectId, Resource, VirtualService};
use crate::semantics::{By, Chain, Verdict, binds_to, overlap, policy_host, resolve_gateway};
use crate::space::{Budget, Cube, DecisionList, Dimension, Label, Rule, Search, partition};
use crate::text::Spanned;

/// Looks at the hosts of policies that act at gateways only.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies() {
        let hosts: Vec<Value<'_>> =
            values(policy).filter(|value| value.field == Field::Host && value.text.value != "*").collect();
        let sites: Vec<&Site<'_>> = if hosts.is_empty() { Vec::new() } else { facts.sites_of(&policy.id).collect() };
        if sites.is_empty() || sites.iter().any(|site| site.gateway().is_none()) {
            continue;
        }
        for value in &hosts {
            seen.extend(unserved(facts, &sites, value));
        }
    }
}

/// `unserved-host`: whatever is asked for this host, no route takes it.
fn unserved<'w>(facts: &Facts<'w>, sites: &[&Site<'w>], value: &Value<'_>) -> Option<Observation> {
    let mesh = &facts.world().mesh;
    let host = value.text.value.as_str();
    let spots: Vec<Spot<'_, '_>> = sites.iter().flat_map(|site| facts.spots_at(site)).collect();
    let listeners: Vec<&Listener<'_>> = spots
        .iter()
        .filter_map(|spot| match spot {
            Spot::Listener(listener) => Some(*listener),
            Spot::Door(_) => None,
        })
        .collect();
    if listeners.is_empty() || listeners.iter().any(|listener| serves(listener, host)) {
        return None;
    }
    let gateways: Vec<&ObjectId> =
        sites.iter().filter_map(|site| site.gateway()).flat_map(|it| &it.gateways).map(|id| &**id).collect();
    let bound: Vec<&Resource<VirtualService>> = mesh
        .virtual_services
        .iter()
        .filter(|service| gateways.iter().any(|gateway| binds_to(service, &gateway.path())))
        .collect();
    // What is bound to a Gateway that is not in the input may be served by these pods as well.
    let bare = host.split(':').next().unwrap_or(host);
    let elsewhere = mesh.virtual_services.iter().any(|service| {
        let missing = |name: &Spanned<CompactString>| {
            let full = resolve_gateway(&name.value, &service.id.namespace);
            full.split_once('/').is_some_and(|(namespace, name)| mesh.gateway(namespace, name).is_none())
        };
        let named = service.spec.hosts().iter().any(|known| overlap(&known.value, bare));
        named && service.spec.gateways().iter().any(missing)
    });
    if elsewhere {
        return None;
    }
    let severity = facts.ground.absence(Severity::Warning, !bound.is_empty())?;
    let who = sites.first().map(|site| site.name()).unwrap_or_default();
    let comes = value.when_dead();
    let message = format!("no server and route of `{who}` serves the host `{host}`, {comes}");
    let seen = Observation::new("unserved-host", &value.policy.id, value.text.span, "is served by no route", message)
        .severity(severity);
    let known = bound.iter().flat_map(|service| service.spec.hosts()).map(|host| host.value.as_str());
    Some(match nearest(host, known.filter(|known| *known != host)) {
        Some(near) => seen.help(format!("did you mean `{near}`?")),
        None => seen,
    })
}

/// Whether a listener takes some request for a host that a policy names, whatever its policies say; also where it cannot
/// be told.
fn serves(listener: &Listener<'_>, host: &str) -> bool {
    let proxy = &listener.proxy;
    if proxy.chain != Chain::Http || proxy.unknown.is_some() {
        let bare = host.split(':').next().unwrap_or(host);
        return proxy.unknown.is_some()
            || proxy.sni_hosts.is_empty()
            || proxy.sni_hosts.iter().any(|sni| overlap(sni, bare));
    }
    let taken = |verdict: &Verdict| match verdict {
        Verdict::End(ending) => ending.by != Some(By::NoRoute),
        Verdict::Forward(_) => true,
    };
    let rows = proxy.table.cubes(proxy.plaintext).into_iter();
    let rules = rows.map(|(cube, verdict)| Rule::new(cube, if taken(&verdict) { TAKEN } else { LEFT })).collect();
    let list = DecisionList { rules, default: LEFT };
    let within = Cube::default().any(Dimension::Authority, vec![policy_host(host)]);
    partition(&list, &within, &listener.judgement().universe, &Budget::default()).search(TAKEN) != Search::Empty
}

/// Requests that some route takes.
const TAKEN: Label = Label(1);
/// All others.
const LEFT: Label = Label(0);
