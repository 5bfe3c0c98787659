//! Rewrites of gateways: paths that climb out of their target, and paths that get past a policy.

use std::collections::BTreeMap;

use super::facts::{Facts, Site};
use super::observation::{Observation, Severity};
use super::onward::led_to;
use super::spot::{Listener, Spot};
use super::value::{Field, Value, values};
use crate::matrix::{Across, Crossing, Door, Way};
use crate::model::{AuthorizationPolicy, HttpRoute, Resource, VirtualService, workload_in_words};
use crate::semantics::{Ending, Route, RouteAction, Target, Verdict, is_template, path_normalization, policy_path};
use crate::space::{
    Budget, Cube, DecisionList, Label, PathRewrite, PathTest, Pattern, Rule, Search, normalize, partition,
};
use crate::text::{Span, Spanned};

/// A rewriting route of a gateway on its way to a door.
struct Passage<'f, 'w> {
    /// The gateway
    gateway: &'f Site<'w>,
    /// Its listener
    listener: &'f Listener<'w>,
    /// The route
    route: &'f Route,
    /// The way to the workload
    way: Way<'f>,
    /// What it replaces: a prefix, or a whole path
    from: &'f str,
    /// What it puts there
    to: &'f str,
    /// Where the workload stands, and its doors of HTTP behind the route
    site: &'f Site<'w>,
    /// The door
    door: &'f Door<'w>,
}

/// Looks at every rewriting route of every gateway.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let mut found: BTreeMap<(&'static str, Span), Observation> = BTreeMap::new();
    for gateway in facts.sites.iter().filter(|site| site.gateway().is_some()) {
        for spot in facts.spots_at(gateway) {
            let Spot::Listener(listener) = spot else { continue };
            for passage in passages(facts, gateway, listener) {
                let all = junction(facts, &passage).into_iter().chain(escapes(facts, &passage));
                for one in all {
                    let known = found.entry((one.rule, one.label.span)).or_insert_with(|| one.clone());
                    if known.severity > one.severity {
                        *known = one;
                    }
                }
            }
        }
    }
    seen.extend(found.into_values());
}

/// The rewriting routes of a listener on their ways to doors.
fn passages<'f, 'w>(facts: &'f Facts<'w>, gateway: &'f Site<'w>, listener: &'f Listener<'w>) -> Vec<Passage<'f, 'w>> {
    let rewrites = |route: &Route| match &route.action {
        RouteAction::Forward(forward) => {
            matches!(forward.rewrite, PathRewrite::ReplacePrefix { .. } | PathRewrite::ReplaceAll(_))
        }
        RouteAction::Answer(_) | RouteAction::Unknown(_) => false,
    };
    if !listener.proxy.table.routes.iter().any(rewrites) {
        return Vec::new();
    }
    let found = Way::all(&listener.proxy, listener.judgement()).filter_map(|way| {
        let route = listener.proxy.table.routes.get(way.route)?;
        let (from, to): (&str, &str) = match &way.forward.rewrite {
            PathRewrite::ReplacePrefix { from, to, .. } => (from, to),
            PathRewrite::ReplaceAll(to) => {
                let exact = route.matches.as_ref()?.uri.as_ref()?.value.exact.as_ref()?;
                (&exact.value, to)
            }
            PathRewrite::Keep | PathRewrite::Opaque => return None,
        };
        let (site, door) = led_to(facts, &way)?;
        Some(Passage { gateway, listener, route, way, from, to, site, door })
    });
    found.collect()
}

/// `junction-traversal`: dots behind the prefix climb out of what replaces it.
fn junction(facts: &Facts<'_>, passage: &Passage<'_, '_>) -> Option<Observation> {
    let (from, to) = (passage.from, passage.to);
    // Only within a segment can the rest begin with dots, and only behind a slash do they climb.
    let dir = to.strip_suffix('/').filter(|dir| !dir.is_empty())?;
    let whole = matches!(passage.way.forward.rewrite, PathRewrite::ReplaceAll(_));
    let mode = path_normalization(facts.world());
    if whole || from.ends_with('/') || to.contains('?') || normalize(to, mode).as_deref() != Some(to) {
        return None;
    }
    let outside = PathTest::none(vec![Pattern::Prefix(to.into()), Pattern::Exact(dir.into())]);
    let asked = Crossing { seen: vec![outside], ..Crossing::default() };
    let across = passage.way.gets_in(facts.world(), passage.door, &asked, &[], |_| true)?;
    let (service, written) = written(facts, passage.route)?;
    if service.context {
        return None;
    }
    let message = format!(
        "`{}` becomes `{}` here: the dots behind `{from}` climb out of `{to}`",
        across.wire_path, across.seen_path
    );
    let mut seen =
        Observation::new("junction-traversal", &service.id, place(passage.route, written), "climbed out of", message)
            .help(format!("match `{from}/`, and `{from}` alone as `exact`"));
    attach(&mut seen, passage, &across);
    Some(seen)
}

