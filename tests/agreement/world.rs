//! Generated worlds.

use proptest::prelude::*;

use crate::policies::policy;
use crate::routes::route;
use crate::words::{object, one_of};

const SECURITY: &str = "security.istio.io/v1";

/// Peer authentications of the mesh, the namespace, the workload and its port.
fn peer_authentications() -> impl Strategy<Value = String> {
    let mode = || one_of(&["STRICT", "PERMISSIVE", "DISABLE", "UNSET"]);
    let created = prop::option::of(Just(", creationTimestamp: \"2024-01-01T00:00:00Z\""));
    let levels = (prop::option::of(mode()), prop::option::of(mode()), prop::option::of((mode(), mode())));
    (levels, prop::option::weighted(0.1, (mode(), created))).prop_map(|((mesh, namespace, workload), rival)| {
        let whole = |place: &str, name: &str, more: &str, mode: String| {
            object("PeerAuthentication", SECURITY, place, name, more, &format!("spec: {{mtls: {{mode: {mode}}}}}"))
        };
        let own = workload.map(|(mode, port)| {
            let spec = format!(
                "spec: {{selector: {{matchLabels: {{app: web}}}}, mtls: {{mode: {mode}}}, portLevelMtls: {{8080: {{mode: {port}}}}}}}"
            );
            object("PeerAuthentication", SECURITY, "foo", "own", "", &spec)
        });
        let parts = [
            mesh.map(|mode| whole("istio-system", "default", "", mode)),
            namespace.map(|mode| whole("foo", "default", "", mode)),
            rival.map(|(mode, created)| whole("foo", "another", created.unwrap_or_default(), mode)),
            own,
        ];
        parts.into_iter().flatten().collect()
    })
}

/// Request authentications of the workload and the gateway.
fn request_authentications() -> impl Strategy<Value = String> {
    let rules = || {
        prop::option::of(one_of(&[
            "{issuer: iss, audiences: [api]}",
            "{issuer: iss, forwardOriginalToken: true}",
            "{issuer: iss, fromHeaders: [{name: x-token, prefix: \"T \"}]}",
            "{issuer: iss, fromParams: [k]}",
            "{issuer: iss, audiences: [web]}, {issuer: other, spaceDelimitedClaims: [group]}",
            "{jwksUri: \"https://keys.example\"}",
            "{issuer: iss, outputClaimToHeaders: [{header: x-user, claim: sub}]}",
        ]))
    };
    (rules(), rules()).prop_map(|(own, gateway)| {
        let body = |selector: &str, rules: String| format!("spec: {{{selector}jwtRules: [{rules}]}}");
        let of_gateway = "selector: {matchLabels: {istio: ingressgateway}}, ";
        let parts = [
            own.map(|rules| object("RequestAuthentication", SECURITY, "foo", "jwt", "", &body("", rules))),
            gateway.map(|rules| {
                object("RequestAuthentication", SECURITY, "istio-system", "jwt", "", &body(of_gateway, rules))
            }),
        ];
        parts.into_iter().flatten().collect()
    })
}

/// Filters from elsewhere, seldom.
fn filters() -> impl Strategy<Value = String> {
    let value = "name: envoy.filters.http.local_ratelimit, typed_config: \
                 {\"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit}";
    let patch = |matches: &str| {
        format!(
            "spec: {{configPatches: [{{applyTo: HTTP_FILTER, match: {{{matches}}}, patch: {{operation: INSERT_BEFORE, value: {{{value}}}}}}}]}}"
        )
    };
    let filter = |matches: &str| object("EnvoyFilter", "networking.istio.io/v1alpha3", "foo", "f", "", &patch(matches));
    let plugin = "spec: {url: \"oci://a/b\", match: [{mode: SERVER, ports: [{number: 9000}]}]}";
    prop_oneof![
        20 => Just(String::new()),
        2 => Just(filter("context: SIDECAR_INBOUND")),
        1 => Just(filter("context: SIDECAR_INBOUND, listener: {portNumber: 9000}")),
        1 => Just(object("WasmPlugin", "extensions.istio.io/v1alpha1", "foo", "w", "", plugin)),
    ]
}

/// A world.
pub(crate) fn world() -> impl Strategy<Value = String> {
    let policies = (0..4_usize).prop_flat_map(|count| (0..count).map(policy).collect::<Vec<_>>());
    let security = (policies, peer_authentications(), request_authentications(), filters());
    let port = one_of(&["http", "tcp-x", "web"]);
    let settings = (
        one_of(&["BASE", "NONE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]),
        one_of(&[
            "",
            ", trustDomainAliases: [td1]",
            ", trustDomain: td1",
            ", trustDomain: td1, trustDomainAliases: [cluster.local]",
        ]),
        0..3_u8,
    );
    let spared =
        prop::option::weighted(0.1, Just(", annotations: {traffic.sidecar.istio.io/excludeInboundPorts: \"8080\"}"));
    let routes = prop::collection::vec(route(), 1..4);
    (security, port, settings, spared, routes).prop_map(|(security, port, settings, spared, routes)| {
        let (policies, modes, tokens, filters) = security;
        let (normalization, domains, proxies) = settings;
        let spared = spared.unwrap_or_default();
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: foo, labels: {{istio-injection: enabled}}}}\n\
             ---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: foo}}\n\
             spec: {{template: {{metadata: {{labels: {{app: web}}{spared}}}, spec: {{serviceAccountName: a, containers: [{{name: c, ports: [{{containerPort: 9000}}]}}]}}}}}}\n\
             ---\napiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: foo}}\n\
             spec: {{selector: {{app: web}}, ports: [{{name: {port}, port: 80, targetPort: 8080}}]}}\n\
             ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\n\
             data: {{mesh: \"{{pathNormalization: {{normalization: {normalization}}}{domains}, defaultConfig: {{gatewayTopology: {{numTrustedProxies: {proxies}}}}}, \
             extensionProviders: [{{name: ok, envoyExtAuthzGrpc: {{service: ext.example, port: 9000}}}}, {{name: http, envoyExtAuthzHttp: {{service: ext.example, port: 9000}}}}]}}\"}}\n\
             ---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: gw, namespace: foo}}\n\
             spec: {{selector: {{istio: ingressgateway}}, servers: [{{hosts: [\"*\"], port: {{number: 80, name: http, protocol: HTTP}}}}]}}\n\
             ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: vs, namespace: foo}}\n\
             spec: {{hosts: [shop.example.com, \"*.test\"], gateways: [gw, mesh], http: [{}]}}\n{}{modes}{tokens}{filters}",
            routes.join(", "),
            policies.concat()
        )
    })
}
