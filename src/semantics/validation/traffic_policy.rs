//! Settings of clients that are refused: pools, outliers, load balancing, TLS, tunnels.

use std::net::IpAddr;

use compact_str::CompactString;

use super::load_balancer::bad_load_balancer;
use super::shared::{bad_duration, is_full_name, is_port};
use crate::model::{
    ClientTls, ClientTlsMode, ConnectionPool, HttpPool, OutlierDetection, TcpPool, TrafficPolicy, Tunnel,
};

/// Why a traffic policy of an object in a namespace is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateTrafficPolicy`, `validatePortTrafficPolicies`.
pub(super) fn reasons(policy: &TrafficPolicy, namespace: &str) -> Vec<String> {
    let any = policy.load_balancer.is_some()
        || policy.connection_pool.is_some()
        || policy.outlier_detection.is_some()
        || policy.tls.is_some()
        || policy.port_level_settings.is_some()
        || policy.tunnel.is_some()
        || policy.proxy_protocol.is_some()
        || policy.retry_budget.is_some();
    if !any {
        return vec!["a traffic policy says something".to_owned()];
    }
    if policy.tunnel.is_some() && policy.proxy_protocol.is_some() {
        return vec!["only one of `tunnel` and `proxyProtocol` may be set".to_owned()];
    }
    let mut found = Vec::new();
    found.extend(policy.outlier_detection.as_ref().and_then(bad_outliers));
    found.extend(policy.connection_pool.as_ref().and_then(bad_pool));
    found.extend(policy.load_balancer.as_ref().and_then(bad_load_balancer));
    found.extend(policy.tls.as_ref().and_then(|tls| bad_tls(&tls.value, namespace)));
    found.extend(policy.tunnel.as_ref().and_then(bad_tunnel));
    let version = policy.proxy_protocol.as_ref().and_then(|protocol| protocol.version.as_deref());
    if version.is_some_and(|version| !matches!(version, "V1" | "V2")) {
        found.push("the PROXY protocol has the versions V1 and V2".to_owned());
    }
    for settings in policy.port_level_settings.iter().flatten() {
        let any = settings.load_balancer.is_some()
            || settings.connection_pool.is_some()
            || settings.outlier_detection.is_some()
            || settings.tls.is_some();
        if settings.port.is_none() || !any {
            found.push("settings of a port name the port and say something".to_owned());
        }
        found.extend(settings.outlier_detection.as_ref().and_then(bad_outliers));
        found.extend(settings.connection_pool.as_ref().and_then(bad_pool));
        found.extend(settings.load_balancer.as_ref().and_then(bad_load_balancer));
        found.extend(settings.tls.as_ref().and_then(|tls| bad_tls(&tls.value, namespace)));
    }
    found
}

/// Why a connection pool is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateConnectionPool`.
pub(super) fn bad_pool(pool: &ConnectionPool) -> Option<String> {
    if pool.http.is_none() && pool.tcp.is_none() {
        return Some("`connectionPool` needs `http` or `tcp`".to_owned());
    }
    pool.http.as_ref().and_then(bad_http_pool).or_else(|| pool.tcp.as_ref().and_then(bad_tcp_pool))
}

/// Why settings of requests are refused.
fn bad_http_pool(pool: &HttpPool) -> Option<String> {
    let counts = [
        pool.http1_max_pending_requests,
        pool.http2_max_requests,
        pool.max_requests_per_connection,
        pool.max_retries,
        pool.max_concurrent_streams,
    ];
    let upgrade = pool.h2_upgrade_policy.as_deref().unwrap_or("DEFAULT");
    if counts.into_iter().flatten().any(|count| count < 0) {
        Some("limits of requests are not negative".to_owned())
    } else if !matches!(upgrade, "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE") {
        Some(format!("`h2UpgradePolicy: {upgrade}` is none of DEFAULT, DO_NOT_UPGRADE and UPGRADE"))
    } else if upgrade == "UPGRADE" && pool.use_client_protocol == Some(true) {
        Some("`useClientProtocol` does not go with `h2UpgradePolicy: UPGRADE`".to_owned())
    } else {
        let alive = pool.http2_keep_alive.as_ref();
        let halves = alive.is_some_and(|alive| alive.interval.is_none() || alive.timeout.is_none());
        if halves {
            return Some("`http2KeepAlive` needs `interval` and `timeout`".to_owned());
        }
        bad_duration("idleTimeout", pool.idle_timeout.as_ref())
            .or_else(|| bad_duration("interval", alive.and_then(|alive| alive.interval.as_ref())))
            .or_else(|| bad_duration("timeout", alive.and_then(|alive| alive.timeout.as_ref())))
    }
}

