//! HTTP routes of a `VirtualService`: matches, actions, destinations.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::object::Labels;
use crate::text::Spanned;

/// An entry of `http`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HttpRoute {
    /// Name, without effect
    pub name: Option<CompactString>,
    /// Alternatives; absent and empty match everything
    #[serde(rename = "match")]
    pub matches: Option<Spanned<Vec<Spanned<HttpMatch>>>>,
    /// Weighted destinations
    pub route: Option<Spanned<Vec<Spanned<WeightedDestination>>>>,
    /// Answers with a redirect
    pub redirect: Option<Box<Spanned<Redirect>>>,
    /// Answers by itself
    pub direct_response: Option<Box<Spanned<DirectResponse>>>,
    /// Hands over to another virtual service
    pub delegate: Option<Box<Spanned<Delegate>>>,
    /// Rewrites path and authority
    pub rewrite: Option<Box<Spanned<Rewrite>>>,
    /// Without effect on who gets in
    pub timeout: Option<Box<Spanned<CompactString>>>,
    /// Without effect on who gets in
    pub retries: Option<Box<Spanned<Retries>>>,
    /// Aborts a share of the requests
    pub fault: Option<Box<Spanned<Fault>>>,
    /// Destination of copies
    pub mirror: Option<Box<Spanned<Destination>>>,
    /// Share that is copied (deprecated)
    #[serde(alias = "mirror_percent")]
    pub mirror_percent: Option<i64>,
    /// Share that is copied
    pub mirror_percentage: Option<Percent>,
    /// Several destinations of copies
    pub mirrors: Option<Box<Spanned<Vec<Spanned<Mirror>>>>>,
    /// Answers preflights
    pub cors_policy: Option<Box<Spanned<CorsPolicy>>>,
    /// Headers set, added and removed
    pub headers: Option<Box<Spanned<Headers>>>,
}

/// Conditions on strings by name.
pub type StringMatches = Option<Box<BTreeMap<Spanned<CompactString>, Option<Spanned<StringMatch>>>>>;

/// An entry of `match`: all fields that are set hold together.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HttpMatch {
    /// Name, without effect
    pub name: Option<CompactString>,
    /// Path
    pub uri: Option<Box<Spanned<StringMatch>>>,
    /// `:scheme`
    pub scheme: Option<Box<Spanned<StringMatch>>>,
    /// `:method`
    pub method: Option<Box<Spanned<StringMatch>>>,
    /// `:authority`, port and case included
    pub authority: Option<Box<Spanned<StringMatch>>>,
    /// Headers by name
    pub headers: StringMatches,
    /// Port of the listener, static
    pub port: Option<Spanned<i64>>,
    /// Labels of the client's workload, static
    pub source_labels: Option<Labels>,
    /// Gateways, static
    pub gateways: Option<Vec<Spanned<CompactString>>>,
    /// Query parameters by name
    pub query_params: StringMatches,
    /// Exact and prefix paths without case
    pub ignore_uri_case: Option<bool>,
    /// Headers that must not match
    pub without_headers: StringMatches,
    /// Namespace of the client's workload, static
    pub source_namespace: Option<Box<Spanned<CompactString>>>,
    /// Labels statistics
    pub stat_prefix: Option<CompactString>,
}

/// `exact`, `prefix` or `regex`; none of them is presence, or any path.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct StringMatch {
    /// The whole value
    pub exact: Option<Spanned<CompactString>>,
    /// How the value begins
    pub prefix: Option<Spanned<CompactString>>,
    /// RE2, the whole value
    pub regex: Option<Spanned<CompactString>>,
}

impl HttpRoute {
    /// Where it sends requests, copies aside.
    pub fn destinations(&self) -> impl Iterator<Item = &Spanned<Destination>> {
        let weighted = self.route.iter().flat_map(|list| &list.value);
        weighted.filter_map(|weighted| weighted.value.destination.as_ref())
    }

    /// The hosts of its destinations, as written.
    pub fn destination_hosts(&self) -> impl Iterator<Item = &Spanned<CompactString>> {
        self.destinations().filter_map(|destination| destination.value.host.as_ref())
    }
}

impl StringMatch {
    /// What it asks for, in whichever form.
    pub fn text(&self) -> Option<&Spanned<CompactString>> {
        self.exact.as_ref().or(self.prefix.as_ref()).or(self.regex.as_ref())
    }
}

/// An entry of `route`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct WeightedDestination {
    /// Where to
    pub destination: Option<Spanned<Destination>>,
    /// Share among several
    pub weight: Option<i64>,
    /// Headers set, added and removed for this destination
    pub headers: Option<Spanned<Headers>>,
}

/// `destination`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Destination {
    /// Host of a service
    pub host: Option<Spanned<CompactString>>,
    /// Subset of a `DestinationRule`
    pub subset: Option<Spanned<CompactString>>,
    /// Port of the service
    pub port: Option<PortSelector>,
}

