//! Whether the external authorizer of a CUSTOM policy is asked, and what happens when it cannot be.

use super::authorization_policy::Chain;
use super::registry;
use super::service_lookup;
use super::world::World;
use crate::config::ExtAuthz;
use crate::model::{AuthorizationPolicy, Resource};

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
    world: &World,
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
    let settings = &world.mesh.settings;
    if !settings.known() {
        return asked();
    }
    // Providers of another sort are passed over, so one of them may bear the same name.
    let providers = settings.config.extension_providers.iter().flatten();
    let mut named = providers.filter_map(|provider| {
        let provider = &provider.value;
        let http = provider.envoy_ext_authz_http.as_ref().map(|authorizer| (authorizer, true));
        let authorizer = http.or(provider.envoy_ext_authz_grpc.as_ref().map(|authorizer| (authorizer, false)));
        authorizer.filter(|_| provider.name.as_deref() == Some(name))
    });
    match (named.next(), named.next()) {
        (Some((authorizer, http)), None) if is_name(name) && is_usable(authorizer) && is_found(world, authorizer) => {
            if http && chain == Chain::Tcp {
                Provider::Skipped
            } else {
                asked()
            }
        }
        _ => Provider::Unusable,
    }
}

/// The provider that a policy names.
fn provider_name(policy: &Resource<AuthorizationPolicy>) -> Option<&str> {
    let name = policy.spec.provider.as_ref()?.value.name.as_ref()?;
    Some(name.value.as_str()).filter(|name| !name.is_empty())
}

/// Whether a provider may be called so.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/builder/extauthz.go`, `validateProviderName`.
fn is_name(name: &str) -> bool {
    name.len() <= 63
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Whether an authorizer of the mesh settings can be used, as far as they alone tell.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/builder/extauthz.go`, `buildExtAuthzHTTP`, `buildExtAuthzGRPC`.
fn is_usable(authorizer: &ExtAuthz) -> bool {
    let lists = [
        &authorizer.include_request_headers_in_check,
        &authorizer.include_headers_in_check,
        &authorizer.headers_to_downstream_on_deny,
        &authorizer.headers_to_downstream_on_allow,
        &authorizer.headers_to_upstream_on_allow,
    ];
    let starred = lists.into_iter().flatten().flatten().any(|header| header == "*");
    let status = authorizer.status_on_error.as_deref().unwrap_or_default();
    let known_status = status.is_empty() || STATUSES.iter().any(|known| status.parse() == Ok(*known));
    authorizer.service.as_deref().is_some_and(|service| !service.is_empty())
        && authorizer.port.is_some_and(|port| (1..=65535).contains(&port))
        && authorizer.path_prefix.as_deref().is_none_or(|prefix| prefix.is_empty() || prefix.starts_with('/'))
        && !starred
        && known_status
}

/// Whether there is, or may be, one service that an authorizer is. What it names is the whole host.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/telemetry_logging.go`, `LookupCluster`.
fn is_found(world: &World, authorizer: &ExtAuthz) -> bool {
    let named = authorizer.service.as_deref().unwrap_or_default();
    let parts: Vec<&str> = named.split('/').collect();
    let (namespace, host) = match parts.as_slice() {
        [namespace, host] => (Some(*namespace), *host),
        _ => (None, named),
    };
    let namespaces = service_lookup::namespaces_of(world, host);
    match namespace {
        Some(namespace) if namespaces.contains(namespace) => true,
        // More of them would not make it clear which one is meant.
        None if namespaces.len() > 1 => false,
        None if namespaces.len() == 1 => true,
        Some(_) | None => !registry::is_complete(world),
    }
}

/// The statuses that Envoy can answer with when an authorizer fails.
const STATUSES: &[u16] = &[
    0, 100, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400,
    401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 426, 428,
    429, 431, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
];
