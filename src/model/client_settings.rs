//! How clients keep connections and choose among endpoints: `trafficPolicy` of a `DestinationRule` but its TLS settings,
//! and connection pools of a `Sidecar`. Without effect on who gets in; read because validation refuses what is wrong in them.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::Deserialize;

use crate::text::Spanned;

/// `connectionPool`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ConnectionPool {
    /// Of requests
    pub http: Option<HttpPool>,
    /// Of connections
    pub tcp: Option<TcpPool>,
}

/// `connectionPool.http`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HttpPool {
    /// `DEFAULT`, `DO_NOT_UPGRADE` or `UPGRADE`
    pub h2_upgrade_policy: Option<CompactString>,
    /// Requests that wait
    pub http1_max_pending_requests: Option<i64>,
    /// Pings on idle connections
    pub http2_keep_alive: Option<KeepAlive>,
    /// Requests at once
    pub http2_max_requests: Option<i64>,
    /// How long a connection without requests stays
    pub idle_timeout: Option<Spanned<CompactString>>,
    /// Streams of a connection
    pub max_concurrent_streams: Option<i64>,
    /// Requests of a connection
    pub max_requests_per_connection: Option<i64>,
    /// Retries at once
    pub max_retries: Option<i64>,
    /// Whether the client's protocol is kept
    pub use_client_protocol: Option<bool>,
}

/// `connectionPool.http.http2KeepAlive`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct KeepAlive {
    /// How often
    pub interval: Option<Spanned<CompactString>>,
    /// How long an answer may take
    pub timeout: Option<Spanned<CompactString>>,
}

/// `connectionPool.tcp`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TcpPool {
    /// How long connecting may take
    pub connect_timeout: Option<Spanned<CompactString>>,
    /// How long a silent connection stays
    pub idle_timeout: Option<Spanned<CompactString>>,
    /// How long any connection stays
    pub max_connection_duration: Option<Spanned<CompactString>>,
    /// Connections at once
    pub max_connections: Option<i64>,
    /// Probes on silent connections
    pub tcp_keepalive: Option<TcpKeepalive>,
}

/// `connectionPool.tcp.tcpKeepalive`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TcpKeepalive {
    /// How often
    pub interval: Option<Spanned<CompactString>>,
    /// How many may be lost
    pub probes: Option<i64>,
    /// After how long
    pub time: Option<Spanned<CompactString>>,
}

/// `outlierDetection`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OutlierDetection {
    /// How long an endpoint is out
    pub base_ejection_time: Option<Spanned<CompactString>>,
    /// Answers of 5xx in a row
    #[serde(rename = "consecutive5xxErrors")]
    pub consecutive_5xx_errors: Option<i64>,
    /// The older name
    pub consecutive_errors: Option<i64>,
    /// Answers of gateways in a row
    pub consecutive_gateway_errors: Option<i64>,
    /// Failures of one's own in a row
    pub consecutive_local_origin_failures: Option<i64>,
    /// How often it is looked at
    pub interval: Option<Spanned<CompactString>>,
    /// Share that may be out, in percent
    pub max_ejection_percent: Option<i64>,
    /// Share that must be healthy, in percent
    pub min_health_percent: Option<i64>,
    /// Which answers count
    pub outlier_detection_http_error_codes: Option<Vec<i64>>,
    /// Whether failures of one's own count by themselves
    pub split_external_local_origin_errors: Option<bool>,
}

/// `loadBalancer`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LoadBalancer {
    /// By what requests stay with an endpoint
    pub consistent_hash: Option<ConsistentHash>,
    /// By region and zone
    pub locality_lb_setting: Option<LocalitySetting>,
    /// By a word
    pub simple: Option<CompactString>,
    /// How new endpoints start
    pub warmup: Option<Warmup>,
    /// The older name
    pub warmup_duration_secs: Option<Spanned<CompactString>>,
    /// By zone
    pub zone_aware_lb_setting: Option<ZoneSetting>,
}

/// `loadBalancer.consistentHash`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConsistentHash {
    /// By a cookie
    pub http_cookie: Option<HashCookie>,
    /// By a header
    pub http_header_name: Option<CompactString>,
    /// By a parameter
    pub http_query_parameter_name: Option<CompactString>,
    /// By a table
    pub maglev: Option<Maglev>,
    /// The older place of the ring's size
    pub minimum_ring_size: Option<i64>,
    /// By a ring
    pub ring_hash: Option<RingHash>,
    /// By the client's address
    pub use_source_ip: Option<bool>,
}

/// `loadBalancer.consistentHash.httpCookie`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct HashCookie {
    /// More about it
    pub attributes: Option<Vec<CookieAttribute>>,
    /// Its name
    pub name: Option<CompactString>,
    /// Its path
    pub path: Option<CompactString>,
    /// How long it lives
    pub ttl: Option<Spanned<CompactString>>,
}

/// An entry of `attributes`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CookieAttribute {
    /// Its name
    pub name: Option<CompactString>,
    /// Its value
    pub value: Option<CompactString>,
}

/// `loadBalancer.consistentHash.maglev`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Maglev {
    /// Size of the table
    pub table_size: Option<i64>,
}

/// `loadBalancer.consistentHash.ringHash`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RingHash {
    /// Size of the ring
    pub minimum_ring_size: Option<i64>,
}

/// `loadBalancer.localityLbSetting`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LocalitySetting {
    /// Shares by place
    pub distribute: Option<Vec<Distribution>>,
    /// Whether it is on
    pub enabled: Option<bool>,
    /// Which region stands in for which
    pub failover: Option<Vec<Failover>>,
    /// Labels that order endpoints
    pub failover_priority: Option<Vec<CompactString>>,
}

/// An entry of `distribute`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Distribution {
    /// Where clients are
    pub from: Option<CompactString>,
    /// Where requests go, in percent
    pub to: Option<BTreeMap<CompactString, i64>>,
}

/// An entry of `failover`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Failover {
    /// The region that fails
    pub from: Option<CompactString>,
    /// The region that stands in
    pub to: Option<CompactString>,
}

/// `loadBalancer.zoneAwareLbSetting`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ZoneSetting {
    /// Whether it is on
    pub enabled: Option<bool>,
    /// Which region stands in for which
    pub failover: Option<Vec<Failover>>,
    /// Labels that order endpoints
    pub failover_priority: Option<Vec<CompactString>>,
    /// Endpoints below which it does nothing
    pub min_cluster_size: Option<i64>,
}

/// `loadBalancer.warmup`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Warmup {
    /// How fast
    pub aggression: Option<f64>,
    /// How long
    pub duration: Option<Spanned<CompactString>>,
    /// Where it starts
    pub minimum_percent: Option<f64>,
}

/// `tunnel`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tunnel {
    /// `CONNECT` or `POST`
    pub protocol: Option<CompactString>,
    /// The host at its end
    pub target_host: Option<CompactString>,
    /// The port at its end
    pub target_port: Option<i64>,
}

/// `proxyProtocol`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ProxyProtocol {
    /// `V1` or `V2`
    pub version: Option<CompactString>,
}

/// `retryBudget`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RetryBudget {
    /// Over what time it is counted
    pub budget_interval: Option<Spanned<CompactString>>,
    /// Retries that are always allowed
    pub min_retry_concurrency: Option<i64>,
    /// Share of retries, in percent
    pub percent: Option<f64>,
}
