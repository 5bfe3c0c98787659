//! Sidecars that are refused.

use std::net::IpAddr;

use compact_str::CompactString;

use super::refuse;
use super::server_tls;
use super::shared::{check_labels_of_selector, is_dns_label, is_domain, is_full_name, is_port, is_protocol, is_tls};
use super::traffic_policy::bad_pool;
use super::workload_entry::is_socket;
use crate::model::{Problem, Resource, ServiceEntryPort, Sidecar, SidecarEgress, SidecarIngress, TlsMode};

/// What is said of a port number that is none.
const NUMBER: &str = "a port number lies between 1 and 65535";

/// Reasons to refuse a sidecar.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateSidecar`.
pub(super) fn check(sidecar: &Resource<Sidecar>, problems: &mut Vec<Problem>) {
    let spec = &sidecar.spec;
    check_labels_of_selector(sidecar, spec.workload_selector.as_ref(), problems);
    let egress = spec.egress.as_ref().map_or(&[][..], |egress| egress.value.as_slice());
    let ingress = spec.ingress.as_ref().map_or(&[][..], |ingress| ingress.value.as_slice());
    let mut say = |why: String| refuse(problems, sidecar, sidecar.spec_span, why);
    let idle = spec.outbound_traffic_policy.is_none() && spec.inbound_connection_pool.is_none();
    if egress.is_empty() && ingress.is_empty() && idle {
        say("a Sidecar says something".to_owned());
    }
    if let Some(why) = spec.inbound_connection_pool.as_ref().and_then(bad_pool) {
        say(why);
    }
    let number = |port: Option<&ServiceEntryPort>| port.map_or(0, |port| port.number.unwrap_or(0));
    for (index, listener) in ingress.iter().enumerate() {
        bad_ingress(&listener.value).into_iter().for_each(&mut say);
        let mut earlier = ingress.iter().take(index);
        if earlier.any(|other| number(other.value.port.as_ref()) == number(listener.value.port.as_ref())) {
            say("two ingress listeners have one port".to_owned());
        }
    }
    for (index, listener) in egress.iter().enumerate() {
        if listener.port.is_none() && index + 1 < egress.len() {
            say("the egress listener without a port is the last one".to_owned());
        }
        bad_egress(listener).into_iter().for_each(&mut say);
        let place = |listener: &SidecarEgress| match number(listener.port.as_ref()) {
            0 => (0, listener.bind.clone().unwrap_or_default()),
            number => (number, CompactString::default()),
        };
        let mut earlier = egress.iter().take(index).filter(|other| other.port.is_some());
        if listener.port.is_some() && earlier.any(|other| place(other) == place(listener)) {
            say("two egress listeners have one port or socket".to_owned());
        }
    }
    bad_outbound(spec).into_iter().for_each(&mut say);
}

/// Why a listener for what comes in is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateSidecar`, `validateSidecarIngressPortAndBind`.
fn bad_ingress(listener: &SidecarIngress) -> Vec<String> {
    let Some(port) = &listener.port else {
        return vec!["an ingress listener needs a port".to_owned()];
    };
    let mut found = bad_port(port);
    if !port.number.is_some_and(is_port) {
        found.push(NUMBER.to_owned());
    }
    found.extend(bad_capture(listener.capture_mode.as_deref()));
    let bind = listener.bind.as_deref().unwrap_or_default();
    if !bind.is_empty() && bind.parse::<IpAddr>().is_err() {
        found.push(format!("`bind: {bind}` is no address"));
    }
    let endpoint = listener.default_endpoint.as_deref().unwrap_or_default();
    if !endpoint.is_empty() && !is_local_endpoint(endpoint) {
        found.push(format!("`defaultEndpoint: {endpoint}` is no port or socket of the workload"));
    }
    if let Some(tls) = &listener.tls {
        found.extend(server_tls::reasons(tls).into_iter().map(str::to_owned));
        let set = |list: &Option<Vec<CompactString>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let credential = tls.credential_name.as_ref().is_some_and(|name| !name.is_empty());
        let several = set(&tls.credential_names) || tls.tls_certificates.is_some();
        if set(&tls.subject_alt_names) || tls.https_redirect == Some(true) || credential || several {
            found.push("TLS of an ingress listener takes its certificate from files, and no redirect".to_owned());
        }
        let mode = tls.mode.as_ref().map_or(TlsMode::Passthrough, |mode| mode.value);
        if matches!(mode, TlsMode::IstioMutual | TlsMode::AutoPassthrough) {
            found.push("an ingress listener takes neither ISTIO_MUTUAL nor AUTO_PASSTHROUGH".to_owned());
        }
        if !is_tls(port.protocol.as_deref().unwrap_or_default()) {
            found.push("`tls` goes with the protocols HTTPS and TLS only".to_owned());
        }
    }
    found.extend(listener.connection_pool.as_ref().and_then(bad_pool));
    found
}

