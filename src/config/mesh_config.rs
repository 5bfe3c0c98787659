//! `MeshConfig` as far as it decides who gets in.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::text::Spanned;

/// The fields of `MeshConfig` that decide, as written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct MeshConfig {
    /// `istio-system` if absent
    pub root_namespace: Option<String>,
    /// `cluster.local` if absent
    pub trust_domain: Option<String>,
    /// Other names of the trust domain
    pub trust_domain_aliases: Option<Vec<String>>,
    /// Further certificate authorities
    pub ca_certificates: Option<Vec<CaCertificate>>,
    /// How paths are normalised
    pub path_normalization: Option<PathNormalization>,
    /// External authorizers and others
    pub extension_providers: Option<Vec<Spanned<ExtensionProvider>>>,
    /// What happens to unknown hosts
    pub outbound_traffic_policy: Option<OutboundTrafficPolicy>,
    /// Defaults of every proxy
    pub default_config: Option<DefaultConfig>,
    /// Whether clients speak mTLS by themselves; true if absent
    pub enable_auto_mtls: Option<bool>,
    /// Class of Ingress objects that Istio serves
    pub ingress_class: Option<String>,
    /// Which Ingress objects Istio serves
    pub ingress_controller_mode: Option<String>,
    /// Selector value of the workload that serves Ingress objects
    pub ingress_selector: Option<String>,
    /// `exportTo` of virtual services without one
    pub default_virtual_service_export_to: Option<Vec<String>>,
    /// `exportTo` of destination rules without one
    pub default_destination_rule_export_to: Option<Vec<String>>,
    /// `exportTo` of services without one
    pub default_service_export_to: Option<Vec<String>>,
}

/// An entry of `caCertificates`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct CaCertificate {
    /// Trust domains that it may sign for
    pub trust_domains: Option<Vec<String>>,
}

/// `pathNormalization`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PathNormalization {
    /// `DEFAULT`, `NONE`, `BASE`, `MERGE_SLASHES`, `DECODE_AND_MERGE_SLASHES`
    pub normalization: Option<Spanned<String>>,
}

/// An entry of `extensionProviders`, as far as CUSTOM policies look.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ExtensionProvider {
    /// Its name
    pub name: Option<String>,
    /// An HTTP authorizer
    pub envoy_ext_authz_http: Option<ExtAuthz>,
    /// A gRPC authorizer
    pub envoy_ext_authz_grpc: Option<ExtAuthz>,
}

/// An external authorizer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ExtAuthz {
    /// Its service
    pub service: Option<String>,
    /// Its port
    pub port: Option<i64>,
    /// What is answered where it cannot be asked
    pub status_on_error: Option<String>,
    /// What stands before the path that it sees
    pub path_prefix: Option<String>,
    /// Headers that it sees
    pub include_request_headers_in_check: Option<Vec<String>>,
    /// The older name of those
    pub include_headers_in_check: Option<Vec<String>>,
    /// Headers of its answer that a refused client sees
    pub headers_to_downstream_on_deny: Option<Vec<String>>,
    /// Headers of its answer that an admitted client sees
    pub headers_to_downstream_on_allow: Option<Vec<String>>,
    /// Headers of its answer that the workload sees
    pub headers_to_upstream_on_allow: Option<Vec<String>>,
}

/// `defaultConfig`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct DefaultConfig {
    /// Proxies in front of gateways
    pub gateway_topology: Option<GatewayTopology>,
}

/// `gatewayTopology`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct GatewayTopology {
    /// How many proxies in front are trusted to report client addresses
    pub num_trusted_proxies: Option<u32>,
    /// Whether a proxy in front announces the client of each connection
    #[schemars(with = "Option<serde_json::Value>")]
    pub proxy_protocol: Option<IgnoredAny>,
}

/// `outboundTrafficPolicy`
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OutboundTrafficPolicy {
    /// `ALLOW_ANY` or `REGISTRY_ONLY`
    pub mode: Option<Spanned<String>>,
}
