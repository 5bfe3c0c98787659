//! Proxies that route: gateway servers and clients' own sidecars. Their route tables and both readings of what they decide.

use super::authorization::{Next, ProxyPolicies, append_policies, when_any, when_none};
use super::authorization_policy::Chain;
use super::concrete::{ConcretePolicies, Passed, Remark, Seen};
use super::decision::{By, Cause, CauseKind};
use super::destination::{ClientSide, client_side, service_targets};
use super::extension::{Extensions, Role, extensions};
use super::gateway_workload::GatewayWorkload;
use super::host_name::{self, service_host};
use super::inbound::universe;
use super::judgement::{Ending, Judgement, JudgementBuilder, Verdict};
use super::protocol::{Protocol, service_port_protocol};
use super::request_authentication::{JwtFilter, jwt_filter};
use super::route_table::{Abort, Forward, Route, RouteAction, RouteTable};
use super::virtual_service::{self, MESH, Router, full_hosts, in_order, routes};
use super::workload_selector::{AttachedPolicies, Proxy, attached_policies};
use super::world::World;
use crate::model::{Gateway, Labels, Mesh, ObjectId, Resource, Server, Service, ServicePort, TlsMode};
use crate::space::{Cube, Dimension, PathRewrite, Pattern};
use crate::text::Spanned;

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
    guarded: bool,
}

/// The hosts of a gateway server as written.
fn hosts(server: &Server) -> Vec<&str> {
    server.hosts().iter().map(|host| host.value.as_str()).collect()
}

/// Whether a server speaks plaintext HTTP.
fn is_plain_http(server: &Server) -> bool {
    matches!(server.protocol().as_str(), "HTTP" | "HTTP2" | "GRPC" | "GRPC-WEB")
}

/// Whether a server terminates TLS and speaks HTTP inside.
fn is_https(server: &Server) -> bool {
    let ends = matches!(
        server.tls_mode(),
        Some(TlsMode::Simple | TlsMode::Mutual | TlsMode::IstioMutual | TlsMode::OptionalMutual)
    );
    server.protocol() == "HTTPS" && ends
}

/// The proxy behind a gateway's port: one for each identity set that serves it.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/gateway.go`, `mergeGateways`;
/// `pilot/pkg/networking/core/gateway.go`, `buildGatewayHTTPRouteConfig`. Differs: servers of TCP, of
/// TLS that is passed through, and of MUTUAL TLS are not modelled yet.
pub fn gateway_proxy(
    world: &World,
    gateway: &Resource<Gateway>,
    port: u16,
    workload: &GatewayWorkload,
) -> Option<RoutingProxy> {
    let server = gateway.spec.servers().iter().find(|server| server.value.number() == port)?;
    let mut proxy = RoutingProxy {
        name: format!("gateway {}", gateway.id.path()),
        identities: workload.identities.iter().map(|path| Some(world.identity(path))).collect(),
        namespace: workload.namespace.clone(),
        labels: workload.labels.clone(),
        port: listening_port(&world.mesh, workload, port),
        plaintext: is_plain_http(&server.value),
        sni_hosts: Vec::new(),
        table: RouteTable::default(),
        unknown: unmodelled_server(server),
        guarded: true,
    };
    let own =
        |server: &Spanned<Server>| -> Vec<(ObjectId, Spanned<Server>)> { vec![(gateway.id.clone(), server.clone())] };
    let servers = if proxy.plaintext { merged_servers(world, workload, proxy.port) } else { own(server) };
    if !proxy.plaintext && proxy.unknown.is_none() {
        let named = gateway.spec.servers().iter().filter(|server| server.value.number() == port);
        let of_one_port: Vec<&Spanned<Server>> = named.collect();
        if of_one_port.len() > 1 {
            proxy.unknown = Some(not_modelled(server, "several TLS servers of one port are not modelled yet"));
        }
        proxy.sni_hosts = host_names(&hosts(&server.value));
    }
    for (id, server) in &servers {
        add_server(world, id, &server.value, workload, &mut proxy.table);
    }
    proxy.table.sort();
    Some(proxy)
}

