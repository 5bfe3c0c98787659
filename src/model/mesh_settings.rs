//! Mesh settings with their defaults: from a `ConfigMap`, an operator's object, the configuration file, or nobody.

use crate::config::MeshConfig;
use crate::text::Span;

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
        Self { config: MeshConfig::default(), origin: SettingsOrigin::Defaults }
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
        let mut aliases: Vec<&str> = self.config.trust_domain_aliases.iter().flatten().map(String::as_str).collect();
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
