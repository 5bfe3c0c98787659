//! Which policies are attached to a proxy.

use std::hash::{Hash, Hasher};

use crate::model::{
    Action, AuthorizationPolicy, Labels, Mesh, ObjectId, Objects, Placed, RequestAuthentication, Resource, TargetRef,
    WorkloadSelector,
};
use crate::text::Spanned;

/// A proxy as far as policies select it.
#[derive(Debug, Clone, Copy)]
pub struct Proxy<'a> {
    /// Its namespace
    pub namespace: &'a str,
    /// Labels of its pod
    pub labels: &'a Labels,
}

/// Label that Istio gives the pods of a Gateway API gateway.
pub(crate) const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// Whether `wanted` is a subset of `labels`. Absent and empty select everything.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/labels/instance.go`, `SubsetOf`.
pub fn selects(wanted: Option<&Labels>, labels: &Labels) -> bool {
    wanted.is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

/// The policies in force at a proxy, in the order istiod has them; AUDIT and dry-run ones apart.
#[derive(Debug, Clone, Default)]
pub struct AttachedPolicies<'a> {
    /// Refer what they match to an external authorizer
    pub custom: Vec<&'a Resource<AuthorizationPolicy>>,
    /// Refuse what they match
    pub deny: Vec<&'a Resource<AuthorizationPolicy>>,
    /// Admit what they match, and close the rest
    pub allow: Vec<&'a Resource<AuthorizationPolicy>>,
    /// Attached without effect: AUDIT or dry-run
    pub idle: Vec<&'a Resource<AuthorizationPolicy>>,
}

impl AttachedPolicies<'_> {
    /// The policies that act, by stage and in order.
    fn acting(&self) -> [impl Iterator<Item = &ObjectId>; 3] {
        [&self.custom, &self.deny, &self.allow].map(|policies| policies.iter().map(|policy| &*policy.id))
    }
}

/// Equal where the same policies act, in the same order.
impl PartialEq for AttachedPolicies<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.acting().into_iter().zip(other.acting()).all(|(mine, theirs)| mine.eq(theirs))
    }
}

impl Eq for AttachedPolicies<'_> {}

impl Hash for AttachedPolicies<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for stage in self.acting() {
            stage.for_each(|id| (&id.namespace, &id.name).hash(state));
            state.write_u8(0);
        }
    }
}

/// Annotation by which a policy is only tried out.
pub(crate) const DRY_RUN: &str = "istio.io/dry-run";

/// Whether a policy is only tried out. Anything that is no Go boolean counts as false.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/builder/builder.go`, `isDryRun`.
pub(crate) fn is_dry_run(policy: &Resource<AuthorizationPolicy>) -> bool {
    matches!(policy.annotation(DRY_RUN), Some("1" | "t" | "T" | "TRUE" | "true" | "True"))
}

/// The policies attached to a proxy: those of the root namespace and of its own, together, in the order in which
/// Envoy asks them.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/authorization.go`, `ListAuthorizationPolicies`;
/// `pilot/pkg/security/authz/builder/builder.go`, `build` (dry-run), `policyName`.
pub fn attached_policies<'a>(mesh: &'a Mesh, proxy: Proxy<'_>) -> AttachedPolicies<'a> {
    let mut attached = AttachedPolicies::default();
    let mut policies: Vec<_> = in_scope(mesh, &mesh.authorization_policies, proxy)
        .filter(|policy| {
            let spec = &policy.spec;
            is_attached(mesh, proxy, &policy.id.namespace, spec.selector.as_ref(), spec.target_refs())
        })
        .collect();
    // Of several that match, the first of these names is the one that a denial gives.
    policies.sort_by_cached_key(|policy| format!("ns[{}]-policy[{}]", policy.id.namespace, policy.id.name));
    for policy in policies {
        if is_dry_run(policy) && policy.spec.action() != Action::Custom {
            attached.idle.push(policy);
            continue;
        }
        match policy.spec.action() {
            Action::Custom => attached.custom.push(policy),
            Action::Deny => attached.deny.push(policy),
            Action::Allow => attached.allow.push(policy),
            Action::Audit => attached.idle.push(policy),
        }
    }
    attached
}

/// The objects of the root namespace and of a proxy's own: what may be attached to it.
pub(crate) fn in_scope<'a, T: Placed>(
    mesh: &Mesh,
    objects: &'a Objects<T>,
    proxy: Proxy<'_>,
) -> impl Iterator<Item = &'a T> + use<'a, T> {
    let root = mesh.settings.root_namespace();
    let own = (proxy.namespace != root).then(|| objects.in_namespace(proxy.namespace));
    objects.in_namespace(root).chain(own.into_iter().flatten())
}

/// The request authentications attached to a proxy.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/authentication.go`, `GetJwtPoliciesForWorkload`.
pub(crate) fn attached_request_authentications<'a>(
    mesh: &'a Mesh,
    proxy: Proxy<'_>,
) -> Vec<&'a Resource<RequestAuthentication>> {
    in_scope(mesh, &mesh.request_authentications, proxy)
        .filter(|authentication| {
            let spec = &authentication.spec;
            is_attached(mesh, proxy, &authentication.id.namespace, spec.selector.as_ref(), spec.target_refs())
        })
        .collect()
}

/// Whether an object of a namespace, with a selector or target references, is attached to a proxy.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/policyattachment.go`, `ShouldAttachPolicy`.
fn is_attached(
    mesh: &Mesh,
    proxy: Proxy<'_>,
    namespace: &str,
    selector: Option<&Spanned<WorkloadSelector>>,
    targets: &[TargetRef],
) -> bool {
    if namespace != proxy.namespace && namespace != mesh.settings.root_namespace() {
        return false;
    }
    let by_labels = || {
        let wanted = selector.and_then(|selector| selector.value.match_labels.as_ref());
        selects(wanted, proxy.labels)
    };
    match (proxy.labels.get(GATEWAY_NAME), targets.is_empty()) {
        (None, false) => false,
        (_, true) => by_labels(),
        (Some(gateway), false) => targets.iter().any(|target| {
            target.kind.as_ref().is_some_and(|kind| kind.value == "Gateway")
                && target.group.as_deref() == Some("gateway.networking.k8s.io")
                && namespace == proxy.namespace
                && target.name.as_ref().is_some_and(|name| name.value == *gateway)
        }),
    }
}
