//! What a default deny alone would break: the flows of the input that no ALLOW policy admits.

use std::collections::BTreeSet;

use super::scope::Scope;
use crate::model::{AuthorizationPolicy, Resource, Values, Workload, workload_in_words};
use crate::semantics::{Proxy, attached_policies};

/// How many flows are named.
const MOST: usize = 6;

/// What to see to beside a default deny, and the command that writes both.
pub(super) fn beside(scope: &Scope<'_>, namespace: &str) -> String {
    let flows = flows(scope, namespace);
    if flows.is_empty() {
        return "; no flow of the input breaks by it (`meshlint generate` writes policies from an access table)"
            .to_owned();
    }
    let named: Vec<&str> = flows.iter().take(MOST).map(String::as_str).collect();
    let more = match flows.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        ", and ALLOW policies for what it breaks alone: {}{more} (`meshlint generate` writes both from an access table)",
        named.join(", ")
    )
}

/// The flows to workloads of a namespace to which no ALLOW policy is attached, each in a few words.
fn flows(scope: &Scope<'_>, namespace: &str) -> BTreeSet<String> {
    let world = scope.world;
    let mut flows = BTreeSet::new();
    for workload in world.workloads_in(namespace) {
        let attached = attached_policies(&world.mesh, Proxy { namespace, labels: &workload.labels });
        if !attached.allow.is_empty() {
            continue;
        }
        if world.is_gateway(workload) {
            flows.insert(format!("all that the gateway `{}` takes in", workload.display_name()));
            continue;
        }
        let routed = scope.fronts.leading_to(&workload.id).into_iter();
        flows.extend(routed.map(|entrypoint| {
            format!("requests by `{entrypoint}` to {}", workload_in_words(&workload.display_name()))
        }));
        flows.extend(called(scope, workload));
        let spared = attached.deny.iter().flat_map(|policy| spared(policy));
        flows.extend(
            spared.map(|who| format!("requests from `{who}` to {}", workload_in_words(&workload.display_name()))),
        );
    }
    flows
}

/// Services by which clients within the mesh call a workload that is in the input.
fn called<'w>(scope: &'w Scope<'_>, workload: &'w Workload) -> impl Iterator<Item = String> + 'w {
    let services = scope.world.services_of(workload).filter(|_| !workload.implied);
    services.map(|service| format!("calls to the Service `{}`", service.id.path()))
}

/// Whom a DENY policy spares by name.
fn spared(policy: &Resource<AuthorizationPolicy>) -> Vec<&str> {
    let sources = policy.spec.rules().iter().flat_map(|rule| rule.value.from.iter().flat_map(|from| &from.value));
    let sources = sources.filter_map(|from| from.value.source.as_ref());
    let spared = sources.flat_map(|source| {
        let source = &source.value;
        let lists: [&Values; 3] = [&source.not_namespaces, &source.not_principals, &source.not_service_accounts];
        lists.into_iter().flat_map(|values| values.iter().flat_map(|list| &list.value))
    });
    spared.map(|value| value.value.as_str()).collect()
}
