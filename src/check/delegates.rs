//! Delegates: what their roots never let through.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::observation::Observation;
use crate::semantics::{delegations, lets_through};
use crate::text::Span;

/// Looks at the matches of every delegate, in all roots that use it.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let world = facts.world();
    // By match: the delegate, the value, a root that keeps it out, and whether another one lets it through.
    let mut found: BTreeMap<Span, (_, Span, Span, bool)> = BTreeMap::new();
    for root in world.mesh.virtual_services.iter().filter(|service| !service.spec.hosts().is_empty()) {
        for (outer, delegate) in delegations(world, root).filter(|(_, delegate)| !delegate.context) {
            let matches = delegate.spec.http().iter().flat_map(|route| &route.value.matches);
            for leaf in matches.flat_map(|matches| &matches.value) {
                let text = leaf.value.uri.as_ref().and_then(|uri| uri.value.text());
                let place = text.map_or(leaf.span, |text| text.span);
                let span = outer.value.matches.as_ref().map_or(outer.span, |matches| matches.span);
                let lets = lets_through((&outer.value, &root.id.namespace), (&leaf.value, &delegate.id.namespace));
                let known = found.entry(leaf.span).or_insert((delegate, place, span, false));
                known.3 |= lets;
            }
        }
    }
    for (delegate, place, root, _) in found.into_values().filter(|(.., lets)| !lets) {
        let message = "the root delegates nothing that this match takes, so the whole route is left out".to_owned();
        let seen_here = Observation::new("delegate-outside-root", &delegate.id, place, "outside its root", message);
        seen.push(seen_here.related(root, "the root lets this through"));
    }
}
