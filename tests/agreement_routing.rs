//! The two readings agree on everything that decides where a request goes: generated worlds of gateways, virtual
//! services, destinations and clients, and requests around their borders.

use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query::{EvalError, Evaluator};
use meshlint::semantics::{By, CauseKind, Decision, Request, WireProtocol, World, WorldOptions};
use meshlint::text::Files;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// One of a few texts.
fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

/// A text or nothing, the text once in `one_in` worlds.
fn sometimes(one_in: u32, text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop_oneof![one_in - 1 => Just(String::new()), 1 => text]
}

/// A match of an HTTP route.
fn http_match() -> impl Strategy<Value = String> {
    let uri = one_of(&[
        "uri: {prefix: /api}",
        "uri: {prefix: /api/}",
        "uri: {prefix: /}",
        "uri: {exact: /api}",
        "uri: {exact: /Api}, ignoreUriCase: true",
        "uri: {prefix: /INTERNAL}, ignoreUriCase: true",
        "uri: {regex: \"/api/[a-z]+\"}",
        "uri: {regex: \".*\"}",
        "uri: {regex: \"/.*x\"}",
        "uri: {prefix: \"\"}",
        "name: any",
    ]);
    let extra = prop_oneof![
        4 => Just(String::new()),
        6 => one_of(&[
            ", method: {exact: GET}",
            ", method: {regex: \"P.*\"}",
            ", scheme: {exact: https}",
            ", headers: {x-role: {prefix: adm}}",
            ", headers: {x-role: {}}",
            ", headers: {\":path\": {prefix: /api}}",
            ", headers: {\":path\": {exact: \"/api?k=v\"}}",
            ", headers: {\"@request.auth.claims.group\": {exact: dev}}",
            ", withoutHeaders: {x-role: {exact: admin}}",
            ", withoutHeaders: {x-role: {regex: \"a?\"}}",
            ", withoutHeaders: {\":path\": {prefix: /int}}",
            ", withoutHeaders: {\"@request.auth.claims[a][b]\": {exact: x}}",
            ", queryParams: {k: {exact: v}}",
            ", queryParams: {k: {}}",
            ", authority: {exact: shop.example.com}",
            ", gateways: [mesh]",
            ", gateways: [gw]",
            ", sourceLabels: {app: web}",
            ", sourceNamespace: foo",
            ", port: 80",
            ", port: 443",
        ]),
    ];
    (uri, extra).prop_map(|(uri, extra)| format!("{{{uri}{extra}}}"))
}

/// What a route does.
fn action() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("route: [{destination: {host: web, port: {number: 80}}}]".to_owned()),
        7 => one_of(&[
            "rewrite: {uri: /}, route: [{destination: {host: web}}]",
            "rewrite: {uri: /internal, authority: other.example}, route: [{destination: {host: web}}]",
            "rewrite: {uriRegexRewrite: {match: \"^/api/(.*)$\", rewrite: \"/\\\\1\"}}, route: [{destination: {host: web}}]",
            "headers: {request: {set: {x-role: admin, host: set.example}, add: {x-user: a}, remove: [x-old]}}, route: [{destination: {host: db}}]",
            "route: [{destination: {host: web}, weight: 1, headers: {request: {set: {x-role: one}}}}, {destination: {host: db}, weight: 1}, {destination: {host: gone}, weight: 0}]",
            "mirror: {host: db}, route: [{destination: {host: web}}]",
            "redirect: {uri: /elsewhere}",
            "directResponse: {status: 403}",
            "fault: {abort: {httpStatus: 500, percentage: {value: 100}}}, route: [{destination: {host: web}}]",
            "fault: {abort: {httpStatus: 500, percentage: {value: 10}}}, route: [{destination: {host: web}}]",
            "corsPolicy: {allowOrigins: [{exact: \"https://a\"}, {prefix: \"https://b\"}]}, route: [{destination: {host: web}}]",
            "corsPolicy: {allowOrigins: [{regex: \"https?://.*\"}]}, redirect: {uri: /elsewhere}",
            "route: [{destination: {host: web, subset: v1}}]",
            "route: [{destination: {host: web, subset: v2}}]",
            "route: [{destination: {host: entry.example}}]",
            "route: [{destination: {host: alias}}]",
            "route: [{destination: {host: gone.far.svc.cluster.local}}]",
        ]),
    ]
}

/// An HTTP route.
fn http_route() -> impl Strategy<Value = String> {
    let plain = (prop::collection::vec(http_match(), 0..3), action()).prop_map(|(matches, action)| {
        let matches = if matches.is_empty() { String::new() } else { format!("match: [{}], ", matches.join(", ")) };
        format!("{{{matches}{action}}}")
    });
    let delegating = http_match().prop_map(|one| format!("{{match: [{one}], delegate: {{name: leaf}}}}"));
    prop_oneof![5 => plain, 1 => delegating]
}

