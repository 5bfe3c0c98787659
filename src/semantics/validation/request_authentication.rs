//! Request authentications that are refused.

use compact_str::CompactString;
use serde_json::Value;

use super::refuse;
use super::shared::{MILLISECOND, check_annotations, check_attachment, nanoseconds, refuse_dry_run};
use crate::model::{JwtRule, Problem, RequestAuthentication, Resource};
use crate::text::Spanned;

/// Reasons to refuse a `RequestAuthentication`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateRequestAuthentication`, `validateJwtRule`.
pub(super) fn check(policy: &Resource<RequestAuthentication>, problems: &mut Vec<Problem>) {
    let spec = &policy.spec;
    check_annotations(policy, problems);
    refuse_dry_run(policy, problems);
    check_attachment(policy, spec.selector.as_ref(), spec.target_ref.as_deref(), spec.target_refs.as_deref(), problems);
    for rule in spec.jwt_rules() {
        for why in rule_reasons(&rule.value) {
            refuse(problems, policy, rule.span, why);
        }
        check_keys(policy, rule, problems);
    }
}

/// Reasons to refuse a JWT rule that have no place of their own.
fn rule_reasons(rule: &JwtRule) -> Vec<&'static str> {
    let empty = |value: &Option<Spanned<CompactString>>| value.as_ref().is_none_or(|value| value.value.is_empty());
    let mut reasons = Vec::new();
    if empty(&rule.issuer) && empty(&rule.jwks_uri) {
        reasons.push("a JWT rule needs `issuer` or `jwksUri`");
    }
    if rule.issuer.as_ref().is_some_and(|issuer| issuer.value.is_empty()) {
        reasons.push("`issuer` may not be empty");
    }
    if rule.jwks_uri.is_some() && rule.jwks.is_some() {
        reasons.push("only one of `jwks` and `jwksUri` may be set");
    }
    if rule.audiences.iter().flatten().any(CompactString::is_empty) {
        reasons.push("an audience may not be empty");
    }
    if rule.from_headers.iter().flatten().any(|header| header.name.as_ref().is_none_or(CompactString::is_empty)) {
        reasons.push("an entry of `fromHeaders` needs a name");
    }
    if rule.from_params.iter().chain(&rule.from_cookies).flatten().any(CompactString::is_empty) {
        reasons.push("an empty entry of `fromParams` or `fromCookies`");
    }
    let claims = rule.output_claim_to_headers.iter().flatten();
    if claims.into_iter().any(|entry| {
        entry.as_ref().is_none_or(|entry| {
            entry.claim.as_ref().is_none_or(CompactString::is_empty)
                || !entry.header.as_deref().is_some_and(is_header_name)
        })
    }) {
        reasons.push("an entry of `outputClaimToHeaders` needs a claim and the name of a header");
    }
    if rule.timeout.as_deref().is_some_and(|text| !is_duration(text)) {
        reasons.push("`timeout` is a duration such as `5s`, of at least a millisecond");
    }
    if rule.presence.as_deref().is_some_and(|presence| !matches!(presence, "OPTIONAL" | "REQUIRED")) {
        reasons.push("`presence` is `OPTIONAL` or `REQUIRED`");
    }
    let delimited = rule.space_delimited_claims.iter().flatten();
    if delimited.clone().count() > 64 || delimited.into_iter().any(CompactString::is_empty) {
        reasons.push("`spaceDelimitedClaims` takes at most 64 names, none of them empty");
    }
    reasons
}

/// Reasons to refuse where a rule has its keys from.
fn check_keys(policy: &Resource<RequestAuthentication>, rule: &Spanned<JwtRule>, problems: &mut Vec<Problem>) {
    if let Some(uri) = &rule.value.jwks_uri {
        let scheme = uri.value.split_once("://").map_or("", |(scheme, _)| scheme);
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") || uri.value.len() > 2048 {
            refuse(problems, policy, uri.span, format!("`{}` is no http or https address", uri.value));
        }
    }
    if let Some(keys) = rule.value.jwks.as_ref().filter(|keys| !keys.value.is_empty() && !is_key_set(&keys.value)) {
        refuse(problems, policy, keys.span, "`jwks` is no set of JSON web keys");
    }
}

/// Whether a text is the name of a header.
fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Whether a text is a duration of whole milliseconds.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateDuration`.
fn is_duration(text: &str) -> bool {
    nanoseconds(text).is_some_and(|nanos| nanos >= MILLISECOND && nanos % MILLISECOND == 0)
}

/// Whether a text is a set of JSON web keys, or one of them.
///
/// # Upstream
/// lestrrat-go/jwx v1: `jwk/jwk.go`, `Parse`; the fields that each kind of key requires.
fn is_key_set(text: &str) -> bool {
    let Ok(Value::Object(set)) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    match set.get("keys") {
        Some(Value::Array(keys)) => keys.iter().all(is_key),
        Some(_) => false,
        None => is_key(&Value::Object(set)),
    }
}

/// Whether a value is a JSON web key.
fn is_key(key: &Value) -> bool {
    let required: &[&str] = match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => &["n", "e"],
        Some("EC") => &["crv", "x", "y"],
        Some("OKP") => &["crv", "x"],
        Some("oct") => &["k"],
        _ => return false,
    };
    let held = |name: &&str| key.get(*name).and_then(Value::as_str);
    required.iter().all(|name| held(name).is_some_and(|text| *name == "crv" || is_base64(text)))
}

/// Whether a text is base64 of either alphabet, padded or not.
///
/// # Upstream
/// lestrrat-go/jwx v1: `internal/base64/base64.go`, `Decode`.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    digits.len() % 4 != 1 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
}
