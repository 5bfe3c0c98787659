//! How a proxy speaks to an endpoint, and what comes of it there.

use super::decision::Cause;
use super::inbound::{Guard, guard};
use super::membership::Membership;
use super::peer_authentication::{effective_mode, namespace_mode};
use super::protocol::Protocol;
use super::workload_port::WorkloadPort;
use super::world::World;
use crate::model::{MtlsMode, Workload};
use crate::text::Span;

/// How a proxy speaks to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientSide {
    /// With the proxy's identity wherever the endpoint takes it
    Auto,
    /// With the proxy's identity, whether the endpoint takes it or not, by a `DestinationRule`
    MeshMutual(Span),
    /// With the proxy's identity, to somebody who is not the one that it expects
    Mistaken(Span),
    /// In plaintext, by a `DestinationRule` if there is a place
    Plaintext(Option<Span>),
    /// In TLS without a certificate, by a `DestinationRule`
    ForeignTls(Span),
    /// In some way that the manifests do not tell
    Unknown(Cause),
}

/// What comes of how a proxy speaks to a workload's port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// The workload's proxy sees the sender's identity
    Identity,
    /// What is sent arrives without an identity
    Plaintext,
    /// Bytes within TLS arrive that nobody opens
    Sealed,
    /// The sender gives up, for nobody answers its TLS
    Unanswered(Option<Span>),
    /// The workload's proxy refuses the connection
    Refused(Span),
    /// The manifests do not tell
    Unknown(Cause),
}

/// What comes of how a proxy speaks to a workload's port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/cluster_tls.go`, `buildUpstreamTLSSettings` (the mode of the namespace);
/// `pilot/pkg/xds/endpoints/mtls_checker.go` (the pod's label promises TLS for all its ports, also
/// those that its proxy leaves alone); `pilot/pkg/networking/core/filterchain_options.go` (what takes which TLS).
pub fn handshake(world: &World, workload: &Workload, port: &WorkloadPort, client: &ClientSide) -> Handshake {
    let guarded = guard(world, workload, port.number);
    let mode = effective_mode(&world.mesh, workload, port.number).mode;
    let bare = matches!(guarded, Guard::Nothing { .. });
    let promised = promises_mtls(world, workload);
    match client {
        // What the whole namespace says goes before what the port takes.
        ClientSide::Auto if namespace_mode(&world.mesh, &workload.id.namespace) == MtlsMode::Disable => {
            Handshake::Plaintext
        }
        ClientSide::Auto if bare && promised && mode != MtlsMode::Disable => Handshake::Unanswered(None),
        ClientSide::Auto if guarded == Guard::Sidecar && promised && mode != MtlsMode::Disable => Handshake::Identity,
        ClientSide::Auto | ClientSide::Plaintext(_) => Handshake::Plaintext,
        ClientSide::Mistaken(span) => Handshake::Unanswered(Some(*span)),
        ClientSide::MeshMutual(span) if bare => Handshake::Unanswered(Some(*span)),
        // The proxy lets TLS through unread, and no application answers it as the sender expects.
        ClientSide::MeshMutual(span) if mode == MtlsMode::Disable && port.protocol != Protocol::Http => {
            Handshake::Unanswered(Some(*span))
        }
        ClientSide::MeshMutual(_) => Handshake::Identity,
        ClientSide::ForeignTls(_) if guarded != Guard::Sidecar => Handshake::Plaintext,
        ClientSide::ForeignTls(span) if mode == MtlsMode::Strict || port.protocol == Protocol::Http => {
            Handshake::Refused(*span)
        }
        ClientSide::ForeignTls(_) => Handshake::Sealed,
        ClientSide::Unknown(cause) => Handshake::Unknown(cause.clone()),
    }
}

/// Whether clients are told that a workload takes mTLS: by the label of its pods, which injection gives them, or by what
/// a workload entry says of itself.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/serviceregistry/serviceentry/conversion.go`, `getTLSModeFromWorkloadEntry`;
/// `manifests/charts/istio-control/istio-discovery/files/injection-template.yaml`.
pub(crate) fn promises_mtls(world: &World, workload: &Workload) -> bool {
    match workload.labels.get("security.istio.io/tlsMode") {
        Some(mode) => mode == "istio",
        None if workload.id.kind == "WorkloadEntry" => workload.account_span.is_some(),
        // What makes a gateway of a pod does not give it the label.
        None if world.is_gateway(workload) => false,
        None => !matches!(world.membership(workload), Membership::Out { .. }),
    }
}
