//! Proxies that route, gateways and clients' own sidecars: both readings of what they decide.

use super::authorization::{Next, ProxyPolicies, append_policies};
use super::authorization_policy::Chain;
use super::concrete::{ConcretePolicies, Passed, Remark, Seen};
use super::decision::{By, Cause};
use super::extension::{Extensions, Role, extensions};
use super::forward::Forward;
use super::host_name;
use super::inbound::universe;
use super::judgement::{Ending, Judgement, JudgementBuilder, Verdict};
use super::namespace_reader::NamespaceReader;
use super::refused_configuration::refused_configuration;
use super::request_authentication::{JwtFilter, jwt_filter};
use super::route_table::{Route, RouteAction, RouteTable, sni_pattern};
use super::workload_selector::{AttachedPolicies, Proxy, attached_policies};
use super::world::World;
use crate::model::Labels;
use crate::space::{Cube, Dimension, Pattern};

/// A proxy that routes, with everything static about it: one filter chain of a listener.
#[derive(Debug, Clone)]
pub struct RoutingProxy {
    /// `gateway NS/NAME` or `client NS/NAME`
    pub name: String,
    /// Which of the chains of its listener it is; empty if there is but one
    pub chain_name: String,
    /// Identities that it may present to the next hop; `None` presents none
    pub identities: Vec<Option<String>>,
    /// Its namespace
    pub namespace: String,
    /// Labels of its pod
    pub labels: Labels,
    /// Port that it listens on, as policies see it
    pub port: u16,
    /// Whether it reads requests or passes bytes on
    pub chain: Chain,
    /// Whether requests come in plaintext
    pub plaintext: bool,
    /// Server names that TLS must ask for; empty: any, or no TLS
    pub sni_hosts: Vec<String>,
    /// Server names that lead to other chains of the listener; an empty one: all that are left
    pub(super) other_sni_hosts: Vec<String>,
    /// What it makes of client certificates
    pub(super) certificate: ClientCertificate,
    /// Where requests go
    pub table: RouteTable,
    /// Why nothing can be said, if so
    pub unknown: Option<Cause>,
    /// Whether policies stand here: at gateways, not at clients
    pub(super) guarded: bool,
}

