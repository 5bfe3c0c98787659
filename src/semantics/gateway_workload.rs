//! The pods that serve Gateways: those of the input, else those that a Gateway's selector implies.

use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;
use rayon::prelude::*;

use super::decision::Assumption;
use super::trust_domain;
use super::workload_selector::selects;
use super::world_options::WorldOptions;
use crate::model::{AuthorizationPolicy, Gateway, Labels, Mesh, ObjectId, Resource, TlsMode, Workload};
use crate::text::{Span, Spanned};

/// Pods that serve Gateways.
#[derive(Debug, Clone)]
pub struct GatewayWorkload {
    /// The object that makes them; `None` if a selector only implies them
    pub object: Option<Arc<ObjectId>>,
    /// Namespace of the pods; for implied ones that of their first identity
    pub namespace: String,
    /// Labels of the pods
    pub labels: Labels,
    /// Identities that they may have, without trust domain: `ns/NS/sa/SA`
    pub identities: Vec<String>,
    /// The Gateways that select them
    pub gateways: Vec<Arc<ObjectId>>,
    /// Whether virtual services that are not in the input may send anything through them
    pub open: bool,
    /// Whether they let requests in from outside
    pub ingress: bool,
    /// The selector that implies them, or the object's name
    pub span: Span,
    /// Whether the owner's configuration named the identities
    pub configured: bool,
}

/// How many Gateways of one workload are called by name.
const MANY_NAMES: usize = 5;

