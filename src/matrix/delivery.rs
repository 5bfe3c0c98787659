//! What gateways and clients' sidecars deliver to a door: the routes that lead there, and requests that go through both
//! hops.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use rayon::prelude::*;

use super::client::{Outbound, outbound};
use super::crossing::{Crossing, Unread, arriving, both, server_names};
use super::door::Door;
use super::witness::fill;
use crate::model::{ObjectId, Workload};
use crate::semantics::{
    By, Cause, CauseKind, Chain, Decision, Ending, Forward, GatewayListener, GatewayWorkload, Guard, Handshake,
    Judgement, Leg, Passes, Protocol, Request, RouteTable, RoutingProxy, Target, Verdict, WireProtocol, World,
    client_classes, gateway_listener, handshake,
};
use crate::space::{Budget, Cube, Dimension, Excess, PathDomain, Search, TwoHopSearch, partition, through};
use crate::text::Span;

/// What a route makes of the requests that were asked about.
#[derive(Debug, Clone)]
pub enum Delivered {
    /// One gets through
    Request(Box<Request>),
    /// It cannot be told
    Unknown(Cause),
}

/// A route that leads to a door.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The route in the text
    pub route: Span,
    /// What it delivers
    pub delivered: Delivered,
}

/// Listeners of proxies in front, and by which of their routes each door can be reached. Worked out once.
#[derive(Debug)]
pub struct Fronts<'w> {
    /// The world
    world: &'w World,
    /// The listeners
    listeners: Vec<Front>,
    /// By workload and port of the pod: the routes that lead there
    leads: HashMap<(ObjectId, u16), Vec<Lead>>,
}

/// One listener.
#[derive(Debug)]
struct Front {
    /// `gateway NS/NAME:PORT` or `service NS/NAME:PORT`
    entrypoint: String,
    /// Whose sidecar it is, if it is one: an identity, and `NS/NAME` of a workload that has it
    client: Option<(String, String)>,
    /// What is spoken there
    wire: WireProtocol,
    /// What routes there
    proxy: RoutingProxy,
    /// What it decides, once somebody asks
    judgement: OnceLock<Judgement>,
}

/// A route that leads to a door.
#[derive(Debug)]
struct Lead {
    /// The listener
    front: usize,
    /// The route's place in its table
    route: usize,
    /// The way's place among those of the route
    leg: usize,
    /// What comes of how the gateway speaks to the workload
    handshake: Handshake,
    /// Why the workload may not be the one that the route means
    supposed: Option<Cause>,
}

/// The listeners of a gateway workload, each with its entrypoint: one for each port of each of its Gateways.
pub(crate) fn listeners(world: &World, workload: &GatewayWorkload) -> Vec<(String, GatewayListener)> {
    let mut found = Vec::new();
    for gateway in world.mesh.gateways.iter().filter(|gateway| workload.gateways.contains(&gateway.id)) {
        let mut ports: Vec<u16> = gateway.spec.servers().iter().map(|server| server.value.number()).collect();
        ports.sort_unstable();
        ports.dedup();
        for port in ports {
            let entrypoint = format!("gateway {}:{port}", gateway.id.path());
            found.extend(gateway_listener(world, gateway, port, workload).map(|listener| (entrypoint, listener)));
        }
    }
    found
}

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
        let mut found = Self { world, listeners: Vec::new(), leads: HashMap::new() };
        for workload in world.gateway_workloads.iter().filter(|workload| wanted(workload)) {
            for (entrypoint, listener) in listeners(world, workload) {
                for proxy in listener.chains {
                    let routes = 0..proxy.table.routes.len();
                    let front = Front::new(entrypoint.clone(), None, WireProtocol::Http, proxy);
                    found.add(front, routes, &|_| true);
                }
            }
        }
        found
    }

    /// The sidecars of all clients, on the way to every Service, as far as their routes lead to workloads that are
    /// wanted.
    pub fn through_clients(world: &'w World, wanted: &(dyn Fn(&Workload) -> bool + Sync)) -> Self {
        let mut found = Self { world, listeners: Vec::new(), leads: HashMap::new() };
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
                    let front = Front::new(entrypoint.clone(), Some((identity, workload)), wire, proxy);
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
            let Some((_, forward)) = proxy.forward(route) else { continue };
            // A connection that is passed on as a whole keeps the client's own identity: no delivery of the gateway's.
            if forward.passes == Passes::Connection {
                continue;
            }
            let known = |leads: &[Lead], leg: &Leg| {
                let same = |other: &Leg| other.changes == leg.changes && server_names(other) == server_names(leg);
                let alike = |lead: &Lead| forward.legs.get(lead.leg).is_some_and(same);
                leads.iter().any(|lead| (lead.front, lead.route) == (front, route) && alike(lead))
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
                let leads = self.leads.entry((workload.id.clone(), port.number)).or_default();
                if !known(leads, leg) {
                    leads.push(Lead { front, route, leg: index, handshake, supposed: supposed.clone() });
                }
            }
        }
        self.listeners.push(listener);
    }

    /// The entrypoints of gateways at which some route leads to a workload, or may.
    pub fn leading_to(&self, workload: &ObjectId) -> BTreeSet<&str> {
        let leads = self.leads.iter().filter(|((led_to, _), _)| led_to == workload).flat_map(|(_, leads)| leads);
        leads.filter_map(|lead| Some(self.listeners.get(lead.front)?.entrypoint.as_str())).collect()
    }

    /// The deliveries to a door of the requests that are asked about, certain ones first.
    pub fn delivered(&self, door: &Door<'_>, asked: &Crossing) -> Vec<Delivery> {
        let leads = self.leads.get(&(door.workload.id.clone(), door.port.number));
        let delivery = |lead: &Lead| {
            let front = self.listeners.get(lead.front)?;
            let (route, forward) = front.proxy.forward(lead.route)?;
            let asked = &*front.asked_there(asked)?;
            let judgement = front.judgement.get_or_init(|| front.proxy.judgement(self.world));
            let leg = forward.legs.get(lead.leg)?;
            if let Handshake::Unknown(cause) = &lead.handshake {
                return Some(Delivery { route: route.span, delivered: Delivered::Unknown(cause.clone()) });
            }
            let delivered = if forward.passes == Passes::Requests {
                one_route(front, judgement, door, asked, (lead, forward, leg), route.span)?
            } else {
                bytes(front, judgement, door, asked, (lead, forward), route.span)?
            };
            // The route leads to this workload only if it is the one that serves an unknown Service.
            let delivered = match (front.sent(delivered), &lead.supposed) {
                (Delivered::Request(_), Some(cause)) => Delivered::Unknown(cause.clone()),
                (delivered, _) => delivered,
            };
            Some(Delivery { route: route.span, delivered })
        };
        let mut deliveries: Vec<Delivery> = leads.into_iter().flatten().filter_map(delivery).collect();
        deliveries.sort_by_key(|delivery| (matches!(delivery.delivered, Delivered::Unknown(_)), delivery.route));
        deliveries
    }
}

