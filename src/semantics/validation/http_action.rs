//! What an HTTP route does with a request, where it is refused: rewrite, redirect, fault, CORS, retries.

use compact_str::CompactString;

use super::http_match::is_regex;
use super::refuse;
use super::shared::check_duration;
use crate::model::{
    CorsPolicy, Fault, HttpRoute, Percent, Problem, Redirect, Resource, Retries, Rewrite, VirtualService,
};
use crate::text::{Span, Spanned};

/// Reasons to refuse a rewrite.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateHTTPRewrite`, `validateURIRegexRewrite`.
pub(super) fn check_rewrite(
    service: &Resource<VirtualService>,
    rewrite: &Spanned<Rewrite>,
    problems: &mut Vec<Problem>,
) {
    let value = &rewrite.value;
    let empty = |text: &Option<Spanned<CompactString>>| text.as_ref().is_none_or(|text| text.value.is_empty());
    if empty(&value.uri) && empty(&value.authority) && value.uri_regex_rewrite.is_none() {
        refuse(problems, service, rewrite.span, "`rewrite` needs `uri`, `uriRegexRewrite` or `authority`");
    }
    if !empty(&value.uri) && value.uri_regex_rewrite.is_some() {
        refuse(problems, service, rewrite.span, "only one of `uri` and `uriRegexRewrite` may be set");
    }
    if let Some(regex) = &value.uri_regex_rewrite {
        let part = |part: &Option<CompactString>| part.clone().unwrap_or_default();
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
pub(super) fn check_redirect(
    service: &Resource<VirtualService>,
    route: &HttpRoute,
    redirect: &Spanned<Redirect>,
    problems: &mut Vec<Problem>,
) {
    let fields = &redirect.value;
    let set = |text: &Option<CompactString>| text.as_ref().is_some_and(|text| !text.is_empty());
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
pub(super) fn check_fault(service: &Resource<VirtualService>, fault: &Spanned<Fault>, problems: &mut Vec<Problem>) {
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
pub(super) fn check_cors(service: &Resource<VirtualService>, cors: &Spanned<CorsPolicy>, problems: &mut Vec<Problem>) {
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
pub(super) fn check_retries(
    service: &Resource<VirtualService>,
    retries: &Spanned<Retries>,
    problems: &mut Vec<Problem>,
) {
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
