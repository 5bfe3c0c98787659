//! Which protocol a port declares, and so which filter chains it gets.

use crate::model::ServicePort;

/// What a port speaks, as far as a proxy cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// HTTP in any of its forms
    Http,
    /// Opaque bytes, TLS among them
    Tcp,
    /// Not declared: the proxy looks at the first bytes
    Sniffed,
    /// Not proxied at all
    Udp,
}

/// The protocol of a Service port: `appProtocol`, else the name up to its first `-`, else sniffed.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/kube/conversion.go`, `ConvertProtocol`.
pub(super) fn service_port_protocol(port: &ServicePort) -> Protocol {
    let number = port.port.and_then(|number| u16::try_from(number).ok()).unwrap_or(0);
    let l4 = port.protocol.as_deref().unwrap_or("TCP");
    declared(l4, port.app_protocol.as_deref(), port.name.as_deref().unwrap_or_default(), number)
}

/// Whether a Service port says that it speaks gRPC: every call is then a POST of HTTP/2. The form for browsers is another.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/kube/conversion.go`, `ConvertProtocol`; `pkg/config/protocol/instance.go`, `Parse`.
pub(crate) fn is_grpc(port: &ServicePort) -> bool {
    let word = word(port.app_protocol.as_deref(), port.name.as_deref().unwrap_or_default());
    !word.starts_with("grpc-web") && word.split('-').next() == Some("grpc")
}

/// The word that declares a protocol, in lower case: `appProtocol`, else the port's name.
fn word(app_protocol: Option<&str>, name: &str) -> String {
    let word = match app_protocol {
        Some("kubernetes.io/h2c") => "http2",
        Some("kubernetes.io/ws") => "http",
        Some("kubernetes.io/wss") => "https",
        Some(app) => app,
        None => name,
    };
    word.to_ascii_lowercase()
}

/// The protocol that L4 protocol, `appProtocol`, name and number declare together.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/kube/conversion.go`, `ConvertProtocol`;
/// `pkg/config/protocol/instance.go`, `Parse`.
pub(super) fn declared(l4: &str, app_protocol: Option<&str>, name: &str, number: u16) -> Protocol {
    if l4.eq_ignore_ascii_case("UDP") {
        return Protocol::Udp;
    }
    let word = word(app_protocol, name);
    if word.starts_with("grpc-web") {
        return Protocol::Http;
    }
    match word.split('-').next().unwrap_or_default() {
        "http" | "http2" | "grpc" | "http_proxy" => Protocol::Http,
        "tcp" | "https" | "tls" | "mongo" | "redis" | "mysql" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ if matches!(number, 25 | 53 | 3306 | 27017) => Protocol::Tcp,
        _ => Protocol::Sniffed,
    }
}
