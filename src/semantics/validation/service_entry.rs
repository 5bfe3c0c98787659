//! Service entries and sidecars that are refused.

use super::refuse;
use super::shared::{check_export_to, is_domain, is_full_name};
use crate::model::{Problem, Resource, ServiceEntry, Sidecar};

/// Reasons to refuse a service entry.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateServiceEntry`.
pub(super) fn check(entry: &Resource<ServiceEntry>, problems: &mut Vec<Problem>) {
    let spec = &entry.spec;
    let hosts = spec.hosts.as_ref().map_or(&[][..], |hosts| hosts.value.as_slice());
    if hosts.is_empty() {
        refuse(problems, entry, entry.spec_span, "a ServiceEntry needs at least one host");
    }
    for host in hosts {
        if host.value == "*" || !is_domain(&host.value) {
            refuse(problems, entry, host.span, format!("`{}` is no host of a service", host.value));
        }
    }
    let mut say = |why: String| refuse(problems, entry, entry.spec_span, why);
    let endpoints = spec.endpoints.as_deref().unwrap_or_default();
    if spec.workload_selector.is_some() && spec.endpoints.is_some() {
        say("only one of `workloadSelector` and `endpoints` may be set".to_owned());
    }
    let addresses = spec.addresses.as_deref().unwrap_or_default();
    let resolution = spec.resolution.as_deref().unwrap_or("NONE");
    for address in addresses {
        if address.parse::<ipnet::IpNet>().is_err() && address.parse::<std::net::IpAddr>().is_err() {
            say(format!("`{address}` is no block of addresses"));
        }
    }
    if addresses.iter().any(|address| address.contains('/')) && !matches!(resolution, "NONE" | "STATIC") {
        say("blocks of addresses go with the resolutions NONE and STATIC only".to_owned());
    }
    let (mut names, mut numbers): (Vec<&str>, Vec<i64>) = (Vec::new(), Vec::new());
    for port in spec.ports.iter().flatten() {
        let name = port.name.as_deref().unwrap_or_default();
        let number = port.number.unwrap_or(0);
        if names.contains(&name) || numbers.contains(&number) {
            say(format!("two ports are called `{name}` or have the number {number}"));
        }
        names.push(name);
        numbers.push(number);
        let within = |number: i64| (1..=65535).contains(&number);
        if !within(number) || !port.target_port.is_none_or(|target| target == 0 || within(target)) {
            say("a port number lies between 1 and 65535".to_owned());
        }
    }
    match resolution {
        "NONE" if !endpoints.is_empty() => say("the resolution NONE takes no endpoints".to_owned()),
        "DNS" | "DNS_ROUND_ROBIN" => {
            if endpoints.is_empty() && hosts.iter().any(|host| !is_full_name(&host.value)) {
                say("names that are looked up are full, or there are endpoints".to_owned());
            }
            if resolution == "DNS_ROUND_ROBIN" && endpoints.len() > 1 {
                say("the resolution DNS_ROUND_ROBIN takes one endpoint at most".to_owned());
            }
        }
        "DYNAMIC_DNS" if hosts.iter().any(|host| !host.value.starts_with('*')) => {
            say("the resolution DYNAMIC_DNS takes wildcards only".to_owned());
        }
        _ => {}
    }
    let scopes = spec.export_to.iter().flatten().map(String::as_str);
    check_export_to(entry, scopes, true, problems);
}

/// Reasons to refuse a sidecar.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateSidecar`.
pub(super) fn check_sidecar(sidecar: &Resource<Sidecar>, problems: &mut Vec<Problem>) {
    let spec = &sidecar.spec;
    let egress = spec.egress.as_ref().map_or(&[][..], |egress| egress.value.as_slice());
    let ingress = spec.ingress.as_ref().map_or(&[][..], |ingress| ingress.value.as_slice());
    let mut say = |why: &str| refuse(problems, sidecar, sidecar.spec_span, why);
    let idle = spec.outbound_traffic_policy.is_none() && spec.inbound_connection_pool.is_none();
    if egress.is_empty() && ingress.is_empty() && idle {
        say("a Sidecar says something");
    }
    for (index, listener) in egress.iter().enumerate() {
        if listener.port.is_none() && index + 1 < egress.len() {
            say("the egress listener without a port is the last one");
        }
        let hosts = listener.hosts.as_deref().unwrap_or_default();
        if hosts.is_empty() {
            say("an egress listener names at least one host");
        }
        for host in hosts {
            if !is_imported_host(&host.value) {
                say(&format!("`{}` is no `NAMESPACE/HOST`", host.value));
            }
        }
    }
    if ingress.iter().any(|listener| listener.value.port.is_none()) {
        say("an ingress listener needs a port");
    }
    if spec.outbound_mode() == Some("ALLOW_ANY_DYNAMIC_DNS") {
        say("ALLOW_ANY_DYNAMIC_DNS is for the whole mesh only");
    }
}

/// Whether a text is a namespace and a host.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateNamespaceSlashWildcardHostname`.
fn is_imported_host(text: &str) -> bool {
    let Some((namespace, host)) = text.split_once('/') else {
        return false;
    };
    let bare = namespace.strip_prefix('~').unwrap_or(namespace);
    let known = matches!(bare, "" | "*" | ".") || super::shared::is_dns_label(bare);
    let partial = host.contains('*') && host != "*" && !host.starts_with("*.");
    !namespace.is_empty() && known && (host == "*" || host.contains('.')) && is_domain(host) && !partial
}
