//! Virtual services that are refused.

use compact_str::CompactString;

use super::super::host_name;
use super::http_route::check_route;
use super::refuse;
use super::shared::{are_labels, check_export_to, is_dns_label, is_domain, is_full_name, is_wildcard_domain};
use crate::model::{Destination, L4Match, Problem, Resource, TlsMatch, VirtualService, WeightedDestination};
use crate::text::{Span, Spanned};

/// Reasons to refuse a virtual service.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateVirtualService`.
pub(super) fn check(service: &Resource<VirtualService>, problems: &mut Vec<Problem>) {
    let spec = &service.spec;
    let delegate = spec.hosts().is_empty();
    if delegate && (!spec.gateways().is_empty() || !spec.tls().is_empty() || !spec.tcp().is_empty()) {
        refuse(
            problems,
            service,
            service.spec_span,
            "without `hosts` it is a delegate, which takes neither `gateways` nor `tls` nor `tcp`",
        );
    }
    if spec.http().is_empty() && spec.tls().is_empty() && spec.tcp().is_empty() {
        refuse(problems, service, service.spec_span, "one of `http`, `tls` and `tcp` must be given");
    }
    check_hosts(service, problems);
    check_gateways(service, spec.gateways(), problems);
    for route in spec.http() {
        check_route(service, route, delegate, problems);
    }
    for route in spec.tls() {
        let matches: Vec<_> = route.value.matches.iter().flat_map(|matches| &matches.value).collect();
        if matches.is_empty() {
            refuse(problems, service, route.span, "a TLS route needs a match");
        }
        for one in matches {
            check_sni_hosts(service, one, problems);
            check_l4_match(service, one.span, &one.value.l4(), problems);
        }
        check_weights(service, route.span, route.value.route.as_ref(), problems);
    }
    for route in spec.tcp() {
        for one in route.value.matches.iter().flat_map(|matches| &matches.value) {
            check_l4_match(service, one.span, &one.value, problems);
        }
        check_weights(service, route.span, route.value.route.as_ref(), problems);
    }
    for destination in spec.destinations() {
        check_destination(service, destination, problems);
    }
    let scopes = spec.export_to.iter().flat_map(|list| &list.value).map(|scope| scope.value.as_str());
    check_export_to(service, scopes, false, problems);
}

/// Whether every gateway that it binds to is a gateway, so that none is `mesh`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `isGateway`.
pub(super) fn is_for_gateways(service: &Resource<VirtualService>) -> bool {
    let gateways = service.spec.gateways();
    !gateways.is_empty() && gateways.iter().all(|gateway| gateway.value != "mesh")
}

/// Reasons to refuse the hosts.
fn check_hosts(service: &Resource<VirtualService>, problems: &mut Vec<Problem>) {
    let hosts = service.spec.hosts();
    let passes_on = |host: &str| is_for_gateways(service) && host.starts_with("outbound_");
    for (index, host) in hosts.iter().enumerate() {
        if !is_wildcard_domain(&host.value) && !passes_on(&host.value) {
            refuse(problems, service, host.span, format!("`{}` is no host name", host.value));
        }
        if host.value == "*" && !is_for_gateways(service) {
            refuse(problems, service, host.span, "host `*` is not allowed on `mesh`");
        }
        let mut earlier = hosts.iter().take(index);
        if let Some(other) = earlier.find(|other| host_name::overlap(&host.value, &other.value)) {
            refuse(problems, service, host.span, format!("`{}` overlaps `{}`", host.value, other.value));
        }
    }
}

/// Reasons to refuse names of gateways. What stands behind the first name without a namespace is not looked at.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateGatewayNames`.
pub(super) fn check_gateways(
    service: &Resource<VirtualService>,
    gateways: &[Spanned<CompactString>],
    problems: &mut Vec<Problem>,
) {
    for gateway in gateways {
        let known = match gateway.value.split_once('/') {
            Some((namespace, name)) => is_dns_label(namespace) && is_dns_label(name),
            None => is_full_name(&gateway.value),
        };
        if !known {
            let why = format!("`{}` is no gateway, `NAME` or `NAMESPACE/NAME`", gateway.value);
            refuse(problems, service, gateway.span, why);
        }
        if !gateway.value.contains('/') {
            return;
        }
    }
}

