//! Proxies in front on both sides, and what becomes of requests behind them.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use super::behind::{Met, SideBehind, compare};
use super::change::{Change, ChangeKind, Unsettled};
use super::composition::Sender;
use super::culprit::{Culprit, Side};
use super::fate::Fate;
use super::filters::{filter_at, filters_behind, forwards};
use super::gate::{Served, gate};
use super::lists::{self, Decided};
use super::pair::entrypoint;
use super::region::{Gate, Meaning, Region};
use super::token::{TOKENS, Tokens, split_otherwise};
use super::way::{Way, Ways};
use crate::matrix::fill;
use crate::semantics::{Forward, JwtFilter, Request, Route, Target, WireProtocol, World};
use crate::space::{DecisionList, Dimension, Domain, PathDomain, Point, Test, Universe, Values};

/// The doors at which something changes or may, and what makes a change there.
pub(super) type Touched<'a> = BTreeMap<&'a String, Option<&'a Culprit>>;

/// Why a witness may show something else where proxies in front of a gateway are believed.
const ADDRESSES: &str = "proxies in front of the gateway report addresses, and no request is found that shows";

/// One entrypoint on both sides.
pub(super) struct Front<'a> {
    /// The world before
    pub(super) old: &'a World,
    /// The world now
    pub(super) new: &'a World,
    /// `gateway NS/NAME:PORT` or `service NS/NAME:PORT`
    pub(super) entrypoint: &'a str,
    /// The doors at which something changes
    pub(super) touched: &'a Touched<'a>,
    /// Whether it is the same on both sides, the doors aside
    pub(super) alike: bool,
    /// Whether the old side has it
    pub(super) old_is_there: bool,
    /// Whether the new side has it
    pub(super) new_is_there: bool,
    /// What clients speak
    pub(super) wire: WireProtocol,
    /// Where the sidecars of clients stand in front: `NS/NAME` of a client of each identity
    pub(super) clients: Option<&'a BTreeMap<String, String>>,
}

/// What two chains have to do with each other.
struct Chains<'a> {
    /// The chain before
    old: Option<&'a Served>,
    /// The chain now
    new: Option<&'a Served>,
    /// The tokens that both verify
    filters: [JwtFilter; 2],
    /// What is said of tokens
    tokens: &'a Tokens,
}

/// What is known of two chains before anybody asks what is behind.
struct Gates<'a> {
    /// What the chain before decides
    before: &'a Gate,
    /// What the chain now decides
    now: &'a Gate,
    /// What both can see
    universe: &'a Universe,
    /// The ways of their routes
    ways: &'a Ways,
    /// Why witnesses may show something else
    doubt: Option<&'static str>,
}

