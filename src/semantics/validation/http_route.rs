//! HTTP routes of virtual services that are refused.

use super::refuse;
use super::shared::{are_labels, check_duration, is_dns_label};
use super::virtual_service::{check_gateways, check_weights, is_for_gateways};
use crate::model::{
    CorsPolicy, Fault, HeaderOperations, HttpMatch, HttpRoute, Percent, Problem, Redirect, Resource, Retries, Rewrite,
    StringMatch, VirtualService,
};
use crate::space::{Pattern, RegexError};
use crate::text::{Span, Spanned};

/// Reasons to refuse an HTTP route.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/virtualservice.go`, `validateHTTPRoute`, `validateHTTPRouteConflict`.
pub(super) fn check_route(
    service: &Resource<VirtualService>,
    route: &Spanned<HttpRoute>,
    delegate: bool,
    problems: &mut Vec<Problem>,
) {
    let fields = &route.value;
    let routes = fields.route.as_ref().is_some_and(|route| !route.value.is_empty());
    let answers = fields.redirect.is_some() || fields.direct_response.is_some();
    let mut say = |why: &str| refuse(problems, service, route.span, why);
    if fields.delegate.is_some() && !delegate {
        if fields.redirect.is_some() || fields.route.is_some() {
            say("a route that delegates neither routes nor redirects");
        }
    } else {
        if fields.delegate.is_some() {
            say("a delegate does not delegate");
        }
        if !routes && !answers {
            say("an HTTP route needs `route`, `redirect` or `directResponse`");
        }
        if routes && answers {
            say("an HTTP route cannot both route and answer");
        }
        if fields.redirect.is_some() && fields.direct_response.is_some() {
            say("an HTTP route cannot both redirect and answer");
        }
        if answers && (fields.fault.is_some() || fields.rewrite.is_some()) {
            say("a redirect or direct response takes neither `fault` nor `rewrite`");
        }
        let several = fields.mirrors.as_ref().is_some_and(|mirrors| !mirrors.value.is_empty());
        if fields.mirror.is_some() && several {
            say("only one of `mirror` and `mirrors` may be set");
        }
    }
    check_shares(service, route, problems);
    check_authority(service, route, problems);
    for headers in fields.headers.iter().chain(weighted_headers(fields)) {
        check_headers(service, headers.span, headers.value.request.as_ref(), problems);
    }
    if let Some(rewrite) = &fields.rewrite {
        check_rewrite(service, rewrite, problems);
    }
    if let Some(redirect) = &fields.redirect {
        check_redirect(service, fields, redirect, problems);
    }
    if let Some(answer) = &fields.direct_response {
        let status = answer.value.status.as_ref();
        if !status.is_some_and(|status| (200..=600).contains(&status.value)) {
            let span = status.map_or(answer.span, |status| status.span);
            refuse(problems, service, span, "a status lies between 200 and 599");
        }
    }
    if let Some(fault) = &fields.fault {
        check_fault(service, fault, problems);
    }
    if let Some(cors) = &fields.cors_policy {
        check_cors(service, cors, problems);
    }
    check_duration(service, "timeout", fields.timeout.as_ref(), problems);
    if let Some(retries) = &fields.retries {
        check_retries(service, retries, problems);
    }
    if routes {
        check_weights(service, route.span, fields.route.as_ref(), problems);
    }
    for one in fields.matches.iter().flat_map(|matches| &matches.value) {
        check_match(service, one, problems);
    }
}

/// Header operations of single destinations.
fn weighted_headers(fields: &HttpRoute) -> impl Iterator<Item = &Spanned<crate::model::Headers>> {
    let weighted = fields.route.iter().flat_map(|route| &route.value);
    weighted.filter_map(|weighted| weighted.value.headers.as_ref())
}

/// Whether a share lies within bounds.
fn is_share(percent: Option<Percent>) -> bool {
    percent.and_then(|percent| percent.value).is_none_or(|value| (0.0..=100.0).contains(&value))
}

/// Shares of mirrors.
fn check_shares(service: &Resource<VirtualService>, route: &Spanned<HttpRoute>, problems: &mut Vec<Problem>) {
    let fields = &route.value;
    let mirrors = fields.mirrors.iter().flat_map(|mirrors| &mirrors.value);
    let mirrors: Vec<_> = mirrors.collect();
    if let Some(none) = mirrors.iter().find(|mirror| mirror.value.destination.is_none()) {
        refuse(problems, service, none.span, "a mirror needs a destination");
    }
    let older = fields.mirror_percent.is_some_and(|percent| percent > 100);
    if older || !is_share(fields.mirror_percentage) || !mirrors.iter().all(|mirror| is_share(mirror.value.percentage)) {
        refuse(problems, service, route.span, "the share of a mirror lies between 0 and 100");
    }
}

