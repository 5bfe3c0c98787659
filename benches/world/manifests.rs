//! A generated mesh as the files that people would write: namespaces of eight workloads, each with its deployment,
//! account, service and virtual service; policies by label, 6 % namespace-wide; one gateway; a deny-all for everything.

use std::fmt::Write as _;

use super::dice::Dice;

/// Workloads of a namespace.
const PER_NAMESPACE: usize = 8;

/// The files of a mesh of so many workloads, with their names, in path order.
pub(crate) fn manifests(workloads: usize, policies: usize, seed: u64) -> Vec<(String, String)> {
    let mut dice = Dice::new(seed);
    let namespaces = workloads.div_ceil(PER_NAMESPACE);
    let mut files = vec![("mesh/mesh.yaml".to_owned(), MESH.to_owned())];
    for number in 0..namespaces {
        let name = format!("ns{number:05}");
        let first = number * PER_NAMESPACE;
        let own = PER_NAMESPACE.min(workloads - first);
        let policies = policies * (number + 1) / namespaces - policies * number / namespaces;
        let (mut apps, mut routes, mut rules) = (namespace(&name), String::new(), String::new());
        for workload in 0..own {
            app(&mut apps, &name, workload);
            route(&mut routes, &name, workload);
        }
        for policy in 0..policies {
            self::policy(&mut rules, &mut dice, &name, policy, own, namespaces);
        }
        files.push((format!("{name}/apps.yaml"), apps));
        files.push((format!("{name}/policies.yaml"), rules));
        files.push((format!("{name}/routes.yaml"), routes));
    }
    files
}

/// A mesh for tools that look at every pair of workloads: one policy of two rules for each.
pub(crate) fn few_rules(workloads: usize) -> Vec<(String, String)> {
    let namespaces = workloads.div_ceil(PER_NAMESPACE);
    let mut files = vec![("mesh/mesh.yaml".to_owned(), MESH.to_owned())];
    for number in 0..namespaces {
        let name = format!("ns{number:05}");
        let mut text = namespace(&name);
        for workload in 0..PER_NAMESPACE.min(workloads - number * PER_NAMESPACE) {
            app(&mut text, &name, workload);
            let (caller, reader) = ((number + 1) % namespaces, (number + 3) % namespaces);
            let _ = write!(
                text,
                "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: app{workload}
  namespace: {name}
spec:
  selector:
    matchLabels:
      app: app{workload}
  rules:
  - from:
    - source:
        principals: [\"cluster.local/ns/ns{caller:05}/sa/sa{workload}\"]
    to:
    - operation:
        methods: [\"GET\"]
        paths: [\"/items{workload}/*\"]
  - from:
    - source:
        namespaces: [\"ns{reader:05}\"]
    to:
    - operation:
        paths: [\"/orders{workload}\"]
"
            );
        }
        files.push((format!("{name}/all.yaml"), text));
    }
    files
}

/// What the platform team owns.
const MESH: &str = "\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: deny-all
  namespace: istio-system
spec: {}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: istio-system
spec:
  mtls:
    mode: STRICT
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: public
  namespace: istio-system
spec:
  selector:
    istio: ingressgateway
  servers:
  - port:
      number: 80
      name: http
      protocol: HTTP
    hosts:
    - \"*.example.com\"
";

/// A namespace in the mesh.
fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    istio-injection: enabled\n")
}

/// A deployment with its account and its service.
fn app(text: &mut String, namespace: &str, number: usize) {
    let _ = write!(
        text,
        "---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: sa{number}
  namespace: {namespace}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app{number}
  namespace: {namespace}
  labels:
    app: app{number}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: app{number}
  template:
    metadata:
      labels:
        app: app{number}
        version: v1
    spec:
      serviceAccountName: sa{number}
      containers:
      - name: main
        image: registry.example.com/{namespace}/app{number}:1.4.2
        ports:
        - containerPort: 8080
        resources:
          requests:
            cpu: 100m
            memory: 128Mi
---
apiVersion: v1
kind: Service
metadata:
  name: app{number}
  namespace: {namespace}
spec:
  selector:
    app: app{number}
  ports:
  - name: http
    port: 80
    targetPort: 8080
"
    );
}

/// The route to a workload from the gateway.
fn route(text: &mut String, namespace: &str, number: usize) {
    let _ = write!(
        text,
        "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: app{number}
  namespace: {namespace}
spec:
  hosts:
  - app{number}.{namespace}.example.com
  gateways:
  - istio-system/public
  http:
  - match:
    - uri:
        prefix: /v{number}/
    route:
    - destination:
        host: app{number}
        port:
          number: 80
"
    );
}

/// A policy of one to four rules about paths, methods and sources.
fn policy(text: &mut String, dice: &mut Dice, namespace: &str, number: usize, workloads: usize, namespaces: usize) {
    let action = if dice.chance(20) { "DENY" } else { "ALLOW" };
    let _ = write!(
        text,
        "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: policy{number}
  namespace: {namespace}
spec:
"
    );
    if !dice.chance(6) {
        let _ = write!(text, "  selector:\n    matchLabels:\n      app: app{}\n", number % workloads);
    }
    let _ = write!(text, "  action: {action}\n  rules:\n");
    for _ in 0..=dice.below(4) {
        text.push_str("  - from:\n    - source:\n");
        if dice.chance(70) {
            text.push_str("        principals:\n");
            for _ in 0..=dice.below(3) {
                let (namespace, account) = (dice.below(namespaces), dice.below(PER_NAMESPACE));
                let _ = writeln!(text, "        - cluster.local/ns/ns{namespace:05}/sa/sa{account}");
            }
        } else {
            let _ = writeln!(text, "        namespaces: [\"ns{:05}\"]", dice.below(namespaces));
        }
        text.push_str("    to:\n    - operation:\n        paths:\n");
        for _ in 0..=dice.below(3) {
            let _ = writeln!(text, "        - {}", path(dice));
        }
        if dice.chance(30) {
            text.push_str("        methods: [\"GET\", \"POST\"]\n");
        }
    }
}

/// A path as policies write it.
fn path(dice: &mut Dice) -> String {
    let words = ["users", "orders", "admin", "health", "items", "cart", "pay", "search"];
    let word = |dice: &mut Dice| format!("{}{}", words.get(dice.below(words.len())).unwrap_or(&"x"), dice.below(400));
    let path = format!("/{}/{}", word(dice), word(dice));
    match dice.below(100) {
        0..70 => format!("{path}/*"),
        70..95 => path,
        _ => format!("\"*/{}\"", word(dice)),
    }
}
