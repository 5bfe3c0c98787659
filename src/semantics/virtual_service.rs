//! Which routes of a virtual service a proxy gets: binding, visibility, static conditions, actions.

use super::decision::{By, Cause, CauseKind};
use super::destination::{self, Target, targets};
use super::host_name;
use super::route_table::{Abort, Forward, Route, RouteAction, is_catch_all_match};
use super::workload_selector::selects;
use super::world::World;
use crate::model::{Headers, HttpMatch, HttpRoute, Labels, ObjectId, Resource, VirtualService};
use crate::space::PathRewrite;
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

/// The routes that a proxy takes from a virtual service, in order, cut behind the first that takes everything.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `BuildHTTPRoutesForVirtualService`.
pub(crate) fn routes(world: &World, service: &Resource<VirtualService>, router: Router<'_>) -> Vec<Route> {
    let mut found = Vec::new();
    for http in service.spec.http() {
        let action = action(world, service, http, router, None);
        let matches = http.value.matches.iter().flat_map(|matches| &matches.value);
        let matches: Vec<&Spanned<HttpMatch>> = matches.collect();
        if matches.is_empty() {
            found.push(Route { virtual_service: Some(service.id.clone()), matches: None, action, span: http.span });
            return found;
        }
        for one in matches {
            if !applies(&one.value, service, router) {
                continue;
            }
            found.push(Route {
                virtual_service: Some(service.id.clone()),
                matches: Some(one.value.clone()),
                action: self::action(world, service, http, router, Some(&one.value)),
                span: one.span,
            });
            if is_catch_all_match(&one.value) {
                return found;
            }
        }
    }
    found
}

