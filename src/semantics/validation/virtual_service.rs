//! Virtual services that are refused.

use super::super::host_name;
use super::refuse;
use super::shared::{is_dns_label, is_wildcard_domain};
use crate::model::{HttpMatch, HttpRoute, Problem, Resource, StringMatch, VirtualService};
use crate::text::Spanned;

/// Reasons to refuse a virtual service.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/virtualservice.go`, `ValidateVirtualService`.
pub(super) fn check(service: &Resource<VirtualService>, problems: &mut Vec<Problem>) {
    let spec = &service.spec;
    let delegate = spec.hosts().is_empty();
    if delegate && (!spec.gateways().is_empty() || spec.tls.is_some() || spec.tcp.is_some()) {
        refuse(
            problems,
            service,
            service.spec_span,
            "without `hosts` it is a delegate, which takes neither `gateways` nor `tls` nor `tcp`",
        );
    }
    if spec.http().is_empty()
        && spec.tls.as_ref().is_none_or(|tls| tls.value.is_empty())
        && spec.tcp.as_ref().is_none_or(|tcp| tcp.value.is_empty())
    {
        refuse(problems, service, service.spec_span, "one of `http`, `tls` and `tcp` must be given");
    }
    check_hosts(service, problems);
    for gateway in spec.gateways() {
        if let Some((namespace, name)) = gateway.value.split_once('/')
            && (!is_dns_label(namespace) || !is_dns_label(name))
        {
            refuse(
                problems,
                service,
                gateway.span,
                format!("`{}` is no gateway, `NAME` or `NAMESPACE/NAME`", gateway.value),
            );
        }
    }
    for route in spec.http() {
        check_route(service, route, delegate, problems);
    }
    for destination in spec.destinations() {
        let host = destination.value.host.as_ref();
        let known = host.is_some_and(|host| host.value != "*" && is_wildcard_domain(&host.value));
        if !known {
            let written = host.map_or("", |host| host.value.as_str());
            let why = format!("`{written}` is no host of a service");
            refuse(problems, service, host.map_or(destination.span, |host| host.span), why);
        }
        let number = destination.value.port.as_ref().and_then(|port| port.number.as_ref());
        if let Some(number) = number.filter(|number| !(1..=65535).contains(&number.value)) {
            refuse(problems, service, number.span, "a port number lies between 1 and 65535");
        }
    }
}

/// Reasons to refuse the hosts.
fn check_hosts(service: &Resource<VirtualService>, problems: &mut Vec<Problem>) {
    let on_mesh =
        service.spec.gateways().is_empty() || service.spec.gateways().iter().any(|gateway| gateway.value == "mesh");
    let hosts = service.spec.hosts();
    for (index, host) in hosts.iter().enumerate() {
        if !is_wildcard_domain(&host.value) {
            refuse(problems, service, host.span, format!("`{}` is no host name", host.value));
        }
        if host.value == "*" && on_mesh {
            refuse(problems, service, host.span, "host `*` is not allowed on `mesh`");
        }
        let earlier = hosts.iter().take(index);
        let mut overlapping = earlier.filter(|other| {
            other.value == host.value
                || (host_name::is_subset(&host.value, &other.value) || host_name::is_subset(&other.value, &host.value))
        });
        if let Some(other) = overlapping.next() {
            refuse(problems, service, host.span, format!("`{}` overlaps `{}`", host.value, other.value));
        }
    }
}

