//! Every rule has a firing case and a silent near-miss, and every rule runs on every case.

#![expect(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use meshlint::config::Config;
use meshlint::model::{InputFile, LoadOptions, Problem, load};
use meshlint::query;
use meshlint::rule::{self, Report, RuleSet, Selection, Settling, Status};
use meshlint::semantics::{World, WorldOptions};
use meshlint::text::{Files, Span};

/// The directories below a directory, sorted.
fn below(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(path)
        .expect("readable")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// The last part of a path.
fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

/// File, line and rule of a finding.
type Mark = (String, u32, String);

/// The marks of a file, `#~ RULE` or `#~ RULE SEVERITY`, each with its severity where it says one.
fn marks(file: &str, text: &str) -> Vec<(Mark, Option<String>)> {
    let mark = |number: u32, mark: &str| {
        let mut words = mark.split_whitespace().map(str::to_owned);
        Some(((file.to_owned(), number, words.next()?), words.next()))
    };
    let lines = text.lines().zip(1..);
    lines.flat_map(|(line, number)| line.split("#~").skip(1).filter_map(move |words| mark(number, words))).collect()
}

/// A finding's request and what becomes of it, as `shown.txt` has it.
fn shown(finding: &rule::Finding) -> Option<String> {
    let request = finding.witness.as_ref()?;
    let who = match (&request.source, request.entrypoint.starts_with("gateway ")) {
        (Some(source), _) => source.as_str(),
        (None, true) => "outside",
        (None, false) => "nobody",
    };
    let mut line = format!("{} {} from {who} at {}", request.method, request.path, request.entrypoint);
    for (what, value) in [("host", &request.authority), ("server name", &request.sni)] {
        if let Some(value) = value {
            write!(line, ", {what} {value}").expect("into a text");
        }
    }
    for (name, value) in &request.headers {
        write!(line, ", {name}: {value}").expect("into a text");
    }
    Some(if finding.way.refused { format!("refused: {line}") } else { line })
}

/// What `check` finds in a text, pedantic rules left out.
fn check(text: &str, config: &str) -> (Files, Report) {
    let (files, mut report) = check_all(text, config);
    report.findings.retain(|finding| !is_pedantic(&finding.rule));
    (files, report)
}

/// What `check` finds in a text.
fn check_all(text: &str, config: &str) -> (Files, Report) {
    check_files(&[("mesh.yaml", text)], config)
}

/// What `check` finds in files, of which those below `context/` are somebody else's.
fn check_files(texts: &[(&str, &str)], config: &str) -> (Files, Report) {
    let mut files = Files::default();
    let manifests: Vec<_> = texts.iter().map(|(name, text)| files.add(*name, *text)).collect();
    let config = match config {
        "" => Config::default(),
        config => meshlint::config::read(files.add("meshlint.yaml", config), config).expect("a configuration"),
    };
    let input = |file| InputFile { file, context: files.name(file).starts_with("context/") };
    let inputs: Vec<InputFile> = manifests.iter().copied().map(input).collect();
    let loaded = load(&files, &inputs, &LoadOptions::default());
    let (world, refused) = World::admit(loaded.mesh, WorldOptions::from(&config));
    let problems: Vec<Problem> = loaded.problems.into_iter().chain(refused).collect();
    let mut report = rule::check(&files, &world, &problems, loaded.counts, &config);
    query::confirm(&world, &mut report);
    let settling = Settling {
        config: &config,
        rules: &RuleSet::default(),
        manifests: &manifests,
        relative: &BTreeMap::new(),
        today: None,
        baseline: None,
        selection: Selection { pedantic: true, ..Selection::default() },
    };
    rule::settle(&files, &mut report, &settling);
    (files, report)
}

#[test]
fn every_rule_fires_where_it_is_marked_and_nowhere_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    let mut covered: BTreeSet<(String, bool)> = BTreeSet::new();
    let mut wrong: Vec<String> = Vec::new();
    let mut showing: BTreeSet<String> = BTreeSet::new();
    for directory in below(&root) {
        for case in below(&directory) {
            let text = fs::read_to_string(case.join("mesh.yaml")).expect("readable");
            let config = fs::read_to_string(case.join("meshlint.yaml")).unwrap_or_default();
            let marked: BTreeMap<Mark, Option<String>> =
                marks("mesh.yaml", &text).into_iter().chain(marks("meshlint.yaml", &config)).collect();
            let marks: BTreeSet<Mark> = marked.keys().cloned().collect();
            let (files, report) = check_all(&text, &config);
            let said = report.findings.iter().map(|one| (&*one.rule, one.label.span, &one.message, &one.workload));
            let twice = said.clone().find(|one| said.clone().filter(|other| other == one).count() > 1);
            assert!(twice.is_none(), "{}: said twice: {twice:?}", case.display());
            let doubt = report.notes.iter().find(|note| note.message.contains("internal error"));
            assert!(doubt.is_none(), "{}: {doubt:?}", case.display());
            let about = name(&directory);
            // A pedantic rule would speak everywhere: it is asked where a case is about it.
            let asked = |finding: &&rule::Finding| finding.rule == about.as_str() || !is_pedantic(&finding.rule);
            let requests: Vec<String> =
                report.findings.iter().filter(|finding| finding.rule == about.as_str()).filter_map(shown).collect();
            let wanted = fs::read_to_string(case.join("shown.txt")).unwrap_or_default();
            if case.join("shown.txt").exists() && requests != wanted.lines().collect::<Vec<_>>() {
                wrong.push(format!("{}: shows {requests:?}, not {wanted:?}", case.display()));
            }
            if !requests.is_empty() {
                showing.insert(about.clone());
            }
            let found: Vec<(Mark, &str)> = report
                .findings
                .iter()
                .filter(asked)
                .flat_map(|finding| {
                    let span = finding.label.span;
                    assert!(span.start < span.end, "{}: an empty span", case.display());
                    let words = &finding.message;
                    let first = words.split(' ').next().unwrap_or_default();
                    let kind =
                        ["Policy", "Authentication", "Service", "Gateway"].into_iter().any(|end| first.ends_with(end));
                    assert!(!words.ends_with('.') && (kind || !words.starts_with(char::is_uppercase)), "{words}");
                    let place = |span: Span, rule: &str| {
                        let line = files.position(span.file, span.start).line;
                        (files.name(span.file).to_owned(), line, rule.to_owned())
                    };
                    // What is folded into a finding stays on its own line.
                    let folded = finding.related.iter().filter_map(|part| {
                        Some((place(part.span, part.rule.as_ref()?), part.severity.map_or("", rule::Severity::word)))
                    });
                    folded.chain([(place(span, &finding.rule), finding.severity.word())]).collect::<Vec<_>>()
                })
                .collect();
            for (mark, severity) in &found {
                let wanted = marked.get(mark).cloned().flatten();
                if wanted.is_some_and(|wanted| wanted != *severity) {
                    wrong.push(format!("{}: {mark:?} is of {severity}", case.display()));
                }
            }
            let said: BTreeSet<(Span, &str, &str)> = report
                .findings
                .iter()
                .map(|finding| (finding.label.span, &*finding.rule, finding.message.as_str()))
                .collect();
            assert_eq!(said.len(), report.findings.len(), "{}: something is said twice", case.display());
            let found: BTreeSet<Mark> = found.into_iter().map(|(mark, _)| mark).collect();
            if found != marks {
                wrong.push(format!("{}: found {found:?}, marked {marks:?}", case.display()));
            }
            let is_firing = name(&case).starts_with("fires-");
            assert!(is_firing || name(&case).starts_with("silent-"), "{}", case.display());
            assert_eq!(is_firing, marks.iter().any(|(_, _, marked)| *marked == about), "{}", case.display());
            covered.insert((about, is_firing));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mute: BTreeSet<String> =
        rule::rules().iter().map(|rule| rule.id.clone()).filter(|rule| !showing.contains(rule)).collect();
    assert_eq!(mute, ABOUT_NO_REQUEST.iter().map(|rule| (*rule).to_owned()).collect(), "these show no request");
    for rule in rule::rules() {
        for fires in [true, false] {
            assert!(covered.contains(&(rule.id.clone(), fires)), "{} has no case that fires={fires}", rule.id);
        }
    }
}

/// Rules that show no request: about text and objects, about what is not there, about what nothing matches, or about
/// what nobody can tell.
const ABOUT_NO_REQUEST: &[&str] = &[
    "access-not-granted",
    "access-row-matches-nothing",
    "auto-passthrough",
    "claims-never-verified",
    "competing-authentication",
    "crashing-template",
    "delegate-outside-root",
    "duplicate-key",
    "duplicate-resource",
    "foreign-trust-domain",
    "gateway-without-workload",
    "hidden-by-export-to",
    "host-shadows-wildcard",
    "http-field-on-tcp-port",
    "http-policy-on-passthrough",
    "identity-without-strict-mtls",
    "ignored-tail",
    "ineffective-target",
    "malformed-request-principal",
    "misread-regex",
    "order-dependent-routes",
    "overlapping-gateways",
    "policy-in-wrong-namespace",
    "private-key-in-jwks",
    "redundant-policy-rule",
    "refused-configuration",
    "rejected-resource",
    "removed-api-version",
    "selector-matches-nothing",
    "several-ext-authz-providers",
    "shared-service-account",
    "source-hidden-by-gateway",
    "source-ip-behind-proxy",
    "stripped-token",
    "syntax-error",
    "unbound-host",
    "undeclared-protocol",
    "undetermined-access",
    "unknown-destination",
    "unknown-ext-authz-provider",
    "unknown-field",
    "unknown-gateway",
    "unknown-issuer",
    "unknown-namespace",
    "unknown-principal",
    "unreachable-route",
    "unrendered-template",
    "unsafe-polarity",
    "unserved-host",
    "unused-suppression",
    "wildcard-gateway-host",
    "yaml11-surprise",
];

/// Whether a rule is asked only where somebody asks for it.
fn is_pedantic(id: &str) -> bool {
    rule::rule(id).is_ok_and(|rule| rule.pedantic)
}

/// The rules of the catalog that a text breaks, as findings of their own or as part of others.
fn catalog_rules(text: &str, about: &str) -> BTreeSet<String> {
    let (_, report) = check_all(text, "");
    let related = |finding: &rule::Finding| finding.related.iter().filter_map(|place| place.rule.clone()).collect();
    let said = report.findings.iter().flat_map(|finding| {
        let related: Vec<String> = related(finding);
        related.into_iter().chain([finding.rule.to_string()])
    });
    let of_catalog = |id: &String| rule::rule(id).is_ok_and(|rule| rule.check.is_some());
    said.filter(|id| of_catalog(id) && (id == about || !is_pedantic(id))).collect()
}

#[test]
fn the_examples_of_a_rule_break_it_alone_and_are_mended() {
    let mut wrong: Vec<String> = Vec::new();
    for rule in rule::rules() {
        let (Some(before), Some(after)) = (&rule.before, &rule.after) else { continue };
        let (before, after) = (catalog_rules(before, &rule.id), catalog_rules(after, &rule.id));
        if before != BTreeSet::from([rule.id.clone()]) || !after.is_empty() {
            wrong.push(format!("{}: before {before:?}, after {after:?}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `rules/README.md` as the rule files make it.
fn readme() -> String {
    let mut text = "# Rules\n\nMade from the rule files by `UPDATE_EXPECT=1 cargo test --test rules readme`. `meshlint explain RULE` shows a rule \
                    in full.\n\n| rule | severity | fires on |\n| --- | --- | --- |\n"
        .to_owned();
    for rule in rule::rules() {
        let pedantic = if rule.pedantic { ", pedantic" } else { "" };
        writeln!(text, "| [`{0}`]({0}.yaml) | {1}{pedantic} | {2} |", rule.id, rule.severity.word(), rule.title)
            .expect("into a text");
    }
    text
}

#[test]
fn the_readme_lists_the_rules_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/README.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, readme()).expect("writable");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), readme());
}

const GATEWAY: &str = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: shop}\n\
                       spec: {selector: {istio: custom}, servers: [{hosts: [\"*\"], port: {number: 80, name: http, protocol: HTTP}}]}\n---\n";

/// A policy that admits one identity to the API.
fn admits(principal: &str) -> String {
    format!(
        "{GATEWAY}apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a, namespace: shop}}\n\
         spec: {{rules: [{{from: [{{source: {{principals: [{principal}]}}}}], to: [{{operation: {{paths: [\"/api/*\"]}}}}]}}]}}\n"
    )
}

/// Rules that find something.
fn found(text: &str, config: &str) -> Vec<rule::RuleId> {
    let findings = check(text, config).1.findings;
    findings.iter().map(|finding| finding.rule.clone()).collect()
}

#[test]
fn the_configuration_names_gateway_identities_and_the_ingress() {
    let own = admits("cluster.local/ns/edge/sa/proxy");
    assert_eq!(found(&own, ""), ["api-outside-ingress"]);
    assert_eq!(found(&own, "gateways: {shop/gw: [edge/proxy]}"), Vec::<&str>::new());
    assert_eq!(found(&own, "ingress: [edge/proxy]"), Vec::<&str>::new());
}

#[test]
fn a_gateway_of_another_installation_is_found_by_the_name_that_a_policy_uses() {
    for principal in [
        "cluster.local/ns/istio-system/sa/istio-custom-service-account",
        "cluster.local/ns/istio-system/sa/custom-service-account",
        "cluster.local/ns/edge/sa/custom",
        "cluster.local/ns/edge/sa/istio-custom",
    ] {
        assert_eq!(found(&admits(principal), ""), Vec::<&str>::new(), "{principal}");
    }
}

#[test]
fn the_convention_can_be_moved_and_switched_off() {
    let text = admits("\"*\"").replace("/api/*", "/v1/*");
    assert_eq!(found(&text, ""), Vec::<&str>::new(), "nothing names the convention, and nothing accepts it");
    assert_eq!(found(&text, "convention: {api: /v1}"), ["api-outside-ingress"]);
    assert_eq!(found(&text, "convention: {api: /v1, ask: never}").len(), 1, "a warning remains");
    let severity = |config: &str| check(&text, config).1.findings.first().map(|finding| finding.severity.word());
    assert_eq!(severity("convention: {api: /v1, ask: never}"), Some("warning"));
    assert_eq!(severity("convention: {api: /v1, ask: always}"), Some("error"));
}

#[test]
fn what_the_owner_vouches_for_is_an_assumption() {
    let filter = "---\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: log, namespace: shop}\n\
                  spec: {configPatches: [{applyTo: HTTP_FILTER, patch: {operation: INSERT_BEFORE, value: {name: x}}}]}\n";
    let text = format!("{}{filter}", admits("cluster.local/ns/istio-system/sa/istio-custom-service-account"));
    let (_, report) = check(&text, "");
    assert!(report.findings.iter().all(|finding| finding.status == Status::NotProven) && report.findings.len() == 3);
    let (_, softened) = check(&text, "not-proven: warning");
    assert!(softened.findings.iter().all(|finding| finding.severity.word() == "warning"));
    let (_, trusted) = check(&text, "trusted: [{resource: EnvoyFilter shop/log, reason: only writes a log}]");
    assert!(trusted.findings.is_empty());
    assert!(trusted.assumptions.iter().any(|assumption| assumption.message.contains("only writes a log")));
}

#[test]
fn a_closed_world_asks_only_the_workloads_that_are_there() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\n\
                spec: {template: {metadata: {labels: {app: cart}}}}\n---\n\
                apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\n\
                spec: {selector: {matchLabels: {app: cart}}}\n";
    assert_eq!(found(text, ""), ["missing-default-deny"]);
    assert_eq!(found(text, "world: closed"), Vec::<&str>::new());
    assert_eq!(found(text, "world: open"), ["missing-default-deny"]);
}

#[test]
fn without_assumed_injection_nothing_guards_a_workload_of_which_nothing_is_said() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\n\
                spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{ports: [{containerPort: 80}]}]}}}\n---\n\
                apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\nspec: {}\n";
    assert_eq!(found(text, ""), Vec::<&str>::new());
    let (_, report) = check(text, "assume-injected: false");
    assert!(report.notes.iter().any(|note| note.message.contains("outside the mesh")), "{:?}", report.notes);
}

