//! Gateway servers: what each is, and which of all that share a port listen there.

use super::decision::{Cause, CauseKind};
use super::gateway_workload::GatewayWorkload;
use super::host_name;
use super::workload_port::target_port;
use super::workload_selector::selects;
use super::world::World;
use crate::model::{Gateway, Mesh, Resource, Server, TlsMode};
use crate::text::{Span, Spanned};

/// Label by which a Service has no say in the ports of gateways.
const NO_PORT_TRANSLATION: &str = "experimental.istio.io/disable-gateway-port-translation";

/// What a gateway server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerKind {
    /// HTTP in plaintext
    Http,
    /// Bytes in plaintext
    Tcp,
    /// HTTP within TLS that ends here
    Https,
    /// Bytes within TLS that ends here
    TlsBytes,
    /// TLS that is passed on by server name
    Passthrough,
    /// TLS of other proxies, which names its cluster
    AutoPassthrough,
}

impl ServerKind {
    /// What a server speaks.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pkg/config/gateway/gateway.go`, `IsTLSServer`, `IsHTTPSServerWithTLSTermination`,
    /// `IsPassThroughServer`.
    pub(crate) fn of(server: &Server) -> Self {
        if matches!(server.protocol().as_str(), "HTTP" | "HTTP2" | "HTTP_PROXY" | "GRPC" | "GRPC-WEB") {
            return Self::Http;
        }
        match server.tls_mode() {
            None => Self::Tcp,
            Some(TlsMode::Passthrough) => Self::Passthrough,
            Some(TlsMode::AutoPassthrough) => Self::AutoPassthrough,
            Some(TlsMode::Simple | TlsMode::Mutual | TlsMode::IstioMutual | TlsMode::OptionalMutual) => {
                if server.protocol() == "HTTPS" { Self::Https } else { Self::TlsBytes }
            }
        }
    }

    /// Whether clients speak to it in plaintext.
    pub(crate) fn is_plaintext(self) -> bool {
        matches!(self, Self::Http | Self::Tcp)
    }
}

/// A server that listens.
#[derive(Debug, Clone)]
pub(crate) struct Listening<'a> {
    /// Its Gateway
    pub(crate) gateway: &'a Resource<Gateway>,
    /// The server
    pub(crate) server: &'a Spanned<Server>,
    /// Its hosts, foreign namespaces in front
    pub(crate) hosts: Vec<String>,
    /// What it speaks
    pub(crate) kind: ServerKind,
}

impl Listening<'_> {
    /// Server names of TLS; none for any.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/model/gateway.go`, `GetSNIHostsForServer`.
    pub(crate) fn sni_hosts(&self) -> Vec<String> {
        let names = self.hosts.iter().map(|host| host.rsplit('/').next().unwrap_or(host).to_ascii_lowercase());
        let names: Vec<String> = names.collect();
        if names.iter().any(|name| name == "*") { Vec::new() } else { names }
    }
}

/// The servers that share a port, after those that lose it to others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Merged<'a> {
    /// Those that listen, the oldest Gateway's first
    pub(crate) servers: Vec<Listening<'a>>,
    /// Why nothing can be said of the port, if so
    pub(crate) unknown: Option<Cause>,
}

/// The port that a gateway workload listens on for a server's port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/gateway.go`, `resolvePorts`.
pub(crate) fn listening_port(mesh: &Mesh, workload: &GatewayWorkload, port: u16) -> u16 {
    let pod = workload.object.as_ref().and_then(|id| mesh.workloads.iter().find(|workload| workload.id == *id));
    let Some(pod) = pod else {
        return port;
    };
    let services = mesh.services.iter().filter(|service| {
        let selector = service.spec.selector.as_ref().filter(|selector| !selector.is_empty());
        service.id.namespace == pod.id.namespace
            && !service.labels.contains_key(NO_PORT_TRANSLATION)
            && selector.is_some_and(|selector| selects(Some(selector), &pod.labels))
    });
    services
        .flat_map(|service| service.spec.ports())
        .find(|candidate| candidate.value.port == Some(i64::from(port)))
        .and_then(|candidate| target_port(&candidate.value, pod))
        .unwrap_or(port)
}

