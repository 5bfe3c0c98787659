//! Service entries that are refused.

use compact_str::CompactString;

use super::refuse;
use super::shared::{
    check_export_to, check_labels_of_selector, is_domain, is_full_name, is_http, is_port, is_protocol, is_tls,
};
use super::workload_entry;
use crate::model::{Problem, Resource, ServiceEntry};

/// How addresses are found.
const RESOLUTIONS: &[&str] = &["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"];

/// Label that puts a waypoint in front of a service.
const WAYPOINT: &str = "istio.io/use-waypoint";

/// Reasons to refuse a service entry.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateServiceEntry`. Differs: the schema's limits to the
/// lengths of lists and texts are not looked at.
pub(super) fn check(entry: &Resource<ServiceEntry>, problems: &mut Vec<Problem>) {
    let spec = &entry.spec;
    check_labels_of_selector(entry, spec.workload_selector.as_ref(), problems);
    let hosts = hosts(entry);
    if hosts.is_empty() {
        refuse(problems, entry, entry.spec_span, "a ServiceEntry needs at least one host");
    }
    for host in spec.hosts.iter().flat_map(|hosts| &hosts.value) {
        if host.value == "*" || !is_domain(&host.value) {
            refuse(problems, entry, host.span, format!("`{}` is no host of a service", host.value));
        }
    }
    let resolution = resolution(entry);
    if !RESOLUTIONS.contains(&resolution) {
        refuse(problems, entry, entry.spec_span, format!("`{resolution}` is no resolution"));
    }
    let location = spec.location.as_deref().unwrap_or("MESH_EXTERNAL");
    if !matches!(location, "MESH_EXTERNAL" | "MESH_INTERNAL") {
        refuse(problems, entry, entry.spec_span, format!("`{location}` is no location"));
    }
    check_addresses(entry, problems);
    check_ports(entry, problems);
    if spec.workload_selector.is_some() && spec.endpoints.is_some() {
        let why = "only one of `workloadSelector` and `endpoints` may be set";
        refuse(problems, entry, entry.spec_span, why);
    }
    check_endpoints(entry, problems);
    if resolution == "DYNAMIC_DNS" {
        check_dynamic(entry, problems);
    }
    let words = protocols(entry);
    if resolution != "NONE" && hosts.len() > 1 && words.iter().any(|word| !is_http(word) && !is_tls(word)) {
        let why = "several hosts of a port that is neither HTTP nor TLS cannot be told apart";
        refuse(problems, entry, entry.spec_span, why);
    }
    let scopes = spec.export_to.iter().flatten().map(CompactString::as_str);
    check_export_to(entry, scopes, true, problems);
}

/// How addresses are found, NONE if it does not say.
fn resolution(entry: &Resource<ServiceEntry>) -> &str {
    entry.spec.resolution.as_deref().unwrap_or("NONE")
}

/// The hosts as written.
fn hosts(entry: &Resource<ServiceEntry>) -> Vec<&str> {
    let hosts = entry.spec.hosts.iter().flat_map(|hosts| &hosts.value);
    hosts.map(|host| host.value.as_str()).collect()
}

/// What the ports say they speak.
fn protocols(entry: &Resource<ServiceEntry>) -> Vec<&str> {
    let ports = entry.spec.ports.iter().flatten();
    ports.map(|port| port.protocol.as_deref().unwrap_or_default()).collect()
}

/// Reasons to refuse addresses.
fn check_addresses(entry: &Resource<ServiceEntry>, problems: &mut Vec<Problem>) {
    let addresses = entry.spec.addresses.as_deref().unwrap_or_default();
    for address in addresses {
        if address.parse::<ipnet::IpNet>().is_err() && address.parse::<std::net::IpAddr>().is_err() {
            refuse(problems, entry, entry.spec_span, format!("`{address}` is no block of addresses"));
        }
    }
    let block = addresses.iter().any(|address| address.contains('/'));
    if block && !matches!(resolution(entry), "NONE" | "STATIC") {
        let why = "blocks of addresses go with the resolutions NONE and STATIC only";
        refuse(problems, entry, entry.spec_span, why);
    }
}

