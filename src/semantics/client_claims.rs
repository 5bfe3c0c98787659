//! Which virtual services stand in for which services of the port that a client dials.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::client::Dialling;
use super::client_hosts::OnPort;
use super::host_name;
use super::http_route::routes;
use super::protocol::Protocol;
use super::route_table::Route;
use super::virtual_service::full_hosts;
use crate::model::{Resource, VirtualService};

/// The routes of a virtual service that stand in for a name, with the virtual service.
pub(super) struct Claim<'a> {
    /// Who claims it
    pub(super) service: &'a Resource<VirtualService>,
    /// Its routes for this client, not empty
    pub(super) routes: Vec<Route>,
}

/// Hosts that are no services of the port, and their routes.
pub(super) struct Beyond<'c> {
    /// The hosts
    pub(super) hosts: Vec<String>,
    /// The routes
    pub(super) routes: &'c [Route],
}

/// The virtual services that give a client routes.
pub(super) struct Claims<'a> {
    /// The port that is dialled
    port: u16,
    /// The claims, in the order of their virtual services
    given: Vec<Claim<'a>>,
    /// What they name
    named: Names,
    /// Those of all virtual services that the client is bound to, with routes or without
    all: Names,
    /// The place of each claim among all virtual services
    places: Vec<usize>,
}

/// How narrowly a host is named: its rank, then its length.
type Narrow = (u8, Reverse<usize>);

/// The hosts of virtual services, by number.
#[derive(Default)]
struct Names {
    /// Whole names
    exact: FxHashMap<String, Vec<usize>>,
    /// Wildcards
    wild: Vec<(String, usize)>,
}

impl Names {
    /// The hosts of some virtual services.
    fn of<'a>(services: impl Iterator<Item = &'a Resource<VirtualService>>) -> Self {
        let mut names = Self::default();
        for (number, service) in services.enumerate() {
            for host in full_hosts(service) {
                let host = host.to_ascii_lowercase();
                if host.starts_with('*') {
                    names.wild.push((host, number));
                } else {
                    names.exact.entry(host).or_default().push(number);
                }
            }
        }
        names
    }

    /// Who names a host, and how narrowly: each once, in order.
    fn naming(&self, host: &str) -> Vec<(usize, Narrow)> {
        let exact = self.exact.get(host).into_iter().flatten().map(|number| (*number, host_name::specificity(host)));
        let wild = self.wild.iter().filter(|(known, _)| host_name::is_subset(host, known));
        let mut found: Vec<(usize, Narrow)> =
            exact.chain(wild.map(|(known, number)| (*number, host_name::specificity(known)))).collect();
        found.sort_unstable();
        found.dedup_by_key(|(number, _)| *number);
        found
    }

    /// Who names a host most narrowly, the first of several.
    fn narrowest(&self, host: &str) -> Option<usize> {
        self.naming(host).into_iter().min_by_key(|(_, narrow)| *narrow).map(|(number, _)| number)
    }
}

impl<'a> Claims<'a> {
    /// The virtual services that give a client routes where it dials some services of a port.
    pub(super) fn of(dialling: &Dialling<'a>, services: &[OnPort<'_>]) -> Self {
        let port = dialling.port.number;
        let known: BTreeSet<&str> = services.iter().map(|(service, _)| service.host.as_str()).collect();
        let wild: Vec<&str> = known.iter().copied().filter(|host| host.starts_with('*')).collect();
        let is_known = |host: &str| match host.strip_prefix('*') {
            None => known.contains(host) || wild.iter().any(|service| host_name::is_subset(host, service)),
            Some(_) => known.iter().any(|service| host_name::overlap(host, service)),
        };
        let concerned = |service: &Resource<VirtualService>| {
            port == 80 || full_hosts(service).iter().any(|host| is_known(&host.to_ascii_lowercase()))
        };
        let bound = dialling.virtual_services.iter().enumerate().filter(|(_, service)| concerned(service));
        let (places, given): (Vec<usize>, Vec<Claim<'a>>) = bound
            .map(|(place, service)| {
                (place, Claim { service, routes: routes(dialling.world, service, dialling.router()) })
            })
            .filter(|(_, claim)| !claim.routes.is_empty())
            .unzip();
        let named = Names::of(given.iter().map(|claim| claim.service));
        let all = Names::of(dialling.virtual_services.iter().copied());
        Self { port, given, named, all, places }
    }

    /// The virtual services that claim a service, the one that counts first: exact names before wildcards, longer
    /// wildcards before shorter ones, then by order.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `separateVSHostsAndServices`;
    /// `pilot/pkg/model/sidecar.go`, `computeWildcardHostVirtualServiceIndex` (which counts those without routes too).
    pub(super) fn of_service(&self, host: &str) -> Vec<&Claim<'a>> {
        let mut found = self.named.naming(host);
        let narrowest = found.iter().map(|(_, narrow)| *narrow).min();
        found.retain(|(_, narrow)| Some(*narrow) == narrowest);
        // A wildcard counts only for the virtual service that is narrowest of all, with routes or without.
        let exact = narrowest.is_some_and(|(rank, _)| rank == 0);
        let best = if exact { None } else { self.all.narrowest(host) };
        let counts = |number: &usize| exact || (best.is_some() && self.places.get(*number).copied() == best);
        let numbers = found.into_iter().map(|(number, _)| number).filter(counts);
        numbers.filter_map(|number| self.given.get(number)).collect()
    }

    /// The hosts of virtual services that are no services of the port. They are served on port 80, and wherever their
    /// virtual service stands in for a service of the port: one that it names in full, also where an older one counts, or
    /// one that no other names more narrowly.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `separateVSHostsAndServices`.
    pub(super) fn beyond_services(&self, services: &[OnPort<'_>]) -> Vec<Beyond<'_>> {
        let mut serve: BTreeSet<usize> = BTreeSet::new();
        let of_http = services.iter().filter(|(_, port)| matches!(port.protocol, Protocol::Http | Protocol::Sniffed));
        for (service, _) in of_http.filter(|_| self.port != 80) {
            let naming = self.named.naming(&service.host);
            let best = if naming.is_empty() { None } else { self.all.narrowest(&service.host) };
            let stands_for = |(number, (rank, _)): &(usize, Narrow)| {
                *rank == 0 || (best.is_some() && self.places.get(*number).copied() == best)
            };
            serve.extend(naming.into_iter().filter(stands_for).map(|(number, _)| number));
        }
        let known: BTreeSet<&str> = services.iter().map(|(service, _)| service.host.as_str()).collect();
        let serving = self.given.iter().enumerate().filter(|(number, _)| self.port == 80 || serve.contains(number));
        let beyond = serving.map(|(_, claim)| {
            let hosts = full_hosts(claim.service).into_iter().filter(|host| !is_registered(&known, host));
            Beyond { hosts: hosts.collect(), routes: &claim.routes }
        });
        beyond.collect()
    }
}

/// Whether a host of a virtual service is a service of this port, or covers some.
fn is_registered(known: &BTreeSet<&str>, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    if host.starts_with('*') {
        known.iter().any(|service| host_name::is_subset(service, &host))
    } else {
        known.contains(host.as_str())
    }
}
