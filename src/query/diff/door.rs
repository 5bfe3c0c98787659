//! Doors of workloads on both sides.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use rayon::prelude::*;

use super::change::{Change, ChangeKind, Unsettled};
use super::culprit::{Culprit, Side};
use super::fate::Fate;
use super::joint::renamed;
use super::lists::{self, Decided, Differences};
use super::pair::{Pair, entrypoint, pairs, ports};
use super::token::{TOKENS, Tokens, split_otherwise};
use super::{Found, same};
use crate::matrix::inbound_witness;
use crate::model::{MtlsMode, Workload};
use crate::semantics::{
    By, Chain, Ending, Guard, Inbound, JwtFilter, NamespaceReader, Protocol, Verdict, WireProtocol, WorkloadPort,
    World, guard, workload_ports,
};
use crate::space::{Cube, DecisionList, Dimension, Label, Pattern, Rule, Universe};

/// What is in force at a port for clients that speak in some way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum AtPort<'w> {
    /// Nothing listens
    Nothing,
    /// The port speaks HTTP, and these bytes are none: it refuses them once the connection stands
    Refused(Box<Inbound<'w>>),
    /// A chain decides, and where TLS is not opened the other takes what comes with it
    Chain(Box<Inbound<'w>>, Option<Box<Inbound<'w>>>),
}

