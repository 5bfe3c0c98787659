//! Which virtual services a proxy goes by: binding, visibility, order, static conditions.

use std::collections::BTreeSet;

use compact_str::CompactString;

use super::decision::{Cause, CauseKind};
use super::host_name;
use super::passthrough::Dialled;
use super::workload_selector::selects;
use super::world::World;
use crate::model::{HttpMatch, L4Match, Labels, ObjectId, Resource, VirtualService};
use crate::text::Spanned;

/// The gateway name of every sidecar.
pub(crate) const MESH: &str = "mesh";

/// A proxy that takes routes from virtual services.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Router<'a> {
    /// `NS/NAME` of the gateway resource, or `mesh`
    pub(crate) gateway: &'a str,
    /// Namespace of the proxy
    pub(crate) namespace: &'a str,
    /// Labels of the proxy's pod
    pub(crate) labels: &'a Labels,
    /// Port of the listener, as routes see it
    pub(crate) port: u16,
    /// What the client dials, where the proxy is its sidecar
    pub(crate) dialled: Option<Dialled<'a>>,
}

/// A gateway as a virtual service names it, completed with the namespace.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/virtualservice.go`, `resolveGatewayName`.
pub(crate) fn resolve_gateway(name: &str, namespace: &str) -> String {
    if name == MESH {
        return name.to_owned();
    }
    if let Some((written, rest)) = name.split_once('/') {
        let written = if written == "." { namespace } else { written };
        return format!("{written}/{rest}");
    }
    match name.split_once('.') {
        Some((name, rest)) => format!("{}/{name}", rest.split('.').next().unwrap_or(rest)),
        None => format!("{namespace}/{name}"),
    }
}

/// Whether a virtual service binds to a gateway (`NS/NAME` or `mesh`).
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `initVirtualServices`.
pub(crate) fn binds_to(service: &Resource<VirtualService>, gateway: &str) -> bool {
    match service.spec.gateways() {
        [] => gateway == MESH,
        gateways => gateways.iter().any(|name| resolve_gateway(&name.value, &service.id.namespace) == gateway),
    }
}

/// Whether a proxy of a namespace sees a virtual service.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `initVirtualServices` (`exportTo`).
pub(crate) fn is_visible(world: &World, service: &Resource<VirtualService>, namespace: &str) -> bool {
    let own = service.id.namespace == namespace;
    let admits = |scope: &str| match scope {
        "*" => true,
        "." => own,
        other => other == namespace,
    };
    if let Some([_, ..]) = service.spec.export_to.as_ref().map(|export| export.value.as_slice()) {
        service.spec.export_to.iter().flat_map(|list| &list.value).any(|scope| admits(&scope.value))
    } else {
        let defaults = world.mesh.settings.config.default_virtual_service_export_to.as_ref();
        defaults.is_none_or(|scopes| scopes.iter().any(|scope| admits(scope)))
    }
}

/// Hosts with their short names completed.
pub(crate) fn full_hosts(service: &Resource<VirtualService>) -> Vec<String> {
    let hosts = service.spec.hosts().iter();
    hosts.map(|host| host_name::resolve_short_name(&host.value, &service.id.namespace)).collect()
}

/// Whether the static conditions of a match hold for a proxy. With `gateways`, labels and namespace are not looked at.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `sourceMatchHTTP`, `translateRoute` (port).
pub(crate) fn applies(matches: &HttpMatch, service: &Resource<VirtualService>, router: Router<'_>) -> bool {
    if matches.port.as_ref().is_some_and(|port| port.value != 0 && port.value != i64::from(router.port)) {
        return false;
    }
    let gateways = matches.gateways.as_deref().unwrap_or_default();
    if !gateways.is_empty() {
        return gateways.iter().any(|gateway| resolve_gateway(&gateway.value, &service.id.namespace) == router.gateway);
    }
    selects(matches.source_labels.as_ref(), router.labels)
        && matches
            .source_namespace
            .as_ref()
            .is_none_or(|namespace| namespace.value.is_empty() || namespace.value == router.namespace)
}

