//! Gateways' listeners on both sides, and what becomes of requests behind them.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use super::behind::{SideBehind, in_pairs, seen_behind};
use super::change::{Change, ChangeKind, Unsettled};
use super::composition::{Way, behind};
use super::culprit::{Culprit, Side};
use super::fate::Fate;
use super::gate::gate;
use super::lists::Decided;
use super::region::{Gate, Meaning, Region};
use super::token::{TOKENS, complete_token};
use super::{lists, same};
use crate::matrix::{fill, listeners};
use crate::semantics::{
    Chain, GatewayListener, JwtFilter, Proxy, Request, Route, RoutingProxy, World, gateway_topology, jwt_filter,
};
use crate::space::{Budget, Cube, Dimension, PathDomain, Point, TwoHopSearch, Universe, through};

/// A listener of one side, and how many proxies in front of it are believed.
type Listener = (GatewayListener, u32);

/// A chain of a listener, and how many proxies in front of it are believed.
type Served = (RoutingProxy, u32);

/// The doors at which something changes or may, and what makes a change there.
type Touched<'a> = BTreeMap<&'a String, Option<&'a Culprit>>;

/// Why a witness may show something else where proxies in front of a gateway are believed.
const ADDRESSES: &str = "proxies in front of the gateway report addresses, and no request is found that shows";

/// What changes for requests that enter at gateways.
pub(super) fn compare(old: &World, new: &World, doors: &Found) -> Found {
    let mut found = Found::default();
    let mut touched: Touched<'_> = doors.unsettled.iter().map(|unsettled| (&unsettled.entrypoint, None)).collect();
    for change in &doors.changes {
        for entrypoint in change.old_entrypoint.iter().chain(&change.new_entrypoint) {
            touched.entry(entrypoint).or_default().get_or_insert(&change.culprit);
        }
    }
    if touched.is_empty() && same::are_same_gateways(old, new) {
        return found;
    }
    let (before, now) = (by_entrypoint(old), by_entrypoint(new));
    let entrypoints: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for entrypoint in entrypoints {
        let (was, is) = (before.get(entrypoint), now.get(entrypoint));
        match (was, is) {
            (None, _) => found.appeared.push(entrypoint.clone()),
            (_, None) => found.disappeared.push(entrypoint.clone()),
            (Some(_), Some(_)) => {}
        }
        let several = [was, is].into_iter().flatten().any(|listeners| listeners.len() > 1);
        let front =
            Front { old, new, entrypoint, touched: &touched, old_is_there: was.is_some(), new_is_there: is.is_some() };
        let mut here = front.listener(was.and_then(|all| all.first()), is.and_then(|all| all.first()));
        if several && !(here.changes.is_empty() && here.unsettled.is_empty()) {
            // Which of several pods takes a request is not said, and each may decide otherwise.
            here.changes.clear();
            here.unsettled =
                vec![front.unsettled("several workloads serve the Gateway, and their routes change".to_owned())];
        }
        found = found.and(here);
    }
    found
}

/// The listeners of all gateways, by entrypoint.
fn by_entrypoint(world: &World) -> BTreeMap<String, Vec<Listener>> {
    let mut found: BTreeMap<String, Vec<Listener>> = BTreeMap::new();
    for workload in &world.gateway_workloads {
        let reported = gateway_topology(world, workload).trusted_proxies;
        for (entrypoint, listener) in listeners(world, workload) {
            found.entry(entrypoint).or_default().push((listener, reported));
        }
    }
    found
}

/// One entrypoint on both sides.
struct Front<'a> {
    /// The world before
    old: &'a World,
    /// The world now
    new: &'a World,
    /// `gateway NS/NAME:PORT`
    entrypoint: &'a str,
    /// The doors at which something changes
    touched: &'a Touched<'a>,
    /// Whether the old side has it
    old_is_there: bool,
    /// Whether the new side has it
    new_is_there: bool,
}

/// What two chains have to do with each other.
struct Chains<'a> {
    /// The chain before
    old: Option<&'a RoutingProxy>,
    /// The chain now
    new: Option<&'a RoutingProxy>,
    /// What both can see
    universe: &'a Universe,
    /// The ways of their routes
    ways: &'a [Way],
    /// The tokens that both verify
    jwt: [JwtFilter; 2],
    /// Why witnesses may show something else
    doubt: Option<&'static str>,
}

