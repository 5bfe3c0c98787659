//! Delegates: the routes of a root virtual service with those of its delegates in their places.

use compact_str::CompactString;

use super::decision::{Cause, CauseKind};
use super::host_name;
use super::registry::is_complete;
use super::virtual_service::{is_visible, resolve_gateway};
use super::world::World;
use crate::model::{Delegate, Destination, HttpMatch, HttpRoute, Resource, StringMatch, StringMatches, VirtualService};
use crate::text::Spanned;

/// An HTTP route in force, or why nobody can say what stands in its place.
#[derive(Debug, Clone)]
pub(crate) enum Merged {
    /// The route
    Route(Box<Spanned<HttpRoute>>),
    /// A root route whose delegate is not in the input
    Unknown(Box<Spanned<HttpRoute>>, Cause),
}

/// The HTTP routes of a virtual service, those of delegates in the place of what delegates to them.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/virtualservice.go`, `mergeVirtualServicesIfNeeded`, `MergeHTTPRoutes`.
pub(crate) fn http_routes(world: &World, service: &Resource<VirtualService>) -> Vec<Merged> {
    let mut merged = Vec::new();
    for root in service.spec.http() {
        let Some(delegate) = &root.value.delegate else {
            merged.push(Merged::Route(Box::new(root.clone())));
            continue;
        };
        match find(world, service, delegate) {
            Found::Delegate(delegate) => {
                let routes = delegate
                    .spec
                    .http()
                    .iter()
                    .filter_map(|leaf| merge(root, &service.id.namespace, leaf, &delegate.id.namespace));
                merged.extend(routes.map(|route| Merged::Route(Box::new(route))));
            }
            Found::Nothing => {}
            Found::Unknown(cause) => merged.push(Merged::Unknown(Box::new(root.clone()), cause)),
        }
    }
    merged
}

/// What a root delegates to.
enum Found<'a> {
    /// A delegate that it may use
    Delegate(&'a Resource<VirtualService>),
    /// None that it may use: the root's route does not exist
    Nothing,
    /// None in the input
    Unknown(Cause),
}

/// The delegate that a root's route names.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/virtualservice.go`, `mergeVirtualServicesIfNeeded` (a virtual service with
/// hosts is none; `exportTo` of the delegate must admit the root's namespace).
fn find<'a>(world: &'a World, root: &Resource<VirtualService>, delegate: &Spanned<Delegate>) -> Found<'a> {
    let namespace = delegate.value.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    let namespace = namespace.unwrap_or(&root.id.namespace);
    let name = delegate.value.name.as_ref().map_or("", |name| name.value.as_str());
    match world.mesh.virtual_services.named(namespace, name) {
        Some(found) if found.spec.hosts().is_empty() && is_visible(world, found, &root.id.namespace) => {
            Found::Delegate(found)
        }
        Some(_) => Found::Nothing,
        None if is_complete(world) => Found::Nothing,
        None => Found::Unknown(Cause {
            kind: CauseKind::MissingResource,
            message: format!("the delegate `{namespace}/{name}` is not in the input"),
            span: Some(delegate.span),
        }),
    }
}

/// The routes of a root that delegate, each with the delegate that it may use.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/virtualservice.go`, `mergeVirtualServicesIfNeeded`.
pub(crate) fn delegations<'a>(
    world: &'a World,
    root: &'a Resource<VirtualService>,
) -> impl Iterator<Item = (&'a Spanned<HttpRoute>, &'a Resource<VirtualService>)> {
    root.spec.http().iter().filter_map(move |route| match find(world, root, route.value.delegate.as_ref()?) {
        Found::Delegate(delegate) => Some((route, delegate)),
        Found::Nothing | Found::Unknown(_) => None,
    })
}