/// A virtual service of a name.
fn virtual_service(name: &'static str) -> impl Strategy<Value = String> {
    let hosts = one_of(&[
        "[shop.example.com]",
        "[\"*.test\", web]",
        "[web]",
        "[\"*.example.com\"]",
        "[\"*.foo.svc.cluster.local\"]",
    ]);
    let gateways =
        one_of(&["gateways: [gw, mesh], ", "gateways: [gw], ", "", "gateways: [two], ", "gateways: [gw, two, mesh], "]);
    let bytes = prop_oneof![
        2 => Just(String::new()),
        3 => one_of(&[
            ", tcp: [{route: [{destination: {host: db, port: {number: 90}}}]}]",
            ", tcp: [{match: [{port: 80}], route: [{destination: {host: web}, weight: 1}, {destination: {host: db, port: {number: 90}}, weight: 2}]}]",
            ", tcp: [{match: [{gateways: [two]}], route: [{destination: {host: web}}]}]",
        ]),
    ];
    let export = one_of(&["", "", ", exportTo: [\".\"]", ", exportTo: [istio-system]"]);
    let created =
        one_of(&["", ", creationTimestamp: \"2025-01-01T00:00:00Z\"", ", creationTimestamp: \"2026-01-01T00:00:00Z\""]);
    (hosts, gateways, prop::collection::vec(http_route(), 1..4), bytes, export, created).prop_map(
        move |(hosts, gateways, http, bytes, export, created)| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {name}, namespace: foo{created}}}\n\
                 spec: {{{gateways}hosts: {hosts}, http: [{}]{bytes}{export}}}\n",
                http.join(", ")
            )
        },
    )
}

/// A delegate.
fn leaf() -> impl Strategy<Value = String> {
    (prop::collection::vec(http_match(), 0..2), action()).prop_map(|(matches, action)| {
        let matches = if matches.is_empty() { String::new() } else { format!("match: [{}], ", matches.join(", ")) };
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: leaf, namespace: foo}}\n\
             spec: {{http: [{{{matches}{action}}}]}}\n"
        )
    })
}

/// A Gateway of a name.
fn gateway(name: &'static str) -> impl Strategy<Value = String> {
    let server = one_of(&[
        "port: {number: 80, name: http, protocol: HTTP}",
        "port: {number: 80, name: http, protocol: HTTP}",
        "port: {number: 80, name: http, protocol: HTTP}, tls: {httpsRedirect: true}",
        "port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: c}",
        "port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: MUTUAL, credentialName: c}",
        "port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: OPTIONAL_MUTUAL, credentialName: c}",
        "port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: ISTIO_MUTUAL}",
        "port: {number: 443, name: tls, protocol: TLS}, tls: {mode: SIMPLE, credentialName: c}",
        "port: {number: 443, name: tls, protocol: TLS}, tls: {mode: PASSTHROUGH}",
        "port: {number: 80, name: tcp, protocol: TCP}",
        "port: {number: 443, name: auto, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH}",
    ]);
    let hosts = one_of(&[
        "[\"*\"]",
        "[shop.example.com]",
        "[\"*.example.com\", a.test]",
        "[\"*.test\"]",
        "[./shop.example.com]",
        "[bar/*.example.com]",
        "[\"*.local\"]",
    ]);
    let created =
        one_of(&["", ", creationTimestamp: \"2025-01-01T00:00:00Z\"", ", creationTimestamp: \"2026-01-01T00:00:00Z\""]);
    (server, hosts, created).prop_map(move |(server, hosts, created)| {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: {name}, namespace: foo{created}}}\n\
             spec: {{selector: {{istio: ingressgateway}}, servers: [{{hosts: {hosts}, {server}}}]}}\n"
        )
    })
}

