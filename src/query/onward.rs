//! What a proxy that routes makes of a request, and what becomes of it behind.

use super::arrive::Arrival;
use super::eval::{EvalError, Evaluator};
use super::hop::{Malformed, agree, forwarded_address, next_sight};
use super::settle::ended;
use crate::semantics::{
    Abort, By, Cause, CauseKind, Chain, Ending, Forward, Leg, Outcome, Passes, Passing, Proxy, Request, RoutingProxy,
    Seen, Step, Target, Verdict, WireProtocol, jwt_filter, present_token,
};
use crate::text::Span;

/// A request that a route took.
struct Taken<'a> {
    /// The proxy whose route it is
    proxy: &'a RoutingProxy,
    /// The route in the text
    span: Span,
    /// What the route does
    forward: &'a Forward,
    /// What the proxy saw
    seen: &'a Seen,
    /// Why it is no request, if bytes were passed on
    malformed: Option<Malformed>,
    /// What is spoken on
    wire: WireProtocol,
}

impl Evaluator<'_> {
    /// What a proxy that routes makes of a request, and what becomes of it behind.
    pub(super) fn routed(
        &self,
        proxy: &RoutingProxy,
        mut seen: Seen,
        malformed: Option<Malformed>,
        request: &Request,
        wire: WireProtocol,
        trace: &mut Vec<Step>,
    ) -> Result<Vec<Outcome>, EvalError> {
        let world = self.world;
        let at = proxy.name.clone();
        let reads = proxy.chain == Chain::Http;
        let place = Proxy { namespace: &proxy.namespace, labels: &proxy.labels };
        let guarded = at.starts_with("gateway");
        let carried = (seen.token, seen.claims.clone());
        let passing = if guarded && reads {
            present_token(&jwt_filter(&world.mesh, place), &mut seen)
        } else {
            Ok(Passing::Kept)
        };
        let passing = match passing {
            Ok(passing) => passing,
            Err(cause) => return Ok(vec![ended(&at, &Ending::undetermined(cause))]),
        };
        let (verdict, remarks) = proxy.decide(world, &seen);
        trace.extend(remarks.into_iter().map(|(what, span)| Step { at: at.clone(), what, span }));
        // Several workloads may serve one Gateway, and what a client's proxy does depends on where it dialled.
        let whose = format!("{} {:?} as {:?}", proxy.namespace, proxy.labels, proxy.identities);
        let place = format!("{at} {} of {whose} for {}", proxy.chain_name, request.entrypoint);
        let key = (place, proxy.port, proxy.chain);
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
        // A malformed request ends before any filter, but only once the connection stands.
        let connected = match &verdict {
            Verdict::End(ending) if ending.by.is_none() => seen.peer.is_some() || !proxy.asks_for_certificate(),
            Verdict::End(ending) => ending.by != Some(By::Closed),
            Verdict::Forward(_) => true,
        };
        if let Some(malformed) = malformed.filter(|_| reads && connected && proxy.unknown.is_none()) {
            trace.push(Step { at: at.clone(), what: "the request is malformed".to_owned(), span: None });
            return Ok(vec![ended(&at, &malformed.ending())]);
        }
        let index = match verdict {
            Verdict::End(ending) => return Ok(before_bytes(proxy, &seen, &ending)),
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
        let taken = Taken { proxy, span: route.span, forward, seen: &seen, malformed, wire };
        let mut outcomes = Vec::new();
        for leg in &forward.legs {
            outcomes.push(self.by_leg(&taken, leg, request, trace)?);
        }
        if forward.abort == Abort::Sometimes {
            outcomes.push(ended(&at, &Ending::denied(By::Fault, None)));
        }
        if outcomes.is_empty() {
            outcomes.push(ended(&at, &Ending::denied(By::NoDestination, None)));
        }
        Ok(outcomes)
    }

    /// What becomes of a request on one of the ways that its route has, whoever the proxy is.
    fn by_leg(
        &self,
        taken: &Taken<'_>,
        leg: &Leg,
        request: &Request,
        trace: &mut Vec<Step>,
    ) -> Result<Outcome, EvalError> {
        let own = [request.source.clone()];
        // A connection that is passed on as a whole is the client's own.
        let identities: &[Option<String>] =
            if taken.forward.passes == Passes::Connection { &own } else { &taken.proxy.identities };
        let mut by_identity: Vec<Outcome> = Vec::new();
        for identity in identities {
            by_identity.push(self.behind(taken, leg, identity.as_ref(), trace)?);
        }
        by_identity.dedup();
        if let [only] = by_identity.as_slice() {
            return Ok(only.clone());
        }
        // Which of its possible names the gateway bears decides, and nobody says so.
        let at = &taken.proxy.name;
        let cause = Cause {
            kind: CauseKind::UnknownCaller,
            message: format!("the {at} may run under several identities, which are treated differently"),
            span: None,
        };
        Ok(ended(at, &Ending::undetermined(cause)))
    }

    /// What becomes of a request at one target of a route.
    fn behind(
        &self,
        taken: &Taken<'_>,
        leg: &Leg,
        identity: Option<&String>,
        trace: &mut Vec<Step>,
    ) -> Result<Outcome, EvalError> {
        let Taken { proxy, span, forward, seen, malformed, wire } = *taken;
        let protocol = match forward.passes {
            Passes::Requests => WireProtocol::Http,
            Passes::Bytes | Passes::Connection => wire,
            Passes::Tls => WireProtocol::Tcp,
        };
        let passes = forward.passes;
        let Target::Workload { workload, port, .. } = &leg.target else {
            let arrival =
                Arrival { seen: seen.clone(), malformed: None, identity: None, protocol, passes, from: &proxy.name };
            let outcome = self.at_target(&leg.target, arrival, trace)?;
            return Ok(Outcome { at: Some(proxy.name.clone()), ..outcome });
        };
        let Some((mut next, refused)) = next_sight(self.world, seen, forward, &leg.changes, workload, port) else {
            let cause = Cause {
                kind: CauseKind::Regex,
                message: "what the rewrite makes of the path cannot be judged".to_owned(),
                span: Some(span),
            };
            return Ok(ended(&proxy.name, &Ending::undetermined(cause)));
        };
        // A gateway appends the address that it was called from to what it reads, whatever it trusts itself, and nothing
        // to bytes: behind those only its own address is seen. A client's own sidecar shares the client's address.
        let is_gateway = proxy.name.starts_with("gateway");
        let appends = is_gateway && passes == Passes::Requests;
        if is_gateway || passes == Passes::Connection {
            next.source_ip = None;
        }
        next.remote_ip = if appends { seen.source_ip } else { forwarded_address(&next) };
        next.source_ip = None;
        "http".clone_into(&mut next.scheme);
        if seen.path != next.path {
            let what = format!("the path goes on as `{}`", next.path);
            trace.push(Step { at: proxy.name.clone(), what, span: Some(span) });
        }
        if seen.authority != next.authority {
            let what = format!("the authority goes on as `{}`", next.authority);
            trace.push(Step { at: proxy.name.clone(), what, span: Some(span) });
        }
        let arrival =
            Arrival { seen: next, malformed: refused.or(malformed), identity, protocol, passes, from: &proxy.name };
        let outcome = self.at_target(&leg.target, arrival, trace)?;
        // Whoever waits for TLS takes any other answer for a refused handshake.
        let handshake = matches!(passes, Passes::Tls | Passes::Connection) && outcome.by == Some(By::BadRequest);
        Ok(if handshake { Outcome { by: Some(By::Closed), ..outcome } } else { outcome })
    }
}