impl Front<'_> {
    /// What changes at a listener. Which chain takes a request is part of what each chain decides, so each of one side is
    /// held against each of the other, unless the same names stand on both.
    fn listener(&self, old: Option<&Listener>, new: Option<&Listener>) -> Found {
        let mut found = Found::default();
        if matches!((old, new), (Some((one, _)), Some((other, _))) if one.plaintext != other.plaintext) {
            let message = "the server takes TLS on one side and plaintext on the other, so all its requests are others";
            found.unsettled.push(self.unsettled(message.to_owned()));
            return found;
        }
        let chains = |listener: Option<&Listener>| -> Vec<Served> {
            let listener = listener.into_iter();
            let chains = listener.flat_map(|(listener, reported)| {
                listener
                    .chains
                    .iter()
                    .filter(|chain| chain.unknown.is_some() || chain.plaintext == listener.plaintext)
                    .map(|chain| (chain.clone(), *reported))
            });
            chains.collect()
        };
        let (before, now) = (chains(old), chains(new));
        let names = |chains: &[Served]| -> BTreeSet<String> {
            chains.iter().map(|(chain, _)| chain.chain_name.clone()).collect()
        };
        let alike = names(&before) == names(&now);
        for was in before.iter().map(Some).chain(before.is_empty().then_some(None)) {
            for is in now.iter().map(Some).chain(now.is_empty().then_some(None)) {
                let differ = matches!((was, is), (Some(one), Some(other)) if one.0.chain_name != other.0.chain_name);
                if !(alike && differ) {
                    found = found.and(self.chains(was, is));
                }
            }
        }
        found
    }

    /// What changes from one chain to another.
    fn chains(&self, old: Option<&Served>, new: Option<&Served>) -> Found {
        let mut found = Found::default();
        let mut ways: Vec<Way> = Vec::new();
        let mut gate = |world: &World, chain: Option<&Served>| match chain {
            Some((proxy, believed)) => gate(world, proxy, *believed, &mut ways),
            None => Gate::closed(),
        };
        let (before, now) = (gate(self.old, old), gate(self.new, new));
        let believed = [old, new].map(|chain| chain.map(|(_, believed)| *believed));
        let asks = [&before, &now].iter().any(|gate| gate.decided.list.dimensions().contains(&Dimension::RemoteIp));
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
        let chains = Chains {
            old: old.map(|(proxy, _)| proxy),
            new: new.map(|(proxy, _)| proxy),
            universe: &universe,
            ways: &ways,
            jwt: [filter_of(self.old, old), filter_of(self.new, new)],
            doubt: asks.then_some(ADDRESSES),
        };
        let touched =
            |way: usize| ways.get(way).is_some_and(|way| way.doors().any(|door| self.touched.contains_key(door)));
        let (regions, unsettled) = Region::all(&before, &now, &universe, &touched);
        found.unsettled.extend(unsettled.into_iter().map(|why| self.unsettled(why)));
        for region in regions {
            found = found.and(self.region(&chains, &before, &now, &region));
        }
        found
    }

    /// What changes for the requests that both sides treat in one way each.
    fn region(&self, chains: &Chains<'_>, before: &Gate, now: &Gate, region: &Region) -> Found {
        let mut found = Found::default();
        if let (Meaning::End(was), Meaning::End(is), Some(point)) = (&region.before, &region.now, &region.witness) {
            if let Some(kind) = ChangeKind::of(was.decision, is.decision) {
                found.changes.push(self.change(chains, kind, (was, is), Culprit::fallback(was, is), point, None));
            }
            return found;
        }
        let side = |world: &World, proxy: Option<&RoutingProxy>, meaning: &Meaning, gate: &Gate| match meaning {
            Meaning::End(fate) => Ok((None, Decided::all(fate.clone(), Universe::default()))),
            Meaning::Way(way) => {
                let (route, forward) = gate.route(proxy, *way).ok_or("the route is not there")?;
                let behind = behind(world, proxy.ok_or("the gateway is not there")?, forward)?;
                let decided = behind.decided.clone();
                Ok::<_, String>((Some((behind, route.clone())), decided))
            }
        };
        let sides = side(self.old, chains.old, &region.before, before)
            .and_then(|was| Ok((was, side(self.new, chains.new, &region.now, now)?)));
        let composed = sides.and_then(|(was, is)| self.composed(chains, before, now, region, (&was, &is)));
        match composed {
            Ok(here) => found = here,
            Err(why) => found.unsettled.push(self.unsettled(why)),
        }
        found
    }

    /// What changes behind the routes of both sides.
    fn composed(
        &self,
        chains: &Chains<'_>,
        before: &Gate,
        now: &Gate,
        region: &Region,
        (was, is): (&SideBehind, &SideBehind),
    ) -> Result<Found, String> {
        let mut found = Found::default();
        let first = region.list(before, now)?;
        let universe = seen_behind(chains.universe, [was, is]);
        let rewrites = [was, is].map(|side| side.0.as_ref().map(|(behind, _)| &behind.rewrite));
        let rewrite = match rewrites {
            [Some(one), Some(other)] if one != other => {
                return Err("the path is rewritten in another way, so the doors behind see other paths".to_owned());
            }
            [one, other] => one.or(other).ok_or("nothing is sent on")?,
        };
        let mut behind = [was, is].into_iter().filter_map(|side| side.0.as_ref());
        let [one, other] = &chains.jwt;
        if one.rules != other.rules && behind.any(|(behind, _)| !behind.jwt.is_empty()) {
            let message = "the gateway verifies tokens in another way, and what is behind it verifies some too";
            found.unsettled.push(self.unsettled(message.to_owned()));
        }
        let (list, pairs) = in_pairs(&was.1, &is.1)?;
        let searches = through(&first, Region::WITHIN, rewrite, &list, &Cube::default(), &universe, &Budget::default());
        for (label, search) in searches {
            let pair = usize::try_from(label.0).ok().and_then(|at| pairs.get(at)).and_then(Option::as_ref);
            let Some((was_fate, is_fate, kind)) = pair else { continue };
            match search {
                TwoHopSearch::Empty => {}
                TwoHopSearch::Found { first, wire_path, .. } => {
                    let culprit = self.culprit((was, was_fate), (is, is_fate), region, chains.ways);
                    let mut change = self.change(chains, *kind, (was_fate, is_fate), culprit, &first, Some(&wire_path));
                    let [one, other] = [was, is].map(|side| side.0.as_ref().map(|(behind, _)| &behind.jwt));
                    complete_token(&mut change.witness, &[one, other]);
                    found.changes.push(change);
                }
                TwoHopSearch::OutOfBudget { why } => found.unsettled.push(self.unsettled(why.to_string())),
            }
        }
        Ok(found)
    }

    /// What makes a change behind routes: the route if it is another, else what changes at the door.
    fn culprit(&self, was: (&SideBehind, &Fate), is: (&SideBehind, &Fate), region: &Region, led: &[Way]) -> Culprit {
        let route = |side: &SideBehind| side.0.as_ref().map(|(_, route)| route.clone());
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

    /// A change here.
    fn change(
        &self,
        chains: &Chains<'_>,
        kind: ChangeKind,
        (before, now): (&Fate, &Fate),
        culprit: Culprit,
        point: &Point,
        wire_path: Option<&str>,
    ) -> Change {
        let mut witness = Request::at(self.entrypoint);
        fill(&mut witness, point, PathDomain::Raw);
        if let Some(path) = wire_path {
            let query = witness.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
            witness.path = format!("{path}{query}");
        }
        complete_token(&mut witness, &chains.jwt.each_ref().map(Some));
        let asked = [chains.old, chains.new].into_iter().flatten().any(RoutingProxy::asks_for_certificate);
        witness.source = witness.source.filter(|_| asked);
        let doubt = chains.doubt.or_else(|| witness.token.is_some().then_some(TOKENS));
        let there = |is_there: bool| is_there.then(|| self.entrypoint.to_owned());
        Change {
            kind,
            before: before.clone(),
            now: now.clone(),
            culprit,
            witness,
            old_entrypoint: there(self.old_is_there),
            new_entrypoint: there(self.new_is_there),
            // A gateway and the workload behind it may each verify tokens, in their own way.
            doubt,
        }
    }

    /// That something cannot be told here.
    fn unsettled(&self, message: String) -> Unsettled {
        Unsettled { entrypoint: self.entrypoint.to_owned(), message, span: None }
    }
}

/// The tokens that a chain verifies.
fn filter_of(world: &World, chain: Option<&Served>) -> JwtFilter {
    let reads = chain.filter(|(proxy, _)| proxy.chain == Chain::Http);
    reads.map_or_else(JwtFilter::default, |(proxy, _)| {
        jwt_filter(&world.mesh, Proxy { namespace: &proxy.namespace, labels: &proxy.labels })
    })
}
