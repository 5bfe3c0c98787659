//! Pairs of small worlds of which `diff` tells all that changes, and nothing else.

use std::collections::BTreeSet;

use meshlint::query::{ChangeKind, diff};
use meshlint::semantics::Request;

use crate::admitted;

/// A workload that listens, its Service, a gateway and a route to it.
const BASE: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: foo, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: foo}
spec: {template: {metadata: {labels: {app: web}}, spec: {serviceAccountName: a, containers: [{name: c}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: client, namespace: foo}
spec: {template: {metadata: {labels: {app: client}}, spec: {serviceAccountName: b, containers: [{name: c}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: foo}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: foo}
spec: {selector: {istio: ingressgateway}, servers: [{hosts: [\"*\"], port: {number: 80, name: http, protocol: HTTP}}]}
";

/// A route of the gateway, and of clients, to the workload.
const ROUTE: &str = "{route: [{destination: {host: web}}]}";

/// An object of a kind of the security API.
fn security(kind: &str, place: &str, name: &str, spec: &str) -> String {
    let meta = format!("metadata: {{name: {name}, namespace: {place}}}");
    format!("---\napiVersion: security.istio.io/v1\nkind: {kind}\n{meta}\nspec: {{{spec}}}\n")
}

/// A policy that admits by its rules.
fn allow(rules: &str) -> String {
    security("AuthorizationPolicy", "foo", "p", &format!("rules: [{rules}]"))
}

/// Which tokens the workload verifies.
fn tokens(rules: &str) -> String {
    security("RequestAuthentication", "foo", "jwt", &format!("jwtRules: [{rules}]"))
}

/// Which tokens the gateway verifies.
fn gateway_tokens(rules: &str) -> String {
    let selector = "selector: {matchLabels: {istio: ingressgateway}}";
    security("RequestAuthentication", "istio-system", "jwt", &format!("{selector}, jwtRules: [{rules}]"))
}

/// The virtual service of the gateway and of clients.
fn routes(http: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: vs, namespace: foo}}\n\
         spec: {{hosts: [shop.example.com], gateways: [gw, mesh], http: [{http}]}}\n"
    )
}

/// A gateway's server that passes on what comes, and a route to the workload.
fn raw(protocol: &str, tls: &str, route: &str) -> String {
    let server = format!("{{hosts: [\"*\"], port: {{number: 9443, name: raw, protocol: {protocol}}}{tls}}}");
    let meta = "metadata: {name: raw, namespace: foo}";
    let version = "apiVersion: networking.istio.io/v1";
    format!(
        "---\n{version}\nkind: Gateway\n{meta}\nspec: {{selector: {{istio: ingressgateway}}, servers: [{server}]}}\n\
         ---\n{version}\nkind: VirtualService\n{meta}\nspec: {{hosts: [shop.example.com], gateways: [raw], {route}}}\n"
    )
}

/// What is told of the change from one world to another.
struct Told {
    /// Kind, what the witness asks for, and where it changes
    changes: Vec<(ChangeKind, Request, Vec<String>)>,
    /// Where something cannot be told, and why
    unsettled: Vec<(String, String)>,
}

impl Told {
    /// What is told of two worlds, each with more than what stands in both.
    fn of(old: &str, new: &str) -> Self {
        let [old, new] = [old, new].map(|text| admitted(&format!("{BASE}{text}")).0);
        let diff = diff(&old, &new);
        let unsettled = diff.unsettled.into_iter().map(|unsettled| (unsettled.entrypoint, unsettled.message));
        Self {
            changes: diff.groups.into_iter().map(|group| (group.kind, group.witness, group.entrypoints)).collect(),
            unsettled: unsettled.collect(),
        }
    }

    /// The kinds of changes and where, where nothing is in doubt.
    fn certain(&self) -> Vec<(ChangeKind, Vec<&str>)> {
        assert_eq!(self.unsettled, []);
        self.changes.iter().map(|(kind, _, at)| (*kind, at.iter().map(String::as_str).collect())).collect()
    }
}

/// Everywhere where requests can come in.
const EVERYWHERE: [&str; 3] = ["gateway foo/gw:80", "service foo/web:80", "workload foo/web:8080"];

#[test]
fn a_route_that_only_one_side_has_leaves_no_doubt_at_doors_that_change() {
    let more = format!(
        "{{match: [{{uri: {{exact: /x}}}}], rewrite: {{uri: /y}}, route: [{{destination: {{host: web}}}}]}}, {ROUTE}"
    );
    let told =
        Told::of(&(routes(ROUTE) + &allow("{}")), &(routes(&more) + &allow("{to: [{operation: {paths: [/y]}}]}")));
    assert_eq!(told.certain(), [(ChangeKind::Denied, EVERYWHERE.to_vec())]);
}

#[test]
fn plaintext_asks_for_no_server_name() {
    let sni = allow("{when: [{key: connection.sni, values: [shop.example.com]}]}");
    let mode = |mode: &str| security("PeerAuthentication", "foo", "default", &format!("mtls: {{mode: {mode}}}"));
    // Who shows no identity was refused at the handshake, and is now for asking for no name.
    let told = Told::of(&(sni.clone() + &mode("STRICT")), &(sni + &mode("PERMISSIVE")));
    assert_eq!(told.certain(), []);
}

#[test]
fn server_names_are_lower_case_whatever_a_policy_writes() {
    let sni = |name: &str| allow(&format!("{{when: [{{key: connection.sni, values: [{name}]}}]}}"));
    let told = Told::of(&sni("other.example.com"), &sni("SHOP.example.com"));
    let witness = told.changes.iter().find(|(kind, ..)| *kind == ChangeKind::Allowed);
    assert!(witness.is_none() && told.unsettled.is_empty(), "{:?} {:?}", told.changes, told.unsettled);
}

#[test]
fn a_token_for_another_audience_is_one_that_does_not_verify() {
    let asks = routes(ROUTE) + &allow("{from: [{source: {requestPrincipals: [\"iss/*\"]}}]}");
    let of = |audience: &str| asks.clone() + &tokens(&format!("{{issuer: iss, audiences: [{audience}]}}"));
    let told = Told::of(&of("api"), &of("web"));
    assert_eq!(told.unsettled, []);
    let audiences = |wanted: ChangeKind| -> Vec<&str> {
        let of_kind = told.changes.iter().filter(|(kind, ..)| *kind == wanted);
        of_kind
            .map(|(_, witness, _)| witness.claims.as_ref().and_then(|all| all["aud"].as_str()).expect("one"))
            .collect()
    };
    assert!(audiences(ChangeKind::Denied).iter().all(|audience| *audience == "api"));
    assert!(audiences(ChangeKind::Allowed).iter().all(|audience| *audience == "web"));
    let at = |wanted: ChangeKind| -> BTreeSet<&str> {
        let of_kind = told.changes.iter().filter(|(kind, ..)| *kind == wanted);
        of_kind.flat_map(|(_, _, at)| at.iter().map(String::as_str)).collect()
    };
    assert_eq!((at(ChangeKind::Denied), at(ChangeKind::Allowed)), (EVERYWHERE.into(), EVERYWHERE.into()));
}

#[test]
fn claims_are_asked_for_in_vain_once_nobody_verifies_tokens() {
    let asks = routes(ROUTE) + &allow("{when: [{key: \"request.auth.claims[group]\", values: [dev]}]}");
    let told = Told::of(&(asks.clone() + &tokens("{issuer: iss}")), &asks);
    assert_eq!(told.certain(), [(ChangeKind::Denied, EVERYWHERE.to_vec())]);
}

#[test]
fn a_token_that_is_looked_for_elsewhere_is_in_doubt() {
    let asks = routes(ROUTE) + &allow("{from: [{source: {requestPrincipals: [\"iss/*\"]}}]}");
    let header = "{issuer: iss, fromHeaders: [{name: x-token}]}";
    let told = Told::of(&(asks.clone() + &tokens("{issuer: iss}")), &(asks + &tokens(header)));
    let places: Vec<&str> = told.unsettled.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, EVERYWHERE);
    assert!(told.unsettled[0].1.starts_with("tokens are looked for in different places"), "{:?}", told.unsettled);
}

#[test]
fn a_token_that_the_gateway_keeps_is_none_to_the_workload() {
    let both = routes(ROUTE) + &allow("{from: [{source: {requestPrincipals: [\"*\"]}}]}") + &tokens("{issuer: iss}");
    let passed_on = gateway_tokens("{issuer: iss, forwardOriginalToken: true}");
    let told = Told::of(&(both.clone() + &gateway_tokens("{issuer: iss}")), &(both + &passed_on));
    assert_eq!(told.certain(), [(ChangeKind::Allowed, vec!["gateway foo/gw:80"])]);
}

#[test]
fn the_address_of_the_proxy_in_front_makes_an_answer_undetermined() {
    let blocks = allow("{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}");
    let told = Told::of(&(routes(ROUTE) + &allow("{}")), &(routes(ROUTE) + &blocks));
    let fronts = vec!["gateway foo/gw:80", "service foo/web:80"];
    let straight = vec!["workload foo/web:8080"];
    assert_eq!(told.certain(), [(ChangeKind::Undetermined, fronts), (ChangeKind::Denied, straight)]);
}

#[test]
fn a_path_that_is_replaced_as_a_whole_is_known_behind_the_route() {
    let to = |path: &str| {
        let route = format!(
            "{{match: [{{uri: {{exact: /x}}}}], rewrite: {{uri: {path}}}, route: [{{destination: {{host: web}}}}]}}"
        );
        routes(&route) + &allow("{to: [{operation: {paths: [/api]}}]}")
    };
    let told = Told::of(&to("/y"), &to("/api"));
    assert_eq!(told.certain(), [(ChangeKind::Allowed, vec!["gateway foo/gw:80", "service foo/web:80"])]);
    assert_eq!(told.changes[0].1.path, "/x");
}

#[test]
fn paths_that_only_the_workload_asks_for_are_normalised_otherwise_behind_a_gateway_too() {
    let of = |mode: &str| {
        let config = format!("data: {{mesh: \"{{pathNormalization: {{normalization: {mode}}}}}\"}}");
        let settings = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}";
        format!("{}{}{settings}\n{config}\n", routes(ROUTE), allow("{to: [{operation: {paths: [/api]}}]}"))
    };
    let told = Told::of(&of("BASE"), &of("MERGE_SLASHES"));
    let places: Vec<&str> = told.unsettled.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, EVERYWHERE);
    assert!(told.unsettled.iter().all(|(_, why)| why.contains("normalise paths differently")));
}

#[test]
fn clients_feel_what_their_own_sidecars_do() {
    let policy = allow("{from: [{source: {principals: [cluster.local/ns/foo/sa/b]}}]}");
    let fault = "{fault: {abort: {httpStatus: 500, percentage: {value: 100}}}, route: [{destination: {host: web}}]}";
    let aborted = routes(fault).replace("[shop.example.com], gateways: [gw, mesh]", "[web]");
    let told = Told::of(&policy, &(policy.clone() + &aborted));
    assert_eq!(told.certain(), [(ChangeKind::Denied, vec!["service foo/web:80"])]);
    let witness = &told.changes[0].1;
    assert_eq!(witness.source.as_deref(), Some("cluster.local/ns/foo/sa/b"));
    assert_eq!(witness.source_workload.as_deref(), Some("foo/client"));
}

#[test]
fn bytes_that_a_gateway_passes_on_are_judged_where_they_are_read() {
    let plain = raw("TCP", "", "tcp: [{route: [{destination: {host: web}}]}]");
    let api = allow("{to: [{operation: {paths: [/api]}}]}");
    let told = Told::of(&(plain.clone() + &api), &(plain + &allow("{}")));
    let at = vec!["gateway foo/raw:9443", "service foo/web:80", "workload foo/web:8080"];
    assert_eq!(told.certain(), [(ChangeKind::Allowed, at)]);
}

#[test]
fn tls_that_a_gateway_does_not_open_reaches_a_port_of_bytes() {
    let route = "tls: [{match: [{sniHosts: [shop.example.com]}], route: [{destination: {host: db}}]}]";
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: foo}\n\
                   spec: {selector: {app: web}, ports: [{name: tcp, port: 5432}]}\n";
    let passed = raw("TLS", ", tls: {mode: PASSTHROUGH}", route) + service;
    let told =
        Told::of(&(passed.clone() + &allow("{from: [{source: {namespaces: [foo]}}]}")), &(passed + &allow("{}")));
    let all: BTreeSet<&str> = told.changes.iter().flat_map(|(_, _, at)| at.iter().map(String::as_str)).collect();
    assert!(all.contains("gateway foo/raw:9443"), "{all:?}");
    assert_eq!(told.unsettled, []);
}

#[test]
fn a_port_of_which_two_modes_may_be_in_force_is_not_one_that_opens_no_tls() {
    let rival =
        |name: &str, mode: &str| security("PeerAuthentication", "foo", name, &format!("mtls: {{mode: {mode}}}"));
    let disabled = rival("another", "DISABLE");
    // Either acts, and nobody says which: who shows an identity may be refused.
    let told = Told::of(&disabled, &(disabled.clone() + &rival("default", "PERMISSIVE")));
    let straight = told.certain().into_iter().filter(|(_, at)| at.contains(&"workload foo/web:8080"));
    assert_eq!(straight.map(|(kind, _)| kind).collect::<Vec<_>>(), [ChangeKind::Undetermined]);
}

#[test]
fn bytes_that_a_port_refuses_may_be_asked_about_by_their_path_before() {
    let custom = |path: &str| {
        let rules = format!("rules: [{{to: [{{operation: {{paths: [{path}]}}}}]}}]");
        security("AuthorizationPolicy", "foo", "c", &format!("action: CUSTOM, provider: {{name: ok}}, {rules}"))
    };
    let told = Told::of(&custom("/a"), &custom("/b"));
    let kinds: BTreeSet<ChangeKind> = told.certain().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [ChangeKind::Undetermined, ChangeKind::Settled].into());
}
