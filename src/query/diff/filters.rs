//! The tokens that chains and the doors behind them verify.

use std::collections::BTreeSet;

use super::gate::Served;
use crate::semantics::{Chain, Forward, JwtFilter, Proxy, Target, World, jwt_filter};

/// The tokens that a chain of a gateway verifies.
pub(super) fn filter_at(world: &World, (proxy, _): &Served) -> JwtFilter {
    if proxy.chain != Chain::Http {
        return JwtFilter::default();
    }
    jwt_filter(&world.mesh, Proxy { namespace: &proxy.namespace, labels: &proxy.labels })
}

/// The tokens that the doors behind a chain verify.
pub(super) fn filters_behind(world: &World, chain: Option<&Served>) -> Vec<JwtFilter> {
    let mut found: Vec<JwtFilter> = Vec::new();
    if world.mesh.request_authentications.is_empty() {
        return found;
    }
    let mut known = BTreeSet::new();
    for leg in forwards(chain).flat_map(|forward| &forward.legs) {
        let Target::Workload { workload, .. } = &leg.target else { continue };
        if known.insert(&workload.id) {
            let place = Proxy { namespace: &workload.id.namespace, labels: &workload.labels };
            let filter = jwt_filter(&world.mesh, place);
            if !found.contains(&filter) {
                found.push(filter);
            }
        }
    }
    found
}

/// What the routes of a chain do with the requests that they send on.
pub(super) fn forwards(chain: Option<&Served>) -> impl Iterator<Item = &Forward> {
    let routes =
        chain.into_iter().flat_map(|(proxy, _)| (0..proxy.table.routes.len()).map(move |route| (proxy, route)));
    routes.filter_map(|(proxy, route)| proxy.forward(route).map(|(_, forward)| forward))
}
