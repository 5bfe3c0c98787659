//! The rows of `fixtures/semantics/routing.txt`, each a test of its name.

#![expect(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query::Evaluator;
use meshlint::semantics::{By, Decision, Request, World, WorldOptions};
use meshlint::text::Files;

fn main() {
    let arguments = Arguments::from_args();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/semantics/routing.txt");
    let table = fs::read_to_string(path).expect("the table is there");
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let trials: Vec<Trial> = rows
        .map(|row| {
            let cells: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
            let [id, differs, request, verdict] = cells.try_into().unwrap_or_else(|_| panic!("four cells: {row}"));
            Trial::test(id, move || check(&differs, &request, &verdict))
        })
        .collect();
    assert!(trials.len() > 100, "the table is not found");
    libtest_mimic::run(&arguments, trials).exit();
}

/// The parts of the base world that a row can change.
struct Base {
    http: String,
    server: String,
    hosts: String,
    vshosts: String,
    gateways: String,
    export: String,
    mesh: String,
    docs: String,
}

/// `>shop` as a route.
fn routes(text: &str) -> String {
    let route = |service: &str| {
        format!("route: [{{destination: {{host: {service}.app.svc.cluster.local, port: {{number: 80}}}}}}]")
    };
    text.replace(">shop", &route("shop")).replace(">pay", &route("pay"))
}

/// The world of a row.
fn world(differs: &str) -> String {
    let mut base = Base {
        http: routes("[{>shop}]"),
        server: String::new(),
        hosts: "[shop.example.com]".to_owned(),
        vshosts: "[shop.example.com]".to_owned(),
        gateways: "[gw]".to_owned(),
        export: String::new(),
        mesh: String::new(),
        docs: String::new(),
    };
    for part in differs.split(" ;; ").map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').expect("a key");
        match key {
            "http" => base.http = routes(value),
            "server" => base.server = format!(", {value}"),
            "hosts" => value.clone_into(&mut base.hosts),
            "vshosts" => value.clone_into(&mut base.vshosts),
            "gateways" => value.clone_into(&mut base.gateways),
            "export" => base.export = format!(", exportTo: {value}"),
            "norm" => base.mesh = format!("pathNormalization: {{normalization: {value}}}"),
            "doc" => base.docs.extend(["---\n", &routes(value), "\n"]),
            other => panic!("no part is called `{other}`"),
        }
    }
    let workload = |name: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: app}}\n\
             spec: {{template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{serviceAccountName: {name}}}}}}}\n\
             ---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: app}}\n\
             spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}\n"
        )
    };
    let Base { http, server, hosts, vshosts, gateways, export, mesh, docs } = base;
    let gateways = if gateways == "[]" { String::new() } else { format!("gateways: {gateways}, ") };
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: app, labels: {{istio-injection: enabled}}}}\n{}{}\
         ---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istio-ingressgateway, namespace: istio-system}}\n\
         spec: {{template: {{metadata: {{labels: {{istio: ingressgateway}}}}, spec: {{serviceAccountName: ingress, containers: [{{name: istio-proxy}}]}}}}}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: istio-ingressgateway, namespace: istio-system}}\n\
         spec: {{type: LoadBalancer, selector: {{istio: ingressgateway}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}\n\
         ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata: {{mesh: \"{mesh}\"}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: gw, namespace: app}}\n\
         spec: {{selector: {{istio: ingressgateway}}, servers: [{{hosts: {hosts}, port: {{number: 80, name: http, protocol: HTTP}}{server}}}]}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n\
         metadata: {{name: vs, namespace: app, creationTimestamp: \"2026-01-01T00:00:00Z\"}}\n\
         spec: {{hosts: {vshosts}, {gateways}http: {http}{export}}}\n{docs}",
        workload("shop"),
        workload("pay"),
    )
}

fn check(differs: &str, words: &str, verdict: &str) -> Result<(), Failed> {
    let text = world(differs);
    let mut files = Files::default();
    let file = files.add("world.yaml", text.clone());
    let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
    if let Some(problem) = loaded.problems.first() {
        return Err(format!("{}\n{text}", problem.message).into());
    }
    let (world, refused) = World::admit(loaded.mesh, WorldOptions { assume_injected: true, ..WorldOptions::default() });
    if let Some(problem) = refused.first() {
        return Err(format!("{}\n{text}", problem.message).into());
    }
    let mut request = Request::at("gateway app/gw:80");
    request.authority = Some("shop.example.com".to_owned());
    let mut rest = words.split(' ');
    while let Some(word) = rest.next() {
        let next = rest.next().unwrap_or_default();
        match word {
            "host" => request.authority = Some(next.to_owned()),
            "header" => {
                let value = rest.next().unwrap_or_default();
                request.headers.push((next.trim_end_matches(':').to_owned(), value.to_owned()));
            }
            method => {
                method.clone_into(&mut request.method);
                next.clone_into(&mut request.path);
            }
        }
    }
    let answer = Evaluator::new(&world).answer(&request).map_err(|error| format!("{error:?}\n{text}"))?;
    let outcome = &answer.outcome;
    let found = match (outcome.decision, outcome.by) {
        (Decision::Allowed, _) => {
            let workload = outcome.workload.as_deref().unwrap_or_default().trim_start_matches("app/");
            format!("{workload} {}", outcome.path.as_deref().unwrap_or_default())
        }
        (Decision::Undetermined, _) => "unknown".to_owned(),
        (_, Some(By::NoRoute)) => "404".to_owned(),
        (_, Some(By::BadRequest)) => "400".to_owned(),
        (_, Some(By::Redirect)) => "redirect".to_owned(),
        (_, Some(By::DirectResponse)) => "direct".to_owned(),
        (_, Some(By::Fault)) => "fault".to_owned(),
        (_, Some(By::NoDestination)) => "503".to_owned(),
        (_, by) => format!("{by:?}"),
    };
    if found == verdict { Ok(()) } else { Err(format!("{found} instead of {verdict}\n{text}").into()) }
}
