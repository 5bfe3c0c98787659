//! What becomes of a request that a route sends on: where it may go, and what it looks like there.

use compact_str::CompactString;

use super::destination::Target;
use crate::model::{HeaderOperations, HttpRoute};
use crate::space::{Dimension, PathRewrite};

/// Where a route sends requests, and what it makes of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    /// One of those that are no copies gets the request, each of the others a copy
    pub legs: Vec<Leg>,
    /// What becomes of the path
    pub rewrite: PathRewrite,
    /// Regular expression and replacement, where those rewrite the path
    pub regex_rewrite: Option<(String, String)>,
    /// Whether some requests, or all, are aborted
    pub abort: Abort,
    /// What the proxy passes on
    pub passes: Passes,
}

/// One place where requests of a route may end up.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg {
    /// The place
    pub target: Target,
    /// Whether it gets copies only
    pub mirror: bool,
    /// What becomes of authority and headers on the way there
    pub changes: HeaderChanges,
}

/// What a proxy passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// HTTP requests that it read
    Requests,
    /// Bytes that it did not read, as they came or came out of TLS
    Bytes,
    /// TLS that it did not open, within its own connection
    Tls,
    /// The client's connection itself, whose TLS the workload's proxy ends
    Connection,
}

/// The share of requests that a fault aborts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abort {
    /// None
    Never,
    /// Some
    Sometimes,
    /// All
    Always,
}

/// What becomes of authority and headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderChanges {
    /// The new authority
    pub authority: Option<String>,
    /// One after the other
    pub steps: Vec<HeaderStep>,
}

/// One step of header changes: removes, then replaces, then appends. Names are lower-case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderStep {
    /// Headers removed
    pub remove: Vec<String>,
    /// Headers replaced
    pub set: Vec<(String, String)>,
    /// Headers appended
    pub add: Vec<(String, String)>,
}

impl Forward {
    /// Sends on as it is to where the targets are.
    pub(crate) fn plain(targets: Vec<Target>, passes: Passes) -> Self {
        let legs = targets.into_iter().map(|target| Leg { target, mirror: false, changes: HeaderChanges::default() });
        Self { legs: legs.collect(), rewrite: PathRewrite::Keep, regex_rewrite: None, abort: Abort::Never, passes }
    }
}

impl HeaderStep {
    /// The step of `headers.request`, with the authority that it asks for.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `TranslateHeadersOperations` (a set authority
    /// goes before an added one, other pseudo headers do not exist).
    pub(crate) fn of(operations: &HeaderOperations) -> (Self, Option<String>) {
        let is_authority = |name: &str| name == "host" || name == ":authority";
        let ordinary = |name: &str| !is_authority(name) && !name.starts_with(':');
        let pairs = |map: &Option<std::collections::BTreeMap<CompactString, CompactString>>| -> Vec<(String, String)> {
            map.iter().flatten().map(|(name, value)| (name.as_str().to_ascii_lowercase(), value.to_string())).collect()
        };
        let (set, add) = (pairs(&operations.set), pairs(&operations.add));
        let named = set.iter().chain(&add).find(|(name, value)| is_authority(name) && !value.is_empty());
        let authority = named.map(|(_, value)| value.clone());
        let keep = |pairs: Vec<(String, String)>| pairs.into_iter().filter(|(name, _)| ordinary(name)).collect();
        let removed = operations.remove.iter().flatten().map(|name| name.as_str().to_ascii_lowercase());
        let step = Self { remove: removed.filter(|name| ordinary(name)).collect(), set: keep(set), add: keep(add) };
        (step, authority)
    }

    /// Puts another step's operations behind these, as parts of one step.
    fn extend(&mut self, other: Self) {
        self.remove.extend(other.remove);
        self.set.extend(other.set);
        self.add.extend(other.add);
    }
}

impl HeaderChanges {
    /// The changes of a route and of one of its destinations. With one destination they are one step; among several
    /// the destination's come first and the route's authority wins.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `processDestination`,
    /// `processWeightedDestination`; Envoy: `source/common/router/config_impl.cc`,
    /// `WeightedClusterEntry::finalizeRequestHeaders`.
    pub(crate) fn of(route: &HttpRoute, destination: Option<&HeaderOperations>, several: bool) -> Self {
        let request = route.headers.as_ref().and_then(|headers| headers.value.request.as_ref());
        let (mut outer, outer_authority) = request.map(HeaderStep::of).unwrap_or_default();
        let (inner, inner_authority) = destination.map(HeaderStep::of).unwrap_or_default();
        let rewrite = route.rewrite.as_ref().and_then(|rewrite| rewrite.value.authority.as_ref());
        let rewrite = rewrite.map(|authority| authority.value.to_string()).filter(|authority| !authority.is_empty());
        let steps = if several {
            vec![inner, outer]
        } else {
            outer.extend(inner);
            vec![outer]
        };
        Self { authority: rewrite.or(outer_authority).or(inner_authority), steps }
    }

    /// What the headers become.
    ///
    /// # Upstream
    /// Envoy: `source/common/router/header_parser.cc`, `HeaderParser::evaluateHeaders`.
    pub fn apply(&self, headers: &mut Vec<(String, String)>) {
        for step in &self.steps {
            headers.retain(|(name, _)| !step.remove.contains(&name.to_ascii_lowercase()));
            for (set, value) in &step.set {
                headers.retain(|(name, _)| !name.eq_ignore_ascii_case(set));
                headers.push((set.clone(), value.clone()));
            }
            headers.extend(step.add.iter().cloned());
        }
    }

    /// What is known of a header behind the changes: its values if they no longer depend on the client, and the
    /// values that are there beside the client's.
    ///
    /// # Upstream
    /// Envoy: as [`Self::apply`], said of all requests at once.
    pub fn known(&self, name: &str) -> (bool, Vec<String>) {
        let (mut fixed, mut values) = (false, Vec::new());
        for step in &self.steps {
            if step.remove.iter().any(|removed| removed == name) {
                (fixed, values) = (true, Vec::new());
            }
            if let Some((_, value)) = step.set.iter().rev().find(|(set, _)| set == name) {
                (fixed, values) = (true, vec![value.clone()]);
            }
            values.extend(step.add.iter().filter(|(added, _)| added == name).map(|(_, value)| value.clone()));
        }
        (fixed, values)
    }

    /// The headers that are touched.
    ///
    /// # Upstream
    /// Envoy: as [`Self::apply`].
    pub fn touched(&self) -> Vec<Dimension> {
        let names = self.steps.iter().flat_map(|step| {
            let changed = step.set.iter().chain(&step.add).map(|(name, _)| name);
            step.remove.iter().chain(changed)
        });
        let mut names: Vec<Dimension> = names.map(|name| Dimension::Header(name.as_str().into())).collect();
        names.sort();
        names.dedup();
        names
    }
}