/// Reasons to refuse server names.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateTLSMatch`, `validateSniHost`.
fn check_sni_hosts(service: &Resource<VirtualService>, one: &Spanned<TlsMatch>, problems: &mut Vec<Problem>) {
    let hosts = one.value.sni_hosts.as_deref().unwrap_or_default();
    if hosts.is_empty() {
        refuse(problems, service, one.span, "a match of TLS needs `sniHosts`");
    }
    for host in hosts {
        if host.value.parse::<std::net::IpAddr>().is_ok() {
            continue;
        }
        if !is_domain(&host.value) && !host.value.starts_with("outbound_") {
            refuse(problems, service, host.span, format!("`{}` is no host name", host.value));
        } else if !service.spec.hosts().iter().any(|known| host_name::is_subset(&host.value, &known.value)) {
            refuse(problems, service, host.span, format!("`{}` is within none of the hosts", host.value));
        }
    }
}

/// Reasons to refuse what matches of TLS and TCP share.
fn check_l4_match(service: &Resource<VirtualService>, span: Span, one: &L4Match, problems: &mut Vec<Problem>) {
    if one.port.is_some_and(|port| !(0..=65535).contains(&port)) {
        refuse(problems, service, span, "a port number lies between 1 and 65535");
    }
    let subnet =
        |subnet: &CompactString| subnet.parse::<ipnet::IpNet>().is_err() && subnet.parse::<std::net::IpAddr>().is_err();
    if one.destination_subnets.iter().flatten().any(subnet) {
        refuse(problems, service, span, "a destination subnet is no block of addresses");
    }
    if !are_labels(one.source_labels.as_ref()) {
        refuse(problems, service, span, "`sourceLabels` are no labels");
    }
    check_gateways(service, one.gateways.as_deref().unwrap_or_default(), problems);
}

/// Reasons to refuse weighted destinations.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateHTTPRouteDestinations`, `validateRouteDestinations`.
pub(super) fn check_weights(
    service: &Resource<VirtualService>,
    span: Span,
    route: Option<&Spanned<Vec<Spanned<WeightedDestination>>>>,
    problems: &mut Vec<Problem>,
) {
    let weighted: &[Spanned<WeightedDestination>] = route.map_or(&[], |route| route.value.as_slice());
    if weighted.is_empty() {
        refuse(problems, service, span, "a route needs a destination");
    }
    if let Some(none) = weighted.iter().find(|weighted| weighted.value.destination.is_none()) {
        refuse(problems, service, none.span, "a destination is missing");
    }
    let weights: Vec<i64> = weighted.iter().map(|weighted| weighted.value.weight.unwrap_or(0)).collect();
    if weights.iter().any(|weight| *weight < 0) || (weights.len() > 1 && weights.iter().sum::<i64>() == 0) {
        refuse(problems, service, span, "weights are not negative, and of several destinations one has some");
    }
}

/// Reasons to refuse a destination.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateDestination`.
fn check_destination(
    service: &Resource<VirtualService>,
    destination: &Spanned<Destination>,
    problems: &mut Vec<Problem>,
) {
    let host = destination.value.host.as_ref();
    if !host.is_some_and(|host| host.value != "*" && is_domain(&host.value)) {
        let written = host.map_or("", |host| host.value.as_str());
        let span = host.map_or(destination.span, |host| host.span);
        let why = match written {
            "" => "a destination needs a `host`".to_owned(),
            written => format!("`{written}` is no host of a service"),
        };
        refuse(problems, service, span, why);
    }
    let subset = destination.value.subset.as_ref();
    if let Some(subset) = subset.filter(|subset| !subset.value.is_empty() && !is_dns_label(&subset.value)) {
        refuse(problems, service, subset.span, format!("`{}` is no name of a subset", subset.value));
    }
    let port = destination.value.port.as_ref();
    let number = port.and_then(|port| port.number.as_ref());
    if port.is_some() && !number.is_some_and(|number| (1..=65535).contains(&number.value)) {
        let span = number.map_or(destination.span, |number| number.span);
        refuse(problems, service, span, "a port number lies between 1 and 65535");
    }
}
