//! HTTP routes of virtual services that are refused.

use compact_str::CompactString;

use super::http_action::{check_cors, check_fault, check_redirect, check_retries, check_rewrite};
use super::http_match::check_match;
use super::refuse;
use super::shared::check_duration;
use super::virtual_service::check_weights;
use crate::model::{HeaderOperations, HttpRoute, Percent, Problem, Resource, VirtualService};
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
    for headers in fields.headers.as_deref().into_iter().chain(weighted_headers(fields)) {
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
    check_duration(service, "timeout", fields.timeout.as_deref(), problems);
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
    let mut current = rewrite.map_or("", |authority| authority.value.as_str());
    let request = route.value.headers.as_ref().and_then(|headers| headers.value.request.as_ref());
    let changed = request.into_iter().flat_map(|request| request.set.iter().chain(&request.add)).flatten();
    for (_, value) in changed.filter(|(name, _)| is_authority(name)) {
        if !current.is_empty() {
            refuse(problems, service, route.span, "the authority is set more than once");
            return;
        }
        current = value;
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
    let bad = |name: &&CompactString| name.is_empty() || (name.starts_with(':') && !is_authority(name));
    if let Some(name) = written.into_iter().find(bad) {
        refuse(problems, service, span, format!("the header `{name}` cannot be set"));
    }
    let fixed = |name: &&CompactString| name.is_empty() || name.starts_with(':') || name.eq_ignore_ascii_case("host");
    if let Some(name) = request.remove.iter().flatten().find(fixed) {
        refuse(problems, service, span, format!("the header `{name}` cannot be removed"));
    }
}
