//! Kinds that change what a proxy does outside of the other APIs: `EnvoyFilter`, `WasmPlugin`, `TrafficExtension` and their like.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::security::{TargetRef, WorkloadSelector};
use super::traffic::ServiceEntrySelector;
use crate::text::Spanned;

/// `spec` of an `EnvoyFilter`, the patch values left as they are.
#[derive(Debug, Clone, Default, Deserialize)]
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
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConfigPatch {
    /// `HTTP_FILTER`, `CLUSTER` …
    pub apply_to: Option<Spanned<String>>,
    /// Where it applies
    #[serde(rename = "match")]
    pub matches: Option<PatchMatch>,
    /// What it does
    pub patch: Option<Patch>,
}

/// `match` of a patch.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PatchMatch {
    /// `SIDECAR_INBOUND`, `SIDECAR_OUTBOUND`, `GATEWAY`; any if absent
    pub context: Option<String>,
    /// Which proxies, by version or metadata
    pub proxy: Option<IgnoredAny>,
    /// Which listener
    pub listener: Option<IgnoredAny>,
    /// Which route table
    pub route_configuration: Option<IgnoredAny>,
    /// Which cluster
    pub cluster: Option<IgnoredAny>,
    /// Which waypoint
    pub waypoint: Option<IgnoredAny>,
}

/// `patch`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Patch {
    /// What is done
    pub operation: Option<String>,
    /// Class of the filter
    pub filter_class: Option<String>,
    /// The configuration
    pub value: Option<PatchValue>,
}

/// The part of a patch's value that tells the filter's type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PatchValue {
    /// Name of the filter
    pub name: Option<String>,
    /// Its configuration, with the type
    #[serde(alias = "typedConfig")]
    pub typed_config: Option<TypedConfig>,
}

/// `typed_config`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TypedConfig {
    /// Type URL
    #[serde(rename = "@type")]
    pub type_url: Option<String>,
}

/// `spec` of a `WasmPlugin` or `TrafficExtension`, as far as it tells which proxies it changes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProxyExtension {
    /// Which workloads
    pub selector: Option<WorkloadSelector>,
    /// The older, singular form of `targetRefs`
    pub target_ref: Option<TargetRef>,
    /// Which Gateway API gateways or waypoints
    pub target_refs: Option<Vec<TargetRef>>,
}

/// `spec` of a `ProxyConfig`, as far as it can change path normalisation or addresses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProxyConfig {
    /// Which workloads
    pub selector: Option<WorkloadSelector>,
    /// Overrides how connections and paths are treated
    pub connection_settings: Option<IgnoredAny>,
}
