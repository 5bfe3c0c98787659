//! Routes of generated worlds.

use proptest::prelude::*;

use crate::words::one_of;

/// A match of a route.
fn route_match() -> impl Strategy<Value = String> {
    let uri = prop_oneof![
        one_of(&["/api", "/api/", "/", "/internal/"]).prop_map(|path| format!("uri: {{prefix: {path}}}")),
        one_of(&["/api", "/api/x"]).prop_map(|path| format!("uri: {{exact: {path}}}")),
        one_of(&["/api/[a-z]+", "/.*", ".*"]).prop_map(|path| format!("uri: {{regex: \"{path}\"}}")),
    ];
    let extra = prop_oneof![
        3 => Just(String::new()),
        1 => Just(", ignoreUriCase: true".to_owned()),
        1 => Just(", method: {exact: GET}".to_owned()),
        1 => Just(", headers: {x-role: {prefix: adm}}".to_owned()),
        1 => Just(", withoutHeaders: {x-role: {exact: admin}}".to_owned()),
        1 => Just(", queryParams: {k: {exact: v}}".to_owned()),
        1 => Just(", authority: {exact: shop.example.com}".to_owned()),
    ];
    (uri, extra).prop_map(|(uri, extra)| format!("{{{uri}{extra}}}"))
}

/// An HTTP route.
pub(crate) fn route() -> impl Strategy<Value = String> {
    let action = prop_oneof![
        4 => Just("route: [{destination: {host: web, port: {number: 80}}}]"),
        1 => Just("rewrite: {uri: /}, route: [{destination: {host: web}}]"),
        1 => Just("rewrite: {uri: /internal, authority: other.example}, route: [{destination: {host: web}}]"),
        1 => Just("headers: {request: {set: {x-role: admin}, remove: [x-user]}}, route: [{destination: {host: web}}]"),
        1 => Just("redirect: {uri: /elsewhere}"),
        1 => Just("directResponse: {status: 403}"),
        1 => Just("fault: {abort: {httpStatus: 500, percentage: {value: 100}}}, route: [{destination: {host: web}}]"),
    ];
    (prop::collection::vec(route_match(), 0..3), action).prop_map(|(matches, action)| {
        let matches = if matches.is_empty() { String::new() } else { format!("match: [{}], ", matches.join(", ")) };
        format!("{{{matches}{action}}}")
    })
}
