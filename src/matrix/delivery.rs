//! What gateways deliver to a door: the routes that lead there, and requests that go through both hops.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::door::Door;
use super::witness::fill;
use crate::model::ObjectId;
use crate::semantics::{
    Cause, CauseKind, Decision, Ending, Forward, Judgement, Request, RoutingProxy, Target, Verdict, World,
    gateway_proxy,
};
use crate::space::{Budget, Cube, DecisionList, Dimension, Excess, PathDomain, TwoHopSearch, through};
use crate::text::Span;

/// What a route makes of the requests that were asked about.
#[derive(Debug, Clone)]
pub enum Delivered {
    /// One gets through
    Request(Box<Request>),
    /// It cannot be told
    Unknown(Cause),
}

/// A gateway's route that leads to a door.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The route in the text
    pub route: Span,
    /// What it delivers
    pub delivered: Delivered,
}

/// The gateways' listeners, and by which of their routes each door can be reached. Worked out once.
#[derive(Debug)]
pub struct Fronts<'w> {
    /// The world
    world: &'w World,
    /// The listeners of ingress gateways
    listeners: Vec<Front>,
    /// By workload and port of the pod: the routes that lead there
    leads: HashMap<(ObjectId, u16), Vec<Lead>>,
}

/// One listener.
#[derive(Debug)]
struct Front {
    /// `gateway NS/NAME:PORT`
    entrypoint: String,
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
    /// Why the workload may not be the one that the route means
    supposed: Option<Cause>,
}

impl<'w> Fronts<'w> {
    /// The listeners of all ingress gateways.
    pub fn of(world: &'w World) -> Self {
        let mut found = Self { world, listeners: Vec::new(), leads: HashMap::new() };
        for workload in world.gateway_workloads.iter().filter(|workload| workload.ingress) {
            for gateway in world.mesh.gateways.iter().filter(|gateway| workload.gateways.contains(&gateway.id)) {
                let mut ports: Vec<u16> = gateway.spec.servers().iter().map(|server| server.value.number()).collect();
                ports.sort_unstable();
                ports.dedup();
                for port in ports {
                    if let Some(proxy) = gateway_proxy(world, gateway, port, workload) {
                        found.add(format!("gateway {}:{port}", gateway.id.path()), proxy);
                    }
                }
            }
        }
        found
    }

    /// Adds a listener and where its routes lead; a route counts once for each door.
    fn add(&mut self, entrypoint: String, proxy: RoutingProxy) {
        let front = self.listeners.len();
        for route in 0..proxy.table.routes.len() {
            let Some((_, forward)) = proxy.forward(route) else { continue };
            for target in forward.targets.iter().chain(&forward.mirrors) {
                let Target::Workload { workload, port, supposed, .. } = target else { continue };
                let leads = self.leads.entry((workload.id.clone(), port.number)).or_default();
                if leads.last().is_none_or(|last| (last.front, last.route) != (front, route)) {
                    leads.push(Lead { front, route, supposed: supposed.clone() });
                }
            }
        }
        self.listeners.push(Front { entrypoint, proxy, judgement: OnceLock::new() });
    }

    /// The deliveries to a door, within a cube as the workload sees it, certain ones first.
    pub fn delivered(&self, door: &Door<'_>, within: &Cube) -> Vec<Delivery> {
        let leads = self.leads.get(&(door.workload.id.clone(), door.port.number));
        let delivery = |lead: &Lead| {
            let front = self.listeners.get(lead.front)?;
            let (route, forward) = front.proxy.forward(lead.route)?;
            let judgement = front.judgement.get_or_init(|| front.proxy.judgement(self.world));
            let delivered = one_route(front, judgement, door, within, lead.route, forward, route.span)?;
            // The route leads to this workload only if it is the one that serves an unknown Service.
            let delivered = match (delivered, &lead.supposed) {
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

/// What one route delivers through a door. `None`: nothing, proven.
fn one_route(
    front: &Front,
    judgement: &Judgement,
    door: &Door<'_>,
    within: &Cube,
    index: usize,
    forward: &Forward,
    span: Span,
) -> Option<Delivered> {
    let unknown = |why: &Excess| {
        Delivered::Unknown(Cause { kind: CauseKind::Budget, message: why.to_string(), span: Some(span) })
    };
    let maybe =
        judgement.labels(|verdict| matches!(verdict, Verdict::End(Ending { decision: Decision::Undetermined, .. })));
    let via = judgement.labels(|verdict| *verdict == Verdict::Forward(index)).first().copied();
    let mut doubt: Option<Delivered> = None;
    for identity in front.proxy.identities.iter().flatten() {
        let second = arriving(&door.lock.judgement.list, identity, forward);
        let bounds = Cube { path: within.path.clone(), tests: Vec::new() };
        let universe = &judgement.universe;
        // A request that the gateway may refuse or change is no delivery, and no proof that there is none.
        let ways = via.iter().map(|label| (*label, true)).chain(maybe.iter().map(|label| (*label, false)));
        for (label, certain) in ways {
            let found =
                through(&judgement.list, label, &forward.rewrite, &second, &bounds, universe, &Budget::default());
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
                        request.source = None;
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

/// The door's list for requests that a gateway of an identity sends by a route: peer, authority and headers are fixed by it.
fn arriving(list: &DecisionList, identity: &str, forward: &Forward) -> DecisionList {
    let mut list = list.specialise(&Dimension::Peer, &[identity]);
    if let Some(authority) = &forward.authority {
        list = list.specialise(&Dimension::Authority, &[authority]);
    }
    for (name, value) in &forward.set {
        list = list.specialise(&Dimension::Header(name.as_str().into()), &[value]);
    }
    for name in &forward.remove {
        list = list.specialise(&Dimension::Header(name.as_str().into()), &[]);
    }
    list.specialise(&Dimension::Sni, &[])
}