/// A Deployment with a port.
fn deployment(namespace: &str, name: &str, labels: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{template: {{metadata: {{labels: {{app: {name}{labels}}}}}, \
         spec: {{containers: [{{ports: [{{containerPort: 3306}}]}}]}}}}}}\n---\n"
    )
}

#[test]
fn the_root_namespace_is_judged_only_where_something_asks_for_sidecars() {
    let text = deployment("istio-system", "prometheus", "") + GATEWAY;
    let (_, report) = check(&text, "");
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(report.notes.iter().any(|note| note.message.contains("is the root namespace")), "{:?}", report.notes);
    assert!(!report.assumptions.iter().any(|assumption| assumption.kind == "membership"));
    let (_, report) = check(&text.replace("app: prometheus", "sidecar.istio.io/inject: \"true\""), "");
    let finding = report.findings.first().expect("asked");
    assert_eq!(finding.rule, "missing-default-deny");
    let help = finding.help.as_deref().unwrap_or_default();
    assert!(help.contains("closes every namespace"), "a deny-all here is no small thing: {help}");
}

#[test]
fn what_guards_only_a_gateway_makes_no_namespace_ones_own() {
    let policy = |labels: &str| {
        format!(
            "{GATEWAY}apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a, namespace: edge}}\n\
             spec: {{selector: {{matchLabels: {{{labels}}}}}, rules: [{{to: [{{operation: {{methods: [GET]}}}}]}}]}}\n"
        )
    };
    assert_eq!(found(&policy("istio: custom"), ""), Vec::<&str>::new(), "the labels of the Gateway's selector");
    assert_eq!(found(&policy("istio: ingressgateway"), ""), Vec::<&str>::new(), "the labels that installers give");
    assert_eq!(found(&policy("app: web"), "").first(), Some(&"api-outside-ingress".into()));
}

