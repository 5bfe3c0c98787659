//! Where the mission's rules are asked: which namespaces, which workloads, and whether the convention is in use.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::access::AccessTable;
use crate::config::Ask;
use crate::matrix::{Fronts, Judged};
use crate::model::{AuthorizationPolicy, Labels, Resource, Values, Workload, WorkloadSelector};
use crate::semantics::{Membership, World, implied_workload, selects};
use crate::space::{Cube, Pattern};
use crate::text::Span;

/// What all namespaces are asked against, worked out once.
#[derive(Debug)]
pub(super) struct Scope<'w> {
    /// The world
    pub(super) world: &'w World,
    /// The access table
    pub(super) table: &'w AccessTable<'w>,
    /// What gateways deliver
    pub(super) fronts: &'w Fronts<'w>,
    /// What decides at the doors of workloads
    pub(super) judged: &'w Judged<'w>,
    /// An identity of a namespace that nothing names
    pub(super) stranger: String,
    /// Namespaces to which a route or a rewrite names a path of the convention
    routed: BTreeSet<String>,
}

impl<'w> Scope<'w> {
    /// The scope of a world.
    pub(super) fn of(
        world: &'w World,
        table: &'w AccessTable<'w>,
        fronts: &'w Fronts<'w>,
        judged: &'w Judged<'w>,
    ) -> Self {
        let stranger = world.identity(&format!("ns/{}/sa/default", unnamed_namespace(world)));
        Self { world, table, fronts, judged, stranger, routed: routed(world) }
    }

    /// Whether a namespace uses the convention: a route to it, a rewrite on such a route, or a policy of it names
    /// such a path.
    pub(super) fn uses_convention(&self, namespace: &str) -> bool {
        match self.world.options.convention.ask {
            Ask::Always => return true,
            Ask::Never => return false,
            Ask::Auto => {}
        }
        let listed = |values: &Values| {
            let mut values = values.iter().flat_map(|list| &list.value);
            values.any(|value| names_convention(self.world, &value.value))
        };
        let mut policies = self.world.mesh.authorization_policies.in_namespace(namespace);
        let by_policy = policies.any(|policy| {
            let operations = policy.spec.rules().iter().flat_map(|rule| rule.value.to.iter().flat_map(|to| &to.value));
            let mut operations = operations.filter_map(|to| to.value.operation.as_ref());
            operations.any(|operation| listed(&operation.value.paths) || listed(&operation.value.not_paths))
        });
        by_policy || self.routed.contains(namespace)
    }
}

/// Whether the literal stem of a path is a prefix of the convention or below it.
fn names_convention(world: &World, path: &str) -> bool {
    let path = path.split(['*', '{']).next().unwrap_or_default();
    [&world.options.convention.api, &world.options.convention.internal]
        .into_iter()
        .any(|prefix| path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// The namespaces to which a route names a path of the convention, by what it matches or what it rewrites to.
fn routed(world: &World) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for service in &world.mesh.virtual_services {
        for route in service.spec.http() {
            let matches = route.value.matches.iter().flat_map(|matches| &matches.value);
            let uris = matches.filter_map(|one| one.value.uri.as_ref());
            let texts = uris.flat_map(|uri| [&uri.value.exact, &uri.value.prefix, &uri.value.regex]).flatten();
            let mut texts = texts.map(|text| text.value.trim_start_matches('^'));
            let rewrite = route.value.rewrite.as_ref().and_then(|rewrite| rewrite.value.uri.as_ref());
            if texts.any(|text| names_convention(world, text))
                || rewrite.is_some_and(|uri| names_convention(world, &uri.value))
            {
                let hosts = route.value.destination_hosts();
                let namespaces = hosts.filter_map(|host| destination_namespace(&host.value, &service.id.namespace));
                found.extend(namespaces.map(str::to_owned));
            }
        }
    }
    found
}

/// A namespace that nothing names.
fn unnamed_namespace(world: &World) -> String {
    let known = world.namespaces();
    let is_named_by = |policy: &Resource<AuthorizationPolicy>, name: &str| {
        let from = policy.spec.rules().iter().flat_map(|rule| rule.value.from.iter().flat_map(|from| &from.value));
        from.filter_map(|from| from.value.source.as_ref()).any(|source| {
            let source = &source.value;
            let lists: [&Values; 4] =
                [&source.namespaces, &source.not_namespaces, &source.principals, &source.not_principals];
            let mut values = lists.into_iter().flat_map(|values| values.iter().flat_map(|list| &list.value));
            values.any(|value| value.value.contains(name))
        })
    };
    let policies = &world.mesh.authorization_policies;
    let is_named = |name: &str| policies.par_iter().any(|policy| is_named_by(policy, name));
    let free = |name: &str| !known.contains(name) && !is_named(name);
    let candidates = ["other", "elsewhere", "another", "stranger"];
    candidates.into_iter().find(|name| free(name)).unwrap_or("zz9-elsewhere").to_owned()
}

/// The paths at a prefix and below it.
pub(super) fn paths_below(prefix: &str) -> Cube {
    Cube::default().path(vec![Pattern::Exact(prefix.into()), Pattern::Prefix(format!("{prefix}/").into())])
}

/// The workloads of a namespace that the path rules are asked of.
pub fn asked<'w>(world: &'w World, namespace: &str) -> Vec<&'w Workload> {
    world.workloads_in(namespace).iter().map(AsRef::as_ref).filter(|workload| is_asked(world, workload)).collect()
}