impl GatewayWorkload {
    /// What taking these identities rests on.
    pub(crate) fn assumption(&self) -> Option<Assumption> {
        if self.object.is_some() || self.configured {
            return None;
        }
        let gateways: Vec<String> =
            self.gateways.iter().take(MANY_NAMES).map(|id| format!("`{}`", id.path())).collect();
        let others = match self.gateways.len().saturating_sub(MANY_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let identities: Vec<String> = self.identities.iter().map(|identity| format!("`{identity}`")).collect();
        let subject = if gateways.is_empty() {
            "the ingress gateway".to_owned()
        } else {
            format!("the gateway workload behind {}{others}", gateways.join(", "))
        };
        Some(Assumption {
            kind: "gateway-identity",
            message: format!("{subject} runs as {}", identities.join(" or ")),
            span: Some(self.span),
        })
    }
}

/// All gateway workloads, each once.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `mergeGateways` (selection). The identities
/// of gateways that are not in the input follow the names that Istio's installers give.
pub(crate) fn gateway_workloads(mesh: &Mesh, options: &WorldOptions) -> Vec<GatewayWorkload> {
    let mut found: Vec<GatewayWorkload> = Vec::new();
    for workload in &mesh.workloads {
        let gateways: Vec<&Resource<Gateway>> =
            mesh.gateways.iter().filter(|gateway| by_labels(gateway, workload)).collect();
        if !gateways.is_empty() {
            found.push(real(mesh, workload));
        }
    }
    for gateway in &mesh.gateways {
        let selector = gateway.spec.selector.as_ref();
        let real = selector.is_some_and(|_| mesh.workloads.iter().any(|workload| by_labels(gateway, workload)));
        if real {
            continue;
        }
        let labels = selector.map_or_else(default_labels, |selector| selector.value.clone());
        let labels = if labels.is_empty() { default_labels() } else { labels };
        if !found.iter().any(|known| known.object.is_none() && known.labels == labels) {
            found.push(implied(mesh, options, gateway, labels));
        }
    }
    for workload in &mut found {
        let mine = mesh.gateways.iter().filter(|gateway| {
            selects(gateway.spec.selector.as_ref().map(|selector| &selector.value), &workload.labels)
        });
        let mine: Vec<&Resource<Gateway>> = mine.collect();
        workload.gateways = mine.iter().map(|gateway| gateway.id.clone()).collect();
        workload.ingress = workload.ingress && !only_auto_passthrough(&mine);
    }
    if mesh.gateways.is_empty() {
        found.extend(named_by_policies(mesh));
    }
    found
}

/// Identities of the ingress: what the configuration says, else those of every gateway workload that
/// lets requests in, and of Gateway API gateways.
pub(crate) fn ingress_identities(
    mesh: &Mesh,
    options: &WorldOptions,
    workloads: &[GatewayWorkload],
) -> BTreeSet<String> {
    if !options.ingress.is_empty() {
        return options.ingress.iter().filter_map(|identity| identity_path(identity)).collect();
    }
    let classic = workloads.iter().filter(|workload| workload.ingress);
    let mut identities: BTreeSet<String> = classic.flat_map(|workload| workload.identities.clone()).collect();
    let api = mesh.unmodelled.iter().filter(|object| object.id.kind == "Gateway");
    identities.extend(api.map(|gateway| format!("ns/{}/sa/{}-istio", gateway.id.namespace, gateway.id.name)));
    identities
}

/// `NS/SA` as `ns/NS/sa/SA`.
pub(crate) fn identity_path(identity: &str) -> Option<String> {
    let (namespace, account) = identity.split_once('/')?;
    Some(format!("ns/{namespace}/sa/{account}"))
}

/// Labels of the gateway that every Istio profile installs.
fn default_labels() -> Labels {
    Labels::from_iter([("istio".into(), "ingressgateway".into())])
}

/// Whether a Gateway's selector, not being empty, picks a workload of the input.
fn by_labels(gateway: &Resource<Gateway>, workload: &Workload) -> bool {
    let selector = gateway.spec.selector.as_ref().map(|selector| &selector.value);
    selector.is_some_and(|selector| !selector.is_empty() && selects(Some(selector), &workload.labels))
}

/// The gateway workload that a pod template makes.
fn real(mesh: &Mesh, workload: &Workload) -> GatewayWorkload {
    let mut services = mesh.services.iter().filter(|service| {
        service.id.namespace == workload.id.namespace
            && service.spec.selector.as_ref().is_some_and(|selector| selects(Some(selector), &workload.labels))
    });
    let cluster_ip = |kind: Option<&str>| matches!(kind, None | Some("" | "ClusterIP"));
    let mut any = false;
    let outside = services.any(|service| {
        any = true;
        let kind = service.spec.service_type.as_ref().map(|kind| kind.value.as_str());
        !cluster_ip(kind) || service.spec.external_ips.as_ref().is_some_and(|ips| !ips.value.is_empty())
    });
    GatewayWorkload {
        object: Some(workload.id.clone()),
        namespace: workload.id.namespace.to_string(),
        labels: workload.labels.clone(),
        identities: vec![workload.identity_path()],
        gateways: Vec::new(),
        open: false,
        ingress: (outside || !any) && !is_egress(&workload.labels),
        span: workload.name_span,
        configured: true,
    }
}

/// The gateway workload that a Gateway's selector implies.
fn implied(mesh: &Mesh, options: &WorldOptions, gateway: &Resource<Gateway>, labels: Labels) -> GatewayWorkload {
    let configured = options.gateways.get(&gateway.id.path());
    let identities = match configured {
        Some(identities) => identities.iter().filter_map(|identity| identity_path(identity)).collect(),
        None => candidate_identities(mesh, &labels),
    };
    let namespace = identities.first().and_then(|identity| identity.split('/').nth(1)).unwrap_or_default();
    GatewayWorkload {
        object: None,
        namespace: namespace.to_owned(),
        ingress: !is_egress(&labels),
        labels,
        identities,
        gateways: Vec::new(),
        open: true,
        span: gateway.spec.selector.as_ref().map_or(gateway.name_span, |selector| selector.span),
        configured: configured.is_some(),
    }
}

/// Identities that installers give a gateway of these labels: those that some policy names, else the default one.
fn candidate_identities(mesh: &Mesh, labels: &Labels) -> Vec<String> {
    let root = mesh.settings.root_namespace();
    let mut candidates: BTreeSet<String> = BTreeSet::new();
    let namespace_of = |path: &str| path.split('/').nth(1).map(str::to_owned);
    let is_free = |namespace: &str| mesh.workloads_in(namespace).next().is_none();
    let named = named_identities(mesh, |path| {
        namespace_of(path).is_some_and(|namespace| namespace == root || is_free(&namespace))
    });
    let free: BTreeSet<String> =
        named.iter().filter_map(|path| namespace_of(path)).filter(|namespace| is_free(namespace)).collect();
    for value in labels.values() {
        candidates.insert(format!("ns/{root}/sa/istio-{value}-service-account"));
        candidates.insert(format!("ns/{root}/sa/{value}-service-account"));
        for namespace in &free {
            candidates.insert(format!("ns/{namespace}/sa/{value}"));
            candidates.insert(format!("ns/{namespace}/sa/istio-{value}"));
        }
    }
    let taken: Vec<String> = candidates.into_iter().filter(|candidate| named.contains(candidate)).collect();
    if !taken.is_empty() {
        return taken;
    }
    let value = labels.get("istio").or_else(|| labels.values().next()).map_or("ingressgateway", CompactString::as_str);
    let value = value.strip_prefix("istio-").unwrap_or(value);
    vec![format!("ns/{root}/sa/istio-{value}-service-account")]
}

/// Identities of the mesh's own trust domain that policies name exactly, without the trust domain, as far as somebody
/// asks about them.
fn named_identities(mesh: &Mesh, asked: impl Fn(&str) -> bool + Sync) -> BTreeSet<String> {
    let bundle = mesh.settings.trust_bundle();
    let of_policy = |policy: &Resource<AuthorizationPolicy>| {
        let mut named: Vec<String> = Vec::new();
        for rule in policy.spec.rules() {
            let sources = rule.value.from.iter().flat_map(|from| &from.value);
            let sources = sources.filter_map(|from| from.value.source.as_ref());
            let principals = sources.flat_map(|source| source.value.principals.iter().flat_map(|list| &list.value));
            let conditions =
                rule.value.when.iter().flat_map(|when| &when.value).filter(|condition| {
                    condition.value.key.as_ref().is_some_and(|key| key.value == "source.principal")
                });
            let values = conditions.flat_map(|condition| condition.value.values.iter().flat_map(|list| &list.value));
            let asked = |principal: &&Spanned<CompactString>| {
                let path = principal.value.split_once('/').map(|(_, path)| path);
                path.is_some_and(&asked) && !principal.value.contains('*')
            };
            for principal in principals.chain(values).filter(asked) {
                for written in trust_domain::principals(&principal.value, &bundle) {
                    let (domain, path) = written.split_once('/').unwrap_or_default();
                    if bundle.contains(&domain) || domain == "cluster.local" {
                        named.push(path.to_owned());
                    }
                }
            }
        }
        named
    };
    mesh.authorization_policies.par_iter().flat_map_iter(of_policy).collect()
}

/// Without any Gateway in the input, the default ingress gateway that a policy names.
fn named_by_policies(mesh: &Mesh) -> Vec<GatewayWorkload> {
    let root = mesh.settings.root_namespace();
    let known = [
        format!("ns/{root}/sa/istio-ingressgateway-service-account"),
        format!("ns/{root}/sa/istio-ingressgateway"),
        "ns/istio-ingress/sa/istio-ingress".to_owned(),
        "ns/istio-ingress/sa/istio-ingressgateway".to_owned(),
    ];
    let named = named_identities(mesh, |path| known.iter().any(|known| known == path));
    let identities: Vec<String> = known.into_iter().filter(|identity| named.contains(identity)).collect();
    let Some(span) = mesh.authorization_policies.first().map(|policy| policy.name_span) else {
        return Vec::new();
    };
    if identities.is_empty() {
        return Vec::new();
    }
    vec![GatewayWorkload {
        object: None,
        namespace: root.to_owned(),
        labels: default_labels(),
        identities,
        gateways: Vec::new(),
        open: true,
        ingress: true,
        span,
        configured: false,
    }]
}

/// Whether labels are those of an egress gateway.
fn is_egress(labels: &Labels) -> bool {
    labels.values().any(|value| value.ends_with("egressgateway"))
}

/// Whether all servers only pass other clusters' mTLS through.
fn only_auto_passthrough(gateways: &[&Resource<Gateway>]) -> bool {
    let mut servers = gateways.iter().flat_map(|gateway| gateway.spec.servers()).peekable();
    servers.peek().is_some() && servers.all(|server| server.value.tls_mode() == Some(TlsMode::AutoPassthrough))
}
