//! CUSTOM policies and their providers.

use compact_str::CompactString;

use super::facts::Facts;
use super::observation::{Observation, Severity};
use crate::model::{Action, AuthorizationPolicy, Resource, workload_in_words};
use crate::text::Spanned;

/// Looks at every CUSTOM policy.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies().filter(|policy| policy.spec.action() == Action::Custom) {
        seen.extend(unknown_provider(facts, policy));
        seen.extend(several_providers(facts, policy));
    }
}

/// The provider that a policy names.
fn provider(policy: &Resource<AuthorizationPolicy>) -> Option<&Spanned<CompactString>> {
    policy.spec.provider.as_ref()?.value.name.as_ref()
}

/// `unknown-ext-authz-provider`: Istio refuses what matches, for nobody can be asked.
fn unknown_provider(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    let name = provider(policy)?;
    let settings = &facts.world().mesh.settings;
    let new = |message: String| {
        Observation::new("unknown-ext-authz-provider", &policy.id, name.span, "names no authorizer", message)
    };
    let text = &name.value;
    if !settings.known() {
        let message = format!("the input has no mesh settings, so it cannot be told whether `{text}` is there");
        let mut seen = new(message);
        // That it cannot be told who decides is what an unproven finding says.
        seen.admits = policy.spec.provider.as_ref().map(|provider| provider.span);
        return Some(
            seen.severity(Severity::Info)
                .help("give the mesh settings as `--context`, or under `mesh` in `meshlint.yaml`"),
        );
    }
    let providers = || settings.config.extension_providers.iter().flatten().map(|provider| &provider.value);
    let named = || providers().filter(|provider| provider.name.as_deref() == Some(text));
    let asks = |provider: &crate::config::ExtensionProvider| {
        provider.envoy_ext_authz_http.is_some() || provider.envoy_ext_authz_grpc.is_some()
    };
    if named().any(asks) {
        return None;
    }
    let message = if named().next().is_some() {
        format!("`{text}` is no external authorizer, so every request that matches is refused")
    } else {
        format!("the mesh settings have no provider `{text}`, so every request that matches is refused")
    };
    let others: Vec<String> = providers()
        .filter(|provider| asks(provider))
        .filter_map(|provider| provider.name.clone())
        .map(|name| format!("`{name}`"))
        .collect();
    let help = if others.is_empty() {
        "add it to `extensionProviders` of the mesh settings".to_owned()
    } else {
        format!("name one of {}", others.join(", "))
    };
    Some(new(message).help(help))
}

/// `several-ext-authz-providers`: Istio asks none of two, and refuses what matches.
fn several_providers(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    let name = provider(policy)?;
    let other = facts.sites_of(&policy.id).find_map(|site| {
        let all = &site.attached.custom;
        let place = all.iter().position(|other| other.id == policy.id)?;
        // Somebody else's is not blamed, so the own one is, whichever comes first.
        let mut others = all.iter().enumerate().filter(|(other, policy)| *other < place || policy.context);
        let differs =
            |other: &Resource<AuthorizationPolicy>| provider(other).is_some_and(|other| other.value != name.value);
        let (_, other) = others.find(|(_, other)| differs(other))?;
        Some((*other, site.name()))
    });
    let (other, who) = other?;
    let shown = workload_in_words(&who);
    let theirs = provider(other)?;
    let message =
        format!("{shown} has two authorizers, `{}` and `{}`: Istio asks neither and refuses", theirs.value, name.value);
    let mut seen =
        Observation::new("several-ext-authz-providers", &policy.id, name.span, "a second authorizer", message)
            .related(theirs.span, "the first");
    seen.workload = Some(who);
    Some(seen)
}
