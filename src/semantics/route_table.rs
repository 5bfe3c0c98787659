//! Route tables: virtual hosts with routes in order, and both readings of which route a request takes.

use super::concrete::Seen;
use super::decision::{By, Cause, CauseKind};
use super::destination::Target;
use super::host_name;
use super::judgement::{Ending, Verdict};
use crate::model::{HttpMatch, ObjectId, StringMatch};
use crate::space::{Cube, Dimension, PathRewrite, PathTest, Pattern, Test};
use crate::text::{Span, Spanned};

/// The route table of one listener.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    /// In Envoy's order of look-up; each domain once
    pub hosts: Vec<VirtualHost>,
    /// Every route of every host; [`Verdict::Forward`] counts into it
    pub routes: Vec<Route>,
}

/// A virtual host: one domain and its routes.
#[derive(Debug, Clone)]
pub struct VirtualHost {
    /// Lower-case; `*` is everything
    pub domain: String,
    /// Indexes into [`RouteTable::routes`], first match wins
    pub routes: Vec<usize>,
    /// Plaintext requests are redirected before any route
    pub require_tls: bool,
}

/// A route: what it matches and what it does.
#[derive(Debug, Clone)]
pub struct Route {
    /// The virtual service it comes from; `None` for a Service's own default route
    pub virtual_service: Option<ObjectId>,
    /// What must hold; `None` for everything
    pub matches: Option<HttpMatch>,
    /// What happens
    pub action: RouteAction,
    /// The match, or the route without one
    pub span: Span,
}

/// What a route does.
#[derive(Debug, Clone)]
pub enum RouteAction {
    /// Answered by the proxy
    Answer(By),
    /// Sent on
    Forward(Forward),
    /// Not known
    Unknown(Cause),
}

/// Where a route sends requests, and what it makes of them.
#[derive(Debug, Clone)]
pub struct Forward {
    /// One of them gets the request
    pub targets: Vec<Target>,
    /// Each gets a copy
    pub mirrors: Vec<Target>,
    /// What becomes of the path
    pub rewrite: PathRewrite,
    /// Regular expression and replacement, where those rewrite the path
    pub regex_rewrite: Option<(String, String)>,
    /// What becomes of the authority
    pub authority: Option<String>,
    /// Headers replaced
    pub set: Vec<(String, String)>,
    /// Headers appended
    pub add: Vec<(String, String)>,
    /// Headers removed
    pub remove: Vec<String>,
    /// Whether some requests, or all, are aborted
    pub abort: Abort,
}

/// The share of requests that a fault aborts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abort {
    /// None
    Never,
    /// Some
    Sometimes,
    /// All
    Always,
}

impl RouteTable {
    /// Adds a route to the virtual host of a domain.
    pub(crate) fn push(&mut self, domain: &str, route: Route) {
        let index = self.routes.len();
        self.routes.push(route);
        self.host(domain).routes.push(index);
    }

    /// The virtual host of a domain, made if it is not there.
    pub(crate) fn host(&mut self, domain: &str) -> &mut VirtualHost {
        let domain = domain.to_ascii_lowercase();
        let known = self.hosts.iter().position(|host| host.domain == domain);
        let index = known.unwrap_or_else(|| {
            self.hosts.push(VirtualHost { domain, routes: Vec::new(), require_tls: false });
            self.hosts.len() - 1
        });
        self.hosts.get_mut(index).expect("found or pushed just now")
    }

    /// Puts routes that match everything behind the others, and hosts in the order of look-up.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `SortVHostRoutes`.
    pub(crate) fn sort(&mut self) {
        let routes = &self.routes;
        for host in &mut self.hosts {
            host.routes.sort_by_key(|index| routes.get(*index).is_some_and(is_catch_all));
        }
        self.hosts.sort_by_key(|host| host_name::specificity(&host.domain));
    }