#[test]
fn what_is_declared_tcp_serves_no_path_with_a_proxy_or_without() {
    let service = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: db, namespace: shop}}\n\
             spec: {{selector: {{app: db}}, ports: [{{name: {name}, port: {}}}]}}\n---\n",
            if name == "mysql" { 3306 } else { 80 }
        )
    };
    let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\n\
                  spec: {rules: [{from: [{source: {principals: [x]}}], to: [{operation: {paths: [/api]}}]}]}\n---\n";
    let bare = deployment("shop", "db", ", sidecar.istio.io/inject: \"false\"");
    let (_, report) = check(&format!("{bare}{}{policy}", service("mysql")), "");
    let others: Vec<_> = report.findings.iter().filter(|finding| finding.rule != "policy-without-sidecar").collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(report.summary.tcp_ports, 1);
    let http = format!("{bare}{}{policy}", service("http"));
    assert_eq!(found(&http, ""), ["api-outside-ingress", "internal-outside-namespace"]);
}

#[test]
fn nothing_is_called_proven_beside_what_is_not() {
    let filter = "---\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: f, namespace: other}\n\
                  spec: {configPatches: [{applyTo: HTTP_FILTER, patch: {operation: INSERT_BEFORE, value: {name: x}}}]}\n---\n";
    let deny = |namespace: &str| {
        format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
             metadata: {{name: deny-all, namespace: {namespace}}}\nspec: {{}}\n---\n"
        )
    };
    let (_, proven) = check(&deny("shop"), "");
    assert_eq!(proven.summary.proven.len(), 1);
    let (_, report) = check(&format!("{}{}{filter}", deny("shop"), deny("other")), "");
    assert!(report.not_proven() > 0 && report.summary.proven.is_empty(), "{:?}", report.summary.proven);
}

