//! What the API server's schema and istiod's webhook refuse: such objects do not act.

mod authorization_policy;
mod destination_rule;
mod envoy_filter;
mod gateway;
mod http_action;
mod http_match;
mod http_route;
mod load_balancer;
mod peer_authentication;
mod request_authentication;
mod server_tls;
mod service_entry;
mod shared;
mod sidecar;
mod traffic_policy;
mod virtual_service;
mod workload_entry;

use crate::model::{Mesh, Problem, ProblemKind, Resource};
use crate::text::Span;

/// The reasons to refuse objects, one problem for each.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `pkg/config/validation/virtualservice.go`,
/// `manifests/charts/base/files/crd-all.gen.yaml`. Differs: warnings are not given here.
pub fn rejections(mesh: &Mesh) -> Vec<Problem> {
    let mut problems = Vec::new();
    for policy in &mesh.authorization_policies {
        authorization_policy::check(policy, &mut problems);
    }
    for policy in &mesh.peer_authentications {
        peer_authentication::check(policy, &mut problems);
    }
    for policy in &mesh.request_authentications {
        request_authentication::check(policy, &mut problems);
    }
    for gateway in &mesh.gateways {
        gateway::check(gateway, &mut problems);
    }
    for service in &mesh.virtual_services {
        virtual_service::check(service, &mut problems);
    }
    for rule in &mesh.destination_rules {
        destination_rule::check(rule, &mut problems);
    }
    for entry in &mesh.service_entries {
        service_entry::check(entry, &mut problems);
    }
    for sidecar in &mesh.sidecars {
        sidecar::check(sidecar, &mut problems);
    }
    for entry in &mesh.workload_entries {
        workload_entry::check(entry, &mut problems);
    }
    for filter in &mesh.envoy_filters {
        envoy_filter::check(filter, &mut problems);
    }
    problems
}

/// Notes why an object is refused.
fn refuse<T>(problems: &mut Vec<Problem>, object: &Resource<T>, span: Span, why: impl AsRef<str>) {
    let message = format!("{} does not act: {}", object.id, why.as_ref());
    problems.push(Problem::new(ProblemKind::Rejected, span, message).of(&object.id));
}