    /// The table as cubes with what becomes of them, first match wins.
    ///
    /// # Upstream
    /// Envoy: `source/common/router/config_impl.cc`, `RouteMatcher::route`.
    pub(crate) fn cubes(&self, plaintext: bool) -> Vec<(Cube, Verdict)> {
        let mut rows = Vec::new();
        for host in &self.hosts {
            let Some(domain) = domain_cube(&host.domain) else {
                continue;
            };
            if host.require_tls && plaintext {
                rows.push((domain, Verdict::End(Ending::denied(By::Redirect, None))));
                continue;
            }
            for index in &host.routes {
                let Some(route) = self.routes.get(*index) else {
                    continue;
                };
                let verdict = match &route.action {
                    RouteAction::Answer(by) => Verdict::End(Ending::denied(*by, None)),
                    RouteAction::Forward(_) => Verdict::Forward(*index),
                    RouteAction::Unknown(cause) => Verdict::End(Ending::undetermined(cause.clone())),
                };
                let matched = route.matches.as_ref().map_or(Ok(Cube::default()), match_cube);
                match matched {
                    Ok(cube) => rows.push((domain.and(&cube), verdict)),
                    Err(cause) => rows.push((domain.clone(), Verdict::End(Ending::undetermined(cause)))),
                }
            }
            rows.push((domain, Verdict::End(Ending::denied(By::NoRoute, None))));
        }
        rows.push((Cube::default(), Verdict::End(Ending::denied(By::NoRoute, None))));
        rows
    }

    /// The route that one request takes: its index, or how it ends.
    pub(crate) fn route_of(&self, seen: &Seen, plaintext: bool) -> Verdict {
        let host = self.hosts.iter().find(|host| host_name::domain_matches(&host.domain, &seen.authority));
        let Some(host) = host else {
            return Verdict::End(Ending::denied(By::NoRoute, None));
        };
        if host.require_tls && plaintext {
            return Verdict::End(Ending::denied(By::Redirect, None));
        }
        for index in &host.routes {
            let Some(route) = self.routes.get(*index) else {
                continue;
            };
            match route.matches.as_ref().map_or(Ok(true), |matches| super::concrete::route_matches(matches, seen)) {
                Ok(false) => {}
                Err(cause) => return Verdict::End(Ending::undetermined(cause)),
                Ok(true) => {
                    return match &route.action {
                        RouteAction::Answer(by) => Verdict::End(Ending::denied(*by, None)),
                        RouteAction::Forward(_) => Verdict::Forward(*index),
                        RouteAction::Unknown(cause) => Verdict::End(Ending::undetermined(cause.clone())),
                    };
                }
            }
        }
        Verdict::End(Ending::denied(By::NoRoute, None))
    }
}

/// The requests whose authority belongs to a domain. `None`: no authority does.
fn domain_cube(domain: &str) -> Option<Cube> {
    match host_name::domain_regex(domain) {
        None => Some(Cube::default()),
        Some(regex) => {
            let pattern = Pattern::regex(&regex).ok()?;
            Some(Cube::default().any(Dimension::Authority, vec![pattern]))
        }
    }
}

/// Whether a route takes every request: any path, and no further condition.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `IsCatchAllRoute`.
pub(crate) fn is_catch_all(route: &Route) -> bool {
    route.matches.as_ref().is_none_or(is_catch_all_match)
}

/// Whether a match takes every request, in istiod's own narrow sense.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `IsCatchAllRoute`.
pub(crate) fn is_catch_all_match(matches: &HttpMatch) -> bool {
    let any_path = matches.uri.as_ref().is_none_or(|uri| {
        let uri = &uri.value;
        let prefix = uri.prefix.as_ref().is_some_and(|prefix| prefix.value == "/");
        let regex = uri.regex.as_ref().is_some_and(|regex| regex.value == ".*");
        prefix || regex || (uri.exact.is_none() && uri.prefix.is_none() && uri.regex.is_none())
    });
    let free = |map: &Option<std::collections::BTreeMap<Spanned<String>, Option<Spanned<StringMatch>>>>| {
        map.as_ref().is_none_or(std::collections::BTreeMap::is_empty)
    };
    any_path
        && matches.method.is_none()
        && matches.scheme.is_none()
        && matches.authority.is_none()
        && free(&matches.headers)
        && free(&matches.query_params)
        && free(&matches.without_headers)
}

/// The requests that a match takes, static conditions aside.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `TranslateRouteMatch`.
pub(crate) fn match_cube(matches: &HttpMatch) -> Result<Cube, Cause> {
    let mut cube = Cube::default();
    if let Some(uri) = &matches.uri
        && let Some(pattern) = uri_pattern(&uri.value, matches.ignore_uri_case == Some(true))?
    {
        cube.path.push(PathTest { any_of: Some(vec![pattern]), none_of: Vec::new() });
    }
    let pseudo = [
        (Dimension::Method, &matches.method),
        (Dimension::Scheme, &matches.scheme),
        (Dimension::Authority, &matches.authority),
    ];
    for (dimension, wanted) in pseudo {
        if let Some(wanted) = wanted {
            cube.tests.push(any_test(dimension, string_pattern(&wanted.value)?));
        }
    }
    for (name, wanted) in matches.headers.iter().flatten() {
        cube.tests.push(any_test(header_dimension(name)?, value_pattern(wanted.as_ref())?));
    }
    for (name, wanted) in matches.query_params.iter().flatten() {
        let dimension = Dimension::Query(name.value.as_str().into());
        cube.tests.push(any_test(dimension, value_pattern(wanted.as_ref())?));
    }
    for (name, unwanted) in matches.without_headers.iter().flatten() {
        cube.tests.push(without_header(name, unwanted.as_ref())?);
    }
    Ok(cube)
}

