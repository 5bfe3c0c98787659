//! Security policies that are refused.

use super::super::authorization_policy::{block, bracket};
use super::super::workload_selector::DRY_RUN;
use super::refuse;
use super::shared::check_attachment;
use crate::model::{
    Action, AuthorizationPolicy, Condition, Operation, PeerAuthentication, Problem, RequestAuthentication, Resource,
    Source, Values,
};
use crate::text::{Span, Spanned};

/// Reasons to refuse an `AuthorizationPolicy`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateAuthorizationPolicy`.
pub(super) fn check(policy: &Resource<AuthorizationPolicy>, problems: &mut Vec<Problem>) {
    let spec = &policy.spec;
    check_attachment(policy, spec.selector.as_ref(), spec.target_ref.as_ref(), spec.target_refs.as_ref(), problems);
    let action = spec.action();
    let action_span = spec.action.as_ref().map_or(policy.name_span, |action| action.span);
    if let Some(annotation) = policy.annotations.get(DRY_RUN) {
        if !matches!(action, Action::Allow | Action::Deny) {
            refuse(problems, policy, annotation.span, "only ALLOW and DENY can be tried out in dry-run");
        } else if !is_go_bool(&annotation.value) {
            refuse(problems, policy, annotation.span, format!("`{}` is no boolean", annotation.value));
        }
    }
    if spec.rules().is_empty() && matches!(action, Action::Deny | Action::Custom) {
        let word = if action == Action::Deny { "DENY" } else { "CUSTOM" };
        refuse(problems, policy, action_span, format!("{word} without `rules` is meaningless, as it never matches"));
    }
    let provider = spec.provider.as_ref();
    let named = provider.and_then(|provider| provider.value.name.as_ref()).is_some_and(|name| !name.value.is_empty());
    if action == Action::Custom && !spec.rules().is_empty() && !named {
        refuse(problems, policy, action_span, "CUSTOM needs `provider.name`");
    }
    if let Some(provider) = provider.filter(|_| action != Action::Custom) {
        refuse(problems, policy, provider.span, "`provider` goes with CUSTOM only");
    }
    for rule in spec.rules() {
        for from in rule.value.from.iter().flat_map(|from| &from.value) {
            match &from.value.source {
                None => refuse(problems, policy, from.span, "an entry of `from` needs a `source`"),
                Some(source) => check_source(policy, source, problems),
            }
        }
        for to in rule.value.to.iter().flat_map(|to| &to.value) {
            match &to.value.operation {
                None => refuse(problems, policy, to.span, "an entry of `to` needs an `operation`"),
                Some(operation) => check_operation(policy, operation, problems),
            }
        }
        for (list, name) in [
            (rule.value.from.as_ref().map(|from| (from.span, from.value.is_empty())), "from"),
            (rule.value.to.as_ref().map(|to| (to.span, to.value.is_empty())), "to"),
        ] {
            if let Some((span, true)) = list {
                refuse(problems, policy, span, format!("`{name}` may not be empty"));
            }
        }
        for condition in rule.value.when.iter().flat_map(|when| &when.value) {
            check_condition(policy, condition, problems);
        }
    }
}

/// Go's `strconv.ParseBool`.
fn is_go_bool(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False")
}

/// The strings of a field.
fn strings(values: &Values) -> &[Spanned<String>] {
    values.as_ref().map_or(&[], |values| values.value.as_slice())
}

/// Reasons to refuse a `source`.
fn check_source(policy: &Resource<AuthorizationPolicy>, source: &Spanned<Source>, problems: &mut Vec<Problem>) {
    let fields = &source.value;
    let identities = [
        &fields.principals,
        &fields.not_principals,
        &fields.request_principals,
        &fields.not_request_principals,
        &fields.namespaces,
        &fields.not_namespaces,
        &fields.service_accounts,
        &fields.not_service_accounts,
        &fields.trust_domains,
        &fields.not_trust_domains,
    ];
    let addresses = [&fields.ip_blocks, &fields.not_ip_blocks, &fields.remote_ip_blocks, &fields.not_remote_ip_blocks];
    if identities.iter().chain(&addresses).all(|values| strings(values).is_empty()) {
        refuse(problems, policy, source.span, "`source` may not be empty");
    }
    if policy.spec.action() == Action::Custom
        && let Some(first) = identities.iter().find_map(|values| values.as_ref())
    {
        refuse(
            problems,
            policy,
            first.span,
            "CUSTOM can ask for no identity: no principals, namespaces, service accounts or trust domains",
        );
    }
    let by_account = !strings(&fields.service_accounts).is_empty() || !strings(&fields.not_service_accounts).is_empty();
    let by_name = [&fields.principals, &fields.not_principals, &fields.namespaces, &fields.not_namespaces];
    if by_account && by_name.iter().any(|values| !strings(values).is_empty()) {
        refuse(problems, policy, source.span, "`serviceAccounts` goes with neither `principals` nor `namespaces`");
    }
    for value in identities.iter().flat_map(|values| strings(values)) {
        not_empty(policy, value, problems);
    }
    for value in [&fields.service_accounts, &fields.not_service_accounts].into_iter().flat_map(strings) {
        check_service_account(policy, value, problems);
    }
    for value in [&fields.trust_domains, &fields.not_trust_domains].into_iter().flat_map(strings) {
        check_trust_domain(policy, value, problems);
    }
    for value in addresses.into_iter().flat_map(strings) {
        check_address(policy, value, problems);
    }
}

