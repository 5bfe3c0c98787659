//! The listener behind a gateway's port: its filter chains, and which of them takes a request.

use super::authorization_policy::Chain;
use super::decision::{Cause, CauseKind};
use super::gateway_routes::http_table;
use super::gateway_server::{Listening, Merged, ServerKind, listening_port, merged_servers};
use super::gateway_workload::GatewayWorkload;
use super::host_name;
use super::l4_route::{tcp_route_at_gateway, tls_routes_at_gateway};
use super::route_table::{Route, RouteTable};
use super::router::{ClientCertificate, RoutingProxy};
use super::virtual_service::Router;
use super::world::World;
use crate::model::{Gateway, Resource, TlsMode};

/// The listener of one gateway workload behind a Gateway's port.
#[derive(Debug, Clone)]
pub struct GatewayListener {
    /// `gateway NS/NAME` of the Gateway that was asked about
    pub name: String,
    /// Whether clients of the server that was asked about speak plaintext
    pub plaintext: bool,
    /// Its filter chains
    pub chains: Vec<RoutingProxy>,
}

/// The listener behind a Gateway's port, as a workload has it. `None` if the Gateway has no such port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `buildGatewayListeners`,
/// `createGatewayTCPFilterChainOpts`.
pub fn gateway_listener(
    world: &World,
    gateway: &Resource<Gateway>,
    port: u16,
    workload: &GatewayWorkload,
) -> Option<GatewayListener> {
    let server = gateway.spec.servers().iter().find(|server| server.value.number() == port)?;
    let resolved = listening_port(&world.mesh, workload, port);
    let merged = merged_servers(world, workload, resolved);
    let name = format!("gateway {}", gateway.id.path());
    let chains = Chains { world, workload, name: &name, port: resolved };
    let plaintext = ServerKind::of(&server.value).is_plaintext();
    let mut found = chains.of(&merged);
    let unknown = merged.unknown.or_else(|| colliding(&found));
    if let Some(cause) = unknown {
        let proxy = chains.proxy("", Chain::Http, plaintext, RouteTable::default());
        found = vec![RoutingProxy { unknown: Some(cause), ..proxy }];
    }
    note_others(&mut found);
    Some(GatewayListener { name, plaintext, chains: found })
}

impl GatewayListener {
    /// The chain that takes a connection: the exact server name, the longest wildcard, the chain for any. `None`:
    /// the connection is refused.
    ///
    /// # Upstream
    /// Envoy: `source/common/listener_manager/filter_chain_manager_impl.cc`, `findFilterChainForServerName`.
    pub fn chain_for(&self, sni: Option<&str>) -> Option<&RoutingProxy> {
        let fit = |chain: &&RoutingProxy| {
            let asked = sni.unwrap_or_default();
            let hosts = chain.sni_hosts.iter().filter(|host| host_name::covers(host, asked));
            let best = hosts.map(|host| host_name::specificity(host)).min();
            best.or_else(|| chain.sni_hosts.is_empty().then(|| host_name::specificity("*")))
        };
        let alike = self.chains.iter().filter(|chain| chain.unknown.is_some() || chain.plaintext == self.plaintext);
        alike.filter(|chain| fit(chain).is_some()).min_by_key(|chain| fit(chain))
    }
}

/// Tells each chain which server names lead to the others.
fn note_others(chains: &mut [RoutingProxy]) {
    let names: Vec<Vec<String>> = chains
        .iter()
        .map(|chain| if chain.sni_hosts.is_empty() { vec![String::new()] } else { chain.sni_hosts.clone() })
        .collect();
    for (index, chain) in chains.iter_mut().enumerate() {
        let others = names.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, names)| names.clone());
        chain.other_sni_hosts = others.collect();
    }
}

/// Why Envoy refuses the listener: two of its chains are for one server name.
///
/// # Upstream
/// Envoy: `source/common/listener_manager/filter_chain_manager_impl.cc`, `addFilterChains` (overlapping matches).
fn colliding(chains: &[RoutingProxy]) -> Option<Cause> {
    let rules = |chain: &RoutingProxy| match chain.sni_hosts.as_slice() {
        [] => vec![String::new()],
        hosts => hosts.to_vec(),
    };
    let mut seen: Vec<String> = Vec::new();
    for chain in chains {
        let mut own = rules(chain);
        own.sort();
        own.dedup();
        if let Some(twice) = own.iter().find(|host| seen.contains(host)) {
            let what =
                if twice.is_empty() { "any server name".to_owned() } else { format!("the server name `{twice}`") };
            let span = chain.table.routes.first().map(|route| route.span);
            return Some(Cause {
                kind: CauseKind::RefusedConfiguration,
                message: format!("two servers of one port are for {what}, and Envoy refuses the listener"),
                span,
            });
        }
        seen.extend(own);
    }
    None
}

/// What the chains of one listener have in common.
pub(super) struct Chains<'a> {
    /// The world
    pub(super) world: &'a World,
    /// The workload that listens
    pub(super) workload: &'a GatewayWorkload,
    /// The proxy's name
    name: &'a str,
    /// The port that it listens on
    port: u16,
}

