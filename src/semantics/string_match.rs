//! The string forms of the security API as patterns: exact, prefix, suffix, presence, and path templates.

#![expect(clippy::wildcard_enum_match_arm, reason = "the patterns that are not named need nothing of their own")]

use crate::space::{ByteSet, Pattern, Piece};

/// What a lone `*` asks for; it differs by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Star {
    /// Some text, not empty
    NonEmpty,
    /// Present, maybe empty
    Present,
}

/// A value of a policy as a pattern: `*`, `*suffix`, `prefix*`, else exact. Other stars are literal.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/matcher/string.go`, `StringMatcher`, and
/// `matcher/header.go`, `HeaderMatcher`.
pub(crate) fn policy_string(value: &str, star: Star) -> Pattern {
    if value == "*" {
        return match star {
            Star::NonEmpty => Pattern::NonEmpty,
            Star::Present => Pattern::Any,
        };
    }
    if let Some(suffix) = value.strip_prefix('*') {
        Pattern::Suffix(suffix.into())
    } else if let Some(prefix) = value.strip_suffix('*') {
        Pattern::Prefix(prefix.into())
    } else {
        Pattern::Exact(value.into())
    }
}

/// A `hosts` value: as [`policy_string`], without regard to case.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/matcher/header.go`, `HostMatcher`.
pub(crate) fn policy_host(value: &str) -> Pattern {
    match policy_string(value, Star::Present) {
        Pattern::Exact(text) => Pattern::ExactIgnoreCase(text),
        Pattern::Prefix(text) => Pattern::PrefixIgnoreCase(text),
        Pattern::Suffix(text) => Pattern::SuffixIgnoreCase(text),
        other => other,
    }
}

/// A `paths` value: a template if it holds `{*}` or `{**}`, else as [`policy_string`].
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/generator.go`, `pathGenerator`;
/// `pkg/config/security/security.go`, `ContainsPathTemplate`.
pub(crate) fn policy_path(value: &str) -> Pattern {
    if is_template(value) { template(value) } else { policy_string(value, Star::NonEmpty) }
}

/// Whether a `paths` value is a template.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/security/security.go`, `ContainsPathTemplate`.
pub(crate) fn is_template(value: &str) -> bool {
    value.contains("{*}") || value.contains("{**}")
}

/// Bytes that a template's operators and literals consist of, as observed: `=` and `*` are among them.
const TEMPLATE_LITERAL: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()+,;:@=*";

/// A path template: `{*}` is one non-empty segment, `{**}` any text of segments.
///
/// Inside a template a bare `*` or `**` segment is an operator too.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/matcher/template.go`, `PathTemplateMatcher`; Envoy:
/// `source/extensions/path/uri_template_lib/uri_template_internal.cc`.
fn template(value: &str) -> Pattern {
    let value = value.replace("{**}", "**").replace("{*}", "*");
    let segment = ByteSet::from_bytes(TEMPLATE_LITERAL);
    let path = ByteSet::from_bytes(&[TEMPLATE_LITERAL, b"/"].concat());
    let mut pieces = Vec::new();
    for (index, part) in value.split('/').enumerate() {
        if index > 0 {
            pieces.push(Piece::Literal("/".into()));
        }
        match part {
            "*" => pieces.push(Piece::Repeat { bytes: segment, at_least: 1 }),
            "**" => pieces.push(Piece::Repeat { bytes: path, at_least: 0 }),
            "" => {}
            literal => pieces.push(Piece::Literal(literal.into())),
        }
    }
    Pattern::sequence(&pieces)
}

/// A `principals` value against an identity without `spiffe://`.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/principal.go`, `principalAuthenticated`, and
/// `generator.go`, `srcPrincipalGenerator`.
pub(crate) fn principal(value: &str) -> Pattern {
    policy_string(value, Star::NonEmpty)
}

