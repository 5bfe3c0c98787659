//! What a workload's port accepts: plaintext, mTLS, or both.

use super::decision::{Cause, CauseKind};
use super::protocol::Protocol;
use super::workload_selector::selects;
use crate::model::{Labels, Mesh, MtlsMode, PeerAuthentication, Resource, Workload};
use crate::text::Span;

/// The mode in force at a port, and what set it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EffectiveMode {
    /// Never UNSET
    pub mode: MtlsMode,
    /// The field that set it; `None` for Istio's default
    pub span: Option<Span>,
    /// What else it may be, where only the age of policies tells which of several acts
    pub others: Vec<MtlsMode>,
    /// Which policies those are
    pub order: Option<Cause>,
}

impl EffectiveMode {
    /// Whether the server name is read that a client asks for in TLS: nobody looks for TLS where no chain of the port
    /// takes it.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/listener_inbound.go`, `populateListenerFilters`,
    /// `buildTLSInspector`.
    pub fn reads_server_names(&self) -> bool {
        self.mode != MtlsMode::Disable || self.order.is_some()
    }

    /// Why it is unknown whether anybody has an identity, on a port that need not be HTTP: TLS may go through unread.
    pub(crate) fn may_not_terminate(&self, protocol: Protocol) -> Option<&Cause> {
        let disabled = protocol != Protocol::Http && self.modes().contains(&MtlsMode::Disable);
        self.order.as_ref().filter(|_| disabled)
    }

    /// Every mode that may be in force.
    pub(crate) fn modes(&self) -> Vec<MtlsMode> {
        std::iter::once(self.mode).chain(self.others.iter().copied()).collect()
    }
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
    let whole = |policy: &Resource<PeerAuthentication>| labels(policy).is_none_or(Labels::is_empty);
    let level = |namespace: &str, keep: &dyn Fn(&Resource<PeerAuthentication>) -> bool| {
        let mut policies: Vec<_> =
            mesh.peer_authentications.in_namespace(namespace).filter(|policy| keep(policy)).collect();
        policies.sort_by_key(|policy| policy.age_key());
        policies
    };
    let mesh_wide = level(root, &whole);
    let namespace_wide = level(namespace, &|policy| namespace != root && whole(policy));
    let own =
        level(namespace, &|policy| namespace != root && !whole(policy) && selects(labels(policy), &workload.labels));
    let default = EffectiveMode { mode: MtlsMode::Permissive, span: None, others: Vec::new(), order: None };
    let effective = [&mesh_wide, &namespace_wide]
        .into_iter()
        .fold(default, |wider, policies| narrowed(policies, &wider, policy_mode));
    narrowed(&own, &effective, |policy| port_mode(policy, port).or_else(|| policy_mode(policy)))
}

/// A mode and where it is written.
type WrittenMode = (MtlsMode, Span);

/// The mode where one of these policies, oldest first, acts below wider ones.
fn narrowed(
    policies: &[&Resource<PeerAuthentication>],
    wider: &EffectiveMode,
    mode: impl Fn(&Resource<PeerAuthentication>) -> Option<WrittenMode>,
) -> EffectiveMode {
    let acting = possibly_oldest(policies);
    let Some(first) = acting.first() else {
        return wider.clone();
    };
    let inherits = acting.iter().any(|policy| mode(policy).is_none());
    let (own, span) = mode(first).map_or((wider.mode, wider.span), |(mode, span)| (mode, Some(span)));
    let inherited = if inherits { wider.modes() } else { Vec::new() };
    let set = acting.iter().filter_map(|policy| Some(mode(policy)?.0));
    let mut others: Vec<MtlsMode> = set.chain(inherited).filter(|other| *other != own).collect();
    others.sort_unstable();
    others.dedup();
    let rival = acting.iter().find(|other| mode(other).map(|(mode, _)| mode) != mode(first).map(|(mode, _)| mode));
    let order = rival.map(|rival| Cause {
        kind: CauseKind::CreationOrder,
        message: format!(
            "`{}` and `{}` stand at one level, and only the older one acts",
            first.id.path(),
            rival.id.path()
        ),
        span: Some(rival.name_span),
    });
    let order = order.or_else(|| wider.order.clone().filter(|_| inherits)).filter(|_| !others.is_empty());
    EffectiveMode { mode: own, span, others, order }
}

/// Which of the policies may be the oldest: those that do not say how old they are, and the oldest of the rest.
fn possibly_oldest<'a>(policies: &[&'a Resource<PeerAuthentication>]) -> Vec<&'a Resource<PeerAuthentication>> {
    let oldest = policies.iter().find(|policy| policy.created.is_some()).map(|policy| &policy.id);
    policies.iter().filter(|policy| policy.created.is_none() || Some(&policy.id) == oldest).copied().collect()
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
        let own = mesh.peer_authentications.in_namespace(namespace);
        let whole = own.filter(|policy| labels(policy).is_none_or(Labels::is_empty));
        whole.min_by_key(|policy| policy.age_key())
    };
    let own = oldest(namespace).and_then(policy_mode);
    let (mode, _) = own.or_else(|| oldest(root).and_then(policy_mode)).unzip();
    mode.unwrap_or(MtlsMode::Permissive)
}

/// The labels that a policy selects by.
fn labels(policy: &Resource<PeerAuthentication>) -> Option<&crate::model::Labels> {
    policy.spec.selector.as_ref()?.value.match_labels.as_ref()
}

/// The policy's own mode, unless it is inherited.
fn policy_mode(policy: &Resource<PeerAuthentication>) -> Option<WrittenMode> {
    let mode = policy.spec.mtls.as_ref()?.value.mode.as_ref()?;
    (mode.value != MtlsMode::Unset).then_some((mode.value, mode.span))
}

/// The policy's mode for one port, unless it is inherited.
fn port_mode(policy: &Resource<PeerAuthentication>, port: u16) -> Option<WrittenMode> {
    let ports = policy.spec.port_level_mtls.as_ref()?;
    let (_, tls) = ports.value.iter().find(|(key, _)| key.value.parse() == Ok(port))?;
    let mode = tls.mode.as_ref()?;
    (mode.value != MtlsMode::Unset).then_some((mode.value, mode.span))
}
