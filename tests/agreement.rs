//! The two readings of the semantics agree: on generated worlds and requests, `eval` never finds them apart.

use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query::{EvalError, Evaluator};
use meshlint::semantics::{Request, World, WorldOptions};
use meshlint::text::Files;
use proptest::prelude::*;

/// One of a few texts.
fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

/// A list of a few texts, as YAML.
fn list(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(one_of(texts), 1..3)
        .prop_map(|texts| format!("[{}]", texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ")))
}

const PRINCIPALS: &[&str] = &[
    "*",
    "cluster.local/ns/foo/sa/a",
    "cluster.local/ns/foo/*",
    "cluster.local/ns/bar/sa/*",
    "*/sa/a",
    "td1/ns/foo/sa/a",
    "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account",
];
const NAMESPACES: &[&str] = &["foo", "bar", "f*", "*o", "b*r", "*"];
const ACCOUNTS: &[&str] = &["a", "bar/a", "b"];
const BLOCKS: &[&str] = &["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "203.0.113.0/24"];
const REQUEST_PRINCIPALS: &[&str] = &["*", "iss/*", "iss/bob", "*/bob", "iss", "*/*", "iss/b*"];
const HOSTS: &[&str] = &["shop.example.com", "*.example.com", "SHOP*", "*", "shop.example.com:*"];
const METHODS: &[&str] = &["GET", "POST", "P*", "*", "get"];
const PATHS: &[&str] =
    &["/api/*", "/api", "*", "*/info", "/api/{*}", "/{**}", "/a*b", "/internal", "//api", "/api/{*}/x", "/"];
const PORTS: &[&str] = &["8080", "80", "9000"];

/// A field and its `not` twin, or neither.
fn field(name: &'static str, not: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    (prop::option::weighted(0.3, list(values)), prop::option::weighted(0.15, list(values))).prop_map(
        move |(positive, negative)| {
            let positive = positive.map(|values| format!("{name}: {values}"));
            positive.into_iter().chain(negative.map(|values| format!("{not}: {values}"))).collect()
        },
    )
}

/// A `source`, if it has a field.
fn source() -> impl Strategy<Value = Option<String>> {
    (
        field("principals", "notPrincipals", PRINCIPALS),
        field("namespaces", "notNamespaces", NAMESPACES),
        field("ipBlocks", "notIpBlocks", BLOCKS),
        field("remoteIpBlocks", "notRemoteIpBlocks", BLOCKS),
        field("requestPrincipals", "notRequestPrincipals", REQUEST_PRINCIPALS),
        prop::option::weighted(0.15, list(ACCOUNTS)),
    )
        .prop_map(|(principals, namespaces, addresses, remote, tokens, accounts)| {
            let mut fields: Vec<String> = [addresses, remote, tokens].concat();
            match accounts {
                Some(accounts) => fields.push(format!("serviceAccounts: {accounts}")),
                None => fields.extend([principals, namespaces].concat()),
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

/// A condition.
fn condition() -> impl Strategy<Value = String> {
    let keyed = prop_oneof![
        (Just("request.headers[x-role]"), list(&["admin", "*", "a*", "*n"])),
        (Just("request.auth.claims[group]"), list(&["dev", "*", "d*"])),
        (Just("request.auth.claims[a][b]"), list(&["x", "*"])),
        (Just("source.namespace"), list(NAMESPACES)),
        (Just("source.principal"), list(PRINCIPALS)),
        (Just("destination.port"), list(PORTS)),
        (Just("destination.ip"), list(BLOCKS)),
        (Just("connection.sni"), list(&["*.example.com", "*"])),
        (Just("request.auth.audiences"), list(&["api", "*"])),
    ];
    (keyed, any::<bool>()).prop_map(|((key, values), positive)| {
        let field = if positive { "values" } else { "notValues" };
        format!("{{key: \"{key}\", {field}: {values}}}")
    })
}

/// A policy rule.
fn policy_rule() -> impl Strategy<Value = String> {
    (
        prop::collection::vec(source(), 0..3),
        prop::collection::vec(operation(), 0..3),
        prop::collection::vec(condition(), 0..2),
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
fn policy(index: usize) -> impl Strategy<Value = String> {
    let action = prop::sample::select(&["ALLOW", "ALLOW", "DENY", "AUDIT"][..]);
    let namespace = prop::sample::select(&["foo", "foo", "istio-system"][..]);
    (action, namespace, prop::collection::vec(policy_rule(), 1..3), any::<bool>()).prop_map(
        move |(action, namespace, rules, selected)| {
            let selector = if selected { "selector: {matchLabels: {app: web}}, " } else { "" };
            format!(
                "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
                 metadata: {{name: p{index}, namespace: {namespace}}}\n\
                 spec: {{{selector}action: {action}, rules: [{}]}}\n",
                rules.join(", ")
            )
        },
    )
}

/// A match of a route.
fn route_match() -> impl Strategy<Value = String> {
    let uri = prop_oneof![
        one_of(&["/api", "/api/", "/", "/internal/"]).prop_map(|path| format!("uri: {{prefix: {path}}}")),
        one_of(&["/api", "/api/x"]).prop_map(|path| format!("uri: {{exact: {path}}}")),
        one_of(&["/api/[a-z]+", "/.*", ".*"]).prop_map(|path| format!("uri: {{regex: \"{path}\"}}")),
    ];
    let extra = prop_oneof![
        3 => Just(String::new()),
        1 => Just(", ignoreUriCase: true".to_owned()),
        1 => Just(", method: {exact: GET}".to_owned()),
        1 => Just(", headers: {x-role: {prefix: adm}}".to_owned()),
        1 => Just(", withoutHeaders: {x-role: {exact: admin}}".to_owned()),
        1 => Just(", queryParams: {k: {exact: v}}".to_owned()),
        1 => Just(", authority: {exact: shop.example.com}".to_owned()),
    ];
    (uri, extra).prop_map(|(uri, extra)| format!("{{{uri}{extra}}}"))
}

/// An HTTP route.
fn route() -> impl Strategy<Value = String> {
    let action = prop_oneof![
        4 => Just("route: [{destination: {host: web, port: {number: 80}}}]"),
        1 => Just("rewrite: {uri: /}, route: [{destination: {host: web}}]"),
        1 => Just("rewrite: {uri: /internal, authority: other.example}, route: [{destination: {host: web}}]"),
        1 => Just("headers: {request: {set: {x-role: admin}, remove: [x-user]}}, route: [{destination: {host: web}}]"),
        1 => Just("redirect: {uri: /elsewhere}"),
        1 => Just("directResponse: {status: 403}"),
        1 => Just("fault: {abort: {httpStatus: 500, percentage: {value: 100}}}, route: [{destination: {host: web}}]"),
    ];
    (prop::collection::vec(route_match(), 0..3), action).prop_map(|(matches, action)| {
        let matches = if matches.is_empty() { String::new() } else { format!("match: [{}], ", matches.join(", ")) };
        format!("{{{matches}{action}}}")
    })
}

/// A world.
fn world() -> impl Strategy<Value = String> {
    let policies = (0..4_usize).prop_flat_map(|count| (0..count).map(policy).collect::<Vec<_>>());
    let mode = prop::sample::select(&["STRICT", "PERMISSIVE", "DISABLE"][..]);
    let port = prop::sample::select(&["http", "tcp-x", "web"][..]);
    let normalization = prop::sample::select(&["BASE", "NONE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"][..]);
    let routes = prop::collection::vec(route(), 1..4);
    (policies, mode, port, normalization, routes, any::<bool>()).prop_map(|(policies, mode, port, normalization, routes, jwt)| {
        let jwt = if jwt {
            "---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: jwt, namespace: foo}\n\
             spec: {jwtRules: [{issuer: iss, audiences: [api]}]}\n"
        } else {
            ""
        };
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: foo, labels: {{istio-injection: enabled}}}}\n\
             ---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: foo}}\n\
             spec: {{template: {{metadata: {{labels: {{app: web}}}}, spec: {{serviceAccountName: a, containers: [{{name: c}}]}}}}}}\n\
             ---\napiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: foo}}\n\
             spec: {{selector: {{app: web}}, ports: [{{name: {port}, port: 80, targetPort: 8080}}]}}\n\
             ---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: default, namespace: foo}}\n\
             spec: {{mtls: {{mode: {mode}}}}}\n\
             ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\n\
             data: {{mesh: \"pathNormalization: {{normalization: {normalization}}}\"}}\n\
             ---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: gw, namespace: foo}}\n\
             spec: {{selector: {{istio: ingressgateway}}, servers: [{{hosts: [\"*\"], port: {{number: 80, name: http, protocol: HTTP}}}}]}}\n\
             ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: vs, namespace: foo}}\n\
             spec: {{hosts: [shop.example.com, \"*.test\"], gateways: [gw, mesh], http: [{}]}}\n{jwt}{}",
            routes.join(", "),
            policies.concat()
        )
    })
}

/// Requests around the borders of those worlds.
fn request() -> impl Strategy<Value = Request> {
    let entrypoint =
        one_of(&["workload foo/web:8080", "gateway foo/gw:80", "service foo/web:80", "workload foo/web:9999"]);
    let source = prop::option::of(one_of(&[
        "cluster.local/ns/foo/sa/a",
        "cluster.local/ns/bar/sa/a",
        "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account",
        "td1/ns/foo/sa/a",
    ]));
    let method = one_of(&["GET", "POST", "PUT", "get", "CONNECT"]);
    let authority =
        prop::option::of(one_of(&["shop.example.com", "shop.example.com:80", "SHOP.example.com", "a.test", "other"]));
    let path = one_of(&[
        "/",
        "/api",
        "/api/",
        "/api/x",
        "/API/x",
        "/apix",
        "//api",
        "/api?k=v",
        "/api/x/info",
        "/internal",
        "/internal/x",
        "/api/%2e%2e;/internal",
        "/api/../internal",
        "/a%2fb",
        "/api/a=b",
        "/api/x/x",
        "/%00",
        "/a*b",
        "/api%2Fx",
    ]);
    let headers = prop::collection::vec(
        (one_of(&["x-role", "X-Role", "x-user", "x-forwarded-for"]), one_of(&["admin", "user", "", "10.1.2.3"])),
        0..3,
    );
    let claims = prop::option::of(prop::sample::select(
        &[
            r#"{"iss":"iss","sub":"bob","aud":"api","group":["dev","ops"],"a":{"b":"x"}}"#,
            r#"{"iss":"iss","aud":["api"]}"#,
            r#"{"iss":"other","sub":"bob"}"#,
            r#"{"iss":"iss","sub":"bob","aud":"web"}"#,
        ][..],
    ));
    let address = prop::option::of(one_of(&["10.1.2.3", "203.0.113.9", "2001:db8::1"]));
    (entrypoint, source, method, authority, path, headers, claims, address, any::<bool>()).prop_map(
        |(entrypoint, source, method, authority, path, headers, claims, source_ip, tcp)| {
            let mut request = Request::at(entrypoint);
            request.source = source;
            request.method = method;
            request.authority = authority;
            request.path = path;
            request.headers = headers;
            request.claims = claims.map(|claims| serde_json::from_str(claims).expect("JSON"));
            request.source_ip = source_ip;
            if tcp {
                request.protocol = meshlint::semantics::WireProtocol::Tcp;
            }
            request
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Step by step, rule by rule and through the partition the answer is the same.
    #[test]
    fn both_readings_agree_on_every_world(text in world(), requests in prop::collection::vec(request(), 30)) {
        let mut files = Files::default();
        let file = files.add("world.yaml", text.clone());
        let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
        prop_assert!(loaded.problems.is_empty(), "{:?}\n{}", loaded.problems, text);
        let options = WorldOptions { assume_injected: true, ..WorldOptions::default() };
        let (world, _) = World::admit(loaded.mesh, options);
        let evaluator = Evaluator::new(&world);
        for request in requests {
            if let Err(EvalError::Disagreement(what)) = evaluator.answer(&request) {
                prop_assert!(false, "{}\n{}\n{}", what, serde_json::to_string(&request).expect("JSON"), text);
            }
        }
    }
}
