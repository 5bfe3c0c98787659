//! Strings of policies and routes that do not mean what they look like.

use std::sync::LazyLock;

use compact_str::CompactString;
use regex_automata::meta::Regex;

use super::evasion::show_meant;
use super::facts::Facts;
use super::route_value::{RouteField, RouteValue, route_values};
use super::value::{Field, Value, values};
use super::{Observation, paths};
use crate::model::{Action, ObjectId};
use crate::semantics::{Chain, is_template, policy_path};
use crate::space::{Cube, Dimension, Pattern};
use crate::text::Spanned;
use crate::yaml::Change;

/// Methods that clients send.
const STANDARD_METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Looks at every string of every policy, and of every route.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    seen.extend(facts.at_policies(|policy, seen| {
        for value in values(policy) {
            let first = crashing_template(&value)
                .or_else(|| regex_in_policy(&value))
                .or_else(|| wildcard_in_policy(&value))
                .or_else(|| policy_method(&value))
                .or_else(|| paths::impossible(facts, &value))
                .or_else(|| host_suffix(facts, &value));
            seen.extend(first.map(|first| match meant(facts, &value, first.rule) {
                Some(meant) => show_meant(facts, &value, first, meant),
                None => first,
            }));
        }
    }));
    for service in facts.world().mesh.virtual_services.iter().filter(|service| !service.context) {
        for value in route_values(service) {
            seen.extend(in_route(&service.id, &value));
        }
    }
}

/// What a value was most likely meant to match, where that can be told from what is wrong with it.
fn meant(facts: &Facts<'_>, value: &Value<'_>, rule: &str) -> Option<Pattern> {
    let text = value.text.value.as_str();
    match rule {
        "impossible-method" => Some(Pattern::Exact(meant_method(text)?.into())),
        "impossible-path" => Some(policy_path(&paths::meant(facts, text)?)),
        "literal-wildcard" => Some(policy_path(&meant_by_star(value)?)),
        "regex-in-literal-field" => Pattern::regex(text).ok(),
        _ => None,
    }
}

/// `impossible-method` in a policy.
fn policy_method(value: &Value<'_>) -> Option<Observation> {
    let comes = if value.opens_when_dead() { "and is let through" } else { "and is not matched" };
    let seen =
        (value.field == Field::Method).then(|| impossible_method(&value.policy.id, value.text, comes)).flatten()?;
    let upper = value.text.value.as_str().to_ascii_uppercase();
    let known = STANDARD_METHODS.contains(&upper.as_str());
    Some(if known { seen.fix(Change::Instead(upper), value.effect_of_matching()) } else { seen })
}

/// `impossible-method`: lower case, or one edit away from a standard one.
fn impossible_method(object: &ObjectId, method: &Spanned<CompactString>, comes: &str) -> Option<Observation> {
    let text = method.value.as_str();
    if text.contains('*') || crate::semantics::METHODS.contains(&text) || STANDARD_METHODS.contains(&text) {
        return None;
    }
    let meant = meant_method(text)?;
    let message = format!("no client sends the method `{text}`; a `{meant}` is another one, {comes}");
    Some(
        Observation::new("impossible-method", object, method.span, "methods are upper case", message)
            .help(format!("write `{meant}`")),
    )
}

/// The standard method that another one is, but for its case or one letter.
fn meant_method(text: &str) -> Option<&'static str> {
    let upper = text.to_ascii_uppercase();
    let near = |known: &&&str| strsim::damerau_levenshtein(known, &upper) <= 1;
    let same = STANDARD_METHODS.iter().find(|known| **known == upper);
    same.or_else(|| STANDARD_METHODS.iter().find(near)).copied()
}

/// `crashing-template`: passes the webhook and aborts Envoy.
fn crashing_template(value: &Value<'_>) -> Option<Observation> {
    let text = &value.text.value;
    if value.field != Field::Path || !is_template(text) || text.starts_with('/') {
        return None;
    }
    let message = format!("the template `{text}` does not begin with `/`: every proxy that gets it aborts");
    let help = format!("write `/{text}`");
    Some(
        Observation::new("crashing-template", &value.policy.id, value.text.span, "needs a leading `/`", message)
            .help(help),
    )
}

/// Signs of a regular expression, with what to call them.
static SIGNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let signs = [
        (r"^\^", "`^` at the start"),
        (r"\$$", "`$` at the end"),
        (r"\.\*", "`.*`"),
        (r"\\[dwsDWSb.]", "an escape"),
        (r"\([^()]*\|[^()]*\)", "alternatives in parentheses"),
        (r"\[[^\]]*[0-9A-Za-z]-[0-9A-Za-z][^\]]*\]", "a class of characters"),
    ];
    signs.into_iter().filter_map(|(sign, name)| Some((Regex::new(sign).ok()?, name))).collect()
});

/// What in a text is of a regular expression.
fn regex_sign(text: &str, is_host: bool) -> Option<&'static str> {
    let (_, name) = SIGNS.iter().find(|(sign, name)| {
        let tail_of_host = is_host && *name == "`.*`" && text.find(".*") == text.len().checked_sub(2);
        sign.is_match(text) && !tail_of_host
    })?;
    Some(name)
}