/// Whether a root's route lets a match of its delegate through: each with its namespace.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/virtualservice.go`, `mergeHTTPMatchRequests`.
pub(crate) fn lets_through((root, root_namespace): (&HttpRoute, &str), (leaf, namespace): (&HttpMatch, &str)) -> bool {
    let only = |matches: &HttpMatch, span| Spanned { value: vec![Spanned { value: matches.clone(), span }], span };
    let Some(roots) = root.matches.as_ref().filter(|matches| !matches.value.is_empty()) else { return true };
    let (mut outer, mut inner) = (root.clone(), HttpRoute::default());
    inner.matches = Some(only(leaf, roots.span));
    resolve_names(&mut outer, root_namespace);
    resolve_names(&mut inner, namespace);
    let all = |route: &HttpRoute| route.matches.as_ref().map_or(Vec::new(), |matches| matches.value.clone());
    all(&inner).iter().any(|leaf| all(&outer).iter().any(|root| !conflict(&root.value, &leaf.value)))
}

/// A delegate's route within a root's route, the names of each completed with its own namespace. `None` if some match of it fits none of the root's.
fn merge(
    root: &Spanned<HttpRoute>,
    root_namespace: &str,
    leaf: &Spanned<HttpRoute>,
    namespace: &str,
) -> Option<Spanned<HttpRoute>> {
    let mut merged = leaf.clone();
    resolve_names(&mut merged.value, namespace);
    let mut resolved = root.value.clone();
    resolve_names(&mut resolved, root_namespace);
    let (outer, route) = (&resolved, &mut merged.value);
    let roots = outer.matches.as_ref().filter(|matches| !matches.value.is_empty());
    let leaves = route.matches.as_ref().filter(|matches| !matches.value.is_empty());
    route.matches = match (roots, leaves) {
        (roots, None) => roots.cloned(),
        (None, leaves) => leaves.cloned(),
        (Some(roots), Some(leaves)) => {
            let mut both = Vec::new();
            for leaf in &leaves.value {
                let fitting = roots.value.iter().filter(|root| !conflict(&root.value, &leaf.value));
                let before = both.len();
                both.extend(
                    fitting.map(|root| Spanned { value: merge_match(&root.value, &leaf.value), span: leaf.span }),
                );
                if both.len() == before {
                    return None;
                }
            }
            Some(Spanned { value: both, span: leaves.span })
        }
    };
    macro_rules! inherit {
        ($($field:ident),*) => { $(if route.$field.is_none() { route.$field.clone_from(&outer.$field); })* };
    }
    inherit!(direct_response, rewrite, timeout, retries, fault, cors_policy, headers);
    inherit!(mirror, mirrors, mirror_percent, mirror_percentage);
    Some(merged)
}

/// Completes the short names of a delegate with its own namespace.
fn resolve_names(route: &mut HttpRoute, namespace: &str) {
    let complete = |destination: &mut Destination| {
        if let Some(host) = &mut destination.host {
            host.value = host_name::resolve_short_name(&host.value, namespace).into();
        }
    };
    let weighted = route.route.iter_mut().flat_map(|route| &mut route.value);
    weighted.filter_map(|weighted| weighted.value.destination.as_mut()).for_each(|to| complete(&mut to.value));
    let mirrors = route.mirrors.iter_mut().flat_map(|mirrors| &mut mirrors.value);
    mirrors.filter_map(|mirror| mirror.value.destination.as_mut()).for_each(|to| complete(&mut to.value));
    route.mirror.iter_mut().for_each(|to| complete(&mut to.value));
    let matches = route.matches.iter_mut().flat_map(|matches| &mut matches.value);
    for gateway in matches.flat_map(|matches| matches.value.gateways.iter_mut().flatten()) {
        gateway.value = resolve_gateway(&gateway.value, namespace).into();
    }
}

