//! The rows of `fixtures/semantics/routing.txt`, `envoy-routes.txt` and `routes.txt`, each a test of its name.

#![expect(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use meshlint::config::WorldSetting;
use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query::{EvalError, Evaluator};
use meshlint::semantics::{Answer, By, Decision, Outcome, Request, WireProtocol, World, WorldOptions};
use meshlint::text::Files;

/// Rows of the specification: T-001 to this one.
const LAST_ROW: usize = 230;

#[path = "rows/export.rs"]
mod export;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    for table in ["routing.txt", "envoy-routes.txt", "routes.txt"] {
        for row in lines(table) {
            let cells: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
            let [id, differs, request, verdict] = cells.try_into().unwrap_or_else(|_| panic!("four cells: {row}"));
            trials.push(Trial::test(id.clone(), move || check(&id, &differs, &request, &verdict)));
        }
    }
    trials.push(Trial::test("every_row_is_asked_or_listed_with_the_reason", every_row_has_its_place));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The rows of a table.
fn lines(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/semantics").join(name);
    let table = fs::read_to_string(path).expect("the table is there");
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    rows.map(str::to_owned).collect()
}

/// Asked and listed rows are all there are, and no row is both.
fn every_row_has_its_place() -> Result<(), Failed> {
    let ids = |name: &str| -> BTreeSet<String> {
        let first = |row: &String| row.split('|').next().unwrap_or_default().trim().to_owned();
        // A letter behind the number tells several questions of one row apart.
        lines(name)
            .iter()
            .map(first)
            .map(|id| id.trim_end_matches(|c: char| c.is_ascii_lowercase()).to_owned())
            .collect()
    };
    let (asked, listed) = (ids("routing.txt"), ids("routing-not-asked.txt"));
    let both: Vec<&String> = asked.intersection(&listed).collect();
    if !both.is_empty() {
        return Err(format!("asked and listed: {both:?}").into());
    }
    let all: BTreeSet<String> = (1..=LAST_ROW).map(|row| format!("T-{row:03}")).collect();
    let known: BTreeSet<String> = asked.union(&listed).cloned().collect();
    let missing: Vec<&String> = all.symmetric_difference(&known).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("neither asked nor listed, or no row: {missing:?}").into()) }
}

/// The parts of the base world that a row can change.
struct Base {
    http: String,
    server: String,
    servers: Option<String>,
    selector: String,
    hosts: String,
    vshosts: String,
    gateways: String,
    export: String,
    vs: String,
    mesh: String,
    namespace: String,
    pod_labels: String,
    pod_meta: String,
    pod_spec: String,
    service: String,
    service_meta: String,
    docs: String,
    closed: bool,
    refused: bool,
}

/// `>shop` as a route, `@1` and `@2` as an older and a younger creation time.
fn routes(text: &str) -> String {
    let route = |service: &str| {
        format!("route: [{{destination: {{host: {service}.app.svc.cluster.local, port: {{number: 80}}}}}}]")
    };
    let text = text.replace(">shop", &route("shop")).replace(">pay", &route("pay"));
    let text = text.replace("@1", "creationTimestamp: \"2025-01-01T00:00:00Z\"");
    let text = text.replace("@2", "creationTimestamp: \"2026-06-01T00:00:00Z\"");
    text.replace("net/", "apiVersion: networking.istio.io/v1, kind: ")
        .replace("sec/", "apiVersion: security.istio.io/v1, kind: ")
        .replace("k8s/", "apiVersion: v1, kind: ")
        .replace("apps/D", "apiVersion: apps/v1, kind: D")
}

