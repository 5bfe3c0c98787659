//! Services that a client's sidecar does not choose endpoints of: what it sends goes to where the client dialled.

use super::client_side::{ClientSide, promises_mtls};
use super::decision::{Cause, CauseKind};
use super::destination::{Target, endpoints};
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
    let ClientSide::MeshMutual(span) = side else {
        return where_dialled(world, dialled, &side);
    };
    let own = endpoints(world, service, port, None, &side);
    let accounts: Vec<String> = own.iter().filter_map(identity).collect();
    let mut found = where_dialled(world, dialled, &side);
    for target in &mut found {
        let expected = accounts.is_empty() || identity(target).is_none_or(|identity| accounts.contains(&identity));
        if let Target::Workload { client, .. } = target
            && !expected
        {
            *client = ClientSide::Mistaken(span);
        }
    }
    found
}

/// The identity of a target, without its trust domain.
fn identity(target: &Target) -> Option<String> {
    match target {
        Target::Workload { workload, .. } => Some(workload.identity_path()),
        Target::Nowhere(_) | Target::Unknown(_) => None,
    }
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