impl Chains<'_> {
    /// A chain without server names.
    pub(super) fn proxy(&self, chain_name: &str, chain: Chain, plaintext: bool, table: RouteTable) -> RoutingProxy {
        let unknown = table.refusal();
        RoutingProxy {
            name: self.name.to_owned(),
            chain_name: chain_name.to_owned(),
            identities: self.workload.identities.iter().map(|path| Some(self.world.identity(path))).collect(),
            namespace: self.workload.namespace.clone(),
            labels: self.workload.labels.clone(),
            port: self.port,
            chain,
            plaintext,
            sni_hosts: Vec::new(),
            other_sni_hosts: Vec::new(),
            certificate: ClientCertificate::Ignored,
            table,
            unknown,
            guarded: true,
        }
    }

    /// The chains of servers that share the port.
    fn of(&self, merged: &Merged<'_>) -> Vec<RoutingProxy> {
        let mut chains = Vec::new();
        let plain: Vec<&Listening<'_>> = merged.servers.iter().filter(|known| known.kind == ServerKind::Http).collect();
        if !plain.is_empty() {
            chains.push(self.proxy("", Chain::Http, true, http_table(self.world, self.workload, &plain)));
        }
        for listening in &merged.servers {
            let router = self.router(listening);
            match listening.kind {
                ServerKind::Http => {}
                ServerKind::Https => {
                    let table = http_table(self.world, self.workload, &[listening]);
                    chains.push(self.terminated(listening, Chain::Http, table));
                }
                ServerKind::Tcp => {
                    let gateway = listening.gateway.id.path();
                    let route =
                        tcp_route_at_gateway(self.world, &listening.hosts, Router { gateway: &gateway, ..router });
                    let route = route.map(RouteTable::of);
                    chains.extend(route.map(|table| self.proxy("", Chain::Tcp, true, table)));
                }
                ServerKind::TlsBytes => {
                    let gateway = listening.gateway.id.path();
                    let route =
                        tcp_route_at_gateway(self.world, &listening.hosts, Router { gateway: &gateway, ..router });
                    let route = route.map(RouteTable::of);
                    chains.extend(route.map(|table| self.terminated(listening, Chain::Tcp, table)));
                }
                ServerKind::Passthrough => {
                    let gateway = listening.gateway.id.path();
                    let router = Router { gateway: &gateway, ..router };
                    for route in tls_routes_at_gateway(self.world, &listening.hosts, router) {
                        chains.push(self.by_name(route));
                    }
                }
                ServerKind::AutoPassthrough => self.auto_passthrough(listening, &mut chains),
            }
        }
        chains
    }

    /// The router that virtual services see for a server, its gateway's name aside.
    fn router(&self, listening: &Listening<'_>) -> Router<'_> {
        Router {
            gateway: "",
            namespace: &self.workload.namespace,
            labels: &self.workload.labels,
            port: listening.server.value.number(),
            dialled: None,
        }
    }

    /// The chain of a server that ends TLS.
    fn terminated(&self, listening: &Listening<'_>, chain: Chain, table: RouteTable) -> RoutingProxy {
        let sni_hosts = listening.sni_hosts();
        let name = if sni_hosts.is_empty() { "TLS".to_owned() } else { format!("TLS for {}", sni_hosts.join(", ")) };
        let proxy = self.proxy(&name, chain, false, table);
        RoutingProxy { sni_hosts, certificate: certificate(listening), ..proxy }
    }

    /// The chain of a route by server name.
    fn by_name(&self, route: Route) -> RoutingProxy {
        let any = route.sni.iter().any(|host| host == "*");
        let sni_hosts = if any { Vec::new() } else { route.sni.clone() };
        let name = format!("TLS passed on for {}", route.sni.join(", "));
        let proxy = self.proxy(&name, Chain::Tcp, false, RouteTable::of(Route { sni: Vec::new(), ..route }));
        RoutingProxy { sni_hosts, ..proxy }
    }
}

/// What a server that ends TLS makes of client certificates.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/listener.go`, `BuildListenerTLSContext`.
fn certificate(listening: &Listening<'_>) -> ClientCertificate {
    let server = &listening.server.value;
    let span = server.tls.as_ref().map(|tls| tls.span);
    let foreign = |required| ClientCertificate::Foreign {
        required,
        cause: Cause {
            kind: CauseKind::UnknownCaller,
            message: format!(
                "whose certificates {} takes lies with authorities that are not in the input",
                listening.gateway.id
            ),
            span,
        },
    };
    let names = server.tls.as_ref().and_then(|tls| tls.value.subject_alt_names.as_ref());
    match server.tls_mode() {
        Some(TlsMode::IstioMutual) if names.is_none_or(Vec::is_empty) => ClientCertificate::Mesh,
        Some(TlsMode::Mutual | TlsMode::IstioMutual) => foreign(true),
        Some(TlsMode::OptionalMutual) => foreign(false),
        Some(TlsMode::Simple | TlsMode::Passthrough | TlsMode::AutoPassthrough) | None => ClientCertificate::Ignored,
    }
}