/// The base world with a row's changes.
fn base(differs: &str) -> Base {
    let mut base = Base {
        http: routes("[{>shop}]"),
        server: String::new(),
        servers: None,
        selector: "{istio: ingressgateway}".to_owned(),
        hosts: "[shop.example.com]".to_owned(),
        vshosts: "[shop.example.com]".to_owned(),
        gateways: "[gw]".to_owned(),
        export: String::new(),
        vs: String::new(),
        mesh: String::new(),
        namespace: "{istio-injection: enabled}".to_owned(),
        pod_labels: String::new(),
        pod_meta: String::new(),
        pod_spec: String::new(),
        service: "{selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}".to_owned(),
        service_meta: String::new(),
        docs: String::new(),
        closed: false,
        refused: false,
    };
    for part in differs.split(" ;; ").map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').expect("a key");
        let value = &routes(value);
        let more = format!(", {value}");
        match key {
            "http" => value.clone_into(&mut base.http),
            "server" => base.server = more,
            "servers" => base.servers = Some(value.clone()),
            "selector" => value.clone_into(&mut base.selector),
            "hosts" => value.clone_into(&mut base.hosts),
            "vshosts" => value.clone_into(&mut base.vshosts),
            "gateways" => value.clone_into(&mut base.gateways),
            "export" => base.export = format!(", exportTo: {value}"),
            "vs" => base.vs = more,
            "norm" => base.mesh = format!("pathNormalization: {{normalization: {value}}}"),
            "mesh" => value.clone_into(&mut base.mesh),
            "ns" => value.clone_into(&mut base.namespace),
            "podlabels" => base.pod_labels = more,
            "podmeta" => base.pod_meta = more,
            "podspec" => base.pod_spec = more,
            "service" => value.clone_into(&mut base.service),
            "svcmeta" => base.service_meta = more,
            "doc" => base.docs.extend(["---\n", value, "\n"]),
            "world" => base.closed = value == "closed",
            "refused" => base.refused = value == "yes",
            other => panic!("no part is called `{other}`"),
        }
    }
    base
}

/// The world of a row.
fn world(base: &Base) -> String {
    let Base { http, server, hosts, vshosts, gateways, export, vs, mesh, namespace, docs, selector, .. } = base;
    let Base { pod_labels, pod_meta, pod_spec, service, service_meta, .. } = base;
    let own = format!("[{{hosts: {hosts}, port: {{number: 80, name: http, protocol: HTTP}}{server}}}]");
    let servers = base.servers.as_ref().unwrap_or(&own);
    let gateways = if gateways == "[]" { String::new() } else { format!("gateways: {gateways}, ") };
    let http = if http == "none" { String::new() } else { format!(", http: {http}") };
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: app, labels: {namespace}}}\n\
         ---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: shop, namespace: app}}\n\
         spec: {{template: {{metadata: {{labels: {{app: shop{pod_labels}}}{pod_meta}}}, spec: {{serviceAccountName: shop{pod_spec}}}}}}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: shop, namespace: app{service_meta}}}\nspec: {service}\n\
         ---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: pay, namespace: app}}\n\
         spec: {{template: {{metadata: {{labels: {{app: pay}}}}, spec: {{serviceAccountName: pay}}}}}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: pay, namespace: app}}\n\
         spec: {{selector: {{app: pay}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}\n\
         ---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istio-ingressgateway, namespace: istio-system}}\n\
         spec: {{template: {{metadata: {{labels: {{istio: ingressgateway}}}}, spec: {{serviceAccountName: ingress, containers: [{{name: istio-proxy}}]}}}}}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: istio-ingressgateway, namespace: istio-system}}\n\
         spec: {{type: LoadBalancer, selector: {{istio: ingressgateway}}, ports: [{{name: http, port: 80, targetPort: 8080}}, {{name: https, port: 443, targetPort: 8443}}]}}\n\
         ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata: {{mesh: \"{mesh}\"}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: Gateway\n\
         metadata: {{name: gw, namespace: app, creationTimestamp: \"2026-01-01T00:00:00Z\"}}\n\
         spec: {{selector: {selector}, servers: {servers}}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n\
         metadata: {{name: vs, namespace: app, creationTimestamp: \"2026-01-01T00:00:00Z\"}}\n\
         spec: {{{gateways}hosts: {vshosts}{http}{export}{vs}}}\n{docs}"
    )
}

