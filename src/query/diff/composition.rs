//! What becomes of the requests that a route sends on, as one list about what is sent to the proxy in front.

use super::door::{jwt_of, of_chain};
use super::fate::Fate;
use super::joint::renamed;
use super::lists::Decided;
use super::token::Tokens;
use crate::matrix::{arriving, sent_on};
use crate::model::Workload;
use crate::query::addresses::addresses_told_apart;
use crate::semantics::{
    Abort, By, Cause, CauseKind, Chain, Decision, Ending, Forward, Guard, Handshake, Inbound, Judgement, JwtFilter,
    Leg, NamespaceReader, Passes, Protocol, Proxy, RoutingProxy, Target, WireProtocol, WorkloadPort, World,
    attached_policies, guard, handshake,
};
use crate::space::{DecisionList, Dimension, PathRewrite, Universe};

/// A proxy that sends requests on, as one comparison asks about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'a> {
    /// Its world
    pub(super) world: &'a World,
    /// The proxy
    pub(super) proxy: &'a RoutingProxy,
    /// The tokens that it verifies
    pub(super) filter: &'a JwtFilter,
    /// What is said of tokens
    pub(super) tokens: &'a Tokens,
    /// What clients speak
    pub(super) wire: WireProtocol,
    /// Whether it is the sidecar of the clients, and has the identity of each
    pub(super) by_client: bool,
}

/// What is decided behind a route.
#[derive(Debug, Clone)]
pub(super) struct Behind {
    /// By what is sent to the proxy in front
    pub(super) decided: Decided,
    /// What is passed on
    pub(super) passes: Passes,
    /// What becomes of the path on the way
    pub(super) rewrite: PathRewrite,
    /// The same by a regular expression
    pub(super) regex_rewrite: Option<(String, String)>,
    /// The tokens that the doors verify
    pub(super) jwt: Vec<JwtFilter>,
}

/// How a proxy speaks to a door.
struct Spoken<'a> {
    /// The identities that the proxy may show, if any
    senders: Vec<Option<&'a str>>,
    /// What the door takes it for
    wire: WireProtocol,
    /// Whether it is TLS that nobody opens
    sealed: bool,
    /// Whether the door sees an identity
    identified: bool,
    /// Whose identity it sees
    whose: Whose,
}

/// Whose identity a door sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// That of the proxy in front, or none
    Proxy,
    /// That of the client, by its own sidecar
    Clients,
    /// That of the client, whose connection it is
    Connection,
}

