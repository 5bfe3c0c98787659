//! Plain scalars that Kubernetes reads otherwise than they look: `0644`, `8_080`, `on` as a key.

use super::object::ObjectId;
use super::problem::{Problem, ProblemKind};
use crate::text::Files;
use crate::yaml::{self, Node, NodeKind};

/// What reads otherwise than it looks in the own part of an object.
pub(super) fn problems(node: Node<'_>, files: &Files, id: &ObjectId) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut pending = vec![node];
    while let Some(node) = pending.pop() {
        if node.kind() == NodeKind::Int {
            let written = files.slice(node.span());
            found.extend(yaml::surprise(written, false).map(|meant| {
                let message = format!("`{written}` is the number {meant} to Kubernetes");
                let problem = Problem::new(ProblemKind::Surprise, node.span(), message).of(id);
                problem.help(format!("write `{meant}`, or the number that is meant"))
            }));
        }
        for (key, span, value) in node.entries() {
            let written = files.slice(span);
            found.extend(yaml::surprise(written, true).filter(|meant| meant == key).map(|meant| {
                let message = format!("the key `{written}` is `{meant}` to Kubernetes");
                Problem::new(ProblemKind::Surprise, span, message).of(id).help(format!("write `\"{written}\"`"))
            }));
            pending.push(value);
        }
        pending.extend(node.items());
    }
    found
}