/// Reasons to refuse an HTTP route.
fn check_route(
    service: &Resource<VirtualService>,
    route: &Spanned<HttpRoute>,
    delegate: bool,
    problems: &mut Vec<Problem>,
) {
    let fields = &route.value;
    let routes = fields.route.as_ref().is_some_and(|route| !route.value.is_empty());
    let mut say = |why: &str| refuse(problems, service, route.span, why);
    if !routes && fields.redirect.is_none() && fields.direct_response.is_none() && fields.delegate.is_none() {
        say("an HTTP route needs `route`, `redirect` or `directResponse`");
    }
    if routes && (fields.redirect.is_some() || fields.direct_response.is_some()) {
        say("an HTTP route cannot both route and answer");
    }
    if fields.redirect.is_some() && fields.direct_response.is_some() {
        say("an HTTP route cannot both redirect and answer");
    }
    if (fields.redirect.is_some() || fields.direct_response.is_some())
        && (fields.fault.is_some() || fields.rewrite.is_some())
    {
        say("a redirect or direct response takes neither `fault` nor `rewrite`");
    }
    if fields.delegate.is_some() && (routes || fields.redirect.is_some() || delegate) {
        say("a route that delegates does nothing else, and a delegate does not delegate");
    }
    if fields.mirror.is_some() && fields.mirrors.is_some() {
        say("only one of `mirror` and `mirrors` may be set");
    }
    if let Some(rewrite) = &fields.rewrite {
        let value = &rewrite.value;
        let empty = |text: &Option<Spanned<String>>| text.as_ref().is_none_or(|text| text.value.is_empty());
        if empty(&value.uri) && empty(&value.authority) && value.uri_regex_rewrite.is_none() {
            say("`rewrite` needs `uri`, `uriRegexRewrite` or `authority`");
        }
        if !empty(&value.uri) && value.uri_regex_rewrite.is_some() {
            say("only one of `uri` and `uriRegexRewrite` may be set");
        }
    }
    for text in fields.timeout.iter().filter(|text| is_too_short(text)) {
        say(&format!("`timeout: {text}` is below a millisecond"));
    }
    let weighted = fields.route.iter().flat_map(|route| &route.value);
    let weights: Vec<i64> = weighted.map(|weighted| weighted.value.weight.unwrap_or(0)).collect();
    if weights.iter().any(|weight| *weight < 0) || (weights.len() > 1 && weights.iter().sum::<i64>() == 0) {
        say("weights are not negative, and of several destinations one has some");
    }
    for one in fields.matches.iter().flat_map(|matches| &matches.value) {
        check_match(service, one, problems);
    }
}

/// Whether a duration is one, and shorter than a millisecond.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateDuration`.
fn is_too_short(text: &str) -> bool {
    let Some(number) = text.strip_suffix('s') else {
        return false;
    };
    if number.ends_with(['m', 'u', 'n', 'µ']) {
        let milli = number.strip_suffix('m').and_then(|number| number.parse::<f64>().ok());
        return milli.is_none_or(|milli| milli < 1.0);
    }
    number.parse::<f64>().is_ok_and(|seconds| seconds < 0.001)
}

/// Reasons to refuse a match.
fn check_match(service: &Resource<VirtualService>, one: &Spanned<HttpMatch>, problems: &mut Vec<Problem>) {
    let fields = &one.value;
    let named = [(&fields.uri, true), (&fields.scheme, false), (&fields.method, false), (&fields.authority, false)];
    let named = named.into_iter().filter_map(|(wanted, uri)| wanted.as_ref().map(|wanted| (wanted, uri)));
    let maps = [&fields.headers, &fields.query_params, &fields.without_headers];
    let mapped =
        maps.into_iter().flatten().flatten().filter_map(|(_, wanted)| wanted.as_ref()).map(|wanted| (wanted, false));
    for (wanted, uri) in named.chain(mapped) {
        check_string(service, wanted, uri, problems);
    }
    if let Some(port) = fields.port.as_ref().filter(|port| !(0..=65535).contains(&port.value)) {
        refuse(problems, service, port.span, "a port number lies between 1 and 65535");
    }
}

/// Reasons to refuse a string match.
fn check_string(
    service: &Resource<VirtualService>,
    wanted: &Spanned<StringMatch>,
    uri: bool,
    problems: &mut Vec<Problem>,
) {
    if let Some(prefix) = wanted.value.prefix.as_ref().filter(|prefix| prefix.value.is_empty() && !uri) {
        refuse(problems, service, prefix.span, "an empty prefix");
    }
    if let Some(regex) = &wanted.value.regex {
        let bad = regex.value.is_empty() || regex.value.len() > 1024;
        let syntax = matches!(crate::space::Pattern::regex(&regex.value), Err(crate::space::RegexError::Syntax { .. }));
        // A lone star asks for presence.
        if (bad || syntax) && regex.value != "*" {
            refuse(problems, service, regex.span, format!("`{}` is no regular expression", regex.value));
        }
    }
}