impl Sender<'_> {
    /// What is decided behind a route. `Err`: why it cannot be said for all requests at once.
    pub(super) fn behind(&self, forward: &Forward) -> Result<Behind, String> {
        let ended = |by: By| Decided::all(Fate::of(&Ending::denied(by, None)), Universe::default());
        let (passes, rewrite) = (forward.passes, forward.rewrite.clone());
        let regex_rewrite = forward.regex_rewrite.clone();
        let mut behind = Behind { decided: ended(By::NoDestination), passes, rewrite, regex_rewrite, jwt: Vec::new() };
        if forward.abort == Abort::Always {
            behind.decided = ended(By::Fault);
            return Ok(behind);
        }
        let mut all: Option<Decided> = None;
        let is_supposed = |leg: &Leg| matches!(&leg.target, Target::Workload { supposed: Some(_), .. });
        let doubt = forward.legs.iter().any(is_supposed);
        for leg in &forward.legs {
            let next = self.by_leg(forward, leg, &mut behind.jwt)?;
            all = Some(match all {
                None => next,
                Some(known) => known.with(&next, |one, other| any_of(one, other, doubt))?,
            });
        }
        if let Some(decided) = all {
            let aborts = forward.abort == Abort::Sometimes;
            let fault = ended(By::Fault);
            behind.decided =
                if aborts { decided.with(&fault, |one, other| any_of(one, other, doubt))? } else { decided };
        }
        Ok(behind)
    }

    /// What is decided at one place behind a route.
    fn by_leg(&self, forward: &Forward, leg: &Leg, jwt: &mut Vec<JwtFilter>) -> Result<Decided, String> {
        let all = |ending: &Ending| Ok(Decided::all(Fate::of(ending), Universe::default()));
        let (workload, port, client) = match &leg.target {
            Target::Nowhere(_) => return all(&Ending::denied(By::NoDestination, None)),
            Target::Unknown(cause) => return all(&Ending::undetermined(cause.clone())),
            Target::Workload { workload, port, client, .. } => (workload, port, client),
        };
        let spoken = match handshake(self.world, workload, port, client) {
            Handshake::Unanswered(_) | Handshake::Refused(_) => return all(&Ending::denied(By::Closed, None)),
            Handshake::Unknown(cause) => return all(&Ending::undetermined(cause)),
            known @ (Handshake::Identity | Handshake::Plaintext | Handshake::Sealed) => {
                self.spoken(forward.passes, port, &known)
            }
        };
        let guarded = !matches!(guard(self.world, workload, port.number), Guard::Nothing { .. });
        let unread = port.protocol == Protocol::Http && spoken.wire == WireProtocol::Tcp && guarded;
        let chain = match (port.protocol, spoken.wire) {
            (Protocol::Http, _) | (Protocol::Sniffed, WireProtocol::Http) => Chain::Http,
            (Protocol::Sniffed, WireProtocol::Tcp) | (Protocol::Tcp | Protocol::Udp, _) => Chain::Tcp,
        };
        let inbound = Inbound::of(self.world, workload, port, chain);
        let reader = NamespaceReader::new(self.world, &workload.id.namespace);
        let door = of_chain(&inbound, &reader, self.tokens);
        let door = if unread { door.refusing(&inbound) } else { door };
        let named = matches!(&leg.target, Target::Workload { server_name: Some(_), .. });
        let unnamed = spoken.sealed || (spoken.identified && !named && spoken.whose != Whose::Connection);
        if unnamed && door.list.dimensions().contains(&Dimension::Sni) {
            let message = "a policy asks for the server name that the proxy in front calls, which is istiod's own";
            return all(&Ending::undetermined(unknown_caller(message)));
        }
        jwt.push(jwt_of(&inbound));
        let judgement = Judgement { list: door.list.clone(), verdicts: Vec::new(), universe: door.universe.clone() };
        let mut decided: Option<Decided> = None;
        for sender in &spoken.senders {
            let list = match spoken.whose {
                Whose::Connection => door.list.clone(),
                Whose::Clients => sent_on(&judgement, true, leg),
                Whose::Proxy => arriving(&judgement, *sender, leg),
            };
            let next = self.at_any_address(&Decided { list, ..door.clone() }, workload)?;
            decided = Some(match decided {
                None => next,
                Some(known) => known.with(&next, same_caller)?,
            });
        }
        let mut decided = decided.ok_or("nobody says who the proxy in front is")?;
        if forward.passes == Passes::Requests && self.proxy.is_guarded() {
            // The gateway names the client's address to the workload.
            decided.list = renamed(decided.list, &Dimension::RemoteIp, &Dimension::SourceIp);
        } else if forward.passes == Passes::Connection && decided.list.dimensions().contains(&Dimension::RemoteIp) {
            return Err("a policy asks for the client's address, and the gateway passes connections on".to_owned());
        }
        decided.list = self.tokens.behind(decided.list, self.filter);
        Ok(decided)
    }

    /// How the proxy speaks to a door, and what the door takes it for.
    fn spoken(&self, passes: Passes, port: &WorkloadPort, handshake: &Handshake) -> Spoken<'_> {
        let wire = match passes {
            Passes::Requests => WireProtocol::Http,
            Passes::Bytes | Passes::Connection => self.wire,
            Passes::Tls => WireProtocol::Tcp,
        };
        let identified = *handshake == Handshake::Identity;
        let sealed = *handshake == Handshake::Sealed;
        let whose = match passes {
            Passes::Connection if identified => Whose::Connection,
            _ if identified && self.by_client => Whose::Clients,
            Passes::Requests | Passes::Bytes | Passes::Tls | Passes::Connection => Whose::Proxy,
        };
        // Proxies that pass bytes on announce them as such, and a port that declares nothing believes them.
        let announced = identified && passes == Passes::Bytes && port.protocol == Protocol::Sniffed;
        let unread = sealed || announced || (!identified && passes == Passes::Connection);
        let identities = self.proxy.identities.iter().map(Option::as_deref);
        let senders = if identified && whose == Whose::Proxy { identities.collect() } else { vec![None] };
        let wire = if unread { WireProtocol::Tcp } else { wire };
        Spoken { senders, wire, sealed, identified, whose }
    }

    /// What is decided where nobody says at which address the proxy in front is: whatever policies tell apart is tried.
    fn at_any_address(&self, door: &Decided, workload: &Workload) -> Result<Decided, String> {
        if !door.list.dimensions().contains(&Dimension::SourceIp) {
            return Ok(door.clone());
        }
        let place = Proxy { namespace: &workload.id.namespace, labels: &workload.labels };
        let mut lists: Vec<DecisionList> = Vec::new();
        for address in addresses_told_apart(&attached_policies(&self.world.mesh, place), false) {
            let list = door.list.specialise(&Dimension::SourceIp, &[&address.to_string()]);
            if !lists.contains(&list) {
                lists.push(list);
            }
        }
        let mut decided: Option<Decided> = None;
        for list in lists {
            let next = Decided { list, ..door.clone() };
            decided = Some(match decided {
                None => next,
                Some(known) => known.with(&next, same_address)?,
            });
        }
        decided.ok_or_else(|| "no address is tried".to_owned())
    }
}

/// The answer where one of several places gets the request.
fn any_of(one: &Fate, other: &Fate, supposed: bool) -> Fate {
    if (one.decision, one.by) == (other.decision, other.by) {
        return one.clone();
    }
    if supposed {
        let message = "which workload the route leads to is not in the input".to_owned();
        return undetermined(Cause { kind: CauseKind::MissingResource, message, span: None });
    }
    let rank = |fate: &Fate| match fate.decision {
        Decision::Allowed => 0,
        Decision::Undetermined => 1,
        Decision::Denied => 2,
    };
    if rank(other) < rank(one) { other.clone() } else { one.clone() }
}

/// The answer where a proxy in front has one of several identities.
fn same_caller(one: &Fate, other: &Fate) -> Fate {
    if one == other {
        return one.clone();
    }
    undetermined(unknown_caller("the gateway may run under several identities, which are treated differently"))
}

/// The answer where a proxy in front is at one of several addresses.
fn same_address(one: &Fate, other: &Fate) -> Fate {
    if (one.decision, one.by) == (other.decision, other.by) {
        return one.clone();
    }
    undetermined(unknown_caller("a policy asks for the address of the proxy in front, which the manifests do not tell"))
}

/// That somebody in front is not known.
fn unknown_caller(message: &str) -> Cause {
    Cause { kind: CauseKind::UnknownCaller, message: message.to_owned(), span: None }
}

/// A fate that cannot be told.
fn undetermined(cause: Cause) -> Fate {
    Fate::of(&Ending::undetermined(cause))
}