impl Front<'_> {
    /// What changes at a listener. Which chain takes a request is part of what each chain decides, so each of one side is
    /// held against each of the other, unless the same names stand on both.
    pub(super) fn listener(&self, before: &[Served], now: &[Served]) -> Found {
        let mut found = Found::default();
        let names = |chains: &[Served]| -> BTreeSet<String> {
            chains.iter().map(|(chain, _)| chain.chain_name.clone()).collect()
        };
        let alike = names(before) == names(now);
        for was in before.iter().map(Some).chain(before.is_empty().then_some(None)) {
            for is in now.iter().map(Some).chain(now.is_empty().then_some(None)) {
                let differ = matches!((was, is), (Some(one), Some(other)) if one.0.chain_name != other.0.chain_name);
                if !(alike && differ) {
                    found = found.and(self.served(was, is));
                }
            }
        }
        found
    }

    /// Whether a route leads to a door at which something changes.
    fn touches(&self, forward: &Forward) -> bool {
        forward.legs.iter().any(|leg| match &leg.target {
            Target::Workload { workload, port, .. } => self.touched.contains_key(&entrypoint(workload, port.number)),
            Target::Nowhere(_) | Target::Unknown(_) => false,
        })
    }

    /// What changes from one chain to another.
    fn served(&self, old: Option<&Served>, new: Option<&Served>) -> Found {
        if self.alike && !forwards(new).any(|forward| self.touches(forward)) {
            return Found::default();
        }
        let filters = [(self.old, old), (self.new, new)].map(|(world, chain)| self.filter_of(world, chain));
        let doors = [filters_behind(self.old, old), filters_behind(self.new, new)].concat();
        let mut found = Found::default();
        for tokens in Tokens::of(filters.each_ref(), &doors) {
            let chains = Chains { old, new, filters: filters.clone(), tokens: &tokens };
            found = found.and(self.chains(&chains));
        }
        found
    }

    /// What changes from one chain to another, in terms of tokens.
    fn chains(&self, chains: &Chains<'_>) -> Found {
        let mut found = Found::default();
        let mut ways = Ways::default();
        let asked = |forward: &Forward| !self.alike || self.touches(forward);
        let mut gate = |sender: Option<(Sender<'_>, u32)>| match sender {
            Some((sender, believed)) => gate(&sender, believed, &asked, &mut ways),
            None => Gate::closed(),
        };
        let now = gate(self.sender(chains, Side::New));
        let own = (!self.alike).then(|| gate(self.sender(chains, Side::Old)));
        let before = own.as_ref().unwrap_or(&now);
        let believed = [chains.old, chains.new].map(|chain| chain.map(|(_, believed)| *believed));
        let asks = [before, &now].iter().any(|gate| gate.decided.list.dimensions().contains(&Dimension::RemoteIp));
        if asks && matches!(believed, [Some(one), Some(other)] if one != other) {
            let message =
                "a policy asks for the client's address, and other proxies in front of the gateway are believed";
            found.unsettled.push(self.unsettled(message.to_owned()));
            return found;
        }
        let universe = match lists::joint_universe(&before.decided, &now.decided) {
            Ok(universe) => universe,
            Err(why) => {
                found.unsettled.push(self.unsettled(why));
                return found;
            }
        };
        // Where tokens are kept or passed on in another way, any door behind may see others.
        let tokens = *chains.tokens != Tokens::Seen && chains.filters[0].rules != chains.filters[1].rules;
        let leads = |way: &Way| tokens || way.doors().any(|door| self.touched.contains_key(door));
        let touched = |way: usize| ways.get(way).is_some_and(leads);
        let (regions, unsettled) = Region::all(before, &now, &universe, &touched);
        found.unsettled.extend(unsettled.into_iter().map(|why| self.unsettled(why)));
        let doubt = asks.then_some(ADDRESSES);
        let gates = Gates { before, now: &now, universe: &universe, ways: &ways, doubt };
        for region in regions {
            match self.region(chains, &gates, &region) {
                Ok(here) => found = found.and(here),
                Err(why) => found.unsettled.push(self.unsettled(why)),
            }
        }
        found
    }

    /// The proxy of a side that sends requests on, and how many proxies in front of it are believed.
    fn sender<'s>(&'s self, chains: &'s Chains<'_>, side: Side) -> Option<(Sender<'s>, u32)> {
        let (world, served, filter) = match side {
            Side::Old => (self.old, chains.old, &chains.filters[0]),
            Side::New => (self.new, chains.new, &chains.filters[1]),
        };
        let (proxy, believed) = served?;
        let (tokens, by_client) = (chains.tokens, self.clients.is_some());
        Some((Sender { world, proxy, filter, tokens, wire: self.wire, by_client }, *believed))
    }

    /// The values that can occur, where the clients are known: one of those whom the lists do not tell apart.
    fn with_clients(&self, universe: &Universe, lists: [&DecisionList; 2]) -> Universe {
        let mut universe = universe.clone();
        let Some(clients) = self.clients else { return universe };
        let tests = lists.into_iter().flat_map(|list| &list.rules).flat_map(|rule| &rule.cube.tests);
        let tests: BTreeSet<&Test> = tests.filter(|test| test.dimension == Dimension::Peer).collect();
        let mut known: BTreeSet<Vec<bool>> = BTreeSet::new();
        let told_apart = |identity: &&String| known.insert(tests.iter().map(|test| test.holds(&[*identity])).collect());
        let identities: Vec<String> = clients.keys().filter(told_apart).cloned().collect();
        let preferred = identities.iter().map(|identity| identity.as_str().into()).collect();
        let values = Values::Finite(identities);
        universe.set(Dimension::Peer, Domain { values, absent: false, several: false, preferred });
        universe
    }

    /// What changes for the requests that both sides treat in one way each. `Err`: why it cannot be told.
    fn region(&self, chains: &Chains<'_>, gates: &Gates<'_>, region: &Region) -> Result<Found, String> {
        let mut found = Found::default();
        if let (Meaning::End(was), Meaning::End(is), Some(point)) = (&region.before, &region.now, &region.witness) {
            if let Some(kind) = ChangeKind::of(was.decision, is.decision) {
                let witness = self.witness(chains, point, gates.universe.path, None, &[]);
                let culprit = Culprit::fallback(was, is);
                found.changes.push(self.change(chains, gates, (was, is, kind), culprit, witness));
            }
            return Ok(found);
        }
        let was = self.behind(chains, Side::Old, &region.before, gates.before)?;
        let is = self.behind(chains, Side::New, &region.now, gates.now)?;
        let doors: Vec<&JwtFilter> = [&was, &is]
            .into_iter()
            .filter_map(|side| side.route.as_ref())
            .flat_map(|(behind, _)| &behind.jwt)
            .collect();
        let first = region.list(gates.before, gates.now)?;
        if *chains.tokens != Tokens::Seen {
            let filters: Vec<&JwtFilter> = chains.filters.iter().chain(doors.iter().copied()).collect();
            let lists = [&first, &was.decided.list, &is.decided.list];
            if let Some(why) = split_otherwise(&filters, lists.into_iter()) {
                return Err(why);
            }
        }
        let decided = [&gates.before.decided, &gates.now.decided];
        let universe = self.with_clients(gates.universe, [&was.decided.list, &is.decided.list]);
        for ((before, now, kind), met) in compare(&first, decided, &universe, chains.tokens, (&was, &is))? {
            match met {
                Met::By(point, domain, wire_path) => {
                    let culprit = self.culprit((&was, &before), (&is, &now), region, gates.ways);
                    let witness = self.witness(chains, &point, domain, wire_path.as_deref(), &doors);
                    found.changes.push(self.change(chains, gates, (&before, &now, kind), culprit, witness));
                }
                Met::Unsettled(why) => found.unsettled.push(self.unsettled(why)),
            }
        }
        Ok(found)
    }

    /// What a side decides behind what becomes of requests at its gate.
    fn behind(&self, chains: &Chains<'_>, side: Side, meaning: &Meaning, gate: &Gate) -> Result<SideBehind, String> {
        let way = match meaning {
            Meaning::End(fate) => {
                let decided = Decided::all(fate.clone(), Universe::default());
                return Ok(SideBehind { route: None, decided });
            }
            Meaning::Way(way) => *way,
        };
        let (sender, _) = self.sender(chains, side).ok_or("the proxy in front is not there")?;
        let (route, forward) = gate.route(sender.proxy, way).ok_or("the route is not there")?;
        let behind = sender.behind(forward)?;
        let decided = behind.decided.clone();
        Ok(SideBehind { route: Some((behind, route.clone())), decided })
    }

    /// What makes a change behind routes: the route if it is another, else what changes at the door.
    fn culprit(&self, was: (&SideBehind, &Fate), is: (&SideBehind, &Fate), region: &Region, led: &Ways) -> Culprit {
        let route = |side: &SideBehind| side.route.as_ref().map(|(_, route)| route.clone());
        let name = |route: &Route| match &route.virtual_service {
            Some(id) => format!("a route of {id}"),
            None => "the Service's own route".to_owned(),
        };
        if region.before != region.now {
            return match (route(is.0), route(was.0)) {
                (Some(route), _) => Culprit::new(Side::New, Some(route.span), format!("{} takes it now", name(&route))),
                (None, Some(route)) => {
                    Culprit::new(Side::Old, Some(route.span), format!("{} takes it no longer", name(&route)))
                }
                (None, None) => Culprit::fallback(was.1, is.1),
            };
        }
        let at_door = || {
            let Meaning::Way(way) = region.now else { return None };
            let mut known = led.get(way)?.doors().filter_map(|door| self.touched.get(door).copied().flatten());
            known.next().cloned()
        };
        let by_rules = Culprit::by_rules(was.1, is.1, &self.old.mesh, &self.new.mesh);
        by_rules.or_else(at_door).unwrap_or_else(|| Culprit::fallback(was.1, is.1))
    }

    /// A request that is a point.
    fn witness(
        &self,
        chains: &Chains<'_>,
        point: &Point,
        domain: PathDomain,
        wire_path: Option<&str>,
        doors: &[&JwtFilter],
    ) -> Request {
        let mut witness = Request::at(self.entrypoint);
        fill(&mut witness, point, domain);
        if let Some(path) = wire_path {
            let query = witness.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
            witness.path = format!("{path}{query}");
        }
        let filters: Vec<&JwtFilter> = chains.filters.iter().chain(doors.iter().copied()).collect();
        chains.tokens.complete(&mut witness, &filters);
        if self.wire == WireProtocol::Tcp {
            witness.protocol = WireProtocol::Tcp;
            "/".clone_into(&mut witness.path);
        }
        if let Some(clients) = self.clients {
            let named = witness.source.as_ref().and_then(|source| clients.get_key_value(source));
            let sender = named.or_else(|| clients.first_key_value());
            witness.source = sender.map(|(identity, _)| identity.clone());
            witness.source_workload = sender.map(|(_, workload)| workload.clone());
        } else {
            let mut proxies = [chains.old, chains.new].into_iter().flatten().map(|(proxy, _)| proxy);
            let shown = proxies.any(|proxy| proxy.asks_for_certificate() || !proxy.is_guarded());
            witness.source = witness.source.filter(|_| shown);
        }
        witness
    }

    /// A change here.
    fn change(
        &self,
        chains: &Chains<'_>,
        gates: &Gates<'_>,
        (before, now, kind): (&Fate, &Fate, ChangeKind),
        culprit: Culprit,
        witness: Request,
    ) -> Change {
        let there = |is_there: bool| is_there.then(|| self.entrypoint.to_owned());
        Change {
            kind,
            before: before.clone(),
            now: now.clone(),
            culprit,
            witness,
            old_entrypoint: there(self.old_is_there),
            new_entrypoint: there(self.new_is_there),
            doubt: gates.doubt.or_else(|| (*chains.tokens != Tokens::Seen).then_some(TOKENS)),
        }
    }

    /// The tokens that a chain verifies. Clients' sidecars verify none.
    fn filter_of(&self, world: &World, chain: Option<&Served>) -> JwtFilter {
        chain.filter(|_| self.clients.is_none()).map_or_else(JwtFilter::default, |served| filter_at(world, served))
    }

    /// That something cannot be told here.
    pub(super) fn unsettled(&self, message: String) -> Unsettled {
        Unsettled { entrypoint: self.entrypoint.to_owned(), message, span: None }
    }
}
