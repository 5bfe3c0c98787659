//! The rows of `fixtures/semantics/authorization.txt`, each a test of its name.

#![expect(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query::Evaluator;
use meshlint::semantics::{By, Decision, Request, Token, WireProtocol, World, WorldOptions};
use meshlint::text::Files;

fn main() {
    let arguments = Arguments::from_args();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/semantics/authorization.txt");
    let table = fs::read_to_string(path).expect("the table is there");
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let trials: Vec<Trial> = rows
        .map(|row| {
            let cells: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
            let [id, force, request, verdict] = cells.try_into().unwrap_or_else(|_| panic!("four cells: {row}"));
            Trial::test(id, move || check(&force, &request, &verdict))
        })
        .collect();
    assert!(trials.len() > 150, "the table is not found");
    libtest_mimic::run(&arguments, trials).exit();
}

/// A policy in words as YAML.
fn policy(words: &str, index: usize) -> String {
    let (mut namespace, mut selector, mut annotation) = ("foo", "selector: {matchLabels: {app: web}}, ", String::new());
    let mut rest = words;
    loop {
        let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        match word {
            "root" => namespace = "istio-system",
            "all" => selector = "",
            dry if dry.starts_with("dry=") => {
                let value = dry.trim_start_matches("dry=");
                annotation = format!(", annotations: {{istio.io/dry-run: \"{value}\"}}");
            }
            action => {
                let (action, provider) = match action.split_once('=') {
                    Some((_, provider)) => ("CUSTOM", format!("provider: {{name: {provider}}}, ")),
                    None => (
                        if action == "A" {
                            "ALLOW"
                        } else if action == "D" {
                            "DENY"
                        } else {
                            "AUDIT"
                        },
                        String::new(),
                    ),
                };
                let rules = if tail == "-" { String::new() } else { format!(", rules: {tail}") };
                return format!(
                    "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
                     metadata: {{name: p{index}, namespace: {namespace}{annotation}}}\n\
                     spec: {{{selector}{provider}action: {action}{rules}}}\n"
                );
            }
        }
        rest = tail;
    }
}

/// A `PeerAuthentication`.
fn peer_authentication(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\n\
         metadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{spec}}}\n"
    )
}

/// The world of a row.
fn world(force: &str) -> String {
    let (mut port, mut app, mut mesh, mut more) = ("http", String::new(), String::new(), String::new());
    let (mut web, mut ports) = (None, None);
    for (index, part) in force.split(" ;; ").map(str::trim).filter(|part| !part.is_empty()).enumerate() {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key {
            "port" => port = value,
            "app" => app = format!(", appProtocol: {value}"),
            "mtls" => more += &peer_authentication("default", "foo", &format!("mtls: {{mode: {value}}}")),
            "rootmtls" => more += &peer_authentication("default", "istio-system", &format!("mtls: {{mode: {value}}}")),
            "webmtls" => web = Some(value),
            "portmtls" => ports = value.split_once(':'),
            "td" => {
                let _ = writeln!(mesh, "    trustDomain: {value}");
            }
            "aliases" => {
                let _ = writeln!(mesh, "    trustDomainAliases: [{value}]");
            }
            "norm" => {
                let _ = writeln!(mesh, "    pathNormalization: {{normalization: {value}}}");
            }
            "providers" => {
                let named = value.split(',').map(|name| {
                    let (kind, name) = name.split_once(':').map_or(("Grpc", name), |(_, name)| ("Http", name));
                    format!("{{name: {name}, envoyExtAuthz{kind}: {{service: ext.foo.svc.cluster.local, port: 9000}}}}")
                });
                let _ = writeln!(mesh, "    extensionProviders: [{}]", named.collect::<Vec<_>>().join(", "));
            }
            "jwt" => {
                let issuers = if value.is_empty() { "iss" } else { value };
                let rules = issuers.split(',').map(|issuer| format!("{{issuer: \"{issuer}\"}}")).collect::<Vec<_>>();
                let _ = write!(
                    more,
                    "---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\n\
                     metadata: {{name: jwt, namespace: foo}}\nspec: {{jwtRules: [{}]}}\n",
                    rules.join(", ")
                );
            }
            _ => more += &policy(part, index),
        }
    }
    if let Some(mode) = web {
        let ports =
            ports.map_or(String::new(), |(port, mode)| format!(", portLevelMtls: {{\"{port}\": {{mode: {mode}}}}}"));
        let spec = format!("selector: {{matchLabels: {{app: web}}}}, mtls: {{mode: {mode}}}{ports}");
        more += &peer_authentication("web", "foo", &spec);
    }
    if !mesh.is_empty() {
        let _ = write!(
            more,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata:\n  mesh: |\n{mesh}"
        );
    }
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: foo, labels: {{istio-injection: enabled}}}}\n\
         ---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: foo}}\n\
         spec: {{template: {{metadata: {{labels: {{app: web}}}}, spec: {{serviceAccountName: web}}}}}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: foo}}\n\
         spec: {{selector: {{app: web}}, ports: [{{name: {port}, port: 80, targetPort: 8080{app}}}]}}\n{more}"
    )
}

/// The request of a row.
fn request(words: &str) -> Request {
    let mut request = Request::at("workload foo/web:8080");
    let mut rest = words;
    while !rest.is_empty() {
        let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        let (next, after) = tail.split_once(' ').unwrap_or((tail, ""));
        rest = after;
        match word {
            "tcp" => {
                request.protocol = WireProtocol::Tcp;
                rest = tail;
            }
            "bad-token" => {
                request.token = Some(Token::Invalid);
                rest = tail;
            }
            "from" => {
                let full = next.contains("/ns/");
                let (namespace, account) = next.split_once('/').expect("NS/SA");
                request.source =
                    Some(if full { next.to_owned() } else { format!("cluster.local/ns/{namespace}/sa/{account}") });
            }
            "host" => request.authority = Some(next.to_owned()),
            "ip" => request.source_ip = Some(next.to_owned()),
            "header" => {
                let (value, tail) = after.split_once(' ').unwrap_or((after, ""));
                request.headers.push((next.trim_end_matches(':').to_owned(), value.to_owned()));
                rest = tail;
            }
            "token" => {
                request.claims = Some(serde_json::from_str(tail).expect("claims"));
                rest = "";
            }
            method => {
                method.clone_into(&mut request.method);
                next.clone_into(&mut request.path);
            }
        }
    }
    request
}

fn check(force: &str, words: &str, verdict: &str) -> Result<(), Failed> {
    let text = world(force);
    let mut files = Files::default();
    let file = files.add("world.yaml", text.clone());
    let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
    if let Some(problem) = loaded.problems.first() {
        return Err(format!("{}\n{text}", problem.message).into());
    }
    let (world, _) = World::admit(loaded.mesh, WorldOptions { assume_injected: true, ..WorldOptions::default() });
    let answer = Evaluator::new(&world).answer(&request(words)).map_err(|error| format!("{error:?}\n{text}"))?;
    let found = match (answer.outcome.decision, answer.outcome.by) {
        (Decision::Allowed, _) => "allow",
        (Decision::Denied, Some(By::Policy)) => "deny",
        (Decision::Denied, Some(By::Closed)) => "closed",
        (Decision::Denied, Some(By::Jwt)) => "401",
        (Decision::Denied, Some(By::BadRequest)) => "400",
        (Decision::Denied, _) => "denied otherwise",
        (Decision::Undetermined, _) => "ext",
    };
    if found == verdict { Ok(()) } else { Err(format!("{found} instead of {verdict}\n{text}").into()) }
}
