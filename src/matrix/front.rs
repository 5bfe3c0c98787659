//! Proxies in front of doors, gateways and sidecars of clients, and by which of their routes each door can be reached.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::client::{Outbound, outbound};
use super::crossing::{Crossing, server_names};
use super::delivery::Delivered;
use super::door::Door;
use crate::model::{Gateway, ObjectId, Resource, Workload};
use crate::semantics::{
    Cause, Chain, GatewayListener, GatewayWorkload, Handshake, Judgement, Leg, Passes, RouteTable, RoutingProxy,
    ServerKind, Target, WireProtocol, World, client_classes, gateway_listener, handshake, listening_port,
};

/// Listeners of proxies in front, and by which of their routes each door can be reached. Worked out once.
#[derive(Debug)]
pub struct Fronts<'w> {
    /// The world
    pub(super) world: &'w World,
    /// The listeners
    pub(super) listeners: Vec<Front>,
    /// Which of them stand at each gateway
    gateways: Vec<(&'w GatewayWorkload, Range<usize>)>,
    /// By workload and port of the pod: the routes that lead there
    pub(super) leads: HashMap<(Arc<ObjectId>, u16), Vec<Lead>>,
}

/// One listener.
#[derive(Debug)]
pub(super) struct Front {
    /// `gateway NS/NAME:PORT` of each Gateway behind which it stands, or `service NS/NAME:PORT`
    pub(super) entrypoints: Vec<String>,
    /// Whose sidecar it is, if it is one: an identity, and `NS/NAME` of a workload that has it
    pub(super) client: Option<(String, String)>,
    /// What is spoken there
    pub(super) wire: WireProtocol,
    /// What routes there
    pub(super) proxy: RoutingProxy,
    /// What it decides, once somebody asks
    pub(super) judgement: OnceLock<Judgement>,
}

/// A route that leads to a door.
#[derive(Debug)]
pub(super) struct Lead {
    /// The listener
    pub(super) front: usize,
    /// The places of the route in its table: one for each host of its virtual service
    pub(super) routes: Vec<usize>,
    /// The way's place among those of the route
    pub(super) leg: usize,
    /// What comes of how the gateway speaks to the workload
    pub(super) handshake: Handshake,
    /// Why the workload may not be the one that the route means
    pub(super) supposed: Option<Cause>,
}

/// The listeners of a gateway workload, each with its entrypoint: one for each port of each of its Gateways.
pub(crate) fn listeners(world: &World, workload: &GatewayWorkload) -> Vec<(String, GatewayListener)> {
    let listener = |(entrypoint, gateway, port): (String, &Resource<Gateway>, u16)| {
        Some((entrypoint, gateway_listener(world, gateway, port, workload)?))
    };
    entrypoints(world, workload).filter_map(listener).collect()
}

/// The listeners of a gateway workload, each once, with every entrypoint behind which it stands: Gateways that name one
/// port share what listens there.
pub(crate) fn shared_listeners(world: &World, workload: &GatewayWorkload) -> Vec<(Vec<String>, GatewayListener)> {
    let mut found: Vec<(Vec<String>, GatewayListener)> = Vec::new();
    let mut places: HashMap<(u16, bool), usize> = HashMap::new();
    for (entrypoint, gateway, port) in entrypoints(world, workload) {
        let server = gateway.spec.servers().iter().find(|server| server.value.number() == port);
        let plaintext = server.is_some_and(|server| ServerKind::of(&server.value).is_plaintext());
        let shared = (listening_port(&world.mesh, workload, port), plaintext);
        if let Some((entrypoints, _)) = places.get(&shared).and_then(|place| found.get_mut(*place)) {
            entrypoints.push(entrypoint);
        } else if let Some(listener) = gateway_listener(world, gateway, port, workload) {
            places.insert(shared, found.len());
            found.push((vec![entrypoint], listener));
        }
    }
    found
}

/// The ports of the Gateways of a workload, each as an entrypoint.
fn entrypoints<'w>(
    world: &'w World,
    workload: &'w GatewayWorkload,
) -> impl Iterator<Item = (String, &'w Resource<Gateway>, u16)> {
    let served: HashSet<&ObjectId> = workload.gateways.iter().map(|id| &**id).collect();
    let gateways = world.mesh.gateways.iter().filter(move |gateway| served.contains(&*gateway.id));
    gateways.flat_map(|gateway| {
        let ports: BTreeSet<u16> = gateway.spec.servers().iter().map(|server| server.value.number()).collect();
        ports.into_iter().map(move |port| (format!("gateway {}:{port}", gateway.id.path()), gateway, port))
    })
}

