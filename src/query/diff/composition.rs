//! What becomes of the requests that a gateway's route sends on, as one list about what arrives behind it.

use super::door::of_chain;
use super::fate::Fate;
use super::lists::Decided;
use crate::matrix::arriving;
use crate::semantics::{
    Abort, By, Cause, CauseKind, Chain, Decision, Ending, Forward, Handshake, HeaderChanges, Inbound, Judgement,
    JwtFilter, Leg, NamespaceReader, Passes, Protocol, RoutingProxy, Target, World, handshake,
};
use crate::space::{Cube, DecisionList, Dimension, Label, PathRewrite, Rule, Universe};

/// Rules that a product of two lists may have.
const MOST_RULES: usize = 50_000;

/// What a route does, places in the text aside: where two are equal, requests meet the same doors in the same form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// Whom the gateway may be
    identities: Vec<Option<String>>,
    /// What becomes of the path
    rewrite: PathRewrite,
    /// The same by a regular expression
    regex_rewrite: Option<(String, String)>,
    /// What a fault aborts
    abort: Abort,
    /// What is passed on
    passes: Passes,
    /// Where it may go
    stops: Vec<Stop>,
}

/// One place where a request may go.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stop {
    /// What becomes of authority and headers
    changes: HeaderChanges,
    /// `workload NS/NAME:PORT`, or why there is none
    place: Result<String, String>,
    /// What the port speaks, and what comes of how the gateway speaks to it, in a word
    spoken: Option<(Protocol, &'static str)>,
    /// The server name of mTLS
    server_name: Option<String>,
    /// Whether it only may exist
    supposed: bool,
}

impl Way {
    /// What a route of a proxy does.
    pub(super) fn of(world: &World, proxy: &RoutingProxy, forward: &Forward) -> Self {
        let stop = |leg: &Leg| {
            let stop = Stop {
                changes: leg.changes.clone(),
                place: Err(String::new()),
                spoken: None,
                server_name: None,
                supposed: false,
            };
            match &leg.target {
                Target::Nowhere(why) => Stop { place: Err(why.clone()), ..stop },
                Target::Unknown(cause) => Stop { place: Err(cause.message.clone()), ..stop },
                Target::Workload { workload, port, client, server_name, supposed } => Stop {
                    place: Ok(format!("workload {}:{}", workload.display_name(), port.number)),
                    spoken: Some((port.protocol, word(&handshake(world, workload, port, client)))),
                    server_name: server_name.clone(),
                    supposed: supposed.is_some(),
                    ..stop
                },
            }
        };
        Self {
            identities: proxy.identities.clone(),
            rewrite: forward.rewrite.clone(),
            regex_rewrite: forward.regex_rewrite.clone(),
            abort: forward.abort,
            passes: forward.passes,
            stops: forward.legs.iter().map(stop).collect(),
        }
    }

    /// The doors that it may lead to.
    pub(super) fn doors(&self) -> impl Iterator<Item = &String> {
        self.stops.iter().filter_map(|stop| stop.place.as_ref().ok())
    }
}

/// What comes of a handshake, in a word.
fn word(handshake: &Handshake) -> &'static str {
    match handshake {
        Handshake::Identity => "identity",
        Handshake::Plaintext => "plaintext",
        Handshake::Sealed => "sealed",
        Handshake::Unanswered(_) => "unanswered",
        Handshake::Refused(_) => "refused",
        Handshake::Unknown(_) => "unknown",
    }
}

/// What is decided behind a route.
#[derive(Debug, Clone)]
pub(super) struct Behind {
    /// By what arrives
    pub(super) decided: Decided,
    /// What becomes of the path on the way
    pub(super) rewrite: PathRewrite,
    /// The tokens that the doors verify
    pub(super) jwt: JwtFilter,
}