/// Why settings of connections are refused.
fn bad_tcp_pool(pool: &TcpPool) -> Option<String> {
    if pool.max_connections.is_some_and(|count| count < 0) {
        return Some("limits of connections are not negative".to_owned());
    }
    let alive = pool.tcp_keepalive.as_ref();
    if alive.and_then(|alive| alive.probes).is_some_and(|probes| probes < 0) {
        return Some("`probes` is not negative".to_owned());
    }
    // Less than a millisecond switches the timeout off.
    let idle = pool.idle_timeout.as_ref().filter(|idle| {
        super::shared::nanoseconds(&idle.value).is_none_or(|nanos| nanos / super::shared::MILLISECOND != 0)
    });
    bad_duration("connectTimeout", pool.connect_timeout.as_ref())
        .or_else(|| bad_duration("maxConnectionDuration", pool.max_connection_duration.as_ref()))
        .or_else(|| bad_duration("idleTimeout", idle))
        .or_else(|| bad_duration("time", alive.and_then(|alive| alive.time.as_ref())))
        .or_else(|| bad_duration("interval", alive.and_then(|alive| alive.interval.as_ref())))
}

/// Why a detection of outliers is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateOutlierDetection`.
fn bad_outliers(outliers: &OutlierDetection) -> Option<String> {
    let counts = [
        outliers.consecutive_5xx_errors,
        outliers.consecutive_gateway_errors,
        outliers.consecutive_local_origin_failures,
    ];
    let shares = [outliers.max_ejection_percent, outliers.min_health_percent];
    let mut codes = outliers.outlier_detection_http_error_codes.iter().flatten();
    let own = outliers.consecutive_local_origin_failures.is_some_and(|failures| failures > 0);
    if counts.into_iter().flatten().any(|count| count < 0) {
        Some("counts of errors are not negative".to_owned())
    } else if shares.into_iter().flatten().any(|share| !(0..=100).contains(&share)) {
        Some("a share lies between 0 and 100".to_owned())
    } else if codes.any(|code| !(100..=599).contains(code)) {
        Some("a status lies between 100 and 599".to_owned())
    } else if own && outliers.split_external_local_origin_errors != Some(true) {
        Some("`consecutiveLocalOriginFailures` needs `splitExternalLocalOriginErrors`".to_owned())
    } else {
        bad_duration("baseEjectionTime", outliers.base_ejection_time.as_ref())
            .or_else(|| bad_duration("interval", outliers.interval.as_ref()))
    }
}

/// Why TLS settings of clients are refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateTLS`.
fn bad_tls(tls: &ClientTls, namespace: &str) -> Option<String> {
    let set = |text: &Option<CompactString>| text.as_ref().is_some_and(|text| !text.is_empty());
    let mode = tls.mode.as_ref().map_or(ClientTlsMode::Disable, |mode| mode.value);
    let own = matches!(mode, ClientTlsMode::Simple | ClientTlsMode::Mutual);
    let credential = tls.credential_name.as_deref().unwrap_or_default();
    if let Some(object) = credential.strip_prefix("configmap://") {
        let mut parts = object.split('/');
        let (place, name) = (parts.next(), parts.next());
        if place != Some(namespace) || name.is_none_or(str::is_empty) {
            return Some(format!("`{credential}` is no ConfigMap of the namespace `{namespace}`"));
        }
    }
    if own && tls.insecure_skip_verify == Some(true) {
        let simple = mode == ClientTlsMode::Simple && !credential.is_empty();
        if set(&tls.ca_certificates) || tls.subject_alt_names.is_some() || simple {
            return Some("`insecureSkipVerify` leaves nothing to verify with".to_owned());
        }
    }
    let files = set(&tls.client_certificate) || set(&tls.private_key) || set(&tls.ca_certificates) || set(&tls.ca_crl);
    if own && !credential.is_empty() {
        return files.then(|| "certificates come from `credentialName` or from files".to_owned());
    }
    let pair = set(&tls.client_certificate) && set(&tls.private_key);
    (mode == ClientTlsMode::Mutual && !pair).then(|| "MUTUAL needs a certificate and a key".to_owned())
}

/// Why a tunnel is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateTunnelSettings`.
fn bad_tunnel(tunnel: &Tunnel) -> Option<String> {
    let protocol = tunnel.protocol.as_deref().unwrap_or_default();
    let host = tunnel.target_host.as_deref().unwrap_or_default();
    if !matches!(protocol, "" | "CONNECT" | "POST") {
        Some(format!("a tunnel speaks CONNECT or POST, not `{protocol}`"))
    } else if !is_full_name(host) && host.parse::<IpAddr>().is_err() {
        Some(format!("`{host}` is no end of a tunnel"))
    } else {
        let known = tunnel.target_port.is_some_and(is_port);
        (!known).then(|| "a port number lies between 1 and 65535".to_owned())
    }
}
