//! Paths of policies: what they cannot match, what they leave open.

use super::evasion::{Place, past};
use super::facts::Facts;
use super::observation::Observation;
use super::spot::{Spot, Through};
use super::value::{Field, Value, values};
use crate::model::{Action, AuthorizationPolicy, Resource};
use crate::semantics::{is_template, path_normalization, policy_path};
use crate::space::{
    Budget, Cube, DecisionList, Label, Normalization, PathDomain, Pattern, Search, Universe, normalize, partition,
};

/// Looks at the paths of every policy.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let ignores_case = some_route_ignores_case(facts);
    seen.extend(facts.at_policies(|policy, seen| seen.extend(left_open(facts, policy, ignores_case))));
}

/// What the paths of a policy leave open.
fn left_open(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>, ignores_case: bool) -> Vec<Observation> {
    let mut seen = Vec::new();
    let mut paths = values(policy).filter(|value| value.field == Field::Path && value.opens_when_dead()).peekable();
    if paths.peek().is_none() {
        return seen;
    }
    let spots = facts.spots_of(&policy.id);
    let mut said = None;
    for value in paths {
        if let Some(found) = subtree(facts, &spots, &value) {
            seen.push(found);
            said = Some(value.rule.span);
        } else if said != Some(value.rule.span)
            && let Some(found) = spelling(facts, &spots, &value, ignores_case)
        {
            seen.push(found);
            said = Some(value.rule.span);
        }
    }
    seen
}

/// Why no request has such a path, in words.
fn reason(path: &str, mode: Normalization) -> &'static str {
    let normal = mode != Normalization::None;
    let lower = path.to_ascii_lowercase();
    if path.contains(['?', '#']) {
        "paths are compared without query and fragment"
    } else if !path.starts_with(['/', '*']) {
        "every path begins with `/`"
    } else if normal && path.contains('\\') {
        "proxies make `/` of `\\`"
    } else if normal && (path.contains("/../") || path.contains("/./") || path.ends_with("/..")) {
        "proxies resolve dot segments"
    } else if matches!(mode, Normalization::MergeSlashes | Normalization::DecodeAndMergeSlashes) && path.contains("//")
    {
        "proxies merge slashes"
    } else if mode == Normalization::DecodeAndMergeSlashes && (lower.contains("%2f") || lower.contains("%5c")) {
        "proxies decode escaped slashes"
    } else if normal && path.contains('%') {
        "proxies decode escapes of plain characters"
    } else {
        "it has a character that no request sends as it is"
    }
}

/// The path that one which no request has was most likely meant to be.
pub(super) fn meant(facts: &Facts<'_>, text: &str) -> Option<String> {
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let rooted = if bare.starts_with('/') { bare.to_owned() } else { format!("/{bare}") };
    normalize(&rooted, path_normalization(facts.world())).filter(|path| !path.contains('*'))
}

/// `impossible-path`: asked of the paths that can occur, where a letter makes it likely.
pub(super) fn impossible(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let text = value.text.value.as_str();
    if value.field != Field::Path || value.negated || text == "*" {
        return None;
    }
    let odd = |byte: u8| matches!(byte, b'?' | b'#' | b'\\' | b'%') || !byte.is_ascii_graphic();
    let likely = text.bytes().any(odd) || text.contains("//") || text.contains("/.") || !text.starts_with(['/', '*']);
    let mode = path_normalization(facts.world());
    let universe = Universe { path: PathDomain::Normalized(mode), ..Universe::default() };
    let all = DecisionList { rules: Vec::new(), default: Label(0) };
    let within = Cube::default().path(vec![policy_path(text)]);
    let none = || partition(&all, &within, &universe, &Budget::default()).search(Label(0)) == Search::Empty;
    if !likely || !none() {
        return None;
    }
    let comes = if value.policy.spec.action() == Action::Deny { "refuses" } else { "admits" };
    let message = format!("no request has the path `{text}`, so it {comes} nothing: {}", reason(text, mode));
    Some(Observation::new("impossible-path", &value.policy.id, value.text.span, "matches no request", message))
}

/// A path that stands for itself alone, and is no file and no method of gRPC.
fn whole_path(text: &str) -> Option<&str> {
    let last = text.rsplit('/').next().unwrap_or_default();
    let plain = text.starts_with('/') && !text.contains('*') && !is_template(text) && !text.contains(['?', '#']);
    (plain && !last.is_empty() && !last.contains('.') && !text.split('/').nth(1).unwrap_or_default().contains('.'))
        .then_some(text)
}

