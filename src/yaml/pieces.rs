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
    /// A `---` line with something behind it; what follows it up to the next separator is lost
    BadSeparator(Range<usize>),
}

/// The pieces of a text, in order; empty ones included.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let end = offset + line.len();
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            found.push(Piece::Document(start..offset));
            start = end;
            if !rest.is_empty() && !rest.starts_with('#') {
                found.push(Piece::BadSeparator(offset..offset + line.trim_end().len()));
            }
        }
        offset = end;
    }
    found.push(Piece::Document(start..text.len()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_line_may_only_carry_a_comment() {
        assert_eq!(pieces("a: 1\n--- # x\nb: 2\n"), vec![Piece::Document(0..5), Piece::Document(13..18)]);
        assert_eq!(
            pieces("--- foo\na: 1"),
            vec![Piece::Document(0..0), Piece::BadSeparator(0..7), Piece::Document(8..12)]
        );
    }
}
