//! What routes do, told in terms that mean the same on both sides.

use std::collections::HashMap;

use crate::semantics::{
    Abort, Forward, Handshake, HeaderChanges, Leg, Passes, Protocol, RoutingProxy, Target, World, handshake,
};
use crate::space::PathRewrite;

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
    /// What a route of a proxy does. Of a client's own sidecar the identity is the client's.
    pub(super) fn of(world: &World, proxy: &RoutingProxy, forward: &Forward, by_client: bool) -> Self {
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
            identities: if by_client { Vec::new() } else { proxy.identities.clone() },
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

/// The ways of both sides, each with a number.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// The ways
    all: Vec<Way>,
    /// Their numbers by the first place where they go
    by_place: HashMap<Option<String>, Vec<usize>>,
}

impl Ways {
    /// The number of a way.
    pub(super) fn number(&mut self, way: Way) -> usize {
        let place = way.stops.first().and_then(|stop| stop.place.as_ref().ok()).cloned();
        let numbers = self.by_place.entry(place).or_default();
        if let Some(known) = numbers.iter().find(|number| self.all.get(**number) == Some(&way)) {
            return *known;
        }
        numbers.push(self.all.len());
        self.all.push(way);
        self.all.len() - 1
    }

    /// The way of a number.
    pub(super) fn get(&self, number: usize) -> Option<&Way> {
        self.all.get(number)
    }
}