/// `regex-in-literal-field` in a policy.
fn regex_in_policy(value: &Value<'_>) -> Option<Observation> {
    let text = &value.text.value;
    if !value.is_compared_as_text() || is_template(text) {
        return None;
    }
    let sign = regex_sign(text, value.field == Field::Host)?;
    let comes = value.when_dead();
    let message = format!("`{text}` has {sign}, and policies know no regular expressions, {comes}");
    Some(Observation::new(
        "regex-in-literal-field",
        &value.policy.id,
        value.text.span,
        "compared letter by letter",
        message,
    ))
}

/// What a text would be compared with after the one star that policies know is taken away.
fn without_star(text: &str) -> &str {
    text.strip_prefix('*').or_else(|| text.strip_suffix('*')).unwrap_or(text)
}

/// `literal-wildcard` in a policy.
fn wildcard_in_policy(value: &Value<'_>) -> Option<Observation> {
    let text = value.text.value.as_str();
    let any_star = matches!(value.field, Field::Namespace | Field::RequestPrincipal)
        || matches!(value.field, Field::Condition("source.namespace" | "request.auth.principal"));
    // A header may ask for `*/*` itself.
    let itself = text == "*/*" && matches!(value.field, Field::Condition(_));
    if !value.is_compared_as_text() || any_star || itself || is_template(text) || !without_star(text).contains('*') {
        return None;
    }
    let comes = value.when_dead();
    let message = format!("a `*` of `{text}` is a literal star that next to no request has, {comes}");
    let seen = Observation::new("literal-wildcard", &value.policy.id, value.text.span, "a literal `*`", message);
    Some(match meant_by_star(value) {
        Some(meant) => {
            let what = if is_template(&meant) { "the template " } else { "" };
            seen.help(format!("write {what}`{meant}`")).fix(Change::Instead(meant), value.effect_of_matching())
        }
        None => seen,
    })
}

/// What says the same and is read as it is meant.
fn meant_by_star(value: &Value<'_>) -> Option<String> {
    let text = value.text.value.as_str();
    if value.field != Field::Path || !text.starts_with('/') {
        return None;
    }
    if let Some(stem) = text.strip_suffix("**").filter(|stem| !stem.contains('*')) {
        return Some(format!("{stem}*"));
    }
    // Behind `{**}` a template takes no further operator.
    if text.split_once("**").is_some_and(|(_, rest)| rest.contains('*')) {
        return None;
    }
    let whole = |segment: &str| matches!(segment, "*" | "**") || !segment.contains('*');
    let template = |segment: &str| match segment {
        "*" => "{*}".to_owned(),
        "**" => "{**}".to_owned(),
        other => other.to_owned(),
    };
    let segments: Vec<&str> = text.split('/').collect();
    let parted = segments.iter().skip(1).all(|segment| whole(segment) && !segment.is_empty());
    parted.then(|| segments.iter().map(|part| template(part)).collect::<Vec<_>>().join("/"))
}

/// What is wrong with a string of a route.
fn in_route(service: &ObjectId, value: &RouteValue<'_>) -> Option<Observation> {
    let text = &value.text.value;
    match value.field {
        RouteField::Method => impossible_method(service, value.text, "and takes another route"),
        RouteField::Path | RouteField::Authority => {
            let is_host = value.field == RouteField::Authority;
            if let Some(sign) = regex_sign(text, is_host) {
                let message = format!("`{text}` has {sign}, and `{}` takes no regular expression", value.how);
                let seen = Observation::new(
                    "regex-in-literal-field",
                    service,
                    value.text.span,
                    "compared letter by letter",
                    message,
                );
                return Some(seen.help("write it under `regex`"));
            }
            text.contains('*').then(|| {
                let message = format!("a `*` under `{}` is a literal star", value.how);
                Observation::new("literal-wildcard", service, value.text.span, "a literal `*`", message)
                    .help("use `prefix` without the star, or `regex`")
            })
        }
    }
}

/// `host-suffix-without-dot`: other people's names end so, too.
fn host_suffix(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let suffix = value.text.value.strip_prefix('*').filter(|_| value.field == Field::Host)?;
    if !suffix.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    let (id, stranger) = (&value.policy.id, format!("evil{suffix}"));
    let message = format!("`*{suffix}` is also every name that ends so, such as `{stranger}`");
    let seen = Observation::new("host-suffix-without-dot", id, value.text.span, "no dot behind the star", message)
        .help(format!("write `*.{suffix}`, and `{suffix}` beside it if that is meant too"));
    if value.policy.spec.action() != Action::Allow || value.negated {
        return Some(seen);
    }
    let spots = facts.spots_of(id);
    let named = |cube: &Cube| cube.clone().any(Dimension::Authority, vec![Pattern::Exact(stranger.as_str().into())]);
    let mut guarded = spots.iter().filter(|spot| spot.chain() == Chain::Http && spot.is_guarded());
    Some(match guarded.find_map(|spot| Some((spot.admitted_by(id, value.rule_index(), named)?, spot))) {
        Some((through, spot)) => spot.shown(seen, through),
        None => seen,
    })
}
