//! Headers that proxies set, change or strip by themselves, so that what was sent is not what policies see.

/// Such headers, lower-case; those that begin with `x-envoy-` or `x-b3-` are among them too.
const MANAGED: &[&str] = &[
    ":scheme",
    "b3",
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "x-client-trace-id",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-ot-span-context",
    "x-request-id",
];

/// Whether a proxy manages a header of this name, given in lower case.
///
/// # Upstream
/// Envoy: `source/common/http/conn_manager_utility.cc`, `mutateRequestHeaders`, `mutateTracingRequestHeader`,
/// `mutateXfccRequestHeader`.
pub(crate) fn is_managed(name: &str) -> bool {
    MANAGED.contains(&name) || name.starts_with("x-envoy-") || name.starts_with("x-b3-")
}
