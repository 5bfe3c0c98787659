//! Where the mission's rules are asked: which namespaces, which workloads, and whether the convention is in use.

use crate::config::Ask;
use crate::model::{Values, Workload};
use crate::semantics::{Membership, World, implied_workload};
use crate::space::{Cube, Pattern};
use crate::text::Span;

/// The paths at a prefix and below it.
pub(super) fn paths_below(prefix: &str) -> Cube {
    Cube::default().path(vec![Pattern::Exact(prefix.into()), Pattern::Prefix(format!("{prefix}/").into())])
}

/// The workloads of a namespace that the path rules are asked of.
pub(super) fn asked<'w>(world: &'w World, namespace: &str) -> Vec<&'w Workload> {
    let workloads = world.workloads_in(namespace).iter();
    workloads
        .filter(|workload| !world.is_gateway(workload) && !World::is_control_plane(workload) && !workload.context)
        .collect()
}

/// Whether a namespace is part of the mesh: something in it has a sidecar, or would have one.
pub(super) fn in_mesh(world: &World, namespace: &str) -> bool {
    let probe = implied_workload(namespace, crate::model::Labels::new());
    !matches!(world.membership(&probe), Membership::Out { .. })
        || world
            .mesh
            .workloads_in(namespace)
            .any(|workload| !matches!(world.membership(workload), Membership::Out { .. }))
}

/// Whether the input owns a namespace, and is not only pointing at it.
pub(super) fn is_owned(world: &World, namespace: &str) -> bool {
    let mesh = &world.mesh;
    let root = namespace == mesh.settings.root_namespace();
    let workloads = mesh
        .workloads_in(namespace)
        .any(|workload| !workload.context && !world.is_gateway(workload) && !World::is_control_plane(workload));
    if root {
        // Policies of the root namespace are the mesh's, and its Services are those of gateways.
        return workloads;
    }
    let policies = mesh.authorization_policies.iter().any(|policy| policy.id.namespace == namespace && !policy.context)
        || mesh.peer_authentications.iter().any(|policy| policy.id.namespace == namespace && !policy.context)
        || mesh.request_authentications.iter().any(|policy| policy.id.namespace == namespace && !policy.context);
    let services = mesh.services.iter().any(|service| {
        let gateway = world.gateway_workloads.iter().any(|gateway| {
            gateway.namespace == namespace
                && service
                    .spec
                    .selector
                    .as_ref()
                    .is_some_and(|selector| crate::semantics::selects(Some(selector), &gateway.labels))
        });
        service.id.namespace == namespace && !service.context && !gateway
    });
    let own_routes = mesh.virtual_services.iter().any(|service| {
        service.id.namespace == namespace
            && !service.context
            && service.spec.destinations().any(|destination| {
                destination
                    .value
                    .host
                    .as_ref()
                    .is_some_and(|host| destination_namespace(&host.value, namespace) == Some(namespace))
            })
    });
    workloads || policies || services || own_routes
}

/// The namespace that a destination host of a virtual service means.
fn destination_namespace<'a>(host: &'a str, own: &'a str) -> Option<&'a str> {
    if !host.contains('.') {
        return Some(own);
    }
    let mut parts = host.split('.');
    let namespace = parts.nth(1)?;
    (parts.next() == Some("svc")).then_some(namespace)
}

/// Whether a namespace uses the convention: a route to it, a rewrite on such a route, or a policy of it names such a path.
pub(super) fn uses_convention(world: &World, namespace: &str) -> bool {
    match world.options.convention.ask {
        Ask::Always => return true,
        Ask::Never => return false,
        Ask::Auto => {}
    }
    let names = |path: &str| {
        let path = path.split(['*', '{']).next().unwrap_or_default();
        [&world.options.convention.api, &world.options.convention.internal]
            .into_iter()
            .any(|prefix| path == prefix || path.starts_with(&format!("{prefix}/")))
    };
    let listed = |values: &Values| values.iter().flat_map(|list| &list.value).any(|value| names(&value.value));
    let by_policy =
        world.mesh.authorization_policies.iter().filter(|policy| policy.id.namespace == namespace).any(|policy| {
            let operations = policy.spec.rules().iter().flat_map(|rule| rule.value.to.iter().flat_map(|to| &to.value));
            let mut operations = operations.filter_map(|to| to.value.operation.as_ref());
            operations.any(|operation| listed(&operation.value.paths) || listed(&operation.value.not_paths))
        });
    by_policy
        || world.mesh.virtual_services.iter().any(|service| {
            service.spec.http().iter().any(|route| {
                let destinations = route.value.route.iter().flat_map(|route| &route.value);
                let mut destinations = destinations.filter_map(|weighted| weighted.value.destination.as_ref());
                let leads = destinations.any(|destination| {
                    destination.value.host.as_ref().is_some_and(|host| {
                        destination_namespace(&host.value, &service.id.namespace) == Some(namespace)
                    })
                });
                let matches = route.value.matches.iter().flat_map(|matches| &matches.value);
                let mut uris = matches.filter_map(|one| one.value.uri.as_ref());
                let rewrite = route.value.rewrite.as_ref().and_then(|rewrite| rewrite.value.uri.as_ref());
                leads
                    && (rewrite.is_some_and(|uri| names(&uri.value))
                        || uris.any(|uri| {
                            let uri = &uri.value;
                            [&uri.exact, &uri.prefix, &uri.regex]
                                .into_iter()
                                .flatten()
                                .any(|text| names(text.value.trim_start_matches('^')))
                        }))
            })
        })
}

/// Whether a policy belongs to somebody else, so that no finding may stand on it.
pub(super) fn is_foreign(world: &World, policy: &crate::model::ObjectId) -> bool {
    world.mesh.authorization_policy(policy).is_some_and(|policy| policy.context)
}

/// Where a namespace is first spoken of: its Namespace, else the first workload, policy or virtual service in path order.
pub(super) fn first_mention(world: &World, namespace: &str) -> Option<Span> {
    let mesh = &world.mesh;
    if let Some(object) = mesh.namespaces.get(namespace).filter(|object| !object.context) {
        return Some(object.name_span);
    }
    let workloads =
        mesh.workloads_in(namespace).filter(|workload| !workload.context).map(|workload| workload.name_span);
    let here = |id: &crate::model::ObjectId| id.namespace == namespace;
    let policies = mesh.authorization_policies.iter().filter(|object| here(&object.id)).map(|object| object.name_span);
    let peers = mesh.peer_authentications.iter().filter(|object| here(&object.id)).map(|object| object.name_span);
    let requests = mesh.request_authentications.iter().filter(|object| here(&object.id)).map(|object| object.name_span);
    let routes = mesh.virtual_services.iter().filter(|object| here(&object.id)).map(|object| object.name_span);
    let services = mesh.services.iter().filter(|object| here(&object.id)).map(|object| object.name_span);
    workloads.chain(policies).chain(peers).chain(requests).chain(routes).min().or_else(|| services.min())
}
