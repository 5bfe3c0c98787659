//! The sidecar of a client on the way to a Service: virtual services on `mesh`, and each Service's own route.

use super::authorization_policy::Chain;
use super::client_hosts::{http_table, on_port};
use super::client_side::ClientSide;
use super::decision::{By, Cause, CauseKind};
use super::destination_rule::{ClientProxy, client_side, rules_for};
use super::endpoints::called;
use super::extension::{Role, extensions};
use super::forward::{Forward, Passes};
use super::host_name;
use super::l4_route::client_bytes;
use super::passthrough::{Dialled, passed_through, where_dialled};
use super::protocol::Protocol;
use super::registry::{Registered, RegisteredPort, kubernetes_port};
use super::request::WireProtocol;
use super::route_table::{Route, RouteAction, RouteTable};
use super::router::{ClientCertificate, RoutingProxy};
use super::sidecar_scope::{SidecarScope, sidecar_scope};
use super::virtual_service::{MESH, Router, in_order};
use super::workload_selector::Proxy;
use super::world::World;
use crate::model::{Labels, Resource, Service, ServicePort, VirtualService, Workload};
use crate::text::Span;

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

/// A client that dials a service, with all that it goes by.
pub(super) struct Dialling<'a> {
    /// The world
    pub(super) world: &'a World,
    /// The client
    pub(super) client: &'a Client,
    /// What it knows
    pub(super) scope: SidecarScope,
    /// The virtual services that it goes by, in order
    pub(super) virtual_services: Vec<&'a Resource<VirtualService>>,
    /// The service that it dials
    pub(super) service: Registered<'a>,
    /// The port that it dials
    pub(super) port: RegisteredPort<'a>,
}

/// Whether a client's sidecar captures what it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capture {
    /// It does
    Sidecar,
    /// It does not, by the annotation at this place
    Nothing(Span),
    /// Addresses decide, which the manifests do not tell
    Unknown(Cause),
}

/// Whether a workload's sidecar captures what it sends to a Service's port.
///
/// # Upstream
/// istio/istio 1.32: `cni/pkg/plugin/sidecar_redirect.go`; `tools/istio-iptables/pkg/capture/run.go` (ranges are
/// addresses, ports leave out).
pub fn outbound_capture(workload: &Workload, port: &ServicePort) -> Capture {
    let annotation = |name: &str| workload.annotation(name).filter(|value| !value.value.trim().is_empty());
    let none = annotation("sidecar.istio.io/interceptionMode").filter(|mode| mode.value == "NONE");
    if let Some(none) = none {
        return Capture::Nothing(none.span);
    }
    let listed = |list: &str| list.split(',').any(|item| item.trim().parse().ok() == port.port);
    let excluded = annotation("traffic.sidecar.istio.io/excludeOutboundPorts").filter(|list| listed(&list.value));
    if let Some(excluded) = excluded {
        return Capture::Nothing(excluded.span);
    }
    let include =
        annotation("traffic.sidecar.istio.io/includeOutboundIPRanges").filter(|list| list.value.trim() != "*");
    let ranges = include.or_else(|| annotation("traffic.sidecar.istio.io/excludeOutboundIPRanges"));
    match ranges {
        Some(ranges) => Capture::Unknown(Cause {
            kind: CauseKind::UnmodelledCondition,
            message: "addresses decide what its sidecar captures, which the manifests do not tell".to_owned(),
            span: Some(ranges.span),
        }),
        None => Capture::Sidecar,
    }
}

/// The sidecar of a client, on the way to a Service's port. `None` if the port has no number.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/listener.go`, `buildSidecarOutboundListeners` (which port speaks
/// what); `pilot/pkg/networking/core/httproute.go`, `buildSidecarOutboundHTTPRouteConfig`.
pub fn client_proxy(
    world: &World,
    client: &Client,
    service: &Resource<Service>,
    port: &ServicePort,
    wire: WireProtocol,
) -> Option<RoutingProxy> {
    let port = kubernetes_port(port)?;
    let scope = sidecar_scope(world, &client.namespace, &client.labels);
    let mut virtual_services = in_order(world, MESH, &client.namespace);
    virtual_services.retain(|service| scope.goes_by(service));
    let dialling = Dialling { world, client, scope, virtual_services, service: Registered::kubernetes(service), port };
    let bytes = wire == WireProtocol::Tcp || !dialling.reads_http();
    let table = if bytes { dialling.byte_table() } else { http_table(&dialling) };
    let unknown = dialling.unknown().or_else(|| table.refusal());
    Some(RoutingProxy {
        name: format!("client {}", client.name),
        chain_name: String::new(),
        identities: vec![Some(client.identity.clone())],
        namespace: client.namespace.clone(),
        labels: client.labels.clone(),
        port: port.number,
        chain: if bytes { Chain::Tcp } else { Chain::Http },
        plaintext: true,
        sni_hosts: Vec::new(),
        other_sni_hosts: Vec::new(),
        certificate: ClientCertificate::Ignored,
        table,
        unknown,
        guarded: false,
    })
}

