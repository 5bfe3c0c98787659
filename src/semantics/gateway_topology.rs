//! Which proxies stand in front of a gateway, and what it believes of what they say.

use super::gateway_workload::GatewayWorkload;
use super::world::World;
use crate::config::{DefaultConfig, GatewayTopology};
use crate::yaml;

/// What a gateway believes about the addresses of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Topology {
    /// How many proxies in front are trusted to report client addresses
    pub trusted_proxies: u32,
    /// Whether a proxy in front announces who called, so that the other end of the connection is somebody else
    pub announced: bool,
}

/// What a gateway believes about the addresses of its clients: what its pod is annotated with, else what holds for all proxies.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `buildGatewayConnectionManager`; `pkg/bootstrap/config.go`,
/// `getNodeMetadataOptions` (the annotation `proxy.istio.io/config`).
pub fn gateway_topology(world: &World, workload: &GatewayWorkload) -> Topology {
    let pod = workload.object.as_ref().and_then(|id| world.mesh.workloads.iter().find(|pod| pod.id == *id));
    let written = pod.and_then(|pod| pod.annotation("proxy.istio.io/config"));
    let own = written.and_then(|text| {
        let stream = yaml::read(text.span.file, &text.value);
        let config = yaml::from_node::<DefaultConfig>(stream.documents.first()?.root()).value.ok()?;
        config.gateway_topology
    });
    let common = world.mesh.settings.config.default_config.as_ref().and_then(|config| config.gateway_topology.clone());
    let layers = || [&own, &common].into_iter().flatten();
    let proxies = |topology: &GatewayTopology| topology.num_trusted_proxies;
    Topology {
        trusted_proxies: layers().find_map(proxies).unwrap_or(0),
        announced: layers().any(|topology| topology.proxy_protocol.is_some()),
    }
}
