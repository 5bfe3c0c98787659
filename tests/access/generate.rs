//! `generate`: what is printed keeps the table, and what cannot be said is an error.

use meshlint::author;
use meshlint::config;
use meshlint::matrix::judge;
use meshlint::semantics::{Chain, Decision, Judgement, NamespaceReader, Verdict, World, workload_ports};
use meshlint::space::{Budget, Change, Cube, DecisionList, Label, PathTest, Pattern, RuleStore, Search};

use super::{CART, TABLE, cases, check, check_text, manifests, policy};

/// What a list of a judgement lets in: label 1, and label 0 for the rest.
fn admitted(judgement: &Judgement) -> DecisionList {
    let allowed = |label: Label| match judgement.verdict(label) {
        Some(Verdict::End(ending)) => Label(u32::from(ending.decision == Decision::Allowed)),
        _ => label,
    };
    let mut list = judgement.list.clone();
    list.default = allowed(list.default);
    list.rules.iter_mut().for_each(|rule| rule.label = allowed(rule.label));
    list
}

/// The changes at a workload from one world to another, but for some paths.
fn changes(old: &World, new: &World, name: &str, but_for: &[&str]) -> Vec<(Change, String)> {
    let workload = old.workloads_in("python").iter().find(|workload| workload.id.name == name).expect("it is there");
    let port = workload_ports(old, workload).into_iter().next().expect("a port");
    let [(_, before), (_, after)] =
        [old, new].map(|world| judge(&NamespaceReader::new(world, "python"), workload, &port, Chain::Http));
    let mut store = RuleStore::new(before.universe.clone());
    let (before, after) = (store.list(&admitted(&before)), store.list(&admitted(&after)));
    let others = but_for.iter().map(|path| Pattern::Exact((*path).into())).collect();
    let bounds = store.bounds(&Cube::default().with_path(PathTest::none(others)));
    let found = store.freeze(&Budget::default()).changes(&before, &after, &bounds);
    let shown = |(change, search)| match search {
        Search::Found(point) => (change, point.path),
        Search::Empty | Search::OutOfBudget { .. } => panic!("{name}: {change:?} is shown by no request"),
    };
    found.into_iter().map(shown).collect()
}

#[test]
fn generated_policies_pass_and_differ_from_the_seed_only_where_the_table_says_more() {
    let (name, case) = cases().into_iter().find(|(name, _)| name == "seed").expect("the seed");
    let mut before = check(&manifests(&name, &case, "closed"), TABLE);
    let generated = author::generate(&mut before.files, &before.world, &before.config).expect("it can be said");
    assert!(generated.idle.is_empty() && generated.closed.is_empty());
    assert_eq!(generated.replaced.len(), 3, "{:?}", generated.replaced);
    let mut with = manifests(&name, &case, "closed");
    with.retain(|(name, _)| !name.ends_with("authorization-policies.yaml"));
    with.push(("generated.yaml".to_owned(), generated.text));
    let after = check(&with, TABLE);
    assert!(after.report.findings.is_empty(), "{:?}", after.report.findings);
    // `/api/**` is `/api` as well, which `/api/*` of the seed leaves out.
    for (workload, more) in [("fastapi-jwt-01", "/api"), ("fastapi-jwt-02", "/internal")] {
        let newly_allowed = (Label(0), Label(1));
        assert_eq!(changes(&before.world, &after.world, workload, &[]), [(newly_allowed, more.to_owned())]);
        assert_eq!(changes(&before.world, &after.world, workload, &[more]), []);
    }
}

/// What cannot be generated, each with the text that it stands at.
fn unsaid(text: &str, table: &str) -> Vec<(String, String)> {
    let mut run = check_text(text, table);
    let problems = author::generate(&mut run.files, &run.world, &run.config).expect_err("it cannot be said");
    let told = |problem: &config::Problem| (run.files.slice(problem.span).to_owned(), problem.message.clone());
    problems.iter().map(told).collect()
}

