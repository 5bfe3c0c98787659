//! Proxies that route, gateways and clients' own sidecars: both readings of what they decide.

use super::authorization::{Next, ProxyPolicies, append_policies};
use super::authorization_policy::Chain;
use super::concrete::{ConcretePolicies, Passed, Remark, Seen};
use super::decision::{By, Cause};
use super::extension::{Extensions, Role, extensions};
use super::inbound::universe;
use super::judgement::{Ending, Judgement, JudgementBuilder, Verdict};
use super::namespace_reader::NamespaceReader;
use super::refused_configuration::refused_configuration;
use super::request_authentication::{JwtFilter, jwt_filter};
use super::route_table::{Forward, Route, RouteAction, RouteTable};
use super::workload_selector::{AttachedPolicies, Proxy, attached_policies};
use super::world::World;
use crate::model::Labels;
use crate::space::{Cube, Dimension, Pattern};

/// A proxy that routes, with everything static about it.
#[derive(Debug, Clone)]
pub struct RoutingProxy {
    /// `gateway NS/NAME` or `client NS/NAME`
    pub name: String,
    /// Identities that it may present to the next hop; `None` presents none
    pub identities: Vec<Option<String>>,
    /// Its namespace
    pub namespace: String,
    /// Labels of its pod
    pub labels: Labels,
    /// Port that it listens on, as policies see it
    pub port: u16,
    /// Whether requests come in plaintext
    pub plaintext: bool,
    /// Server names that TLS must ask for; empty: any, or no TLS
    pub sni_hosts: Vec<String>,
    /// Where requests go
    pub table: RouteTable,
    /// Why nothing can be said, if so
    pub unknown: Option<Cause>,
    /// Whether policies stand here: at gateways, not at clients
    pub(super) guarded: bool,
}

/// What stands at a proxy that routes.
struct Standing<'a> {
    /// The policies in force
    attached: AttachedPolicies<'a>,
    /// The JWT filter
    jwt: JwtFilter,
    /// Filters from elsewhere
    extensions: Extensions,
}