/// `rewrite-escapes-policy`: of the workload, or of the gateway.
fn escapes(facts: &Facts<'_>, passage: &Passage<'_, '_>) -> Vec<Observation> {
    let behind = guarding(passage.site).flat_map(paths).filter_map(|value| behind_it(facts, passage, &value));
    let before = guarding(passage.gateway).flat_map(paths).filter_map(|value| before_it(facts, passage, &value));
    behind.chain(before).collect()
}

/// The policies that refuse something there or leave it out, but for somebody else's.
fn guarding<'w>(site: &Site<'w>) -> impl Iterator<Item = &'w Resource<AuthorizationPolicy>> {
    site.attached.deny.iter().chain(&site.attached.allow).copied().filter(|policy| !policy.context)
}

/// The paths that a policy refuses or leaves out, but for templates.
fn paths(policy: &Resource<AuthorizationPolicy>) -> Vec<Value<'_>> {
    let plain = |value: &Value<'_>| {
        let text = value.text.value.as_str();
        value.field == Field::Path && value.opens_when_dead() && text.starts_with('/') && !is_template(text)
    };
    values(policy).filter(plain).collect()
}

/// The alternatives of a rule, as they stand somewhere, that ask for a path or leave it out.
fn asking(facts: &Facts<'_>, spot: &Spot<'_, '_>, value: &Value<'_>) -> Vec<Cube> {
    let named = policy_path(&value.text.value);
    let asks = |test: &PathTest| {
        let list = if value.negated { Some(&test.none_of) } else { test.any_of.as_ref() };
        list.is_some_and(|list| list.contains(&named))
    };
    let cubes: Vec<Cube> = match spot {
        // A gateway does not tell which rule admits.
        Spot::Listener(_) if value.negated => spot.cubes_if(facts.world(), value.policy, &value.rule.value),
        Spot::Listener(_) | Spot::Door(_) => {
            spot.cubes_of(&value.policy.id, value.rule_index()).into_iter().cloned().collect()
        }
    };
    cubes.into_iter().filter(|cube| cube.path.iter().any(asks)).collect()
}

/// A policy of the workload for the path that clients send, of which the workload sees another one.
fn behind_it(facts: &Facts<'_>, passage: &Passage<'_, '_>, value: &Value<'_>) -> Option<Observation> {
    let text = value.text.value.as_str();
    let stem = text.trim_end_matches('*');
    let kept = passage.to.trim_end_matches('/');
    if passage.from.len() < 2 || !stem.starts_with(passage.from) || (!kept.is_empty() && stem.starts_with(kept)) {
        return None;
    }
    let sent = Cube::default().path(vec![policy_path(text)]);
    let spot = Spot::Door(passage.door);
    let rule = value.rule_index();
    // What an ALLOW leaves out counts only where this rule lets it in.
    let wanted = |ending: &Ending| {
        !value.negated || ending.policy.as_ref().is_some_and(|by| by.policy == value.policy.id && by.rule == rule)
    };
    let across = asking(facts, &spot, value).into_iter().find_map(|cube| {
        let asked = Crossing { sent: sent.clone(), ..Crossing::default() };
        passage.way.gets_in(facts.world(), passage.door, &asked, &cube.tests, wanted)
    })?;
    let message = format!(
        "`{text}` is meant as clients send it, and `{}` gets in: {} sees `{}`",
        across.wire_path,
        workload_in_words(&passage.site.name()),
        across.seen_path
    );
    let twin = format!("{}{}", passage.to, text.get(passage.from.len()..).unwrap_or_default());
    let mut seen =
        Observation::new("rewrite-escapes-policy", &value.policy.id, value.text.span, "no longer the path", message)
            .help(format!("write `{twin}`, as the workload sees it, beside it"));
    if let Some((_, written)) = written(facts, passage.route) {
        seen = seen.related(place(passage.route, written), "rewritten here");
    }
    attach(&mut seen, passage, &across);
    Some(seen)
}

