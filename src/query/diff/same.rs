//! Which namespaces are the same on both sides, so that nothing there can have changed.

use crate::model::{Mesh, Objects, Placed, Resource, Workload};
use crate::semantics::World;

/// Whether everything that decides at the doors of a namespace is the same on both sides: its own objects, those of the
/// root namespace, the settings of the mesh, and which pods serve Gateways.
pub(super) fn is_same_namespace(old: &World, new: &World, namespace: &str) -> bool {
    let serving = |world: &World| -> Vec<String> {
        let workloads = world.mesh.workloads_in(namespace).filter(|workload| world.is_gateway(workload));
        let mut names: Vec<String> = workloads.map(|workload| workload.id.to_string()).collect();
        names.sort();
        names
    };
    old.workloads.contains_key(namespace) == new.workloads.contains_key(namespace)
        && are_same_objects(&old.mesh, &new.mesh, namespace)
        && serving(old) == serving(new)
}

/// Whether the settings and the objects of the root namespace are the same on both sides.
pub(super) fn is_same_mesh(old: &Mesh, new: &Mesh) -> bool {
    let root = new.settings.root_namespace();
    old.settings.config == new.settings.config
        && old.settings.known() == new.settings.known()
        && are_same_objects(old, new, root)
}

/// Whether everything that decides at gateways is the same on both sides, the doors behind them aside.
pub(super) fn are_same_gateways(old: &World, new: &World) -> bool {
    let serving = |world: &World| -> Vec<(String, Vec<String>)> {
        let workloads = world.gateway_workloads.iter();
        workloads.map(|workload| (workload.namespace.clone(), workload.identities.clone())).collect()
    };
    let places = serving(new);
    is_same_mesh(&old.mesh, &new.mesh)
        && is_same_routing(&old.mesh, &new.mesh)
        && serving(old) == places
        && places.iter().all(|(namespace, _)| is_same_namespace(old, new, namespace))
}

/// Whether what decides on all ways of clients' own sidecars is the same on both sides: everything but workloads,
/// Services, and the routes and modes of some.
pub(super) fn are_same_settings_of_clients(old: &World, new: &World) -> bool {
    let (old, new) = (&old.mesh, &new.mesh);
    is_same_mesh(old, new)
        && are_same_namespaces(old, new)
        && all_alike(&old.service_entries, &new.service_entries)
        && all_alike(&old.sidecars, &new.sidecars)
        && all_alike(&old.unmodelled, &new.unmodelled)
        && all_alike(&old.envoy_filters, &new.envoy_filters)
        && all_alike(&old.proxy_extensions, &new.proxy_extensions)
        && all_alike(&old.proxy_configs, &new.proxy_configs)
}

/// The workload of the other side that has the name of this.
pub(super) fn twin<'w>(workload: &Workload, other: &'w World) -> Option<&'w Workload> {
    other.workloads_in(&workload.id.namespace).iter().map(AsRef::as_ref).find(|known| known.id == workload.id)
}

/// Whether the namespaces are the same on both sides.
fn are_same_namespaces(old: &Mesh, new: &Mesh) -> bool {
    old.namespaces.len() == new.namespaces.len()
        && old.namespaces.values().zip(new.namespaces.values()).all(|(one, other)| is_same(one, other))
}

/// Whether everything that decides where requests go, and how, is the same on both sides, anywhere in the mesh.
fn is_same_routing(old: &Mesh, new: &Mesh) -> bool {
    are_same_namespaces(old, new)
        && all_alike(&old.peer_authentications, &new.peer_authentications)
        && all_alike(&old.gateways, &new.gateways)
        && all_alike(&old.virtual_services, &new.virtual_services)
        && all_alike(&old.destination_rules, &new.destination_rules)
        && all_alike(&old.service_entries, &new.service_entries)
        && all_alike(&old.services, &new.services)
        && all_alike(&old.sidecars, &new.sidecars)
        && all_alike(&old.ingresses, &new.ingresses)
        && all_alike(&old.unmodelled, &new.unmodelled)
        && old.workloads.len() == new.workloads.len()
        && old.workloads.iter().zip(new.workloads.iter()).all(|(one, other)| is_same_workload(one, other))
}

/// Whether the objects of a namespace are the same on both sides.
fn are_same_objects(old: &Mesh, new: &Mesh, namespace: &str) -> bool {
    let workloads = |mesh: &Mesh| sorted(mesh.workloads_in(namespace).cloned().collect::<Vec<Workload>>());
    let injection = match (old.namespaces.get(namespace), new.namespaces.get(namespace)) {
        (Some(one), Some(other)) => is_same(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let (before, now) = (workloads(old), workloads(new));
    injection
        && before.len() == now.len()
        && before.iter().zip(&now).all(|(one, other)| is_same_workload(one, other))
        && alike(&old.authorization_policies, &new.authorization_policies, namespace)
        && alike(&old.peer_authentications, &new.peer_authentications, namespace)
        && alike(&old.request_authentications, &new.request_authentications, namespace)
        && alike(&old.envoy_filters, &new.envoy_filters, namespace)
        && alike(&old.proxy_extensions, &new.proxy_extensions, namespace)
        && alike(&old.proxy_configs, &new.proxy_configs, namespace)
        && alike(&old.services, &new.services, namespace)
        && alike(&old.service_entries, &new.service_entries, namespace)
        && alike(&old.sidecars, &new.sidecars, namespace)
        && alike(&old.virtual_services, &new.virtual_services, namespace)
        && alike(&old.unmodelled, &new.unmodelled, namespace)
}

/// Objects by kind and name, whatever file they stand in.
fn sorted<T: Placed>(mut objects: Vec<T>) -> Vec<T> {
    objects.sort_by(|one, other| one.id().cmp(other.id()));
    objects
}

/// Whether the objects of one kind in a namespace are the same.
fn alike<T: PartialEq>(old: &Objects<Resource<T>>, new: &Objects<Resource<T>>, namespace: &str) -> bool {
    are_same(old.in_namespace(namespace).collect(), new.in_namespace(namespace).collect())
}

/// Whether the objects of one kind are the same.
fn all_alike<T: PartialEq>(old: &Objects<Resource<T>>, new: &Objects<Resource<T>>) -> bool {
    are_same(old.iter().collect(), new.iter().collect())
}

/// Whether objects are the same, whatever their order.
fn are_same<T: PartialEq>(mut old: Vec<&Resource<T>>, mut new: Vec<&Resource<T>>) -> bool {
    if old.len() != new.len() {
        return false;
    }
    old.sort_by(|one, other| one.id.cmp(&other.id));
    new.sort_by(|one, other| one.id.cmp(&other.id));
    old.into_iter().zip(new).all(|(one, other)| is_same(one, other))
}

/// Whether two objects say the same, wherever it stands.
pub(super) fn is_same<T: PartialEq>(one: &Resource<T>, other: &Resource<T>) -> bool {
    one.id == other.id
        && one.spec == other.spec
        && one.labels == other.labels
        && one.annotations == other.annotations
        && one.created == other.created
}

/// Whether two workloads are the same, wherever they stand.
pub(super) fn is_same_workload(one: &Workload, other: &Workload) -> bool {
    one.id == other.id
        && one.labels == other.labels
        && one.annotations == other.annotations
        && one.service_account == other.service_account
        && one.ports == other.ports
        && one.host_network.is_some() == other.host_network.is_some()
        && one.proxy_container == other.proxy_container
}