/// Hosts without their namespaces; none if one of them is everything.
fn host_names(hosts: &[&str]) -> Vec<String> {
    let names = hosts.iter().map(|host| host.rsplit('/').next().unwrap_or(host).to_ascii_lowercase());
    let names: Vec<String> = names.collect();
    if names.iter().any(|name| name == "*") { Vec::new() } else { names }
}

/// The cause of a server that is not modelled.
fn not_modelled(server: &Spanned<Server>, what: &str) -> Cause {
    let port = server.value.port.as_ref().map_or(server.span, |port| port.span);
    Cause { kind: CauseKind::UnmodelledKind, message: what.to_owned(), span: Some(port) }
}

/// Why nothing can be said of a server, if so.
fn unmodelled_server(server: &Spanned<Server>) -> Option<Cause> {
    if server.value.bind.as_ref().is_some_and(|bind| !bind.is_empty()) {
        return Some(not_modelled(server, "servers with `bind` are not modelled yet"));
    }
    if is_plain_http(&server.value) {
        return None;
    }
    match (is_https(&server.value), server.value.tls_mode()) {
        (true, Some(TlsMode::Simple)) => None,
        (true, _) => {
            Some(not_modelled(server, "gateway servers that ask for client certificates are not modelled yet"))
        }
        (false, _) => {
            Some(not_modelled(server, "gateway servers of TCP or of TLS that is passed through are not modelled yet"))
        }
    }
}

/// The port that a gateway workload listens on for a server's port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/gateway.go`, `resolvePorts`.
fn listening_port(mesh: &Mesh, workload: &GatewayWorkload, port: u16) -> u16 {
    let pod = workload.object.as_ref().and_then(|id| mesh.workloads.iter().find(|workload| workload.id == *id));
    let Some(pod) = pod else {
        return port;
    };
    let services = mesh.services.iter().filter(|service| {
        service.id.namespace == pod.id.namespace
            && service
                .spec
                .selector
                .as_ref()
                .filter(|selector| !selector.is_empty())
                .is_some_and(|selector| super::workload_selector::selects(Some(selector), &pod.labels))
    });
    services
        .flat_map(|service| service.spec.ports())
        .find(|candidate| candidate.value.port == Some(i64::from(port)))
        .and_then(|candidate| super::workload_port::target_port(&candidate.value, pod))
        .unwrap_or(port)
}

/// The plaintext HTTP servers of all Gateways that share a listening port, oldest Gateway first.
fn merged_servers(world: &World, workload: &GatewayWorkload, port: u16) -> Vec<(ObjectId, Spanned<Server>)> {
    let mut gateways: Vec<&Resource<Gateway>> =
        world.mesh.gateways.iter().filter(|gateway| workload.gateways.contains(&gateway.id)).collect();
    gateways.sort_by_key(|gateway| gateway.age_key());
    gateways
        .into_iter()
        .flat_map(|gateway| gateway.spec.servers().iter().map(move |server| (gateway.id.clone(), server.clone())))
        .filter(|(_, server)| {
            is_plain_http(&server.value) && listening_port(&world.mesh, workload, server.value.number()) == port
        })
        .collect()
}

/// Adds the virtual hosts of one server to a table.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `buildGatewayHTTPRouteConfig`.
fn add_server(world: &World, gateway: &ObjectId, server: &Server, workload: &GatewayWorkload, table: &mut RouteTable) {
    let name = gateway.path();
    let router =
        Router { gateway: &name, namespace: &workload.namespace, labels: &workload.labels, port: server.number() };
    for service in in_order(world, &name, &workload.namespace) {
        let admitted = host_name::server_hosts_for(&hosts(server), &gateway.namespace, &service.id.namespace);
        let domains = host_name::intersection(&admitted, &full_hosts(service));
        if domains.is_empty() {
            continue;
        }
        let found = routes(world, service, router);
        for domain in domains {
            add_routes(table, &domain, &found, service);
            if server.https_redirect() {
                table.host(&domain).require_tls = true;
            }
        }
    }
    if server.https_redirect() {
        for host in hosts(server) {
            table.host(host).require_tls = true;
        }
    }
}

