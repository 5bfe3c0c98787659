//! Answers to single requests, where the tables of the specification have no row.

use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query::Evaluator;
use meshlint::semantics::{Answer, By, Decision, Request, World, WorldOptions};
use meshlint::text::Files;

/// Two workloads with sidecars, their Services, and a client.
const BASE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: app, labels: {istio-injection: enabled}}\n\
---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: app}\nspec: {template: {metadata: {labels: {app: shop}}, spec: {serviceAccountName: shop}}}\n\
---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: app}\nspec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}\n\
---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: pay, namespace: app}\nspec: {template: {metadata: {labels: {app: pay}}, spec: {serviceAccountName: pay}}}\n\
---\napiVersion: v1\nkind: Service\nmetadata: {name: pay, namespace: app}\nspec: {selector: {app: pay}, ports: [{name: http, port: 80, targetPort: 8080}]}\n";

/// The answer in the base world with more objects.
fn answer(more: &str, request: &Request) -> Answer {
    let mut files = Files::default();
    let file = files.add("a.yaml", format!("{BASE}---\n{more}"));
    let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let (world, refused) = World::admit(loaded.mesh, WorldOptions { assume_injected: true, ..WorldOptions::default() });
    assert!(refused.is_empty(), "{refused:?}");
    Evaluator::new(&world).answer(request).expect("it can be answered")
}

/// A request of `pay` through its own sidecar.
fn from_pay(path: &str) -> Request {
    Request {
        source: Some("cluster.local/ns/app/sa/pay".to_owned()),
        path: path.to_owned(),
        ..Request::at("service app/shop:80")
    }
}

/// A virtual service on `mesh`.
fn mesh_route(name: &str, hosts: &str, http: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {name}, namespace: app}}\n\
         spec: {{hosts: [{hosts}], http: [{http}]}}\n"
    )
}

#[test]
fn a_service_without_virtual_service_takes_every_path() {
    let answer = answer("", &from_pay("/anything"));
    assert_eq!((answer.outcome.decision, answer.outcome.by), (Decision::Allowed, Some(By::Reached)));
    assert_eq!(answer.outcome.workload.as_deref(), Some("app/shop"));
}

#[test]
fn a_route_on_mesh_binds_only_who_goes_through_a_sidecar() {
    let route = mesh_route("a", "shop", "{match: [{uri: {prefix: /api}}], route: [{destination: {host: shop}}]}");
    assert_eq!(answer(&route, &from_pay("/internal")).outcome.by, Some(By::NoRoute));
    let straight = Request { path: "/internal".to_owned(), ..Request::at("workload app/shop:8080") };
    assert_eq!(answer(&route, &straight).outcome.by, Some(By::Reached));
}

#[test]
fn of_two_virtual_services_of_unknown_age_nobody_knows_which_counts() {
    let http = |service: &str| format!("{{route: [{{destination: {{host: {service}}}}}]}}");
    let two = format!("{}---\n{}", mesh_route("a", "shop", &http("shop")), mesh_route("b", "shop", &http("pay")));
    let answer = answer(&two, &from_pay("/"));
    assert_eq!(answer.outcome.decision, Decision::Undetermined);
    assert!(answer.outcome.cause.is_some_and(|cause| cause.message.contains("older")));
}

#[test]
fn weights_give_every_possible_outcome() {
    let route = mesh_route(
        "a",
        "shop",
        "{route: [{destination: {host: shop}, weight: 90}, {destination: {host: pay}, weight: 10}]}",
    );
    let deny = "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: none, namespace: app}\n\
                spec: {selector: {matchLabels: {app: pay}}}\n";
    let answer = answer(&format!("{route}{deny}"), &from_pay("/"));
    assert_eq!(answer.outcome.decision, Decision::Allowed);
    let ends: Vec<(Decision, Option<&str>)> =
        answer.outcomes.iter().map(|outcome| (outcome.decision, outcome.workload.as_deref())).collect();
    assert_eq!(ends, [(Decision::Allowed, Some("app/shop")), (Decision::Denied, Some("app/pay"))]);
}