/// Some value matches.
fn any_test(dimension: Dimension, pattern: Pattern) -> Test {
    Test { dimension, any_of: Some(vec![pattern]), none_of: Vec::new() }
}

/// A header that must not match. A missing one counts as empty, unless only presence is asked.
fn without_header(name: &Spanned<String>, unwanted: Option<&Spanned<StringMatch>>) -> Result<Test, Cause> {
    let dimension = header_dimension(name)?;
    let pattern = value_pattern(unwanted)?;
    let takes_empty = pattern != Pattern::Any && pattern.matches("");
    let any_of = takes_empty.then(|| vec![Pattern::Any]);
    Ok(Test { dimension, any_of, none_of: vec![pattern] })
}

/// The dimension that a header name stands for.
fn header_dimension(name: &Spanned<String>) -> Result<Dimension, Cause> {
    let lower = name.value.to_ascii_lowercase();
    match lower.as_str() {
        ":method" => Ok(Dimension::Method),
        ":authority" | "host" => Ok(Dimension::Authority),
        ":scheme" => Ok(Dimension::Scheme),
        ":path" => Err(unmodelled(name, "`:path` together with its query")),
        claims if claims.starts_with("@request.auth.claims") => Err(unmodelled(name, "routing by claims")),
        _ => Ok(Dimension::Header(lower.into())),
    }
}

/// The cause of a condition that is not modelled.
pub(crate) fn unmodelled(name: &Spanned<String>, what: &str) -> Cause {
    Cause {
        kind: CauseKind::UnmodelledCondition,
        message: format!("{what} is not modelled yet"),
        span: Some(name.span),
    }
}

/// The paths that a `uri` takes; `None` for any.
fn uri_pattern(uri: &StringMatch, ignore_case: bool) -> Result<Option<Pattern>, Cause> {
    let pattern = match (&uri.exact, &uri.prefix, &uri.regex) {
        (Some(exact), ..) if ignore_case => Pattern::ExactIgnoreCase(exact.value.as_str().into()),
        (Some(exact), ..) => Pattern::Exact(exact.value.as_str().into()),
        (_, Some(prefix), _) if ignore_case => Pattern::PrefixIgnoreCase(prefix.value.as_str().into()),
        (_, Some(prefix), _) => Pattern::Prefix(prefix.value.as_str().into()),
        (_, _, Some(regex)) => regex_pattern(regex)?,
        (None, None, None) => return Ok(None),
    };
    Ok(Some(pattern))
}

/// The values that an exact, prefix or regular expression takes.
fn string_pattern(wanted: &StringMatch) -> Result<Pattern, Cause> {
    match (&wanted.exact, &wanted.prefix, &wanted.regex) {
        (Some(exact), ..) => Ok(Pattern::Exact(exact.value.as_str().into())),
        (_, Some(prefix), _) => Ok(Pattern::Prefix(prefix.value.as_str().into())),
        (_, _, Some(regex)) => regex_pattern(regex),
        (None, None, None) => Ok(Pattern::Any),
    }
}

/// As [`string_pattern`], where nothing and the regular expression `*` ask for presence.
fn value_pattern(wanted: Option<&Spanned<StringMatch>>) -> Result<Pattern, Cause> {
    match wanted {
        Some(wanted) if wanted.value.regex.as_ref().is_none_or(|regex| regex.value != "*") => {
            string_pattern(&wanted.value)
        }
        _ => Ok(Pattern::Any),
    }
}

/// A regular expression, or why it cannot be judged.
fn regex_pattern(regex: &Spanned<String>) -> Result<Pattern, Cause> {
    Pattern::regex(&regex.value).map_err(|error| Cause {
        kind: CauseKind::Regex,
        message: format!("the regular expression `{}` cannot be judged: {error}", regex.value),
        span: Some(regex.span),
    })
}
