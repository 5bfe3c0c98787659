//! Which ports of workloads are opened to clients outside of the cluster, past every gateway.

use crate::model::{Resource, Service, Workload};
use crate::semantics::{World, target_port};

/// Whether a Service, a host port, the host's network or an Ingress opens a workload's port to the outside.
pub(super) fn is_opened(world: &World, workload: &Workload, port: u16) -> bool {
    let is = |number: Option<i64>| number == Some(i64::from(port));
    let on_host =
        workload.ports.iter().any(|declared| is(declared.value.container_port) && declared.value.host_port.is_some());
    let mut services = world.services_of(workload).filter(|service| {
        service.spec.ports().iter().any(|declared| target_port(&declared.value, workload) == Some(port))
    });
    on_host || workload.host_network.is_some() || services.any(|service| leads_in(world, service))
}

/// Whether clients outside of the cluster can dial a Service.
fn leads_in(world: &World, service: &Resource<Service>) -> bool {
    let kind = service.spec.service_type.as_ref().map(|kind| kind.value.as_str());
    let addresses = service.spec.external_ips.as_ref().is_some_and(|addresses| !addresses.value.is_empty());
    let mut ingresses = world.mesh.ingresses.in_namespace(&service.id.namespace);
    let named = ingresses.any(|ingress| {
        let mut names = ingress.spec.backends().filter_map(|backend| backend.name.as_ref());
        names.any(|name| name.value == service.id.name)
    });
    matches!(kind, Some("NodePort" | "LoadBalancer")) || addresses || named
}