/// Whether the static conditions of a match hold for a proxy. With `gateways`, labels and namespace are not looked at.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `sourceMatchHTTP`, `translateRoute` (port).
fn applies(matches: &HttpMatch, service: &Resource<VirtualService>, router: Router<'_>) -> bool {
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

/// What a route does.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `translateRoute`, `applyHTTPRouteDestination`.
fn action(
    world: &World,
    service: &Resource<VirtualService>,
    http: &Spanned<HttpRoute>,
    router: Router<'_>,
    matches: Option<&HttpMatch>,
) -> RouteAction {
    let route = &http.value;
    if let Some(redirect) = &route.redirect {
        let code = redirect.value.redirect_code.as_ref().map(|code| code.value);
        return if matches!(code, Some(300 | 304 | 305)) {
            RouteAction::Unknown(Cause {
                kind: CauseKind::RefusedConfiguration,
                message: "Envoy refuses this redirect code, and with it the whole route table".to_owned(),
                span: Some(redirect.span),
            })
        } else {
            RouteAction::Answer(By::Redirect)
        };
    }
    if route.direct_response.is_some() {
        return RouteAction::Answer(By::DirectResponse);
    }
    if let Some(delegate) = &route.delegate {
        return RouteAction::Unknown(Cause {
            kind: CauseKind::UnmodelledKind,
            message: "delegates are not modelled yet".to_owned(),
            span: Some(delegate.span),
        });
    }
    let context = destination::Route {
        client_namespace: router.namespace,
        namespace: &service.id.namespace,
        listener_port: router.port,
    };
    let weighted = route.route.iter().flat_map(|route| &route.value);
    let weighted: Vec<_> = weighted.collect();
    let several = weighted.len() > 1;
    let mut found: Vec<Target> = Vec::new();
    let mut changed_here = Vec::new();
    for destination in weighted {
        if several && destination.value.weight.unwrap_or(0) == 0 {
            continue;
        }
        if let Some(named) = &destination.value.destination {
            found.extend(targets(world, named, context));
        }
        changed_here.extend(&destination.value.headers);
    }
    if several && !changed_here.is_empty() {
        return RouteAction::Unknown(Cause {
            kind: CauseKind::UnmodelledKind,
            message: "header changes of one destination among several are not modelled yet".to_owned(),
            span: changed_here.first().map(|headers| headers.span),
        });
    }
    let mirrors = mirrors(world, route, context);
    let changes: Vec<&Headers> = route
        .headers
        .iter()
        .map(|headers| &headers.value)
        .chain(changed_here.iter().map(|headers| &headers.value))
        .collect();
    RouteAction::Forward(forward(route, matches, found, mirrors, &changes))
}

/// Puts together what becomes of a request that is sent on.
fn forward(
    route: &HttpRoute,
    matches: Option<&HttpMatch>,
    targets: Vec<Target>,
    mirrors: Vec<Target>,
    changes: &[&Headers],
) -> Forward {
    let requests = || changes.iter().filter_map(|headers| headers.request.as_ref());
    let pairs = |map: &Option<std::collections::BTreeMap<String, String>>| {
        map.iter().flatten().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect::<Vec<_>>()
    };
    let set: Vec<(String, String)> = requests().flat_map(|request| pairs(&request.set)).collect();
    let add: Vec<(String, String)> = requests().flat_map(|request| pairs(&request.add)).collect();
    let is_host = |name: &str| name == "host" || name == ":authority";
    let rewrite = route.rewrite.as_ref().map(|rewrite| &rewrite.value);
    let by_header = set.iter().chain(&add).find(|(name, _)| is_host(name)).map(|(_, value)| value.clone());
    let authority = rewrite.and_then(|rewrite| rewrite.authority.as_ref()).map(|authority| authority.value.clone());
    let regex = rewrite.and_then(|rewrite| rewrite.uri_regex_rewrite.as_ref());
    let ordinary = |pairs: Vec<(String, String)>| {
        pairs.into_iter().filter(|(name, _)| !is_host(name) && !name.starts_with(':')).collect::<Vec<_>>()
    };
    Forward {
        targets,
        mirrors,
        rewrite: match (rewrite.and_then(|rewrite| rewrite.uri.as_ref()), regex) {
            (Some(uri), _) => path_rewrite(&uri.value, matches),
            (None, Some(_)) => PathRewrite::Opaque,
            (None, None) => PathRewrite::Keep,
        },
        regex_rewrite: regex.and_then(|regex| regex.value.pattern.clone().zip(regex.value.rewrite.clone())),
        authority: authority.or(by_header),
        set: ordinary(set),
        add: ordinary(add),
        remove: requests()
            .flat_map(|request| request.remove.iter().flatten())
            .map(|name| name.to_ascii_lowercase())
            .filter(|name| !is_host(name) && !name.starts_with(':'))
            .collect(),
        abort: abort(route),
    }
}

/// What `rewrite.uri` makes of a path: the matched prefix is replaced, or the whole path.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `applyHTTPRouteDestination`
/// (`PrefixRewrite`); Envoy: `source/common/router/config_impl.cc`, `finalizePathHeader`.
fn path_rewrite(uri: &str, matches: Option<&HttpMatch>) -> PathRewrite {
    let wanted = matches.and_then(|matches| matches.uri.as_ref()).map(|uri| &uri.value);
    let ignore_case = matches.is_some_and(|matches| matches.ignore_uri_case == Some(true));
    match wanted {
        Some(wanted) if wanted.exact.is_some() || wanted.regex.is_some() => PathRewrite::ReplaceAll(uri.into()),
        Some(wanted) => {
            let from = wanted.prefix.as_ref().map_or("/", |prefix| prefix.value.as_str());
            PathRewrite::ReplacePrefix { from: from.into(), to: uri.into(), ignore_case }
        }
        None => PathRewrite::ReplacePrefix { from: "/".into(), to: uri.into(), ignore_case: false },
    }
}

/// Destinations of copies.
fn mirrors(world: &World, route: &HttpRoute, context: destination::Route<'_>) -> Vec<Target> {
    let percent = route.mirror_percentage.map(|percent| percent.value.unwrap_or(0.0));
    #[expect(clippy::cast_precision_loss, reason = "percentages are small")]
    let older = route.mirror_percent.map(|percent| percent as f64);
    let one = route.mirror.as_ref().filter(|_| percent.or(older).unwrap_or(100.0) > 0.0);
    let several = route
        .mirrors
        .iter()
        .flat_map(|mirrors| &mirrors.value)
        .filter(|mirror| mirror.value.percentage.is_none_or(|percent| percent.value.unwrap_or(0.0) > 0.0));
    one.into_iter()
        .chain(several.filter_map(|mirror| mirror.value.destination.as_ref()))
        .flat_map(|destination| targets(world, destination, context))
        .collect()
}

/// The share of requests that a fault aborts.
fn abort(route: &HttpRoute) -> Abort {
    let fault = route.fault.as_ref().and_then(|fault| fault.value.abort.as_ref());
    match fault.and_then(|abort| abort.percentage).map(|percent| percent.value.unwrap_or(0.0)) {
        Some(percent) if percent >= 100.0 => Abort::Always,
        Some(percent) if percent > 0.0 => Abort::Sometimes,
        _ => Abort::Never,
    }
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
    bound.sort_by_key(|service| {
        let scopes: Vec<&str> =
            service.spec.export_to.iter().flat_map(|list| &list.value).map(|scope| scope.value.as_str()).collect();
        let private = service.id.namespace == namespace && !scopes.is_empty() && !scopes.contains(&"*");
        let explicit = scopes.contains(&namespace);
        let rank = if private {
            0
        } else if explicit {
            1
        } else {
            2
        };
        (rank, service.age_key())
    });
    bound
}

/// A cause where the order of two virtual services of one host rests on their age alone.
pub(crate) fn order_cause(older: &ObjectId, younger: &Resource<VirtualService>) -> Cause {
    Cause {
        kind: CauseKind::CreationOrder,
        message: format!("`{}` and `{}` serve one host, and the older one goes first", older.path(), younger.id.path()),
        span: Some(younger.name_span),
    }
}