impl Destination {
    /// The port's number, where one is written.
    pub fn port_number(&self) -> Option<u16> {
        let number = self.port.as_ref()?.number.as_ref()?;
        u16::try_from(number.value).ok()
    }
}

/// `port: {number: …}`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PortSelector {
    /// Port number
    pub number: Option<Spanned<i64>>,
}

/// `redirect`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Redirect {
    /// New path
    pub uri: Option<CompactString>,
    /// New prefix of the path
    pub prefix_rewrite: Option<CompactString>,
    /// New authority
    pub authority: Option<CompactString>,
    /// New port
    pub port: Option<i64>,
    /// New port by rule
    pub derive_port: Option<CompactString>,
    /// New scheme
    pub scheme: Option<CompactString>,
    /// Status code
    pub redirect_code: Option<Spanned<i64>>,
}

/// `directResponse`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct DirectResponse {
    /// Status code
    pub status: Option<Spanned<i64>>,
    /// Body
    pub body: Option<IgnoredAny>,
}

/// `delegate`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Delegate {
    /// Name of the delegate
    pub name: Option<Spanned<CompactString>>,
    /// Its namespace; the root's if absent
    pub namespace: Option<CompactString>,
}

/// `rewrite`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Rewrite {
    /// Replaces what the match matched
    pub uri: Option<Spanned<CompactString>>,
    /// Replaces the authority
    pub authority: Option<Spanned<CompactString>>,
    /// Replaces by regular expression
    pub uri_regex_rewrite: Option<Spanned<RegexRewrite>>,
}

/// `uriRegexRewrite`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegexRewrite {
    /// RE2, anywhere in the path
    #[serde(rename = "match")]
    pub pattern: Option<CompactString>,
    /// Replacement
    pub rewrite: Option<CompactString>,
}

/// `retries`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Retries {
    /// How many
    pub attempts: Option<i64>,
    /// How long each may take
    pub per_try_timeout: Option<Spanned<CompactString>>,
    /// After what
    pub retry_on: Option<Spanned<CompactString>>,
    /// Whether elsewhere too
    pub retry_remote_localities: Option<bool>,
    /// Whether not to the same again
    pub retry_ignore_previous_hosts: Option<bool>,
    /// How long to wait
    pub backoff: Option<Spanned<CompactString>>,
}

/// `fault`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Fault {
    /// Without effect on who gets in
    pub delay: Option<FaultDelay>,
    /// Aborts
    pub abort: Option<FaultAbort>,
}

/// `fault.delay`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FaultDelay {
    /// Share
    pub percentage: Option<Percent>,
    /// Share (deprecated)
    pub percent: Option<i64>,
    /// How long
    pub fixed_delay: Option<Spanned<CompactString>>,
    /// Refused by validation
    pub exponential_delay: Option<Spanned<CompactString>>,
}

/// `fault.abort`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FaultAbort {
    /// Share; absent aborts nothing
    pub percentage: Option<Percent>,
    /// Status code
    pub http_status: Option<i64>,
    /// gRPC status
    pub grpc_status: Option<CompactString>,
    /// Refused by validation
    pub http2_error: Option<CompactString>,
}

/// `{value: …}` in percent
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Percent {
    /// 0 to 100
    pub value: Option<f64>,
}

/// An entry of `mirrors`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Mirror {
    /// Where copies go
    pub destination: Option<Spanned<Destination>>,
    /// Share; absent copies all
    pub percentage: Option<Percent>,
}

/// `corsPolicy`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CorsPolicy {
    /// Origins, older form
    pub allow_origin: Option<Vec<CompactString>>,
    /// Origins
    pub allow_origins: Option<Vec<StringMatch>>,
    /// Without effect on who gets in
    pub allow_methods: Option<IgnoredAny>,
    /// Without effect on who gets in
    pub allow_headers: Option<IgnoredAny>,
    /// Without effect on who gets in
    pub expose_headers: Option<IgnoredAny>,
    /// Without effect on who gets in
    pub max_age: Option<Spanned<CompactString>>,
    /// Without effect on who gets in
    pub allow_credentials: Option<bool>,
    /// What happens to a preflight of another origin
    pub unmatched_preflights: Option<CompactString>,
}

/// `headers`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Headers {
    /// Operations on the request
    pub request: Option<HeaderOperations>,
    /// Without effect on who gets in
    pub response: Option<IgnoredAny>,
}

/// `headers.request`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct HeaderOperations {
    /// Replaces
    pub set: Option<BTreeMap<CompactString, CompactString>>,
    /// Appends
    pub add: Option<BTreeMap<CompactString, CompactString>>,
    /// Removes
    pub remove: Option<Vec<CompactString>>,
}
