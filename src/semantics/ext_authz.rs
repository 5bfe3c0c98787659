//! Whether the external authorizer of a CUSTOM policy is asked, and what happens when it cannot be.

use super::authorization_policy::Chain;
use crate::config::ExtensionProvider;
use crate::model::{AuthorizationPolicy, Mesh, Resource};

/// What a matching CUSTOM rule leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provider {
    /// Requests that match are refused: the provider cannot be used
    Unusable,
    /// The rule does nothing on this chain
    Skipped,
    /// The authorizer decides; why it is unknown
    Asked(String),
}

/// What the rules of a CUSTOM policy lead to, beside the other CUSTOM policies of the proxy.
///
/// Without any mesh settings the provider may or may not be there: it may refuse.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/builder/extauthz.go`, `processExtensionProvider`;
/// `builder.go`, `build` (several providers), `buildTCP` (HTTP providers).
pub(crate) fn provider(
    mesh: &Mesh,
    custom: &[&Resource<AuthorizationPolicy>],
    policy: &Resource<AuthorizationPolicy>,
    chain: Chain,
) -> Provider {
    let Some(name) = provider_name(policy) else {
        return Provider::Unusable;
    };
    if custom.iter().any(|other| provider_name(other) != Some(name)) {
        return Provider::Unusable;
    }
    let asked = || Provider::Asked(format!("the external authorizer `{name}` decides"));
    if !mesh.settings.known() {
        return asked();
    }
    let providers = mesh.settings.config.extension_providers.iter().flatten();
    let mut named = providers.filter(|provider| provider.value.name.as_deref() == Some(name));
    match (named.next(), named.next()) {
        (Some(only), None) if is_usable(&only.value, name) => {
            let http = only.value.envoy_ext_authz_http.is_some();
            if http && chain == Chain::Tcp { Provider::Skipped } else { asked() }
        }
        _ => Provider::Unusable,
    }
}

/// The provider that a policy names.
fn provider_name(policy: &Resource<AuthorizationPolicy>) -> Option<&str> {
    let name = policy.spec.provider.as_ref()?.value.name.as_ref()?;
    Some(name.value.as_str()).filter(|name| !name.is_empty())
}

/// Whether a provider of the mesh settings can be used for CUSTOM.
fn is_usable(provider: &ExtensionProvider, name: &str) -> bool {
    let authorizer = provider.envoy_ext_authz_http.as_ref().or(provider.envoy_ext_authz_grpc.as_ref());
    let named = name.len() <= 63
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    named
        && authorizer.is_some_and(|authorizer| {
            authorizer.service.as_deref().is_some_and(|service| !service.is_empty())
                && authorizer.port.is_some_and(|port| (1..=65535).contains(&port))
        })
}
