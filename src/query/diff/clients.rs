//! Clients' own sidecars on both sides, on the way to every Service.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::Found;
use super::change::Unsettled;
use super::front::{Front, Touched};
use super::gate::Served;
use super::reach::Reach;
use crate::matrix::{Outbound, outbound};
use crate::model::{Resource, Service, ServicePort, Workload};
use crate::semantics::{Chain, WireProtocol, World, client_classes};

/// Clients that are treated alike on their way out, on either side, by identity.
struct Clients<'w> {
    /// One of them as the old side has it
    old: &'w Workload,
    /// The same as the new side has it
    new: &'w Workload,
    /// `NS/NAME` of one of each identity
    names: BTreeMap<String, String>,
}

/// A port of a Service on either side.
type Port<'w> = Option<(&'w Resource<Service>, &'w ServicePort)>;

/// What stands in front of a port of a Service for some clients.
struct Ways {
    /// What their sidecars did
    before: Vec<Outbound>,
    /// What they do
    now: Vec<Outbound>,
    /// `NS/NAME` of one of each identity
    names: BTreeMap<String, String>,
}

/// Virtual hosts that are looked at in all sidecars together.
const MOST_HOSTS: usize = 20_000_000;

/// What changes for requests of clients with a sidecar to Services. One that only one side has calls nobody on the other.
pub(super) fn compare(old: &World, new: &World, touched: &Touched<'_>) -> Found {
    let reach = Reach::of(old, new, touched);
    let mut found = Found::default();
    if reach.services.is_empty() {
        return found;
    }
    let [routed_before, routed_now] = match reach.worlds.as_deref() {
        Some([before, now]) => [before, now],
        None => [old, new],
    };
    let (before, now) = (ports(routed_before, &reach), ports(routed_now, &reach));
    let entrypoints: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for entrypoint in &entrypoints {
        match (before.get(*entrypoint), now.get(*entrypoint)) {
            (None, Some(_)) => found.appeared.push((*entrypoint).clone()),
            (Some(_), None) => found.disappeared.push((*entrypoint).clone()),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
    let clients = clients(old, new, &mut found);
    let hosts = routed_before.mesh.services.len().max(routed_now.mesh.services.len());
    if clients.len().saturating_mul(entrypoints.len()).saturating_mul(hosts) > MOST_HOSTS {
        let message = "what changes concerns more clients and Services than are compared one by one".to_owned();
        found.unsettled.push(Unsettled { entrypoint: "service".to_owned(), message, span: None });
        return found;
    }
    let here = entrypoints.par_iter().map(|entrypoint| {
        let sides = (before.get(*entrypoint).copied(), now.get(*entrypoint).copied());
        let is_there = [sides.0.is_some(), sides.1.is_some()];
        let mut found = Found::default();
        for ways in ways(routed_before, routed_now, &clients, sides) {
            for wire in [WireProtocol::Http, WireProtocol::Tcp] {
                let [old_is_there, new_is_there] = is_there;
                let clients = Some(&ways.names);
                let alike = false;
                let front = Front { old, new, entrypoint, touched, alike, old_is_there, new_is_there, wire, clients };
                found = found.and(front.listener(&served(&ways.before, wire), &served(&ways.now, wire)));
            }
        }
        found
    });
    found.and(here.reduce(Found::default, Found::and))
}

/// What stands in front of a port of a Service, for all clients that have the same there together.
fn ways(before: &World, now: &World, clients: &[Clients<'_>], (was, is): (Port<'_>, Port<'_>)) -> Vec<Ways> {
    let of = |world: &World, client: &Workload, port: Port<'_>| {
        port.map(|(service, port)| outbound(world, &[client], service, port)).unwrap_or_default()
    };
    let each = clients.par_iter().map(|clients| Ways {
        before: of(before, clients.old, was),
        now: of(now, clients.new, is),
        names: clients.names.clone(),
    });
    let mut found: Vec<Ways> = Vec::new();
    for ways in each.collect::<Vec<_>>() {
        let known =
            found.iter_mut().find(|known| are_alike(&known.before, &ways.before) && are_alike(&known.now, &ways.now));
        match known {
            Some(known) => known.names.extend(ways.names),
            None => found.push(ways),
        }
    }
    found
}

/// Whether clients' sidecars do the same.
fn are_alike(some: &[Outbound], others: &[Outbound]) -> bool {
    let alike = |(one, other): (&Outbound, &Outbound)| {
        one.wire == other.wire
            && one.proxy.chain == other.proxy.chain
            && one.proxy.unknown == other.proxy.unknown
            && one.proxy.table == other.proxy.table
    };
    some.len() == others.len() && some.iter().zip(others).all(alike)
}

/// The ports of the Services in reach, by entrypoint.
fn ports<'w>(world: &'w World, reach: &Reach) -> BTreeMap<String, (&'w Resource<Service>, &'w ServicePort)> {
    let services = world.mesh.services.iter().filter(|service| reach.services.contains(&service.id.path()));
    let ports = services.flat_map(|service| service.spec.ports().iter().map(move |port| (service, &port.value)));
    let named = ports.filter_map(|(service, port)| {
        let number = port.port?;
        Some((format!("service {}:{number}", service.id.path()), (service, port)))
    });
    named.collect()
}

/// The clients of both sides that have one identity on both, those together that both sides treat alike.
fn clients<'w>(old: &'w World, new: &'w World, found: &mut Found) -> Vec<Clients<'w>> {
    let classes = |world: &'w World| -> HashMap<String, (usize, &'w Workload)> {
        let classes = client_classes(world).into_iter().enumerate();
        let named = classes.flat_map(|(class, workloads)| {
            workloads.into_iter().map(move |workload| (workload.display_name(), (class, workload)))
        });
        named.collect()
    };
    let (before, now) = (classes(old), classes(new));
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let mut by_class: BTreeMap<(usize, usize), Clients<'w>> = BTreeMap::new();
    for name in names {
        let ((was, old_one), (is, new_one)) = match (before.get(name), now.get(name)) {
            (Some(was), Some(is)) => (was, is),
            (Some((_, lone)), None) if has(new, lone) => {
                found.unsettled.push(changed(lone, "has a sidecar no longer"));
                continue;
            }
            (None, Some((_, lone))) if has(old, lone) => {
                found.unsettled.push(changed(lone, "has a sidecar now"));
                continue;
            }
            _ => continue,
        };
        let identity = new.identity(&new_one.identity_path());
        if old.identity(&old_one.identity_path()) != identity {
            continue;
        }
        let fresh = || Clients { old: old_one, new: new_one, names: BTreeMap::new() };
        let clients = by_class.entry((*was, *is)).or_insert_with(fresh);
        clients.names.entry(identity).or_insert_with(|| name.clone());
    }
    by_class.into_values().collect()
}

/// Whether a side has a workload.
fn has(world: &World, workload: &Workload) -> bool {
    world.mesh.workloads_in(&workload.id.namespace).any(|known| known.id == workload.id)
}

/// That a client's requests take another way altogether.
fn changed(client: &Workload, what: &str) -> Unsettled {
    let entrypoint = format!("client {}", client.display_name());
    let message = format!("it {what}, so that its requests to Services take another way");
    Unsettled { entrypoint, message, span: None }
}

/// The chain that takes what clients speak.
fn served(outbounds: &[Outbound], wire: WireProtocol) -> Vec<Served> {
    let takes =
        |outbound: &&Outbound| outbound.wire == wire || (outbound.proxy.chain == Chain::Tcp && outbounds.len() == 1);
    outbounds.iter().find(takes).map(|outbound| (outbound.proxy.clone(), 0)).into_iter().collect()
}