#[test]
fn the_help_of_a_missing_default_deny_names_what_it_would_break_alone() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\n\
                   spec: {selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 3306}]}\n---\n";
    let route = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: cart, namespace: shop}\n\
                 spec: {hosts: [\"*\"], gateways: [gw], http: [{route: [{destination: {host: cart}}]}]}\n---\n";
    let deny = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: strangers, namespace: shop}\n\
                spec: {action: DENY, rules: [{from: [{source: {notNamespaces: [web]}}], to: [{operation: {paths: [/x]}}]}]}\n---\n";
    let allow = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: cart, namespace: shop}\n\
                 spec: {selector: {matchLabels: {app: cart}}, rules: [{}]}\n---\n";
    let help = |text: &str| {
        let (_, report) = check(text, "");
        let finding = report.findings.iter().find(|finding| finding.rule == "missing-default-deny");
        finding.and_then(|finding| finding.help.clone()).expect("help")
    };
    let shop = format!("{GATEWAY}{}{service}{route}{deny}", deployment("shop", "cart", ""));
    let broken = help(&shop);
    for flow in [
        "requests by `gateway shop/gw:80` to `shop/cart`",
        "calls to the Service `shop/cart`",
        "requests from `web` to `shop/cart`",
        "`meshlint generate`",
    ] {
        assert!(broken.contains(flow), "{flow}: {broken}");
    }
    let admitted = help(&format!("{shop}{allow}"));
    assert!(admitted.contains("no flow of the input breaks by it"), "{admitted}");
}

