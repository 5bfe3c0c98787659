//! What the owner says about the world and the manifests do not.

use std::collections::BTreeMap;

use crate::config::{Config, Convention, WorldSetting};

/// What the owner says about the world and the manifests do not.
#[derive(Debug, Clone, Default)]
pub struct WorldOptions {
    /// Whether namespaces hold only the workloads of the input
    pub world: WorldSetting,
    /// Identities `NS/SA` of gateway workloads by `NS/NAME` of the Gateway
    pub gateways: BTreeMap<String, Vec<String>>,
    /// Identities `NS/SA` that are the ingress; empty: found by the rules of the product
    pub ingress: Vec<String>,
    /// Whether a workload counts as having a sidecar where nothing says so
    pub assume_injected: bool,
    /// Objects that the owner vouches for, as `KIND NS/NAME`, with the reason
    pub trusted: BTreeMap<String, String>,
    /// The paths that the mission rules are about, and where they are asked
    pub convention: Convention,
    /// Paths that are nobody's business outside, where the owner lists them
    pub sensitive_paths: Option<Vec<String>>,
}

impl From<&Config> for WorldOptions {
    fn from(config: &Config) -> Self {
        let gateways = config.gateways.iter().map(|(gateway, identities)| {
            (gateway.clone(), identities.iter().map(|identity| identity.value.clone()).collect())
        });
        let trusted = config.trusted.iter().filter_map(|trusted| {
            let resource = trusted.value.resource.as_ref()?;
            let reason = trusted.value.reason.as_ref()?;
            Some((resource.value.clone(), reason.value.clone()))
        });
        Self {
            world: config.world,
            gateways: gateways.collect(),
            ingress: config.ingress.iter().map(|identity| identity.value.clone()).collect(),
            assume_injected: config.assume_injected.unwrap_or(true),
            trusted: trusted.collect(),
            convention: Convention::from(&config.convention),
            sensitive_paths: config
                .sensitive_paths
                .as_ref()
                .map(|paths| paths.iter().map(|path| path.value.clone()).collect()),
        }
    }
}
