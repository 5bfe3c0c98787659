//! Routes of bytes: `tcp` and `tls` of virtual services, at gateways and in clients' sidecars.

use compact_str::CompactString;

use super::decision::{Cause, CauseKind};
use super::destination::{self, Target, targets};
use super::destination_rule::ClientProxy;
use super::forward::{Forward, Passes};
use super::host_name;
use super::route_table::{Route, RouteAction};
use super::virtual_service::{Router, full_hosts, in_order, l4_applies, l4_applies_at_gateway};
use super::world::World;
use crate::model::{Resource, VirtualService, WeightedDestination};
use crate::text::{Span, Spanned};

/// The targets of weighted destinations.
fn weighted_targets(
    world: &World,
    service: &Resource<VirtualService>,
    destinations: Option<&Spanned<Vec<Spanned<WeightedDestination>>>>,
    router: Router<'_>,
) -> Vec<Target> {
    let context = destination::Route {
        client: ClientProxy { namespace: router.namespace, labels: router.labels },
        namespace: &service.id.namespace,
        listener_port: router.port,
        dialled: router.dialled,
    };
    let weighted: Vec<_> = destinations.iter().flat_map(|list| &list.value).collect();
    let several = weighted.len() > 1;
    let chosen = weighted.into_iter().filter(|one| !several || one.value.weight.unwrap_or(0) > 0);
    chosen
        .filter_map(|one| one.value.destination.as_ref())
        .flat_map(|destination| targets(world, destination, context))
        .collect()
}

/// A route of bytes.
fn l4_route(service: &Resource<VirtualService>, sni: Vec<String>, action: RouteAction, span: Span) -> Route {
    Route { virtual_service: Some(service.id.clone()), sni, ..Route::of(action, span) }
}

/// The route of a gateway's TCP server: the first that fits, of the first virtual service whose hosts fit.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `buildGatewayNetworkFiltersFromTCPRoutes`.
pub(crate) fn tcp_route_at_gateway(world: &World, hosts: &[String], router: Router<'_>) -> Option<Route> {
    let mut taken: Option<(Route, &Resource<VirtualService>)> = None;
    for service in in_order(world, router.gateway, router.namespace) {
        if !overlaps(hosts, service) {
            continue;
        }
        let route = service.spec.tcp().iter().find(|route| {
            let matches: Vec<_> = route.value.matches.iter().flat_map(|matches| &matches.value).collect();
            let fits = matches.iter().any(|one| l4_applies_at_gateway(&one.value, service, router));
            (matches.is_empty() || fits) && route.value.route.as_ref().is_some_and(|route| !route.value.is_empty())
        });
        let Some(route) = route else {
            continue;
        };
        match &mut taken {
            None => {
                let targets = weighted_targets(world, service, route.value.route.as_ref(), router);
                let action = RouteAction::Forward(Forward::plain(targets, Passes::Bytes));
                taken = Some((l4_route(service, Vec::new(), action, route.span), service));
            }
            // Only the oldest counts, and nothing may say which that is.
            Some((taken, first)) if first.created.is_none() || service.created.is_none() => {
                taken.action = RouteAction::Unknown(order_cause(first, service));
            }
            Some(_) => {}
        }
    }
    taken.map(|(route, _)| route)
}

/// The cause of two virtual services for one listener whose age nothing tells.
fn order_cause(first: &Resource<VirtualService>, second: &Resource<VirtualService>) -> Cause {
    Cause {
        kind: CauseKind::CreationOrder,
        message: format!(
            "`{}` and `{}` route the same bytes, and the older one counts",
            first.id.path(),
            second.id.path()
        ),
        span: Some(second.name_span),
    }
}

/// The routes of a gateway's PASSTHROUGH server, by server name.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `buildGatewayNetworkFiltersFromTLSRoutes`.
pub(crate) fn tls_routes_at_gateway(world: &World, hosts: &[String], router: Router<'_>) -> Vec<Route> {
    let mut found: Vec<(Route, &Resource<VirtualService>)> = Vec::new();
    for service in in_order(world, router.gateway, router.namespace) {
        if !overlaps(hosts, service) {
            continue;
        }
        for route in service.spec.tls() {
            let destinations = route.value.route.as_ref().filter(|route| !route.value.is_empty());
            let Some(destinations) = destinations else {
                continue;
            };
            for one in route.value.matches.iter().flat_map(|matches| &matches.value) {
                if !l4_applies_at_gateway(&one.value.l4(), service, router) {
                    continue;
                }
                let sni: Vec<String> =
                    one.value.sni_hosts.iter().flatten().map(|host| host.value.as_str().to_ascii_lowercase()).collect();
                let rival = found.iter_mut().find(|(route, _)| route.sni.iter().any(|host| sni.contains(host)));
                if let Some((route, first)) = rival {
                    if first.created.is_none() || service.created.is_none() {
                        route.action = RouteAction::Unknown(order_cause(first, service));
                    }
                    continue;
                }
                let targets = weighted_targets(world, service, Some(destinations), router);
                let action = RouteAction::Forward(Forward::plain(targets, Passes::Tls));
                found.push((l4_route(service, sni, action, one.span), service));
            }
        }
    }
    found.into_iter().map(|(route, _)| route).collect()
}