/// An authority that is set more than once.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/virtualservice.go`, `validateAuthorityRewrite`.
fn check_authority(service: &Resource<VirtualService>, route: &Spanned<HttpRoute>, problems: &mut Vec<Problem>) {
    let rewrite = route.value.rewrite.as_ref().and_then(|rewrite| rewrite.value.authority.as_ref());
    let rewrites = usize::from(rewrite.is_some_and(|authority| !authority.value.is_empty()));
    let request = route.value.headers.as_ref().and_then(|headers| headers.value.request.as_ref());
    let named = request.into_iter().flat_map(|request| request.set.iter().chain(&request.add)).flatten();
    let named = named.filter(|(name, value)| is_authority(name) && !value.is_empty()).count();
    if rewrites + named > 1 {
        refuse(problems, service, route.span, "the authority is set more than once");
    }
}

/// Whether a header is the authority.
fn is_authority(name: &str) -> bool {
    name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case(":authority")
}

/// Header operations on what cannot be operated on.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateHTTPHeaderWithAuthorityOperationName`,
/// `ValidateHTTPHeaderOperationName`.
fn check_headers(
    service: &Resource<VirtualService>,
    span: Span,
    request: Option<&HeaderOperations>,
    problems: &mut Vec<Problem>,
) {
    let Some(request) = request else {
        return;
    };
    let written = request.set.iter().chain(&request.add).flat_map(|map| map.keys());
    let bad = |name: &&String| name.is_empty() || (name.starts_with(':') && !is_authority(name));
    if let Some(name) = written.into_iter().find(bad) {
        refuse(problems, service, span, format!("the header `{name}` cannot be set"));
    }
    let fixed = |name: &&String| name.is_empty() || name.starts_with(':') || name.eq_ignore_ascii_case("host");
    if let Some(name) = request.remove.iter().flatten().find(fixed) {
        refuse(problems, service, span, format!("the header `{name}` cannot be removed"));
    }
}

/// Reasons to refuse a rewrite.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateHTTPRewrite`, `validateURIRegexRewrite`.
fn check_rewrite(service: &Resource<VirtualService>, rewrite: &Spanned<Rewrite>, problems: &mut Vec<Problem>) {
    let value = &rewrite.value;
    let empty = |text: &Option<Spanned<String>>| text.as_ref().is_none_or(|text| text.value.is_empty());
    if empty(&value.uri) && empty(&value.authority) && value.uri_regex_rewrite.is_none() {
        refuse(problems, service, rewrite.span, "`rewrite` needs `uri`, `uriRegexRewrite` or `authority`");
    }
    if !empty(&value.uri) && value.uri_regex_rewrite.is_some() {
        refuse(problems, service, rewrite.span, "only one of `uri` and `uriRegexRewrite` may be set");
    }
    if let Some(regex) = &value.uri_regex_rewrite {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let pattern = part(&regex.value.pattern);
        if pattern.is_empty() || part(&regex.value.rewrite).is_empty() {
            refuse(problems, service, regex.span, "`uriRegexRewrite` needs `match` and `rewrite`");
        } else if !is_regex(&pattern) {
            refuse(problems, service, regex.span, format!("`{pattern}` is no regular expression"));
        }
    }
}

