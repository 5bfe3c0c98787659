//! One request from its entrypoint to its end, decided twice.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::entrypoint::{Entrypoint, parse_entrypoint};
use super::hop::{
    Malformed, agree, chain_and_peer, first_sight, forwarded_address, next_sight, server_name, trusted_address,
};
use super::settle::{decisions, default_host, ended, settle};
use crate::model::{Gateway, Resource, Service, ServicePort, Workload};
use crate::semantics::{
    Abort, Answer, By, Cause, CauseKind, Chain, Client, ClientSide, Ending, Guard, Inbound, Judgement, JwtFilter,
    Membership, NamespaceReader, Outcome, Passing, Proxy, Request, RoutingProxy, Seen, Step, Target, Verdict,
    WireProtocol, WorkloadPort, World, client_proxy, decide_inbound, gateway_proxy, guard, jwt_filter,
    path_normalization, present_token, token_place,
};
use crate::space::{Budget, Cube, Partition, label_of, partition};

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvalError {
    /// It asks about something that is not there
    Unanswerable(String),
    /// The two readings disagree: a fault of this program
    Disagreement(String),
}

/// What partitions are kept by: the proxy and its chain.
type ProxyKey = (String, u16, Chain);

/// Answers requests about one world.
#[derive(Debug)]
pub struct Evaluator<'w> {
    /// The world
    world: &'w World,
    /// Whether the symbolic reading is asked too
    symbolic: bool,
    /// Judgements with their partitions, made when first needed
    judgements: RefCell<HashMap<ProxyKey, Rc<(Judgement, Partition)>>>,
}

impl<'w> Evaluator<'w> {
    /// An evaluator of a world.
    pub fn new(world: &'w World) -> Self {
        Self { world, symbolic: true, judgements: RefCell::new(HashMap::new()) }
    }

    /// An evaluator for what the symbolic reading has said already: it asks the other one alone.
    pub fn step_by_step(world: &'w World) -> Self {
        Self { symbolic: false, ..Self::new(world) }
    }

    /// The answer to a request.
    pub fn answer(&self, request: &Request) -> Result<Answer, EvalError> {
        let entrypoint = parse_entrypoint(self.world, &request.entrypoint).map_err(EvalError::Unanswerable)?;
        let mut trace = Vec::new();
        let outcomes = match &entrypoint {
            Entrypoint::Workload { workload, port: Some(port) } => {
                vec![self.straight(request, workload, port, &mut trace)?]
            }
            Entrypoint::Workload { workload, port: None } => {
                let name = format!("workload {}", workload.display_name());
                trace.push(Step { at: name.clone(), what: "nothing listens on this port".to_owned(), span: None });
                vec![ended(&name, &Ending::denied(By::NoListener, None))]
            }
            Entrypoint::Gateway { gateway, port } => self.at_gateway(request, gateway, *port, &mut trace)?,
            Entrypoint::Service { service, port } => self.through_client(request, service, port, &mut trace)?,
        };
        Ok(settle(&outcomes, trace))
    }

    /// Straight to a workload's port.
    fn straight(
        &self,
        request: &Request,
        workload: &Workload,
        port: &WorkloadPort,
        trace: &mut Vec<Step>,
    ) -> Result<Outcome, EvalError> {
        let guarded = guard(self.world, workload, port.number) == Guard::Sidecar;
        let authority = request.authority.clone().unwrap_or_else(|| self.host_of(workload));
        let mode = guarded.then(|| path_normalization(self.world));
        let (mut seen, malformed) = first_sight(request, &authority, mode);
        let filter =
            jwt_filter(&self.world.mesh, Proxy { namespace: &workload.id.namespace, labels: &workload.labels });
        seen.token_place = token_place(self.world, &filter, request.claims.as_ref());
        seen.peer = request.source.clone().filter(|_| guarded);
        seen.sni = if seen.peer.is_some() { seen.sni.or_else(|| server_name(&authority)) } else { None };
        seen.remote_ip = forwarded_address(&seen);
        self.at_workload(workload, port, seen, malformed, request.protocol, trace)
    }

    /// The host that a client would use for a workload.
    fn host_of(&self, workload: &Workload) -> String {
        let service = self.world.services_of(workload).next();
        let name = service.map_or(workload.id.name.as_str(), |service| service.id.name.as_str());
        if name.starts_with('{') { "example.com".to_owned() } else { format!("{name}.{}", workload.id.namespace) }
    }