/// What is decided behind a route of a gateway. `Err`: why it cannot be said for all requests at once.
pub(super) fn behind(world: &World, proxy: &RoutingProxy, forward: &Forward) -> Result<Behind, String> {
    if forward.passes != Passes::Requests {
        return Err("the gateway passes bytes on without reading them".to_owned());
    }
    let rewrite = forward.rewrite.clone();
    if forward.abort == Abort::Always {
        let decided = Decided::all(Fate::of(&Ending::denied(By::Fault, None)), Universe::default());
        return Ok(Behind { decided, rewrite, jwt: JwtFilter::default() });
    }
    let mut all: Option<(Behind, bool)> = None;
    for leg in &forward.legs {
        let (next, supposed) = by_leg(world, proxy, leg, &rewrite)?;
        all = Some(match all {
            None => (next, supposed.is_some()),
            Some((known, doubt)) => {
                let doubt = doubt || supposed.is_some();
                let decided = known.decided.with(&next.decided, |one, other| any_of(one, other, doubt))?;
                let jwt = if known.jwt.is_empty() { next.jwt } else { known.jwt };
                (Behind { decided, jwt, ..known }, doubt)
            }
        });
    }
    let nowhere = || {
        let decided = Decided::all(Fate::of(&Ending::denied(By::NoDestination, None)), Universe::default());
        Behind { decided, rewrite, jwt: JwtFilter::default() }
    };
    Ok(all.map_or_else(nowhere, |(behind, _)| behind))
}

/// What is decided at one place behind a route, and whether it only may exist.
fn by_leg(
    world: &World,
    proxy: &RoutingProxy,
    leg: &Leg,
    rewrite: &PathRewrite,
) -> Result<(Behind, Option<Cause>), String> {
    let all = |ending: &Ending| Behind {
        decided: Decided::all(Fate::of(ending), Universe::default()),
        rewrite: rewrite.clone(),
        jwt: JwtFilter::default(),
    };
    let (workload, port, client, supposed) = match &leg.target {
        Target::Nowhere(_) => return Ok((all(&Ending::denied(By::NoDestination, None)), None)),
        Target::Unknown(cause) => return Ok((all(&Ending::undetermined(cause.clone())), None)),
        Target::Workload { workload, port, client, supposed, .. } => (workload, port, client, supposed),
    };
    let senders: Vec<Option<&str>> = match handshake(world, workload, port, client) {
        Handshake::Identity => proxy.identities.iter().map(Option::as_deref).collect(),
        Handshake::Plaintext => vec![None],
        Handshake::Sealed => return Err("the gateway speaks TLS that the workload's proxy does not open".to_owned()),
        Handshake::Unanswered(_) | Handshake::Refused(_) => {
            return Ok((all(&Ending::denied(By::Closed, None)), supposed.clone()));
        }
        Handshake::Unknown(cause) => return Ok((all(&Ending::undetermined(cause)), supposed.clone())),
    };
    let chain = if matches!(port.protocol, Protocol::Tcp | Protocol::Udp) { Chain::Tcp } else { Chain::Http };
    let inbound = Inbound::of(world, workload, port, chain);
    let reader = NamespaceReader::new(world, &workload.id.namespace);
    let door = of_chain(&inbound, &JwtFilter::default(), &reader);
    let judgement = Judgement { list: door.list.clone(), verdicts: Vec::new(), universe: door.universe.clone() };
    let mut decided: Option<Decided> = None;
    let unnamed = matches!(&leg.target, Target::Workload { server_name: None, .. });
    if unnamed && senders.iter().any(Option::is_some) && door.list.dimensions().contains(&Dimension::Sni) {
        let message = "a policy asks for the server name that the gateway calls, which is istiod's own".to_owned();
        let cause = Cause { kind: CauseKind::UnknownCaller, message, span: None };
        return Ok((all(&Ending::undetermined(cause)), supposed.clone()));
    }
    for sender in senders {
        let list = by_client(arriving(&judgement, sender, leg))?;
        let next = Decided { list, ..door.clone() };
        decided = Some(match decided {
            None => next,
            Some(known) => known.with(&next, same_or_unknown)?,
        });
    }
    let decided = decided.ok_or("nobody says who the gateway is")?;
    Ok((Behind { decided, rewrite: rewrite.clone(), jwt: inbound.jwt }, supposed.clone()))
}

