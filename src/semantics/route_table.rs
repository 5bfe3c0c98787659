//! Route tables: virtual hosts with routes in order, and both readings of which route a request takes.

use std::collections::HashMap;
use std::sync::Arc;

use super::answer::PASSED_OVER;
use super::concrete::{Remark, Seen, answers_preflight, route_mismatch};
use super::decision::{By, Cause, CauseKind};
use super::forward::{Abort, Forward};
use super::host_name;
use super::http_route::Preflight;
use super::judgement::{Ending, Verdict};
use super::route_match::{is_catch_all_match, match_cube, preflight_cube};
use crate::model::{HttpMatch, ObjectId};
use crate::space::{Cube, Dimension, Pattern};
use crate::text::Span;

/// The route table of one listener.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouteTable {
    /// In Envoy's order of look-up; each domain once
    pub hosts: Vec<VirtualHost>,
    /// Their places by domain
    places: HashMap<String, usize>,
    /// Every route of every host; [`Verdict::Forward`] counts into it
    pub routes: Vec<Route>,
}

/// A virtual host: one domain and its routes.
#[derive(Debug, Clone, PartialEq)]
pub struct VirtualHost {
    /// Lower-case; `*` is everything
    pub domain: String,
    /// Indexes into [`RouteTable::routes`], first match wins
    pub routes: Vec<usize>,
    /// Plaintext requests are redirected before any route
    pub require_tls: bool,
}

/// A route: what it matches and what it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The virtual service it comes from; `None` for a Service's own default route
    pub virtual_service: Option<Arc<ObjectId>>,
    /// What must hold; `None` for everything
    pub matches: Option<HttpMatch>,
    /// What must hold as well, where it stands for requests that two routes take and nobody knows which comes first
    pub rival: Option<Box<HttpMatch>>,
    /// Server names of TLS that must be asked for; empty: any
    pub sni: Vec<String>,
    /// Preflights that are answered before anything else happens
    pub preflight: Option<Preflight>,
    /// What happens
    pub action: RouteAction,
    /// The match, or the route without one
    pub span: Span,
}

/// What a route does.
#[derive(Debug, Clone, PartialEq)]
pub enum RouteAction {
    /// Answered by the proxy
    Answer(By),
    /// Sent on
    Forward(Forward),
    /// Not known
    Unknown(Cause),
}

impl RouteTable {
    /// The table of one route for everything.
    pub(crate) fn of(route: Route) -> Self {
        let mut table = Self::default();
        table.push("*", route);
        table
    }

    /// Whether a virtual host of this table takes the same requests in another one, and does the same with them.
    pub(crate) fn shares(&self, host: &VirtualHost, other: &Self) -> bool {
        let domains = |table: &Self| table.hosts.iter().map(|host| host.domain.clone()).collect::<Vec<_>>();
        let twin = other.hosts.iter().find(|twin| twin.domain == host.domain);
        twin.is_some_and(|twin| {
            let own = host.routes.iter().map(|index| self.routes.get(*index));
            let theirs = twin.routes.iter().map(|index| other.routes.get(*index));
            host.require_tls == twin.require_tls && own.eq(theirs) && domains(self) == domains(other)
        })
    }

    /// Adds a route to the virtual host of a domain.
    pub(crate) fn push(&mut self, domain: &str, route: Route) {
        let index = self.routes.len();
        self.routes.push(route);
        self.host(domain).routes.push(index);
    }

    /// Adds a route to the virtual host of a domain, before all others, in a table that is sorted already.
    pub(crate) fn push_front(&mut self, domain: &str, route: Route) {
        let index = self.routes.len();
        self.routes.push(route);
        self.host(domain).routes.insert(0, index);
        self.order_hosts();
    }

    /// Adds a route to the virtual host of a domain, before another one of it.
    pub(crate) fn push_before(&mut self, domain: &str, route: Route, other: usize) {
        let index = self.routes.len();
        self.routes.push(route);
        let routes = &mut self.host(domain).routes;
        let place = routes.iter().position(|known| *known == other).unwrap_or(routes.len());
        routes.insert(place, index);
    }

    /// Adds routes to the virtual host of a domain.
    pub(crate) fn push_all(&mut self, domain: &str, routes: &[Route]) {
        for route in routes {
            self.push(domain, route.clone());
        }
    }

