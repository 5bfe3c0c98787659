//! Splits a file into documents, by lines, before any YAML is parsed.
//!
//! kubernetes/apimachinery does so (`pkg/util/yaml/decoder.go`, `YAMLReader`): a line that begins with
//! `---` ends a document even inside a quoted scalar.

use std::ops::Range;

/// A document's text, or a separator that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes of a document, separators excluded
    Document(Range<usize>),
    /// A `---` line with something behind it: kubectl gives up there, and loses the document before the line
    BadSeparator(Range<usize>),
}

/// What a line between documents begins with.
const MARK: &str = "---";

/// The pieces of a text from a place on, in order; empty ones included.
pub(super) fn pieces(text: &str, from: usize) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut start = from;
    let body = text.get(from..).unwrap_or_default();
    let first = body.starts_with(MARK).then_some(from);
    let later = memchr::memmem::find_iter(body.as_bytes(), b"\n---").map(|at| from + at + 1);
    for line_start in first.into_iter().chain(later) {
        let behind = text.get(line_start..).unwrap_or_default();
        let length = memchr::memchr(b'\n', behind.as_bytes()).map_or(behind.len(), |end| end + 1);
        let line = behind.get(..length).unwrap_or_default();
        let rest = line.strip_prefix(MARK).unwrap_or_default().trim();
        if rest.is_empty() || rest.starts_with('#') {
            found.push(Piece::Document(start..line_start));
        } else {
            found.push(Piece::BadSeparator(line_start..line_start + line.trim_end().len()));
        }
        start = line_start + line.len();
    }
    found.push(Piece::Document(start..text.len()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_line_may_only_carry_a_comment() {
        assert_eq!(pieces("a: 1\n--- # x\nb: 2\n", 0), vec![Piece::Document(0..5), Piece::Document(13..18)]);
        let lost = pieces("a: 1\n--- foo\nb: 2", 0);
        assert_eq!(lost, vec![Piece::BadSeparator(5..12), Piece::Document(13..17)]);
        assert_eq!(pieces("{}\n---\nb: 2", 3), vec![Piece::Document(3..3), Piece::Document(7..11)]);
    }
}