impl Front {
    /// A listener of which nobody asked yet what it decides.
    fn new(entrypoint: String, client: Option<(String, String)>, wire: WireProtocol, proxy: RoutingProxy) -> Self {
        Self { entrypoint, client, wire, proxy, judgement: OnceLock::new() }
    }

    /// What is asked about of those who send here; `None`: nobody. Who a client is, its own sidecar does not ask.
    fn asked_there<'a>(&self, asked: &'a Crossing) -> Option<Cow<'a, Crossing>> {
        match &self.client {
            None => Some(Cow::Borrowed(asked)),
            Some((identity, _)) => asked.by(identity).map(Cow::Owned),
        }
    }

    /// A delivery as it is sent here.
    fn sent(&self, delivered: Delivered) -> Delivered {
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

/// What a route of bytes delivers through a door: whatever its policies let in from the gateway, as it was sent.
/// `None`: nothing, proven.
fn bytes(
    front: &Front,
    judgement: &Judgement,
    door: &Door<'_>,
    asked: &Crossing,
    (lead, forward): (&Lead, &Forward),
    span: Span,
) -> Option<Delivered> {
    // Bytes within TLS are no requests to a port that reads them.
    let read = door.chain == Chain::Http && !matches!(door.lock.guard, Guard::Nothing { .. });
    let sealed = forward.passes == Passes::Tls || lead.handshake == Handshake::Sealed;
    let announced = door.port.protocol == Protocol::Sniffed && lead.handshake == Handshake::Identity;
    // Nor are bytes of which the client says that they are none.
    let bytes = front.wire == WireProtocol::Tcp;
    if read && (sealed || announced || bytes) {
        return None;
    }
    let always = judgement.verdicts.iter().all(|verdict| {
        *verdict == Verdict::Forward(lead.route)
            || matches!(verdict, Verdict::End(Ending { by: Some(By::NoRoute | By::Closed), .. }))
    });
    let unread = || Cause {
        kind: CauseKind::UnmodelledCondition,
        message: "the gateway passes bytes on without reading them".to_owned(),
        span: Some(span),
    };
    let bounds = match asked.unread(front.proxy.asks_for_certificate()) {
        Unread::Nothing => return None,
        Unread::Within(bounds) => bounds,
        Unread::Unknown => return Some(Delivered::Unknown(unread())),
    };
    let mut doubt = None;
    for sender in senders(front, lead, asked.mtls) {
        let peer: Vec<&str> = sender.into_iter().collect();
        let names = forward.legs.get(lead.leg).filter(|_| !peer.is_empty()).map(server_names).unwrap_or_default();
        let list = door.lock.judgement.list.specialise(&Dimension::Peer, &peer).specialise(&Dimension::Sni, &names);
        let found = partition(&list, &bounds, &door.lock.judgement.universe, &Budget::default());
        for (label, search) in found.labels() {
            let ending = match door.lock.judgement.verdict(label) {
                Some(Verdict::End(ending)) if ending.decision != Decision::Denied => ending,
                _ => continue,
            };
            match search {
                Search::Empty => {}
                Search::Found(point)
                    if always && ending.decision == Decision::Allowed && forward.passes == Passes::Bytes =>
                {
                    let mut request = Request::at(&front.entrypoint);
                    fill(&mut request, &point, door.lock.judgement.universe.path);
                    request.source = None;
                    request.sni = front.proxy.sni_hosts.first().map(|host| host.replace('*', "www"));
                    if door.chain == Chain::Tcp {
                        request.protocol = WireProtocol::Tcp;
                        "/".clone_into(&mut request.path);
                    }
                    return Some(Delivered::Request(Box::new(request)));
                }
                Search::Found(_) => {
                    let cause = ending.cause.clone().unwrap_or_else(unread);
                    doubt.get_or_insert(Delivered::Unknown(cause));
                }
                Search::OutOfBudget { why } => {
                    let cause = Cause { kind: CauseKind::Budget, message: why.to_string(), span: Some(span) };
                    doubt.get_or_insert(Delivered::Unknown(cause));
                }
            }
        }
    }
    doubt
}

/// What one route delivers through a door. `None`: nothing, proven.
fn one_route(
    front: &Front,
    judgement: &Judgement,
    door: &Door<'_>,
    asked: &Crossing,
    (lead, forward, leg): (&Lead, &Forward, &Leg),
    span: Span,
) -> Option<Delivered> {
    let unknown = |why: &Excess| {
        Delivered::Unknown(Cause { kind: CauseKind::Budget, message: why.to_string(), span: Some(span) })
    };
    let maybe =
        judgement.labels(|verdict| matches!(verdict, Verdict::End(Ending { decision: Decision::Undetermined, .. })));
    let via = judgement.labels(|verdict| *verdict == Verdict::Forward(lead.route)).first().copied();
    let mut doubt: Option<Delivered> = None;
    let first = asked.of(&judgement.list);
    let bounds = Cube { path: asked.seen.clone(), tests: Vec::new() };
    let universe = &both(judgement, &door.lock.judgement);
    for sender in senders(front, lead, asked.mtls) {
        let second = arriving(&door.lock.judgement, sender, leg);
        // A request that the gateway may refuse or change is no delivery, and no proof that there is none.
        let ways = via.iter().map(|label| (*label, true)).chain(maybe.iter().map(|label| (*label, false)));
        for (label, certain) in ways {
            let found = through(&first, label, &forward.rewrite, &second, &bounds, universe, &Budget::default());
            for (second_label, search) in found {
                let ending = match door.lock.judgement.verdict(second_label) {
                    Some(Verdict::End(ending)) if ending.decision != Decision::Denied => ending,
                    _ => continue,
                };
                match search {
                    TwoHopSearch::Empty => {}
                    TwoHopSearch::Found { first, wire_path, .. } if certain && ending.decision == Decision::Allowed => {
                        let mut request = Request::at(&front.entrypoint);
                        fill(&mut request, &first, PathDomain::Raw);
                        let query =
                            request.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
                        request.path = format!("{wire_path}{query}");
                        request.source = request.source.filter(|_| front.proxy.asks_for_certificate());
                        return Some(Delivered::Request(Box::new(request)));
                    }
                    TwoHopSearch::Found { .. } => {
                        let cause = match judgement.verdict(label) {
                            Some(Verdict::End(ending)) => ending.cause.clone(),
                            _ => ending.cause.clone(),
                        };
                        if let Some(cause) = cause {
                            doubt.get_or_insert(Delivered::Unknown(cause));
                        }
                    }
                    TwoHopSearch::OutOfBudget { why } => {
                        doubt.get_or_insert_with(|| unknown(&why));
                    }
                }
            }
        }
    }
    doubt
}

/// The identities that a gateway may show to a door; none where it speaks plaintext or nobody opens its TLS.
fn senders<'f>(front: &'f Front, lead: &Lead, mtls: Option<bool>) -> Vec<Option<&'f str>> {
    let mut senders = match lead.handshake {
        Handshake::Identity => front.proxy.identities.iter().map(Option::as_deref).collect(),
        Handshake::Plaintext | Handshake::Sealed => vec![None],
        Handshake::Unanswered(_) | Handshake::Refused(_) | Handshake::Unknown(_) => Vec::new(),
    };
    senders.retain(|sender| mtls.is_none_or(|mtls| sender.is_some() == mtls));
    senders
}