    /// What happens at a workload's port.
    fn at_workload(
        &self,
        workload: &Workload,
        port: &WorkloadPort,
        mut seen: Seen,
        malformed: Option<Malformed>,
        protocol: WireProtocol,
        trace: &mut Vec<Step>,
    ) -> Result<Outcome, EvalError> {
        let name = format!("workload {}", workload.display_name());
        let outcome = |ending: &Ending, seen: &Seen| {
            let arrived = ending.by == Some(By::Reached) || ending.by == Some(By::Policy) || ending.by == Some(By::Jwt);
            let http = seen.chain == Chain::Http && arrived;
            Outcome {
                workload: arrived.then(|| workload.display_name()),
                path: http.then(|| seen.path.clone()),
                authority: http.then(|| seen.authority.clone()),
                ..ended(&name, ending)
            }
        };
        let Some((chain, peer)) = chain_and_peer(self.world, workload, port, protocol, seen.peer.take()) else {
            trace.push(Step { at: name.clone(), what: "the port speaks HTTP only".to_owned(), span: None });
            return Ok(outcome(&Ending::denied(By::BadRequest, None), &seen));
        };
        (seen.chain, seen.peer, seen.port) = (chain, peer, port.number);
        if chain == Chain::Tcp {
            // Nobody reads headers there.
            seen.remote_ip = seen.source_ip;
        }
        let proxy = Proxy { namespace: &workload.id.namespace, labels: &workload.labels };
        if chain == Chain::Http
            && guard(self.world, workload, port.number) == Guard::Sidecar
            && let Err(cause) = present_token(&jwt_filter(&self.world.mesh, proxy), &mut seen)
        {
            return Ok(outcome(&Ending::undetermined(cause), &seen));
        }
        let (ending, remarks) = decide_inbound(self.world, workload, port, &seen);
        trace.extend(remarks.into_iter().map(|(what, span)| Step { at: name.clone(), what, span }));
        if let Some(malformed) = malformed.filter(|_| ending.by != Some(By::Closed) && chain == Chain::Http) {
            trace.push(Step { at: name.clone(), what: "the request is malformed".to_owned(), span: None });
            return Ok(outcome(&malformed.ending(), &seen));
        }
        if !self.symbolic {
            return Ok(outcome(&ending, &seen));
        }
        let symbolic = self.symbolic(&(name.clone(), port.number, chain), &seen, || {
            Inbound::of(self.world, workload, port, chain)
                .judgement(&NamespaceReader::new(self.world, &workload.id.namespace))
        })?;
        match symbolic {
            Some(Verdict::End(end)) if agree(&end, &ending) => Ok(outcome(&ending, &seen)),
            other => {
                Err(EvalError::Disagreement(format!("at {name}: {ending:?} step by step, {other:?} symbolically")))
            }
        }
    }

    /// The symbolic verdict: by the partition that `check` uses, and rule by rule where the point lies outside of it.
    fn symbolic(
        &self,
        key: &ProxyKey,
        seen: &Seen,
        judge: impl FnOnce() -> Judgement,
    ) -> Result<Option<Verdict>, EvalError> {
        let known = self.judgements.borrow().get(key).cloned();
        let judged = known.unwrap_or_else(|| {
            let judgement = judge();
            let partition = partition(&judgement.list, &Cube::default(), &judgement.universe, &Budget::default());
            let judged = Rc::new((judgement, partition));
            self.judgements.borrow_mut().insert(key.clone(), Rc::clone(&judged));
            judged
        });
        let (judgement, partition) = &*judged;
        let dimensions = judgement.list.dimensions();
        let point = seen.point(&dimensions);
        let by_list = label_of(&judgement.list, &point);
        match partition.label(&point) {
            Some(label) if label != by_list => Err(EvalError::Disagreement(format!(
                "at {}: the partition says {label:?}, the list {by_list:?}",
                key.0
            ))),
            _ => Ok(judgement.verdict(by_list).cloned()),
        }
    }

