//! Services that a client's sidecar does not choose endpoints of: what it sends goes to where the client dialled.

use super::client_side::{ClientSide, promises_mtls};
use super::decision::{Cause, CauseKind};
use super::destination::Target;
use super::endpoints::{endpoints, hold_to_accounts};
use super::peer_authentication::namespace_mode;
use super::registry::{Registered, RegisteredPort};
use super::world::World;
use crate::model::MtlsMode;

/// A service's port that a client dials.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialled<'a> {
    /// The service
    pub(crate) service: &'a Registered<'a>,
    /// Its port
    pub(crate) port: RegisteredPort<'a>,
}

/// Where a client dialled, whatever its sidecar's route says.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/cluster.go`, `convertResolution` (the cluster is `ORIGINAL_DST`),
/// `buildDefaultPassthroughCluster`.
pub(crate) fn where_dialled(world: &World, dialled: Dialled<'_>, client: &ClientSide) -> Vec<Target> {
    let Dialled { service, port } = dialled;
    if service.alias_of().is_some() {
        return vec![Target::Unknown(Cause {
            kind: CauseKind::MissingResource,
            message: format!("{} is another name, and who answers to it is not in the input", service.id()),
            span: Some(service.span()),
        })];
    }
    endpoints(world, service, port, None, client)
}

/// What is routed to a service that passes through: the dialled address, spoken to as that service would be. Whoever is
/// called with mTLS there must be one of the service's own.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/cluster_tls.go`, `buildUpstreamTLSSettings` (service accounts as names).
pub(crate) fn passed_through(
    world: &World,
    dialled: Dialled<'_>,
    service: &Registered<'_>,
    port: RegisteredPort<'_>,
    client: ClientSide,
) -> Vec<Target> {
    let side = side_of_all(world, service, port, client);
    let mut found = where_dialled(world, dialled, &side);
    hold_to_accounts(world, service, &mut found);
    found
}

/// How a client's sidecar speaks to a service whose endpoints it does not choose among: to all alike, with its identity
/// only if each of them promises to take it.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `BestEffortInferServiceMTLSMode`;
/// `pilot/pkg/networking/core/cluster_tls.go`, `applyUpstreamTLSSettings`.
fn side_of_all(world: &World, service: &Registered<'_>, port: RegisteredPort<'_>, client: ClientSide) -> ClientSide {
    if client != ClientSide::Auto {
        return client;
    }
    let all = endpoints(world, service, port, None, &client);
    let promised = all.iter().all(|target| match target {
        Target::Workload { workload, .. } => promises_mtls(world, workload),
        Target::Nowhere(_) | Target::Unknown(_) => false,
    });
    if promised && namespace_mode(&world.mesh, &service.id().namespace) != MtlsMode::Disable {
        ClientSide::MeshMutual(service.span())
    } else {
        ClientSide::Plaintext(None)
    }
}
