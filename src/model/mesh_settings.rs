//! `MeshConfig`, wherever it comes from: a `ConfigMap`, an operator's object, the configuration file, or Istio's defaults.

use serde::Deserialize;

use crate::text::{Span, Spanned};

/// The fields of `MeshConfig` that decide, as written.
#[derive(Debug, Clone, Default, Deserialize)]
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
    pub outbound_traffic_policy: Option<super::traffic::OutboundTrafficPolicy>,
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
    /// `exportTo` of services without one
    pub default_service_export_to: Option<Vec<String>>,
}

/// An entry of `caCertificates`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CaCertificate {
    /// Trust domains that it may sign for
    pub trust_domains: Option<Vec<String>>,
}

/// `pathNormalization`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PathNormalization {
    /// `DEFAULT`, `NONE`, `BASE`, `MERGE_SLASHES`, `DECODE_AND_MERGE_SLASHES`
    pub normalization: Option<Spanned<String>>,
}

/// An entry of `extensionProviders`, as far as CUSTOM policies look.
#[derive(Debug, Clone, Default, Deserialize)]
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
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ExtAuthz {
    /// Its service
    pub service: Option<String>,
    /// Its port
    pub port: Option<i64>,
}

/// `defaultConfig`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DefaultConfig {
    /// Proxies in front of gateways
    pub gateway_topology: Option<GatewayTopology>,
}

/// `gatewayTopology`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GatewayTopology {
    /// How many proxies in front are trusted to report client addresses
    pub num_trusted_proxies: Option<u32>,
}

/// Where the mesh settings come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SettingsOrigin {
    /// Nothing says anything: Istio's defaults
    #[default]
    Defaults,
    /// `meshlint.yaml`
    Configuration,
    /// An object among the manifests
    Manifest(Span),
}

/// Mesh settings with their defaults filled in.
#[derive(Debug, Clone)]
pub struct MeshSettings {
    /// As written
    pub config: MeshConfig,
    /// By whom
    pub origin: SettingsOrigin,
}

impl Default for MeshSettings {
    fn default() -> Self {
        Self {
            config: MeshConfig::default(),
            origin: SettingsOrigin::Defaults,
        }
    }
}

impl MeshSettings {
    /// The root namespace: its policies are in force everywhere.
    pub fn root_namespace(&self) -> &str {
        non_empty(self.config.root_namespace.as_deref()).unwrap_or("istio-system")
    }

    /// The trust domain of the mesh's own identities.
    pub fn trust_domain(&self) -> &str {
        non_empty(self.config.trust_domain.as_deref()).unwrap_or("cluster.local")
    }

    /// The trust domain and its aliases, in istiod's order.
    pub fn trust_bundle(&self) -> Vec<&str> {
        let mut aliases: Vec<&str> =
            self.config.trust_domain_aliases.iter().flatten().map(String::as_str).collect();
        aliases.sort_unstable();
        aliases.dedup();
        let mut bundle = vec![self.trust_domain()];
        bundle.extend(aliases.into_iter().filter(|alias| *alias != self.trust_domain()));
        bundle
    }

    /// Every trust domain whose certificates a server accepts.
    pub fn accepted_trust_domains(&self) -> Vec<&str> {
        let mut accepted = self.trust_bundle();
        let others = self.config.ca_certificates.iter().flatten();
        for domain in others.flat_map(|ca| ca.trust_domains.iter().flatten()) {
            if !accepted.contains(&domain.as_str()) {
                accepted.push(domain);
            }
        }
        accepted
    }

    /// Whether the manifests or the configuration say anything about the mesh.
    pub fn known(&self) -> bool {
        self.origin != SettingsOrigin::Defaults
    }
}

/// The text, unless it is empty: protobuf cannot tell empty from absent.
fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
