//! Keys that the API does not have, and which key was probably meant.

use super::object::ObjectId;
use super::problem::{Problem, ProblemKind};
use crate::text::Span;
use crate::yaml::Unread;

/// Fields that are often written one message too high or too low, with where they belong.
const ELSEWHERE: &[(&str, &str)] = &[
    ("paths", "to[].operation"),
    ("notPaths", "to[].operation"),
    ("methods", "to[].operation"),
    ("notMethods", "to[].operation"),
    ("hosts", "to[].operation"),
    ("notHosts", "to[].operation"),
    ("ports", "to[].operation"),
    ("notPorts", "to[].operation"),
    ("principals", "from[].source"),
    ("notPrincipals", "from[].source"),
    ("namespaces", "from[].source"),
    ("notNamespaces", "from[].source"),
    ("requestPrincipals", "from[].source"),
    ("ipBlocks", "from[].source"),
    ("remoteIpBlocks", "from[].source"),
    ("matchLabels", "selector"),
];

/// The problem of a key that nobody read.
pub(crate) fn problem(unread: &Unread, object: &ObjectId, part: &str) -> Problem {
    let place = if unread.field_path.is_empty() { part.to_owned() } else { format!("{part}.{}", unread.field_path) };
    let message = format!("`{place}` has no field `{}`; it is ignored", unread.key);
    let problem = Problem::new(ProblemKind::UnknownField, unread.key_span, message).of(object);
    match suggestion(&unread.key, unread.known, object) {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// The problem of a key beside `spec`.
pub(crate) fn top_level(key: &str, span: Span, object: &ObjectId) -> Problem {
    let article = if object.kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    let message = format!("{article} {} has no field `{key}` beside `spec`; it is ignored", object.kind);
    let problem = Problem::new(ProblemKind::UnknownField, span, message).of(object);
    match nearest(key, &["apiVersion", "kind", "metadata", "spec"]) {
        Some(known) => problem.help(format!("did you mean `{known}`?")),
        None => problem.help(format!("put `{key}` under `spec`")),
    }
}

/// What was probably meant.
fn suggestion(key: &str, known: &[&str], object: &ObjectId) -> Option<String> {
    let elsewhere = ELSEWHERE.iter().find(|(field, _)| *field == key);
    if let Some((_, place)) = elsewhere.filter(|_| object.kind == "AuthorizationPolicy") {
        return Some(format!("`{key}` belongs under `{place}`"));
    }
    nearest(key, known).map(|known| format!("did you mean `{known}`?"))
}

/// The known word that differs least, if any is near.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|word| (strsim::jaro_winkler(&key.to_lowercase(), &word.to_lowercase()), *word))
        .filter(|(score, _)| *score > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, word)| word)
}
