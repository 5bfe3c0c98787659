//! Doors of workloads on both sides.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use rayon::prelude::*;

use super::change::{Change, ChangeKind, Unsettled};
use super::composition::renamed;
use super::culprit::{Culprit, Side};
use super::fate::Fate;
use super::lists::{self, Decided, Differences};
use super::pair::{Pair, entrypoint, pairs, ports};
use super::token::{TOKENS, complete_token, verify_otherwise, with_foreign_tokens, without_token};
use super::{Found, same};
use crate::matrix::inbound_witness;
use crate::model::{MtlsMode, Workload};
use crate::semantics::{
    By, Chain, Ending, Guard, Inbound, JwtFilter, NamespaceReader, Protocol, Verdict, WireProtocol, WorkloadPort,
    World, guard, workload_ports,
};
use crate::space::{Cube, DecisionList, Dimension, Label, Pattern, Rule};

/// What is in force at a port for clients that speak in some way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum AtPort<'w> {
    /// Nothing listens
    Nothing,
    /// The port speaks something else
    Refused,
    /// A chain decides, and where TLS is not opened the other takes what comes with it
    Chain(Box<Inbound<'w>>, Option<Box<Inbound<'w>>>),
}

impl AtPort<'_> {
    /// The tokens that are verified.
    fn jwt(&self) -> Option<&JwtFilter> {
        match self {
            Self::Chain(inbound, _) => Some(&inbound.jwt),
            Self::Nothing | Self::Refused => None,
        }
    }
}

/// A port of a workload on both sides.
#[derive(Debug)]
struct Seat<'p> {
    /// The workload
    pair: &'p Pair,
    /// The port
    number: u16,
    /// What clients speak
    wire: WireProtocol,
}

/// What changes at the doors of all workloads.
pub(super) fn compare(old: &World, new: &World) -> Found {
    let same_mesh = same::is_same_mesh(&old.mesh, &new.mesh);
    let namespaces: BTreeSet<&String> = old.workloads.keys().chain(new.workloads.keys()).collect();
    let changed = |namespace: &&&String| !same_mesh || !same::is_same_namespace(old, new, namespace);
    let namespaces: Vec<&String> = namespaces.iter().filter(changed).copied().collect();
    let found = namespaces.par_iter().map(|namespace| in_namespace(old, new, namespace));
    found.reduce(Found::default, Found::and)
}

/// The places that both sides treat in one way each.
type Kinds<'w, 'p> = IndexMap<(AtPort<'w>, AtPort<'w>), Vec<Seat<'p>>>;

/// What changes at the doors of a namespace. Those that are alike on both sides are looked at once.
fn in_namespace(old: &World, new: &World, namespace: &str) -> Found {
    let mut found = Found::default();
    let pairs = pairs(old, new, namespace, &mut found);
    let kinds = kinds(old, new, &pairs, &mut found);
    let readers = (NamespaceReader::new(old, namespace), NamespaceReader::new(new, namespace));
    for ((before, now), seats) in &kinds {
        let decided = (decide(before, now, &readers.0), decide(now, before, &readers.1));
        let mut differences = lists::compare(&decided.0, &decided.1);
        if verify_otherwise(before.jwt(), now.jwt()) {
            // A token that one side sees the other may not.
            let unseen = |decided: &Decided| Decided { list: without_token(&decided.list), ..decided.clone() };
            differences = differences.and(lists::compare(&unseen(&decided.0), &decided.1));
            differences = differences.and(lists::compare(&decided.0, &unseen(&decided.1)));
        }
        for seat in seats {
            found.changes.extend(seat.changes(before, now, &differences));
            let Some(workload) = seat.pair.named() else { continue };
            let unsettled = |message: &String| Unsettled {
                entrypoint: entrypoint(workload, seat.number),
                message: message.clone(),
                span: None,
            };
            found.unsettled.extend(differences.unsettled.iter().map(unsettled));
        }
    }
    found
}

