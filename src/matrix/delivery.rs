//! What gateways deliver to a door: the routes that lead there, and requests that go through both hops.

use super::door::Door;
use super::witness::fill;
use crate::model::{Gateway, Resource, Workload};
use crate::semantics::{
    Cause, CauseKind, Decision, Ending, Forward, GatewayWorkload, Judgement, Request, RoutingProxy, Target, Verdict,
    World, gateway_proxy,
};
use crate::space::{Budget, Cube, DecisionList, Dimension, PathDomain, Rule, TwoHopSearch, through};
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

/// The gateways' deliveries, within a cube as the workload sees it, through a door that lets them in.
pub fn delivered(world: &World, door: &Door, within: &Cube) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    for workload in world.gateway_workloads.iter().filter(|workload| workload.ingress) {
        for gateway in world.mesh.gateways.iter().filter(|gateway| workload.gateways.contains(&gateway.id)) {
            through_gateway(world, door, within, workload, gateway, &mut deliveries);
        }
    }
    deliveries.sort_by_key(|delivery| (matches!(delivery.delivered, Delivered::Unknown(_)), delivery.route));
    deliveries
}

/// The deliveries of one Gateway.
fn through_gateway(
    world: &World,
    door: &Door,
    within: &Cube,
    workload: &GatewayWorkload,
    gateway: &Resource<Gateway>,
    deliveries: &mut Vec<Delivery>,
) {
    let mut ports: Vec<u16> = gateway.spec.servers().iter().map(|server| server.value.number()).collect();
    ports.sort_unstable();
    ports.dedup();
    for port in ports {
        let Some(proxy) = gateway_proxy(world, gateway, port, workload) else {
            continue;
        };
        let leads = (0..proxy.table.routes.len()).filter_map(|index| {
            let (route, forward) = proxy.forward(index)?;
            let target = forward.targets.iter().chain(&forward.mirrors).find(|target| leads_to(target, door))?;
            Some((index, route.span, forward, target))
        });
        let leads: Vec<_> = leads.collect();
        if leads.is_empty() {
            continue;
        }
        let judgement = proxy.judgement(world);
        for (index, span, forward, target) in leads {
            let entrypoint = format!("gateway {}:{port}", gateway.id.path());
            let delivered = one_route(&judgement, &proxy, door, within, index, forward, span, &entrypoint);
            let delivered = match (delivered, target) {
                // The route leads to this workload only if it is the one that serves an unknown Service.
                (Some(Delivered::Request(_)), Target::Workload { supposed: Some(cause), .. }) => {
                    Some(Delivered::Unknown(cause.clone()))
                }
                (delivered, _) => delivered,
            };
            deliveries.extend(delivered.map(|delivered| Delivery { route: span, delivered }));
        }
    }
}

/// Whether a target is the door's port.
fn leads_to(target: &Target, door: &Door) -> bool {
    let same = |workload: &Workload| workload.id == door.workload.id;
    matches!(target, Target::Workload { workload, port, .. } if same(workload) && port.number == door.port.number)
}

/// What one route delivers through a door. `None`: nothing, proven.
#[expect(clippy::too_many_arguments, reason = "two hops have this many parts")]
fn one_route(
    judgement: &Judgement,
    proxy: &RoutingProxy,
    door: &Door,
    within: &Cube,
    index: usize,
    forward: &Forward,
    span: Span,
    entrypoint: &str,
) -> Option<Delivered> {
    let unknown = |message: &str, span: Span| {
        Delivered::Unknown(Cause { kind: CauseKind::Budget, message: message.to_owned(), span: Some(span) })
    };
    let maybe =
        judgement.labels(|verdict| matches!(verdict, Verdict::End(Ending { decision: Decision::Undetermined, .. })));
    let via = judgement.labels(|verdict| *verdict == Verdict::Forward(index)).first().copied();
    let mut doubt: Option<Delivered> = None;
    for identity in proxy.identities.iter().flatten() {
        let second = arriving(&door.judgement.list, identity, forward);
        let bounds = Cube { path: within.path.clone(), tests: Vec::new() };
        let universe = &judgement.universe;
        // A request that the gateway may refuse or change is no delivery, and no proof that there is none.
        let ways = via.iter().map(|label| (*label, true)).chain(maybe.iter().map(|label| (*label, false)));
        for (label, certain) in ways {
            let found =
                through(&judgement.list, label, &forward.rewrite, &second, &bounds, universe, &Budget::default());
            for (second_label, search) in found {
                let ending = match door.judgement.verdict(second_label) {
                    Some(Verdict::End(ending)) if ending.decision != Decision::Denied => ending,
                    _ => continue,
                };
                match search {
                    TwoHopSearch::Empty => {}
                    TwoHopSearch::Found { first, wire_path, .. } if certain && ending.decision == Decision::Allowed => {
                        let mut request = Request::at(entrypoint);
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
                        doubt.get_or_insert_with(|| unknown(&why, span));
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
    list = list.specialise(&Dimension::Sni, &[]);
    // Inside the mesh every request is plain HTTP within mTLS, and the gateway's scheme says nothing.
    let rules: Vec<Rule> = list.rules.into_iter().collect();
    DecisionList { rules, default: list.default }
}
