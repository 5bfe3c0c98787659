//! What is in force for a row, as manifests.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use meshlint::config::WorldSetting;

/// The parts of the base world that a row can change.
#[derive(Default)]
struct Base<'a> {
    port: Option<&'a str>,
    app_protocol: String,
    mesh: String,
    namespace_labels: Option<&'a str>,
    labels: String,
    annotations: String,
    pod: String,
    web_mode: Option<&'a str>,
    port_mode: Option<(&'a str, &'a str)>,
    gateway: Option<&'a str>,
    routes: Option<&'a str>,
    gateway_annotations: &'a str,
    service: bool,
    more: String,
}

/// The entries of the second cell of a row.
fn parts(force: &str) -> impl Iterator<Item = &str> {
    force.split(" ;; ").map(str::trim).filter(|part| *part != "base")
}

/// The objects that the owner vouches for: `trusted=KIND NS/NAME`.
pub(super) fn trusted(force: &str) -> BTreeMap<String, String> {
    let named = parts(force).filter_map(|part| part.strip_prefix("trusted="));
    named.map(|object| (object.to_owned(), "it is known".to_owned())).collect()
}

/// The identities that the owner gives to gateways: `identity=NS/GATEWAY:NS/SA`.
pub(super) fn gateways(force: &str) -> BTreeMap<String, Vec<String>> {
    let named = parts(force).filter_map(|part| part.strip_prefix("identity=")?.split_once(':'));
    named.map(|(gateway, identity)| (gateway.to_owned(), vec![identity.to_owned()])).collect()
}

/// The identities that the owner calls the ingress: `ingress=NS/SA`.
pub(super) fn ingress(force: &str) -> Vec<String> {
    parts(force).filter_map(|part| part.strip_prefix("ingress=")).map(str::to_owned).collect()
}

/// Whether the row says that what the input does not have does not exist: `closed`.
pub(super) fn setting(force: &str) -> WorldSetting {
    if parts(force).any(|part| part == "closed") { WorldSetting::Closed } else { WorldSetting::default() }
}

/// The manifests of a row.
pub(super) fn world(force: &str) -> String {
    let mut base = Base { service: true, ..Base::default() };
    for (index, part) in parts(force).enumerate() {
        if let Some(object) = part.strip_prefix('+') {
            base.more += &any_object(object);
            continue;
        }
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        base.set(part, key, value, index);
    }
    base.manifests()
}

impl<'a> Base<'a> {
    /// Applies one entry.
    fn set(&mut self, part: &str, key: &str, value: &'a str, index: usize) {
        match key {
            "port" => self.port = Some(value),
            "app" => self.app_protocol = format!(", appProtocol: {value}"),
            "noservice" => self.service = false,
            "ns" => self.namespace_labels = Some(value),
            "labels" => self.labels = format!(", {value}"),
            "annotations" => self.annotations = format!(", annotations: {{{value}}}"),
            "pod" => self.pod = format!(", {value}"),
            "gw" => self.gateway = Some(value),
            "routes" => self.routes = Some(value),
            "gwannotations" => self.gateway_annotations = value,
            "trusted" | "closed" | "identity" | "ingress" => {}
            "mtls" => self.more += &peer_authentication("default", "foo", &format!("mtls: {{mode: {value}}}")),
            "rootmtls" => {
                self.more += &peer_authentication("default", "istio-system", &format!("mtls: {{mode: {value}}}"));
            }
            "webmtls" => self.web_mode = Some(value),
            "portmtls" => self.port_mode = value.split_once(':'),
            "mesh" => {
                let _ = writeln!(self.mesh, "    {value}");
            }
            "td" => {
                let _ = writeln!(self.mesh, "    trustDomain: {value}");
            }
            "aliases" => {
                let _ = writeln!(self.mesh, "    trustDomainAliases: [{value}]");
            }
            "norm" => {
                let _ = writeln!(self.mesh, "    pathNormalization: {{normalization: {value}}}");
            }
            "providers" => {
                let named = value.split(',').map(|name| {
                    let (kind, name) = name.split_once(':').map_or(("Grpc", name), |(_, name)| ("Http", name));
                    format!("{{name: {name}, envoyExtAuthz{kind}: {{service: ext.foo.svc.cluster.local, port: 9000}}}}")
                });
                let _ = writeln!(self.mesh, "    extensionProviders: [{}]", named.collect::<Vec<_>>().join(", "));
            }
            "jwt" => {
                let issuers = if value.is_empty() { "iss" } else { value };
                let rules = issuers.split(',').map(|issuer| format!("{{issuer: \"{issuer}\"}}")).collect::<Vec<_>>();
                let _ = write!(
                    self.more,
                    "---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\n\
                     metadata: {{name: jwt, namespace: foo}}\nspec: {{jwtRules: [{}]}}\n",
                    rules.join(", ")
                );
            }
            _ => self.more += &policy(part, index),
        }
    }

