//! The HTTP routes that a proxy takes from a virtual service, and what they do.

use compact_str::CompactString;

use super::decision::{By, Cause, CauseKind};
use super::delegate::{Merged, http_routes};
use super::destination::{self, targets};
use super::destination_rule::ClientProxy;
use super::forward::{Abort, Forward, HeaderChanges, Leg, Passes};
use super::route_match::is_catch_all_match;
use super::route_table::{Route, RouteAction};
use super::virtual_service::{Router, applies};
use super::world::World;
use crate::model::{CorsPolicy, Destination, HttpMatch, HttpRoute, Resource, StringMatch, VirtualService};
use crate::space::{PathRewrite, RegexError, substitute};
use crate::text::{Span, Spanned};

/// The preflights that a route's CORS policy answers by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Preflight {
    /// Origins that it answers; `None`: any
    pub origins: Option<Vec<StringMatch>>,
    /// The policy in the text
    pub span: Span,
}

/// The routes that a proxy takes from a virtual service, in order, cut behind the first that takes everything.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `BuildHTTPRoutesForVirtualService`.
pub(crate) fn routes(world: &World, service: &Resource<VirtualService>, router: Router<'_>) -> Vec<Route> {
    let mut found = Vec::new();
    for merged in http_routes(world, service) {
        let (http, unknown) = match merged {
            Merged::Route(http) => (http, None),
            Merged::Unknown(http, cause) => (http, Some(cause)),
        };
        let matches = http.value.matches.iter().flat_map(|matches| &matches.value);
        let matches: Vec<&Spanned<HttpMatch>> = matches.collect();
        let applying: Vec<&Spanned<HttpMatch>> =
            matches.iter().copied().filter(|one| applies(&one.value, service, router)).collect();
        if applying.is_empty() && !matches.is_empty() {
            continue;
        }
        let action = match unknown {
            // Another virtual service may stand in its place, and takes what it likes of what the root admits.
            Some(cause) => RouteAction::Unknown(cause),
            None => action(world, service, &http, router),
        };
        let route = |matches: Option<&Spanned<HttpMatch>>| Route {
            virtual_service: Some(service.id.clone()),
            matches: matches.map(|one| one.value.clone()),
            rival: None,
            sni: Vec::new(),
            preflight: http.value.cors_policy.as_deref().map(preflight),
            action: rewritten(&action, &http.value, matches.map(|one| &one.value)),
            span: matches.map_or(http.span, |one| one.span),
        };
        if matches.is_empty() {
            found.push(route(None));
            return found;
        }
        for one in applying {
            found.push(route(Some(one)));
            if is_catch_all_match(&one.value) {
                return found;
            }
        }
    }
    found
}

/// The preflights that a CORS policy answers.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `TranslateCORSPolicy`;
/// Envoy: `source/extensions/filters/http/cors/cors_filter.cc`, `decodeHeaders`.
fn preflight(policy: &Spanned<CorsPolicy>) -> Preflight {
    let fields = &policy.value;
    let exact = |origin: &CompactString| StringMatch {
        exact: Some(Spanned { value: origin.clone(), span: policy.span }),
        ..StringMatch::default()
    };
    let origins: Vec<StringMatch> = match (&fields.allow_origins, &fields.allow_origin) {
        (Some(origins), _) => origins.clone(),
        (None, origins) => origins.iter().flatten().map(exact).collect(),
    };
    // An origin that takes a lone star takes all.
    let any = origins.iter().any(|origin| match (&origin.exact, &origin.prefix, &origin.regex) {
        (Some(exact), ..) => exact.value == "*",
        (_, Some(prefix), _) => prefix.value.is_empty() || prefix.value == "*",
        (_, _, Some(regex)) => crate::space::Pattern::regex(&regex.value).is_ok_and(|pattern| pattern.matches("*")),
        (None, None, None) => false,
    });
    let ignored = fields.unmatched_preflights.as_deref() == Some("IGNORE");
    Preflight { origins: (!any && !ignored).then_some(origins), span: policy.span }
}