/// Reasons to refuse a redirect.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateHTTPRedirect`.
fn check_redirect(
    service: &Resource<VirtualService>,
    route: &HttpRoute,
    redirect: &Spanned<Redirect>,
    problems: &mut Vec<Problem>,
) {
    let fields = &redirect.value;
    let set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let prefix = set(&fields.prefix_rewrite);
    let mut say = |span: Span, why: &str| refuse(problems, service, span, why);
    if set(&fields.uri) && prefix {
        say(redirect.span, "only one of `uri` and `prefixRewrite` may be set");
    }
    let uris = route.matches.iter().flat_map(|matches| &matches.value).filter_map(|one| one.value.uri.as_ref());
    if prefix && uris.into_iter().any(|uri| uri.value.prefix.is_none()) {
        say(redirect.span, "`prefixRewrite` needs prefixes in every match");
    }
    let ported = fields.port.is_some() || fields.derive_port.is_some();
    if !set(&fields.uri) && !prefix && !set(&fields.authority) && !set(&fields.scheme) && !ported {
        say(redirect.span, "a redirect needs a path, an authority, a scheme or a port");
    }
    let code = fields.redirect_code.as_ref();
    if let Some(code) = code.filter(|code| code.value != 0 && !(300..=399).contains(&code.value)) {
        say(code.span, "a redirect has a status between 300 and 399");
    }
    if set(&fields.scheme) && !matches!(fields.scheme.as_deref(), Some("http" | "https")) {
        say(redirect.span, "a scheme is `http` or `https`");
    }
    if fields.port.is_some_and(|port| port != 0 && !(1..=65535).contains(&port)) {
        say(redirect.span, "a port number lies between 1 and 65535");
    }
}

/// Reasons to refuse a fault.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateHTTPFaultInjection`.
fn check_fault(service: &Resource<VirtualService>, fault: &Spanned<Fault>, problems: &mut Vec<Problem>) {
    let fields = &fault.value;
    if fields.abort.is_none() && fields.delay.is_none() {
        refuse(problems, service, fault.span, "`fault` needs `abort` or `delay`");
    }
    let share = |percent: Option<Percent>| {
        let value = percent.and_then(|percent| percent.value).unwrap_or(0.0);
        value == 0.0 || (0.0001..=100.0).contains(&value)
    };
    if let Some(abort) = &fields.abort {
        if !share(abort.percentage) {
            refuse(problems, service, fault.span, "a share lies between 0 and 100");
        }
        if abort.http2_error.is_some() {
            refuse(problems, service, fault.span, "`http2Error` is not supported");
        }
        if abort.http_status.is_some_and(|status| !(200..=600).contains(&status)) {
            refuse(problems, service, fault.span, "a status lies between 200 and 599");
        }
    }
    if let Some(delay) = &fields.delay {
        if !share(delay.percentage) {
            refuse(problems, service, fault.span, "a share lies between 0 and 100");
        }
        check_duration(service, "fixedDelay", delay.fixed_delay.as_ref(), problems);
        if let Some(delay) = &delay.exponential_delay {
            refuse(problems, service, delay.span, "`exponentialDelay` is not supported");
        }
    }
}

/// Reasons to refuse a CORS policy.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateCORSPolicy`, `validateAllowOrigins`.
fn check_cors(service: &Resource<VirtualService>, cors: &Spanned<CorsPolicy>, problems: &mut Vec<Problem>) {
    for origin in cors.value.allow_origins.iter().flatten() {
        let texts = [&origin.exact, &origin.prefix, &origin.regex];
        if texts.into_iter().flatten().all(|text| text.value.is_empty()) {
            refuse(problems, service, cors.span, "an origin of CORS is empty");
        }
        if let Some(regex) = origin.regex.as_ref().filter(|regex| !is_regex(&regex.value)) {
            refuse(problems, service, regex.span, format!("`{}` is no regular expression", regex.value));
        }
    }
    check_duration(service, "maxAge", cors.value.max_age.as_ref(), problems);
}

/// Reasons to refuse retries.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateHTTPRetry`.
fn check_retries(service: &Resource<VirtualService>, retries: &Spanned<Retries>, problems: &mut Vec<Problem>) {
    const REASONS: &[&str] = &[
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ];
    let fields = &retries.value;
    let attempts = fields.attempts.unwrap_or(0);
    if attempts < 0 {
        refuse(problems, service, retries.span, "attempts are not negative");
    }
    let on = fields.retry_on.as_ref().filter(|on| !on.value.is_empty());
    let configured = fields.per_try_timeout.is_some() || on.is_some() || fields.retry_remote_localities.is_some();
    if attempts == 0 && configured {
        refuse(problems, service, retries.span, "without `attempts` there are no retries to configure");
    }
    check_duration(service, "perTryTimeout", fields.per_try_timeout.as_ref(), problems);
    check_duration(service, "backoff", fields.backoff.as_ref(), problems);
    for reason in on.iter().flat_map(|on| on.value.split(',')) {
        let status = reason.parse::<u16>().is_ok_and(is_status);
        if !status && !REASONS.contains(&reason) {
            let span = on.map_or(retries.span, |on| on.span);
            refuse(problems, service, span, format!("`{reason}` is no reason to retry"));
        }
    }
}