/// Whether some host of a virtual service and some of a server's stand for a common name.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `pickMatchingGatewayHosts`.
fn overlaps(hosts: &[String], service: &Resource<VirtualService>) -> bool {
    let admitted = host_name::names_for_namespace(hosts, &service.id.namespace);
    full_hosts(service).iter().any(|host| admitted.iter().any(|known| host_name::overlap(known, host)))
}

/// What a client's sidecar does with bytes for a service.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientBytes {
    /// Routes by server name or for everything, in order
    pub(crate) routes: Vec<Route>,
    /// Whether some route takes everything
    pub(crate) complete: bool,
    /// What cannot be told, if so
    pub(crate) unknown: Option<Cause>,
}

/// The routes of bytes that a client's sidecar has for a service's host.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/tls.go`, `buildSidecarOutboundTCPFilterChainOpts`,
/// `buildSidecarOutboundTLSFilterChainOpts`. Differs: `destinationSubnets` are not modelled.
pub(crate) fn client_bytes(
    world: &World,
    services: &[&Resource<VirtualService>],
    host: &str,
    tls: bool,
    router: Router<'_>,
) -> ClientBytes {
    let mut found = ClientBytes::default();
    let mut first: Option<&Resource<VirtualService>> = None;
    for service in services {
        if !full_hosts(service).iter().any(|known| host_name::overlap(known, host)) {
            continue;
        }
        let before = found.routes.len();
        if tls {
            tls_routes(world, service, router, &mut found);
        } else {
            tcp_routes(world, service, router, &mut found);
        }
        if found.routes.len() > before {
            match first {
                Some(first) if first.created.is_none() || service.created.is_none() => {
                    found.unknown.get_or_insert_with(|| order_cause(first, service));
                }
                Some(_) => {}
                None => first = Some(service),
            }
        }
        if found.complete && services.iter().all(|service| service.created.is_some()) {
            break;
        }
    }
    found
}

/// The cause of a match on the address that is dialled.
fn subnets(service: &Resource<VirtualService>, span: Span) -> Cause {
    Cause {
        kind: CauseKind::UnmodelledCondition,
        message: format!("{} routes by the address that is dialled, which the manifests do not tell", service.id),
        span: Some(span),
    }
}

/// The `tls` routes of one virtual service.
fn tls_routes(world: &World, service: &Resource<VirtualService>, router: Router<'_>, found: &mut ClientBytes) {
    for route in service.spec.tls() {
        for one in route.value.matches.iter().flat_map(|matches| &matches.value) {
            let l4 = one.value.l4();
            if !l4_applies(&l4, service, router) {
                continue;
            }
            if l4.destination_subnets.as_ref().is_some_and(|subnets| !subnets.is_empty()) {
                found.unknown.get_or_insert_with(|| subnets(service, one.span));
            }
            let sni: Vec<String> =
                one.value.sni_hosts.iter().flatten().map(|host| host.value.as_str().to_ascii_lowercase()).collect();
            if found.routes.iter().any(|known| known.sni == sni) {
                continue;
            }
            let targets = weighted_targets(world, service, route.value.route.as_ref(), router);
            let action = RouteAction::Forward(Forward::plain(targets, Passes::Tls));
            found.routes.push(l4_route(service, sni, action, one.span));
        }
    }
}

/// The `tcp` routes of one virtual service, up to the first that takes everything.
fn tcp_routes(world: &World, service: &Resource<VirtualService>, router: Router<'_>, found: &mut ClientBytes) {
    for route in service.spec.tcp() {
        let matches: Vec<_> = route.value.matches.iter().flat_map(|matches| &matches.value).collect();
        let applying: Vec<_> = matches.iter().filter(|one| l4_applies(&one.value, service, router)).collect();
        if applying.is_empty() && !matches.is_empty() {
            continue;
        }
        let by_subnet =
            |subnets: &Option<Vec<CompactString>>| subnets.as_ref().is_some_and(|subnets| !subnets.is_empty());
        if let Some(one) = applying.iter().find(|one| by_subnet(&one.value.destination_subnets)) {
            found.unknown.get_or_insert_with(|| subnets(service, one.span));
        }
        let targets = weighted_targets(world, service, route.value.route.as_ref(), router);
        let action = RouteAction::Forward(Forward::plain(targets, Passes::Bytes));
        found.routes.push(l4_route(service, Vec::new(), action, route.span));
        found.complete = true;
        return;
    }
}
