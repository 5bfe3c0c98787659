//! Peer authentications that are refused.

use super::super::authorization_policy::port;
use super::refuse;
use super::shared::{check_annotations, check_attachment, refuse_dry_run};
use crate::model::{Labels, PeerAuthentication, Problem, Resource};

/// Reasons to refuse a `PeerAuthentication`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidatePeerAuthentication`.
pub(super) fn check(policy: &Resource<PeerAuthentication>, problems: &mut Vec<Problem>) {
    check_annotations(policy, problems);
    refuse_dry_run(policy, problems);
    check_attachment(policy, policy.spec.selector.as_ref(), None, None, problems);
    let Some(ports) = &policy.spec.port_level_mtls else {
        return;
    };
    let labels = policy.spec.selector.as_ref().and_then(|selector| selector.value.match_labels.as_ref());
    if labels.is_none_or(Labels::is_empty) {
        refuse(problems, policy, ports.span, "`portLevelMtls` needs a selector with labels");
    }
    if ports.value.is_empty() {
        refuse(problems, policy, ports.span, "`portLevelMtls` may not be empty");
    }
    for number in ports.value.keys() {
        if port(&number.value).is_none_or(|number| number == 0) {
            refuse(problems, policy, number.span, format!("`{}` is no port", number.value));
        }
    }
}