    /// In at a gateway.
    fn at_gateway(
        &self,
        request: &Request,
        gateway: &Resource<Gateway>,
        port: u16,
        trace: &mut Vec<Step>,
    ) -> Result<Vec<Outcome>, EvalError> {
        let world = self.world;
        let authority = request.authority.clone().unwrap_or_else(|| default_host(gateway, port));
        let mut outcomes = Vec::new();
        let serving = world.gateway_workloads.iter().filter(|workload| workload.gateways.contains(&gateway.id));
        for workload in serving {
            let Some(proxy) = gateway_proxy(world, gateway, port, workload) else {
                continue;
            };
            let (mut seen, mut malformed) = first_sight(request, &authority, Some(path_normalization(world)));
            seen.port = proxy.port;
            let filter = jwt_filter(&world.mesh, Proxy { namespace: &proxy.namespace, labels: &proxy.labels });
            seen.token_place = token_place(world, &filter, request.claims.as_ref());
            let trusted = world.mesh.settings.config.default_config.as_ref();
            let trusted = trusted.and_then(|config| config.gateway_topology.as_ref()?.num_trusted_proxies);
            seen.remote_ip = trusted_address(&seen, trusted.unwrap_or(0));
            if proxy.plaintext {
                seen.sni = None;
                if seen.scheme == "https" {
                    malformed = Some(Malformed::BadRequest);
                }
            } else {
                "https".clone_into(&mut seen.scheme);
                seen.sni = seen.sni.or_else(|| server_name(&authority));
            }
            outcomes.extend(self.routed(&proxy, seen, malformed, request, trace)?);
        }
        if outcomes.is_empty() {
            let at = format!("gateway {}", gateway.id.path());
            outcomes.push(ended(&at, &Ending::denied(By::NoListener, None)));
        }
        Ok(outcomes)
    }

    /// Out through the caller's own sidecar.
    fn through_client(
        &self,
        request: &Request,
        service: &Resource<Service>,
        port: &ServicePort,
        trace: &mut Vec<Step>,
    ) -> Result<Vec<Outcome>, EvalError> {
        let world = self.world;
        let host = format!("{}.{}.svc.cluster.local", service.id.name, service.id.namespace);
        let authority = request.authority.clone().unwrap_or(host);
        let callers = self.callers(request)?;
        let plaintext = callers.as_ref().is_none_or(Vec::is_empty);
        let Some(callers) = callers.filter(|_| !plaintext) else {
            let side = ClientSide::Plaintext(service.name_span);
            let targets = crate::semantics::service_targets(world, service, port, None, &side);
            let mut outcomes = Vec::new();
            if request.source.is_some() && request.source_workload.is_none() && !self.is_known(request) {
                let cause = Cause {
                    kind: CauseKind::UnknownCaller,
                    message: "no workload of the input has this identity, so its sidecar's routes are unknown"
                        .to_owned(),
                    span: None,
                };
                return Ok(vec![ended("client", &Ending::undetermined(cause))]);
            }
            for target in &targets {
                let (mut seen, malformed) = first_sight(request, &authority, None);
                seen.token_place = token_place(world, &JwtFilter::default(), request.claims.as_ref());
                seen.remote_ip = forwarded_address(&seen);
                outcomes.push(self.at_target(target, seen, malformed, None, request.protocol, trace)?);
            }
            return Ok(outcomes);
        };
        let mut outcomes: Vec<Outcome> = Vec::new();
        for client in callers {
            let proxy = client_proxy(world, &client, service, port);
            let (mut seen, malformed) = first_sight(request, &authority, Some(path_normalization(world)));
            seen.token_place = token_place(world, &JwtFilter::default(), request.claims.as_ref());
            seen.peer = None;
            seen.sni = None;
            seen.port = proxy.port;
            let found = self.routed(&proxy, seen, malformed, request, trace)?;
            if outcomes.is_empty() {
                outcomes = found;
            } else if decisions(&outcomes) != decisions(&found) {
                let cause = Cause {
                    kind: CauseKind::UnknownCaller,
                    message: "several workloads have this identity, and their sidecars decide differently".to_owned(),
                    span: None,
                };
                return Ok(vec![ended("client", &Ending::undetermined(cause))]);
            }
        }
        Ok(outcomes)
    }

    /// Whether a workload of the input has the identity.
    fn is_known(&self, request: &Request) -> bool {
        let identity = request.source.as_deref().unwrap_or_default();
        self.world.mesh.workloads.iter().any(|workload| self.world.identity(&workload.identity_path()) == identity)
    }

    /// The clients that may send the request with a sidecar. `None` or none: plaintext.
    fn callers(&self, request: &Request) -> Result<Option<Vec<Client>>, EvalError> {
        let Some(source) = &request.source else {
            return Ok(None);
        };
        let named = match &request.source_workload {
            None => None,
            Some(path) => {
                let (namespace, name) = path.split_once('/').unwrap_or_default();
                let workload = super::entrypoint::find_workload(self.world, namespace, name);
                Some(workload.map_err(EvalError::Unanswerable)?)
            }
        };
        let world = self.world;
        let candidates: Vec<&Workload> = match &named {
            Some(workload) => vec![workload],
            None => world.mesh.workloads.iter().collect(),
        };
        let with_sidecar = candidates.into_iter().filter(|workload| {
            world.identity(&workload.identity_path()) == *source
                && !matches!(world.membership(workload), Membership::Out { .. })
        });
        Ok(Some(
            with_sidecar
                .map(|workload| Client {
                    name: workload.display_name(),
                    namespace: workload.id.namespace.clone(),
                    labels: workload.labels.clone(),
                    identity: source.clone(),
                })
                .collect(),
        ))
    }