/// Refuses an empty text.
fn not_empty(policy: &Resource<AuthorizationPolicy>, value: &Spanned<String>, problems: &mut Vec<Problem>) {
    if value.value.is_empty() {
        refuse(problems, policy, value.span, "an empty value is not allowed");
    }
}

/// Refuses what is no `SA` or `NS/SA`.
fn check_service_account(policy: &Resource<AuthorizationPolicy>, value: &Spanned<String>, problems: &mut Vec<Problem>) {
    let text = &value.value;
    let parts = text.split('/').collect::<Vec<_>>();
    if text.contains('*') || parts.len() > 2 || parts.iter().any(|part| part.is_empty()) {
        refuse(problems, policy, value.span, format!("`{text}` is no service account, `NAME` or `NAMESPACE/NAME`"));
    }
}

/// Refuses what is no trust domain, with at most one star at an end.
fn check_trust_domain(policy: &Resource<AuthorizationPolicy>, value: &Spanned<String>, problems: &mut Vec<Problem>) {
    let text = &value.value;
    let stars = text.matches('*').count();
    let inner = text.trim_start_matches('*').trim_end_matches('*').contains('*');
    if text.contains('/') || stars > 1 || inner {
        refuse(problems, policy, value.span, format!("`{text}` is no trust domain"));
    }
}

/// Refuses what is no address and no block.
fn check_address(policy: &Resource<AuthorizationPolicy>, value: &Spanned<String>, problems: &mut Vec<Problem>) {
    if block(&value.value).is_none() {
        refuse(problems, policy, value.span, format!("`{}` is no IP address and no CIDR range", value.value));
    }
}

/// Refuses what is no port.
fn check_port(policy: &Resource<AuthorizationPolicy>, value: &Spanned<String>, problems: &mut Vec<Problem>) {
    if value.value.parse::<u16>().is_err() {
        refuse(problems, policy, value.span, format!("`{}` is no port", value.value));
    }
}

/// Reasons to refuse an `operation`.
fn check_operation(
    policy: &Resource<AuthorizationPolicy>,
    operation: &Spanned<Operation>,
    problems: &mut Vec<Problem>,
) {
    let fields = &operation.value;
    let texts =
        [&fields.hosts, &fields.not_hosts, &fields.methods, &fields.not_methods, &fields.paths, &fields.not_paths];
    let ports = [&fields.ports, &fields.not_ports];
    if texts.iter().chain(&ports).all(|values| strings(values).is_empty()) {
        refuse(problems, policy, operation.span, "`operation` may not be empty");
    }
    for value in texts.iter().flat_map(|values| strings(values)) {
        not_empty(policy, value, problems);
    }
    for value in ports.into_iter().flat_map(strings) {
        check_port(policy, value, problems);
    }
    for value in [&fields.paths, &fields.not_paths].into_iter().flat_map(strings) {
        if let Some(why) = bad_template(&value.value) {
            refuse(problems, policy, value.span, format!("`{}`: {why}", value.value));
        }
    }
}

/// Why a path with braces is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/security/security.go`, `CheckValidPathTemplate`.
fn bad_template(path: &str) -> Option<&'static str> {
    if !path.contains(['{', '}']) {
        return None;
    }
    let template = path.contains("{*}") || path.contains("{**}");
    let mut rest_seen = false;
    for segment in path.trim_matches('/').split('/') {
        let operator = matches!(segment, "{*}" | "{**}");
        if rest_seen && (operator || matches!(segment, "*" | "**")) {
            return Some("`{**}` must be the last operator");
        }
        if !operator && segment.contains(['{', '}']) {
            return Some("braces stand only around `*` and `**`, as a whole segment");
        }
        let literal = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()+,;:@=".contains(&byte));
        if template && !operator && (segment.is_empty() || !literal) {
            return Some("a segment of a path template that is no literal");
        }
        rest_seen |= segment == "{**}";
    }
    None
}

/// Keys of conditions without brackets.
const KEYS: &[&str] = &[
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.serviceAccount",
    "source.trustDomain",
    "source.principal",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "destination.ip",
    "destination.port",
    "connection.sni",
];