/// What a route does, the path aside.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `TranslateRoute`, `applyHTTPRouteDestination`.
fn action(
    world: &World,
    service: &Resource<VirtualService>,
    http: &Spanned<HttpRoute>,
    router: Router<'_>,
) -> RouteAction {
    let route = &http.value;
    if let Some(redirect) = &route.redirect {
        let code = redirect.value.redirect_code.as_ref().map(|code| code.value);
        return if matches!(code, None | Some(0 | 301 | 302 | 303 | 307 | 308)) {
            RouteAction::Answer(By::Redirect)
        } else {
            refused("Envoy refuses this redirect code, and with it the whole route table", redirect.span)
        };
    }
    if route.direct_response.is_some() {
        return RouteAction::Answer(By::DirectResponse);
    }
    let regex = route.rewrite.as_ref().and_then(|rewrite| rewrite.value.uri_regex_rewrite.as_ref());
    let regex_rewrite = regex.and_then(|regex| {
        Some((regex.value.pattern.as_deref()?.to_owned(), regex.value.rewrite.as_deref()?.to_owned()))
    });
    if let Some((pattern, replacement)) = &regex_rewrite
        && let Err(error) = substitute(pattern, replacement, "/")
    {
        let span = regex.map_or(http.span, |regex| regex.span);
        return match error {
            RegexError::Syntax { .. } | RegexError::Unloadable { .. } => {
                refused("Envoy refuses this rewrite, and with it the whole route table", span)
            }
            RegexError::TooLarge { .. } => RouteAction::Unknown(Cause {
                kind: CauseKind::Regex,
                message: format!("the regular expression `{pattern}` cannot be judged: {error}"),
                span: Some(span),
            }),
        };
    }
    let context = destination::Route {
        client: ClientProxy { namespace: router.namespace, labels: router.labels },
        namespace: &service.id.namespace,
        listener_port: router.port,
        dialled: router.dialled,
    };
    let weighted = route.route.iter().flat_map(|route| &route.value);
    let weighted: Vec<_> = weighted.collect();
    let several = weighted.len() > 1;
    let mut legs = Vec::new();
    for destination in weighted {
        if several && destination.value.weight.unwrap_or(0) == 0 {
            continue;
        }
        let request = destination.value.headers.as_ref().and_then(|headers| headers.value.request.as_ref());
        let changes = HeaderChanges::of(route, request, several);
        if let Some(named) = &destination.value.destination {
            let leg = |target| Leg { target, mirror: false, changes: changes.clone() };
            legs.extend(targets(world, named, context).into_iter().map(leg));
        }
    }
    for mirror in mirrors(route) {
        let changes = HeaderChanges::of(route, None, false);
        let leg = |target| Leg { target, mirror: true, changes: changes.clone() };
        legs.extend(targets(world, mirror, context).into_iter().map(leg));
    }
    let rewrite = if regex_rewrite.is_some() { PathRewrite::Opaque } else { PathRewrite::Keep };
    RouteAction::Forward(Forward { legs, rewrite, regex_rewrite, abort: abort(route), passes: Passes::Requests })
}

/// A configuration that Envoy does not take.
fn refused(message: &str, span: Span) -> RouteAction {
    let message = message.to_owned();
    RouteAction::Unknown(Cause { kind: CauseKind::RefusedConfiguration, message, span: Some(span) })
}

/// An action with what `rewrite.uri` makes of a path: the matched prefix is replaced, or the whole path.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `applyHTTPRouteDestination`
/// (`PrefixRewrite`); Envoy: `source/common/router/config_impl.cc`, `finalizePathHeader`.
fn rewritten(action: &RouteAction, route: &HttpRoute, matches: Option<&HttpMatch>) -> RouteAction {
    let mut action = action.clone();
    let uri = route.rewrite.as_ref().and_then(|rewrite| rewrite.value.uri.as_ref());
    let RouteAction::Forward(forward) = &mut action else {
        return action;
    };
    let Some(uri) = uri.filter(|uri| !uri.value.is_empty() && forward.regex_rewrite.is_none()) else {
        return action;
    };
    let wanted = matches.and_then(|matches| matches.uri.as_ref()).map(|uri| &uri.value);
    let ignore_case = matches.is_some_and(|matches| matches.ignore_uri_case == Some(true));
    forward.rewrite = match wanted {
        Some(wanted) if wanted.exact.is_some() || wanted.regex.is_some() => {
            PathRewrite::ReplaceAll(uri.value.as_str().into())
        }
        wanted => {
            let from = wanted.and_then(|wanted| wanted.prefix.as_ref()).map_or("/", |prefix| prefix.value.as_str());
            PathRewrite::ReplacePrefix { from: from.into(), to: uri.value.as_str().into(), ignore_case }
        }
    };
    action
}

/// Destinations of copies.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `MirrorPercent`, `MirrorPercentByPolicy`.
fn mirrors(route: &HttpRoute) -> impl Iterator<Item = &Spanned<Destination>> {
    let percent = route.mirror_percentage.map(|percent| percent.value.unwrap_or(0.0));
    #[expect(clippy::cast_precision_loss, reason = "percentages are small")]
    let older = route.mirror_percent.map(|percent| percent as f64);
    let one = route.mirror.as_deref().filter(move |_| percent.or(older).unwrap_or(100.0) > 0.0);
    let several = route
        .mirrors
        .iter()
        .flat_map(|mirrors| &mirrors.value)
        .filter(|mirror| mirror.value.percentage.is_none_or(|percent| percent.value.unwrap_or(0.0) > 0.0));
    one.into_iter().chain(several.filter_map(|mirror| mirror.value.destination.as_ref()))
}

/// The share of requests that a fault aborts.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `TranslateFault`.
fn abort(route: &HttpRoute) -> Abort {
    let fault = route.fault.as_ref().and_then(|fault| fault.value.abort.as_ref());
    match fault.and_then(|abort| abort.percentage).map(|percent| percent.value.unwrap_or(0.0)) {
        Some(percent) if percent >= 100.0 => Abort::Always,
        Some(percent) if percent > 0.0 => Abort::Sometimes,
        _ => Abort::Never,
    }
}
