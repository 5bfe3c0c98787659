//! What a workload's port accepts: plaintext, mTLS, or both.

use super::decision::{Cause, CauseKind};
use super::workload_selector::selects;
use crate::model::{Mesh, MtlsMode, PeerAuthentication, Resource, Workload};
use crate::text::Span;

/// The mode in force at a port, and what set it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EffectiveMode {
    /// Never UNSET
    pub mode: MtlsMode,
    /// The field that set it; `None` for Istio's default
    pub span: Option<Span>,
    /// Set where only the age of the policies tells which of several acts, and they differ
    pub order: Option<Cause>,
}

/// The mTLS mode of a workload's port: the port's, else the workload's, the namespace's, the mesh's, else PERMISSIVE.
///
/// At each level only the oldest policy acts, and ports are taken from the workload's policy alone.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authn/policy_applier.go`, `ComposePeerAuthentication`;
/// `pilot/pkg/model/authentication.go`, `addPeerAuthentication`.
pub fn effective_mode(mesh: &Mesh, workload: &Workload, port: u16) -> EffectiveMode {
    let root = mesh.settings.root_namespace();
    let namespace = workload.id.namespace.as_str();
    let whole = |policy: &Resource<PeerAuthentication>| labels(policy).is_none_or(std::collections::BTreeMap::is_empty);
    let level = |keep: &dyn Fn(&Resource<PeerAuthentication>) -> bool| {
        let mut policies: Vec<_> = mesh.peer_authentications.iter().filter(|policy| keep(policy)).collect();
        policies.sort_by_key(|policy| policy.age_key());
        policies
    };
    let mesh_wide = level(&|policy| policy.id.namespace == root && whole(policy));
    let namespace_wide = level(&|policy| namespace != root && policy.id.namespace == namespace && whole(policy));
    let own = level(&|policy| {
        namespace != root
            && policy.id.namespace == namespace
            && !whole(policy)
            && selects(labels(policy), &workload.labels)
    });
    let mut effective = EffectiveMode { mode: MtlsMode::Permissive, span: None, order: None };
    for policies in [&mesh_wide, &namespace_wide, &own] {
        if let Some((mode, span)) = policies.first().and_then(|policy| policy_mode(policy)) {
            effective.mode = mode;
            effective.span = Some(span);
        }
        note_order(policies, None, &mut effective);
    }
    if let Some((mode, span)) = own.first().and_then(|policy| port_mode(policy, port)) {
        effective.mode = mode;
        effective.span = Some(span);
    }
    note_order(&own, Some(port), &mut effective);
    effective
}

/// What clients suppose of a whole namespace: the mode of its oldest namespace-wide policy, inherited from the mesh's where
/// it is unset or there is none.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `BestEffortInferServiceMTLSMode`;
/// `pilot/pkg/model/authentication.go`, `GetNamespaceMutualTLSMode`.
pub(crate) fn namespace_mode(mesh: &Mesh, namespace: &str) -> MtlsMode {
    let root = mesh.settings.root_namespace();
    let oldest = |namespace: &str| {
        let whole = mesh.peer_authentications.iter().filter(|policy| {
            policy.id.namespace == namespace && labels(policy).is_none_or(std::collections::BTreeMap::is_empty)
        });
        whole.min_by_key(|policy| policy.age_key())
    };
    let own = oldest(namespace).and_then(policy_mode);
    let (mode, _) = own.or_else(|| oldest(root).and_then(policy_mode)).unzip();
    mode.unwrap_or(MtlsMode::Permissive)
}

/// Notes where another age of the policies would change the mode.
fn note_order(policies: &[&Resource<PeerAuthentication>], port: Option<u16>, effective: &mut EffectiveMode) {
    let mode = |policy: &Resource<PeerAuthentication>| match port {
        None => policy_mode(policy).map(|(mode, _)| mode),
        Some(port) => port_mode(policy, port).map(|(mode, _)| mode),
    };
    let [oldest, rest @ ..] = policies else {
        return;
    };
    let rival =
        rest.iter().find(|other| mode(other) != mode(oldest) && (oldest.created.is_none() || other.created.is_none()));
    if let Some(rival) = rival {
        effective.order.get_or_insert_with(|| Cause {
            kind: CauseKind::CreationOrder,
            message: format!(
                "`{}` and `{}` stand at one level, and only the older one acts",
                oldest.id.path(),
                rival.id.path()
            ),
            span: Some(rival.name_span),
        });
    }
}

/// The labels that a policy selects by.
fn labels(policy: &Resource<PeerAuthentication>) -> Option<&crate::model::Labels> {
    policy.spec.selector.as_ref()?.value.match_labels.as_ref()
}

/// The policy's own mode, unless it is inherited.
fn policy_mode(policy: &Resource<PeerAuthentication>) -> Option<(MtlsMode, Span)> {
    let mode = policy.spec.mtls.as_ref()?.value.mode.as_ref()?;
    (mode.value != MtlsMode::Unset).then_some((mode.value, mode.span))
}

/// The policy's mode for one port, unless it is inherited.
fn port_mode(policy: &Resource<PeerAuthentication>, port: u16) -> Option<(MtlsMode, Span)> {
    let ports = policy.spec.port_level_mtls.as_ref()?;
    let (_, tls) = ports.value.iter().find(|(key, _)| key.value.parse() == Ok(port))?;
    let mode = tls.mode.as_ref()?;
    (mode.value != MtlsMode::Unset).then_some((mode.value, mode.span))
}
