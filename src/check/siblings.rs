//! Prefixes that end within a segment, where another path shares them.

use std::collections::{BTreeMap, HashMap};

use compact_str::CompactString;

use super::effect::Placed;
use super::facts::Facts;
use super::observation::Observation;
use super::spot::with_paths;
use super::standing::admitted_by_it_alone;
use super::value::{Field, Value, values};
use crate::model::{Action, AuthorizationPolicy, HttpMatch, HttpRoute, Resource, VirtualService};
use crate::semantics::{is_template, parse_service_host, resolve_short_name};
use crate::space::{Cube, Pattern};
use crate::text::{Span, Spanned};

/// Looks at the prefixes of ALLOW policies and of routes.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let routed = routed_paths(facts);
    for policy in facts.own_policies().filter(|policy| policy.spec.action() == Action::Allow) {
        let prefixes: Vec<Value<'_>> =
            values(policy).filter(|value| !value.negated && prefix(value).is_some()).collect();
        if prefixes.is_empty() {
            continue;
        }
        let known = known_paths(facts, &routed, policy, &prefixes);
        for value in &prefixes {
            seen.extend(in_policy(facts, value, &known));
        }
    }
    for service in facts.world().mesh.virtual_services.iter().filter(|service| !service.context) {
        in_routes(service, seen);
    }
}

/// The prefix that a value of a policy is, if it ends within a segment.
fn prefix<'v>(value: &Value<'v>) -> Option<&'v str> {
    let text = value.text.value.as_str();
    let stem = text.strip_suffix('*').filter(|_| value.field == Field::Path && !is_template(text))?;
    is_open(stem).then_some(stem)
}

/// Whether a prefix ends within a segment.
fn is_open(stem: &str) -> bool {
    stem.len() > 1 && stem.starts_with('/') && !stem.ends_with('/') && !stem.contains('*')
}

/// Whether a path begins like a prefix and goes on in the same segment, with another word.
fn shares(path: &str, stem: &str) -> bool {
    let rest = path.strip_prefix(stem).and_then(|rest| rest.chars().next());
    rest.is_some_and(|next| next.is_ascii_alphanumeric() || matches!(next, '-' | '_'))
}

/// Paths by where they are written; without the star at their end.
type Known<'w> = BTreeMap<&'w str, Span>;

/// The paths that routes lead to each Service, by namespace and name.
fn routed_paths<'w>(facts: &Facts<'w>) -> HashMap<(CompactString, CompactString), Known<'w>> {
    let mut found: HashMap<(CompactString, CompactString), Known<'w>> = HashMap::new();
    for service in &facts.world().mesh.virtual_services {
        for route in service.spec.http() {
            let paths: Vec<(&str, Span)> = paths_of(&route.value).collect();
            for host in route.value.destination_hosts() {
                let full = resolve_short_name(&host.value, &service.id.namespace);
                let Some((name, namespace)) = parse_service_host(&full) else { continue };
                found.entry((namespace.into(), name.into())).or_default().extend(paths.iter().copied());
            }
        }
    }
    found
}

/// The paths under `exact` and `prefix` of a route.
fn paths_of(route: &HttpRoute) -> impl Iterator<Item = (&str, Span)> {
    let matches = route.matches.iter().flat_map(|list| &list.value);
    matches.filter_map(|one| {
        let uri = &one.value.uri.as_ref()?.value;
        let text = uri.exact.as_ref().or(uri.prefix.as_ref())?;
        Some((text.value.as_str(), text.span))
    })
}