/// Among how many routes that lead to a door the same route of another host is looked for.
const MANY_ROUTES: usize = 64;

impl<'w> Fronts<'w> {
    /// The listeners of all ingress gateways.
    pub fn of(world: &'w World) -> Self {
        Self::with(world, |workload| workload.ingress)
    }

    /// The listeners of all gateways.
    pub fn all(world: &'w World) -> Self {
        Self::with(world, |_| true)
    }

    /// The listeners of some gateways.
    fn with(world: &'w World, wanted: impl Fn(&GatewayWorkload) -> bool) -> Self {
        let mut found = Self { world, listeners: Vec::new(), gateways: Vec::new(), leads: HashMap::new() };
        for workload in world.gateway_workloads.iter().filter(|workload| wanted(workload)) {
            let first = found.listeners.len();
            for (entrypoints, listener) in shared_listeners(world, workload) {
                for proxy in listener.chains {
                    let routes = 0..proxy.table.routes.len();
                    let front = Front::new(entrypoints.clone(), None, WireProtocol::Http, proxy);
                    found.add(front, routes, &|_| true);
                }
            }
            found.gateways.push((workload, first..found.listeners.len()));
        }
        found
    }

    /// The sidecars of all clients of the input, on the way to every Service, as far as their routes lead to workloads
    /// that are wanted. Of a client that is not in the input nobody knows the routes.
    pub fn through_clients(world: &'w World, wanted: &(dyn Fn(&Workload) -> bool + Sync)) -> Self {
        let mut found = Self { world, listeners: Vec::new(), gateways: Vec::new(), leads: HashMap::new() };
        let classes = client_classes(world);
        let ports = world
            .mesh
            .services
            .iter()
            .flat_map(|service| service.spec.ports().iter().map(move |port| (service, &port.value)));
        let ports: Vec<_> = ports.collect();
        let by_class: Vec<Vec<Outbound>> = classes
            .par_iter()
            .map(|class| ports.iter().flat_map(|(service, port)| outbound(world, class, service, port)).collect())
            .collect();
        for outbounds in by_class {
            // Services of one port share a listener, and what it does for all of them is told once.
            let mut told: HashMap<(u16, Chain, bool), Vec<RouteTable>> = HashMap::new();
            for Outbound { entrypoint, senders, proxy, wire } in outbounds {
                let known = told.entry((proxy.port, proxy.chain, proxy.unknown.is_some())).or_default();
                let new =
                    proxy.table.hosts.iter().filter(|host| !known.iter().any(|table| proxy.table.shares(host, table)));
                let routes: BTreeSet<usize> = new.flat_map(|host| host.routes.iter().copied()).collect();
                known.push(proxy.table.clone());
                for (identity, workload) in senders {
                    let mut proxy = proxy.clone();
                    proxy.identities = vec![Some(identity.clone())];
                    let front = Front::new(vec![entrypoint.clone()], Some((identity, workload)), wire, proxy);
                    found.add(front, routes.iter().copied(), wanted);
                }
            }
        }
        found
    }

    /// Adds a listener and where some of its routes lead; a route counts once for each door.
    fn add(&mut self, listener: Front, routes: impl Iterator<Item = usize>, wanted: &dyn Fn(&Workload) -> bool) {
        let front = self.listeners.len();
        let proxy = &listener.proxy;
        for route in routes {
            let Some((written, forward)) = proxy.forward(route) else { continue };
            // A connection that is passed on as a whole keeps the client's own identity: no delivery of the gateway's.
            if forward.passes == Passes::Connection {
                continue;
            }
            let known = |leads: &[Lead], leg: &Leg| {
                let same = |other: &Leg| other.changes == leg.changes && server_names(other) == server_names(leg);
                let alike = |lead: &Lead| forward.legs.get(lead.leg).is_some_and(same);
                leads
                    .iter()
                    .rev()
                    .take(MANY_ROUTES)
                    .any(|lead| lead.front == front && lead.routes.last() == Some(&route) && alike(lead))
            };
            for (index, leg) in forward.legs.iter().enumerate() {
                let Target::Workload { workload, port, supposed, client, .. } = &leg.target else { continue };
                if !wanted(workload) {
                    continue;
                }
                let handshake = handshake(self.world, workload, port, client);
                if matches!(handshake, Handshake::Unanswered(_) | Handshake::Refused(_)) {
                    continue;
                }
                // Mostly one route leads to a door.
                let leads =
                    self.leads.entry((workload.id.clone(), port.number)).or_insert_with(|| Vec::with_capacity(1));
                if known(leads, leg) {
                    continue;
                }
                // A virtual service has its routes once for each of its hosts, and they do the same.
                let twin = leads.iter_mut().rev().take(MANY_ROUTES).find(|lead| {
                    let of_lead = lead.routes.first().and_then(|route| proxy.forward(*route));
                    let same = of_lead.is_some_and(|(known, does)| known.span == written.span && does == forward);
                    lead.front == front && lead.leg == index && same
                });
                if let Some(twin) = twin {
                    twin.routes.push(route);
                } else {
                    let supposed = supposed.clone();
                    leads.push(Lead { front, routes: vec![route], leg: index, handshake, supposed });
                }
            }
        }
        self.listeners.push(listener);
    }

