//! Checks that several kinds share.

use compact_str::CompactString;

use super::super::workload_selector::DRY_RUN;
use super::refuse;
use crate::model::{Labels, Problem, Resource, ServiceEntrySelector, TargetRef, WorkloadSelector};
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
            refuse(
                problems,
                object,
                span,
                format!(
                    "a `{kind}`{} is no possible target",
                    if group.is_empty() { String::new() } else { format!(" of `{group}`") }
                ),
            );
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

/// A selector by `labels`: keys that are empty, and stars.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateAlphaWorkloadSelector`.
pub(super) fn check_labels_of_selector<T>(
    object: &Resource<T>,
    selector: Option<&ServiceEntrySelector>,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in selector.iter().flat_map(|selector| selector.labels.iter().flatten()) {
        if key.is_empty() || key.contains('*') || value.contains('*') || value.len() > 63 {
            let why = format!("`{key}: {value}` is no label of a selector, which takes no stars");
            refuse(problems, object, object.spec_span, why);
        }
    }
}

/// A port number.
pub(super) fn is_port(number: i64) -> bool {
    (1..=65535).contains(&number)
}

/// A word for a protocol.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/protocol/instance.go`, `Parse`.
pub(super) fn is_protocol(word: &str) -> bool {
    const OTHERS: &[&str] = &["tcp", "udp", "mongo", "redis", "mysql"];
    is_http(word) || is_tls(word) || OTHERS.contains(&word.to_ascii_lowercase().as_str())
}

/// A word for a protocol of requests.
pub(super) fn is_http(word: &str) -> bool {
    ["http", "http2", "grpc", "grpc-web", "http_proxy"].contains(&word.to_ascii_lowercase().as_str())
}

/// A word for a protocol within TLS.
pub(super) fn is_tls(word: &str) -> bool {
    ["https", "tls"].contains(&word.to_ascii_lowercase().as_str())
}

/// A host: DNS labels, of which the first may be or begin with a star, or an address.
pub(super) fn is_wildcard_domain(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok() || is_domain(host)
}

/// DNS labels, of which the first may be or begin with a star.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateWildcardDomain`.
pub(super) fn is_domain(host: &str) -> bool {
    if host.is_empty() || host.len() > 255 {
        return false;
    }
    let (first, rest) = host.split_once('.').map_or((host, None), |(first, rest)| (first, Some(rest)));
    let starred = first == "*"
        || first.strip_prefix('*').is_some_and(|rest| is_dns_label(rest.strip_prefix('-').unwrap_or(rest)));
    (starred || is_dns_label(first)) && rest.is_none_or(are_dns_labels)
}

/// A full name without stars.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateFQDN`.
pub(super) fn is_full_name(host: &str) -> bool {
    !host.is_empty() && host.len() <= 255 && are_dns_labels(host)
}

/// DNS labels, the last of which is no number and may be empty.
fn are_dns_labels(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    let inner = labels.get(..labels.len() - 1).unwrap_or_default();
    let numeric = last.parse::<i64>().is_ok();
    !numeric && inner.iter().all(|label| is_dns_label(label)) && (is_dns_label(last) || last.is_empty())
}

/// Durations that are none, shorter than a millisecond or finer than that.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateDuration`.
pub(super) fn check_duration<T>(
    object: &Resource<T>,
    name: &str,
    text: Option<&Spanned<CompactString>>,
    problems: &mut Vec<Problem>,
) {
    if let (Some(text), Some(why)) = (text, bad_duration(name, text)) {
        refuse(problems, object, text.span, why);
    }
}

/// Why a duration is refused.
pub(super) fn bad_duration(name: &str, text: Option<&Spanned<CompactString>>) -> Option<String> {
    let text = text?;
    let why = match nanoseconds(&text.value) {
        None => "is no duration",
        Some(nanos) if nanos < MILLISECOND => "is below a millisecond",
        Some(nanos) if nanos % MILLISECOND != 0 => "is finer than a millisecond",
        Some(_) => return None,
    };
    Some(format!("`{name}: {}` {why}", text.value))
}

/// A millisecond, in nanoseconds.
pub(super) const MILLISECOND: i128 = 1_000_000;

/// A duration as Go writes it, in nanoseconds.
pub(super) fn nanoseconds(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: f64 = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        let units = [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12)];
        let (unit, scale) = units.into_iter().find(|(unit, _)| behind.starts_with(unit))?;
        total += number * scale;
        rest = behind.get(unit.len()..)?;
    }
    #[expect(clippy::cast_possible_truncation, reason = "fractions of nanoseconds do not count")]
    let nanos = total.round() as i128;
    Some(if negative { -nanos } else { nanos })
}

/// Scopes of `exportTo`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateExportTo`.
pub(super) fn check_export_to<'a, T>(
    object: &Resource<T>,
    scopes: impl IntoIterator<Item = &'a str>,
    nobody: bool,
    problems: &mut Vec<Problem>,
) {
    let scopes: Vec<&str> = scopes.into_iter().collect();
    let mut seen: Vec<&str> = Vec::new();
    for scope in &scopes {
        let full = if *scope == "." { object.id.namespace.as_str() } else { *scope };
        if seen.contains(&full) {
            refuse(problems, object, object.spec_span, format!("`exportTo` names `{scope}` twice"));
        }
        let known = matches!(full, "*") || is_dns_label(full) || (nobody && full == "~");
        if !known {
            refuse(problems, object, object.spec_span, format!("`{scope}` is no scope of `exportTo`"));
        }
        seen.push(full);
    }
    if scopes.len() > 1 && scopes.iter().any(|scope| matches!(*scope, "*" | "~")) {
        refuse(problems, object, object.spec_span, "`exportTo` names everybody or nobody, and others too");
    }
}

/// Labels that are none.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/labels/instance.go`, `Validate`.
pub(super) fn are_labels(labels: Option<&Labels>) -> bool {
    let part = |text: &str| {
        let ends = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        };
        ends(text) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let key = |key: &str| {
        let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
        let known = domain.is_none_or(|domain| domain.len() <= 253 && domain.split('.').all(is_dns_label));
        known && name.len() <= 63 && part(name)
    };
    labels.is_none_or(|labels| labels.iter().all(|(name, value)| key(name) && (value.is_empty() || part(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_s() {
        for (text, nanos) in [
            ("1s", Some(1_000_000_000)),
            ("1m30s", Some(90_000_000_000)),
            ("0.5ms", Some(500_000)),
            ("0s", Some(0)),
            ("-1s", Some(-1_000_000_000)),
            ("1", None),
            ("s", None),
            ("", None),
        ] {
            assert_eq!(nanoseconds(text), nanos, "{text}");
        }
    }

    #[test]
    fn an_address_is_no_domain() {
        assert!(!is_domain("10.0.0.1") && is_wildcard_domain("10.0.0.1"));
        assert!(is_domain("*-x.example.com") && !is_domain("a.*.com") && !is_domain("a..com") && is_domain("a.com."));
    }
}
