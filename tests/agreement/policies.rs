//! Authorization policies of generated worlds.

use proptest::prelude::*;

use crate::words::{list, object, one_of};

const PRINCIPALS: &[&str] = &[
    "*",
    "cluster.local/ns/foo/sa/a",
    "cluster.local/ns/foo/*",
    "cluster.local/ns/bar/sa/*",
    "*/sa/a",
    "td1/ns/foo/sa/a",
    "*1/ns/foo/sa/a",
    "spiffe://cluster.local/ns/foo/sa/a",
    "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account",
];
const NAMESPACES: &[&str] = &["foo", "bar", "f*", "*o", "b*r", "*"];
const ACCOUNTS: &[&str] = &["a", "bar/a", "b"];
const TRUST_DOMAINS: &[&str] = &["cluster.local", "td1", "td*", "*1", "*"];
const BLOCKS: &[&str] = &["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "203.0.113.0/24", "0.0.0.0/0"];
const REQUEST_PRINCIPALS: &[&str] = &["*", "iss/*", "iss/bob", "*/bob", "iss", "*/*", "iss/b*", "*s/bob", "is*"];
const HOSTS: &[&str] = &["shop.example.com", "*.example.com", "SHOP*", "*", "shop.example.com:*"];
const METHODS: &[&str] = &["GET", "POST", "P*", "*", "get", "*S"];
const PATHS: &[&str] =
    &["/api/*", "/api", "*", "*/info", "/api/{*}", "/{**}", "/a*b", "/internal", "//api", "/api/{*}/x", "/", "*api"];
const PORTS: &[&str] = &["8080", "80", "9000"];
const WHOLE_PATHS: &[&str] = &["/api", "/api?k=v", "/api*", "*=v", "*i", "*", "/api?*", "*i?k=v"];
const PATTERNS: &[&str] = &["admin", "*", "a*", "*n", "dev", "x", "iss", "bob", "api"];

/// A field and its `not` twin, or neither.
fn field(name: &'static str, not: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    (prop::option::weighted(0.3, list(values)), prop::option::weighted(0.15, list(values))).prop_map(
        move |(positive, negative)| {
            let positive = positive.map(|values| format!("{name}: {values}"));
            positive.into_iter().chain(negative.map(|values| format!("{not}: {values}"))).collect()
        },
    )
}

/// A `source`, if it has a field. One that external authorizers take names no identity.
fn source(anonymous: bool) -> impl Strategy<Value = Option<String>> {
    (
        field("principals", "notPrincipals", PRINCIPALS),
        field("namespaces", "notNamespaces", NAMESPACES),
        field("ipBlocks", "notIpBlocks", BLOCKS),
        field("remoteIpBlocks", "notRemoteIpBlocks", BLOCKS),
        field("requestPrincipals", "notRequestPrincipals", REQUEST_PRINCIPALS),
        field("trustDomains", "notTrustDomains", TRUST_DOMAINS),
        field("serviceAccounts", "notServiceAccounts", ACCOUNTS),
        any::<bool>(),
    )
        .prop_map(move |(principals, namespaces, addresses, remote, tokens, domains, accounts, by_account)| {
            let mut fields: Vec<String> = [addresses, remote].concat();
            if !anonymous {
                fields.extend([tokens, domains].concat());
                fields.extend(if by_account { accounts } else { [principals, namespaces].concat() });
            }
            (!fields.is_empty()).then(|| format!("{{source: {{{}}}}}", fields.join(", ")))
        })
}

/// An `operation`, if it has a field.
fn operation() -> impl Strategy<Value = Option<String>> {
    (
        field("hosts", "notHosts", HOSTS),
        field("methods", "notMethods", METHODS),
        field("paths", "notPaths", PATHS),
        field("ports", "notPorts", PORTS),
    )
        .prop_map(|(hosts, methods, paths, ports)| {
            let fields: Vec<String> = [hosts, methods, paths, ports].concat();
            (!fields.is_empty()).then(|| format!("{{operation: {{{}}}}}", fields.join(", ")))
        })
}

