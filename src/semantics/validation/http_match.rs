//! Matches of HTTP routes that are refused.

use compact_str::CompactString;

use super::refuse;
use super::shared::{are_labels, is_dns_label};
use super::virtual_service::{check_gateways, is_for_gateways};
use crate::model::{HttpMatch, Problem, Resource, StringMatch, VirtualService};
use crate::space::{Pattern, RegexError};
use crate::text::Spanned;

/// Reasons to refuse a match.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/virtualservice.go`, `validateHTTPRouteMatchRequest`.
pub(super) fn check_match(service: &Resource<VirtualService>, one: &Spanned<HttpMatch>, problems: &mut Vec<Problem>) {
    let fields = &one.value;
    let named = [(&fields.uri, true), (&fields.scheme, false), (&fields.method, false), (&fields.authority, false)];
    for (wanted, uri) in named {
        if let Some(wanted) = wanted {
            check_string(service, wanted, uri, false, problems);
        }
    }
    let headers = [(&fields.headers, false), (&fields.without_headers, true)];
    for (map, star) in headers {
        for (name, wanted) in map.as_deref().into_iter().flatten() {
            check_header_name(service, name, problems);
            match wanted {
                Some(wanted) => check_string(service, wanted, false, star, problems),
                None if !star => {
                    let why = format!("the match of header `{}` is null; `{{}}` asks for presence", name.value);
                    refuse(problems, service, name.span, why);
                }
                None => {}
            }
        }
    }
    for wanted in fields.query_params.as_deref().into_iter().flatten().filter_map(|(_, wanted)| wanted.as_ref()) {
        check_string(service, wanted, false, false, problems);
    }
    if let Some(port) = fields.port.as_ref().filter(|port| !(0..=65535).contains(&port.value)) {
        refuse(problems, service, port.span, "a port number lies between 1 and 65535");
    }
    if !are_labels(fields.source_labels.as_ref()) {
        refuse(problems, service, one.span, "`sourceLabels` are no labels");
    }
    check_gateways(service, fields.gateways.as_deref().unwrap_or_default(), problems);
    let namespace = fields.source_namespace.as_ref();
    if let Some(namespace) = namespace.filter(|ns| !ns.value.is_empty() && !is_dns_label(&ns.value)) {
        refuse(problems, service, namespace.span, format!("`{}` is no namespace", namespace.value));
    }
}

/// Reasons to refuse the name of a header in a match.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `ValidateHTTPHeaderNameOrJwtClaimRoute`,
/// `ValidateVirtualService` (claims only at gateways).
fn check_header_name(service: &Resource<VirtualService>, name: &Spanned<CompactString>, problems: &mut Vec<Problem>) {
    let claim = name.value.to_ascii_lowercase().starts_with("@request.auth.claims")
        && super::super::route_match::routing_claim(&name.value).is_some();
    if claim {
        if !is_for_gateways(service) {
            refuse(problems, service, name.span, "claims are matched at gateways only");
        }
        return;
    }
    let pseudo = matches!(name.value.as_str(), ":method" | ":scheme" | ":authority" | ":path" | ":status");
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !pseudo && (name.value.is_empty() || !name.value.chars().all(token)) {
        refuse(problems, service, name.span, format!("`{}` is no name of a header", name.value));
    }
}

/// Whether a text is a regular expression that istiod takes.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateStringRegexp`.
pub(super) fn is_regex(text: &str) -> bool {
    !text.is_empty() && text.len() <= 1024 && !matches!(Pattern::regex(text), Err(RegexError::Syntax { .. }))
}

/// Reasons to refuse a string match. `star`: a lone star is no expression but asks for presence.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateStringMatch`, `validateStringMatchRegexp`.
fn check_string(
    service: &Resource<VirtualService>,
    wanted: &Spanned<StringMatch>,
    uri: bool,
    star: bool,
    problems: &mut Vec<Problem>,
) {
    if let Some(prefix) = wanted.value.prefix.as_ref().filter(|prefix| prefix.value.is_empty() && !uri) {
        refuse(problems, service, prefix.span, "an empty prefix");
    }
    let presence = |text: &str| star && text == "*";
    if let Some(regex) = wanted.value.regex.as_ref().filter(|regex| !presence(&regex.value) && !is_regex(&regex.value))
    {
        refuse(problems, service, regex.span, format!("`{}` is no regular expression", regex.value));
    }
}
