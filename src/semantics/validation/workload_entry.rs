//! Workload entries that are refused, by themselves and as endpoints of a service entry.

use std::net::IpAddr;

use compact_str::CompactString;

use super::refuse;
use super::shared::{are_labels, is_dns_label, is_full_name, is_port};
use crate::model::{Problem, Resource, WorkloadEntry};

/// Reasons to refuse a workload entry.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateWorkloadEntry`.
pub(super) fn check(entry: &Resource<WorkloadEntry>, problems: &mut Vec<Problem>) {
    for why in reasons(&entry.spec, None, true) {
        refuse(problems, entry, entry.spec_span, why);
    }
}

/// Why an address with ports is refused. `ports`: names of the service's ports, where it is an endpoint; `names`: whether it
/// may be a name.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateWorkloadEntry`;
/// `manifests/charts/base/files/crd-all.gen.yaml` (addresses of sockets, names of ports).
pub(super) fn reasons(entry: &WorkloadEntry, ports: Option<&[&str]>, names: bool) -> Vec<String> {
    let mut found = Vec::new();
    let address = entry.address.as_deref().unwrap_or_default();
    if address.is_empty() && entry.network.as_ref().is_none_or(CompactString::is_empty) {
        found.push("an endpoint needs an address".to_owned());
        return found;
    }
    match address.strip_prefix("unix://") {
        Some(socket) => {
            if !is_socket(socket) {
                found.push(format!("`{address}` is no socket"));
            }
            if entry.ports.is_some() {
                found.push("a socket has no ports".to_owned());
            }
            if ports.is_some_and(|ports| ports.len() != 1) {
                found.push("a socket serves one port".to_owned());
            }
        }
        None if !address.is_empty() && !is_reachable(address, names) => {
            found.push(format!("`{address}` is no address of an endpoint"));
        }
        None => {}
    }
    found.extend(bad_ports(entry, ports));
    if !are_labels(entry.labels.as_ref()) {
        found.push("the labels of an endpoint are no labels".to_owned());
    }
    found
}

/// Whether a text is an address, or a name where that will do.
pub(super) fn is_reachable(address: &str, names: bool) -> bool {
    address.parse::<IpAddr>().is_ok() || (names && is_full_name(address))
}

/// Why the ports of an endpoint are refused.
pub(super) fn bad_ports(entry: &WorkloadEntry, ports: Option<&[&str]>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, number) in entry.ports.iter().flatten() {
        if ports.is_some_and(|ports| !ports.contains(&name.as_str())) {
            found.push(format!("the service has no port `{name}`"));
        }
        if !is_dns_label(name) || name.len() == 63 {
            found.push(format!("`{name}` is no name of a port"));
        }
        if !is_port(*number) {
            found.push("a port number lies between 1 and 65535".to_owned());
        }
    }
    found
}

/// Whether a text is a path to a file or the name of an abstract socket. The schema forbids both to end like a directory.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateUnixAddress`.
pub(super) fn is_socket(path: &str) -> bool {
    (path.starts_with('@') || path.starts_with('/')) && !path.ends_with('/')
}