/// Rules for destinations and clients.
fn surroundings() -> impl Strategy<Value = String> {
    let rule = one_of(&[
        "{host: web, subsets: [{name: v1, labels: {app: web}}, {name: v2, labels: {version: v2}}]}",
        "{host: web, trafficPolicy: {tls: {mode: DISABLE}}, subsets: [{name: v1, labels: {app: web}, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}]}",
        "{host: \"*.foo.svc.cluster.local\", trafficPolicy: {tls: {mode: SIMPLE}}}",
        "{host: web, exportTo: [\".\"], trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: MUTUAL, clientCertificate: a, privateKey: b}}]}}",
    ]);
    let rule = rule.prop_map(|spec| {
        format!("---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: rule, namespace: foo}}\nspec: {spec}\n")
    });
    let sidecar = one_of(&[
        "{egress: [{hosts: [\"./*\"]}]}",
        "{egress: [{hosts: [\"./db.foo.svc.cluster.local\"]}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}",
        "{workloadSelector: {labels: {app: db}}, egress: [{hosts: [\"~/*\"]}]}",
        "{egress: [{port: {number: 80, protocol: HTTP, name: http}, hosts: [\"*/*\"]}]}",
    ]);
    let sidecar = sidecar.prop_map(|spec| {
        format!("---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: scope, namespace: foo}}\nspec: {spec}\n")
    });
    let jwt = Just(
        "---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: jwt, namespace: istio-system}\n\
         spec: {selector: {matchLabels: {istio: ingressgateway}}, jwtRules: [{issuer: iss, forwardOriginalToken: true}]}\n"
            .to_owned(),
    );
    let policy = one_of(&[
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: deny, namespace: istio-system}\n\
         spec: {selector: {matchLabels: {istio: ingressgateway}}, action: DENY, rules: [{to: [{operation: {paths: [/internal*]}}]}]}\n",
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: peer, namespace: istio-system}\n\
         spec: {selector: {matchLabels: {istio: ingressgateway}}, rules: [{from: [{source: {namespaces: [bar]}}]}, {when: [{key: \"connection.sni\", values: [\"*.com\"]}]}]}\n",
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: role, namespace: foo}\n\
         spec: {rules: [{when: [{key: \"request.headers[x-role]\", values: [admin]}]}, {from: [{source: {principals: [\"*/sa/db\"]}}]}]}\n",
    ]);
    (sometimes(2, rule), sometimes(3, sidecar), sometimes(2, jwt), sometimes(2, policy))
        .prop_map(|(rule, sidecar, jwt, policy)| format!("{rule}{sidecar}{jwt}{policy}"))
}

/// The parts that every world has.
fn base(port: &str, mode: &str, mesh: &str) -> String {
    let workload = |name: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: foo}}\n\
             spec: {{template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{serviceAccountName: {name}}}}}}}\n"
        )
    };
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: foo, labels: {{istio-injection: enabled}}}}\n{}{}\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: foo}}\n\
         spec: {{selector: {{app: web}}, ports: [{{name: {port}, port: 80, targetPort: 8080}}]}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: db, namespace: foo}}\n\
         spec: {{selector: {{app: db}}, ports: [{{name: http, port: 80, targetPort: 8080}}, {{name: tcp-db, port: 90}}, {{name: https-db, port: 443}}]}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: alias, namespace: foo}}\n\
         spec: {{type: ExternalName, externalName: db.foo.svc.cluster.local, ports: [{{name: http, port: 80}}]}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: entry, namespace: foo}}\n\
         spec: {{hosts: [entry.example], location: MESH_INTERNAL, resolution: STATIC, workloadSelector: {{labels: {{app: db}}}}, ports: [{{number: 80, name: http, protocol: HTTP, targetPort: 8080}}]}}\n\
         ---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: default, namespace: foo}}\n\
         spec: {{mtls: {{mode: {mode}}}}}\n\
         ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata: {{mesh: \"{mesh}\"}}\n",
        workload("web"),
        workload("db"),
    )
}