/// Whether a delegate's match leaves what a root's match admits.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/virtualservice.go`, `hasConflict`, `stringMatchConflict`.
fn conflict(root: &HttpMatch, leaf: &HttpMatch) -> bool {
    let pairs = [
        (&root.uri, &leaf.uri),
        (&root.scheme, &leaf.scheme),
        (&root.method, &leaf.method),
        (&root.authority, &leaf.authority),
    ];
    let strings = pairs.into_iter().any(|(root, leaf)| strings_conflict(root.as_deref(), leaf.as_deref()));
    let maps = [
        (&root.headers, &leaf.headers),
        (&root.without_headers, &leaf.without_headers),
        (&root.query_params, &leaf.query_params),
    ];
    let maps = maps.into_iter().any(|(root, leaf)| maps_conflict(root, leaf));
    let ports = match (&root.port, &leaf.port) {
        (Some(root), Some(leaf)) => root.value != 0 && leaf.value != 0 && root.value != leaf.value,
        _ => false,
    };
    let labels = root.source_labels.iter().flatten().any(|(key, value)| {
        leaf.source_labels.as_ref().and_then(|labels| labels.get(key)).is_some_and(|other| other != value)
    });
    let namespace =
        |matches: &HttpMatch| matches.source_namespace.as_ref().map_or(CompactString::default(), |ns| ns.value.clone());
    let namespaces = !namespace(root).is_empty() && namespace(root) != namespace(leaf);
    let root_gateways = root.gateways.as_deref().unwrap_or_default();
    let leaf_gateways = leaf.gateways.as_deref().unwrap_or_default();
    let outside = |gateway: &Spanned<CompactString>| root_gateways.iter().all(|known| known.value != gateway.value);
    let gateways = !root_gateways.is_empty() && leaf_gateways.iter().any(outside);
    let cases = root.ignore_uri_case.unwrap_or(false) != leaf.ignore_uri_case.unwrap_or(false);
    strings || maps || ports || labels || namespaces || gateways || cases
}

/// Whether a key of a root's map is in the delegate's with a value that leaves it.
fn maps_conflict(root: &StringMatches, leaf: &StringMatches) -> bool {
    root.as_deref().into_iter().flatten().any(|(key, wanted)| {
        let other = leaf.as_deref().into_iter().flatten().find(|(name, _)| name.value == key.value);
        other.is_some_and(|(_, other)| strings_conflict(wanted.as_ref(), other.as_ref()))
    })
}

/// Whether a delegate's string match leaves a root's.
fn strings_conflict(root: Option<&Spanned<StringMatch>>, leaf: Option<&Spanned<StringMatch>>) -> bool {
    let (Some(root), Some(leaf)) = (root.map(|root| &root.value), leaf.map(|leaf| &leaf.value)) else {
        return false;
    };
    // An expression has no text here, on either side, so that it is a conflict.
    let text = |text: &Option<Spanned<CompactString>>| {
        text.as_ref().map_or(CompactString::default(), |text| text.value.clone())
    };
    let (exact, prefix) = (text(&root.exact), text(&root.prefix));
    if !exact.is_empty() {
        return text(&leaf.exact) != exact;
    }
    // Where the root asks for presence only, whatever the delegate says is a conflict.
    let leaf = [text(&leaf.exact), text(&leaf.prefix)].concat();
    leaf.is_empty() || prefix.is_empty() || !leaf.starts_with(prefix.as_str())
}

/// The match of a root and its delegate together: the delegate's where it says something.
fn merge_match(root: &HttpMatch, leaf: &HttpMatch) -> HttpMatch {
    let mut merged = leaf.clone();
    macro_rules! inherit {
        ($($field:ident),*) => { $(if merged.$field.is_none() { merged.$field.clone_from(&root.$field); })* };
    }
    inherit!(uri, scheme, method, authority, port, gateways, source_namespace, ignore_uri_case);
    let union = |root: &StringMatches, leaf: &StringMatches| -> StringMatches {
        let mut both = leaf.clone().unwrap_or_default();
        for (key, value) in root.as_deref().into_iter().flatten() {
            if !both.keys().any(|known| known.value == key.value) {
                both.insert(key.clone(), value.clone());
            }
        }
        (!both.is_empty()).then_some(both)
    };
    merged.headers = union(&root.headers, &leaf.headers);
    merged.without_headers = union(&root.without_headers, &leaf.without_headers);
    merged.query_params = union(&root.query_params, &leaf.query_params);
    let mut labels = root.source_labels.clone().unwrap_or_default();
    labels.extend(leaf.source_labels.clone().unwrap_or_default());
    merged.source_labels = (!labels.is_empty()).then_some(labels);
    merged
}