    /// The virtual host of a domain, made if it is not there.
    pub(crate) fn host(&mut self, domain: &str) -> &mut VirtualHost {
        let domain = domain.to_ascii_lowercase();
        let hosts = &mut self.hosts;
        let index = *self.places.entry(domain).or_insert_with_key(|domain| {
            hosts.push(VirtualHost { domain: domain.clone(), routes: Vec::new(), require_tls: false });
            hosts.len() - 1
        });
        self.hosts.get_mut(index).expect("found or pushed just now")
    }

    /// Puts routes that match everything behind the others, and hosts in the order of look-up.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `SortVHostRoutes`.
    pub(crate) fn sort(&mut self) {
        // A table is kept as long as its world.
        self.routes.shrink_to_fit();
        self.hosts.shrink_to_fit();
        let routes = &self.routes;
        for host in &mut self.hosts {
            host.routes.sort_by_key(|index| routes.get(*index).is_some_and(is_catch_all));
        }
        self.order_hosts();
    }

    /// Puts hosts in the order of look-up.
    fn order_hosts(&mut self) {
        self.hosts.sort_by_key(|host| host_name::specificity(&host.domain));
        let places = self.hosts.iter().enumerate();
        self.places = places.map(|(place, host)| (host.domain.clone(), place)).collect();
    }

    /// The table as cubes with what becomes of them, first match wins.
    ///
    /// # Upstream
    /// Envoy: `source/common/router/config_impl.cc`, `RouteMatcher::route`.
    pub(crate) fn cubes(&self, plaintext: bool) -> Vec<(Cube, Verdict)> {
        let mut rows = Vec::new();
        for host in &self.hosts {
            let domain = domain_cube(&host.domain);
            if host.require_tls && plaintext {
                rows.push((domain, Verdict::End(Ending::denied(By::Redirect, None))));
                continue;
            }
            for index in &host.routes {
                if let Some(route) = self.routes.get(*index) {
                    route.rows(*index, &domain, &mut rows);
                }
            }
            rows.push((domain, Verdict::End(Ending::denied(By::NoRoute, None))));
        }
        rows.push((Cube::default(), Verdict::End(Ending::denied(By::NoRoute, None))));
        rows
    }

    /// The route that one request takes, its index or how it ends, and what was looked at on the way.
    pub(crate) fn route_of(&self, seen: &Seen, plaintext: bool, remarks: &mut Vec<Remark>) -> Verdict {
        let host = self.hosts.iter().find(|host| host_name::domain_matches(&host.domain, &seen.authority));
        let Some(host) = host else {
            remarks.push((format!("no virtual host is for `{}`", seen.authority), None));
            return Verdict::End(Ending::denied(By::NoRoute, None));
        };
        if self.hosts.len() > 1 || host.domain != "*" {
            remarks.push((format!("the virtual host `{}` takes `{}`", host.domain, seen.authority), None));
        }
        if host.require_tls && plaintext {
            remarks.push(("plaintext is redirected to TLS".to_owned(), None));
            return Verdict::End(Ending::denied(By::Redirect, None));
        }
        for index in &host.routes {
            let Some(route) = self.routes.get(*index) else {
                continue;
            };
            match route.mismatch(seen) {
                Ok(Some(_)) if route.rival.is_some() => {}
                Ok(Some(why)) => remarks.push((format!("{} {PASSED_OVER}: {why}", route.name()), Some(route.span))),
                Err(cause) => return Verdict::End(Ending::undetermined(cause)),
                Ok(None) => return route.verdict(*index, seen),
            }
        }
        Verdict::End(Ending::denied(By::NoRoute, None))
    }

    /// Why Envoy takes nothing of the table, if so.
    pub(crate) fn refusal(&self) -> Option<Cause> {
        let refused = |cause: &Cause| cause.kind == CauseKind::RefusedConfiguration;
        self.routes.iter().find_map(|route| {
            let by_action = match &route.action {
                RouteAction::Unknown(cause) => Some(cause.clone()),
                RouteAction::Answer(_) | RouteAction::Forward(_) => None,
            };
            let by_match = || route.cube().1;
            by_action.filter(refused).or_else(|| by_match().filter(refused))
        })
    }
}