impl AtPort<'_> {
    /// The tokens that are verified.
    fn jwt(&self) -> JwtFilter {
        match self {
            Self::Chain(inbound, _) | Self::Refused(inbound) => jwt_of(inbound),
            Self::Nothing => JwtFilter::default(),
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
    let found = namespaces.par_iter().filter(changed).map(|namespace| in_namespace(old, new, namespace));
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
        let filters = [before.jwt(), now.jwt()];
        for tokens in Tokens::of([&JwtFilter::default(); 2], &filters) {
            let decided = [decide(before, &readers.0, &tokens), decide(now, &readers.1, &tokens)];
            let mut differences = lists::compare(&decided[0], &decided[1]);
            if tokens != Tokens::Seen {
                let lists = decided.iter().map(|decided| &decided.list);
                differences.unsettled.extend(split_otherwise(&filters.each_ref(), lists));
            }
            for seat in seats {
                found.changes.extend(seat.changes(before, now, &differences, &tokens));
                let Some(workload) = seat.pair.named() else { continue };
                let unsettled = |message: &String| Unsettled {
                    entrypoint: entrypoint(workload, seat.number),
                    message: message.clone(),
                    span: None,
                };
                found.unsettled.extend(differences.unsettled.iter().map(unsettled));
            }
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
                // Where the same chain takes whatever comes, it is asked once.
                if known.as_ref() == Some(&sides) || sides == (AtPort::Nothing, AtPort::Nothing) {
                    continue;
                }
                known = Some(sides.clone());
                let bytes = |side: &AtPort<'_>| match side {
                    AtPort::Chain(inbound, _) => inbound.chain == Chain::Tcp,
                    AtPort::Nothing | AtPort::Refused(_) => true,
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
    let of = |chain: Chain| Box::new(Inbound::of(world, workload, &port, chain));
    let chain = match (guard(world, workload, number), port.protocol, wire) {
        (Guard::Nothing { .. } | Guard::Unmodelled(_), ..) | (Guard::Sidecar, Protocol::Http, WireProtocol::Http) => {
            Chain::Http
        }
        (Guard::Sidecar, Protocol::Sniffed, WireProtocol::Http) => Chain::Http,
        (Guard::Sidecar, Protocol::Http, WireProtocol::Tcp) => return AtPort::Refused(of(Chain::Http)),
        (Guard::Sidecar, Protocol::Tcp | Protocol::Udp | Protocol::Sniffed, _) => Chain::Tcp,
    };
    let inbound = of(chain);
    let unopened = chain == Chain::Http && port.protocol == Protocol::Sniffed && is_closed_to_tls(&inbound);
    let sealed = unopened.then(|| of(Chain::Tcp));
    AtPort::Chain(inbound, sealed)
}

/// Whether a sidecar opens no TLS here.
fn is_closed_to_tls(inbound: &Inbound<'_>) -> bool {
    inbound.guard == Guard::Sidecar && inbound.mode.mode == MtlsMode::Disable && inbound.mode.order.is_none()
}

/// What a side decides at a port for requests that go straight there.
fn decide(own: &AtPort<'_>, reader: &NamespaceReader<'_>, tokens: &Tokens) -> Decided {
    let decided = match own {
        AtPort::Chain(inbound, None) => of_chain(inbound, reader, tokens),
        AtPort::Chain(inbound, Some(sealed)) => {
            of_chain(inbound, reader, tokens).unless_sealed(of_chain(sealed, reader, tokens))
        }
        AtPort::Nothing => return Decided::all(Fate::nothing(), Universe::default()),
        AtPort::Refused(inbound) => of_chain(inbound, reader, tokens).refusing(inbound),
    };
    // Whoever shows no identity speaks plaintext, which asks for no server name.
    let named = Cube::default().any(Dimension::Sni, vec![Pattern::Any]).none(Dimension::Peer, vec![Pattern::Any]);
    let mut list = tokens.asked(decided.list);
    list.rules.insert(0, Rule::new(named, Label::IMPOSSIBLE));
    Decided { list, ..decided }
}

/// The tokens that a chain verifies.
pub(super) fn jwt_of(inbound: &Inbound<'_>) -> JwtFilter {
    let reads = inbound.chain == Chain::Http && !matches!(inbound.guard, Guard::Nothing { .. });
    if reads { inbound.jwt.clone() } else { JwtFilter::default() }
}

/// What a chain decides.
pub(super) fn of_chain(inbound: &Inbound<'_>, reader: &NamespaceReader<'_>, tokens: &Tokens) -> Decided {
    let judgement = inbound.judgement(reader);
    let fate = |verdict: &Verdict| match verdict {
        Verdict::End(ending) => Fate::at(inbound, ending),
        Verdict::Forward(_) => Fate::nothing(),
    };
    let fates = judgement.verdicts.iter().map(fate).collect();
    let list = tokens.of_proxy(&judgement.list, &jwt_of(inbound));
    let list = match inbound.chain {
        Chain::Http => list,
        // Who connects is who calls: nobody reads headers there. TLS that is not opened shows nobody's identity.
        Chain::Tcp if is_closed_to_tls(inbound) => by_connection(list).specialise(&Dimension::Peer, &[]),
        Chain::Tcp => by_connection(list),
    };
    let mut universe = judgement.universe;
    tokens.restrict(&mut universe);
    Decided { list, universe, fates }
}

/// A list by the address of the connection.
fn by_connection(list: DecisionList) -> DecisionList {
    renamed(list, &Dimension::RemoteIp, &Dimension::SourceIp)
}

impl Decided {
    /// What is decided of bytes that are no HTTP: they are refused once the connection stands, which may be unknown where
    /// there is a handshake.
    pub(super) fn refusing(self, inbound: &Inbound<'_>) -> Self {
        let refused = || Fate::of(&Ending::denied(By::BadRequest, None));
        let closed = |fate: &Fate| fate.by == Some(By::Closed);
        let of = |fate: &Fate, handshake: bool| {
            let kept = closed(fate) || (handshake && fate.by.is_none());
            if kept { fate.clone() } else { refused() }
        };
        let always = inbound.mode.mode == MtlsMode::Strict;
        let plain = Self { fates: self.fates.iter().map(|fate| of(fate, always)).collect(), ..self.clone() };
        let sealed = Self { fates: self.fates.iter().map(|fate| of(fate, true)).collect(), ..self };
        plain.unless_sealed(sealed)
    }

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
        tokens: &'s Tokens,
    ) -> impl Iterator<Item = Change> + 's {
        differences.found.iter().filter_map(move |(was, is, point)| {
            let kind = ChangeKind::of(was.decision, is.decision)?;
            // Of bytes that a port refuses for being no HTTP something may still be asked before.
            let refused = [before, now].iter().any(|side| matches!(side, AtPort::Refused(_)));
            let chain = if self.wire == WireProtocol::Tcp && !refused { Chain::Tcp } else { Chain::Http };
            let mut witness = inbound_witness(self.pair.named()?, self.number, chain, differences.path?, point);
            witness.protocol = self.wire;
            tokens.complete(&mut witness, &[&before.jwt(), &now.jwt()]);
            let place = |workload: &Option<Workload>| workload.as_ref().map(|one| entrypoint(one, self.number));
            Some(Change {
                kind,
                before: was.clone(),
                now: is.clone(),
                culprit: self.culprit((before, was), (now, is)),
                witness,
                old_entrypoint: place(&self.pair.old),
                new_entrypoint: place(&self.pair.new),
                doubt: (*tokens != Tokens::Seen).then_some(TOKENS),
            })
        })
    }

    /// What makes a change here.
    fn culprit(&self, before: (&AtPort<'_>, &Fate), now: (&AtPort<'_>, &Fate)) -> Culprit {
        match (before, now) {
            ((AtPort::Chain(old, _), before), (AtPort::Chain(new, _), now))
            | ((AtPort::Refused(old), before), (AtPort::Refused(new), now)) => Culprit::between(before, now, old, new),
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