/// Appends the routes of a virtual service to a virtual host. Where those of another one of unknown
/// age stand there already and both take a path, only their age tells which goes first.
fn add_routes(table: &mut RouteTable, domain: &str, found: &[Route], service: &Resource<crate::model::VirtualService>) {
    let present: Vec<usize> = table.host(domain).routes.clone();
    let rival = present
        .iter()
        .filter_map(|index| table.routes.get(*index))
        .filter_map(|route| route.virtual_service.clone())
        .find(|other| *other != service.id);
    for route in found {
        let mut route = route.clone();
        // Catch-all routes move to the end whatever the age, so they take nothing from the others.
        let overlaps = present.iter().filter_map(|index| table.routes.get(*index)).any(|other| {
            !super::route_table::is_catch_all(other)
                && !super::route_table::is_catch_all(&route)
                && may_overlap(other, &route)
                || super::route_table::is_catch_all(other) && super::route_table::is_catch_all(&route)
        });
        if let Some(rival) = rival.as_ref().filter(|_| overlaps && service.created.is_none()) {
            route.action = RouteAction::Unknown(virtual_service::order_cause(rival, service));
            let earlier: Vec<usize> = present.clone();
            for index in earlier {
                let cause = virtual_service::order_cause(rival, service);
                if let Some(other) = table.routes.get_mut(index)
                    && may_overlap(other, &route)
                {
                    other.action = RouteAction::Unknown(cause);
                }
            }
        }
        table.push(domain, route);
    }
}

/// Whether two routes may take one request, as far as their paths tell.
fn may_overlap(a: &Route, b: &Route) -> bool {
    let stem = |route: &Route| {
        let uri = route.matches.as_ref().and_then(|matches| matches.uri.as_ref())?;
        let uri = &uri.value;
        let (text, exact) = match (&uri.exact, &uri.prefix) {
            (Some(exact), _) => (exact.value.clone(), true),
            (None, Some(prefix)) => (prefix.value.clone(), false),
            (None, None) => return None,
        };
        Some((text, exact))
    };
    match (stem(a), stem(b)) {
        (Some((a, true)), Some((b, true))) => a == b,
        (Some((a, true)), Some((b, false))) => a.starts_with(&b),
        (Some((a, false)), Some((b, true))) => b.starts_with(&a),
        (Some((a, false)), Some((b, false))) => a.starts_with(&b) || b.starts_with(&a),
        _ => true,
    }
}

/// A client whose requests to a Service go through its own sidecar.
#[derive(Debug, Clone)]
pub struct Client {
    /// `NS/NAME`
    pub name: String,
    /// Its namespace
    pub namespace: String,
    /// Labels of its pod
    pub labels: Labels,
    /// Its identity
    pub identity: String,
}

/// The sidecar of a client, on the way to a Service's port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/httproute.go`, `buildSidecarOutboundVirtualHosts`.
/// Differs: a `Sidecar` that narrows what the client knows, and Gateway API routes, are not modelled yet.
pub fn client_proxy(world: &World, client: &Client, service: &Resource<Service>, port: &ServicePort) -> RoutingProxy {
    let number = port.port.and_then(|number| u16::try_from(number).ok()).unwrap_or(0);
    let proxy = Proxy { namespace: &client.namespace, labels: &client.labels };
    let found = extensions(&world.mesh, proxy, Role::Outbound, &|id| world.is_trusted(id));
    let protocol = service_port_protocol(port);
    let sidecar = world.mesh.sidecars.iter().find(|sidecar| {
        sidecar.id.namespace == client.namespace || sidecar.id.namespace == world.mesh.settings.root_namespace()
    });
    let unknown = sidecar
        .map(|sidecar| Cause {
            kind: CauseKind::UnmodelledKind,
            message: format!("{} narrows what clients know, which is not modelled yet", sidecar.id),
            span: Some(sidecar.name_span),
        })
        .or(found.may_change)
        .or(found.may_refuse)
        .or_else(|| {
            (protocol == Protocol::Tcp || protocol == Protocol::Udp).then(|| Cause {
                kind: CauseKind::UnmodelledKind,
                message: "TCP ports behind a client's sidecar are not modelled yet".to_owned(),
                span: Some(service.name_span),
            })
        });
    let mut table = RouteTable::default();
    for other in &world.mesh.services {
        let ports = other.spec.ports().iter();
        for other_port in ports.filter(|candidate| candidate.value.port == port.port) {
            add_service(world, client, other, &other_port.value, number, &mut table);
        }
    }
    // Any other authority is passed through, in plaintext, to where the client dialled.
    let dialled = Forward {
        targets: service_targets(world, service, port, None, &ClientSide::Plaintext(service.name_span)),
        ..plain_forward()
    };
    table.push(
        "*",
        Route { virtual_service: None, matches: None, action: RouteAction::Forward(dialled), span: service.name_span },
    );
    table.sort();
    RoutingProxy {
        name: format!("client {}", client.name),
        identities: vec![Some(client.identity.clone())],
        namespace: client.namespace.clone(),
        labels: client.labels.clone(),
        port: number,
        plaintext: true,
        sni_hosts: Vec::new(),
        table,
        unknown,
        guarded: false,
    }
}

