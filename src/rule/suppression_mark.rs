//! Suppressions that stand in the manifests: comments and annotations.

use crate::text::{FileId, Files, Span};
use crate::yaml::{self, Node};

/// The annotation that suppresses findings on its object.
const ANNOTATION: &str = "meshlint.dev/ignore";

/// What a comment that is meant for this program begins with.
const COMMENT: &str = "meshlint:";

/// What a mark reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// A line of a file
    Line(FileId, u32),
    /// An object
    Object(Span),
}

/// A mark in the manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Ids of rules, each with its place
    pub(super) rules: Vec<(String, Span)>,
    /// Whether it says why
    pub(super) has_reason: bool,
    /// What it reaches
    pub(super) reach: Reach,
    /// The comment or the annotation's value
    pub(super) place: Span,
}

/// The marks of a file. Most files have none and are not read again.
pub(super) fn marks(files: &Files, file: FileId) -> Vec<Mark> {
    let text = files.text(file);
    let comments = memchr::memmem::find(text.as_bytes(), COMMENT.as_bytes()).is_some();
    let annotations = memchr::memmem::find(text.as_bytes(), ANNOTATION.as_bytes()).is_some();
    if !comments && !annotations {
        return Vec::new();
    }
    let stream = yaml::read(file, text);
    let mut found: Vec<Mark> = stream.comments.iter().filter_map(|comment| in_comment(files, comment.span)).collect();
    for document in stream.documents.iter().filter(|_| annotations) {
        for object in objects(document.root()) {
            in_annotations(object, object.span(), text, &mut found);
        }
    }
    found
}

/// The objects of a document: the items of a list, else its root.
fn objects(root: Node<'_>) -> Vec<Node<'_>> {
    let is_list = root.get("kind").and_then(Node::as_str).is_some_and(|kind| kind.ends_with("List"));
    match root.get("items").filter(|_| is_list) {
        Some(items) => items.items().collect(),
        None => vec![root],
    }
}

/// The marks in the annotations of an object, of its pod template, and so on.
fn in_annotations(node: Node<'_>, object: Span, text: &str, found: &mut Vec<Mark>) {
    if let Some(value) = node.pointer(&["metadata", "annotations", ANNOTATION]) {
        let span = value.span();
        let written = text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let (ids, reason) = written.split_once(':').unwrap_or((written, ""));
        let rules = ids_of(ids, span.file, span.start);
        let has_reason = !reason.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'').is_empty();
        found.push(Mark { rules, has_reason, reach: Reach::Object(object), place: span });
    }
    for (_, _, value) in node.entries().filter(|(key, ..)| *key != "metadata") {
        in_annotations(value, object, text, found);
    }
}

/// The mark in a comment: `meshlint: ignore[RULE, …] REASON`. Reaches its own line, or where it stands alone the next
/// line that is no comment.
fn in_comment(files: &Files, comment: Span) -> Option<Mark> {
    let text = files.text(comment.file);
    let written = text.get(comment.start as usize..comment.end as usize)?.lines().next()?;
    let body = written.trim_start_matches('#').trim_start();
    let rest = body.strip_prefix(COMMENT)?.trim_start();
    let line = files.position(comment.file, comment.start).line;
    let before = text.get(..comment.start as usize)?.lines().next_back().unwrap_or_default();
    let alone = text.get(..comment.start as usize)?.ends_with('\n') || before.trim().is_empty();
    let reach = if alone { line + lines_to_skip(text, comment) } else { line };
    let end = comment.start + u32::try_from(written.trim_end().len()).unwrap_or(0);
    let mark = |rules, has_reason| Mark {
        rules,
        has_reason,
        reach: Reach::Line(comment.file, reach),
        place: Span { end, ..comment },
    };
    let listed = rest.strip_prefix("ignore").and_then(|rest| rest.trim_start().strip_prefix('['));
    let Some((ids, reason)) = listed.and_then(|listed| listed.split_once(']')) else {
        return Some(mark(Vec::new(), false));
    };
    let start = written.len() - reason.len() - 1 - ids.len();
    let rules = ids_of(ids, comment.file, comment.start + u32::try_from(start).unwrap_or(0));
    Some(mark(rules, !reason.trim().is_empty()))
}

/// How many lines further the next one is that is neither empty nor a comment.
fn lines_to_skip(text: &str, comment: Span) -> u32 {
    let rest = text.get(comment.start as usize..).unwrap_or_default();
    let skipped = rest.lines().take_while(|line| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with('#')
    });
    u32::try_from(skipped.count()).unwrap_or(0)
}

/// Ids between commas, with their places.
fn ids_of(list: &str, file: FileId, start: u32) -> Vec<(String, Span)> {
    let trim = |c: char| c.is_whitespace() || c == '"' || c == '\'' || c == '[' || c == ']';
    let mut at = 0;
    let ids = list.split(',').map(|part| {
        let begins = at + part.len() - part.trim_start_matches(trim).len();
        at += part.len() + 1;
        let id = part.trim_matches(trim);
        let offset = |at: usize| start + u32::try_from(at).unwrap_or(0);
        (id.to_owned(), Span { file, start: offset(begins), end: offset(begins + id.len()) })
    });
    ids.filter(|(id, _)| !id.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The marks of a text: ids, reach as lines, whether they say why.
    fn of(text: &str) -> Vec<(Vec<String>, u32, bool)> {
        let mut files = Files::default();
        let file = files.add("a.yaml", text);
        let told = |mark: Mark| {
            for (id, span) in &mark.rules {
                assert_eq!(files.slice(*span), id);
            }
            let line = match mark.reach {
                Reach::Line(_, line) => line,
                Reach::Object(span) => files.position(span.file, span.start).line,
            };
            (mark.rules.into_iter().map(|(id, _)| id).collect(), line, mark.has_reason)
        };
        marks(&files, file).into_iter().map(told).collect()
    }

    #[test]
    fn a_comment_reaches_its_line_or_the_next_one_that_says_something() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(of("a: 1 # meshlint: ignore[x] why\nb: 2\n"), [(ids(&["x"]), 1, true)]);
        assert_eq!(of("a:\n  # meshlint: ignore[x, y-z]\n  # more\n\n  b: 2\n"), [(ids(&["x", "y-z"]), 5, false)]);
        assert_eq!(of("#meshlint:ignore [ x ]because\na: 1\n"), [(ids(&["x"]), 2, true)]);
    }

    #[test]
    fn a_comment_that_names_no_rule_is_a_mark_all_the_same() {
        assert_eq!(of("a: 1 # meshlint: ignore\n"), [(Vec::new(), 1, false)]);
        assert_eq!(of("a: 1 # meshlint: off[x]\n"), [(Vec::new(), 1, false)]);
        assert_eq!(of("a: 1 # see meshlint: ignore[x]\n"), []);
    }

    #[test]
    fn an_annotation_reaches_its_object_also_from_the_pod_template() {
        let own = "metadata:\n  annotations:\n    meshlint.dev/ignore: \"x, y: why\"\n";
        assert_eq!(of(&format!("kind: A\n{own}")), [(vec!["x".to_owned(), "y".to_owned()], 1, true)]);
        let template =
            "a: 1\n---\nkind: D\nspec:\n  template:\n    metadata: {annotations: {meshlint.dev/ignore: x}}\n";
        assert_eq!(of(template), [(vec!["x".to_owned()], 3, false)]);
        let list = "kind: List\nitems:\n- kind: A\n- kind: B\n  metadata: {annotations: {meshlint.dev/ignore: x}}\n";
        assert_eq!(of(list), [(vec!["x".to_owned()], 4, false)]);
    }
}
