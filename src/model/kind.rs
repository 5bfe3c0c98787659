//! Which kinds are known, by API group: names alone collide across groups.

/// A kind that the model reads or at least recognises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Gateway,
    VirtualService,
    DestinationRule,
    ServiceEntry,
    Sidecar,
    WorkloadEntry,
    EnvoyFilter,
    ProxyConfig,
    /// `WasmPlugin`, `TrafficExtension`
    ProxyExtension,
    AuthorizationPolicy,
    PeerAuthentication,
    RequestAuthentication,
    /// Telemetry and other Istio kinds that decide nothing about who gets in
    Harmless,
    /// Gateway API and other kinds of the mesh that a later version gives meaning
    Unmodelled,
    IstioOperator,
    SailIstio,
    Service,
    Namespace,
    ServiceAccount,
    ConfigMap,
    Ingress,
    NetworkPolicy,
    Pod,
    /// Deployment and whatever else has a pod template
    Controller,
    Kustomization,
    /// Not of the mesh: counted
    Other,
}

impl Kind {
    /// The kind of an object.
    pub(super) fn of(group: &str, kind: &str) -> Self {
        match (group, kind) {
            ("networking.istio.io", "Gateway") => Self::Gateway,
            ("networking.istio.io", "VirtualService") => Self::VirtualService,
            ("networking.istio.io", "DestinationRule") => Self::DestinationRule,
            ("networking.istio.io", "ServiceEntry") => Self::ServiceEntry,
            ("networking.istio.io", "Sidecar") => Self::Sidecar,
            ("networking.istio.io", "WorkloadEntry") => Self::WorkloadEntry,
            ("networking.istio.io", "EnvoyFilter") => Self::EnvoyFilter,
            ("networking.istio.io", "ProxyConfig") => Self::ProxyConfig,
            ("networking.istio.io", "WorkloadGroup") | ("telemetry.istio.io", _) => Self::Harmless,
            ("extensions.istio.io", _) => Self::ProxyExtension,
            ("security.istio.io", "AuthorizationPolicy") => Self::AuthorizationPolicy,
            ("security.istio.io", "PeerAuthentication") => Self::PeerAuthentication,
            ("security.istio.io", "RequestAuthentication") => Self::RequestAuthentication,
            ("gateway.networking.k8s.io" | "gateway.networking.x-k8s.io", _) => Self::Unmodelled,
            ("install.istio.io", "IstioOperator") => Self::IstioOperator,
            ("sailoperator.io" | "operator.istio.io", "Istio") => Self::SailIstio,
            ("", "Service") => Self::Service,
            ("", "Namespace") => Self::Namespace,
            ("", "ServiceAccount") => Self::ServiceAccount,
            ("", "ConfigMap") => Self::ConfigMap,
            ("networking.k8s.io" | "extensions", "Ingress") => Self::Ingress,
            ("networking.k8s.io" | "extensions", "NetworkPolicy") => Self::NetworkPolicy,
            ("", "Pod") => Self::Pod,
            ("", "ReplicationController")
            | ("apps" | "extensions", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job" | "CronJob")
            | ("argoproj.io", "Rollout") => Self::Controller,
            ("kustomize.config.k8s.io", "Kustomization" | "Component") => Self::Kustomization,
            _ => Self::Other,
        }
    }

    /// Whether which of two objects of the kind acts can change an answer.
    pub(super) fn decides(self) -> bool {
        !matches!(
            self,
            Self::ConfigMap
                | Self::ServiceAccount
                | Self::Kustomization
                | Self::Harmless
                | Self::NetworkPolicy
                | Self::Other
        )
    }

    /// Whether the kind has no namespace.
    pub(super) fn cluster_wide(self, kind: &str) -> bool {
        matches!(self, Self::Namespace) || matches!(kind, "GatewayClass")
    }

    /// Whether Istio's own API defines the kind, so that unknown fields are mistakes.
    pub(super) fn is_istio_api(self) -> bool {
        matches!(
            self,
            Self::Gateway
                | Self::VirtualService
                | Self::DestinationRule
                | Self::ServiceEntry
                | Self::Sidecar
                | Self::WorkloadEntry
                | Self::AuthorizationPolicy
                | Self::PeerAuthentication
                | Self::RequestAuthentication
        )
    }
}

/// Whether a kind is Istio's by its name alone: names that other groups use too do not count.
pub(super) fn is_istio_kind(kind: &str) -> bool {
    let groups = ["networking.istio.io", "security.istio.io"];
    kind != "Gateway" && groups.into_iter().any(|group| Kind::of(group, kind).is_istio_api())
}

/// Whether objects of the group make the input a mesh.
pub(super) fn is_mesh_group(group: &str) -> bool {
    matches!(group, "networking.istio.io" | "security.istio.io" | "gateway.networking.k8s.io")
}

/// Whether a text names an API group of the mesh.
pub(crate) fn names_mesh_group(text: &str) -> bool {
    let groups = ["networking.istio.io/", "security.istio.io/", "gateway.networking.k8s.io/", "telemetry.istio.io/"];
    groups.into_iter().chain(["extensions.istio.io/"]).any(|group| text.contains(group))
}

/// Whether the current release does not serve this version of the kind.
///
/// # Upstream
/// istio/istio 1.32: `manifests/charts/base/files/crd-all.gen.yaml` (`served` versions of each kind); the groups
/// `rbac.istio.io`, `authentication.istio.io` and `config.istio.io` ended with 1.6.
pub(super) fn is_removed(group: &str, kind: &str, version: &str) -> bool {
    let served: &[&str] = match (group, kind) {
        ("networking.istio.io", "EnvoyFilter") => &["v1alpha3"],
        ("networking.istio.io", "ProxyConfig") => &["v1beta1"],
        ("networking.istio.io", _) => &["v1", "v1beta1", "v1alpha3"],
        ("security.istio.io", _) => &["v1", "v1beta1"],
        ("telemetry.istio.io", _) => &["v1", "v1alpha1"],
        ("extensions.istio.io", _) => &["v1alpha1"],
        ("rbac.istio.io" | "authentication.istio.io" | "config.istio.io", _) => &[],
        _ => return false,
    };
    !served.contains(&version)
}