/// How a connection ends at a proxy that passes bytes on: it looks for whom to call before anything is read, and ends
/// at once where nobody is there.
///
/// # Upstream
/// Envoy: `source/common/tcp_proxy/tcp_proxy.cc`, `onNewConnection`; `source/extensions/filters/network/rbac/rbac_filter.cc`,
/// `onData`.
fn before_bytes(proxy: &RoutingProxy, seen: &Seen, ending: &Ending) -> Vec<Outcome> {
    let judged = matches!(ending.by, Some(By::Policy | By::Closed)) && proxy.chain == Chain::Tcp && proxy.is_guarded();
    let route = judged.then(|| proxy.table.route_of(seen, proxy.plaintext, &mut Vec::new()));
    let legs = match route {
        Some(Verdict::Forward(index)) => proxy.forward(index).map(|(_, forward)| forward.legs.as_slice()),
        Some(Verdict::End(_)) | None => None,
    };
    let end = ended(&proxy.name, ending);
    let nowhere = ended(&proxy.name, &Ending::denied(By::NoDestination, None));
    let lost = |leg: &&Leg| matches!(leg.target, Target::Nowhere(_));
    match legs {
        Some(legs) if legs.iter().all(|leg| lost(&leg)) => vec![nowhere],
        Some(legs) if legs.iter().any(|leg| lost(&leg)) => vec![nowhere, end],
        Some(_) | None => vec![end],
    }
}
