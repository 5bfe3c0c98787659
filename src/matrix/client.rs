//! What clients' own sidecars do with requests to a Service: each is a proxy that routes, as a gateway is.

use std::collections::BTreeMap;

use crate::model::{Resource, Service, ServicePort, Workload};
use crate::semantics::{Capture, Chain, Client, RoutingProxy, WireProtocol, World, client_proxy, outbound_capture};
use crate::space::{Cube, Dimension};

/// Clients that are treated alike on their way to a port of a Service.
#[derive(Debug)]
pub(crate) struct Outbound {
    /// `service NS/NAME:PORT`
    pub(crate) entrypoint: String,
    /// A client of each identity: the identity, and `NS/NAME` of a workload that has it
    pub(crate) senders: BTreeMap<String, String>,
    /// What their sidecars do
    pub(crate) proxy: RoutingProxy,
    /// What they speak
    pub(crate) wire: WireProtocol,
}

/// What the clients of a class do with requests to a port of a Service: HTTP, and bytes where that is another matter.
/// Clients whose sidecars do not capture the port send past them, which is the entrypoint `workload`.
pub(crate) fn outbound(
    world: &World,
    class: &[&Workload],
    service: &Resource<Service>,
    port: &ServicePort,
) -> Vec<Outbound> {
    let mut captured: BTreeMap<String, &Workload> = BTreeMap::new();
    let mut unknown = None;
    for client in class {
        let senders = match outbound_capture(client, port) {
            Capture::Sidecar => captured.entry(world.identity(&client.identity_path())),
            Capture::Nothing(_) => continue,
            Capture::Unknown(cause) => {
                unknown.get_or_insert(cause);
                captured.entry(world.identity(&client.identity_path()))
            }
        };
        senders.or_insert(client);
    }
    let Some((identity, first)) = captured.iter().next() else { return Vec::new() };
    let client = Client {
        name: first.display_name(),
        namespace: first.id.namespace.to_string(),
        labels: first.labels.clone(),
        identity: identity.clone(),
    };
    let senders: BTreeMap<String, String> =
        captured.iter().map(|(identity, client)| (identity.clone(), client.display_name())).collect();
    let of = |wire| {
        let mut proxy = client_proxy(world, &client, service, port, wire)?;
        proxy.unknown = unknown.clone().or(proxy.unknown);
        let entrypoint = format!("service {}:{}", service.id.path(), proxy.port);
        Some(Outbound { entrypoint, senders: senders.clone(), proxy, wire })
    };
    let read = of(WireProtocol::Http);
    let is_read = read.as_ref().is_some_and(|outbound| outbound.proxy.chain == Chain::Http);
    let bytes = if is_read { of(WireProtocol::Tcp) } else { None };
    read.into_iter().chain(bytes).collect()
}

/// What a client's sidecar does with requests to a port of a Service. Nothing: it does not capture them.
pub fn client_routes(
    world: &World,
    client: &Workload,
    service: &Resource<Service>,
    port: &ServicePort,
) -> Vec<RoutingProxy> {
    outbound(world, &[client], service, port).into_iter().map(|outbound| outbound.proxy).collect()
}

impl Outbound {
    /// The senders of whom a cube is, and the rest of it: who they are, their own sidecar does not ask.
    pub(super) fn narrow(&self, within: &Cube) -> (Vec<&String>, Cube) {
        let (peers, tests): (Vec<_>, Vec<_>) =
            within.tests.iter().cloned().partition(|test| test.dimension == Dimension::Peer);
        let fits = |identity: &&String| peers.iter().all(|test| test.holds(&[identity.as_str()]));
        (self.senders.keys().filter(fits).collect(), Cube { tests, path: within.path.clone() })
    }
}
