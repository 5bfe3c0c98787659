//! Generated requests.

use meshlint::semantics::{Request, Token, WireProtocol};
use proptest::prelude::*;

use crate::words::one_of;

/// Requests around the borders of those worlds.
pub(crate) fn request() -> impl Strategy<Value = Request> {
    let entrypoint = one_of(&[
        "workload foo/web:8080",
        "gateway foo/gw:80",
        "service foo/web:80",
        "workload foo/web:9000",
        "workload foo/web:9999",
    ]);
    let source = prop::option::of(one_of(&[
        "cluster.local/ns/foo/sa/a",
        "cluster.local/ns/bar/sa/a",
        "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account",
        "td1/ns/foo/sa/a",
        "other/ns/foo/sa/a",
        "cluster.local/ns/foo/x/y/sa/a/b",
    ]));
    let method = one_of(&["GET", "GET", "POST", "OPTIONS", "get", "CONNECT"]);
    let authority =
        prop::option::of(one_of(&["shop.example.com", "shop.example.com:80", "SHOP.example.com", "a.test", "other"]));
    let path = one_of(&[
        "/",
        "/api",
        "/api/",
        "/api/x",
        "/API/x",
        "/apix",
        "//api",
        "/api?k=v",
        "/api/x/info",
        "/internal",
        "/internal/x",
        "/api/%2e%2e;/internal",
        "/api/../internal",
        "/a%2fb",
        "/api/a=b",
        "/api/x/x",
        "/%00",
        "/a*b",
        "/api%2Fx",
        "/api?access_token=x",
        "http://shop.example.com/api/x",
        "http://other?x",
    ]);
    let names = one_of(&[
        "x-role",
        "X-Role",
        "x-user",
        "x-forwarded-for",
        "origin",
        "access-control-request-method",
        "authorization",
    ]);
    let headers = prop::collection::vec(
        (names, one_of(&["admin", "user", "", "10.1.2.3", "10.1.2.3, 203.0.113.9", "Bearer x"])),
        0..4,
    );
    let claims = prop::option::of(prop::sample::select(
        &[
            r#"{"iss":"iss","sub":"bob","aud":"api","group":["dev","ops"],"a":{"b":"x"}}"#,
            r#"{"iss":"iss","aud":["api"]}"#,
            r#"{"iss":"other","sub":"bob"}"#,
            r#"{"iss":"iss","sub":"bob","aud":"web","azp":"api","scope":"dev x"}"#,
            r#"{"iss":"iss","sub":5}"#,
            r#"{"iss":"iss","sub":"","aud":"api"}"#,
        ][..],
    ));
    let address = prop::option::of(one_of(&["10.1.2.3", "203.0.113.9", "2001:db8::1"]));
    let token = prop::option::weighted(0.1, prop::sample::select(&[Token::Invalid, Token::None, Token::Valid][..]));
    let sni = prop::option::weighted(0.2, one_of(&["shop.example.com", "A.example.com"]));
    let more = (token, sni, prop::bool::weighted(0.2));
    (entrypoint, source, method, authority, path, headers, claims, address, more).prop_map(
        |(entrypoint, source, method, authority, path, headers, claims, source_ip, (token, sni, tcp))| {
            let mut request = Request::at(entrypoint);
            request.source = source;
            request.method = method;
            request.authority = authority;
            request.path = path;
            request.headers = headers;
            request.claims = claims.map(|claims| serde_json::from_str(claims).expect("JSON"));
            request.source_ip = source_ip;
            request.token = token;
            request.sni = sni;
            if tcp {
                request.protocol = WireProtocol::Tcp;
            }
            request
        },
    )
}
