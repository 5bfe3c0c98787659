//! Which ports of workloads are opened to clients outside of the cluster, past every gateway.

use crate::model::{Ingress, ObjectId, Resource, Service, Workload};
use crate::semantics::{World, target_port};
use crate::text::Span;

/// What opens a port.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opener<'w> {
    /// The object
    pub(super) object: &'w ObjectId,
    /// The field
    pub(super) span: Span,
    /// What it is, in words
    pub(super) what: &'static str,
    /// Whether it belongs to somebody else
    pub(super) context: bool,
}

/// Whether a Service, a host port, the host's network or an Ingress opens a workload's port to the outside.
pub fn is_opened(world: &World, workload: &Workload, port: u16) -> bool {
    opener(world, workload, port).is_some()
}

/// What opens a workload's port to the outside, if anything does.
pub(super) fn opener<'w>(world: &'w World, workload: &'w Workload, port: u16) -> Option<Opener<'w>> {
    let is = |number: Option<i64>| number == Some(i64::from(port));
    let own = |span: Span, what| Opener { object: &workload.id, span, what, context: workload.context };
    let mut declared = workload.ports.iter();
    let on_host = declared.find(|port| is(port.value.container_port) && port.value.host_port.is_some());
    let on_host = on_host.map(|port| own(port.span, "a host port"));
    let on_network = || workload.host_network.map(|span| own(span, "the host's network"));
    let by_service = || {
        let mut services = world.services_of(workload).filter(|service| {
            service.spec.ports().iter().any(|declared| target_port(&declared.value, workload) == Some(port))
        });
        services.find_map(|service| leads_in(world, service))
    };
    on_host.or_else(on_network).or_else(by_service)
}

/// What lets clients outside of the cluster dial a Service.
pub(super) fn leads_in<'w>(world: &'w World, service: &'w Resource<Service>) -> Option<Opener<'w>> {
    let own = |span: Span, what| Opener { object: &service.id, span, what, context: service.context };
    let kind = service.spec.service_type.as_ref();
    let by_type = kind.and_then(|kind| match kind.value.as_str() {
        "NodePort" => Some(own(kind.span, "a NodePort")),
        "LoadBalancer" => Some(own(kind.span, "a load balancer")),
        _ => None,
    });
    let by_address = || {
        let addresses = service.spec.external_ips.as_ref().filter(|addresses| !addresses.value.is_empty());
        addresses.map(|addresses| own(addresses.span, "external addresses"))
    };
    let by_ingress = || {
        let names = |ingress: &&Resource<Ingress>| {
            let mut names = ingress.spec.backends().filter_map(|backend| backend.name.as_ref());
            names.any(|name| name.value == service.id.name)
        };
        let ingress = world.mesh.ingresses.in_namespace(&service.id.namespace).find(names)?;
        Some(Opener { object: &ingress.id, span: ingress.name_span, what: "an Ingress", context: ingress.context })
    };
    by_type.or_else(by_address).or_else(by_ingress)
}
