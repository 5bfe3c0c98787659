//! Rules of the user: what they find, what they prove, and what is said where they cannot be meant.

use meshlint::config::{Config, Problem};
use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query;
use meshlint::rule::{self, Report, RuleSet, Severity, Status};
use meshlint::semantics::{World, WorldOptions};
use meshlint::text::{FileId, Files};

/// The file that rules stand in.
const RULES: FileId = FileId(9);

/// A rule with an id and a title around its statement.
fn rule(statement: &str) -> String {
    format!("id: own-rule\ntitle: something is open\n{statement}\n")
}

/// What the rule says of a text.
fn check(text: &str, statement: &str) -> (Files, Report) {
    let rules = rule(statement);
    let rules = RuleSet::read([(RULES, rules.as_str())]).expect("a rule");
    let mut files = Files::default();
    let file = files.add("mesh.yaml", text);
    let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
    let config = Config::default();
    let (world, _) = World::admit(loaded.mesh, WorldOptions::from(&config));
    let mut report = rule::check_all(&files, &world, &[], loaded.counts, &config, &rules);
    query::confirm(&world, &mut report);
    let doubts: Vec<_> = report.notes.iter().filter(|note| note.message.contains("internal error")).collect();
    assert!(doubts.is_empty(), "{doubts:?}");
    report.findings.retain(|finding| finding.rule == "own-rule");
    (files, report)
}

/// The lines on which the rule finds something.
fn lines(text: &str, statement: &str) -> Vec<u32> {
    let (files, report) = check(text, statement);
    let line = |finding: &rule::Finding| files.position(finding.label.span.file, finding.label.span.start).line;
    report.findings.iter().map(line).collect()
}

/// Holds what a rule finds in a text against the lines that are expected, statement by statement.
fn finds(text: &str, cases: &[(&str, Vec<u32>)]) {
    for (statement, expected) in cases {
        assert_eq!(lines(text, statement), *expected, "{statement}");
    }
}

/// What is wrong with a rule: the marked text and the words.
fn wrong(text: &str) -> Vec<(String, String)> {
    let problems = RuleSet::read([(RULES, text)]).expect_err("something is wrong");
    let told = |problem: &Problem| {
        assert_eq!(problem.span.file, RULES);
        let marked = text.get(problem.span.start as usize..problem.span.end as usize).expect("within the file");
        let help = problem.help.as_ref().map_or(String::new(), |help| format!("; {help}"));
        (marked.to_owned(), format!("{}{help}", problem.message))
    };
    problems.iter().map(told).collect()
}

