//! Which `DestinationRule` a client goes by: its subsets, and how the client speaks.

use compact_str::CompactString;

use super::client_side::ClientSide;
use super::decision::{Cause, CauseKind};
use super::host_name;
use super::registry::exports_to;
use super::workload_selector::selects;
use super::world::World;
use crate::model::{ClientTlsMode, DestinationRule, Labels, Resource, Subset, TrafficPolicy};
use crate::text::Spanned;

/// A proxy as far as destination rules look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientProxy<'a> {
    /// Its namespace
    pub(crate) namespace: &'a str,
    /// Labels of its pod
    pub(crate) labels: &'a Labels,
}

/// The rules of one host that a client goes by, the oldest first: they count as one.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `destinationRule` (the client's namespace, the
/// service's, the root namespace); `pilot/pkg/model/sidecar.go`, `DestinationRule` (workload selectors);
/// `pilot/pkg/model/destination_rule.go`, `mergeDestinationRule`.
pub(crate) fn rules_for<'a>(
    world: &'a World,
    client: ClientProxy<'_>,
    service_namespace: &str,
    host: &str,
) -> Vec<&'a Resource<DestinationRule>> {
    let root = world.mesh.settings.root_namespace();
    let defaults = world.mesh.settings.config.default_destination_rule_export_to.as_deref();
    let scopes = |rule: &'a Resource<DestinationRule>| -> Vec<&'a str> {
        rule.spec.export_to.iter().flatten().map(CompactString::as_str).collect()
    };
    let exported = |rule: &Resource<DestinationRule>, scopes: &[&str]| {
        exports_to(scopes, defaults, &rule.id.namespace, client.namespace)
    };
    let of = |namespace: &str, admits: &dyn Fn(&'a Resource<DestinationRule>) -> bool| {
        let mut found: Vec<(String, &'a Resource<DestinationRule>)> = Vec::new();
        for rule in world.mesh.destination_rules.iter().filter(|rule| rule.id.namespace == namespace) {
            let written = rule.spec.host.as_ref().map_or("", |host| host.value.as_str());
            let full = host_name::resolve_short_name(written, &rule.id.namespace);
            let selector = rule.spec.workload_selector.as_ref();
            let selected = selector.is_none_or(|selector| {
                rule.id.namespace == client.namespace && selects(selector.value.match_labels.as_ref(), client.labels)
            });
            if host_name::is_subset(host, &full) && selected && admits(rule) {
                found.push((full, rule));
            }
        }
        let narrowest = found.iter().map(|(host, _)| host_name::specificity(host)).min();
        found.retain(|(host, _)| Some(host_name::specificity(host)) == narrowest);
        // Rules with a selector that fits go before those without, and are not merged with them.
        let selecting = found.iter().any(|(_, rule)| rule.spec.workload_selector.is_some());
        found.retain(|(_, rule)| rule.spec.workload_selector.is_some() == selecting);
        found.sort_by_key(|(_, rule)| rule.age_key());
        found.into_iter().map(|(_, rule)| rule).collect::<Vec<_>>()
    };
    let own: Vec<_> = if client.namespace == root {
        of(client.namespace, &|rule| matches!(scopes(rule).as_slice(), ["."]))
    } else {
        of(client.namespace, &|_| true)
    };
    if !own.is_empty() {
        return own;
    }
    let of_service = of(service_namespace, &|rule| exported(rule, &scopes(rule)));
    if !of_service.is_empty() {
        return of_service;
    }
    of(root, &|rule| exported(rule, &scopes(rule)))
}

/// The subset of a name.
pub(crate) fn find_subset<'a>(rules: &[&'a Resource<DestinationRule>], name: &str) -> Option<&'a Subset> {
    let subsets = rules.iter().flat_map(|rule| rule.spec.subsets.iter().flat_map(|subsets| &subsets.value));
    let mut named = subsets.filter(|subset| subset.value.name.as_ref().is_some_and(|known| known.value == name));
    named.next().map(|subset| &subset.value)
}

/// How a client speaks to a host's port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/cluster_tls.go`, `buildUpstreamTLSSettings` (without
/// automatic mTLS and without a rule the client speaks plaintext).
pub(crate) fn client_side(
    world: &World,
    rules: &[&Resource<DestinationRule>],
    subset: Option<&Subset>,
    port: u16,
    external: bool,
) -> ClientSide {
    let whole: Vec<&Spanned<TrafficPolicy>> =
        rules.iter().filter_map(|rule| rule.spec.traffic_policy.as_ref()).collect();
    // Of several rules for one host the oldest with a policy counts, and nothing may say which that is.
    if let [first, second, ..] = whole.as_slice()
        && rules.iter().any(|rule| rule.created.is_none())
        && tls_mode(first, port).map(|mode| mode.value) != tls_mode(second, port).map(|mode| mode.value)
    {
        return ClientSide::Unknown(Cause {
            kind: CauseKind::CreationOrder,
            message: "several destination rules of one host say how clients speak, and the oldest one counts"
                .to_owned(),
            span: Some(second.span),
        });
    }
    let policies = [subset.and_then(|subset| subset.traffic_policy.as_ref()), whole.first().copied()];
    for policy in policies.into_iter().flatten() {
        let Some(mode) = tls_mode(policy, port) else {
            continue;
        };
        return match mode.value {
            ClientTlsMode::IstioMutual => ClientSide::MeshMutual(mode.span),
            ClientTlsMode::Disable => ClientSide::Plaintext(Some(mode.span)),
            ClientTlsMode::Simple => ClientSide::ForeignTls(mode.span),
            ClientTlsMode::Mutual => ClientSide::Unknown(Cause {
                kind: CauseKind::UnmodelledCondition,
                message: "a destination rule gives clients a certificate of their own, whose identity the manifests \
                          do not tell"
                    .to_owned(),
                span: Some(mode.span),
            }),
        };
    }
    if external || world.mesh.settings.config.enable_auto_mtls == Some(false) {
        return ClientSide::Plaintext(None);
    }
    ClientSide::Auto
}

/// The TLS mode of a policy for a port. What is set for the port replaces what is set for all.
fn tls_mode(policy: &Spanned<TrafficPolicy>, port: u16) -> Option<Spanned<ClientTlsMode>> {
    let ports = policy.value.port_level_settings.iter().flatten();
    let by_port = ports.into_iter().find(|settings| {
        let number = settings.port.as_ref().and_then(|port| port.number.as_ref());
        number.is_some_and(|number| number.value == i64::from(port))
    });
    let tls = by_port.map_or(policy.value.tls.as_ref(), |settings| settings.tls.as_ref())?;
    // DISABLE is the API's zero value.
    Some(tls.value.mode.clone().unwrap_or(Spanned { value: ClientTlsMode::Disable, span: tls.span }))
}
