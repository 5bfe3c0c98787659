//! What fits its type in a statement and still cannot be meant.

use crate::config::{Problem, nearest};
use crate::semantics::METHODS;
use crate::text::{Span, Spanned};

use super::statement::{Cells, Decision, Entrypoint, Source, Text};

/// What cannot be meant in the conditions of a statement that stands at a place.
pub(super) fn judge(key: &str, at: Span, cells: &Cells, entrypoints: &Cells, problems: &mut Vec<Problem>) {
    // What may not be, or the opposite of what must be.
    let refused = if key == "require" { Decision::Allowed } else { Decision::Denied };
    if cells.is_empty() {
        problems.push(Problem::new(at, format!("`{key}` says nothing: give it a condition, such as `path`")));
    }
    for source in sources(cells) {
        judge_source(source, entrypoints, problems);
    }
    let paths = [&cells.path, &cells.not_path, &cells.request_path, &cells.not_request_path];
    for path in paths.into_iter().flat_map(|list| Cells::alternatives(list.as_ref())) {
        judge_path(path, problems);
    }
    for host in [&cells.host, &cells.not_host].into_iter().flat_map(|list| Cells::alternatives(list.as_ref())) {
        judge_host(host, problems);
    }
    for method in [&cells.method, &cells.not_method].into_iter().flat_map(|list| Cells::alternatives(list.as_ref())) {
        if !METHODS.contains(&method.value.as_str()) {
            let problem =
                Problem::new(method.span, format!("`{}` is no method that a proxy lets through", method.value));
            let upper = method.value.to_ascii_uppercase();
            problems.push(match nearest(&upper, METHODS.iter().copied()) {
                Some(known) => problem.help(format!("the nearest is `{known}`")),
                None => problem,
            });
        }
    }
    let sent = [&cells.request_path, &cells.not_request_path].into_iter().find_map(|list| list.as_ref()?.0.first());
    if let Some(path) = sent.filter(|_| entrypoints.is_about(Entrypoint::Workload)) {
        let message = "`request_path` is the path as it was sent to a proxy in front, and this is about workloads";
        problems.push(Problem::new(path.span, message).help("write `entrypoint: gateway` or `service`, or `path`"));
    }
    if let Some(decision) = cells.decision.as_ref().filter(|decision| decision.value == refused)
        && (entrypoints.is_about(Entrypoint::Gateway) || entrypoints.is_about(Entrypoint::Service))
    {
        let message = "what a proxy in front refuses is on its way to no workload";
        problems.push(Problem::new(decision.span, message).help("write `entrypoint: workload`, or leave it out"));
    }
}

/// Conditions of `require` that a request cannot fulfil, because they say where it enters and arrives.
pub(super) fn judge_required(at: Span, must: &Cells, problems: &mut Vec<Problem>) {
    let keys = [
        ("entrypoint", must.entrypoint.is_some()),
        ("workloads", must.workloads.is_some()),
        ("port", must.port.is_some()),
    ];
    for (key, _) in keys.into_iter().filter(|(_, written)| *written) {
        let message = format!("`{key}` is nothing that a request can be required to be");
        problems.push(Problem::new(at, message).help(format!("write `{key}` under `where`")));
    }
    let opened = sources(must).find(|source| source.value.outside.is_some());
    if let Some(source) = opened {
        let message =
            "`outside` is nothing that a request can be required to come from: whether a port is open decides";
        problems.push(Problem::new(source.span, message).help("write `entrypoint: gateway` under `where`"));
    }
}

/// Every source that is written.
fn sources(cells: &Cells) -> impl Iterator<Item = &Spanned<Source>> {
    [&cells.source, &cells.not_source].into_iter().flat_map(|list| Cells::alternatives(list.as_ref()))
}