/// Whether the static conditions of one match hold for every proxy for which those of another one hold.
///
/// # Upstream
/// istio/istio 1.32: as [`applies`], said of all proxies at once.
pub(crate) fn applies_wherever(wide: &HttpMatch, narrow: &HttpMatch, service: &Resource<VirtualService>) -> bool {
    let port = |matches: &HttpMatch| matches.port.as_ref().map(|port| port.value).filter(|port| *port != 0);
    let named = |gateways: &[Spanned<CompactString>]| -> BTreeSet<String> {
        gateways.iter().map(|gateway| resolve_gateway(&gateway.value, &service.id.namespace)).collect()
    };
    let listed = |matches: &HttpMatch| named(matches.gateways.as_deref().unwrap_or_default());
    let bound = || match service.spec.gateways() {
        [] => BTreeSet::from([MESH.to_owned()]),
        gateways => named(gateways),
    };
    if port(wide).is_some_and(|port_of_wide| port(narrow) != Some(port_of_wide)) {
        return false;
    }
    let (wider, narrower) = (listed(wide), listed(narrow));
    if !wider.is_empty() {
        return if narrower.is_empty() { bound().is_subset(&wider) } else { narrower.is_subset(&wider) };
    }
    let none = Labels::new();
    let free = !narrower.is_empty();
    let labels = if free { &none } else { narrow.source_labels.as_ref().unwrap_or(&none) };
    let namespace = |matches: &HttpMatch| {
        matches.source_namespace.as_ref().map(|namespace| namespace.value.clone()).filter(|name| !name.is_empty())
    };
    let from = namespace(narrow).filter(|_| !free);
    selects(wide.source_labels.as_ref(), labels) && namespace(wide).is_none_or(|wanted| from == Some(wanted))
}

/// Whether the static conditions of a match of TCP or TLS hold for a client's sidecar: all of them, unlike HTTP's.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/tls.go`, `matchTCP`, `matchTLS`.
pub(crate) fn l4_applies(matches: &L4Match, service: &Resource<VirtualService>, router: Router<'_>) -> bool {
    let at_gateway = l4_applies_at_gateway(matches, service, router);
    let labels = selects(matches.source_labels.as_ref(), router.labels);
    let namespace = matches.source_namespace.as_deref().filter(|namespace| !namespace.is_empty());
    at_gateway && labels && namespace.is_none_or(|namespace| namespace == router.namespace)
}

/// Whether the static conditions of a match of TCP or TLS hold at a gateway, which looks at port and gateways only.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `l4SingleMatch`.
pub(crate) fn l4_applies_at_gateway(matches: &L4Match, service: &Resource<VirtualService>, router: Router<'_>) -> bool {
    let gateways = matches.gateways.as_deref().unwrap_or_default();
    let port = matches.port.is_none_or(|port| port == 0 || port == i64::from(router.port));
    let named =
        |gateway: &Spanned<CompactString>| resolve_gateway(&gateway.value, &service.id.namespace) == router.gateway;
    port && (gateways.is_empty() || gateways.iter().any(named))
}

/// Virtual services in istiod's order for a proxy of a namespace: its own private ones, those
/// exported to it, public ones; each by age.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `VirtualServicesForGateway`.
pub(crate) fn in_order<'a>(
    world: &'a World,
    gateway: &'a str,
    namespace: &'a str,
) -> Vec<&'a Resource<VirtualService>> {
    let mut bound: Vec<_> = world
        .mesh
        .virtual_services
        .iter()
        .filter(|service| {
            !service.spec.hosts().is_empty() && binds_to(service, gateway) && is_visible(world, service, namespace)
        })
        .collect();
    bound.sort_by_key(|service| (export_rank(service, namespace), service.age_key()));
    bound
}

/// How near to a namespace a virtual service is exported: private to it, to it by name, to all.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `VirtualServicesForGateway`, `initVirtualServices`.
pub(crate) fn export_rank(service: &Resource<VirtualService>, namespace: &str) -> u8 {
    let scopes = service.spec.export_to.iter().flat_map(|list| &list.value);
    let scopes: Vec<&str> = scopes.map(|scope| scope.value.as_str()).collect();
    let own = scopes.contains(&".") || scopes.contains(&service.id.namespace.as_str());
    match (scopes.is_empty() || scopes.contains(&"*"), own && service.id.namespace == namespace) {
        (true, _) => 2,
        (false, true) => 0,
        (false, false) => 1,
    }
}

/// A cause where the order of two virtual services of one host rests on their age alone.
pub(crate) fn order_cause(older: &ObjectId, younger: &Resource<VirtualService>) -> Cause {
    Cause {
        kind: CauseKind::CreationOrder,
        message: format!("`{}` and `{}` serve one host, and the older one goes first", older.path(), younger.id.path()),
        span: Some(younger.name_span),
    }
}
