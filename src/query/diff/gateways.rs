//! Gateways' listeners on both sides.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use super::front::{Front, Touched};
use super::gate::Served;
use super::same;
use crate::matrix::listeners;
use crate::semantics::{Chain, GatewayListener, RoutingProxy, WireProtocol, World, gateway_topology};

/// A listener of one side, and how many proxies in front of it are believed.
type Listener = (GatewayListener, u32);

/// What changes for requests that enter at gateways.
pub(super) fn compare(old: &World, new: &World, touched: &Touched<'_>) -> Found {
    let mut found = Found::default();
    let alike = same::are_same_gateways(old, new);
    if touched.is_empty() && alike {
        return found;
    }
    let now = by_entrypoint(new);
    let own = (!alike).then(|| by_entrypoint(old));
    let before = own.as_ref().unwrap_or(&now);
    let entrypoints: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for entrypoint in entrypoints {
        let (was, is) = (before.get(entrypoint), now.get(entrypoint));
        match (was, is) {
            (None, _) => found.appeared.push(entrypoint.clone()),
            (_, None) => found.disappeared.push(entrypoint.clone()),
            (Some(_), Some(_)) => {}
        }
        let several = [was, is].into_iter().flatten().any(|listeners| listeners.len() > 1);
        let [was, is] = [was, is].map(|listeners| listeners.and_then(|all| all.first()));
        let mut here = Found::default();
        for wire in [WireProtocol::Http, WireProtocol::Tcp] {
            let front = Front {
                old,
                new,
                entrypoint,
                touched,
                alike,
                old_is_there: was.is_some(),
                new_is_there: is.is_some(),
                wire,
                clients: None,
            };
            if matches!((was, is), (Some((one, _)), Some((other, _))) if one.plaintext != other.plaintext) {
                let message =
                    "the server takes TLS on one side and plaintext on the other, so all its requests are others";
                here.unsettled.push(front.unsettled(message.to_owned()));
                break;
            }
            let [before, now] = [was, is].map(served);
            let passes_bytes = before.iter().chain(&now).any(|(proxy, _)| proxy.chain == Chain::Tcp);
            if wire == WireProtocol::Http || passes_bytes {
                here = here.and(front.listener(&before, &now));
            }
            if several && !(here.changes.is_empty() && here.unsettled.is_empty()) {
                // Which of several pods takes a request is not said, and each may decide otherwise.
                here.changes.clear();
                here.unsettled =
                    vec![front.unsettled("several workloads serve the Gateway, and their routes change".to_owned())];
            }
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

/// The chains of a listener that clients of its server can come to.
fn served(listener: Option<&Listener>) -> Vec<Served> {
    let chains = listener.into_iter().flat_map(|(listener, reported)| {
        let alike = |chain: &&RoutingProxy| chain.unknown.is_some() || chain.plaintext == listener.plaintext;
        listener.chains.iter().filter(alike).map(|chain| (chain.clone(), *reported))
    });
    chains.collect()
}