/// The ports of workloads by what is in force on both sides.
fn kinds<'w, 'p>(old: &'w World, new: &'w World, pairs: &'p [Pair], found: &mut Found) -> Kinds<'w, 'p> {
    let mut kinds = Kinds::new();
    for pair in pairs {
        // What only may exist speaks HTTP.
        let supposed = [&pair.old, &pair.new].into_iter().flatten().any(|workload| workload.implied);
        let wires: &[WireProtocol] =
            if supposed { &[WireProtocol::Http] } else { &[WireProtocol::Http, WireProtocol::Tcp] };
        for number in ports(old, new, pair, found) {
            let mut known = None;
            for wire in wires.iter().copied() {
                let sides = (at_port(old, pair, Side::Old, number, wire), at_port(new, pair, Side::New, number, wire));
                let decided = |side: &AtPort<'_>| matches!(side, AtPort::Chain(..));
                // Where the same chain takes whatever comes, it is asked once.
                if known.as_ref() == Some(&sides) || !(decided(&sides.0) || decided(&sides.1)) {
                    continue;
                }
                known = Some(sides.clone());
                let bytes = |side: &AtPort<'_>| match side {
                    AtPort::Chain(inbound, _) => inbound.chain == Chain::Tcp,
                    AtPort::Nothing | AtPort::Refused => true,
                };
                let wire = if bytes(&sides.0) && bytes(&sides.1) { WireProtocol::Tcp } else { wire };
                kinds.entry(sides).or_default().push(Seat { pair, number, wire });
            }
        }
    }
    kinds
}

/// What is in force at a workload's port on a side. On a workload that only may exist every port may listen, and speaks
/// what it does on the other side.
fn at_port<'w>(world: &'w World, pair: &Pair, side: Side, number: u16, wire: WireProtocol) -> AtPort<'w> {
    let workload = if side == Side::Old { &pair.old } else { &pair.new };
    let Some(workload) = workload else { return AtPort::Nothing };
    let known = workload_ports(world, workload).into_iter().find(|port| port.number == number);
    let supposed = WorkloadPort { number, protocol: Protocol::Http, by_service: false };
    let Some(port) = known.or_else(|| workload.implied.then_some(supposed)) else { return AtPort::Nothing };
    let chain = match (guard(world, workload, number), port.protocol, wire) {
        (Guard::Nothing { .. } | Guard::Unmodelled(_), ..) | (Guard::Sidecar, Protocol::Http, WireProtocol::Http) => {
            Chain::Http
        }
        (Guard::Sidecar, Protocol::Sniffed, WireProtocol::Http) => Chain::Http,
        (Guard::Sidecar, Protocol::Http, WireProtocol::Tcp) => return AtPort::Refused,
        (Guard::Sidecar, Protocol::Tcp | Protocol::Udp | Protocol::Sniffed, _) => Chain::Tcp,
    };
    let inbound = Inbound::of(world, workload, &port, chain);
    let unopened = chain == Chain::Http && port.protocol == Protocol::Sniffed && is_closed_to_tls(&inbound);
    let sealed = unopened.then(|| Box::new(Inbound::of(world, workload, &port, Chain::Tcp)));
    AtPort::Chain(Box::new(inbound), sealed)
}

/// Whether a sidecar opens no TLS here.
fn is_closed_to_tls(inbound: &Inbound<'_>) -> bool {
    inbound.guard == Guard::Sidecar && inbound.mode.mode == MtlsMode::Disable
}

/// What a side decides at a port, told of the other side's tokens.
fn decide(own: &AtPort<'_>, other: &AtPort<'_>, reader: &NamespaceReader<'_>) -> Decided {
    let none = JwtFilter::default();
    let jwt = other.jwt().unwrap_or(&none);
    match own {
        AtPort::Chain(inbound, None) => of_chain(inbound, jwt, reader),
        AtPort::Chain(inbound, Some(sealed)) => {
            of_chain(inbound, jwt, reader).unless_sealed(of_chain(sealed, jwt, reader))
        }
        AtPort::Nothing => Decided::all(Fate::nothing(), crate::space::Universe::default()),
        AtPort::Refused => {
            Decided::all(Fate::of(&Ending::denied(By::BadRequest, None)), crate::space::Universe::default())
        }
    }
}