/// Reasons to refuse ports.
fn check_ports(entry: &Resource<ServiceEntry>, problems: &mut Vec<Problem>) {
    let mut say = |why: String| refuse(problems, entry, entry.spec_span, why);
    let (mut names, mut numbers): (Vec<&str>, Vec<i64>) = (Vec::new(), Vec::new());
    for port in entry.spec.ports.iter().flatten() {
        let name = port.name.as_deref().unwrap_or_default();
        let number = port.number.unwrap_or(0);
        if names.contains(&name) || numbers.contains(&number) {
            say(format!("two ports are called `{name}` or have the number {number}"));
        }
        names.push(name);
        numbers.push(number);
        if !super::shared::is_dns_label(name) {
            say(format!("`{name}` is no name of a port"));
        }
        let word = port.protocol.as_deref().unwrap_or_default();
        if !word.is_empty() && !is_protocol(word) {
            say(format!("`{word}` is no protocol"));
        }
        if !is_port(number) || !port.target_port.is_none_or(is_port) {
            say("a port number lies between 1 and 65535".to_owned());
        }
    }
}

/// Reasons to refuse endpoints.
fn check_endpoints(entry: &Resource<ServiceEntry>, problems: &mut Vec<Problem>) {
    let mut say = |why: String| refuse(problems, entry, entry.spec_span, why);
    let endpoints = entry.spec.endpoints.as_deref().unwrap_or_default();
    let ports: Vec<&str> = entry.spec.ports.iter().flatten().filter_map(|port| port.name.as_deref()).collect();
    let resolution = resolution(entry);
    match resolution {
        "NONE" if entry.spec.endpoints.is_some() => say("the resolution NONE takes no endpoints".to_owned()),
        "STATIC" => {
            endpoints.iter().flat_map(|one| workload_entry::reasons(one, Some(&ports), false)).for_each(&mut say);
        }
        "DNS" | "DNS_ROUND_ROBIN" => {
            if endpoints.is_empty() && hosts(entry).iter().any(|host| !is_full_name(host)) {
                say("names that are looked up are full, or there are endpoints".to_owned());
            }
            if resolution == "DNS_ROUND_ROBIN" && endpoints.len() > 1 {
                say("the resolution DNS_ROUND_ROBIN takes one endpoint at most".to_owned());
            }
            for one in endpoints {
                let address = one.address.as_deref().unwrap_or_default();
                if !workload_entry::is_reachable(address, true) {
                    say(format!("`{address}` is no address of an endpoint"));
                }
                workload_entry::bad_ports(one, Some(&ports)).into_iter().for_each(&mut say);
                if !super::shared::are_labels(one.labels.as_ref()) {
                    say("the labels of an endpoint are no labels".to_owned());
                }
            }
        }
        _ => {}
    }
}

/// Reasons to refuse names that are looked up as requests name them.
fn check_dynamic(entry: &Resource<ServiceEntry>, problems: &mut Vec<Problem>) {
    let spec = &entry.spec;
    let mut say = |why: &str| refuse(problems, entry, entry.spec_span, why);
    if hosts(entry).iter().any(|host| !host.starts_with('*')) {
        say("the resolution DYNAMIC_DNS takes wildcards only");
    }
    let filled = |list: usize| list > 0;
    if filled(spec.addresses.as_ref().map_or(0, Vec::len)) || filled(spec.endpoints.as_ref().map_or(0, Vec::len)) {
        say("the resolution DYNAMIC_DNS takes neither addresses nor endpoints");
    }
    let served = |word: &&str| matches!(word.to_ascii_uppercase().as_str(), "HTTP" | "TLS" | "GRPC" | "HTTP2");
    if !protocols(entry).iter().all(served) {
        say("the resolution DYNAMIC_DNS takes HTTP, HTTP2, GRPC and TLS only");
    }
    let waypoint =
        entry.labels.get(WAYPOINT).is_some_and(|name| !name.is_empty() && !name.eq_ignore_ascii_case("none"));
    if spec.location.as_deref() == Some("MESH_INTERNAL") && waypoint {
        say("the resolution DYNAMIC_DNS within the mesh takes no waypoint");
    }
}
