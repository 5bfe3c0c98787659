//! Trees of YAML as text, to hold one reading against another.

use std::fmt::Write as _;

use meshlint::yaml::Node;

/// A node and everything below it, with all spans.
pub(crate) fn tree(node: Node<'_>) -> String {
    let span = node.span();
    let mut text = format!("{:?} {}..{} {:?} ", node.kind(), span.start, span.end, node.as_str());
    for (key, span, value) in node.entries() {
        let _ = write!(text, "\n{key:?} {}..{}: {}", span.start, span.end, tree(value));
    }
    for item in node.items() {
        let _ = write!(text, "\n- {}", tree(item));
    }
    text + "\n."
}
