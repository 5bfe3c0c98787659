//! Checks that several kinds share.

use super::super::workload_selector::DRY_RUN;
use super::refuse;
use crate::model::{Problem, Resource, TargetRef, WorkloadSelector};
use crate::text::Spanned;

/// Annotations that only istiod itself may set.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateMetadata`.
pub(super) fn check_annotations<T>(object: &Resource<T>, problems: &mut Vec<Problem>) {
    for name in
        ["internal.istio.io/webhook-always-reject", "internal.istio.io/parents", "internal.istio.io/parent-namespace"]
    {
        if let Some(value) = object.annotations.get(name) {
            refuse(problems, object, value.span, format!("the annotation `{name}` is not for users"));
        }
    }
}

/// The dry-run annotation on what knows no dry-run.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `checkDryRunAnnotation`.
pub(super) fn refuse_dry_run<T>(object: &Resource<T>, problems: &mut Vec<Problem>) {
    if let Some(value) = object.annotations.get(DRY_RUN) {
        refuse(problems, object, value.span, "only an AuthorizationPolicy can be tried out in dry-run");
    }
}

/// Selector and target references.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateWorkloadSelector`,
/// `validateOneOfSelectorType`, `validatePolicyTargetReference`.
pub(super) fn check_attachment<T>(
    object: &Resource<T>,
    selector: Option<&Spanned<WorkloadSelector>>,
    target: Option<&Spanned<TargetRef>>,
    targets: Option<&Spanned<Vec<TargetRef>>>,
    problems: &mut Vec<Problem>,
) {
    // The schema counts a list that is there, be it empty.
    let ways = usize::from(selector.is_some()) + usize::from(target.is_some()) + usize::from(targets.is_some());
    if ways > 1 {
        let span = target.map(|target| target.span).or(targets.map(|targets| targets.span));
        refuse(
            problems,
            object,
            span.unwrap_or(object.name_span),
            "only one of `selector` and `targetRefs` may be set",
        );
    }
    if let Some(selector) = selector {
        for (key, value) in selector.value.match_labels.iter().flatten() {
            if key.is_empty() {
                refuse(problems, object, selector.span, "a label of the selector has an empty key");
            }
            if key.contains('*') || value.contains('*') {
                refuse(problems, object, selector.span, "a selector takes no wildcards");
            }
            if value.len() > 63 {
                refuse(problems, object, selector.span, "a label of the selector is longer than 63 characters");
            }
        }
    }
    if let Some(targets) = targets.filter(|targets| targets.value.len() > 16) {
        refuse(problems, object, targets.span, "at most 16 target references");
    }
    let all = targets.into_iter().flat_map(|targets| &targets.value);
    for target in all.chain(target.map(|target| &target.value)) {
        let span = target.name.as_ref().map_or(object.name_span, |name| name.span);
        if target.name.as_ref().is_none_or(|name| name.value.is_empty()) {
            refuse(problems, object, span, "a target reference needs a name");
        }
        if target.namespace.as_ref().is_some_and(|namespace| !namespace.is_empty()) {
            refuse(problems, object, span, "a target reference may not name a namespace");
        }
        let group = target.group.as_deref().unwrap_or_default();
        let kind = target.kind.as_ref().map_or("", |kind| kind.value.as_str());
        let known = matches!(
            (group, kind),
            ("" | "core", "Service")
                | ("networking.istio.io", "ServiceEntry")
                | ("gateway.networking.k8s.io", "Gateway" | "GatewayClass")
        );
        if !known {
            refuse(problems, object, span, format!("`{kind}` of group `{group}` is no possible target"));
        }
    }
}

/// A single DNS-1123 label.
pub(super) fn is_dns_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte.is_ascii_uppercase())
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A host: DNS labels, of which the first may be or begin with a star, or an address.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateWildcardDomain`.
pub(super) fn is_wildcard_domain(host: &str) -> bool {
    if host == "*" || host.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || host.len() > 255 {
        return false;
    }
    let mut labels = host.split('.');
    let first = labels.next().unwrap_or_default();
    let starred = first == "*"
        || first.strip_prefix('*').is_some_and(|rest| is_dns_label(rest.strip_prefix('-').unwrap_or(rest)));
    (starred || is_dns_label(first)) && labels.all(is_dns_label)
}
