//! Clients that no setting of the mesh tells apart, so that one answer stands for all of them.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::membership::Membership;
use super::world::World;
use crate::model::{Labels, Workload};

/// The labels of a client that are asked for, with their values.
type Told<'w> = Vec<(&'w str, &'w str)>;

/// Workloads with sidecars that send alike: of one namespace, and alike in every label that a setting asks for.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `getSidecarScope`; `pilot/pkg/model/sidecar.go`,
/// `DestinationRule`; `pilot/pkg/networking/core/route/route.go`, `sourceMatchHTTP`;
/// `pilot/pkg/networking/core/tls.go`, `matchTLS`, `matchTCP`; `pilot/pkg/model/envoyfilter.go`,
/// `matchingEnvoyFilters`; `pilot/pkg/model/extensions.go`, `WasmPlugins`.
pub fn client_classes(world: &World) -> Vec<Vec<&Workload>> {
    let keys = deciding_labels(world);
    let mut classes: BTreeMap<(&str, Told<'_>), Vec<&Workload>> = BTreeMap::new();
    for workload in &world.mesh.workloads {
        let has_sidecar = !matches!(world.membership(workload), Membership::Out { .. });
        if !has_sidecar || world.is_gateway(workload) || World::is_control_plane(workload) {
            continue;
        }
        let labels = workload.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let told = labels.filter(|(key, _)| keys.contains(key)).collect();
        classes.entry((&workload.id.namespace, told)).or_default().push(workload);
    }
    classes.into_values().collect()
}

/// The labels of a client that something asks for on its way out.
fn deciding_labels(world: &World) -> BTreeSet<&str> {
    let mesh = &world.mesh;
    let sidecars = mesh.sidecars.iter().filter_map(|sidecar| sidecar.spec.workload_selector.as_ref()?.labels.as_ref());
    let filters =
        mesh.envoy_filters.iter().filter_map(|filter| filter.spec.workload_selector.as_ref()?.labels.as_ref());
    let rules = mesh
        .destination_rules
        .iter()
        .filter_map(|rule| rule.spec.workload_selector.as_ref()?.value.match_labels.as_ref());
    let plugins =
        mesh.proxy_extensions.iter().filter_map(|plugin| plugin.spec.selector.as_ref()?.match_labels.as_ref());
    let proxies = mesh.proxy_configs.iter().filter_map(|config| config.spec.selector.as_ref()?.match_labels.as_ref());
    let selectors = sidecars.chain(filters).chain(rules).chain(plugins).chain(proxies);
    let matches = mesh.virtual_services.iter().flat_map(|service| {
        let http = service.spec.http().iter().flat_map(|route| route.value.matches.iter().flat_map(|list| &list.value));
        let tls = service.spec.tls().iter().flat_map(|route| route.value.matches.iter().flat_map(|list| &list.value));
        let tcp = service.spec.tcp().iter().flat_map(|route| route.value.matches.iter().flat_map(|list| &list.value));
        let http = http.filter_map(|one| one.value.source_labels.as_ref());
        let tls = tls.filter_map(|one| one.value.source_labels.as_ref());
        http.chain(tls).chain(tcp.filter_map(|one| one.value.source_labels.as_ref()))
    });
    selectors.chain(matches).flat_map(Labels::keys).map(CompactString::as_str).collect()
}
