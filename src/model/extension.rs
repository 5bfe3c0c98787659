//! Kinds that change what a proxy does outside of the other APIs: `EnvoyFilter`, `WasmPlugin`, `TrafficExtension` and their like.

use compact_str::CompactString;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::security::{TargetRef, WorkloadSelector};
use super::traffic::ServiceEntrySelector;
use crate::text::Spanned;

/// `spec` of an `EnvoyFilter`, the patch values left as they are.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EnvoyFilter {
    /// Which workloads
    pub workload_selector: Option<ServiceEntrySelector>,
    /// Which Gateway API gateways or waypoints
    pub target_refs: Option<Vec<TargetRef>>,
    /// What it patches
    pub config_patches: Option<Vec<Spanned<ConfigPatch>>>,
    /// Order among filters
    pub priority: Option<i64>,
}

/// An entry of `configPatches`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConfigPatch {
    /// `HTTP_FILTER`, `CLUSTER` …
    pub apply_to: Option<Spanned<CompactString>>,
    /// Where it applies
    #[serde(rename = "match")]
    pub matches: Option<PatchMatch>,
    /// What it does
    pub patch: Option<Patch>,
}

/// `match` of a patch.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PatchMatch {
    /// `SIDECAR_INBOUND`, `SIDECAR_OUTBOUND`, `GATEWAY`; any if absent
    pub context: Option<CompactString>,
    /// Which proxies, by version or metadata
    pub proxy: Option<ProxyMatch>,
    /// Which listener
    pub listener: Option<ListenerMatch>,
    /// Which route table
    pub route_configuration: Option<IgnoredAny>,
    /// Which cluster
    pub cluster: Option<IgnoredAny>,
    /// Which waypoint
    pub waypoint: Option<WaypointMatch>,
}

/// `proxy` of a patch's match.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProxyMatch {
    /// A regular expression, searched for in the version
    pub proxy_version: Option<CompactString>,
    /// Metadata of the proxy
    pub metadata: Option<IgnoredAny>,
}

/// `listener` of a patch's match.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListenerMatch {
    /// Port of the listener, or of a filter chain of a listener for many ports
    pub port_number: Option<i64>,
    /// Which of the listener's filter chains
    pub filter_chain: Option<FilterChainMatch>,
    /// Which listener filter
    pub listener_filter: Option<IgnoredAny>,
    /// Name of the listener
    pub name: Option<CompactString>,
    /// Read by nothing in istiod
    pub port_name: Option<IgnoredAny>,
}

/// `filterChain` of a patch's match.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FilterChainMatch {
    /// Name of the chain
    pub name: Option<CompactString>,
    /// Server name
    pub sni: Option<IgnoredAny>,
    /// `tls` or `raw_buffer`
    pub transport_protocol: Option<IgnoredAny>,
    /// Application protocols
    pub application_protocols: Option<IgnoredAny>,
    /// Which network filter
    pub filter: Option<FilterMatch>,
    /// Port that the chain is for
    pub destination_port: Option<i64>,
}

/// `waypoint` of a patch's match, as far as it can be wrong.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WaypointMatch {
    /// Port of the service
    pub port_number: Option<i64>,
}

/// `filter` of a patch's match.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FilterMatch {
    /// Name of the network filter
    pub name: Option<CompactString>,
    /// Which HTTP filter
    pub sub_filter: Option<SubFilterMatch>,
}

/// `subFilter` of a patch's match.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SubFilterMatch {
    /// Name of the HTTP filter
    pub name: Option<CompactString>,
}

/// `patch`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Patch {
    /// What is done
    pub operation: Option<CompactString>,
    /// Class of the filter
    pub filter_class: Option<CompactString>,
    /// The configuration
    pub value: Option<serde_json::Value>,
}

/// `spec` of a `WasmPlugin` or `TrafficExtension`, as far as it tells which proxies it changes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProxyExtension {
    /// Which workloads
    pub selector: Option<WorkloadSelector>,
    /// The older, singular form of `targetRefs`
    pub target_ref: Option<TargetRef>,
    /// Which Gateway API gateways or waypoints
    pub target_refs: Option<Vec<TargetRef>>,
    /// `HTTP` or `NETWORK` of a `WasmPlugin`; HTTP if absent
    #[serde(rename = "type")]
    pub plugin_type: Option<CompactString>,
    /// Which traffic; any if absent
    #[serde(rename = "match")]
    pub matches: Option<Vec<TrafficSelector>>,
    /// The module of a `TrafficExtension`
    pub wasm: Option<WasmModule>,
}

/// An entry of `match`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TrafficSelector {
    /// `CLIENT`, `SERVER` or both
    pub mode: Option<CompactString>,
    /// Which ports; any if absent
    pub ports: Option<Vec<TrafficPort>>,
}

/// An entry of `ports`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TrafficPort {
    /// Its number
    pub number: Option<i64>,
}

/// `wasm` of a `TrafficExtension`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct WasmModule {
    /// `HTTP` or `NETWORK`; HTTP if absent
    #[serde(rename = "type")]
    pub plugin_type: Option<CompactString>,
}

/// `spec` of a `ProxyConfig`, as far as it can change path normalisation or addresses.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProxyConfig {
    /// Which workloads
    pub selector: Option<WorkloadSelector>,
    /// Overrides how connections and paths are treated
    pub connection_settings: Option<IgnoredAny>,
}