/// Whether the rules are asked of a workload: not of what serves Gateways, of Istio itself, or of somebody else's.
pub(super) fn is_asked(world: &World, workload: &Workload) -> bool {
    let gateway = world.is_gateway(workload) || (workload.implied && serves_gateways(world, &workload.labels));
    !gateway && !World::is_control_plane(workload) && !workload.context
}

/// Whether labels are those of a workload that serves Gateways, as the selectors of policies for gateways name them.
fn serves_gateways(world: &World, labels: &Labels) -> bool {
    let names = ["istio", "app", "app.kubernetes.io/name"].into_iter().filter_map(|key| labels.get(key));
    let by_name = names
        .map(|name| name.replace('-', ""))
        .any(|name| ["ingressgateway", "egressgateway", "eastwestgateway"].iter().any(|known| name.ends_with(known)))
        || labels.contains_key("gateway.networking.k8s.io/gateway-name");
    let mut selectors = world.mesh.gateways.iter().filter_map(|gateway| gateway.spec.selector.as_ref());
    by_name || selectors.any(|selector| !selector.value.is_empty() && selects(Some(&selector.value), labels))
}

/// Whether a namespace is part of the mesh: something in it has a sidecar, or would have one. No installer asks for
/// sidecars in the root namespace, so there it takes a label that does.
pub(super) fn in_mesh(world: &World, namespace: &str) -> bool {
    let root = namespace == world.mesh.settings.root_namespace();
    let has_sidecar = |workload: &Workload| match world.membership(workload) {
        Membership::In => true,
        Membership::Assumed => !root,
        Membership::Out { .. } => false,
    };
    let others = |workload: &&Workload| !world.is_gateway(workload) && !World::is_control_plane(workload);
    has_sidecar(&implied_workload(namespace, Labels::new()))
        || world.mesh.workloads_in(namespace).filter(others).any(has_sidecar)
}

/// Whether the rules are asked in a namespace.
pub fn is_judged(world: &World, namespace: &str) -> bool {
    in_mesh(world, namespace) && is_owned(world, namespace)
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
    // What guards a gateway does not tell that anything else lives beside it.
    let picks_gateways = |selector: Option<&WorkloadSelector>| {
        let labels = selector.and_then(|selector| selector.match_labels.as_ref());
        labels.is_some_and(|labels| serves_gateways(world, labels))
    };
    let policies = mesh.authorization_policies.in_namespace(namespace).any(|policy| {
        !policy.context && !picks_gateways(policy.spec.selector.as_ref().map(|selector| &selector.value))
    }) || mesh.peer_authentications.in_namespace(namespace).any(|policy| {
        !policy.context && !picks_gateways(policy.spec.selector.as_ref().map(|selector| &selector.value))
    }) || mesh.request_authentications.in_namespace(namespace).any(|policy| {
        !policy.context && !picks_gateways(policy.spec.selector.as_ref().map(|selector| &selector.value))
    });
    let services = mesh.services.in_namespace(namespace).any(|service| {
        let gateway = service.spec.selector.as_ref().is_some_and(|selector| {
            let mut gateways = world.gateway_workloads.iter().filter(|gateway| gateway.namespace == namespace);
            serves_gateways(world, selector) || gateways.any(|gateway| selects(Some(selector), &gateway.labels))
        });
        !service.context && !gateway
    });
    let own_routes = mesh.virtual_services.in_namespace(namespace).any(|service| {
        !service.context
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
    let policies = mesh.authorization_policies.in_namespace(namespace).map(|object| object.name_span);
    let peers = mesh.peer_authentications.in_namespace(namespace).map(|object| object.name_span);
    let requests = mesh.request_authentications.in_namespace(namespace).map(|object| object.name_span);
    let routes = mesh.virtual_services.in_namespace(namespace).map(|object| object.name_span);
    let services = mesh.services.in_namespace(namespace).map(|object| object.name_span);
    workloads.chain(policies).chain(peers).chain(requests).chain(routes).min().or_else(|| services.min())
}
