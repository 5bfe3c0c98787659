//! Requests on their way in: at a gateway's port, or out through the caller's own sidecar.

use super::arrive::Arrival;
use super::entrypoint::find_workload;
use super::eval::{EvalError, Evaluator};
use super::hop::{Malformed, first_sight, forwarded_address, server_name, trusted_address};
use super::settle::{decisions, default_host, ended, server_for};
use crate::model::{Gateway, Resource, Service, ServicePort, Workload};
use crate::semantics::{
    By, Capture, Cause, CauseKind, Chain, Client, ClientSide, Ending, GatewayListener, Guard, JwtFilter, Membership,
    Outcome, Passes, Proxy, Request, Step, Target, Topology, WireProtocol, client_proxy, gateway_listener,
    gateway_topology, guard, jwt_filter, outbound_capture, path_normalization, service_targets, token_place,
};
use crate::text::Span;

impl Evaluator<'_> {
    /// In at a gateway.
    pub(super) fn at_gateway(
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
            if let Some(listener) = gateway_listener(world, gateway, port, workload) {
                let server = gateway.spec.servers().iter().find(|server| server.value.number() == port);
                let what = format!("a server of {} listens on port {port}", gateway.id);
                trace.push(Step { at: listener.name.clone(), what, span: server.map(|server| server.span) });
                let topology = gateway_topology(world, workload);
                let server = server_for(gateway, port, &authority);
                outcomes.extend(self.at_listener(request, &listener, server, topology, &authority, trace)?);
            }
        }
        if outcomes.is_empty() {
            let at = format!("gateway {}", gateway.id.path());
            outcomes.push(ended(&at, &Ending::denied(By::NoListener, None)));
        }
        Ok(outcomes)
    }

    /// In at the listener of one gateway workload, where a server of the gateway stands for it.
    fn at_listener(
        &self,
        request: &Request,
        listener: &GatewayListener,
        server: Option<Span>,
        topology: Topology,
        authority: &str,
        trace: &mut Vec<Step>,
    ) -> Result<Vec<Outcome>, EvalError> {
        let at = &listener.name;
        let mut end = |by: By, what: &str| {
            trace.push(Step { at: at.clone(), what: what.to_owned(), span: None });
            Ok(vec![ended(at, &Ending::denied(by, None))])
        };
        if listener.chains.is_empty() {
            return end(By::NoListener, "no server of this port has anything to listen for");
        }
        let sni = if listener.plaintext { None } else { asked_name(request, authority) };
        let Some(proxy) = listener.chain_for(sni.as_deref()) else {
            return end(By::Closed, "no server of this port takes the connection");
        };
        let shows = request.source.is_some();
        if proxy.unknown.is_none() && proxy.chain == Chain::Http && listener.plaintext && shows {
            return end(By::Closed, "the server takes no TLS");
        }
        let world = self.world;
        let reads = (proxy.chain == Chain::Http).then(|| path_normalization(world));
        let (mut seen, mut malformed) = first_sight(request, authority, reads);
        // Bytes that are not HTTP are read once the connection stands.
        let unreadable = request.protocol == WireProtocol::Tcp && proxy.chain == Chain::Http;
        malformed = malformed.or(unreadable.then_some(Malformed::BadRequest));
        seen.chain = proxy.chain;
        seen.port = proxy.port;
        if topology.announced && self.asks_for_address(Proxy { namespace: &proxy.namespace, labels: &proxy.labels }) {
            let cause = Cause {
                kind: CauseKind::UnknownCaller,
                message: "a policy asks for the address of the proxy in front of the gateway, which the manifests do \
                          not tell"
                    .to_owned(),
                span: None,
            };
            return Ok(vec![ended(at, &Ending::undetermined(cause))]);
        }
        seen.remote_ip = trusted_address(&seen, topology.trusted_proxies);
        seen.sni = sni;
        seen.peer = request.source.clone().filter(|_| proxy.asks_for_certificate());
        if !listener.plaintext {
            "https".clone_into(&mut seen.scheme);
        } else if seen.scheme == "https" {
            malformed = Some(Malformed::BadRequest);
        }
        let filter = jwt_filter(&world.mesh, Proxy { namespace: &proxy.namespace, labels: &proxy.labels });
        seen.token_place = token_place(world, &filter, request.claims.as_ref());
        let what = match proxy.chain_name.as_str() {
            "" => "a server of this port takes the connection".to_owned(),
            chain => format!("the connection is taken by {chain}"),
        };
        trace.push(Step { at: at.clone(), what, span: server });
        // TLS to a server of plain bytes is bytes as well.
        let wire = if listener.plaintext && shows { WireProtocol::Tcp } else { request.protocol };
        self.routed(proxy, seen, malformed, request, wire, trace)
    }

    /// Out through the caller's own sidecar.
    pub(super) fn through_client(
        &self,
        request: &Request,
        service: &Resource<Service>,
        port: &ServicePort,
        trace: &mut Vec<Step>,
    ) -> Result<Vec<Outcome>, EvalError> {
        let host = format!("{}.{}.svc.cluster.local", service.id.name, service.id.namespace);
        let authority = request.authority.clone().unwrap_or(host);
        let Some(callers) = self.callers(request)? else {
            return self.without_sidecar(request, service, port, &authority, trace);
        };
        let unknown = |message: &str| {
            let cause = Cause { kind: CauseKind::UnknownCaller, message: message.to_owned(), span: None };
            Ok(vec![ended("client", &Ending::undetermined(cause))])
        };
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut first = true;
        for caller in callers {
            let found = self.by_caller(caller, request, service, port, &authority, trace)?;
            if first {
                outcomes = found;
                first = false;
            } else if decisions(&outcomes) != decisions(&found) {
                return unknown("several workloads have this identity, and their requests are treated differently");
            }
        }
        if first {
            return unknown("no workload of the input has this identity, so its sidecar's routes are unknown");
        }
        Ok(outcomes)
    }

    /// What becomes of the request if one workload sends it.
    fn by_caller(
        &self,
        caller: &Workload,
        request: &Request,
        service: &Resource<Service>,
        port: &ServicePort,
        authority: &str,
        trace: &mut Vec<Step>,
    ) -> Result<Vec<Outcome>, EvalError> {
        let world = self.world;
        let name = format!("client {}", caller.display_name());
        if matches!(world.membership(caller), Membership::Out { .. }) {
            trace.push(Step { at: name, what: "it has no sidecar".to_owned(), span: Some(caller.name_span) });
            return self.without_sidecar(request, service, port, authority, trace);
        }
        match outbound_capture(caller, port) {
            Capture::Sidecar => {}
            Capture::Nothing(span) => {
                trace.push(Step {
                    at: name,
                    what: "its sidecar does not capture this port".to_owned(),
                    span: Some(span),
                });
                return self.without_sidecar(request, service, port, authority, trace);
            }
            Capture::Unknown(cause) => return Ok(vec![ended(&name, &Ending::undetermined(cause))]),
        }
        let client = Client {
            name: caller.display_name(),
            namespace: caller.id.namespace.to_string(),
            labels: caller.labels.clone(),
            identity: world.identity(&caller.identity_path()),
        };
        let Some(proxy) = client_proxy(world, &client, service, port, request.protocol) else {
            return Ok(vec![ended(&name, &Ending::denied(By::NoListener, None))]);
        };
        let bytes = proxy.chain == Chain::Tcp;
        let (mut seen, malformed) = first_sight(request, authority, (!bytes).then(|| path_normalization(world)));
        seen.token_place = token_place(world, &JwtFilter::default(), request.claims.as_ref());
        seen.chain = proxy.chain;
        seen.peer = None;
        seen.sni = if bytes { asked_name(request, authority) } else { None };
        seen.port = proxy.port;
        self.routed(&proxy, seen, malformed, request, request.protocol, trace)
    }

    /// In plaintext to whatever is behind a Service.
    fn without_sidecar(
        &self,
        request: &Request,
        service: &Resource<Service>,
        port: &ServicePort,
        authority: &str,
        trace: &mut Vec<Step>,
    ) -> Result<Vec<Outcome>, EvalError> {
        let mut outcomes = Vec::new();
        for target in &service_targets(self.world, service, port, &ClientSide::Plaintext(None)) {
            let guarded = matches!(target, Target::Workload { workload, port, .. }
                if guard(self.world, workload, port.number) == Guard::Sidecar);
            let reads = guarded.then(|| path_normalization(self.world));
            let (mut seen, malformed) = first_sight(request, authority, reads);
            seen.token_place = token_place(self.world, &JwtFilter::default(), request.claims.as_ref());
            seen.remote_ip = forwarded_address(&seen);
            let protocol = request.protocol;
            let arrival =
                Arrival { seen, malformed, identity: None, protocol, passes: Passes::Requests, from: "client" };
            outcomes.push(self.at_target(target, arrival, trace)?);
        }
        Ok(outcomes)
    }

    /// The workloads that may send the request. `None`: somebody without identity.
    fn callers(&self, request: &Request) -> Result<Option<Vec<&Workload>>, EvalError> {
        let Some(source) = &request.source else {
            return Ok(None);
        };
        let named = match &request.source_workload {
            None => None,
            Some(path) => {
                let (namespace, name) = path.split_once('/').unwrap_or_default();
                Some(find_workload(self.world, namespace, name).map_err(EvalError::Unanswerable)?.id.clone())
            }
        };
        let workloads = self.world.mesh.workloads.iter().filter(|workload| {
            named.as_ref().is_none_or(|named| workload.id == *named)
                && self.world.identity(&workload.identity_path()) == *source
        });
        Ok(Some(workloads.map(AsRef::as_ref).collect()))
    }
}

/// The server name that a client asks for.
fn asked_name(request: &Request, authority: &str) -> Option<String> {
    request.sni.as_ref().map(|sni| sni.to_ascii_lowercase()).or_else(|| server_name(authority))
}