/// Keys that any policy may ask for, with what they are asked for.
const KEYS: &[(&str, &[&str])] = &[
    ("request.headers[x-role]", PATTERNS),
    ("request.headers[X-User]", PATTERNS),
    ("request.headers[:path]", WHOLE_PATHS),
    ("request.headers[:method]", METHODS),
    ("request.headers[:authority]", HOSTS),
    ("request.headers[Host]", HOSTS),
    ("request.headers[x-forwarded-for]", PATTERNS),
    ("request.headers[authorization]", PATTERNS),
    ("request.headers.x[y]", PATTERNS),
    ("source.ip", BLOCKS),
    ("remote.ip", BLOCKS),
    ("destination.port", PORTS),
    ("destination.ip", BLOCKS),
    ("connection.sni", &["*.example.com", "*", "shop.example.com", "SHOP.example.com"]),
    ("experimental.envoy.filters.http.x[k]", PATTERNS),
];

/// Keys that external authorizers are not asked about.
const IDENTITY_KEYS: &[(&str, &[&str])] = &[
    ("source.namespace", NAMESPACES),
    ("source.principal", PRINCIPALS),
    ("source.serviceAccount", ACCOUNTS),
    ("source.trustDomain", TRUST_DOMAINS),
    ("request.auth.principal", REQUEST_PRINCIPALS),
    ("request.auth.audiences", PATTERNS),
    ("request.auth.presenter", PATTERNS),
    ("request.auth.claims[group]", PATTERNS),
    ("request.auth.claims[scope]", PATTERNS),
    ("request.auth.claims[a][b]", PATTERNS),
    ("request.auth.claims[iss]", PATTERNS),
    ("request.auth.claims[sub]", PATTERNS),
    ("request.auth.claims.x[y]", PATTERNS),
];

/// A condition.
fn condition(anonymous: bool) -> impl Strategy<Value = String> {
    let keys: Vec<_> = if anonymous { KEYS.to_vec() } else { [KEYS, IDENTITY_KEYS, IDENTITY_KEYS].concat() };
    prop::sample::select(keys).prop_flat_map(|(key, values)| {
        field("values", "notValues", values).prop_flat_map(move |fields| {
            let fallback = list(values).prop_map(|values| vec![format!("values: {values}")]);
            let given = Just(fields.clone());
            let fields = if fields.is_empty() { fallback.boxed() } else { given.boxed() };
            fields.prop_map(move |fields| format!("{{key: {key:?}, {}}}", fields.join(", ")))
        })
    })
}

/// A policy rule.
fn policy_rule(anonymous: bool) -> impl Strategy<Value = String> {
    (
        prop::collection::vec(source(anonymous), 0..3),
        prop::collection::vec(operation(), 0..3),
        prop::collection::vec(condition(anonymous), 0..3),
    )
        .prop_map(|(from, to, when)| {
            let part = |name: &str, entries: Vec<String>| {
                (!entries.is_empty()).then(|| format!("{name}: [{}]", entries.join(", ")))
            };
            let parts = [
                part("from", from.into_iter().flatten().collect()),
                part("to", to.into_iter().flatten().collect()),
                part("when", when),
            ];
            format!("{{{}}}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        })
}

/// A policy.
pub(crate) fn policy(index: usize) -> impl Strategy<Value = String> {
    let action = one_of(&["ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "AUDIT", "CUSTOM"]);
    let place = prop::sample::select(
        &[
            ("foo", "selector: {matchLabels: {app: web}}, "),
            ("foo", ""),
            ("istio-system", ""),
            ("istio-system", "selector: {matchLabels: {istio: ingressgateway}}, "),
            ("foo", "targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}], "),
        ][..],
    );
    let dry_run = prop::option::weighted(0.1, any::<bool>());
    (action, place, dry_run, one_of(&["ok", "ok", "http", "none"])).prop_flat_map(
        move |(action, (namespace, selector), dry_run, provider)| {
            prop::collection::vec(policy_rule(action == "CUSTOM"), 1..3).prop_map(move |rules| {
                let provider =
                    if action == "CUSTOM" { format!("provider: {{name: {provider}}}, ") } else { String::new() };
                let tried = dry_run.filter(|_| action == "ALLOW" || action == "DENY");
                let annotation =
                    tried.map_or(String::new(), |tried| format!(", annotations: {{istio.io/dry-run: \"{tried}\"}}"));
                let rules = rules.join(", ");
                let spec = format!("spec: {{{selector}{provider}action: {action}, rules: [{rules}]}}");
                object(
                    "AuthorizationPolicy",
                    "security.istio.io/v1",
                    namespace,
                    &format!("p{index}"),
                    &annotation,
                    &spec,
                )
            })
        },
    )
}