#[test]
fn what_policies_cannot_say_is_an_error_at_its_row() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\n\
                      spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{ports: [{containerPort: 80}]}]}}}\n---\n";
    let closed = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: deny-all, namespace: shop}\nspec: {}\n---\n";
    let opened = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: all, namespace: istio-system}\n\
                  spec: {rules: [{}]}\n---\n";
    let bare = deployment.replace("app: cart", "app: cart, sidecar.istio.io/inject: \"false\"");
    let row = |rest: &str| format!("access: [{{workloads: {{namespace: shop, labels: {{app: cart}}}}, {rest}}}]");
    let plain = format!("{deployment}{closed}");
    let cases = [
        (plain.clone(), "allow: [mesh], paths: [\"/v*\"]", "\"/v*\"", "has no words for `/v*`"),
        (plain, "allow: [{ingress: shop/gw}]", "{ingress: shop/gw}", "no identity is known"),
        (format!("{bare}{closed}"), "allow: [mesh]", "{workloads", "no proxy stands in front"),
        (
            format!("{deployment}{closed}{opened}"),
            "allow: [mesh]",
            "{workloads",
            "AuthorizationPolicy istio-system/all",
        ),
    ];
    for (text, rest, place, words) in cases {
        let found = unsaid(&text, &row(rest));
        let told = found.iter().any(|(at, message)| at.starts_with(place) && message.contains(words));
        assert!(told, "{rest}: {found:?}");
    }
    let root = unsaid(opened, "access: [{workloads: {namespace: istio-system}, allow: [mesh]}]");
    assert!(root.iter().any(|(at, message)| at == "istio-system" && message.contains("whole mesh")), "{root:?}");
}

#[test]
fn what_is_generated_admits_by_every_entry_and_nothing_beyond() {
    let text = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: shop}\n\
                spec: {selector: {istio: ingressgateway}, servers: [{hosts: [\"*\"], port: {number: 80, name: http, protocol: HTTP}}]}\n---\n\
                apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: jwt, namespace: shop}\n\
                spec: {jwtRules: [{issuer: me, jwksUri: \"https://me.example/keys\"}]}\n---\n\
                apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: deny-all, namespace: shop}\n\
                spec: {action: DENY, rules: [{to: [{operation: {paths: [/debug]}}]}]}\n---\n\
                apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\n\
                spec: {selector: {app: db}, ports: [{name: tcp, port: 5432}]}\n";
    let rows = [
        "{app: a}}, paths: [\"/api/**\", \"/**/health\", \"/users/*/orders\"], allow: [ingress, {ingress: shop/gw}]",
        "{app: a}}, paths: [\"/items*/**\"], methods: [GET, HEAD], allow: [outside]",
        "{app: b}}, ports: [8080], allow: [same-namespace, {namespace: web}, {service-account: batch/nightly}]",
        "{app: b}}, paths: [/token], allow: [mesh, {namespace: web}], jwt: required",
        "{app: c}}, paths: [/public], allow: [anyone], jwt: required",
        "{app: c}}, paths: [\"/a/*/**\"], allow: [anyone, mesh]",
        "{app: db}}, allow: [{namespace: web}]",
        "{app: none}}, allow: []",
    ];
    let rows = rows.map(|row| format!("  - {{workloads: {{namespace: shop, labels: {row}}}\n"));
    let table = format!("access:\n{}", rows.concat());
    let mut run = check_text(text, &table);
    let generated = author::generate(&mut run.files, &run.world, &run.config).expect("it can be said");
    assert!(generated.idle.is_empty(), "{:?}", generated.idle);
    assert!(generated.text.contains("name: deny-all-2"), "the DENY policy keeps its name:\n{}", generated.text);
    let after = check_text(&format!("{text}---\n{}", generated.text), &table);
    let mut found = after.report.findings.iter().filter(|finding| finding.rule.starts_with("access-"));
    let first = found.next().map(|finding| finding.message.as_str());
    assert_eq!(first, Some("nothing in `shop` selects a workload by `app=none`"), "it has no policy");
    assert_eq!(found.next(), None);
}

#[test]
fn what_somebody_else_admits_is_not_replaced() {
    let theirs =
        ("context/theirs.yaml".to_owned(), policy("theirs", "rules: [{from: [{source: {namespaces: [ops]}}]}]"));
    let ours = ("mesh.yaml".to_owned(), format!("{CART}{}", policy("ours", "rules: []")));
    let table = |allow: &str| {
        format!(
            "access: [{{workloads: {{namespace: shop, labels: {{app: cart}}}}, allow: [{{namespace: web}}{allow}]}}]"
        )
    };
    let mut run = check(&[theirs.clone(), ours.clone()], &table(", {namespace: ops}"));
    let generated = author::generate(&mut run.files, &run.world, &run.config).expect("it can be said");
    let replaced: Vec<&str> = generated.replaced.iter().map(|id| id.name.as_str()).collect();
    assert_eq!(replaced, ["ours"]);
    let mut run = check(&[theirs, ours], &table(""));
    let problems = author::generate(&mut run.files, &run.world, &run.config).expect_err("somebody else opens it");
    assert!(problems.iter().all(|problem| problem.message.contains("AuthorizationPolicy shop/theirs")), "{problems:?}");
}