/// The paths that are known where a policy is attached and share one of its prefixes.
fn known_paths<'w>(
    facts: &Facts<'w>,
    routed: &HashMap<(CompactString, CompactString), Known<'w>>,
    policy: &Resource<AuthorizationPolicy>,
    prefixes: &[Value<'_>],
) -> Known<'w> {
    let stems: Vec<&str> = prefixes.iter().filter_map(prefix).collect();
    let mut known = Known::new();
    let wanted = |path: &str| stems.iter().any(|stem| shares(path, stem));
    for site in facts.sites_of(&policy.id).take(MANY_SITES) {
        for other in site.attached.allow.iter().chain(&site.attached.deny) {
            let paths = values(other).filter(|value| value.field == Field::Path);
            let paths = paths.map(|value| (value.text.value.trim_end_matches('*'), value.text.span));
            known.extend(paths.filter(|(path, _)| wanted(path)));
        }
        for service in site.workload().into_iter().flat_map(|workload| facts.world().services_of(workload)) {
            let key = (service.id.namespace.clone(), service.id.name.clone());
            let paths = routed.get(&key).into_iter().flatten().map(|(path, span)| (*path, *span));
            known.extend(paths.filter(|(path, _)| wanted(path)));
        }
    }
    known
}

/// At how many of a policy's sites paths are looked for.
const MANY_SITES: usize = 200;

/// `prefix-covers-siblings` in a policy: only this rule admits the sibling, too.
fn in_policy(facts: &Facts<'_>, value: &Value<'_>, known: &Known<'_>) -> Option<Observation> {
    let stem = prefix(value)?;
    let own = value.rule.span;
    let within = |span: Span| span.file == own.file && own.start <= span.start && span.end <= own.end;
    let placed = Placed { policy: value.policy, index: value.rule_index(), rule: value.rule };
    for (path, span) in known.iter().filter(|(path, span)| shares(path, stem) && !within(**span)) {
        for spot in facts.spots_of(&value.policy.id).iter().filter(|spot| spot.is_guarded() && spot.door().is_some()) {
            let narrowed = |cube: &Cube| with_paths(cube, vec![Pattern::Exact((*path).into())]);
            let Some(through) = admitted_by_it_alone(spot, &placed, narrowed) else { continue };
            let text = &value.text.value;
            let message = format!("`{text}` admits `{path}` as well, which is another path that is known here");
            let mut seen = Observation::new(
                "prefix-covers-siblings",
                &value.policy.id,
                value.text.span,
                "ends within a segment",
                message,
            )
            .related(*span, "the other path")
            .help(format!("write `{stem}` and `{stem}/*`"));
            seen.workload = spot.door().map(|door| door.workload.display_name());
            seen.witness = Some(through.request.into());
            return Some(seen);
        }
    }
    None
}

/// A match that asks for a prefix and for nothing else.
fn only_prefix(one: &HttpMatch) -> Option<&Spanned<CompactString>> {
    let prefix = one.uri.as_ref()?.value.prefix.as_ref()?;
    let plain = HttpMatch { uri: one.uri.clone(), name: one.name.clone(), ..HttpMatch::default() };
    (plain == *one).then_some(prefix)
}

/// `prefix-covers-siblings` in routes: an earlier route takes the path of a later one that leads elsewhere.
fn in_routes(service: &Resource<VirtualService>, seen: &mut Vec<Observation>) {
    let routes = service.spec.http();
    for (place, route) in routes.iter().enumerate() {
        let matches = route.value.matches.iter().flat_map(|list| &list.value);
        for prefix in matches.filter_map(|one| only_prefix(&one.value)).filter(|prefix| is_open(&prefix.value)) {
            let to = |route: &HttpRoute| route.destination_hosts().map(|host| host.value.clone()).collect::<Vec<_>>();
            let elsewhere = |later: &&Spanned<HttpRoute>| to(&later.value) != to(&route.value);
            let later = routes.iter().skip(place + 1).filter(elsewhere);
            let taken = later.flat_map(|later| paths_of(&later.value)).find(|(path, _)| shares(path, &prefix.value));
            let Some((path, span)) = taken else { continue };
            let text = &prefix.value;
            let message = format!("the prefix `{text}` takes `{path}` as well, which a later route leads elsewhere");
            let found =
                Observation::new("prefix-covers-siblings", &service.id, prefix.span, "ends within a segment", message)
                    .related(span, "never gets here")
                    .help(format!("match `exact: {text}` and `prefix: {text}/`, or put the other route first"));
            seen.push(found);
        }
    }
}