/// A world.
fn world() -> impl Strategy<Value = String> {
    let port = one_of(&["http", "http", "tcp-x", "https", "web"]);
    let mode = one_of(&["STRICT", "PERMISSIVE", "DISABLE"]);
    let mesh = one_of(&["", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}", "enableAutoMtls: false"]);
    let bound = (gateway("gw"), sometimes(2, gateway("two")), virtual_service("a"), sometimes(2, virtual_service("b")));
    (port, mode, mesh, bound, sometimes(2, leaf()), surroundings()).prop_map(
        |(port, mode, mesh, bound, leaf, around)| {
            let (gateway, two, first, second) = bound;
            format!("{}{gateway}{two}{first}{second}{leaf}{around}", base(&port, &mode, &mesh))
        },
    )
}

/// Requests around the borders of those worlds.
fn request() -> impl Strategy<Value = Request> {
    let entrypoint = one_of(&[
        "gateway foo/gw:80",
        "gateway foo/gw:443",
        "gateway foo/gw:443",
        "gateway foo/two:80",
        "gateway foo/two:443",
        "service foo/web:80",
        "service foo/db:80",
        "service foo/db:90",
        "service foo/db:443",
        "service foo/alias:80",
    ]);
    let source = prop::option::of(one_of(&[
        "cluster.local/ns/foo/sa/web",
        "cluster.local/ns/foo/sa/db",
        "cluster.local/ns/bar/sa/a",
        "td1/ns/foo/sa/a",
    ]));
    let method = one_of(&["GET", "OPTIONS", "POST", "get"]);
    let authority = prop::option::of(one_of(&[
        "shop.example.com",
        "SHOP.example.com:80",
        "a.test",
        "b.test:x",
        "web",
        "web.foo",
        "db.foo.svc.cluster.local.",
        "alias.foo",
        "entry.example",
        "10.0.0.1",
        "other",
    ]));
    let sni = prop::option::weighted(
        0.3,
        one_of(&["shop.example.com", "a.test", "x.example.com", "outbound_.80_._.web.foo.svc.cluster.local", "none"]),
    );
    let path = one_of(&[
        "/",
        "/api",
        "/API/x",
        "/api/x",
        "/apix?k=v",
        "/api?k=v",
        "/internal",
        "/a/../internal",
        "//x",
        "/api/../x",
    ]);
    let header = (
        one_of(&["x-role", "X-Role", "x-user", "origin", "access-control-request-method"]),
        one_of(&["admin", "", "https://a", "https://bc", "GET"]),
    );
    let claims = prop::option::weighted(
        0.3,
        prop::sample::select(
            &[r#"{"iss":"iss","sub":"bob","group":["dev","ops"],"a":{"b":"x"}}"#, r#"{"iss":"other","group":"dev"}"#][..],
        ),
    );
    let headers = prop::collection::vec(header, 0..4);
    (entrypoint, source, method, authority, sni, path, headers, claims, prop::bool::weighted(0.15)).prop_map(
        |(entrypoint, source, method, authority, sni, path, headers, claims, bytes)| {
            let mut request = Request::at(entrypoint);
            request.source = source;
            request.method = method;
            request.authority = authority;
            request.sni = sni;
            request.path = path;
            request.headers = headers;
            request.claims = claims.map(|claims| serde_json::from_str(claims).expect("JSON"));
            if bytes {
                request.protocol = WireProtocol::Tcp;
            }
            request
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Step by step, rule by rule and through the partition a request takes the same way.
    #[test]
    fn both_readings_take_the_same_way_through_every_world(
        text in world(),
        requests in prop::collection::vec(request(), 30),
    ) {
        let mut files = Files::default();
        let file = files.add("world.yaml", text.clone());
        let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
        prop_assert!(loaded.problems.is_empty(), "{:?}\n{}", loaded.problems, text);
        let (world, _) = World::admit(loaded.mesh, WorldOptions { assume_injected: true, ..WorldOptions::default() });
        let evaluator = Evaluator::new(&world);
        for request in requests {
            if let Err(EvalError::Disagreement(what)) = evaluator.answer(&request) {
                prop_assert!(false, "{}\n{}\n{}", what, serde_json::to_string(&request).expect("JSON"), text);
            }
        }
    }
}

/// The generated questions are worth asking: they end in every way, and mostly with an answer.
#[test]
fn generated_worlds_end_in_every_way() {
    let mut runner = TestRunner::deterministic();
    let mut ends: BTreeMap<(Decision, Option<By>, Option<CauseKind>), usize> = BTreeMap::new();
    for _ in 0..400 {
        let text = world().new_tree(&mut runner).expect("a world").current();
        let mut files = Files::default();
        let file = files.add("world.yaml", text);
        let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
        let (world, _) = World::admit(loaded.mesh, WorldOptions { assume_injected: true, ..WorldOptions::default() });
        let evaluator = Evaluator::new(&world);
        for _ in 0..25 {
            let request = request().new_tree(&mut runner).expect("a request").current();
            let Ok(answer) = evaluator.answer(&request) else {
                continue;
            };
            let outcome = &answer.outcome;
            let kind = outcome.cause.as_ref().map(|cause| cause.kind);
            *ends.entry((outcome.decision, outcome.by, kind)).or_default() += 1;
        }
    }
    for by in [
        By::Reached,
        By::Policy,
        By::NoRoute,
        By::Redirect,
        By::DirectResponse,
        By::Fault,
        By::NoDestination,
        By::BadRequest,
        By::Closed,
        By::NoListener,
    ] {
        assert!(ends.keys().any(|(_, found, _)| *found == Some(by)), "{by:?} among {ends:#?}");
    }
    for kind in
        [CauseKind::CreationOrder, CauseKind::MissingResource, CauseKind::UnknownCaller, CauseKind::UnmodelledKind]
    {
        assert!(ends.keys().any(|(_, _, found)| *found == Some(kind)), "{kind:?} among {ends:#?}");
    }
    let unknown: usize =
        ends.iter().filter(|((end, ..), _)| *end == Decision::Undetermined).map(|(_, many)| many).sum();
    let all: usize = ends.values().sum();
    assert!(unknown * 3 < all, "{unknown} of {all} undetermined: {ends:#?}");
}