/// The servers of all Gateways of a workload that listen on a port, as istiod merges them: first come, first served.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/gateway.go`, `mergeGateways`. Differs: servers with `bind` make the port
/// undetermined, for they listen on addresses that the manifests do not tell.
pub(crate) fn merged_servers<'a>(world: &'a World, workload: &GatewayWorkload, port: u16) -> Merged<'a> {
    let mut gateways: Vec<&Resource<Gateway>> =
        world.mesh.gateways.iter().filter(|gateway| workload.gateways.contains(&gateway.id)).collect();
    gateways.sort_by_key(|gateway| gateway.age_key());
    let mut merge = Merge::default();
    for gateway in gateways {
        for server in gateway.spec.servers() {
            if listening_port(&world.mesh, workload, server.value.number()) == port {
                merge.add(gateway, server);
            }
        }
    }
    merge.merged
}

/// The state of merging the servers of one port.
#[derive(Default)]
struct Merge<'a> {
    /// What listens so far
    merged: Merged<'a>,
    /// Hosts of servers with `tls`, whether they listen or not
    tls_hosts: Vec<(String, &'a Resource<Gateway>)>,
}

impl<'a> Merge<'a> {
    /// Adds one server, if the port still takes it.
    fn add(&mut self, gateway: &'a Resource<Gateway>, server: &'a Spanned<Server>) {
        if let Some(bind) = server.value.bind.as_ref().filter(|bind| !bind.is_empty()) {
            // What listens on the pod itself only is reached by nobody else.
            let loopback = bind.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
            if !loopback && !bind.starts_with("unix://") {
                self.doubt(CauseKind::UnmodelledKind, port_span(server), || {
                    format!("{} listens on the address `{bind}`, and the manifests do not tell whose it is", gateway.id)
                });
            }
            return;
        }
        let written: Vec<&str> = server.value.hosts().iter().map(|host| host.value.as_str()).collect();
        let hosts = host_name::server_hosts(&written, &gateway.id.namespace);
        let kind = ServerKind::of(&server.value);
        if server.value.tls.is_some() {
            if let Some((_, earlier)) = self.tls_hosts.iter().find(|(host, _)| hosts.contains(host)) {
                self.loses(gateway, earlier, server);
                return;
            }
            self.tls_hosts.extend(hosts.iter().map(|host| (host.clone(), gateway)));
        }
        let plain = self.merged.servers.iter().find(|known| known.kind.is_plaintext());
        match plain {
            Some(plain) if plain.kind != ServerKind::Http || kind != ServerKind::Http => {
                let earlier = plain.gateway;
                self.loses(gateway, earlier, server);
                return;
            }
            None if kind.is_plaintext() && !self.merged.servers.is_empty() => {
                self.doubt(CauseKind::UnmodelledKind, port_span(server), || {
                    format!(
                        "{} adds plaintext to a port of TLS servers, and what Envoy makes of that is not known",
                        gateway.id
                    )
                });
            }
            Some(_) | None => {}
        }
        self.merged.servers.push(Listening { gateway, server, hosts, kind });
    }

    /// Notes that a server loses the port to one of another Gateway, which is a doubt if only age says so.
    fn loses(&mut self, gateway: &'a Resource<Gateway>, earlier: &'a Resource<Gateway>, server: &Spanned<Server>) {
        if gateway.id != earlier.id && (gateway.created.is_none() || earlier.created.is_none()) {
            self.doubt(CauseKind::CreationOrder, port_span(server), || {
                format!("{} and {} want one port for themselves, and the older one gets it", earlier.id, gateway.id)
            });
        }
    }

    /// Notes the first reason why nothing can be said.
    fn doubt(&mut self, kind: CauseKind, span: Span, message: impl FnOnce() -> String) {
        self.merged.unknown.get_or_insert_with(|| Cause { kind, message: message(), span: Some(span) });
    }
}

/// The port of a server in the text.
fn port_span(server: &Spanned<Server>) -> Span {
    server.value.port.as_ref().map_or(server.span, |port| port.span)
}
