//! Whether a workload has a sidecar, and which of its ports the sidecar guards.

#![expect(clippy::wildcard_enum_match_arm, reason = "whatever an annotation leads to is kept")]

use compact_str::CompactString;

use crate::model::{Labels, Mesh, Workload};
use crate::text::Span;

/// Whether a workload is part of the mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// It has a sidecar
    In,
    /// It has none, with the reason and the place that says so
    Out {
        /// What takes the proxy away
        reason: String,
        /// Where
        span: Span,
    },
    /// The input does not say
    Assumed,
}

/// Namespaces that never get sidecars.
const SYSTEM_NAMESPACES: &[&str] = &["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

/// Label and annotation that ask for a sidecar or refuse it.
const INJECT: &str = "sidecar.istio.io/inject";

/// Whether a workload has a sidecar.
///
/// # Upstream
/// istio/istio 1.32: `pkg/kube/inject/inject.go`, `injectRequired`;
/// `manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml`. Differs: a
/// revision label is taken to name an installed revision, and a namespace of which the input says
/// nothing is assumed to be in the mesh.
pub(super) fn membership(mesh: &Mesh, workload: &Workload) -> Membership {
    let namespace = workload.id.namespace.as_str();
    if workload.proxy_container {
        return Membership::In;
    }
    if let Some(span) = workload.host_network {
        return Membership::Out { reason: "`hostNetwork` bypasses any sidecar".to_owned(), span };
    }
    let out = |reason: String, span: Span| Membership::Out { reason, span };
    if SYSTEM_NAMESPACES.contains(&namespace) {
        return out(format!("`{namespace}` never gets sidecars"), workload.name_span);
    }
    let pod_label = workload.labels.get(INJECT).map(CompactString::as_str);
    if pod_label == Some("false") {
        return out(format!("label `{INJECT}: \"false\"`"), workload.template_span);
    }
    let object = mesh.namespaces.get(namespace);
    let labels = object.map(|object| &object.labels);
    let injection = labels.and_then(|labels| labels.get("istio-injection")).map(CompactString::as_str);
    let by_annotation = || match workload.annotation(INJECT) {
        Some(value) if value.value == "false" && pod_label.is_none() => {
            out(format!("annotation `{INJECT}: \"false\"`"), value.span)
        }
        _ => Membership::In,
    };
    match (object, injection) {
        (_, Some("enabled")) => by_annotation(),
        (Some(object), Some(_)) => out("the namespace switches injection off".to_owned(), object.name_span),
        _ if has(labels, "istio.io/rev") => by_annotation(),
        _ if pod_label == Some("true") || workload.labels.contains_key("istio.io/rev") => by_annotation(),
        (Some(object), None) if leaves_ambient(&object.labels, workload) => {
            out("the pod stays out of ambient mode, and nothing asks for a sidecar".to_owned(), object.name_span)
        }
        (Some(object), None) if !is_named_by_mesh_resources(mesh, namespace) => {
            out("neither the namespace nor the pod asks for a sidecar".to_owned(), object.name_span)
        }
        _ => match by_annotation() {
            Membership::In => Membership::Assumed,
            other => other,
        },
    }
}

/// Whether a pod stays out of the ambient mode that its namespace is in.
///
/// # Upstream
/// istio/istio 1.32: `cni/pkg/util/enablement_selector.go`.
fn leaves_ambient(namespace: &Labels, workload: &Workload) -> bool {
    const MODE: &str = "istio.io/dataplane-mode";
    namespace.get(MODE).is_some_and(|mode| mode == "ambient")
        && workload.labels.get(MODE).is_some_and(|mode| mode == "none")
}

/// Whether a label is there.
fn has(labels: Option<&Labels>, key: &str) -> bool {
    labels.is_some_and(|labels| labels.contains_key(key))
}

/// Whether a mesh resource lives in the namespace, so that it is meant to be part of the mesh.
fn is_named_by_mesh_resources(mesh: &Mesh, namespace: &str) -> bool {
    mesh.authorization_policies.in_namespace(namespace).next().is_some()
        || mesh.peer_authentications.in_namespace(namespace).next().is_some()
        || mesh.request_authentications.in_namespace(namespace).next().is_some()
        || mesh.virtual_services.in_namespace(namespace).next().is_some()
        || mesh.destination_rules.in_namespace(namespace).next().is_some()
        || mesh.sidecars.in_namespace(namespace).next().is_some()
        || mesh.gateways.in_namespace(namespace).next().is_some()
}

/// Why a port of a workload with a sidecar is not captured, if it is not, with the place that says so.
///
/// # Upstream
/// istio/istio 1.32: `cni/pkg/plugin/sidecar_redirect.go`; injection template
/// `manifests/charts/istio-control/istio-discovery/files/injection-template.yaml`.
pub(super) fn uncaptured(workload: &Workload, port: u16) -> Option<(String, Option<Span>)> {
    if matches!(port, 15090 | 15021 | 15020) {
        return Some((format!("port {port} belongs to the sidecar itself"), None));
    }
    let mode = workload.annotation("sidecar.istio.io/interceptionMode").filter(|mode| mode.value == "NONE");
    if let Some(mode) = mode {
        return Some(("`interceptionMode: NONE` captures nothing".to_owned(), Some(mode.span)));
    }
    let listed = |list: &str| list.split(',').any(|item| item.trim().parse() == Ok(port));
    let exclude = workload.annotation("traffic.sidecar.istio.io/excludeInboundPorts");
    let include = workload.annotation("traffic.sidecar.istio.io/includeInboundPorts");
    if let Some(include) = include.filter(|include| include.value.trim() != "*") {
        return (!listed(&include.value))
            .then(|| (format!("`includeInboundPorts` leaves port {port} out"), Some(include.span)));
    }
    let exclude = exclude.filter(|exclude| listed(&exclude.value))?;
    Some((format!("`excludeInboundPorts` takes port {port} from the sidecar"), Some(exclude.span)))
}