/// What is wrong with a port of either sort of listener.
fn bad_port(port: &ServiceEntryPort) -> Vec<String> {
    let mut found = Vec::new();
    if port.target_port.is_some_and(|target| target != 0) {
        found.push("`targetPort` may not be set on a Sidecar".to_owned());
    }
    let name = port.name.as_deref().unwrap_or_default();
    if !name.is_empty() && !is_dns_label(name) {
        found.push(format!("`{name}` is no name of a port"));
    }
    let word = port.protocol.as_deref().unwrap_or_default();
    if !word.is_empty() && !is_protocol(word) {
        found.push(format!("`{word}` is no protocol"));
    }
    found
}

/// A way to capture traffic that is none.
fn bad_capture(mode: Option<&str>) -> Option<String> {
    let mode = mode.filter(|mode| !matches!(*mode, "DEFAULT" | "IPTABLES" | "NONE"))?;
    Some(format!("`captureMode: {mode}` is none of DEFAULT, IPTABLES and NONE"))
}

/// Whether a text is a port or a socket of the workload's own.
fn is_local_endpoint(endpoint: &str) -> bool {
    if let Some(socket) = endpoint.strip_prefix("unix://") {
        // Here the schema has no say: an abstract socket may end in a slash.
        return socket.starts_with('@') || is_socket(socket);
    }
    let Some((host, port)) = endpoint.rsplit_once(':') else {
        return false;
    };
    matches!(host, "" | "127.0.0.1" | "0.0.0.0" | "[::1]" | "[::]") && port.parse().is_ok_and(is_port)
}

/// Why a listener for what goes out is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateSidecar`,
/// `validateSidecarEgressPortBindAndCaptureMode`.
fn bad_egress(listener: &SidecarEgress) -> Vec<String> {
    let mut found = Vec::new();
    let bind = listener.bind.as_deref().unwrap_or_default();
    let capture = listener.capture_mode.as_deref();
    found.extend(bad_capture(capture));
    if let Some(port) = &listener.port {
        found.extend(bad_port(port));
        match (port.number.unwrap_or(0), bind.strip_prefix("unix://")) {
            (0, Some(socket)) => {
                if !socket.starts_with('@') && !is_socket(socket) {
                    found.push(format!("`bind: {bind}` is no socket"));
                }
                if capture == Some("IPTABLES") {
                    found.push("what goes to a socket is not captured".to_owned());
                }
            }
            (0, None) => found.push("the port 0 needs a socket to bind to".to_owned()),
            (number, _) => {
                if !is_port(number) {
                    found.push(NUMBER.to_owned());
                }
                if !bind.is_empty() && bind.parse::<IpAddr>().is_err() {
                    found.push(format!("`bind: {bind}` is no address"));
                }
            }
        }
    }
    let hosts = listener.hosts.as_deref().unwrap_or_default();
    if hosts.is_empty() {
        found.push("an egress listener names at least one host".to_owned());
    }
    let bad = hosts.iter().filter(|host| !is_imported_host(&host.value));
    found.extend(bad.map(|host| format!("`{}` is no `NAMESPACE/HOST`", host.value)));
    found
}

/// Why what happens to unknown hosts is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateSidecarOutboundTrafficPolicy`.
fn bad_outbound(spec: &Sidecar) -> Vec<String> {
    let mode = match spec.outbound_mode() {
        None => return Vec::new(),
        Some(mode @ ("REGISTRY_ONLY" | "ALLOW_ANY")) => mode,
        Some(mode) => return vec![format!("`{mode}` is no mode of a Sidecar")],
    };
    let Some(proxy) = spec.outbound_traffic_policy.as_ref().and_then(|policy| policy.egress_proxy.as_ref()) else {
        return Vec::new();
    };
    let host = proxy.host.as_ref().map_or("", |host| host.value.as_str());
    let subset = proxy.subset.as_ref().map_or("", |subset| subset.value.as_str());
    let port = proxy.port.as_ref().and_then(|port| port.number.as_ref());
    let mut found = Vec::new();
    if mode != "ALLOW_ANY" {
        found.push("`egressProxy` goes with ALLOW_ANY only".to_owned());
    }
    let reachable = is_full_name(host) && port.is_some_and(|port| is_port(port.value));
    if !reachable || (!subset.is_empty() && !is_dns_label(subset)) {
        found.push("`egressProxy` needs the full name of a host, and a port".to_owned());
    }
    found
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
    let known = matches!(bare, "" | "*" | ".") || is_dns_label(bare);
    let partial = host.contains('*') && host != "*" && !host.starts_with("*.");
    !namespace.is_empty() && known && (host == "*" || host.contains('.')) && is_domain(host) && !partial
}