/// A `namespaces` value against an identity: every star stands for any text.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/generator.go`, `srcNamespaceGenerator`
/// (regex `.*/ns/VALUE/.*`, full match).
pub(crate) fn namespace(value: &str) -> Pattern {
    let any = Piece::Repeat { bytes: ByteSet::ANY, at_least: 0 };
    let mut pieces = vec![any.clone(), Piece::Literal("/ns/".into())];
    for (index, literal) in value.split('*').enumerate() {
        if index > 0 {
            pieces.push(any.clone());
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
    }
    pieces.push(Piece::Literal("/".into()));
    pieces.push(any);
    Pattern::sequence(&pieces)
}

/// A `serviceAccounts` value, `SA` or `NS/SA`, against an identity: four forms, any of which will do.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/generator.go`, `srcServiceAccountGenerator`
/// (regex `spiffe://.+/ns/NS/(.+/|)sa/SA(/.+)?`, full match).
pub(crate) fn service_account(value: &str, policy_namespace: &str) -> Vec<Pattern> {
    let (namespace, account) = value.split_once('/').unwrap_or((policy_namespace, value));
    let some = Piece::Repeat { bytes: ByteSet::ANY, at_least: 1 };
    let mut forms = Vec::new();
    for inner in [false, true] {
        for tail in [false, true] {
            let mut pieces = vec![some.clone(), Piece::Literal(format!("/ns/{namespace}/").into())];
            if inner {
                pieces.push(some.clone());
                pieces.push(Piece::Literal("/".into()));
            }
            pieces.push(Piece::Literal(format!("sa/{account}").into()));
            if tail {
                pieces.push(Piece::Literal("/".into()));
                pieces.push(some.clone());
            }
            forms.push(Pattern::sequence(&pieces));
        }
    }
    forms
}

/// A `trustDomains` value against an identity.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/generator.go`, `srcTrustDomainGenerator`.
pub(crate) fn trust_domain(value: &str) -> Pattern {
    if value == "*" {
        return Pattern::Any;
    }
    let Some((before, after)) = value.split_once('*') else {
        return Pattern::Prefix(format!("{value}/").into());
    };
    let no_slash = ByteSet::ANY.without(b'/');
    Pattern::sequence(&[
        Piece::Literal(before.into()),
        Piece::Repeat { bytes: no_slash, at_least: 0 },
        Piece::Literal(format!("{after}/").into()),
        Piece::Repeat { bytes: ByteSet::ANY, at_least: 0 },
    ])
}

/// A `requestPrincipals` value: what the issuer and the subject must be, split at the last `/`.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/generator.go`, `requestPrincipalGenerator`.
pub(crate) fn request_principal(value: &str) -> (Pattern, Pattern) {
    if value == "*" {
        return (Pattern::NonEmpty, Pattern::NonEmpty);
    }
    let exact = |text: &str| Pattern::Exact(text.into());
    let (before, after) = match value.rsplit_once('/') {
        Some((before, after)) => (before, Some(after)),
        None => (value, None),
    };
    match (value.strip_prefix('*'), value.strip_suffix('*'), after) {
        (Some(_), _, Some(after)) if before == "*" => (Pattern::NonEmpty, exact(after)),
        (Some(_), _, Some(after)) => (Pattern::Suffix(before.get(1..).unwrap_or_default().into()), exact(after)),
        (Some(suffix), _, None) => (Pattern::NonEmpty, Pattern::Suffix(suffix.into())),
        (None, Some(_), Some("*")) => (exact(before), Pattern::NonEmpty),
        (None, Some(_), Some(after)) => {
            (exact(before), Pattern::Prefix(after.strip_suffix('*').unwrap_or(after).into()))
        }
        (None, Some(prefix), None) => (Pattern::Prefix(prefix.into()), Pattern::NonEmpty),
        (None, None, Some(after)) => (exact(before), exact(after)),
        (None, None, None) => (exact(before), exact("")),
    }
}
