//! Gateways that are refused.

use super::refuse;
use super::shared::{is_dns_label, is_wildcard_domain};
use crate::model::{Gateway, Problem, Resource, Server, TlsMode};
use crate::text::Spanned;

/// Protocols of gateway servers.
const PROTOCOLS: &[&str] =
    &["HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS", "TCP", "MONGO", "REDIS", "MYSQL", "UDP", "HTTP_PROXY"];

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
    if let Some(bind) = server.value.bind.as_ref().filter(|bind| !bind.is_empty() && !bind.starts_with("unix://"))
        && bind.parse::<std::net::IpAddr>().is_err()
    {
        refuse(problems, gateway, server.span, format!("`bind: {bind}` is no address"));
    }
    let unix = server.value.bind.as_ref().is_some_and(|bind| bind.starts_with("unix://"));
    let number = port.value.number.as_ref();
    if !unix && number.is_none_or(|number| !(1..=65535).contains(&number.value)) {
        refuse(
            problems,
            gateway,
            number.map_or(port.span, |number| number.span),
            "a port number lies between 1 and 65535",
        );
    }
    if port.value.name.as_ref().is_none_or(|name| name.value.is_empty()) {
        refuse(problems, gateway, port.span, "a port needs a name");
    }
    if let Some(target) = port.value.target_port.as_ref().filter(|target| target.value != 0) {
        refuse(problems, gateway, target.span, "`targetPort` may not be set on a Gateway");
    }
    let protocol = server.value.protocol();
    if !PROTOCOLS.contains(&protocol.as_str()) {
        let span = port.value.protocol.as_ref().map_or(port.span, |protocol| protocol.span);
        refuse(problems, gateway, span, format!("`{protocol}` is no protocol of a Gateway"));
    }
    check_tls(gateway, server, &protocol, problems);
}

/// Reasons to refuse a server's TLS settings.
fn check_tls(gateway: &Resource<Gateway>, server: &Spanned<Server>, protocol: &str, problems: &mut Vec<Problem>) {
    let Some(tls) = &server.value.tls else {
        if matches!(protocol, "HTTPS" | "TLS") {
            refuse(problems, gateway, server.span, format!("a server of {protocol} needs `tls`"));
        }
        return;
    };
    let fields = &tls.value;
    let mode = server.value.tls_mode().unwrap_or(TlsMode::Passthrough);
    let passes = matches!(mode, TlsMode::Passthrough | TlsMode::AutoPassthrough);
    let set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let certificates = set(&fields.server_certificate) || set(&fields.private_key) || set(&fields.ca_certificates);
    let credential = set(&fields.credential_name)
        || fields.credential_names.as_ref().is_some_and(|names| !names.is_empty())
        || fields.tls_certificates.as_ref().is_some_and(|certificates| !certificates.is_empty());
    match protocol {
        "HTTPS" | "TLS" => {
            let own = matches!(mode, TlsMode::Simple | TlsMode::Mutual | TlsMode::OptionalMutual);
            let pair = set(&fields.server_certificate) && set(&fields.private_key);
            if own && !credential && !pair {
                refuse(
                    problems,
                    gateway,
                    tls.span,
                    "TLS that is terminated needs `credentialName`, or a certificate and a key",
                );
            }
            let verifies = matches!(mode, TlsMode::Mutual | TlsMode::OptionalMutual);
            if verifies && !credential && !set(&fields.ca_certificates) {
                refuse(problems, gateway, tls.span, "client certificates need `caCertificates`");
            }
            if mode == TlsMode::IstioMutual && (certificates || credential) {
                refuse(problems, gateway, tls.span, "ISTIO_MUTUAL brings its own certificates");
            }
        }
        "HTTP" | "HTTP2" | "GRPC" | "GRPC-WEB" => {
            if !passes || certificates || credential {
                refuse(problems, gateway, tls.span, format!("a server of {protocol} terminates no TLS: use HTTPS"));
            }
        }
        _ => refuse(problems, gateway, tls.span, format!("a server of {protocol} takes no `tls`")),
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
