//! Workloads that are not in the input and may exist: those of an open namespace.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Labels, Mesh, ObjectId, Workload};
use crate::text::{FileId, Span};

/// The workloads of an open namespace: one for each product of at most one selector of each policy
/// kind in play, with exactly those labels, and the one that no selector picks.
///
/// More ALLOW policies on one workload only add, more DENY policies only take away, so no hole is
/// missed by leaving larger combinations out.
pub(crate) fn implied_workloads(mesh: &Mesh, namespace: &str) -> Vec<Arc<Workload>> {
    let root = mesh.settings.root_namespace();
    let here = |id: &ObjectId| id.namespace == namespace || id.namespace == root;
    let authorization = mesh
        .authorization_policies
        .iter()
        .filter(|policy| here(&policy.id))
        .filter_map(|policy| policy.spec.selector.as_ref()?.value.match_labels.clone());
    let request = mesh
        .request_authentications
        .iter()
        .filter(|policy| here(&policy.id))
        .filter_map(|policy| policy.spec.selector.as_ref()?.value.match_labels.clone());
    let peer = mesh
        .peer_authentications
        .iter()
        .filter(|policy| policy.id.namespace == namespace)
        .filter_map(|policy| policy.spec.selector.as_ref()?.value.match_labels.clone());
    let mut label_sets: BTreeSet<Labels> = BTreeSet::from([Labels::new()]);
    for selectors in [authorization.collect::<BTreeSet<_>>(), request.collect(), peer.collect()] {
        let before: Vec<Labels> = label_sets.iter().cloned().collect();
        for selector in selectors {
            let joined = before.iter().filter(|labels| compatible(&selector, labels));
            label_sets.extend(joined.map(|labels| {
                labels.iter().chain(&selector).map(|(key, value)| (key.clone(), value.clone())).collect::<Labels>()
            }));
        }
    }
    label_sets.into_iter().map(|labels| implied_workload(namespace, labels).into()).collect()
}

/// A workload of exactly these labels.
pub fn implied_workload(namespace: &str, labels: Labels) -> Workload {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let nowhere = Span { file: FileId(0), start: 0, end: 0 };
    Workload {
        id: ObjectId {
            kind: "implied workload".into(),
            namespace: namespace.into(),
            name: format!("{{{}}}", pairs.join(",")).into(),
        }
        .into(),
        labels,
        annotations: std::collections::BTreeMap::new(),
        service_account: "default".into(),
        ports: Vec::new(),
        host_network: None,
        proxy_container: false,
        name_span: nowhere,
        account_span: None,
        template_span: nowhere,
        context: false,
        implied: true,
    }
}

/// Whether a workload may bear both sets of labels.
pub(crate) fn compatible(a: &Labels, b: &Labels) -> bool {
    a.iter().all(|(key, value)| b.get(key).is_none_or(|other| other == value))
}
