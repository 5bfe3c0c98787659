//! The fast reader of `src/yaml/scan` against the parser: the same nodes, spans and comments, or it declines.

#![expect(clippy::disallowed_methods, reason = "tests read their input")]

#[path = "support/tree.rs"]
mod tree;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use meshlint::text::FileId;
use meshlint::yaml::{self, Comment, Document, Stream};
use tree::tree;

/// A document with all its spans, as text.
fn shown(document: &Document<'_>) -> String {
    let mut text = tree(document.root());
    // Numbers and truth values too.
    let _ = write!(text, "{:?}", yaml::from_node::<serde_json::Value>(document.root()).value.ok());
    text
}

/// Comments in the order of their places.
fn sorted(comments: &[Comment<'_>]) -> Vec<(u32, u32, String)> {
    let mut all: Vec<_> =
        comments.iter().map(|comment| (comment.span.start, comment.span.end, comment.text.to_owned())).collect();
    all.sort();
    all
}

/// What differs between the two readings of a text.
fn difference(text: &str) -> Option<String> {
    let (found, expected) = (yaml::read(FileId(0), text), yaml::read_by_parser(FileId(0), text));
    let trees = |stream: &Stream<'_>| stream.documents.iter().map(shown).collect::<Vec<_>>().join("\n---\n");
    let problems = |stream: &Stream<'_>| format!("{:?}", stream.problems);
    let same = trees(&found) == trees(&expected)
        && problems(&found) == problems(&expected)
        && sorted(&found.comments) == sorted(&expected.comments);
    (!same).then(|| format!("{found:?}\n--- by the parser\n{expected:?}\n--- of\n{text}"))
}

/// Manifests below a directory of the project or beside it, in path order.
fn manifests(root: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| {
        entry.file_type().is_file() && entry.path().extension().is_some_and(|end| end == "yaml" || end == "yml")
    });
    let read = |path: PathBuf| std::fs::read_to_string(&path).ok().map(|text| (path, text));
    files.filter_map(|entry| read(entry.into_path())).collect()
}

#[test]
fn manifests_read_the_same() {
    for root in ["fixtures", "../shared/corpus"] {
        for (path, text) in manifests(root) {
            assert_eq!(difference(&text), None, "{}", path.display());
        }
    }
}

#[test]
fn what_was_read_otherwise_once_reads_the_same() {
    // The end of a literal whose last line has spaces and no line feed.
    for text in ["- |\n  a\n  ", "a: |\n  b\n "] {
        assert_eq!(difference(text), None, "{text:?}");
    }
}

/// Pieces of YAML that mean something, alone or side by side.
const PARTS: &[&str] = &[
    "a", "b", "key", "y", "0x10", "1.5", "~", "null", ":", ": ", ": ", ":\n", "-", "- ", "- ", "\n", "\n", "\n  ",
    "\n    ", " ", "  ", "#", " # c", "'", "\"", "'x'", "\"x y\"", "|", "|-", "|\n", "|+", ">", "[", "]", "{", "}",
    ", ", ",", "[a, b]", "{a: 1}", "{}", "[]", "&a ", "*a", "!t ", "?", "? ", "...", "%", "@", "`", "\\", "\\n", "=",
    "<<", "é", "世", "/", ".", "/a/*", "x: y", "a::", "\u{85}", "\u{2028}", "\u{FEFF}", "\t", "\r\n", "--", "8080",
    "a:b", "http://x", "a#b", "true",
];

/// Texts of such pieces, put together in no order.
fn texts() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PARTS), 0..24).prop_map(|parts| parts.concat())
}

/// A line of a manifest: an indentation, perhaps a dash, perhaps a key, a value, perhaps a comment.
fn lines() -> impl Strategy<Value = String> {
    let line = (
        proptest::sample::select(&["", "", "  ", "  ", "    ", "      ", " "][..]),
        proptest::sample::select(&["", "", "", "- ", "-", "- - ", "-   "][..]),
        proptest::sample::select(&["", "a:", "b:", "c:", "d: ", "e: ", "\"f\": ", "'g': ", "n: ", "08: "][..]),
        proptest::sample::select(PARTS),
        proptest::sample::select(&["", "", "", " ", " # c", "  #"][..]),
    );
    let line = line.prop_map(|(indent, dash, key, value, comment)| {
        let value = if key.ends_with(' ') { value } else { "" };
        format!("{indent}{dash}{key}{value}{comment}\n")
    });
    proptest::collection::vec(line, 1..8).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_texts_read_the_same_or_are_declined(text in texts()) {
        prop_assert_eq!(difference(&text), None);
    }

    #[test]
    fn random_manifests_read_the_same_or_are_declined(text in lines()) {
        prop_assert_eq!(difference(&text), None);
    }
}