    /// What a proxy that routes makes of a request, and what becomes of it behind.
    fn routed(
        &self,
        proxy: &RoutingProxy,
        mut seen: Seen,
        malformed: Option<Malformed>,
        request: &Request,
        trace: &mut Vec<Step>,
    ) -> Result<Vec<Outcome>, EvalError> {
        let world = self.world;
        let at = proxy.name.clone();
        if let Some(malformed) = malformed {
            trace.push(Step { at: at.clone(), what: "the request is malformed".to_owned(), span: None });
            return Ok(vec![ended(&at, &malformed.ending())]);
        }
        let place = Proxy { namespace: &proxy.namespace, labels: &proxy.labels };
        let filter = jwt_filter(&world.mesh, place);
        let carried = (seen.token, seen.claims.clone());
        let passing = if at.starts_with("gateway") { present_token(&filter, &mut seen) } else { Ok(Passing::Kept) };
        let passing = match passing {
            Ok(passing) => passing,
            Err(cause) => return Ok(vec![ended(&at, &Ending::undetermined(cause))]),
        };
        let (verdict, remarks) = proxy.decide(world, &seen);
        trace.extend(remarks.into_iter().map(|(what, span)| Step { at: at.clone(), what, span }));
        let key = (format!("{at} as {:?}", proxy.identities), proxy.port, Chain::Http);
        let symbolic =
            if self.symbolic { self.symbolic(&key, &seen, || proxy.judgement(world))? } else { Some(verdict.clone()) };
        let agreed = match (&symbolic, &verdict) {
            (Some(Verdict::End(a)), Verdict::End(b)) => agree(a, b),
            (Some(Verdict::Forward(a)), Verdict::Forward(b)) => a == b,
            _ => false,
        };
        if !agreed {
            return Err(EvalError::Disagreement(format!(
                "at {at}: {verdict:?} step by step, {symbolic:?} symbolically"
            )));
        }
        let index = match verdict {
            Verdict::End(ending) => return Ok(vec![ended(&at, &ending)]),
            Verdict::Forward(index) => index,
        };
        let Some((route, forward)) = proxy.forward(index) else {
            return Ok(vec![ended(&at, &Ending::denied(By::NoRoute, None))]);
        };
        if forward.abort == Abort::Always {
            trace.push(Step { at: at.clone(), what: "a fault aborts it".to_owned(), span: Some(route.span) });
            return Ok(vec![ended(&at, &Ending::denied(By::Fault, None))]);
        }
        // The token goes on as it came unless the proxy that verified it keeps it.
        (seen.token, seen.claims) =
            if passing == Passing::Kept { carried } else { (crate::semantics::Token::None, None) };
        let mut outcomes = Vec::new();
        for target in forward.targets.iter().chain(&forward.mirrors) {
            let mut by_identity: Vec<Outcome> = Vec::new();
            for identity in &proxy.identities {
                let identity = identity.as_ref();
                by_identity.push(self.behind(proxy, route.span, forward, target, identity, &seen, request, trace)?);
            }
            by_identity.dedup();
            if let [only] = by_identity.as_slice() {
                outcomes.push(only.clone());
            } else {
                // Which of its possible names the gateway bears decides, and nobody says so.
                let cause = Cause {
                    kind: CauseKind::UnknownCaller,
                    message: format!("the {at} may run under several identities, which are treated differently"),
                    span: None,
                };
                outcomes.push(ended(&at, &Ending::undetermined(cause)));
            }
        }
        if forward.abort == Abort::Sometimes {
            outcomes.push(ended(&at, &Ending::denied(By::Fault, None)));
        }
        if outcomes.is_empty() {
            outcomes.push(ended(&at, &Ending::denied(By::NoDestination, None)));
        }
        Ok(outcomes)
    }

