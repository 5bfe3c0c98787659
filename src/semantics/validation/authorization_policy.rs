//! Authorization policies that are refused.

use compact_str::CompactString;

use super::super::authorization_policy::{block, port};
use super::super::workload_selector::DRY_RUN;
use super::refuse;
use super::shared::{check_annotations, check_attachment};
use crate::model::{Action, AuthorizationPolicy, Condition, Operation, Problem, Resource, Source, Values};
use crate::text::Spanned;

/// How many rules a policy, and how many entries `from` may have.
const MOST_RULES: usize = 512;

/// Reasons to refuse an `AuthorizationPolicy`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateAuthorizationPolicy`.
pub(super) fn check(policy: &Resource<AuthorizationPolicy>, problems: &mut Vec<Problem>) {
    let spec = &policy.spec;
    check_annotations(policy, problems);
    check_attachment(policy, spec.selector.as_ref(), spec.target_ref.as_deref(), spec.target_refs.as_deref(), problems);
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
    if let Some(rules) = spec.rules.as_ref().filter(|rules| rules.value.len() > MOST_RULES) {
        refuse(problems, policy, rules.span, format!("a policy takes at most {MOST_RULES} rules"));
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
        // An empty list is none for istiod, which reads the object as a message: the rule then asks for nothing there.
        if let Some(from) = rule.value.from.as_ref().filter(|from| from.value.len() > MOST_RULES) {
            refuse(problems, policy, from.span, format!("`from` takes at most {MOST_RULES} entries"));
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
fn strings(values: &Values) -> &[Spanned<CompactString>] {
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
        && let Some(first) =
            identities.iter().filter_map(|values| values.as_ref()).find(|values| !values.value.is_empty())
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
    for values in [&fields.service_accounts, &fields.not_service_accounts] {
        check_service_accounts(policy, values, problems);
    }
    for value in [&fields.trust_domains, &fields.not_trust_domains].into_iter().flat_map(strings) {
        check_wildcard(policy, value, problems);
        if value.value.contains('/') {
            refuse(problems, policy, value.span, format!("`{}` is no trust domain: it holds a `/`", value.value));
        }
    }
    for value in addresses.into_iter().flat_map(strings) {
        check_address(policy, value, problems);
    }
}

/// Refuses an empty text.
fn not_empty(policy: &Resource<AuthorizationPolicy>, value: &Spanned<CompactString>, problems: &mut Vec<Problem>) {
    if value.value.is_empty() {
        refuse(problems, policy, value.span, "an empty value is not allowed");
    }
}

/// Refuses what is no list of `SA` and `NS/SA`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/security/security.go`, `CheckServiceAccount`.
fn check_service_accounts(policy: &Resource<AuthorizationPolicy>, values: &Values, problems: &mut Vec<Problem>) {
    if let Some(values) = values.as_ref().filter(|values| values.value.len() > 16) {
        refuse(problems, policy, values.span, "at most 16 service accounts");
    }
    for value in strings(values) {
        let text = &value.value;
        let parts = text.split('/').collect::<Vec<_>>();
        let malformed = text.contains('*') || parts.len() > 2 || parts.iter().any(|part| part.is_empty());
        if malformed || text.len() > 320 {
            refuse(problems, policy, value.span, format!("`{text}` is no service account, `NAME` or `NAMESPACE/NAME`"));
        }
    }
}

/// Refuses more than one star, and one that stands in the middle.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/security/security.go`, `CheckWildcardValues`.
fn check_wildcard(policy: &Resource<AuthorizationPolicy>, value: &Spanned<CompactString>, problems: &mut Vec<Problem>) {
    let text = &value.value;
    let inner = text.contains('*') && !text.starts_with('*') && !text.ends_with('*');
    if text.matches('*').count() > 1 || inner {
        refuse(problems, policy, value.span, format!("`{text}`: one star, at an end"));
    }
}

/// Refuses what is no address and no block.
fn check_address(policy: &Resource<AuthorizationPolicy>, value: &Spanned<CompactString>, problems: &mut Vec<Problem>) {
    if block(&value.value).is_none() {
        refuse(problems, policy, value.span, format!("`{}` is no IP address and no CIDR range", value.value));
    }
}

/// Refuses what is no port.
fn check_port(policy: &Resource<AuthorizationPolicy>, value: &Spanned<CompactString>, problems: &mut Vec<Problem>) {
    if port(&value.value).is_none() {
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
    let mapped = ["request.headers", "request.auth.claims", "experimental.envoy.filters."];
    if mapped.iter().any(|prefix| name.starts_with(prefix)) {
        if !is_map_key(name) {
            refuse(problems, policy, key.span, format!("`{name}` needs a name in brackets"));
        }
    } else if !KEYS.contains(&name) {
        refuse(problems, policy, key.span, format!("`{name}` is no attribute that a condition can ask for"));
    }
    let identity =
        matches!(name, "source.namespace" | "source.serviceAccount" | "source.trustDomain" | "source.principal")
            || name.starts_with("request.auth.");
    if policy.spec.action() == Action::Custom && identity {
        refuse(problems, policy, key.span, format!("CUSTOM cannot ask for `{name}`"));
    }
    if name == "source.serviceAccount" {
        check_service_accounts(policy, &condition.value.values, problems);
        check_service_accounts(policy, &condition.value.not_values, problems);
    }
    for value in values() {
        match name {
            "source.ip" | "remote.ip" | "destination.ip" => check_address(policy, value, problems),
            "destination.port" => check_port(policy, value, problems),
            "source.trustDomain" => check_wildcard(policy, value, problems),
            _ => {}
        }
    }
}

/// Whether a key is of the form `a[b]`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/security/security.go`, `validateMapKey`.
fn is_map_key(key: &str) -> bool {
    key.ends_with(']') && key.find('[').is_some_and(|open| open > 0 && open + 2 < key.len())
}