    /// Everything as text.
    fn manifests(mut self) -> String {
        if let Some(mode) = self.web_mode {
            let ports = self
                .port_mode
                .map_or(String::new(), |(port, mode)| format!(", portLevelMtls: {{\"{port}\": {{mode: {mode}}}}}"));
            let spec = format!("selector: {{matchLabels: {{app: web}}}}, mtls: {{mode: {mode}}}{ports}");
            self.more += &peer_authentication("web", "foo", &spec);
        }
        if !self.mesh.is_empty() {
            let _ = write!(
                self.more,
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\n\
                 data:\n  mesh: |\n{}",
                self.mesh
            );
        }
        if let Some(server) = self.gateway {
            self.more += &gateway(server, self.routes.unwrap_or("[{>web}]"), self.gateway_annotations);
        }
        let service = if self.service {
            format!(
                "---\napiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: foo}}\n\
                 spec: {{selector: {{app: web}}, ports: [{{name: {}, port: 80, targetPort: 8080{}}}]}}\n",
                self.port.unwrap_or("http"),
                self.app_protocol
            )
        } else {
            String::new()
        };
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: foo, labels: {{{}}}}}\n\
             ---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: foo}}\n\
             spec: {{template: {{metadata: {{labels: {{app: web{}}}{}}}, spec: {{serviceAccountName: web{}}}}}}}\n\
             {service}{}",
            self.namespace_labels.unwrap_or("istio-injection: enabled"),
            self.labels,
            self.annotations,
            self.pod,
            self.more
        )
    }
}

/// `KIND NS/NAME BODY`, or `KIND NS/NAME (METADATA) BODY`.
fn any_object(text: &str) -> String {
    let (kind, rest) = text.split_once(' ').expect("a kind");
    let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
    let (namespace, name) = path.split_once('/').expect("NS/NAME");
    let (metadata, body) = match body.strip_prefix('(').and_then(|rest| rest.split_once(") ")) {
        Some((metadata, body)) => (format!(", {metadata}"), body),
        None => (String::new(), body),
    };
    let version = match kind {
        "Namespace" | "Service" | "Pod" => "v1",
        "Deployment" => "apps/v1",
        "AuthorizationPolicy" | "PeerAuthentication" | "RequestAuthentication" => "security.istio.io/v1",
        "EnvoyFilter" => "networking.istio.io/v1alpha3",
        "WasmPlugin" | "TrafficExtension" => "extensions.istio.io/v1alpha1",
        "KubernetesGateway" => "gateway.networking.k8s.io/v1",
        _ => "networking.istio.io/v1",
    };
    let kind = kind.strip_prefix("Kubernetes").unwrap_or(kind);
    format!(
        "---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}{metadata}}}\n{body}\n"
    )
}

/// A policy in words: `root`, `all`, `gateway`, `in=NS`, `dry=VALUE`, then `A`, `D`, `AU` or `C=PROVIDER` and the rules.
fn policy(words: &str, index: usize) -> String {
    let (mut namespace, mut selector) = ("foo", "selector: {matchLabels: {app: web}}, ");
    let mut annotation = String::new();
    let mut rest = words;
    loop {
        let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        let action = match word.split_once('=') {
            Some(("in", other)) => {
                namespace = other;
                None
            }
            Some(("dry", value)) => {
                annotation = format!(", annotations: {{istio.io/dry-run: \"{value}\"}}");
                None
            }
            Some((_, provider)) => Some(("CUSTOM", format!("provider: {{name: {provider}}}, "))),
            None => match word {
                "root" => {
                    namespace = "istio-system";
                    None
                }
                "all" => {
                    selector = "";
                    None
                }
                "gateway" => {
                    (namespace, selector) = ("istio-system", "selector: {matchLabels: {istio: ingressgateway}}, ");
                    None
                }
                "A" => Some(("ALLOW", String::new())),
                "D" => Some(("DENY", String::new())),
                "AU" => Some(("AUDIT", String::new())),
                other => panic!("`{other}` is no action"),
            },
        };
        if let Some((action, provider)) = action {
            let rules = if tail == "-" { String::new() } else { format!(", rules: {tail}") };
            return format!(
                "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
                 metadata: {{name: p{index}, namespace: {namespace}{annotation}}}\n\
                 spec: {{{selector}{provider}action: {action}{rules}}}\n"
            );
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

/// A gateway workload behind a Service 80 -> 8080 and 443 -> 8443, a Gateway `foo/gw` with one server, and a route to `web`.
fn gateway(server: &str, routes: &str, annotations: &str) -> String {
    let routes = routes.replace(">web", "route: [{destination: {host: web, port: {number: 80}}}]");
    let server = match server {
        "" => "port: {number: 80, name: http, protocol: HTTP}",
        "https" => "port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: c}",
        other => other,
    };
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istio-ingressgateway, namespace: istio-system}}\n\
         spec: {{template: {{metadata: {{labels: {{istio: ingressgateway}}, annotations: {{{annotations}}}}}, \
         spec: {{serviceAccountName: istio-ingressgateway-service-account, containers: [{{name: istio-proxy}}]}}}}}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: istio-ingressgateway, namespace: istio-system}}\n\
         spec: {{selector: {{istio: ingressgateway}}, ports: [{{name: http2, port: 80, targetPort: 8080}}, \
         {{name: https, port: 443, targetPort: 8443}}]}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: gw, namespace: foo}}\n\
         spec: {{selector: {{istio: ingressgateway}}, servers: [{{hosts: [\"*\"], {server}}}]}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: web, namespace: foo}}\n\
         spec: {{hosts: [\"*\"], gateways: [gw], http: {routes}}}\n"
    )
}