#[test]
fn gateways_are_looked_for_where_a_kustomization_puts_them() {
    let service = |gateway: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: cart}}\n\
             spec: {{hosts: [\"*\"], gateways: [{gateway}], http: [{{directResponse: {{status: 204}}}}]}}\n"
        )
    };
    let gateway = GATEWAY.replace("namespace: shop", "namespace: istio-system");
    let base = "namespace: shop\nresources: [gateway.yaml, service.yaml]\n";
    let plain = "resources: [gateway.yaml, service.yaml]\n";
    let overlay = "namespace: shop\nresources: [../base]\n";
    let renaming = "namespace: shop\nnamePrefix: dev-\nresources: [../base]\n";
    let unknown = |base: &str, overlay: &str, named: &str| {
        let texts = [
            ("base/gateway.yaml", gateway.as_str()),
            ("base/kustomization.yaml", base),
            ("base/service.yaml", &service(named)),
            ("dev/kustomization.yaml", overlay),
        ];
        let (_, report) = check_files(&texts, "");
        let found = report.findings.into_iter().filter(|finding| finding.rule == "unknown-gateway");
        found.map(|finding| format!("{}: {}", finding.severity.word(), finding.message)).collect::<Vec<_>>()
    };
    let nothing: [&str; 0] = [];
    assert_eq!(unknown(plain, "resources: []\n", "istio-system/gw"), nothing);
    assert_eq!(unknown(base, "resources: []\n", "gw"), nothing, "both are in `shop`");
    assert_eq!(unknown(plain, overlay, "gw"), nothing, "both are in `shop`");
    assert_eq!(
        unknown(base, overlay, "istio-system/gw"),
        [
            "error: there is no Gateway `istio-system/gw`: its kustomization makes `shop/gw` of it, and rewrites no `gateways`"
        ]
    );
    assert_eq!(
        unknown(plain, renaming, "gw"),
        ["error: there is no Gateway `shop/gw`; one of that name is in `istio-system`"],
        "`dev-gw` is what is built"
    );
}

#[test]
fn the_own_one_of_two_authorizers_is_blamed_whichever_comes_first() {
    let policy = |name: &str, provider: &str| {
        format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}, namespace: shop}}\n\
             spec: {{action: CUSTOM, provider: {{name: {provider}}}, rules: [{{}}]}}\n"
        )
    };
    for (own, theirs) in [("a", "b"), ("b", "a")] {
        let texts = [("context/theirs.yaml", policy(theirs, "theirs")), ("own.yaml", policy(own, "own"))];
        let texts = texts.each_ref().map(|(name, text)| (*name, text.as_str()));
        let (files, report) = check_files(&texts, "");
        let found = report.findings.iter().filter(|finding| finding.rule == "several-ext-authz-providers");
        assert_eq!(found.map(|finding| files.name(finding.label.span.file)).collect::<Vec<_>>(), ["own.yaml"]);
    }
}
