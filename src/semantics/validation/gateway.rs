//! Gateways that are refused.

use compact_str::CompactString;

use super::refuse;
use super::server_tls;
use super::shared::{is_dns_label, is_http, is_port, is_protocol, is_tls, is_wildcard_domain};
use super::workload_entry::is_socket;
use crate::model::{Gateway, Problem, Resource, Server, ServerPort, TlsMode};
use crate::text::Spanned;

/// Reasons to refuse a Gateway.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateGateway`, `validateServer`.
pub(super) fn check(gateway: &Resource<Gateway>, problems: &mut Vec<Problem>) {
    if !is_dns_label(&gateway.id.name) {
        refuse(problems, gateway, gateway.name_span, format!("`{}` is no single DNS label", gateway.id.name));
    }
    if gateway.spec.servers().is_empty() {
        refuse(problems, gateway, gateway.spec_span, "a Gateway needs at least one server");
    }
    let mut names: Vec<&str> = Vec::new();
    for server in gateway.spec.servers() {
        check_server(gateway, server, problems);
        if let Some(name) = server.value.port.as_ref().and_then(|port| port.value.name.as_ref()) {
            if names.contains(&name.value.as_str()) {
                refuse(problems, gateway, name.span, format!("two ports are called `{}`", name.value));
            }
            names.push(&name.value);
        }
    }
}

/// Reasons to refuse a Gateway for one of its servers.
fn check_server(gateway: &Resource<Gateway>, server: &Spanned<Server>, problems: &mut Vec<Problem>) {
    if server.value.hosts().is_empty() {
        refuse(problems, gateway, server.span, "a server needs at least one host");
    }
    for host in server.value.hosts() {
        if let Some(why) = bad_host(&host.value) {
            refuse(problems, gateway, host.span, format!("host `{}`: {why}", host.value));
        }
    }
    let Some(port) = &server.value.port else {
        refuse(problems, gateway, server.span, "a server needs a port");
        return;
    };
    check_place(gateway, server, port, problems);
    if port.value.name.as_ref().is_none_or(|name| name.value.is_empty()) {
        refuse(problems, gateway, port.span, "a port needs a name");
    }
    if let Some(target) = port.value.target_port.as_ref().filter(|target| target.value != 0) {
        refuse(problems, gateway, target.span, "`targetPort` may not be set on a Gateway");
    }
    let protocol = server.value.protocol();
    if !is_protocol(&protocol) {
        let span = port.value.protocol.as_ref().map_or(port.span, |protocol| protocol.span);
        refuse(problems, gateway, span, format!("`{protocol}` is no protocol of a Gateway"));
    }
    check_tls(gateway, server, &protocol, problems);
}

/// Reasons to refuse where a server listens: an address and a number, or a socket.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateServerPort`, `validateServerBind`.
fn check_place(
    gateway: &Resource<Gateway>,
    server: &Spanned<Server>,
    port: &Spanned<ServerPort>,
    problems: &mut Vec<Problem>,
) {
    let bind = server.value.bind.as_deref().unwrap_or_default();
    let number = port.value.number.as_ref();
    let span = number.map_or(port.span, |number| number.span);
    if let Some(socket) = bind.strip_prefix("unix://") {
        if !socket.starts_with('@') && !is_socket(socket) {
            refuse(problems, gateway, server.span, format!("`bind: {bind}` is no socket"));
        }
        if number.is_none_or(|number| number.value != 0) {
            refuse(problems, gateway, span, "a socket goes with the port number 0");
        }
        return;
    }
    if !bind.is_empty() && bind.parse::<std::net::IpAddr>().is_err() {
        refuse(problems, gateway, server.span, format!("`bind: {bind}` is no address"));
    }
    if number.is_none_or(|number| !is_port(number.value)) {
        refuse(problems, gateway, span, "a port number lies between 1 and 65535");
    }
}

/// Reasons to refuse a server's TLS settings.
fn check_tls(gateway: &Resource<Gateway>, server: &Spanned<Server>, protocol: &str, problems: &mut Vec<Problem>) {
    let Some(tls) = &server.value.tls else {
        if is_tls(protocol) {
            refuse(problems, gateway, server.span, format!("a server of {protocol} needs `tls`"));
        }
        return;
    };
    for why in server_tls::reasons(&tls.value) {
        refuse(problems, gateway, tls.span, why);
    }
    let fields = &tls.value;
    let mode = server.value.tls_mode().unwrap_or(TlsMode::Passthrough);
    let passes = matches!(mode, TlsMode::Passthrough | TlsMode::AutoPassthrough);
    let set = |text: &Option<CompactString>| text.as_ref().is_some_and(|text| !text.is_empty());
    let files = set(&fields.server_certificate) || set(&fields.private_key) || set(&fields.ca_certificates);
    if is_http(protocol) && (!passes || files) {
        refuse(problems, gateway, tls.span, format!("a server of {protocol} terminates no TLS: use HTTPS"));
    } else if !is_http(protocol) && !is_tls(protocol) {
        refuse(problems, gateway, tls.span, format!("a server of {protocol} takes no `tls`"));
    }
}

/// Why a host of a server is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateServer` (hosts), `validateNamespaceSlashWildcardHostname`.
fn bad_host(host: &str) -> Option<&'static str> {
    let host = match host.split_once('/') {
        None => host,
        Some((namespace, host)) => {
            let known = namespace == "*" || namespace == "." || is_dns_label(namespace);
            if !known || host.is_empty() {
                return Some("the part before `/` is a namespace, `.` or `*`");
            }
            host
        }
    };
    let address = host.parse::<std::net::IpAddr>().is_ok();
    if host != "*" && !address && !host.contains('.') {
        return Some("a short name; give the full one");
    }
    if host.strip_prefix('*').is_some_and(|rest| !rest.is_empty() && !rest.starts_with('.')) {
        return Some("a star stands alone or before a dot");
    }
    (!is_wildcard_domain(host)).then_some("no host name")
}
