//! A request that arrives at a workload, straight or by a route.

use super::addresses::{addresses_told_apart, asks_for, blocks, of_connection};
use super::eval::{EvalError, Evaluator};
use super::hop::{Malformed, agree, chain_and_peer, first_sight, forwarded_address, server_name};
use super::settle::ended;
use crate::model::{MtlsMode, Workload};
use crate::semantics::{
    By, Cause, CauseKind, Chain, ClientSide, Ending, Guard, Handshake, Inbound, NamespaceReader, Outcome, Passes,
    Protocol, Proxy, Request, Seen, Step, Target, Verdict, WireProtocol, WorkloadPort, attached_policies,
    decide_inbound, effective_mode, guard, handshake, jwt_filter, path_normalization, present_token, token_place,
};

/// What arrives at a target.
pub(super) struct Arrival<'a> {
    /// What the target's proxy would see, the peer aside
    pub(super) seen: Seen,
    /// Why it is no request, if so
    pub(super) malformed: Option<Malformed>,
    /// Whom the sender can name to it
    pub(super) identity: Option<&'a String>,
    /// What it speaks
    pub(super) protocol: WireProtocol,
    /// How it was passed on
    pub(super) passes: Passes,
    /// Who sends it
    pub(super) from: &'a str,
}

impl Evaluator<'_> {
    /// Straight to a workload's port.
    pub(super) fn straight(
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
        let unread = malformed == Some(Malformed::Unreadable)
            && port.protocol == Protocol::Sniffed
            && seen.peer.is_none()
            && guard(self.world, workload, port.number) == Guard::Sidecar;
        let protocol = if unread { WireProtocol::Tcp } else { protocol };
        let (chain, peer) = chain_and_peer(self.world, workload, port, protocol, seen.peer.take());
        let no_http = chain == Chain::Http && protocol == WireProtocol::Tcp;
        let malformed = malformed.or(no_http.then_some(Malformed::BadRequest));
        (seen.chain, seen.peer, seen.port) = (chain, peer, port.number);
        if !effective_mode(&self.world.mesh, workload, port.number).reads_server_names() {
            seen.sni = None;
        }
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
        // Where nothing is known of the proxy, its handshake may still come first.
        let plain =
            seen.peer.is_none() && effective_mode(&self.world.mesh, workload, port.number).mode != MtlsMode::Strict;
        let connected = ending.by.map_or(plain, |by| by != By::Closed);
        if let Some(malformed) = malformed.filter(|_| connected && chain == Chain::Http) {
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

    /// What happens at a target, whatever led there.
    pub(super) fn at_target(
        &self,
        target: &Target,
        arrival: Arrival<'_>,
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
            Target::Workload { workload, port, client, server_name, supposed } => {
                let outcome = self.by_client_side(workload, port, client, server_name.as_ref(), arrival, trace)?;
                Ok(match supposed {
                    // What only may exist may also not: the caller weighs it against the others.
                    Some(cause) => Outcome { cause: outcome.cause.or_else(|| Some(cause.clone())), ..outcome },
                    None => outcome,
                })
            }
        }
    }

    /// What happens at a workload that a proxy speaks to in its way.
    fn by_client_side(
        &self,
        workload: &Workload,
        port: &WorkloadPort,
        client: &ClientSide,
        server_name: Option<&String>,
        arrival: Arrival<'_>,
        trace: &mut Vec<Step>,
    ) -> Result<Outcome, EvalError> {
        let name = format!("workload {}", workload.display_name());
        let Arrival { mut seen, malformed, identity, mut protocol, passes, from } = arrival;
        seen.peer = None;
        // What asked for a server name ends here, unless it is passed on as it is.
        if matches!(passes, Passes::Requests | Passes::Bytes) {
            seen.sni = None;
        }
        let handshake = handshake(self.world, workload, port, client);
        let sealed = handshake == Handshake::Sealed;
        match handshake {
            Handshake::Identity => seen.peer = identity.cloned(),
            Handshake::Plaintext if passes == Passes::Connection => protocol = WireProtocol::Tcp,
            Handshake::Plaintext => {}
            Handshake::Sealed => (protocol, seen.sni) = (WireProtocol::Tcp, None),
            Handshake::Unanswered(span) => {
                let what = format!("{name} is called by mTLS, and no proxy is there to take it");
                trace.push(Step { at: from.to_owned(), what, span });
                return Ok(ended(from, &Ending::denied(By::Closed, None)));
            }
            Handshake::Refused(span) => {
                let what = "the proxy takes no TLS but that of the mesh".to_owned();
                trace.push(Step { at: name.clone(), what, span: Some(span) });
                return Ok(ended(&name, &Ending::denied(By::Closed, None)));
            }
            Handshake::Unknown(cause) => return Ok(ended(&name, &Ending::undetermined(cause))),
        }
        if seen.peer.is_some() && passes != Passes::Connection {
            seen.sni = server_name.cloned();
        }
        // Proxies that pass bytes on announce them as such, and a port that declares nothing believes them.
        if passes == Passes::Bytes && seen.peer.is_some() && port.protocol == Protocol::Sniffed {
            protocol = WireProtocol::Tcp;
        }
        let place = Proxy { namespace: &workload.id.namespace, labels: &workload.labels };
        if (seen.peer.is_some() || sealed)
            && seen.sni.is_none()
            && asks_for(&attached_policies(&self.world.mesh, place), "connection.sni")
        {
            let message =
                "a policy asks for the server name that the proxy in front calls, which is istiod's own".to_owned();
            let cause = Cause { kind: CauseKind::UnknownCaller, message, span: None };
            return Ok(ended(&name, &Ending::undetermined(cause)));
        }
        if seen.source_ip.is_some() {
            return self.at_workload(workload, port, seen, malformed, protocol, trace);
        }
        // Where the proxy in front sits is unknown: whatever the policies can tell apart is tried.
        let mut found: Option<(Outcome, Vec<Step>)> = None;
        let remote_too = seen.remote_ip.is_none();
        for address in addresses_told_apart(&attached_policies(&self.world.mesh, place), remote_too) {
            let mut steps = Vec::new();
            let remote_ip = seen.remote_ip.or(Some(address));
            let sight = Seen { source_ip: Some(address), remote_ip, ..seen.clone() };
            let outcome = self.at_workload(workload, port, sight, malformed, protocol, &mut steps)?;
            match &found {
                None => found = Some((outcome, steps)),
                Some((first, _)) if (first.decision, first.by) == (outcome.decision, outcome.by) => {}
                Some(_) => {
                    let cause = Cause {
                        kind: CauseKind::UnknownCaller,
                        message: "a policy asks for the address of the proxy in front, which the manifests do not tell"
                            .to_owned(),
                        span: None,
                    };
                    return Ok(ended(&name, &Ending::undetermined(cause)));
                }
            }
        }
        let (outcome, steps) = found.expect("there is an address of either family");
        trace.extend(steps);
        Ok(outcome)
    }

    /// Whether a policy at a proxy asks for the address of the connection's other end.
    pub(super) fn asks_for_address(&self, proxy: Proxy<'_>) -> bool {
        let attached = attached_policies(&self.world.mesh, proxy);
        asks_for(&attached, "source.ip") || !blocks(&attached, "source.ip", of_connection).is_empty()
    }
}