/// What a proxy makes of client certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClientCertificate {
    /// It asks for none
    Ignored,
    /// It asks for one of the mesh
    Mesh,
    /// It asks for one that authorities outside of the input verify
    Foreign {
        /// Whether it takes nobody without
        required: bool,
        /// Why nobody can say whom it takes
        cause: Cause,
    },
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

    /// Whether filters of its own judge what passes.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `builtAutoPassthroughFilterChains` (no policies there).
    pub fn is_guarded(&self) -> bool {
        self.guarded
    }

    /// Whether it looks at client certificates.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/listener.go`, `BuildListenerTLSContext`.
    pub fn asks_for_certificate(&self) -> bool {
        self.certificate != ClientCertificate::Ignored
    }

    /// What happens to all requests here: how they end, or which route they take.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/listener_builder.go`, `buildHTTPConnectionManager`;
    /// `pilot/pkg/networking/core/gateway.go`, `buildGatewayTCPBasedFilterChains`.
    pub fn judgement(&self, world: &World) -> Judgement {
        let mut builder = JudgementBuilder::default();
        let standing = self.standing(world);
        let reader = NamespaceReader::new(world, &self.namespace);
        let mut universe = universe(&reader, self.chain);
        standing.jwt.restrict(&mut universe);
        let unknown = self.unknown.clone().or_else(|| standing.extensions.may_change.clone());
        if let Some(cause) = unknown {
            return builder.finish(&Ending::undetermined(cause), universe);
        }
        self.append_server_names(&mut builder);
        let refusing = self.append_certificates(&mut builder);
        if self.chain == Chain::Http {
            let scheme = if self.plaintext { "https" } else { "http" };
            builder.impossible([Cube::default().any(Dimension::Scheme, vec![Pattern::Exact(scheme.into())])]);
        }
        let rows: Vec<(Cube, Verdict)> = self.table.cubes(self.plaintext);
        let policies = ProxyPolicies {
            world,
            attached: &standing.attached,
            chain: self.chain,
            jwt: &standing.jwt,
            extensions: &standing.extensions,
            unadmitted: &[],
            reader: &reader,
        };
        let mut passing = JudgementBuilder::default();
        let default = append_policies(&mut passing, &policies, &Next::Routes(rows));
        match refusing {
            None => builder.append(passing),
            // Whoever shows a certificate passes only if an authority says so that is not in the input.
            Some((shown, cause)) => builder.append_doubting(passing, &shown, &cause),
        }
        let mut judgement = builder.finish(&default, universe);
        super::inbound::exclude_stray_claims(&mut judgement, &standing.jwt);
        judgement.list = judgement.list.specialise(&Dimension::Port, &[&self.port.to_string()]);
        judgement
    }

    /// Appends which server names are served elsewhere, and which nowhere.
    fn append_server_names(&self, builder: &mut JudgementBuilder) {
        let patterns = |hosts: &[&String]| hosts.iter().map(|host| sni_pattern(host)).collect::<Vec<_>>();
        for other in self.other_sni_hosts.iter().filter(|other| !other.is_empty()) {
            let narrower: Vec<&String> = self.sni_hosts.iter().filter(|own| host_name::is_subset(own, other)).collect();
            let mut cube = Cube::default().any(Dimension::Sni, vec![sni_pattern(other)]);
            if !narrower.is_empty() {
                cube = cube.none(Dimension::Sni, patterns(&narrower));
            }
            builder.impossible([cube]);
        }
        if !self.sni_hosts.is_empty() {
            let own: Vec<&String> = self.sni_hosts.iter().collect();
            let left = Cube::default().none(Dimension::Sni, patterns(&own));
            if self.other_sni_hosts.iter().any(String::is_empty) {
                builder.impossible([left]);
            } else {
                builder.end([left], &Ending::denied(By::Closed, None));
            }
        }
    }

    /// Appends what the client's certificate decides; gives back who may be refused, and why nobody can say.
    fn append_certificates(&self, builder: &mut JudgementBuilder) -> Option<(Cube, Cause)> {
        let shown = || Cube::default().any(Dimension::Peer, vec![Pattern::Any]);
        let missing = || Cube::default().none(Dimension::Peer, vec![Pattern::Any]);
        let closed = Ending::denied(By::Closed, None);
        match &self.certificate {
            ClientCertificate::Ignored => {
                // Who is not asked for a certificate has no identity here. A client's own sidecar asks nobody.
                if self.guarded {
                    builder.impossible([shown()]);
                }
                None
            }
            ClientCertificate::Mesh => {
                builder.end([missing()], &closed);
                None
            }
            ClientCertificate::Foreign { required, cause } => {
                if *required {
                    builder.end([missing()], &closed);
                }
                Some((shown(), cause.clone()))
            }
        }
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
        let asked = seen.sni.as_deref().unwrap_or_default();
        if !self.sni_hosts.is_empty() && !self.sni_hosts.iter().any(|host| host_name::covers(host, asked)) {
            remarks.push(("no server has this server name".to_owned(), None));
            return (Verdict::End(Ending::denied(By::Closed, None)), remarks);
        }
        let refused = match (&self.certificate, &seen.peer) {
            (ClientCertificate::Mesh | ClientCertificate::Foreign { required: true, .. }, None) => {
                Some("the server asks for a client certificate")
            }
            (ClientCertificate::Ignored | ClientCertificate::Mesh | ClientCertificate::Foreign { .. }, _) => None,
        };
        if let Some(refused) = refused {
            remarks.push((refused.to_owned(), None));
            return (Verdict::End(Ending::denied(By::Closed, None)), remarks);
        }
        let policies = ConcretePolicies {
            world,
            attached: &standing.attached,
            jwt: &standing.jwt,
            extensions: &standing.extensions,
            unadmitted: None,
            seen,
        };
        // Where no policies stand there is nothing to say of them.
        let mut said = Vec::new();
        let passed = policies.decide(&mut said);
        remarks.extend(said.into_iter().filter(|_| self.guarded));
        let unless = match passed {
            Passed::Ends(ending) => {
                return (Verdict::End(ending), remarks);
            }
            Passed::Through { unless, .. } => unless,
        };
        let foreign = match &self.certificate {
            ClientCertificate::Foreign { cause, .. } if seen.peer.is_some() => Some(cause.clone()),
            ClientCertificate::Foreign { .. } | ClientCertificate::Ignored | ClientCertificate::Mesh => None,
        };
        let unless = unless.or(foreign);
        let verdict = self.table.route_of(seen, self.plaintext, &mut remarks);
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