impl Route {
    /// A route of no virtual service that takes everything.
    pub(crate) fn of(action: RouteAction, span: Span) -> Self {
        Self { virtual_service: None, matches: None, rival: None, sni: Vec::new(), preflight: None, action, span }
    }

    /// What it is called in remarks.
    fn name(&self) -> String {
        self.virtual_service
            .as_ref()
            .map_or_else(|| "the Service's own route".to_owned(), |id| format!("a route of {id}"))
    }

    /// Whether its fault aborts everything before any other filter behind the policies is asked.
    fn always_aborts(&self) -> bool {
        matches!(&self.action, RouteAction::Forward(forward) if forward.abort == Abort::Always)
    }

    /// The requests that it takes, and why it may be others.
    pub(crate) fn cube(&self) -> (Cube, Option<Cause>) {
        let (cube, doubt) = self.matches.as_ref().map_or((Cube::default(), None), match_cube);
        let Some(rival) = &self.rival else { return (cube, doubt) };
        let (other, more) = match_cube(rival);
        (cube.and(&other), doubt.or(more))
    }

    /// Appends what becomes of its requests within a virtual host.
    fn rows(&self, index: usize, domain: &Cube, rows: &mut Vec<(Cube, Verdict)>) {
        let (mut cube, doubt) = self.cube();
        if !self.sni.is_empty() {
            cube = cube.any(Dimension::Sni, self.sni.iter().map(|host| sni_pattern(host)).collect());
        }
        let cube = domain.and(&cube);
        if let Some(cause) = doubt {
            rows.push((cube, Verdict::End(Ending::undetermined(cause))));
            return;
        }
        if let Some(preflight) = self.preflight.as_ref().filter(|_| !self.always_aborts()) {
            let (answered, doubt) = preflight_cube(preflight);
            let ending = doubt.map_or_else(|| Ending::denied(By::DirectResponse, None), Ending::undetermined);
            rows.push((cube.and(&answered), Verdict::End(ending)));
        }
        rows.push((cube, self.action.verdict(index)));
    }

    /// Why it does not take a request, if so.
    fn mismatch(&self, seen: &Seen) -> Result<Option<String>, Cause> {
        if !self.sni.is_empty() {
            let asked = seen.sni.as_deref().unwrap_or_default();
            if !self.sni.iter().any(|host| host_name::covers(host, asked)) {
                return Ok(Some(format!("the server name is not one of {}", self.sni.join(", "))));
            }
        }
        for matches in self.matches.iter().chain(self.rival.as_deref()) {
            if let Some(why) = route_mismatch(matches, seen)? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// What becomes of a request that it takes.
    fn verdict(&self, index: usize, seen: &Seen) -> Verdict {
        if let Some(preflight) = self.preflight.as_ref().filter(|_| !self.always_aborts()) {
            match answers_preflight(preflight, seen) {
                Ok(true) => return Verdict::End(Ending::denied(By::DirectResponse, None)),
                Ok(false) => {}
                Err(cause) => return Verdict::End(Ending::undetermined(cause)),
            }
        }
        self.action.verdict(index)
    }
}

impl RouteAction {
    /// What becomes of the requests of the route of an index.
    fn verdict(&self, index: usize) -> Verdict {
        match self {
            Self::Answer(by) => Verdict::End(Ending::denied(*by, None)),
            Self::Forward(_) => Verdict::Forward(index),
            Self::Unknown(cause) => Verdict::End(Ending::undetermined(cause.clone())),
        }
    }
}

/// The server names that a host of TLS stands for.
pub(crate) fn sni_pattern(host: &str) -> Pattern {
    match host.strip_prefix('*') {
        Some("") => Pattern::Any,
        Some(suffix) => Pattern::Suffix(suffix.into()),
        None => Pattern::Exact(host.into()),
    }
}

/// The requests whose authority belongs to a domain.
fn domain_cube(domain: &str) -> Cube {
    let patterns = host_name::domain_patterns(domain);
    patterns.map_or_else(Cube::default, |patterns| Cube::default().any(Dimension::Authority, patterns))
}

/// Whether a route takes every request: any path, and no further condition.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `IsCatchAllRoute`.
pub(crate) fn is_catch_all(route: &Route) -> bool {
    route.matches.iter().chain(route.rival.as_deref()).all(is_catch_all_match)
}
