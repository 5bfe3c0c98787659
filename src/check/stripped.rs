//! Tokens that a gateway takes out of the request and that the workload behind it asks for.

use std::collections::BTreeSet;

use super::facts::{Facts, Site};
use super::observation::Observation;
use super::spot::Spot;
use crate::model::{JwtRule, RequestAuthentication, Resource, workload_in_words};
use crate::semantics::{Chain, Guard, Proxy, RoutingProxy, jwt_filter, share_a_place};
use crate::space::{Cube, Dimension, Pattern};
use crate::text::{Span, Spanned};

/// Looks at every workload that verifies tokens and that a gateway routes to.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let verifies = facts.sites.iter().filter(|site| !site.jwt.is_empty() && site.workload().is_some());
    let sites: Vec<&Site<'_>> = verifies.collect();
    if sites.is_empty() {
        return;
    }
    let leads = facts.fronts().proxies_by_workload();
    let mut said: BTreeSet<Span> = BTreeSet::new();
    for site in sites {
        let proxies = site.workload().and_then(|workload| leads.get(&workload.id));
        for proxy in proxies.into_iter().flatten() {
            seen.extend(stripped(facts, site, proxy, &mut said));
        }
    }
}

/// `stripped-token`: the gateway verifies the token, drops it, and the workload refuses whoever has none.
fn stripped<'w>(
    facts: &Facts<'w>,
    site: &Site<'w>,
    proxy: &RoutingProxy,
    said: &mut BTreeSet<Span>,
) -> Option<Observation> {
    let mesh = &facts.world().mesh;
    let here = Proxy { namespace: &proxy.namespace, labels: &proxy.labels };
    let gateway = jwt_filter(mesh, here);
    let dropped = |rule: &&Spanned<JwtRule>| rule.value.forward_original_token != Some(true);
    let (taken, wanted) = gateway.rules.iter().filter(dropped).find_map(|taken| {
        let wanted = site.jwt.rules.iter().find(|wanted| {
            issuer(&wanted.value) == issuer(&taken.value) && share_a_place(&wanted.value, &taken.value)
        })?;
        Some((taken, wanted))
    })?;
    let who = site.name();
    let shown = workload_in_words(&who);
    let peer = match proxy.identities.first()? {
        Some(identity) => Cube::default().any(Dimension::Peer, vec![Pattern::Exact(identity.as_str().into())]),
        None => Cube::default().none(Dimension::Peer, vec![Pattern::Any]),
    };
    let carrying = |word: &str| peer.clone().any(Dimension::Token, vec![Pattern::Exact(word.into())]);
    let spots = facts.spots_at(site).into_iter().filter(|spot| {
        spot.chain() == Chain::Http && spot.door().is_some_and(|door| door.lock.guard == Guard::Sidecar)
    });
    let asks = |spot: &Spot<'_, '_>| {
        spot.gets_through(&carrying("none")).is_none() && spot.gets_through(&carrying("valid")).is_some()
    };
    let spots: Vec<Spot<'_, '_>> = spots.collect();
    let span = taken.value.issuer.as_ref().map_or(taken.span, |issuer| issuer.span);
    if spots.is_empty() || !spots.iter().all(asks) || !said.insert(span) {
        return None;
    }
    let owner = owner(mesh.request_authentications.iter(), taken.span).filter(|owner| !owner.context)?;
    let message =
        format!("the gateway takes this token out of the request, and {shown} behind it refuses whoever has none");
    let mut seen = Observation::new("stripped-token", &owner.id, span, "not passed on", message);
    if wanted.span != taken.span {
        seen = seen.related(wanted.span, "looks for it again");
    }
    seen.workload = Some(who);
    Some(seen)
}

/// The issuer of a rule.
fn issuer(rule: &JwtRule) -> Option<&str> {
    rule.issuer.as_ref().map(|issuer| issuer.value.as_str())
}

/// The object that a rule stands in.
fn owner<'w>(
    mut all: impl Iterator<Item = &'w Resource<RequestAuthentication>>,
    rule: Span,
) -> Option<&'w Resource<RequestAuthentication>> {
    all.find(|one| one.span.file == rule.file && one.span.start <= rule.start && rule.end <= one.span.end)
}