/// The request of a row.
fn request(words: &str) -> Request {
    let mut request = Request::at("gateway app/gw:80");
    request.authority = Some("shop.example.com".to_owned());
    let mut rest = words.split(' ');
    while let Some(word) = rest.next() {
        let next = rest.next().unwrap_or_default();
        match word {
            "at" => {
                request.entrypoint = next.replacen('=', " ", 1);
                if !request.entrypoint.starts_with("gateway") {
                    request.authority = None;
                }
            }
            "host" => request.authority = Some(next.to_owned()),
            "sni" => request.sni = Some(next.to_owned()),
            "bytes" => request.protocol = WireProtocol::Tcp,
            "source" => {
                let (namespace, account) = next.split_once('/').expect("NAMESPACE/ACCOUNT");
                request.source = Some(format!("cluster.local/ns/{namespace}/sa/{account}"));
            }
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
    request
}

/// An outcome in a row's words.
fn said(outcome: &Outcome, with_authority: bool) -> String {
    match (outcome.decision, outcome.by) {
        (Decision::Allowed, _) => {
            let workload = outcome.workload.as_deref().unwrap_or_default().trim_start_matches("app/");
            let path = outcome.path.as_deref().unwrap_or("tcp");
            let authority = outcome.authority.as_deref().filter(|_| with_authority);
            let authority = authority.map(|authority| format!(" as {authority}")).unwrap_or_default();
            format!("{workload} {path}{authority}")
        }
        (Decision::Undetermined, _) => {
            format!("unknown {}", outcome.cause.as_ref().map_or("", |cause| cause.kind.id()))
        }
        (_, Some(By::NoRoute)) => "404".to_owned(),
        (_, Some(By::BadRequest)) => "400".to_owned(),
        (_, Some(By::Policy)) => "403".to_owned(),
        (_, Some(By::Redirect)) => "redirect".to_owned(),
        (_, Some(By::DirectResponse)) => "direct".to_owned(),
        (_, Some(By::Fault)) => "fault".to_owned(),
        (_, Some(By::NoDestination)) => "503".to_owned(),
        (_, Some(By::Closed)) => "closed".to_owned(),
        (_, Some(By::NoListener)) => "no-listener".to_owned(),
        (_, by) => format!("{by:?}"),
    }
}

/// An answer in a row's words: every outcome, where there are several.
fn answered(answer: Result<Answer, EvalError>, with_authority: bool) -> String {
    match answer {
        Err(EvalError::Unanswerable(_)) => "unanswerable".to_owned(),
        Err(EvalError::Disagreement(what)) => what,
        Ok(answer) if answer.outcomes.is_empty() => said(&answer.outcome, with_authority),
        Ok(answer) => {
            let all = answer.outcomes.iter().map(|outcome| said(outcome, with_authority));
            all.collect::<Vec<_>>().join(" or ")
        }
    }
}

fn check(id: &str, differs: &str, words: &str, verdict: &str) -> Result<(), Failed> {
    let base = base(differs);
    let text = world(&base);
    let mut files = Files::default();
    let file = files.add("world.yaml", text.clone());
    let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
    if let Some(problem) = loaded.problems.first() {
        return Err(format!("{}\n{text}", problem.message).into());
    }
    let setting = if base.closed { WorldSetting::Closed } else { WorldSetting::Auto };
    let options = WorldOptions { assume_injected: true, world: setting, ..WorldOptions::default() };
    let (world, refused) = World::admit(loaded.mesh, options);
    match refused.first() {
        Some(problem) if !base.refused => return Err(format!("{}\n{text}", problem.message).into()),
        None if base.refused => return Err(format!("nothing is refused\n{text}").into()),
        Some(_) | None => {}
    }
    let request = request(words);
    export::export(id, &text, &request);
    let found = answered(Evaluator::new(&world).answer(&request), verdict.contains(" as "));
    if found == verdict { Ok(()) } else { Err(format!("{found} instead of {verdict}\n{text}").into()) }
}
