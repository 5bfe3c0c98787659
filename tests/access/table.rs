//! What rows mean, one fact at a time.

use std::collections::BTreeSet;

use meshlint::rule::{Finding, Severity};

use super::{CART, JWT, check_text, errors, policy, rows};

/// What `check` says about the table of a text: rule, severity, and the text of the table that it stands at or names.
fn said(text: &str, table: &str) -> Vec<(String, String, String)> {
    let run = check_text(text, table);
    let access = run.report.findings.iter().filter(|finding| finding.rule.starts_with("access-"));
    let told = |finding: &Finding| {
        let spans = finding.related.iter().map(|place| place.span).chain([finding.label.span]);
        let mut places = spans.filter(|span| run.files.name(span.file) == "meshlint.yaml");
        let place = places.next().map_or("", |span| run.files.slice(span));
        (finding.rule.to_string(), finding.message.clone(), place.to_owned())
    };
    access.map(told).collect()
}

/// A table of rows for `cart`.
fn table(rows: &[&str]) -> String {
    let row = |row: &&str| format!("- {{workloads: {{namespace: shop, labels: {{app: cart}}}}, {row}}}\n");
    format!("access:\n{}", rows.iter().map(row).collect::<String>())
}

const BEYOND: &str = "access-beyond-table";
const IDLE: &str = "access-not-granted";

#[test]
fn a_row_speaks_of_the_requests_ports_and_tokens_that_it_names() {
    let get = "rules: [{from: [{source: {namespaces: [web]}}], to: [{operation: {methods: [GET], paths: [/x]}}]}]";
    let all = "rules: [{from: [{source: {namespaces: [web]}}]}]";
    let token = "rules: [{from: [{source: {requestPrincipals: [\"*\"]}}]}]";
    let cases: Vec<(&str, &[&str], &[&str])> = vec![
        (get, &["paths: [/x], methods: [GET], allow: [{namespace: web}]"], &[]),
        (get, &["paths: [/x], allow: [{namespace: web}]"], &[]),
        (get, &["paths: [/x], methods: [POST], allow: [{namespace: web}]"], &[BEYOND, IDLE]),
        (get, &["paths: [/x], methods: [GET], allow: [{service-account: web/x}]"], &[BEYOND]),
        (get, &["paths: [/x], methods: [GET], allow: [mesh], jwt: required"], &[BEYOND]),
        // Connections are granted by rows without paths alone.
        (all, &["allow: [{namespace: web}]"], &[]),
        (all, &["paths: [\"/**\"], allow: [{namespace: web}]"], &[BEYOND]),
        (all, &["paths: [\"/**\"], allow: [{namespace: web}]", "ports: [5432], allow: [mesh]"], &[]),
        (all, &["ports: [8080], allow: [{namespace: web}]"], &[BEYOND]),
        (all, &["allow: []"], &[BEYOND]),
        (token, &["allow: [anyone], jwt: required"], &[]),
        (token, &["allow: [mesh], jwt: required"], &[BEYOND]),
        ("rules: []", &["allow: []"], &[]),
        ("rules: []", &["allow: [outside, {ingress: shop/none}]"], &[IDLE, IDLE]),
    ];
    for (rules, rows, wanted) in cases {
        let text = format!("{CART}{JWT}{}", policy("a", rules));
        let found = said(&text, &table(rows));
        let ids: Vec<&str> = found.iter().map(|(rule, _, _)| rule.as_str()).collect();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, wanted, "{rules} {rows:?}: {found:?}");
    }
}

/// A Gateway whose pod is in the input, routing `/public` to `cart`, and a policy that admits it to everything.
fn routed() -> String {
    let gateway = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: edge}\n\
                   spec: {selector: {app: edge}, servers: [{hosts: [\"*\"], port: {number: 80, name: http, protocol: HTTP}}]}\n---\n\
                   apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: edge, namespace: edge}\n\
                   spec: {template: {metadata: {labels: {app: edge}}, spec: {serviceAccountName: edge}}}\n---\n\
                   apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: cart, namespace: shop}\n\
                   spec: {hosts: [\"*\"], gateways: [edge/gw], http: [{match: [{uri: {exact: /public}}], route: [{destination: {host: cart, port: {number: 80}}}]}]}\n---\n";
    let admits = "rules: [{from: [{source: {principals: [cluster.local/ns/edge/sa/edge]}}], to: [{operation: {paths: [\"/*\"]}}]}]";
    format!("{gateway}{CART}{}", policy("a", admits))
}

#[test]
fn what_the_ingress_may_send_must_also_be_routed() {
    let rest = "paths: [\"/**\"], allow: [{service-account: edge/edge}]";
    for item in ["ingress", "{ingress: edge/gw}"] {
        let row = |path: &str| format!("paths: [\"{path}\"], allow: [{item}]");
        assert_eq!(said(&routed(), &table(&[&row("/public/**"), rest])), []);
        let idle = said(&routed(), &table(&[&row("/admin/**"), rest]));
        let [(rule, message, place)] = idle.as_slice() else { panic!("{idle:?}") };
        assert_eq!((rule.as_str(), place.as_str()), (IDLE, item));
        assert!(message.contains("no route of the ingress delivers it"), "{message}");
    }
    let outside = table(&["paths: [\"/**\"], allow: [outside]"]);
    assert_eq!(said(&routed(), &outside), [], "whoever is outside comes through the ingress");
}

#[test]
fn a_closed_default_is_about_workloads_without_rows() {
    let text = format!("{CART}{}", policy("a", "rules: [{to: [{operation: {paths: [/x], methods: [GET]}}]}]"));
    let mut closed = "access-default: closed\n".to_owned();
    let found = said(&text, &closed);
    let [(rule, _, place)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((rule.as_str(), place.as_str()), (BEYOND, "closed"));
    closed += &table(&["paths: [/x], allow: [anyone]"]);
    assert_eq!(said(&text, &closed), []);
    assert_eq!(said(&text, "access-default: rules"), []);
}

#[test]
fn what_a_missing_default_deny_stands_for_is_seen_in_it() {
    let run = check_text(CART, &table(&["paths: [/x], allow: [mesh]"]));
    assert_eq!(errors(&run.report), BTreeSet::from(["missing-default-deny"]));
    let finding = run.report.findings.first().expect("a finding");
    let folded = finding.related.iter().find(|place| place.rule.as_deref() == Some(BEYOND)).expect("it is there");
    assert_eq!(folded.severity, Some(Severity::Error));
    assert_eq!(rows(&run.files, finding), BTreeSet::from([2]));
    assert!(finding.cells > 4, "{} cells", finding.cells);
}

#[test]
fn a_row_for_a_place_that_is_not_there_selects_nothing() {
    let cases = [
        ("{namespace: shop, labels: {app: crat}}", "no workload of `shop` that is asked has the labels `app=crat`"),
        ("{namespace: shp}", "no workload of the input is in `shp`"),
        ("{namespace: shp, labels: {app: cart}}", "nothing in `shp` selects a workload by `app=cart`"),
    ];
    for (workloads, words) in cases {
        let found = said(CART, &format!("access: [{{workloads: {workloads}, allow: [mesh]}}]"));
        let [(rule, message, _)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(rule, "access-row-matches-nothing");
        assert!(message.contains(words), "{message}");
    }
}