    /// The chains of the listeners of a gateway, each with the entrypoint that it is shown at. `None`: it is none of
    /// these gateways.
    pub fn chains_of(&self, gateway: &GatewayWorkload) -> Option<impl Iterator<Item = (&str, &RoutingProxy)>> {
        let (_, range) = self.gateways.iter().find(|(known, _)| std::ptr::eq(*known, gateway))?;
        let listeners = self.listeners.get(range.clone())?;
        Some(listeners.iter().map(|front| (front.entrypoint(), &front.proxy)))
    }

    /// The entrypoints of gateways at which some route leads to a workload, or may.
    pub fn leading_to(&self, workload: &ObjectId) -> BTreeSet<&str> {
        let leads = self.leads.iter().filter(|((led_to, _), _)| **led_to == *workload).flat_map(|(_, leads)| leads);
        let fronts = leads.filter_map(|lead| self.listeners.get(lead.front));
        fronts.flat_map(|front| &front.entrypoints).map(String::as_str).collect()
    }

    /// How many virtual hosts the largest of the listeners has from which some route leads to a door, or may.
    pub fn most_hosts(&self, door: &Door<'_>) -> usize {
        let leads = self.leads.get(&(door.workload.id.clone(), door.port.number));
        let fronts: BTreeSet<usize> = leads.into_iter().flatten().map(|lead| lead.front).collect();
        let fronts = fronts.into_iter().filter_map(|front| self.listeners.get(front));
        fronts.map(|front| front.proxy.table.hosts.len()).max().unwrap_or_default()
    }

    /// The workloads to which some route leads, or may.
    pub fn led_to(&self) -> BTreeSet<&Arc<ObjectId>> {
        self.leads.keys().map(|(workload, _)| workload).collect()
    }

    /// The chains at which some route leads to a workload, or may, by workload; each once.
    pub fn proxies_by_workload(&self) -> HashMap<&Arc<ObjectId>, Vec<&RoutingProxy>> {
        let all =
            self.leads.iter().flat_map(|((workload, _), leads)| leads.iter().map(move |lead| (workload, lead.front)));
        let all: BTreeSet<(&Arc<ObjectId>, usize)> = all.collect();
        let mut found: HashMap<&Arc<ObjectId>, Vec<&RoutingProxy>> = HashMap::new();
        for (workload, front) in all {
            found.entry(workload).or_default().extend(self.listeners.get(front).map(|front| &front.proxy));
        }
        found
    }
}

impl Lead {
    /// Whether a route of the table is one of those that are meant.
    pub(super) fn takes(&self, route: usize) -> bool {
        self.routes.binary_search(&route).is_ok()
    }
}

impl Front {
    /// A listener of which nobody asked yet what it decides.
    fn new(
        entrypoints: Vec<String>,
        client: Option<(String, String)>,
        wire: WireProtocol,
        proxy: RoutingProxy,
    ) -> Self {
        Self { entrypoints, client, wire, proxy, judgement: OnceLock::new() }
    }

    /// The entrypoint that a request is shown at.
    pub(super) fn entrypoint(&self) -> &str {
        self.entrypoints.first().map_or("", String::as_str)
    }

    /// What is asked about of those who send here; `None`: nobody. Who a client is, its own sidecar does not ask.
    pub(super) fn asked_there<'a>(&self, asked: &'a Crossing) -> Option<Cow<'a, Crossing>> {
        match &self.client {
            None => Some(Cow::Borrowed(asked)),
            Some((identity, _)) => asked.by(identity).map(Cow::Owned),
        }
    }

    /// A delivery as it is sent here.
    pub(super) fn sent(&self, delivered: Delivered) -> Delivered {
        match (delivered, &self.client) {
            (Delivered::Request(mut request), Some((identity, workload))) => {
                request.source = Some(identity.clone());
                request.source_workload = Some(workload.clone());
                if self.wire == WireProtocol::Tcp {
                    request.protocol = WireProtocol::Tcp;
                }
                Delivered::Request(request)
            }
            (delivered, _) => delivered,
        }
    }
}