/// A list behind a gateway by the client's address: the gateway names it to the workload. Its own is unknown.
fn by_client(list: DecisionList) -> Result<DecisionList, String> {
    if list.dimensions().contains(&Dimension::SourceIp) {
        return Err("a policy asks for the address of the gateway, which the manifests do not tell".to_owned());
    }
    Ok(renamed(list, &Dimension::RemoteIp, &Dimension::SourceIp))
}

/// A list that asks about another dimension.
pub(super) fn renamed(list: DecisionList, from: &Dimension, to: &Dimension) -> DecisionList {
    if !list.dimensions().contains(from) {
        return list;
    }
    let rule = |rule: &Rule| {
        let mut cube = Cube::clone(&rule.cube);
        cube.tests.iter_mut().filter(|test| test.dimension == *from).for_each(|test| test.dimension = to.clone());
        Rule::new(cube, rule.label)
    };
    DecisionList { rules: list.rules.iter().map(rule).collect(), default: list.default }
}

/// The answer where one of several places gets the request.
fn any_of(one: &Fate, other: &Fate, supposed: bool) -> Fate {
    if (one.decision, one.by) == (other.decision, other.by) {
        return one.clone();
    }
    if supposed {
        return unknown(CauseKind::MissingResource, "which workload the route leads to is not in the input");
    }
    let rank = |fate: &Fate| match fate.decision {
        Decision::Allowed => 0,
        Decision::Undetermined => 1,
        Decision::Denied => 2,
    };
    if rank(other) < rank(one) { other.clone() } else { one.clone() }
}

/// The answer where a gateway has one of several identities.
fn same_or_unknown(one: &Fate, other: &Fate) -> Fate {
    if one == other {
        return one.clone();
    }
    unknown(CauseKind::UnknownCaller, "the gateway may run under several identities, which are treated differently")
}

/// A fate that cannot be told.
fn unknown(kind: CauseKind, message: &str) -> Fate {
    Fate::of(&Ending::undetermined(Cause { kind, message: message.to_owned(), span: None }))
}

impl Decided {
    /// What both decide together.
    fn with(&self, other: &Self, both: impl Fn(&Fate, &Fate) -> Fate) -> Result<Self, String> {
        let mut fates: Vec<Fate> = Vec::new();
        let list = product(&self.list, &other.list, |one, another| {
            let (Some(one), Some(another)) = (self.fate(one), other.fate(another)) else { return Label::IMPOSSIBLE };
            let fate = both(one, another);
            let known = fates.iter().position(|known| *known == fate).unwrap_or_else(|| {
                fates.push(fate);
                fates.len() - 1
            });
            Label(u32::try_from(known).unwrap_or(u32::MAX - 1))
        })?;
        let universe = super::lists::joint_universe(self, other)?;
        Ok(Self { list, universe, fates })
    }
}

/// A list that says of each request what both lists say of it. What both begin with is kept as it is: who is decided
/// there is decided there by both.
pub(super) fn product(
    one: &DecisionList,
    other: &DecisionList,
    mut both: impl FnMut(Label, Label) -> Label,
) -> Result<DecisionList, String> {
    let shared = one.rules.iter().zip(&other.rules).take_while(|(one, other)| one.cube == other.cube).count();
    let mut rules: Vec<Rule> = Vec::new();
    for (first, second) in one.rules.iter().zip(&other.rules).take(shared) {
        rules.push(Rule { cube: first.cube.clone(), label: both(first.label, second.label) });
    }
    let (left, right) = (one.rules.iter().skip(shared), || other.rules.iter().skip(shared));
    if (one.rules.len() - shared + 1).saturating_mul(other.rules.len() - shared + 1) > MOST_RULES {
        return Err(format!("the rules of both sides combine in more than {MOST_RULES} ways"));
    }
    for first in left {
        for second in right() {
            rules.push(Rule::new(first.cube.and(&second.cube), both(first.label, second.label)));
        }
        rules.push(Rule { cube: first.cube.clone(), label: both(first.label, other.default) });
    }
    for second in right() {
        rules.push(Rule { cube: second.cube.clone(), label: both(one.default, second.label) });
    }
    Ok(DecisionList { rules, default: both(one.default, other.default) })
}