/// A request that is sent on as it is.
fn plain_forward() -> Forward {
    Forward {
        targets: Vec::new(),
        mirrors: Vec::new(),
        rewrite: PathRewrite::Keep,
        regex_rewrite: None,
        authority: None,
        set: Vec::new(),
        add: Vec::new(),
        remove: Vec::new(),
        abort: Abort::Never,
    }
}

/// Adds the virtual hosts of one Service to a client's table.
fn add_service(
    world: &World,
    client: &Client,
    service: &Resource<Service>,
    port: &ServicePort,
    number: u16,
    table: &mut RouteTable,
) {
    let host = service_host(&service.id.name, &service.id.namespace);
    let router = Router { gateway: MESH, namespace: &client.namespace, labels: &client.labels, port: number };
    let bound = in_order(world, MESH, &client.namespace);
    let claims = |wild: bool| {
        bound.iter().find(|candidate| {
            full_hosts(candidate).iter().any(|claimed| {
                claimed.starts_with('*') == wild && host_name::is_subset(&host, &claimed.to_ascii_lowercase())
            })
        })
    };
    let own = claims(false).or_else(|| claims(true)).map(|service| routes(world, service, router));
    let found = own.filter(|routes| !routes.is_empty()).unwrap_or_else(|| {
        let client_side = client_side(world, &client.namespace, &service.id.namespace, &host, number, None);
        let forward = Forward { targets: service_targets(world, service, port, None, &client_side), ..plain_forward() };
        vec![Route {
            virtual_service: None,
            matches: None,
            action: RouteAction::Forward(forward),
            span: service.name_span,
        }]
    });
    let (name, namespace) = (&service.id.name, &service.id.namespace);
    let mut domains =
        vec![host.clone(), format!("{host}."), format!("{name}.{namespace}.svc"), format!("{name}.{namespace}")];
    if client.namespace == *namespace {
        domains.push(name.clone());
    }
    for domain in domains {
        for route in &found {
            table.push(&domain, route.clone());
        }
    }
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
        Standing {
            attached: attached_policies(&world.mesh, proxy),
            jwt: jwt_filter(&world.mesh, proxy),
            extensions: extensions(&world.mesh, proxy, Role::Gateway, &|id| world.is_trusted(id)),
        }
    }

    /// What happens to all requests here: how they end, or which route they take.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/listener_builder.go`, `buildHTTPConnectionManager`.
    pub fn judgement(&self, world: &World) -> Judgement {
        let mut builder = JudgementBuilder::default();
        let standing = self.standing(world);
        let mut universe = universe(world, Chain::Http);
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
            builder.end([when_none(Dimension::Sni, served)], &Ending::denied(By::Closed, None));
        }
        // A gateway server that asks for no certificate sees no identity.
        if self.guarded {
            builder.impossible([when_any(Dimension::Peer, vec![Pattern::Any])]);
        }
        let scheme = if self.plaintext { "https" } else { "http" };
        builder.impossible([when_any(Dimension::Scheme, vec![Pattern::Exact(scheme.into())])]);
        let rows: Vec<(Cube, Verdict)> = self.table.cubes(self.plaintext);
        let policies = ProxyPolicies {
            mesh: &world.mesh,
            attached: &standing.attached,
            chain: Chain::Http,
            jwt: &standing.jwt,
            extensions: &standing.extensions,
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
