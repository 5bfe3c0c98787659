//! What a file gives: documents, problems, comments.

use std::ops::Range;

use rayon::prelude::*;

use super::build;
use super::json;
use super::node::{Document, offset};
use super::pieces::{Piece, pieces};
use super::scan::{self, Room};
use crate::text::{FileId, Span};

/// What reading one file gives.
#[derive(Debug, Clone, Default)]
pub struct Stream<'t> {
    /// Documents that are not empty, in order
    pub documents: Vec<Document<'t>>,
    /// What could not be read, or reads otherwise than it looks
    pub problems: Vec<Problem>,
    /// Every comment
    pub comments: Vec<Comment<'t>>,
}

/// What is wrong with a piece of YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The document cannot be read
    Syntax,
    /// Text behind the root, which kubectl drops
    IgnoredTail,
    /// A key written twice; the last counts
    DuplicateKey,
    /// An unrendered template
    Template,
}

/// Something wrong at a place.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What kind
    pub kind: ProblemKind,
    /// Where
    pub span: Span,
    /// What is true, lower-case, without full stop
    pub message: String,
}

/// A comment with its `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment<'t> {
    /// From the `#` to the end of the line
    pub span: Span,
    /// The text behind the `#`
    pub text: &'t str,
}

/// Documents of a file that one thread reads in a row.
const IN_A_ROW: usize = 64;

/// Reads a file.
pub fn read(file: FileId, text: &str) -> Stream<'_> {
    read_by(file, text, scan::read)
}

/// Reads a file with the parser alone: what the scanner is held against.
pub fn read_by_parser(file: FileId, text: &str) -> Stream<'_> {
    read_by(file, text, |_, _, _, _| None)
}

/// A reader that may decline.
type Scan = for<'t> fn(FileId, &'t str, Range<usize>, &mut Room) -> Option<(Document<'t>, Vec<Comment<'t>>)>;

/// Reads a file. Documents are read side by side: no one says anything about another.
fn read_by(file: FileId, text: &str, scan: Scan) -> Stream<'_> {
    let read = |pieces: &[Piece], mut stream| {
        let mut room = Room::default();
        for piece in pieces {
            read_piece(file, text, piece, scan, &mut room, &mut stream);
        }
        stream
    };
    let json = json::read(file, text);
    let mut whole = Stream { documents: json.documents, problems: json.problems, comments: Vec::new() };
    let pieces = pieces(text, json.rest);
    if pieces.len() <= IN_A_ROW {
        return read(&pieces, whole);
    }
    let parts: Vec<_> = pieces.par_chunks(IN_A_ROW).map(|pieces| read(pieces, Stream::default())).collect();
    for mut part in parts {
        whole.documents.append(&mut part.documents);
        whole.problems.append(&mut part.problems);
        whole.comments.append(&mut part.comments);
    }
    whole
}

/// Reads one piece of a file.
fn read_piece<'t>(file: FileId, text: &'t str, piece: &Piece, scan: Scan, room: &mut Room, stream: &mut Stream<'t>) {
    let range = match piece.clone() {
        Piece::Document(range) => range,
        Piece::BadSeparator(range) => {
            stream.problems.push(Problem {
                kind: ProblemKind::Syntax,
                span: Span { file, start: offset(range.start), end: offset(range.end) },
                message: "only a comment may follow `---` on its line; the document before it is lost too".to_owned(),
            });
            return;
        }
    };
    if text.get(range.clone()).is_none_or(|body| body.trim_start().is_empty() && !body.contains('\t')) {
        return;
    }
    if let Some((document, mut comments)) = scan(file, text, range.clone(), room) {
        stream.documents.push(document);
        stream.comments.append(&mut comments);
    } else {
        build::read(file, text, range, stream);
    }
}
