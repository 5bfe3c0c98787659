//! Destination rules that are refused.

use compact_str::CompactString;

use super::refuse;
use super::shared::{are_labels, check_attachment, check_export_to, is_dns_label, is_domain};
use super::traffic_policy;
use crate::model::{DestinationRule, Problem, Resource, TrafficPolicy};
use crate::text::Spanned;

/// Reasons to refuse a destination rule.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateDestinationRule`.
pub(super) fn check(rule: &Resource<DestinationRule>, problems: &mut Vec<Problem>) {
    let host = rule.spec.host.as_ref();
    if !host.is_some_and(|host| is_domain(&host.value)) {
        let written = host.map_or("", |host| host.value.as_str());
        let span = host.map_or(rule.spec_span, |host| host.span);
        refuse(problems, rule, span, format!("`{written}` is no host of a service"));
    }
    check_policy(rule, rule.spec.traffic_policy.as_ref(), problems);
    check_attachment(rule, rule.spec.workload_selector.as_ref(), None, None, problems);
    let mut names: Vec<&str> = Vec::new();
    for subset in rule.spec.subsets.iter().flat_map(|subsets| &subsets.value) {
        let name = subset.value.name.as_ref().map_or("", |name| name.value.as_str());
        let span = subset.value.name.as_ref().map_or(subset.span, |name| name.span);
        if !is_dns_label(name) {
            refuse(problems, rule, span, format!("`{name}` is no name of a subset"));
        }
        if names.contains(&name) {
            refuse(problems, rule, span, format!("two subsets are called `{name}`"));
        }
        names.push(name);
        if !are_labels(subset.value.labels.as_ref()) {
            refuse(problems, rule, subset.span, "the labels of a subset are no labels");
        }
        check_policy(rule, subset.value.traffic_policy.as_ref(), problems);
    }
    let scopes: Vec<&str> = rule.spec.export_to.iter().flatten().map(CompactString::as_str).collect();
    let own = scopes.iter().all(|scope| matches!(*scope, ".") || *scope == rule.id.namespace);
    if rule.spec.workload_selector.is_some() && !own {
        refuse(problems, rule, rule.spec_span, "with `workloadSelector` it is not exported beyond its namespace");
    }
    check_export_to(rule, scopes, false, problems);
}

/// Reasons to refuse a traffic policy.
fn check_policy(
    rule: &Resource<DestinationRule>,
    policy: Option<&Spanned<TrafficPolicy>>,
    problems: &mut Vec<Problem>,
) {
    let Some(policy) = policy else {
        return;
    };
    for why in traffic_policy::reasons(&policy.value, &rule.id.namespace) {
        refuse(problems, rule, policy.span, why);
    }
}