#[test]
fn an_unknown_host_is_passed_through_unless_the_registry_is_all_there_is() {
    let other = Request { authority: Some("elsewhere.example".to_owned()), ..from_pay("/") };
    assert_eq!(answer("", &other).outcome.by, Some(By::Reached));
    let closed = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n\
                  data: {mesh: \"outboundTrafficPolicy: {mode: REGISTRY_ONLY}\"}\n";
    assert_eq!(answer(closed, &other).outcome.by, Some(By::DirectResponse));
}

#[test]
fn a_caller_that_nobody_in_the_input_is_has_no_known_sidecar() {
    let stranger = Request { source: Some("cluster.local/ns/far/sa/away".to_owned()), ..from_pay("/") };
    assert_eq!(answer("", &stranger).outcome.decision, Decision::Undetermined);
}

#[test]
fn without_automatic_mtls_and_without_a_rule_clients_speak_plaintext() {
    let off = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: \"enableAutoMtls: false\"}\n";
    let strict = "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: default, namespace: app}\n\
                  spec: {mtls: {mode: STRICT}}\n";
    assert_eq!(answer(off, &from_pay("/")).outcome.by, Some(By::Reached));
    assert_eq!(answer(&format!("{off}{strict}"), &from_pay("/")).outcome.by, Some(By::Closed));
}

#[test]
fn a_destination_rule_that_disables_tls_takes_the_identity_away() {
    let rules = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: plain, namespace: app}\n\
                 spec: {host: shop, trafficPolicy: {tls: {mode: DISABLE}}}\n\
                 ---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: own, namespace: app}\n\
                 spec: {rules: [{from: [{source: {namespaces: [app]}}]}]}\n";
    let answer = answer(rules, &from_pay("/"));
    assert_eq!((answer.outcome.by, answer.outcome.at.as_deref()), (Some(By::Policy), Some("workload app/shop")));
}

#[test]
fn a_port_that_nothing_names_is_no_listener() {
    assert_eq!(answer("", &Request::at("workload app/shop:9999")).outcome.by, Some(By::NoListener));
}

#[test]
fn keys_without_an_issuer_verify_tokens_of_any_issuer() {
    let jwt = "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: jwt, namespace: app}\n\
               spec: {jwtRules: [{jwksUri: \"https://keys.example/jwks\"}]}\n\
               ---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: token, namespace: app}\n\
               spec: {rules: [{from: [{source: {requestPrincipals: [\"anyone/*\"]}}]}]}\n";
    let claims = serde_json::json!({"iss": "anyone", "sub": "x"});
    let request = Request { claims: claims.as_object().cloned(), ..Request::at("workload app/shop:8080") };
    let with_port = Request { entrypoint: "service app/shop:80".to_owned(), ..request };
    assert_eq!(answer(jwt, &with_port).outcome.by, Some(By::Reached));
}

#[test]
fn ambient_and_replaced_listeners_are_not_judged() {
    let sidecar = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: own, namespace: app}\n\
                   spec: {workloadSelector: {labels: {app: shop}}, ingress: [{port: {number: 8080, protocol: HTTP, name: http}}]}\n";
    let request = Request::at("workload app/shop:8080");
    assert_eq!(answer(sidecar, &request).outcome.decision, Decision::Undetermined);
    let ambient = "apiVersion: v1\nkind: Namespace\nmetadata: {name: far, labels: {istio.io/dataplane-mode: ambient}}\n\
                   ---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: far}\n\
                   spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{ports: [{containerPort: 80}]}]}}}\n";
    assert_eq!(answer(ambient, &Request::at("workload far/web:80")).outcome.decision, Decision::Undetermined);
}