/// Whether a status has a name in HTTP.
///
/// # Upstream
/// Go: `net/http`, `StatusText`.
fn is_status(code: u16) -> bool {
    matches!(
        code,
        100..=103 | 200..=208 | 226 | 300..=305 | 307 | 308 | 400..=418 | 421..=426 | 428 | 429 | 431 | 451 | 500..=508 | 510 | 511
    )
}

/// Reasons to refuse a match.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/virtualservice.go`, `validateHTTPRouteMatchRequest`.
fn check_match(service: &Resource<VirtualService>, one: &Spanned<HttpMatch>, problems: &mut Vec<Problem>) {
    let fields = &one.value;
    let named = [(&fields.uri, true), (&fields.scheme, false), (&fields.method, false), (&fields.authority, false)];
    for (wanted, uri) in named {
        if let Some(wanted) = wanted {
            check_string(service, wanted, uri, false, problems);
        }
    }
    let headers = [(&fields.headers, false), (&fields.without_headers, true)];
    for (map, star) in headers {
        for (name, wanted) in map.iter().flatten() {
            check_header_name(service, name, problems);
            match wanted {
                Some(wanted) => check_string(service, wanted, false, star, problems),
                None if !star => {
                    let why = format!("the match of header `{}` is null; `{{}}` asks for presence", name.value);
                    refuse(problems, service, name.span, why);
                }
                None => {}
            }
        }
    }
    for wanted in fields.query_params.iter().flatten().filter_map(|(_, wanted)| wanted.as_ref()) {
        check_string(service, wanted, false, false, problems);
    }
    if let Some(port) = fields.port.as_ref().filter(|port| !(0..=65535).contains(&port.value)) {
        refuse(problems, service, port.span, "a port number lies between 1 and 65535");
    }
    if !are_labels(fields.source_labels.as_ref()) {
        refuse(problems, service, one.span, "`sourceLabels` are no labels");
    }
    check_gateways(service, fields.gateways.as_deref().unwrap_or_default(), problems);
    let namespace = fields.source_namespace.as_ref();
    if let Some(namespace) = namespace.filter(|ns| !ns.value.is_empty() && !is_dns_label(&ns.value)) {
        refuse(problems, service, namespace.span, format!("`{}` is no namespace", namespace.value));
    }
}

/// Reasons to refuse the name of a header in a match.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateHTTPHeaderNameOrJwtClaimRoute`,
/// `ValidateVirtualService` (claims only at gateways).
fn check_header_name(service: &Resource<VirtualService>, name: &Spanned<String>, problems: &mut Vec<Problem>) {
    let claim = name.value.to_ascii_lowercase().starts_with("@request.auth.claims")
        && super::super::route_match::routing_claim(&name.value).is_some();
    if claim {
        if !is_for_gateways(service) {
            refuse(problems, service, name.span, "claims are matched at gateways only");
        }
        return;
    }
    let pseudo = matches!(name.value.as_str(), ":method" | ":scheme" | ":authority" | ":path" | ":status");
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !pseudo && (name.value.is_empty() || !name.value.chars().all(token)) {
        refuse(problems, service, name.span, format!("`{}` is no name of a header", name.value));
    }
}

/// Whether a text is a regular expression that istiod takes.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateStringRegexp`.
fn is_regex(text: &str) -> bool {
    !text.is_empty() && text.len() <= 1024 && !matches!(Pattern::regex(text), Err(RegexError::Syntax { .. }))
}

/// Reasons to refuse a string match. `star`: a lone star is no expression but asks for presence.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateStringMatch`, `validateStringMatchRegexp`.
fn check_string(
    service: &Resource<VirtualService>,
    wanted: &Spanned<StringMatch>,
    uri: bool,
    star: bool,
    problems: &mut Vec<Problem>,
) {
    if let Some(prefix) = wanted.value.prefix.as_ref().filter(|prefix| prefix.value.is_empty() && !uri) {
        refuse(problems, service, prefix.span, "an empty prefix");
    }
    let presence = |text: &str| star && text == "*";
    if let Some(regex) = wanted.value.regex.as_ref().filter(|regex| !presence(&regex.value) && !is_regex(&regex.value))
    {
        refuse(problems, service, regex.span, format!("`{}` is no regular expression", regex.value));
    }
}
