//! What one server of a gateway lets through for a host that is another one's.

use super::facts::{Facts, Site};
use super::observation::Observation;
use super::onward::all_the_way;
use super::spot::{Listener, Spot, Through};
use crate::model::Server;
use crate::semantics::{Chain, Decision, Verdict};
use crate::space::{Budget, Cube, DecisionList, Dimension, Label, Pattern, Rule, Search, partition};

/// A gateway, with what its servers serve.
pub(super) struct Served<'f, 'w> {
    /// Everything
    pub(super) facts: &'f Facts<'w>,
    /// The gateway
    pub(super) site: &'f Site<'w>,
}

/// What comes of a request for a host at the server that is not meant for it.
pub(super) enum Passing {
    /// It gets through
    Shown(Box<Through>),
    /// It finds no route there, though it does at the server that is meant
    Never,
    /// The routes that would tell are not in the input
    Untold,
}

impl Passing {
    /// Whether nothing is wrong.
    pub(super) fn is_never(&self) -> bool {
        matches!(self, Self::Never)
    }

    /// Whether there is a request that shows it.
    pub(super) fn is_shown(&self) -> bool {
        matches!(self, Self::Shown(_))
    }

    /// Shows the request.
    pub(super) fn shown(self, mut seen: Observation) -> Observation {
        if let Self::Shown(through) = self {
            seen.witness = Some(through.request.into());
        }
        seen
    }
}

/// A server and the host of it by which TLS chooses it; empty in plaintext.
type Chosen<'s> = (&'s Server, &'s str);

impl Served<'_, '_> {
    /// What becomes of requests for a host at a server beside the one that is meant for it.
    pub(super) fn beside(&self, host: &str, beside: Chosen<'_>, meant: Chosen<'_>) -> Passing {
        let spots = self.facts.spots_at(self.site);
        let host = host.strip_prefix('*').map_or_else(|| host.to_owned(), |suffix| format!("www{suffix}"));
        let asked = Cube::default().any(Dimension::Authority, vec![Pattern::Exact(host.as_str().into())]);
        let nobody = asked.clone().none(Dimension::Peer, vec![Pattern::Any]);
        let nobody = match server_name(beside.1, &host) {
            Some(name) => nobody.any(Dimension::Sni, vec![Pattern::Exact(name.as_str().into())]),
            None => nobody,
        };
        let mut passing = chosen(&spots, beside).map(Spot::Listener);
        if let Some(through) = passing.find_map(|spot| all_the_way(self.facts, &spot, &nobody)) {
            return Passing::Shown(Box::new(through));
        }
        let leads = |server: Chosen<'_>| chosen(&spots, server).any(|listener| leads_on(listener, &asked));
        if !leads(beside) && leads(meant) { Passing::Never } else { Passing::Untold }
    }
}

/// A server name that chooses a host of a server and is not the one that another server is for; none in plaintext.
fn server_name(chosen_by: &str, other: &str) -> Option<String> {
    let suffix = match chosen_by.strip_prefix('*')? {
        "" => ".example.org",
        suffix => suffix,
    };
    ["www", "shop"].into_iter().map(|first| format!("{first}{suffix}")).find(|name| name != other)
}

/// The filter chains of HTTP that stand for a server.
fn chosen<'s, 'f, 'w>(
    spots: &'s [Spot<'f, 'w>],
    (server, host): Chosen<'s>,
) -> impl Iterator<Item = &'f Listener<'w>> + use<'s, 'f, 'w> {
    let port = format!(":{}", server.number());
    let of_host = move |listener: &Listener<'_>| {
        let names = &listener.proxy.sni_hosts;
        let all = host == "*" && names.is_empty();
        if host.is_empty() { listener.proxy.plaintext } else { all || names.iter().any(|name| name == host) }
    };
    spots.iter().filter_map(move |spot| match spot {
        Spot::Listener(listener)
            if listener.proxy.chain == Chain::Http && listener.entrypoint.ends_with(&port) && of_host(listener) =>
        {
            Some(*listener)
        }
        Spot::Door(_) | Spot::Listener(_) => None,
    })
}

/// Whether some route of a listener leads a request on, whatever its policies say, or it cannot be told.
fn leads_on(listener: &Listener<'_>, asked: &Cube) -> bool {
    let proxy = &listener.proxy;
    let label = |verdict: &Verdict| match verdict {
        Verdict::End(ending) if ending.decision != Decision::Undetermined => Label(0),
        Verdict::End(_) | Verdict::Forward(_) => Label(1),
    };
    let rows = proxy.table.cubes(proxy.plaintext).into_iter();
    let rules = rows.map(|(cube, verdict)| Rule::new(cube, label(&verdict))).collect();
    let list = DecisionList { rules, default: Label(0) };
    let found = partition(&list, asked, &listener.judgement().universe, &Budget::default());
    proxy.unknown.is_some() || found.search(Label(1)) != Search::Empty
}
