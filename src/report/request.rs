//! Requests and their ways in words.

use std::fmt::Write as _;

use crate::config::Problem;
use crate::semantics::{By, Decision, Request, WireProtocol};
use crate::text::{Files, Span};

/// A request in one line: `GET /internal/x from nobody (no identity) at workload shop/cart:8080`.
pub(super) fn request_line(request: &Request) -> String {
    let source = match &request.source {
        Some(source) => format!("from `{source}`"),
        None if request.entrypoint.starts_with("gateway") => "from outside".to_owned(),
        None => "from a caller without identity".to_owned(),
    };
    let what = match request.protocol {
        WireProtocol::Http => format!("{} {}", request.method, request.path),
        WireProtocol::Tcp => "a TCP connection".to_owned(),
    };
    let mut line = format!("{what} {source} at {}", request.entrypoint);
    if let Some(authority) = &request.authority {
        let _ = write!(line, ", host {authority}");
    }
    for (name, value) in &request.headers {
        let _ = write!(line, ", {name}: {value}");
    }
    if request.claims.is_some() {
        line.push_str(", with a token");
    }
    line
}

/// `file:line:column` of a span.
pub(super) fn place(files: &Files, span: Span) -> String {
    let position = files.position(span.file, span.start);
    format!("{}:{}:{}", files.name(span.file), position.line, position.column)
}

/// A decision in a word.
pub(super) fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed => "allowed",
        Decision::Denied => "denied",
        Decision::Undetermined => "undetermined",
    }
}

/// How a request ended, in words.
pub(super) fn ending(decision: Decision, by: Option<By>) -> String {
    let word = decision_word(decision);
    let how = match by {
        None | Some(By::Reached) => return word.to_owned(),
        Some(By::Policy) => "by policy",
        Some(By::NoRoute) => "no route",
        Some(By::Redirect) => "redirected",
        Some(By::DirectResponse) => "answered by the proxy",
        Some(By::Fault) => "aborted by a fault",
        Some(By::NoDestination) => "no destination",
        Some(By::BadRequest) => "bad request",
        Some(By::Jwt) => "token refused",
        Some(By::Closed) => "connection closed",
        Some(By::NoListener) => "nothing listens",
    };
    format!("{word} ({how})")
}

/// What is wrong with a configuration file, a line each.
pub fn configuration_problems(files: &Files, problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| {
        let help = problem.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        format!("{}: {}{help}", place(files, problem.span), problem.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}