/// What a chain decides, told of the tokens that the other side verifies.
pub(super) fn of_chain(inbound: &Inbound<'_>, other: &JwtFilter, reader: &NamespaceReader<'_>) -> Decided {
    let judgement = inbound.judgement(reader);
    let mut fates: Vec<Fate> = judgement
        .verdicts
        .iter()
        .map(|verdict| match verdict {
            Verdict::End(ending) => Fate::at(inbound, ending),
            Verdict::Forward(_) => Fate::nothing(),
        })
        .collect();
    let own = &inbound.jwt;
    let list = match (own.is_empty(), other.is_empty()) {
        (true, false) => without_token(&judgement.list),
        (false, false) if own.issuers() != other.issuers() => {
            fates.push(Fate::of(&Ending::denied(By::Jwt, None)));
            let label = Label(u32::try_from(fates.len() - 1).unwrap_or(u32::MAX - 1));
            with_foreign_tokens(&judgement.list, own, label)
        }
        _ => judgement.list,
    };
    let list = match inbound.chain {
        Chain::Http => list,
        // Who connects is who calls: nobody reads headers there. TLS that is not opened shows nobody's identity.
        Chain::Tcp if is_closed_to_tls(inbound) => by_connection(list).specialise(&Dimension::Peer, &[]),
        Chain::Tcp => by_connection(list),
    };
    Decided { list, universe: judgement.universe, fates }
}

/// A list by the address of the connection.
fn by_connection(list: DecisionList) -> DecisionList {
    renamed(list, &Dimension::RemoteIp, &Dimension::SourceIp)
}

impl Decided {
    /// What is decided where requests within TLS that nobody opens are bytes to another chain.
    fn unless_sealed(self, sealed: Self) -> Self {
        let shown = Cube::default().any(Dimension::Peer, vec![Pattern::Any]);
        let mut fates = self.fates;
        let offset = u32::try_from(fates.len()).unwrap_or(u32::MAX);
        fates.extend(sealed.fates);
        let moved =
            |label: Label| if label == Label::IMPOSSIBLE { label } else { Label(label.0.saturating_add(offset)) };
        let within = sealed.list.rules.iter().map(|rule| Rule::new(rule.cube.and(&shown), moved(rule.label)));
        let mut rules: Vec<Rule> = within.collect();
        rules.push(Rule::new(shown.clone(), moved(sealed.list.default)));
        rules.extend(self.list.rules);
        Self { list: DecisionList { rules, default: self.list.default }, universe: self.universe, fates }
    }
}

impl Seat<'_> {
    /// What changes here.
    fn changes<'s>(
        &'s self,
        before: &'s AtPort<'_>,
        now: &'s AtPort<'_>,
        differences: &'s Differences,
    ) -> impl Iterator<Item = Change> + 's {
        differences.found.iter().filter_map(move |(was, is, point)| {
            let kind = ChangeKind::of(was.decision, is.decision)?;
            let chain = if self.wire == WireProtocol::Tcp { Chain::Tcp } else { Chain::Http };
            let mut witness = inbound_witness(self.pair.named()?, self.number, chain, differences.path?, point);
            complete_token(&mut witness, &[before.jwt(), now.jwt()]);
            let place = |workload: &Option<Workload>| workload.as_ref().map(|one| entrypoint(one, self.number));
            Some(Change {
                kind,
                before: was.clone(),
                now: is.clone(),
                culprit: self.culprit((before, was), (now, is)),
                witness,
                old_entrypoint: place(&self.pair.old),
                new_entrypoint: place(&self.pair.new),
                doubt: verify_otherwise(before.jwt(), now.jwt()).then_some(TOKENS),
            })
        })
    }

    /// What makes a change here.
    fn culprit(&self, before: (&AtPort<'_>, &Fate), now: (&AtPort<'_>, &Fate)) -> Culprit {
        match (before, now) {
            ((AtPort::Chain(old, _), before), (AtPort::Chain(new, _), now)) => Culprit::between(before, now, old, new),
            ((AtPort::Nothing, _), (AtPort::Chain(..), _)) => self.arrival(Side::New, "is new here"),
            ((AtPort::Chain(..), _), (AtPort::Nothing, _)) => self.arrival(Side::Old, "is gone"),
            (_, (AtPort::Chain(..), _)) => self.arrival(Side::New, "takes bytes that are not HTTP now"),
            ((AtPort::Chain(..), _), _) => self.arrival(Side::Old, "took bytes that are not HTTP"),
            ((_, before), (_, now)) => Culprit::fallback(before, now),
        }
    }

    /// That a port is only on one side.
    fn arrival(&self, side: Side, what: &str) -> Culprit {
        let workload = if side == Side::New { self.pair.new.as_ref() } else { self.pair.old.as_ref() };
        let span = workload.filter(|workload| !workload.implied).map(|workload| workload.name_span);
        let name = workload.map(Workload::display_name).unwrap_or_default();
        Culprit::new(side, span, format!("port {} of `{name}` {what}", self.number))
    }
}