/// A shop: `/admin` routed to a cart that admits the ingress to it, a neighbour to `/`, and anyone to `/open`.
const SHOP: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{hosts: [\"*\"], port: {number: 80, name: http, protocol: HTTP}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs, namespace: shop}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
    - match: [{uri: {prefix: /public}}]
      rewrite: {uri: /admin}
      route: [{destination: {host: cart, port: {number: 8080}}}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 8080}, {name: tcp-db, port: 5432}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{image: x}]}}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  rules:
    - from: [{source: {principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account]}}]
      to: [{operation: {paths: [\"/admin*\"]}}]
    - from: [{source: {namespaces: [neighbour]}}]
      to: [{operation: {methods: [GET]}}]
    - to: [{operation: {paths: [/open]}}]
";

#[test]
fn a_statement_is_asked_of_every_dimension_that_it_names() {
    finds(
        SHOP,
        &[
            ("forbid: {source: {principal: none}}", vec![37]),
            ("forbid: {source: {principal: none}, not_path: /open}", vec![]),
            ("forbid: {source: {namespace: neighbour}, path: {prefix: /adm}}", vec![35]),
            ("forbid: {source: {namespace: neighbour}, path: {suffix: /x}, method: [POST, PUT]}", vec![]),
            ("forbid: {source: {namespace: neighbour}, method: [POST, GET], not_path: /open}", vec![35]),
            ("forbid: {source: {service_account: neighbour/front}, path: /}", vec![35]),
            ("forbid: {source: {principal: {suffix: /sa/front}}, not_path: /open}", vec![35]),
            ("forbid: {source: {ingress: true}, path: {below: /admin}}", vec![33]),
            ("forbid: {not_source: [{ingress: true}, {namespace: neighbour}], path: {below: /admin}}", vec![]),
            ("forbid: {source: {same_namespace: true}, not_path: /open}", vec![]),
            ("forbid: {host: {suffix: .example}, not_path: /open, not_source: {namespace: neighbour}}", vec![33]),
            ("forbid: {mtls: false, not_path: [/open]}", vec![]),
            ("forbid: {mtls: true, path: /open}", vec![35, 37]),
            ("forbid: {jwt: valid}", vec![]),
            ("forbid: {port: 8080, path: /open}", vec![35, 37]),
            ("forbid: {port: 9090, path: /open}", vec![]),
            ("forbid: {workloads: {namespace: shop, labels: {app: cart}}, path: /open}", vec![35, 37]),
            ("forbid: {workloads: {labels: {app: other}}, path: /open}", vec![]),
            ("forbid: {workloads: {namespace: elsewhere}, path: /open}", vec![]),
        ],
    );
}

#[test]
fn at_a_gateway_the_path_is_what_the_workload_sees_and_the_request_path_what_was_sent() {
    finds(
        SHOP,
        &[
            ("forbid: {entrypoint: gateway, path: {below: /admin}}", vec![13]),
            ("forbid: {entrypoint: gateway, path: {below: /public}}", vec![]),
            ("forbid: {entrypoint: gateway, request_path: {prefix: /public}}", vec![13]),
            ("forbid: {entrypoint: gateway, request_path: {prefix: /admin}}", vec![]),
            ("forbid: {entrypoint: gateway, request_path: {below: /public}, path: /admin/x}", vec![13]),
            // `/public/..;/adminx` is normalised once more behind the rewrite.
            ("forbid: {entrypoint: gateway, request_path: {below: /public}, path: /adminx}", vec![13]),
            ("forbid: {entrypoint: gateway, request_path: /public, path: /adminx}", vec![]),
            ("forbid: {entrypoint: gateway, request_path: /publicx, path: /adminx}", vec![13]),
            ("forbid: {entrypoint: gateway, source: {outside: true}, path: /admin}", vec![13]),
            ("forbid: {entrypoint: gateway, source: {principal: any}}", vec![]),
            ("forbid: {entrypoint: gateway, host: shop.example}", vec![13]),
            ("forbid: {entrypoint: gateway, host: other.example}", vec![]),
            ("forbid: {entrypoint: gateway, not_method: [GET]}", vec![13]),
            ("forbid: {entrypoint: gateway, mtls: false}", vec![]),
            ("forbid: {entrypoint: gateway, port: 5432}", vec![]),
        ],
    );
}

#[test]
fn what_belongs_to_somebody_else_bears_no_finding() {
    let own: Vec<&str> = SHOP.split("---\n").collect();
    let (route, rest) = (own[1], [own[0], own[2], own[3], own[4]].join("---\n"));
    let statement = rule("forbid: {entrypoint: gateway}");
    let rules = RuleSet::read([(RULES, statement.as_str())]).expect("a rule");
    let mut files = Files::default();
    let file = files.add("mesh.yaml", rest);
    let context = files.add("platform.yaml", route);
    let inputs = [InputFile { file, context: false }, InputFile { file: context, context: true }];
    let loaded = load(&files, &inputs, &LoadOptions::default());
    let (world, _) = World::admit(loaded.mesh, WorldOptions::from(&Config::default()));
    let report = rule::check_all(&files, &world, &[], loaded.counts, &Config::default(), &rules);
    let finding = report.findings.iter().find(|finding| finding.rule == "own-rule").expect("delivered");
    assert_eq!((finding.label.span.file, finding.label.text.as_str()), (file, "a route of the context delivers it"));
    assert_eq!(finding.related.first().map(|related| related.span.file), Some(context));
}

#[test]
fn what_is_required_must_hold_of_every_cell_that_gets_in() {
    finds(
        SHOP,
        &[
            ("require: {source: {principal: any}}", vec![37]),
            ("where: {path: {below: /admin}}\nrequire: {source: [{ingress: true}, {namespace: neighbour}]}", vec![]),
            ("where: {path: {below: /admin}}\nrequire: {source: {ingress: true}}", vec![35]),
            ("where: {path: {below: /admin}}\nrequire: {mtls: true}", vec![]),
            ("where: {source: {namespace: neighbour}, not_path: /open}\nrequire: {method: GET}", vec![]),
            ("where: {source: {namespace: neighbour}}\nrequire: {not_path: /open, method: GET}", vec![35, 37]),
            // `/public/..;/open` arrives as `/open`, which anyone may reach.
            ("where: {entrypoint: gateway}\nrequire: {path: {prefix: /admin}}", vec![13]),
            ("where: {entrypoint: gateway, not_path: /open}\nrequire: {path: {prefix: /admin}}", vec![]),
            ("where: {entrypoint: gateway}\nrequire: {host: shop.example}", vec![]),
            ("where: {entrypoint: gateway}\nrequire: {jwt: valid}", vec![13]),
        ],
    );
    let (_, report) = check(SHOP, "where: {path: /open}\nrequire: {mtls: true, jwt: valid}");
    let message = &report.findings.last().expect("open").message;
    assert!(message.ends_with("accepts `/open` without a valid token, without mutual TLS"), "{message}");
}

#[test]
fn a_connection_has_neither_path_nor_token() {
    let open = SHOP.replace("    - to: [{operation: {paths: [/open]}}]\n", "    - {}\n");
    let (_, report) = check(&open, "forbid: {source: {principal: none}, port: 5432}");
    assert_eq!(report.findings.first().map(|finding| finding.cells), Some(1));
    assert!(check(&open, "forbid: {source: {principal: none}, port: 5432, jwt: none}").1.findings.is_empty());
}

#[test]
fn the_outside_comes_only_through_ports_that_something_opens() {
    let statement = "forbid: {source: {outside: true}, path: /open}";
    assert_eq!(lines(SHOP, statement), Vec::<u32>::new());
    for opened in [
        SHOP.replace("spec: {selector: {app: cart}, ports", "spec: {type: NodePort, selector: {app: cart}, ports"),
        SHOP.replace("[{image: x}]", "[{image: x, ports: [{containerPort: 8080, hostPort: 80}]}]"),
        SHOP.replace("name: tcp-db, port: 5432", "name: http-db, port: 5432")
            + "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: cart, namespace: shop}
spec: {defaultBackend: {service: {name: cart, port: {number: 8080}}}}
",
    ] {
        assert_eq!(lines(&opened, statement), [37], "{opened}");
    }
}

#[test]
fn nothing_verifies_a_token_where_no_proxy_stands() {
    let bare =
        SHOP.replace("labels: {app: cart}}, spec", "labels: {app: cart, sidecar.istio.io/inject: \"false\"}}, spec");
    assert!(check(&bare, "forbid: {jwt: valid}").1.findings.is_empty());
    assert!(check(&bare, "forbid: {mtls: true}").1.findings.is_empty());
    let (_, report) = check(&bare, "where: {path: /admin}\nrequire: {jwt: valid}");
    assert_eq!(report.findings.len(), 1);
}

/// A token that only the cart's own proxy verifies, and a rule that asks for it.
const TOKEN: &str = "---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: shop}
spec: {selector: {matchLabels: {app: cart}}, jwtRules: [{issuer: me, jwksUri: https://me.example/keys}]}
";

#[test]
fn a_gateway_that_verifies_no_token_passes_it_on() {
    let asks = SHOP.replace(
        "      to: [{operation: {paths: [\"/admin*\"]}}]\n",
        "      to: [{operation: {paths: [\"/admin*\"]}}]\n      when: [{key: \"request.auth.claims[iss]\", values: [me]}]\n",
    );
    let both = asks.clone() + TOKEN;
    assert_eq!(lines(&both, "forbid: {entrypoint: gateway, path: /admin}"), [13]);
    assert_eq!(lines(&both, "where: {entrypoint: gateway, not_path: /open}\nrequire: {jwt: valid}"), Vec::<u32>::new());
    assert_eq!(lines(&asks, "forbid: {entrypoint: gateway, path: /admin}"), Vec::<u32>::new());
}

#[test]
fn what_cannot_be_told_is_not_proven_and_what_is_not_there_is_noted() {
    let custom = SHOP.to_owned()
        + "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: c, namespace: shop}\n\
           spec: {action: CUSTOM, provider: {name: p}, rules: [{to: [{operation: {paths: [/open]}}]}]}\n";
    let (_, report) = check(&custom, "severity: warning\nforbid: {path: /open, source: {principal: none}}");
    let finding = report.findings.first().expect("not proven");
    assert_eq!((finding.status, finding.severity), (Status::NotProven, Severity::Warning));
    assert!(finding.message.starts_with("`own-rule` is not proven of `shop/cart`"), "{}", finding.message);
    let (_, report) = check(SHOP, "forbid: {workloads: {namespace: elsewhere}}");
    assert!(report.notes.iter().any(|note| note.message == "the rule `own-rule` is about no workload of the input"));
    let (_, report) = check(SHOP, "forbid: {path: /admin, source: {principal: none}}");
    assert_eq!(report.summary.proven.last().map(String::as_str), Some("no own-rule in 1 workload"));
}

#[test]
fn words_of_a_rule_are_filled_in() {
    let (_, report) = check(
        SHOP,
        "message: \"`{route}` sends {method} `{path}` of {host} {source} to `{workload}`\"\nlabel: by `{route}`\n\
         help: stop `{route}`\nforbid: {entrypoint: gateway, host: shop.example}",
    );
    let finding = report.findings.first().expect("delivered");
    assert_eq!(finding.message, "`shop/vs` sends GET `/public` of shop.example outside to `shop/cart`");
    assert_eq!(finding.label.text, "by `shop/vs`");
    assert_eq!(finding.help.as_deref(), Some("stop `shop/vs`"));
}

#[test]
fn a_rule_that_cannot_be_meant_is_told_with_its_place_and_the_nearest_word() {
    for (statement, marked, words) in [
        ("forbid: {paht: /a}", "paht", "`forbid` has no key `paht`; the nearest key is `path`"),
        ("forbod: {path: /a}", "forbod", "the rule has no key `forbod`; the nearest key is `forbid`"),
        ("forbid: {}", "{}", "`forbid` says nothing"),
        ("forbid: {path: /a}\nrequire: {mtls: true}", "{mtls: true}", "not both"),
        ("forbid: {path: /a}\nwhere: {method: GET}", "{method: GET}", "`where` goes with `require`"),
        ("where: {path: /a}", "id: own-rule", "says neither `forbid` nor `require`"),
        ("check: input\nforbid: {path: /a}", "input", "`check` names what is built in"),
        ("fix: upper case\nforbid: {path: /a}", "upper case", "`fix` is about what is built in"),
        ("forbid: {path: []}", "[]", "must have an item"),
        ("forbid: {path: api}", "api", "`api` is no path"),
        ("forbid: {path: /a/*}", "/a/*", "write `below`, `prefix` or `suffix`"),
        ("forbid: {path: {prefix: /a, suffix: b}}", "{prefix: /a, suffix: b}", "matched in one way"),
        ("forbid: {path: {prefx: /a}}", "prefx", "`forbid.path` has no key `prefx`; the nearest key is `prefix`"),
        ("forbid: {method: get}", "get", "the nearest is `GET`"),
        ("forbid: {host: \"*.example\"}", "\"*.example\"", "write `suffix: .example.com`"),
        ("forbid: {entrypoint: gatway}", "gatway", "must be one of `gateway`, `service`, `workload`, not `gatway`"),
        ("forbid: {source: {}}", "{}", "a source needs a key"),
        ("forbid: {source: {namespace: a, ingress: true}}", "{namespace: a, ingress: true}", "a source has one key"),
        ("forbid: {source: {ingress: false}}", "{ingress: false}", "write `not_source: {ingress: true}`"),
        ("forbid: {source: {principal: nome}}", "{principal: nome}", "the nearest word is `none`"),
        ("forbid: {source: {service_account: a}}", "{service_account: a}", "no `NAMESPACE/NAME`"),
        ("forbid: {entrypoint: gateway, source: {ingress: true}}", "{ingress: true}", "nobody sends to a gateway"),
        ("forbid: {request_path: /a}", "/a", "write `entrypoint: gateway` or `service`, or `path`"),
        ("require: {port: 80, mtls: true}", "{port: 80, mtls: true}", "write `port` under `where`"),
        ("require: {source: {outside: true}}", "{outside: true}", "nothing that a request can be required"),
        ("forbid: {port: 70000}", "70000", "`forbid.port`"),
        ("forbid: {decision: refused}", "refused", "must be one of `allowed`, `denied`, not `refused`"),
        ("forbid: {entrypoint: gateway, decision: denied}", "denied", "on its way to no workload"),
        ("forbid: {entrypoint: service, source: {ingress: true}}", "{ingress: true}", "a sidecar of their own"),
        ("message: \"`{wrkload}`\"\nforbid: {path: /a}", "\"`{wrkload}`\"", "the nearest is `{workload}`"),
        ("label: \"{route}\"\nforbid: {path: /a}", "\"{route}\"", "write `entrypoint: gateway`"),
        ("severity: eror\nforbid: {path: /a}", "eror", "must be one of `info`, `warning`, `error`, not `eror`"),
    ] {
        let found = wrong(&rule(statement));
        let told = found.iter().any(|(text, message)| text.starts_with(marked) && message.contains(words));
        assert!(told, "{statement}: {found:?}");
    }
}

#[test]
fn an_id_is_ones_own() {
    let forbid = "title: t\nforbid: {path: /a}\n";
    let id = |id: &str| wrong(&format!("id: {id}\n{forbid}"));
    assert_eq!(id("unknown-field"), [("unknown-field".to_owned(), "`unknown-field` is a built-in rule".to_owned())]);
    assert_eq!(id("Mine").first().map(|(_, words)| words.contains("is no id")), Some(true));
    let twice = wrong(&format!("id: mine\n{forbid}---\nid: mine\n{forbid}"));
    assert_eq!(twice, [("mine".to_owned(), "`mine` is another rule already".to_owned())]);
    assert_eq!(wrong("# nothing\n").first().map(|(_, words)| words.as_str()), Some("this file holds no rule"));
}

/// The shop with a page that asks the cart for `/hidden` through a route on `mesh`, a probe that is let in nowhere, and
/// a policy that refuses what it lists.
const MESH_ROUTES: &str = "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: inner, namespace: shop}
spec:
  hosts: [cart]
  http:
    - match: [{uri: {prefix: /public}}]
      rewrite: {uri: /hidden}
      route: [{destination: {host: cart}}]
    - route: [{destination: {host: cart}}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{image: x}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: page, namespace: shop}
spec: {template: {metadata: {labels: {app: page}}, spec: {serviceAccountName: page, containers: [{image: x}]}}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  rules:
    - from: [{source: {principals: [cluster.local/ns/shop/sa/page]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: not-here, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  action: DENY
  rules:
    - to: [{operation: {paths: [/metrics]}}]
";

#[test]
fn a_statement_about_services_is_asked_of_what_sidecars_of_clients_send() {
    finds(
        MESH_ROUTES,
        &[
            // Through the route of the virtual service, and through nothing else from such a path.
            ("forbid: {entrypoint: service, request_path: {below: /public}, path: {prefix: /hidden}}", vec![7]),
            ("forbid: {entrypoint: service, request_path: /public/x, path: /public/x}", vec![]),
            ("forbid: {entrypoint: service, request_path: /other, path: /other}", vec![10]),
            // Who sends is the client, and its sidecar speaks mutual TLS.
            // The prefix also takes `/public/%2e%2e;/other`, of which dot segments are left after the rewrite.
            ("forbid: {entrypoint: service, source: {service_account: shop/page}, path: /other}", vec![7, 10]),
            ("forbid: {entrypoint: service, not_source: {service_account: shop/page}}", vec![]),
            ("forbid: {entrypoint: service, mtls: false}", vec![]),
            ("forbid: {entrypoint: [gateway, service], path: /metrics}", vec![]),
        ],
    );
    // Where no virtual service routes, the Service itself leads to the workload.
    assert_eq!(lines(SHOP, "forbid: {entrypoint: service, path: /open}"), vec![19]);
}

#[test]
fn a_clients_own_sidecar_has_no_policies_to_speak_of() {
    let (_, report) =
        check(MESH_ROUTES, "forbid: {entrypoint: service, request_path: /public/x, path: {prefix: /hidden}}");
    let finding = report.findings.first().expect("a finding");
    let told: Vec<&str> =
        finding.way.steps.iter().filter(|step| step.at == "client shop/page").map(|step| step.what.as_str()).collect();
    assert_eq!(
        told,
        [
            "the virtual host `cart` takes `cart`",
            "VirtualService shop/inner takes it",
            "the path goes on as `/hidden/x`",
        ]
    );
}

#[test]
fn a_statement_about_what_is_refused_names_the_rule_that_refuses() {
    finds(
        MESH_ROUTES,
        &[
            ("forbid: {decision: denied, source: {service_account: shop/page}}", vec![42]),
            ("forbid: {decision: denied, source: {service_account: shop/page}, not_path: /metrics}", vec![]),
            // No rule refuses whom none admits.
            ("forbid: {decision: denied, source: {service_account: shop/other}, not_path: /metrics}", vec![19]),
            ("where: {source: {service_account: shop/page}, path: /pay}\nrequire: {decision: allowed}", vec![]),
            ("where: {source: {service_account: shop/page}, path: /metrics}\nrequire: {decision: allowed}", vec![42]),
            ("where: {source: {service_account: shop/page}, path: /pay}\nrequire: {decision: denied}", vec![33]),
            ("where: {source: {service_account: shop/page}, path: /metrics}\nrequire: {decision: denied}", vec![]),
        ],
    );
}

#[test]
fn what_is_refused_is_shown_by_a_request_that_is_refused() {
    let (_, report) = check(MESH_ROUTES, "forbid: {decision: denied, source: {service_account: shop/page}}");
    let finding = report.findings.first().expect("a finding");
    assert_eq!(finding.status, Status::Broken);
    assert!(finding.message.contains("`shop/cart` refuses `/metrics`"), "{}", finding.message);
    let witness = finding.witness.as_ref().expect("a witness");
    assert_eq!((witness.path.as_str(), witness.source.as_deref()), ("/metrics", Some("cluster.local/ns/shop/sa/page")));
}
