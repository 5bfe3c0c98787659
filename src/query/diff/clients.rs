//! Clients' own sidecars on both sides, on the way to every Service.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::Found;
use super::change::Unsettled;
use super::front::{Front, Served, Touched};
use super::same;
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

/// What changes for requests of clients with a sidecar to Services. One that only one side has calls nobody on the other.
pub(super) fn compare(old: &World, new: &World, touched: &Touched<'_>) -> Found {
    if touched.is_empty() && same::are_same_clients(old, new) {
        return Found::default();
    }
    let mut found = Found::default();
    let (before, now) = (ports(old), ports(new));
    let entrypoints: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for entrypoint in &entrypoints {
        match (before.get(*entrypoint), now.get(*entrypoint)) {
            (None, Some(_)) => found.appeared.push((*entrypoint).clone()),
            (Some(_), None) => found.disappeared.push((*entrypoint).clone()),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
    let clients = clients(old, new, &mut found);
    let each =
        clients.par_iter().flat_map(|clients| entrypoints.par_iter().map(move |entrypoint| (clients, *entrypoint)));
    let here = each.map(|(clients, entrypoint)| {
        let sides = (before.get(entrypoint).copied(), now.get(entrypoint).copied());
        to_service(old, new, touched, clients, entrypoint, sides)
    });
    found.and(here.reduce(Found::default, Found::and))
}

/// The ports of all Services, by entrypoint.
fn ports(world: &World) -> BTreeMap<String, (&Resource<Service>, &ServicePort)> {
    let services = world.mesh.services.iter();
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

/// What changes for requests of some clients to a port of a Service.
fn to_service(
    old: &World,
    new: &World,
    touched: &Touched<'_>,
    clients: &Clients<'_>,
    entrypoint: &str,
    (was, is): (Port<'_>, Port<'_>),
) -> Found {
    let of = |world: &World, client: &Workload, port: Port<'_>| {
        port.map(|(service, port)| outbound(world, &[client], service, port)).unwrap_or_default()
    };
    let (before, now) = (of(old, clients.old, was), of(new, clients.new, is));
    let mut found = Found::default();
    for wire in [WireProtocol::Http, WireProtocol::Tcp] {
        let served = [&before, &now].map(|outbounds| served(outbounds, wire));
        // Where bytes are bytes, whatever they are, they are asked about once.
        let front = Front {
            old,
            new,
            entrypoint,
            touched,
            old_is_there: was.is_some(),
            new_is_there: is.is_some(),
            wire,
            clients: Some(&clients.names),
        };
        found = found.and(front.listener(&served[0], &served[1]));
    }
    found
}

/// The chain that takes what clients speak.
fn served(outbounds: &[Outbound], wire: WireProtocol) -> Vec<Served> {
    let takes =
        |outbound: &&Outbound| outbound.wire == wire || (outbound.proxy.chain == Chain::Tcp && outbounds.len() == 1);
    outbounds.iter().find(takes).map(|outbound| (outbound.proxy.clone(), 0)).into_iter().collect()
}
