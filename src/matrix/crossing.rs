//! What is asked about requests that cross a gateway, and what of them arrives at a workload.

use crate::semantics::{Judgement, Leg, Target};
use crate::space::{Cube, DecisionList, Dimension, Label, PathTest, Pattern, Rule, Test, Universe};

/// Which requests are asked about on their way through a proxy in front.
#[derive(Debug, Clone, Default)]
pub struct Crossing {
    /// The path as the workload sees it
    pub seen: Vec<PathTest>,
    /// Everything else, and the path as the client sent it
    pub sent: Cube,
    /// Whether the gateway speaks mutual TLS to the workload; either if absent
    pub mtls: Option<bool>,
}

/// What a workload sees of requests that a gateway passes on as bytes.
pub(super) enum Unread {
    /// Nothing of what is asked about
    Nothing,
    /// This
    Within(Cube),
    /// It cannot be told
    Unknown,
}

impl Crossing {
    /// Requests whose path the workload sees within a cube.
    pub fn to(within: &Cube) -> Self {
        Self { seen: within.path.clone(), ..Self::default() }
    }

    /// What of it a client of an identity can send, whose sidecar does not ask who it is; `None`: nothing.
    pub(super) fn by(&self, identity: &str) -> Option<Self> {
        let (peers, tests): (Vec<Test>, Vec<Test>) =
            self.sent.tests.iter().cloned().partition(|test| test.dimension == Dimension::Peer);
        let sent = Cube { tests, path: self.sent.path.clone() };
        peers.iter().all(|test| test.holds(&[identity])).then(|| Self {
            seen: self.seen.clone(),
            sent,
            mtls: self.mtls,
        })
    }

    /// A list of the first hop that says nothing of what is not asked about.
    pub(super) fn of(&self, list: &DecisionList) -> DecisionList {
        let tests = self.sent.tests.iter().flat_map(Test::complement).map(|test| Cube::default().with(test));
        let paths = self.sent.path.iter().flat_map(PathTest::complement).map(|test| Cube::default().with_path(test));
        let left = tests.chain(paths).map(|cube| Rule::new(cube, Label::IMPOSSIBLE));
        DecisionList { rules: left.chain(list.rules.iter().cloned()).collect(), default: list.default }
    }

    /// What of it a workload sees of requests that are passed on as bytes.
    pub(super) fn unread(&self, asks_for_certificate: bool) -> Unread {
        let (peers, tests): (Vec<&Test>, Vec<&Test>) =
            self.sent.tests.iter().partition(|test| test.dimension == Dimension::Peer);
        if !peers.is_empty() && asks_for_certificate {
            return Unread::Unknown;
        }
        let reaches = peers.iter().all(|test| test.holds::<&str>(&[]));
        if !reaches {
            return Unread::Nothing;
        }
        let path = self.seen.iter().chain(&self.sent.path).cloned().collect();
        Unread::Within(Cube { tests: tests.into_iter().cloned().collect(), path })
    }
}

/// Whether a proxy verifies tokens.
pub(crate) fn verifies(judgement: &Judgement) -> bool {
    judgement.universe.domain(&Dimension::Token).contains(&["valid".to_owned()])
}

/// Whether a dimension is about tokens.
fn is_of_tokens(dimension: &Dimension) -> bool {
    matches!(dimension, Dimension::Token | Dimension::Issuer | Dimension::Subject | Dimension::Claim(_))
}

/// What can occur at a gateway and then at a workload. A gateway that verifies no token passes it on unread.
pub(super) fn both(gateway: &Judgement, workload: &Judgement) -> Universe {
    let mut universe = gateway.universe.clone();
    if !verifies(gateway) {
        universe.domains.retain(|dimension, _| !is_of_tokens(dimension));
        let theirs = workload.universe.domains.iter().filter(|(dimension, _)| is_of_tokens(dimension));
        universe.domains.extend(theirs.map(|(dimension, domain)| (dimension.clone(), domain.clone())));
    }
    universe
}

/// The door's list for requests that a gateway of an identity sends by a route: peer, authority and headers are fixed by it.
pub(crate) fn arriving(workload: &Judgement, identity: Option<&str>, leg: &Leg) -> DecisionList {
    let peer: Vec<&str> = identity.into_iter().collect();
    sent_on(workload, identity.is_some(), leg).specialise(&Dimension::Peer, &peer)
}

/// The door's list for requests that a proxy sends by a route, with its identity or without one: authority and headers are
/// fixed by it.
pub(crate) fn sent_on(workload: &Judgement, identified: bool, leg: &Leg) -> DecisionList {
    let changes = &leg.changes;
    let mut list = workload.list.clone();
    if !verifies(workload) {
        // What a token said to the gateway is nothing to a proxy that verifies none.
        for dimension in list.dimensions().into_iter().filter(is_of_tokens) {
            let none = if dimension == Dimension::Token { &["none"][..] } else { &[] };
            list = list.specialise(&dimension, none);
        }
    }
    if let Some(authority) = &changes.authority {
        list = list.specialise(&Dimension::Authority, &[authority]);
    }
    for dimension in changes.touched() {
        let Dimension::Header(name) = &dimension else {
            continue;
        };
        let (fixed, values) = changes.known(name);
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        list = if fixed { list.specialise(&dimension, &values) } else { beside(&list, &dimension, &values) };
    }
    list.specialise(&Dimension::Sni, &if identified { server_names(leg) } else { Vec::new() })
}

/// The server name that mTLS asks for on the way to a place.
pub(super) fn server_names(leg: &Leg) -> Vec<&str> {
    match &leg.target {
        Target::Workload { server_name, .. } => server_name.as_deref().into_iter().collect(),
        Target::Nowhere(_) | Target::Unknown(_) => Vec::new(),
    }
}

/// A list where values stand beside those that the client sends: what they fulfil is fulfilled, what they break is
/// broken.
fn beside(list: &DecisionList, dimension: &Dimension, values: &[&str]) -> DecisionList {
    let some = |patterns: &[Pattern]| patterns.iter().any(|pattern| values.iter().any(|value| pattern.matches(value)));
    let keep = |rule: &Rule| {
        let mut cube = Cube::clone(&rule.cube);
        for test in cube.tests.iter_mut().filter(|test| test.dimension == *dimension) {
            if some(&test.none_of) {
                return None;
            }
            if test.any_of.as_deref().is_some_and(some) {
                test.any_of = None;
            }
        }
        Some(Rule { cube: cube.into(), label: rule.label })
    };
    DecisionList { rules: list.rules.iter().filter_map(keep).collect(), default: list.default }
}