/// A Gateway for everything and a virtual service behind it.
fn behind_a_gateway(http: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: gw, namespace: app}}\n\
         spec: {{selector: {{istio: ingressgateway}}, servers: [{{hosts: [\"*\"], port: {{number: 80, name: http, protocol: HTTP}}}}]}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: vs, namespace: app}}\n\
         spec: {{hosts: [shop.example.com], gateways: [gw], http: [{http}]}}\n"
    )
}

#[test]
fn a_trace_tells_every_hop_and_why_earlier_routes_did_not_match() {
    let http = "{match: [{uri: {exact: /x}}, {method: {exact: POST}}], route: [{destination: {host: pay}}]}, \
                {match: [{uri: {prefix: /api/}}], rewrite: {uri: /}, route: [{destination: {host: shop}}]}";
    let request = Request {
        authority: Some("shop.example.com:80".to_owned()),
        path: "/api/../api/orders?n=1".to_owned(),
        ..Request::at("gateway app/gw:80")
    };
    let answer = answer(&behind_a_gateway(http), &request);
    let told: Vec<(&str, &str)> = answer.trace.iter().map(|step| (step.at.as_str(), step.what.as_str())).collect();
    assert_eq!(
        told,
        [
            ("gateway app/gw", "a server of Gateway app/gw listens on port 80"),
            ("gateway app/gw", "a server of this port takes the connection"),
            ("gateway app/gw", "no ALLOW policy is attached, so everything passes"),
            ("gateway app/gw", "the virtual host `shop.example.com` takes `shop.example.com:80`"),
            ("gateway app/gw", "a route of VirtualService app/vs does not match: the path is not `/x`"),
            ("gateway app/gw", "a route of VirtualService app/vs does not match: the method is not `POST`"),
            ("gateway app/gw", "VirtualService app/vs takes it"),
            ("gateway app/gw", "the path goes on as `/orders?n=1`"),
            ("workload app/shop", "mTLS is PERMISSIVE on port 8080"),
            ("workload app/shop", "no ALLOW policy is attached, so everything passes"),
        ]
    );
    let places = answer.trace.iter().filter(|step| step.what.contains("VirtualService")).filter_map(|step| step.span);
    assert_eq!(places.count(), 3, "what a route does has its place");
}

#[test]
fn a_virtual_service_of_one_namespace_captures_a_host_of_another_on_mesh() {
    let hijack = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: grab, namespace: team2}\n\
                  spec: {hosts: [shop.app.svc.cluster.local], http: [{route: [{destination: {host: pay.app.svc.cluster.local}}]}]}\n";
    assert_eq!(answer(hijack, &from_pay("/")).outcome.workload.as_deref(), Some("app/pay"));
    let hidden = hijack.replace("spec: {", "spec: {exportTo: [\".\"], ");
    assert_eq!(answer(&hidden, &from_pay("/")).outcome.workload.as_deref(), Some("app/shop"));
}

#[test]
fn what_a_sidecar_does_not_know_is_passed_through_in_plaintext() {
    let scope = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: scope, namespace: app}\n\
                 spec: {workloadSelector: {labels: {app: pay}}, egress: [{hosts: [\"istio-system/*\"]}]}\n\
                 ---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: own, namespace: app}\n\
                 spec: {rules: [{from: [{source: {namespaces: [app]}}]}]}\n";
    let unknown = answer(scope, &from_pay("/"));
    assert_eq!((unknown.outcome.by, unknown.outcome.at.as_deref()), (Some(By::Policy), Some("workload app/shop")));
    let closed = scope.replace("egress:", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress:");
    // Nothing that it knows listens there for HTTP, so the connection itself is closed.
    assert_eq!(answer(&closed, &from_pay("/")).outcome.by, Some(By::Closed));
}

#[test]
fn a_sidecar_without_ports_of_its_own_finds_only_services_of_the_port_that_was_dialled() {
    let other = "---\napiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: app}\n\
                 spec: {selector: {app: pay}, ports: [{name: http, port: 8080}]}\n";
    let route = mesh_route("a", "shop", "{route: [{destination: {host: other}}]}");
    assert_eq!(answer(&format!("{route}{other}"), &from_pay("/")).outcome.by, Some(By::NoDestination));
}

#[test]
fn another_name_leads_to_the_service_that_it_stands_for() {
    let alias = "---\napiVersion: v1\nkind: Service\nmetadata: {name: till, namespace: app}\n\
                 spec: {type: ExternalName, externalName: pay.app.svc.cluster.local, ports: [{name: http, port: 80}]}\n";
    let route = behind_a_gateway("{route: [{destination: {host: till}}]}");
    let request = Request { authority: Some("shop.example.com".to_owned()), ..Request::at("gateway app/gw:80") };
    assert_eq!(answer(&format!("{route}{alias}"), &request).outcome.workload.as_deref(), Some("app/pay"));
}

#[test]
fn a_service_entry_leads_to_the_workloads_that_it_selects_and_else_out_of_the_input() {
    let entry = |more: &str| {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e, namespace: app}}\n\
             spec: {{hosts: [e.example], location: MESH_INTERNAL, ports: [{{number: 80, name: http, protocol: HTTP, targetPort: 8080}}], {more}}}\n"
        )
    };
    let route = behind_a_gateway("{route: [{destination: {host: e.example}}]}");
    let request = Request { authority: Some("shop.example.com".to_owned()), ..Request::at("gateway app/gw:80") };
    let selected =
        answer(&format!("{route}{}", entry("resolution: STATIC, workloadSelector: {labels: {app: pay}}")), &request);
    assert_eq!(selected.outcome.workload.as_deref(), Some("app/pay"));
    let outside = answer(&format!("{route}{}", entry("resolution: DNS")), &request);
    assert_eq!(outside.outcome.decision, Decision::Undetermined);
    let hidden = answer(&format!("{route}{}", entry("resolution: DNS, exportTo: [\"~\"]")), &request);
    assert_eq!(hidden.outcome.by, Some(By::NoDestination));
}

#[test]
fn a_client_that_spares_a_port_from_its_sidecar_goes_by_no_virtual_service() {
    let spared = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bold, namespace: app}\n\
                  spec: {template: {metadata: {labels: {app: bold}, annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: \"80\"}}, spec: {serviceAccountName: bold}}}\n---\n";
    let route = mesh_route("a", "shop", "{match: [{uri: {prefix: /api}}], route: [{destination: {host: shop}}]}");
    let request = Request { source: Some("cluster.local/ns/app/sa/bold".to_owned()), ..from_pay("/internal") };
    assert_eq!(answer(&format!("{spared}{route}"), &request).outcome.by, Some(By::Reached));
}

#[test]
fn bytes_take_the_routes_of_bytes() {
    let db = "apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: app}\nspec: {selector: {app: shop}, ports: [{name: tcp-db, port: 90}]}\n";
    let route = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: t, namespace: app}\n\
                 spec: {hosts: [db], http: [{directResponse: {status: 403}}], tcp: [{match: [{port: 91}], route: [{destination: {host: gone}}]}, {route: [{destination: {host: pay, port: {number: 80}}}]}]}\n";
    let request = Request { entrypoint: "service app/db:90".to_owned(), ..from_pay("/") };
    assert_eq!(answer(db, &request).outcome.workload.as_deref(), Some("app/shop"));
    assert_eq!(answer(&format!("{db}{route}"), &request).outcome.workload.as_deref(), Some("app/pay"));
}

#[test]
fn the_steps_of_several_destinations_come_before_those_of_the_route() {
    let http = "{headers: {request: {set: {x-who: route}}}, route: [{destination: {host: shop}, weight: 1, headers: {request: {set: {x-who: shop, x-own: shop}}}}, {destination: {host: pay}, weight: 1}]}";
    let policy = |value: &str| {
        format!(
            "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: who, namespace: app}}\n\
             spec: {{selector: {{matchLabels: {{app: shop}}}}, rules: [{{when: [{value}]}}]}}\n"
        )
    };
    let request = Request { authority: Some("shop.example.com".to_owned()), ..Request::at("gateway app/gw:80") };
    let reached = |when: &str| {
        let answer = answer(&format!("{}{}", behind_a_gateway(http), policy(when)), &request);
        answer
            .outcomes
            .iter()
            .any(|outcome| outcome.decision == Decision::Allowed && outcome.workload.as_deref() == Some("app/shop"))
    };
    assert!(reached("{key: \"request.headers[x-who]\", values: [route]}"));
    assert!(!reached("{key: \"request.headers[x-who]\", values: [shop]}"));
    assert!(reached("{key: \"request.headers[x-own]\", values: [shop]}"));
}

#[test]
fn an_ingress_that_istio_serves_makes_its_hosts_undetermined_and_no_others() {
    let ingress = "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: app}\n\
                   spec: {ingressClassName: istio, rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: pay, port: {number: 80}}}}]}}]}\n";
    let route = behind_a_gateway("{route: [{destination: {host: shop}}]}")
        .replace("hosts: [shop.example.com]", "hosts: [shop.example.com, a.example.com]");
    let at = |host: &str| Request { authority: Some(host.to_owned()), ..Request::at("gateway app/gw:80") };
    let both = format!("{route}{ingress}");
    assert_eq!(answer(&both, &at("shop.example.com")).outcome.decision, Decision::Undetermined);
    assert_eq!(answer(&both, &at("a.example.com")).outcome.workload.as_deref(), Some("app/shop"));
    let other = both.replace("ingressClassName: istio", "ingressClassName: nginx");
    assert_eq!(answer(&other, &at("shop.example.com")).outcome.workload.as_deref(), Some("app/shop"));
}

#[test]
fn each_workload_that_serves_a_gateway_answers_for_itself() {
    let pod = |name: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: edge}}\n\
             spec: {{template: {{metadata: {{labels: {{istio: ingressgateway, app: {name}}}}}, spec: {{serviceAccountName: edge}}}}}}\n"
        )
    };
    let manifests = format!(
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: public, namespace: edge}}\n\
         spec: {{selector: {{istio: ingressgateway}}, servers: [{{hosts: [\"*\"], port: {{number: 80, name: http, protocol: HTTP}}}}]}}\n\
         {}{}---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: nothing, namespace: edge}}\n\
         spec: {{selector: {{matchLabels: {{app: shut}}}}}}\n",
        pod("open"),
        pod("shut")
    );
    let answer = answer(&manifests, &Request::at("gateway edge/public:80"));
    let ways: Vec<Option<By>> = answer.outcomes.iter().map(|outcome| outcome.by).collect();
    assert_eq!(ways, [Some(By::NoRoute), Some(By::Policy)]);
}

#[test]
fn behind_a_gateway_that_passes_bytes_on_nobody_knows_the_address_of_the_client() {
    let manifests = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: app}\n\
         spec: {selector: {istio: ingressgateway}, servers: [{hosts: [\"*\"], port: {number: 90, name: tcp, protocol: TCP}}]}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: vs, namespace: app}\n\
         spec: {hosts: [\"*\"], gateways: [gw], tcp: [{route: [{destination: {host: shop, port: {number: 80}}}]}]}\n\
         ---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: office, namespace: app}\n\
         spec: {rules: [{from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]}]}\n";
    for address in ["10.1.2.3", "192.0.2.1"] {
        let request = Request { source_ip: Some(address.to_owned()), ..Request::at("gateway app/gw:90") };
        let outcome = answer(manifests, &request).outcome;
        assert_eq!(outcome.decision, Decision::Undetermined, "{address}: {outcome:?}");
        // What the client writes into the bytes itself is believed.
        let request = Request { headers: vec![("x-forwarded-for".to_owned(), "10.9.9.9".to_owned())], ..request };
        assert_eq!(answer(manifests, &request).outcome.by, Some(By::Reached), "{address}");
    }
}
