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

use rayon::prelude::*;

use crate::model::{Mesh, Problem, ProblemKind, Resource};
use crate::text::Span;

/// The reasons to refuse objects, one problem for each.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `pkg/config/validation/virtualservice.go`,
/// `manifests/charts/base/files/crd-all.gen.yaml`. Differs: warnings are not given here.
pub fn rejections(mesh: &Mesh) -> Vec<Problem> {
    let mut problems = of(&mesh.authorization_policies, authorization_policy::check);
    problems.extend(of(&mesh.peer_authentications, peer_authentication::check));
    problems.extend(of(&mesh.request_authentications, request_authentication::check));
    problems.extend(of(&mesh.gateways, gateway::check));
    problems.extend(of(&mesh.virtual_services, virtual_service::check));
    problems.extend(of(&mesh.destination_rules, destination_rule::check));
    problems.extend(of(&mesh.service_entries, service_entry::check));
    problems.extend(of(&mesh.sidecars, sidecar::check));
    problems.extend(of(&mesh.workload_entries, workload_entry::check));
    problems.extend(of(&mesh.envoy_filters, envoy_filter::check));
    problems
}

/// Objects that one thread looks at in a row.
const CHUNK: usize = 64;

/// Why objects of one kind are refused, in their order.
fn of<T: Sync>(objects: &[T], check: fn(&T, &mut Vec<Problem>)) -> Vec<Problem> {
    let chunks: Vec<Vec<Problem>> = objects
        .par_chunks(CHUNK)
        .map(|chunk| {
            let mut problems = Vec::new();
            for object in chunk {
                check(object, &mut problems);
            }
            problems
        })
        .collect();
    chunks.into_iter().flatten().collect()
}

/// Notes why an object is refused.
fn refuse<T>(problems: &mut Vec<Problem>, object: &Resource<T>, span: Span, why: impl AsRef<str>) {
    let message = format!("{} does not act: {}", object.id, why.as_ref());
    problems.push(Problem::new(ProblemKind::Rejected, span, message).of(&object.id));
}