/// A policy of the gateway for the path that the workload sees, of which the gateway sees another one.
fn before_it(facts: &Facts<'_>, passage: &Passage<'_, '_>, value: &Value<'_>) -> Option<Observation> {
    let text = value.text.value.as_str();
    let (stem, to) = (text.trim_end_matches('*'), passage.to);
    if !stem.starts_with(to.trim_end_matches('/')) && !to.starts_with(stem) {
        return None;
    }
    let spot = Spot::Listener(passage.listener);
    let across = asking(facts, &spot, value).into_iter().find_map(|cube| {
        let sent = Cube { tests: cube.tests.clone(), path: Vec::new() };
        if !is_meant_there(passage, &sent, text) {
            return None;
        }
        let asked = Crossing { sent, seen: vec![PathTest::any(vec![policy_path(text)])], mtls: None };
        passage.way.gets_in(facts.world(), passage.door, &asked, &[], |_| true)
    })?;
    let message = format!(
        "`{text}` is {} as clients send it, and `{}` arrives at {} as `{}`: the gateway rewrites behind its \
         policies",
        if value.negated { "left out" } else { "refused" },
        across.wire_path,
        workload_in_words(&passage.site.name()),
        across.seen_path
    );
    let mut seen =
        Observation::new("rewrite-escapes-policy", &value.policy.id, value.text.span, "not yet the path", message)
            .help(format!("refuse `{text}` at {}, behind the rewrite", workload_in_words(&passage.site.name())));
    if let Some((_, written)) = written(facts, passage.route) {
        seen = seen.related(place(passage.route, written), "rewritten here");
    }
    attach(&mut seen, passage, &across);
    Some(seen)
}

/// Whether a path of the gateway's policy is one of the workload: the gateway leads it there as it is sent, or nowhere.
fn is_meant_there(passage: &Passage<'_, '_>, sent: &Cube, text: &str) -> bool {
    let proxy = &passage.listener.proxy;
    let rows = proxy.table.cubes(proxy.plaintext);
    let label = |verdict: &Verdict| match verdict {
        Verdict::Forward(route) => u32::try_from(*route + 1).map_or(Label::IMPOSSIBLE, Label),
        Verdict::End(_) => Label(0),
    };
    let rules = rows.into_iter().map(|(cube, verdict)| Rule::new(cube, label(&verdict))).collect();
    let list = DecisionList { rules, default: Label(0) };
    let within = sent.clone().path(vec![policy_path(text)]);
    let found = partition(&list, &within, &passage.way.judgement.universe, &Budget::default());
    let taken: Vec<usize> = found
        .labels()
        .into_iter()
        .filter(|(label, search)| *label != Label(0) && *search != Search::Empty)
        .filter_map(|(label, _)| usize::try_from(label.0).ok()?.checked_sub(1))
        .collect();
    let own = passage.site.name();
    let leads_there = |route: &usize| {
        proxy.forward(*route).is_some_and(|(_, forward)| {
            let here =
                |target: &Target| matches!(target, Target::Workload { workload, .. } if workload.display_name() == own);
            forward.rewrite == PathRewrite::Keep && forward.legs.iter().any(|leg| here(&leg.target))
        })
    };
    taken.is_empty() || taken.iter().any(leads_there)
}

/// Adds who is concerned and the request; one that only may be there makes no error.
fn attach(seen: &mut Observation, passage: &Passage<'_, '_>, across: &Across) {
    seen.workload = Some(passage.site.name());
    if across.supposed {
        seen.severity = Some(Severity::Warning);
    } else {
        seen.witness = Some(passage.way.witness(&passage.listener.entrypoint, across).into());
    }
}

/// Where a route is written: the virtual service, a delegate maybe, and the route.
pub(super) fn written<'w>(
    facts: &Facts<'w>,
    route: &Route,
) -> Option<(&'w Resource<VirtualService>, &'w Spanned<HttpRoute>)> {
    let holds =
        |outer: Span| outer.file == route.span.file && outer.start <= route.span.start && route.span.end <= outer.end;
    let mut services = facts.world().mesh.virtual_services.iter();
    let service = services.find(|service| holds(service.span))?;
    Some((service, service.spec.http().iter().find(|route| holds(route.span))?))
}

/// The rewrite of a route in the text, else the route.
fn place(route: &Route, written: &Spanned<HttpRoute>) -> Span {
    let rewrite = written.value.rewrite.as_ref().and_then(|rewrite| rewrite.value.uri.as_ref());
    rewrite.map_or(route.span, |uri| uri.span)
}