/// A request on one of other paths that gets past a path of a rule.
fn evades<'s, 'f, 'w>(
    facts: &Facts<'_>,
    spots: &'s [Spot<'f, 'w>],
    value: &Value<'_>,
    paths: &[String],
) -> Option<(Through, &'s Spot<'f, 'w>)> {
    let named = policy_path(&value.text.value);
    let instead: Vec<Pattern> = paths.iter().map(|path| Pattern::Exact(path.as_str().into())).collect();
    past(facts, spots, value, Place::Path(&named), &instead)
}

/// `subtree-left-open`: exactly this path is refused, and what is below it gets in.
fn subtree(facts: &Facts<'_>, spots: &[Spot<'_, '_>], value: &Value<'_>) -> Option<Observation> {
    let path = whole_path(&value.text.value)?;
    let (found, spot) = evades(facts, spots, value, &[format!("{path}/x"), format!("{path}/")])?;
    let message = format!("only `{path}` itself is meant here: `{}` gets through", found.path);
    let mut seen = Observation::new("subtree-left-open", &value.policy.id, value.text.span, "this path alone", message)
        .help(format!("write `{path}/*` beside it"));
    seen.admits = (value.policy.spec.action() == Action::Allow).then_some(value.rule.span);
    Some(spot.shown(seen, found))
}

/// Whether some route takes a path in any case.
fn some_route_ignores_case(facts: &Facts<'_>) -> bool {
    facts.world().mesh.virtual_services.iter().any(|service| {
        let mut matches =
            service.spec.http().iter().flat_map(|route| route.value.matches.iter().flat_map(|list| &list.value));
        matches.any(|one| one.value.ignore_uri_case == Some(true))
    })
}

/// Other spellings of a path that servers may take for the same: of each of its slashes, of a step aside and back in
/// front of each segment, of its end and its case.
fn spellings(path: &str, exact: bool, ignores_case: bool) -> Vec<String> {
    let slashes = || path.match_indices('/').map(|(place, _)| path.split_at(place));
    let mut found: Vec<String> = Vec::new();
    for slash in ["//", "%2F", "%5C"] {
        // Every path begins with one slash that is written as such.
        let written = |(before, after): (&str, &str)| {
            let rest = after.strip_prefix('/').unwrap_or(after);
            if before.is_empty() {
                format!("/{}{rest}", slash.strip_prefix('/').unwrap_or(slash))
            } else {
                format!("{before}{slash}{rest}")
            }
        };
        found.extend(slashes().map(written));
    }
    found.extend(slashes().map(|(before, after)| format!("{before}/x/..;{after}")));
    if exact {
        found.extend([format!("{path}/"), format!("{path};x")]);
    }
    if ignores_case {
        found.push(path.to_ascii_uppercase());
    }
    found.retain(|other| !other.eq(path));
    found
}

/// `bypass-by-spelling`: another spelling of a path that is refused gets in.
fn spelling(facts: &Facts<'_>, spots: &[Spot<'_, '_>], value: &Value<'_>, ignores_case: bool) -> Option<Observation> {
    let text = value.text.value.as_str();
    if !text.starts_with('/') || is_template(text) || text.contains(['?', '#']) {
        return None;
    }
    let (stem, exact) = match text.strip_suffix('*') {
        Some(stem) => (stem.trim_end_matches('/'), false),
        None => (text, true),
    };
    if stem.len() < 2 || stem.contains('*') {
        return None;
    }
    let spelled = spellings(stem, exact, ignores_case).into_iter();
    let spelled: Vec<String> = spelled.map(|path| if exact { path } else { format!("{path}/x") }).collect();
    let (found, spot) = evades(facts, spots, value, &spelled)?;
    let spelled = &found.path;
    let message = format!("`{text}` is refused, and `{spelled}` gets through, which many servers take for the same");
    let mut seen = Observation::new("bypass-by-spelling", &value.policy.id, value.text.span, "one spelling", message);
    seen.admits = (value.policy.spec.action() == Action::Allow).then_some(value.rule.span);
    Some(spot.shown(seen, found))
}