/// A source: one key, and a value that somebody can be.
fn judge_source(source: &Spanned<Source>, entrypoints: &Cells, problems: &mut Vec<Problem>) {
    let Spanned { value, span } = source;
    let flags = [("same_namespace", value.same_namespace), ("ingress", value.ingress), ("outside", value.outside)];
    let written = usize::from(value.principal.is_some())
        + usize::from(value.namespace.is_some())
        + usize::from(value.service_account.is_some())
        + flags.iter().filter(|(_, flag)| flag.is_some()).count();
    if written != 1 {
        let message = if written == 0 { "a source needs a key" } else { "a source has one key" };
        problems.push(
            Problem::new(*span, message).help("alternatives are items of a list: `[{namespace: a}, {namespace: b}]`"),
        );
    }
    for (key, _) in flags.into_iter().filter(|(_, flag)| *flag == Some(false)) {
        problems.push(Problem::new(*span, format!("`{key}: false` names nobody: write `not_source: {{{key}: true}}`")));
    }
    if value.ingress.is_some() && entrypoints.is_about(Entrypoint::Gateway) {
        problems.push(Problem::new(*span, "nobody sends to a gateway as the ingress: that is who it is to a workload"));
    }
    let by_clients = entrypoints.is_about(Entrypoint::Service);
    if by_clients && (value.ingress.is_some() || value.outside.is_some()) {
        let message = "only workloads of the mesh send through a sidecar of their own";
        problems.push(Problem::new(*span, message).help("leave `service` out of `entrypoint`"));
    }
    if let Some(namespace) = value.namespace.as_deref()
        && (namespace.is_empty() || namespace.contains(['/', '*']))
    {
        problems.push(Problem::new(*span, format!("`{namespace}` is no name of a namespace")));
    }
    if let Some(account) = value.service_account.as_deref() {
        let parts: Vec<&str> = account.split('/').collect();
        if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
            problems.push(Problem::new(*span, format!("`{account}` is no `NAMESPACE/NAME`")));
        }
    }
    if let Some(principal) = &value.principal {
        judge_principal(principal, *span, problems);
    }
}

/// An identity, or a form of one.
fn judge_principal(principal: &Text, span: Span, problems: &mut Vec<Problem>) {
    match principal.form() {
        None => problems.push(one_form(span)),
        Some(("below", _)) => problems.push(Problem::new(span, "`below` is for paths: write `prefix`")),
        Some(("exact", identity)) if !["none", "any"].contains(&identity) => {
            let parts: Vec<&str> = identity.split('/').collect();
            let is_identity = matches!(parts.as_slice(), [domain, "ns", namespace, "sa", account]
                if ![domain, namespace, account].iter().any(|part| part.is_empty()));
            if !is_identity {
                let message = format!("`{identity}` is no identity of the form `TRUSTDOMAIN/ns/NAMESPACE/sa/ACCOUNT`");
                let word = nearest(identity, ["none", "any"]).unwrap_or_default();
                problems.push(Problem::new(span, message).help(format!("the nearest word is `{word}`")));
            }
        }
        Some(_) => {}
    }
}

/// A path, or a form of one.
fn judge_path(path: &Spanned<Text>, problems: &mut Vec<Problem>) {
    match path.value.form() {
        None => problems.push(one_form(path.span)),
        Some(("suffix", _)) => {}
        Some((_, text)) if text.contains('*') => {
            let message = format!("`{text}` has a `*`, which stands for itself here");
            problems.push(Problem::new(path.span, message).help("write `below`, `prefix` or `suffix`"));
        }
        Some((_, text)) if text.starts_with('/') && !text.contains(['?', '#']) => {}
        Some((_, text)) => {
            problems.push(Problem::new(path.span, format!("`{text}` is no path: it begins with `/` and has no query")));
        }
    }
}

/// A host, or a form of one.
fn judge_host(host: &Spanned<Text>, problems: &mut Vec<Problem>) {
    match host.value.form() {
        None => problems.push(one_form(host.span)),
        Some(("below", _)) => problems.push(Problem::new(host.span, "`below` is for paths: write `suffix`")),
        Some((_, text)) if text.is_empty() || text.contains(['*', '/', ':']) => {
            let message = format!("`{text}` is no name of a host, without its port");
            problems
                .push(Problem::new(host.span, message).help("write `suffix: .example.com` for all hosts below one"));
        }
        Some(_) => {}
    }
}

/// A text with no form, or with several.
fn one_form(span: Span) -> Problem {
    Problem::new(span, "a text is matched in one way: `exact`, `prefix`, `suffix` or `below`")
}
