//! One route across two proxies: what it sends on that gets in at a door.

use super::crossing::{Crossing, arriving, both};
use super::door::Door;
use super::witness::fill;
use crate::semantics::{
    Chain, Decision, Ending, Forward, Handshake, Judgement, Leg, Passes, Request, RoutingProxy, Target, Verdict, World,
    handshake,
};
use crate::space::{Budget, Cube, DecisionList, Label, PathDomain, Point, Rule, Test, TwoHopSearch, through};

/// A route of a proxy, and one of the places where it leads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way<'a> {
    /// The proxy that routes
    pub(crate) proxy: &'a RoutingProxy,
    /// What it decides
    pub(crate) judgement: &'a Judgement,
    /// The route's place in its table
    pub(crate) route: usize,
    /// What becomes of its requests
    pub(crate) forward: &'a Forward,
    /// The place
    pub(crate) leg: &'a Leg,
}

/// A request that gets across.
#[derive(Debug, Clone)]
pub(crate) struct Across {
    /// As the first proxy sees it
    pub(crate) sent: Point,
    /// Its path on the wire
    pub(crate) wire_path: String,
    /// Its path as the workload sees it
    pub(crate) seen_path: String,
    /// Whether the workload is one that only may stand there
    pub(crate) supposed: bool,
}

impl<'a> Way<'a> {
    /// The ways of the requests that a proxy sends on: each route to each of its places, copies aside.
    pub(crate) fn all(proxy: &'a RoutingProxy, judgement: &'a Judgement) -> impl Iterator<Item = Self> {
        let routes = (0..proxy.table.routes.len()).filter_map(|route| Some((route, proxy.forward(route)?.1)));
        let routes = routes.filter(|(_, forward)| forward.passes == Passes::Requests);
        routes.flat_map(move |(route, forward)| {
            let legs = forward.legs.iter().filter(|leg| !leg.mirror);
            legs.map(move |leg| Self { proxy, judgement, route, forward, leg })
        })
    }

    /// A request that gets across, as a client sends it.
    pub(crate) fn witness(&self, entrypoint: &str, across: &Across) -> Request {
        let mut request = Request::at(entrypoint);
        fill(&mut request, &across.sent, PathDomain::Raw);
        let query = request.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
        request.path = format!("{}{query}", across.wire_path);
        request.source = request.source.filter(|_| self.proxy.asks_for_certificate());
        request
    }

    /// A request that takes this way and gets in at a door for certain, by an ending that is wanted: of those that are
    /// asked about, and whose other properties are within a cube when they arrive.
    pub(crate) fn gets_in(
        &self,
        world: &World,
        door: &Door<'_>,
        asked: &Crossing,
        arrives: &[Test],
        wanted: impl Fn(&Ending) -> bool,
    ) -> Option<Across> {
        self.all_that_get_in(world, door, asked, arrives)
            .into_iter()
            .find(|(ending, _)| wanted(ending))
            .map(|(_, it)| it)
    }

    /// A request for each ending by which some get in so, by each identity that the proxy may present.
    pub(crate) fn all_that_get_in(
        &self,
        world: &World,
        door: &Door<'_>,
        asked: &Crossing,
        arrives: &[Test],
    ) -> Vec<(Ending, Across)> {
        let mut all = Vec::new();
        let Target::Workload { workload, port, client, supposed, .. } = &self.leg.target else { return all };
        if door.chain != Chain::Http {
            return all;
        }
        let senders: Vec<Option<&str>> = match handshake(world, workload, port, client) {
            Handshake::Identity => self.proxy.identities.iter().map(Option::as_deref).collect(),
            Handshake::Plaintext => vec![None],
            Handshake::Sealed | Handshake::Unanswered(_) | Handshake::Refused(_) | Handshake::Unknown(_) => Vec::new(),
        };
        let via = self.judgement.labels(|verdict| *verdict == Verdict::Forward(self.route));
        let Some(via) = via.first().copied() else { return all };
        let first = asked.of(&self.judgement.list);
        let bounds = Cube { path: asked.seen.clone(), tests: Vec::new() };
        let universe = both(self.judgement, &door.lock.judgement);
        let judgement =
            Judgement { list: within(&door.lock.judgement.list, arrives), ..(*door.lock.judgement).clone() };
        for sender in senders {
            let second = arriving(&judgement, sender, self.leg);
            let rewrite = &self.forward.rewrite;
            let found = through(&first, via, rewrite, &second, &bounds, &universe, &Budget::default());
            for (label, search) in found {
                let Some(Verdict::End(ending)) = judgement.verdict(label) else { continue };
                if ending.decision != Decision::Allowed {
                    continue;
                }
                if let TwoHopSearch::Found { first, wire_path, second_path } = search {
                    let supposed = supposed.is_some();
                    all.push((ending.clone(), Across { sent: first, wire_path, seen_path: second_path, supposed }));
                }
            }
        }
        all
    }
}

/// A list that says nothing of requests outside of some conditions.
fn within(list: &DecisionList, tests: &[Test]) -> DecisionList {
    let outside = tests.iter().flat_map(Test::complement).map(|test| Cube::default().with(test));
    let outside = outside.map(|cube| Rule::new(cube, Label::IMPOSSIBLE));
    DecisionList { rules: outside.chain(list.rules.iter().cloned()).collect(), default: list.default }
}