impl<'a> Dialling<'a> {
    /// The client as destination rules see it.
    pub(super) fn proxy(&self) -> ClientProxy<'a> {
        ClientProxy { namespace: &self.client.namespace, labels: &self.client.labels }
    }

    /// The client as virtual services see it.
    pub(super) fn router(&self) -> Router<'_> {
        Router {
            gateway: MESH,
            namespace: &self.client.namespace,
            labels: &self.client.labels,
            port: self.port.number,
            dialled: Some(self.dialled()),
        }
    }

    /// What it dials.
    fn dialled(&self) -> Dialled<'_> {
        Dialled { service: &self.service, port: self.port }
    }

    /// Whether the client knows a service at all.
    pub(super) fn knows(&self, service: &Registered<'_>) -> bool {
        service.is_visible(self.world, &self.client.namespace) && self.scope.knows(service)
    }

    /// Whether the client's sidecar reads HTTP on its way to the port: one that it knows nothing of shares the listener
    /// of all that speak HTTP on a port of this number.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/listener.go`, `buildSidecarOutboundListener` (the address of the
    /// listener; what is not HTTP falls through).
    fn reads_http(&self) -> bool {
        if self.knows_dialled() {
            return matches!(self.port.protocol, Protocol::Http | Protocol::Sniffed);
        }
        !self.port.tls && on_port(self).iter().any(|(_, port)| port.protocol == Protocol::Http)
    }

    /// Whether the client knows what it dials as a service in its own right.
    pub(super) fn knows_dialled(&self) -> bool {
        self.knows(&self.service) && self.service.alias_of().is_none()
    }

    /// A route of its own to a service's port.
    pub(super) fn own_route(&self, service: &Registered<'_>, port: RegisteredPort<'_>, passes: Passes) -> Route {
        let rules = rules_for(self.world, self.proxy(), &service.id().namespace, &service.host);
        let side = client_side(self.world, &rules, None, port.number, service.is_external());
        let targets = if service.is_passthrough() {
            passed_through(self.world, self.dialled(), service, port, side)
        } else {
            called(self.world, service, port, None, &side)
        };
        let action = RouteAction::Forward(Forward::plain(targets, passes));
        Route::of(action, service.span())
    }

    /// What becomes of what the client does not know: it is passed through in plaintext to where it dialled, or
    /// refused.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/httproute.go`, `buildCatchAllVirtualHost`;
    /// `pilot/pkg/networking/core/cluster.go`, `buildDefaultPassthroughCluster`.
    pub(super) fn passthrough(&self, passes: Passes) -> Route {
        let action = if self.scope.registry_only {
            let refused = if passes == Passes::Requests { By::DirectResponse } else { By::Closed };
            RouteAction::Answer(refused)
        } else {
            let targets = where_dialled(self.world, self.dialled(), &ClientSide::Plaintext(None));
            RouteAction::Forward(Forward::plain(targets, passes))
        };
        let span = self.service.span();
        Route::of(action, span)
    }

    /// The routes of bytes.
    fn byte_table(&self) -> RouteTable {
        let passes = if self.port.tls { Passes::Tls } else { Passes::Bytes };
        // What is not HTTP falls through where HTTP is declared.
        if !self.knows_dialled() || self.port.protocol == Protocol::Http {
            return RouteTable::of(self.passthrough(passes));
        }
        let found = client_bytes(self.world, &self.virtual_services, &self.service.host, self.port.tls, self.router());
        let mut table = RouteTable::default();
        if let Some(cause) = found.unknown {
            let route = self.own_route(&self.service, self.port, passes);
            return RouteTable::of(Route { action: RouteAction::Unknown(cause), ..route });
        }
        // Of several server names the narrowest counts, whatever their order.
        let mut named: Vec<Route> = Vec::new();
        for route in &found.routes {
            let each = route.sni.iter().map(|host| Route { sni: vec![host.clone()], ..route.clone() });
            named.extend(each);
            if route.sni.is_empty() {
                named.push(route.clone());
            }
        }
        let narrowest =
            |route: &Route| route.sni.first().map_or(host_name::specificity("*"), |host| host_name::specificity(host));
        named.sort_by_key(narrowest);
        let any = named.iter().any(|route| route.sni.is_empty());
        let none = named.is_empty();
        for route in named {
            table.push("*", route);
        }
        if none {
            table.push("*", self.own_route(&self.service, self.port, passes));
        } else if !any {
            // A name that no route has falls through to where unknown traffic goes.
            table.push("*", self.passthrough(passes));
        }
        table
    }

    /// Why nothing can be said of this client, if so.
    fn unknown(&self) -> Option<Cause> {
        let proxy = Proxy { namespace: &self.client.namespace, labels: &self.client.labels };
        let world = self.world;
        let found = extensions(&world.mesh, proxy, Role::Outbound, &|id| world.is_trusted(id));
        self.scope.unknown.clone().or(found.may_change).or(found.may_refuse).or_else(|| self.mesh_route())
    }

    /// A Gateway API route that is attached to the Service that is dialled.
    fn mesh_route(&self) -> Option<Cause> {
        let dialled = self.service.id();
        let route = self.world.mesh.unmodelled.iter().find(|object| {
            let parents = object.spec.parent_refs.iter().flatten();
            parents.into_iter().any(|parent| {
                matches!(parent.kind.as_deref(), Some("Service" | "ServiceEntry"))
                    && parent.name.as_deref() == Some(dialled.name.as_str())
                    && parent.namespace.as_deref().unwrap_or(&object.id.namespace) == dialled.namespace
            })
        })?;
        Some(Cause {
            kind: CauseKind::UnmodelledKind,
            message: format!("{} routes what is sent to {dialled}, which is not modelled yet", route.id),
            span: Some(route.name_span),
        })
    }
}
