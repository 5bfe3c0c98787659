//! `AUTO_PASSTHROUGH` servers of gateways: TLS of other proxies, passed on by the cluster that it names.

use super::authorization_policy::Chain;
use super::client_side::{ClientSide, Handshake, handshake};
use super::destination::Target;
use super::destination_rule::{ClientProxy, client_side, rules_for};
use super::endpoints::endpoints;
use super::forward::{Forward, Passes};
use super::gateway_listener::Chains;
use super::gateway_server::Listening;
use super::host_name;
use super::protocol::Protocol;
use super::registry::{Registered, RegisteredPort};
use super::route_table::{Route, RouteAction, RouteTable};
use super::router::{ClientCertificate, RoutingProxy};
use super::service_lookup::visible;
use crate::model::Labels;
use crate::text::Span;

impl Chains<'_> {
    /// A chain for each service, port and subset that other proxies may name.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `builtAutoPassthroughFilterChains` (no policies there).
    pub(super) fn auto_passthrough(&self, listening: &Listening<'_>, chains: &mut Vec<RoutingProxy>) {
        let names: Vec<&str> =
            listening.hosts.iter().map(|host| host.rsplit('/').next().unwrap_or(host.as_str())).collect();
        for service in visible(self.world, &self.workload.namespace) {
            let served = names.iter().any(|name| host_name::is_subset(&service.host, name));
            if !served || service.is_external() || service.alias_of().is_some() {
                continue;
            }
            let client = ClientProxy { namespace: &self.workload.namespace, labels: &self.workload.labels };
            let rules = rules_for(self.world, client, &service.id().namespace, &service.host);
            let subsets = rules.iter().flat_map(|rule| rule.spec.subsets.iter().flat_map(|subsets| &subsets.value));
            let subsets: Vec<_> = subsets.collect();
            for port in service.ports().into_iter().filter(|port| port.protocol != Protocol::Udp) {
                let side = client_side(self.world, &rules, None, port.number, false);
                chains.push(self.of_service(&service, port, "", None, &side));
                for subset in &subsets {
                    let side = client_side(self.world, &rules, Some(&subset.value), port.number, false);
                    let name = subset.value.name.as_ref().map_or("", |name| name.value.as_str());
                    chains.push(self.of_service(&service, port, name, subset.value.labels.as_ref(), &side));
                }
            }
        }
    }

    /// The chain for a service's port and subset.
    fn of_service(
        &self,
        service: &Registered<'_>,
        port: RegisteredPort<'_>,
        subset: &str,
        labels: Option<&Labels>,
        side: &ClientSide,
    ) -> RoutingProxy {
        let sni = format!("outbound_.{}_.{subset}_.{}", port.number, service.host);
        let targets = self.taking_mtls(endpoints(self.world, service, port, labels, side), service.span());
        let action = RouteAction::Forward(Forward::plain(targets, Passes::Connection));
        let route = Route::of(action, service.span());
        let proxy = self.proxy(&format!("TLS passed on for {sni}"), Chain::Tcp, false, RouteTable::of(route));
        RoutingProxy { sni_hosts: vec![sni], certificate: ClientCertificate::Mesh, guarded: false, ..proxy }
    }

    /// The targets that clients would call with mTLS: only these are behind a name that other proxies call.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/xds/endpoints/ep_filters.go`, `EndpointsWithMTLSFilter`.
    fn taking_mtls(&self, mut targets: Vec<Target>, span: Span) -> Vec<Target> {
        targets.retain_mut(|target| {
            let Target::Workload { workload, port, client, .. } = target else {
                return true;
            };
            // Whether clients choose by themselves what to speak is nothing that is asked here.
            if *client == ClientSide::Plaintext(None) {
                *client = ClientSide::Auto;
            }
            let answer = handshake(self.world, workload, port, &ClientSide::Auto);
            let taken = match client {
                ClientSide::Auto => answer != Handshake::Plaintext,
                ClientSide::Plaintext(_) | ClientSide::ForeignTls(_) => false,
                ClientSide::MeshMutual(_) | ClientSide::Mistaken(_) | ClientSide::Unknown(_) => true,
            };
            // The connection is the client's own: without a proxy the application gets it as it is.
            *client = if matches!(answer, Handshake::Unanswered(_)) {
                ClientSide::Plaintext(None)
            } else {
                ClientSide::MeshMutual(span)
            };
            taken
        });
        targets
    }
}