    /// What becomes of a request at one target of a route.
    #[expect(clippy::too_many_arguments, reason = "a hop has this many ends")]
    fn behind(
        &self,
        proxy: &RoutingProxy,
        span: crate::text::Span,
        forward: &crate::semantics::Forward,
        target: &Target,
        identity: Option<&String>,
        seen: &Seen,
        request: &Request,
        trace: &mut Vec<Step>,
    ) -> Result<Outcome, EvalError> {
        let world = self.world;
        let Target::Workload { workload, port, .. } = target else {
            return self
                .at_target(target, seen.clone(), None, None, request.protocol, trace)
                .map(|outcome| Outcome { at: Some(proxy.name.clone()), ..outcome });
        };
        let sight = next_sight(world, seen, forward, workload, port, path_normalization(world));
        let Some((mut next, malformed)) = sight else {
            let cause = Cause {
                kind: CauseKind::UnmodelledCondition,
                message: "rewriting paths by a regular expression is not modelled yet".to_owned(),
                span: Some(span),
            };
            return Ok(ended(&proxy.name, &Ending::undetermined(cause)));
        };
        // The gateway appends the address that it was called from, whatever it trusts itself; a client's own sidecar
        // appends nothing.
        next.remote_ip = if proxy.name.starts_with("gateway") { seen.source_ip } else { forwarded_address(&next) };
        next.source_ip = None;
        "http".clone_into(&mut next.scheme);
        if seen.path != next.path {
            trace.push(Step {
                at: proxy.name.clone(),
                what: format!("the path goes on as `{}`", next.path),
                span: Some(span),
            });
        }
        self.at_target(target, next, malformed, identity, WireProtocol::Http, trace)
    }

    /// What happens at a target, whatever led there.
    fn at_target(
        &self,
        target: &Target,
        mut seen: Seen,
        malformed: Option<Malformed>,
        identity: Option<&String>,
        protocol: WireProtocol,
        trace: &mut Vec<Step>,
    ) -> Result<Outcome, EvalError> {
        match target {
            Target::Nowhere(why) => {
                trace.push(Step { at: "route".to_owned(), what: why.clone(), span: None });
                Ok(ended("route", &Ending::denied(By::NoDestination, None)))
            }
            Target::Unknown(cause) => {
                trace.push(Step { at: "route".to_owned(), what: cause.message.clone(), span: cause.span });
                Ok(ended("route", &Ending::undetermined(cause.clone())))
            }
            Target::Workload { workload, port, client, supposed } => {
                let name = format!("workload {}", workload.display_name());
                let takes_tls = guard(self.world, workload, port.number) == Guard::Sidecar
                    && crate::semantics::effective_mode(&self.world.mesh, workload, port.number).mode
                        != crate::model::MtlsMode::Disable;
                seen.peer = match client {
                    ClientSide::Auto => identity.filter(|_| takes_tls).cloned(),
                    ClientSide::Plaintext(_) => None,
                    ClientSide::Unknown(cause) => return Ok(ended(&name, &Ending::undetermined(cause.clone()))),
                };
                if seen.source_ip.is_none() && self.asks_for_address(workload) {
                    let cause = Cause {
                        kind: CauseKind::UnknownCaller,
                        message: "a policy asks for the address of the proxy in front, which the manifests do not tell"
                            .to_owned(),
                        span: None,
                    };
                    return Ok(ended(&name, &Ending::undetermined(cause)));
                }
                let outcome = self.at_workload(workload, port, seen, malformed, protocol, trace)?;
                Ok(match supposed {
                    // What only may exist may also not: the caller weighs it against the others.
                    Some(cause) => Outcome { cause: outcome.cause.or_else(|| Some(cause.clone())), ..outcome },
                    None => outcome,
                })
            }
        }
    }

    /// Whether a policy of a workload asks for the address of the connection's other end.
    fn asks_for_address(&self, workload: &Workload) -> bool {
        let proxy = Proxy { namespace: &workload.id.namespace, labels: &workload.labels };
        let attached = crate::semantics::attached_policies(&self.world.mesh, proxy);
        let policies = attached.allow.iter().chain(&attached.deny).chain(&attached.custom);
        policies.flat_map(|policy| policy.spec.rules()).any(|rule| {
            let sources = rule.value.from.iter().flat_map(|from| &from.value);
            let by_source = sources
                .filter_map(|from| from.value.source.as_ref())
                .any(|source| source.value.ip_blocks.is_some() || source.value.not_ip_blocks.is_some());
            let mut conditions = rule.value.when.iter().flat_map(|when| &when.value);
            by_source
                || conditions.any(|condition| condition.value.key.as_ref().is_some_and(|key| key.value == "source.ip"))
        })
    }
}