/// Reasons to refuse a condition.
fn check_condition(
    policy: &Resource<AuthorizationPolicy>,
    condition: &Spanned<Condition>,
    problems: &mut Vec<Problem>,
) {
    let Some(key) = condition.value.key.as_ref().filter(|key| !key.value.is_empty()) else {
        refuse(problems, policy, condition.span, "a condition needs a `key`");
        return;
    };
    let values = || strings(&condition.value.values).iter().chain(strings(&condition.value.not_values));
    if values().next().is_none() {
        refuse(problems, policy, key.span, "a condition needs at least one of `values` and `notValues`");
    }
    for value in values() {
        not_empty(policy, value, problems);
    }
    let name = key.value.as_str();
    let header = bracket(name, "request.headers");
    let bracketed = header.is_some()
        || bracket(name, "request.auth.claims").is_some()
        || (name.starts_with("experimental.envoy.filters.") && name.ends_with(']') && name.contains('['));
    if !bracketed && !KEYS.contains(&name) {
        refuse(problems, policy, key.span, format!("`{name}` is no attribute that a condition can ask for"));
    }
    let identity =
        matches!(name, "source.namespace" | "source.serviceAccount" | "source.trustDomain" | "source.principal")
            || name.starts_with("request.auth.");
    if policy.spec.action() == Action::Custom && identity {
        refuse(problems, policy, key.span, format!("CUSTOM cannot ask for `{name}`"));
    }
    for value in values() {
        match name {
            "source.ip" | "remote.ip" | "destination.ip" => check_address(policy, value, problems),
            "destination.port" => check_port(policy, value, problems),
            "source.serviceAccount" => check_service_account(policy, value, problems),
            "source.trustDomain" => check_trust_domain(policy, value, problems),
            _ => {}
        }
    }
}

/// Reasons to refuse a `PeerAuthentication`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidatePeerAuthentication`.
pub(super) fn check_peer_authentication(policy: &Resource<PeerAuthentication>, problems: &mut Vec<Problem>) {
    check_attachment(policy, policy.spec.selector.as_ref(), None, None, problems);
    let Some(ports) = &policy.spec.port_level_mtls else {
        return;
    };
    let labels = policy.spec.selector.as_ref().and_then(|selector| selector.value.match_labels.as_ref());
    if labels.is_none_or(std::collections::BTreeMap::is_empty) {
        refuse(problems, policy, ports.span, "`portLevelMtls` needs a selector with labels");
    }
    if ports.value.is_empty() {
        refuse(problems, policy, ports.span, "`portLevelMtls` may not be empty");
    }
    for port in ports.value.keys() {
        if port.value.parse::<std::num::NonZeroU16>().is_err() {
            refuse(problems, policy, port.span, format!("`{}` is no port", port.value));
        }
    }
}

/// Reasons to refuse a `RequestAuthentication`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateRequestAuthentication`, `validateJwtRule`.
pub(super) fn check_request_authentication(policy: &Resource<RequestAuthentication>, problems: &mut Vec<Problem>) {
    let spec = &policy.spec;
    check_attachment(policy, spec.selector.as_ref(), spec.target_ref.as_ref(), spec.target_refs.as_ref(), problems);
    for rule in spec.jwt_rules() {
        let fields = &rule.value;
        let empty = |value: &Option<Spanned<String>>| value.as_ref().is_none_or(|value| value.value.is_empty());
        if empty(&fields.issuer) && empty(&fields.jwks_uri) {
            refuse(problems, policy, rule.span, "a JWT rule needs `issuer` or `jwksUri`");
        }
        if !empty(&fields.jwks_uri) && !empty(&fields.jwks) {
            refuse(problems, policy, rule.span, "only one of `jwks` and `jwksUri` may be set");
        }
        if fields.audiences.iter().flatten().any(String::is_empty) {
            refuse(problems, policy, rule.span, "an audience may not be empty");
        }
        if let Some(uri) = fields.jwks_uri.as_ref().filter(|uri| !uri.value.is_empty())
            && !uri.value.starts_with("http://")
            && !uri.value.starts_with("https://")
        {
            refuse(problems, policy, uri.span, format!("`{}` is no http or https address", uri.value));
        }
        let unnamed: Option<Span> = fields
            .from_headers
            .iter()
            .flatten()
            .any(|header| header.name.as_ref().is_none_or(String::is_empty))
            .then_some(rule.span);
        if let Some(span) = unnamed {
            refuse(problems, policy, span, "an entry of `fromHeaders` needs a name");
        }
        if fields.from_params.iter().chain(&fields.from_cookies).flatten().any(String::is_empty) {
            refuse(problems, policy, rule.span, "an empty entry of `fromParams` or `fromCookies`");
        }
    }
}