impl RoutingProxy {
    /// What stands here: policies at a gateway, nothing at a client.
    fn standing<'a>(&self, world: &'a World) -> Standing<'a> {
        if !self.guarded {
            return Standing {
                attached: AttachedPolicies::default(),
                jwt: JwtFilter::default(),
                extensions: Extensions::default(),
            };
        }
        let proxy = Proxy { namespace: &self.namespace, labels: &self.labels };
        let attached = attached_policies(&world.mesh, proxy);
        let mut extensions = extensions(&world.mesh, proxy, Role::Gateway, &|id| world.is_trusted(id));
        extensions.may_change = refused_configuration(&attached).or(extensions.may_change);
        Standing { attached, jwt: jwt_filter(&world.mesh, proxy), extensions }
    }

    /// What happens to all requests here: how they end, or which route they take.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/listener_builder.go`, `buildHTTPConnectionManager`.
    pub fn judgement(&self, world: &World) -> Judgement {
        let mut builder = JudgementBuilder::default();
        let standing = self.standing(world);
        let reader = NamespaceReader::new(world, &self.namespace);
        let mut universe = universe(&reader, Chain::Http);
        standing.jwt.restrict(&mut universe);
        let unknown = self.unknown.clone().or_else(|| standing.extensions.may_change.clone());
        if let Some(cause) = unknown {
            return builder.finish(&Ending::undetermined(cause), universe);
        }
        if !self.sni_hosts.is_empty() {
            let asked = |host: &String| match host.strip_prefix('*') {
                Some(suffix) => Pattern::Suffix(suffix.into()),
                None => Pattern::Exact(host.as_str().into()),
            };
            let served: Vec<Pattern> = self.sni_hosts.iter().map(asked).collect();
            builder.end([Cube::default().none(Dimension::Sni, served)], &Ending::denied(By::Closed, None));
        }
        // A gateway server that asks for no certificate sees no identity.
        if self.guarded {
            builder.impossible([Cube::default().any(Dimension::Peer, vec![Pattern::Any])]);
        }
        let scheme = if self.plaintext { "https" } else { "http" };
        builder.impossible([Cube::default().any(Dimension::Scheme, vec![Pattern::Exact(scheme.into())])]);
        let rows: Vec<(Cube, Verdict)> = self.table.cubes(self.plaintext);
        let policies = ProxyPolicies {
            mesh: &world.mesh,
            attached: &standing.attached,
            chain: Chain::Http,
            jwt: &standing.jwt,
            extensions: &standing.extensions,
            reader: &reader,
        };
        let default = append_policies(&mut builder, &policies, &Next::Routes(rows));
        let mut judgement = builder.finish(&default, universe);
        judgement.list = judgement.list.specialise(&Dimension::Port, &[&self.port.to_string()]);
        judgement
    }

    /// What happens to one request here, and how.
    ///
    /// # Upstream
    /// istio/istio 1.32: as [`Self::judgement`], whose second reading this is.
    pub fn decide(&self, world: &World, seen: &Seen) -> (Verdict, Vec<Remark>) {
        let mut remarks = Vec::new();
        let standing = self.standing(world);
        let unknown = self.unknown.clone().or_else(|| standing.extensions.may_change.clone());
        if let Some(cause) = unknown {
            remarks.push((cause.message.clone(), cause.span));
            return (Verdict::End(Ending::undetermined(cause)), remarks);
        }
        let served = |host: &String| {
            let sni = seen.sni.as_deref().unwrap_or_default();
            match host.strip_prefix('*') {
                Some(suffix) => sni.ends_with(suffix),
                None => sni == host,
            }
        };
        if !self.sni_hosts.is_empty() && !self.sni_hosts.iter().any(served) {
            remarks.push(("no server has this server name".to_owned(), None));
            return (Verdict::End(Ending::denied(By::Closed, None)), remarks);
        }
        let policies = ConcretePolicies {
            mesh: &world.mesh,
            attached: &standing.attached,
            jwt: &standing.jwt,
            extensions: &standing.extensions,
            seen,
        };
        let unless = match policies.decide(&mut remarks) {
            Passed::Ends(ending) => return (Verdict::End(ending), remarks),
            Passed::Through { unless, .. } => unless,
        };
        let verdict = self.table.route_of(seen, self.plaintext);
        self.remark(&verdict, &mut remarks);
        let verdict = match (unless, verdict) {
            // What the proxy answers by itself it answers whoever else might refuse.
            (Some(_), Verdict::End(end)) if end.by.is_some() => Verdict::End(end),
            (Some(cause), _) => Verdict::End(Ending::undetermined(cause)),
            (None, verdict) => verdict,
        };
        (verdict, remarks)
    }

    /// Says which route was taken.
    fn remark(&self, verdict: &Verdict, remarks: &mut Vec<Remark>) {
        match verdict {
            Verdict::Forward(index) => {
                if let Some(route) = self.table.routes.get(*index) {
                    let what = match &route.virtual_service {
                        Some(service) => format!("{service} takes it"),
                        None => "the Service's own route takes it".to_owned(),
                    };
                    remarks.push((what, Some(route.span)));
                }
            }
            Verdict::End(ending) => match ending.by {
                Some(By::NoRoute) => remarks.push(("no route takes it".to_owned(), None)),
                Some(By::Redirect) => remarks.push(("it is answered with a redirect".to_owned(), None)),
                Some(_) => remarks.push(("the proxy answers by itself".to_owned(), None)),
                None => {
                    if let Some(cause) = &ending.cause {
                        remarks.push((cause.message.clone(), cause.span));
                    }
                }
            },
        }
    }

    /// The route of an index, if it sends requests on.
    pub fn forward(&self, index: usize) -> Option<(&Route, &Forward)> {
        let route = self.table.routes.get(index)?;
        match &route.action {
            RouteAction::Forward(forward) => Some((route, forward)),
            RouteAction::Answer(_) | RouteAction::Unknown(_) => None,
        }
    }
}
