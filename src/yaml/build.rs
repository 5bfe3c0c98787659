//! From parser events to documents. The only module that knows the parser.

#![expect(clippy::wildcard_enum_match_arm, reason = "the parser has events that are no nodes")]

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span as EventSpan};

use super::node::{Document, Entry, Index, NodeData, Value};
use super::pieces::{Piece, pieces};
use super::scalar::{Scalar, resolve};
use crate::text::{FileId, Span};

/// What reading one file gives.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Documents that are not empty, in order
    pub documents: Vec<Document>,
    /// What could not be read, or reads otherwise than it looks
    pub problems: Vec<Problem>,
    /// Every comment
    pub comments: Vec<Comment>,
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
#[derive(Debug, Clone)]
pub struct Comment {
    /// From the `#` to the end of the line
    pub span: Span,
    /// The text behind the `#`
    pub text: String,
}

/// How many nodes a document may have once aliases are followed.
const EXPANSION_LIMIT: u64 = 2_000_000;

/// Reads a file.
pub fn read(file: FileId, text: &str) -> Stream {
    let mut stream = Stream::default();
    for piece in pieces(text) {
        match piece {
            Piece::BadSeparator(range) => stream.problems.push(Problem {
                kind: ProblemKind::Syntax,
                span: span(file, range.start, range.end),
                message: "only a comment may follow `---` on its line".to_owned(),
            }),
            Piece::Document(range) => {
                let body = text.get(range.clone()).unwrap_or_default();
                if body.lines().any(|line| !line.trim().is_empty()) {
                    read_piece(file, body, range.start, &mut stream);
                }
            }
        }
    }
    stream
}

/// A span from byte offsets.
fn span(file: FileId, start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file, start: offset(start), end: offset(end) }
}

/// Reads one piece.
fn read_piece(file: FileId, body: &str, offset: usize, stream: &mut Stream) {
    let options = granit_parser::options! {
        block_scalar_eof_without_line_feed: true,
        emit_unresolved_aliases: true,
        max_buffered_comment_events: 1_000_000,
    };
    let mut builder = Builder {
        file,
        offset,
        body,
        nodes: Vec::new(),
        sizes: Vec::new(),
        anchors: HashMap::new(),
        open: Vec::new(),
        root: None,
        problems: Vec::new(),
    };
    let mut ended = false;
    for event in Parser::new_from_str_with_options(body, options) {
        let (event, place) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(body.len());
                builder.fail(at, &error.info(), &mut ended);
                break;
            }
        };
        if let Event::Comment(text, _) = &event {
            let range = place.byte_range().unwrap_or(0..0);
            stream
                .comments
                .push(Comment { span: span(file, offset + range.start, offset + range.end), text: text.to_string() });
            continue;
        }
        if ended {
            if matches!(event, Event::StreamEnd | Event::DocumentEnd) {
                continue;
            }
            builder.tail(place.byte_range().map_or(body.len(), |range| range.start));
            break;
        }
        if matches!(event, Event::DocumentEnd) {
            ended = true;
            continue;
        }
        if let Err((at, message)) = builder.event(event, place) {
            builder.fail(at, &message, &mut ended);
            break;
        }
    }
    stream.problems.append(&mut builder.problems);
    if let Some(root) = builder.root.filter(|_| ended) {
        let document = Document { file, nodes: builder.nodes, root };
        if !matches!(document.root().data().value, Value::Null) {
            stream.documents.push(document);
        }
    }
}

/// A container that is being read.
struct Open {
    /// Its node
    index: Index,
    /// Anchor, 0 for none
    anchor: usize,
    /// First byte
    start: usize,
    /// Whether it is written with brackets
    flow: bool,
    /// Items, or keys and values in turn
    children: Vec<Index>,
    /// Whether it is a mapping
    mapping: bool,
}

/// Builds one document.
struct Builder<'t> {
    /// The file
    file: FileId,
    /// Where the piece begins in the file
    offset: usize,
    /// The piece
    body: &'t str,
    /// Nodes so far
    nodes: Vec<NodeData>,
    /// Nodes below each node, aliases followed
    sizes: Vec<u64>,
    /// Finished nodes by anchor
    anchors: HashMap<usize, Index>,
    /// Containers not finished
    open: Vec<Open>,
    /// The finished root
    root: Option<Index>,
    /// What is wrong
    problems: Vec<Problem>,
}

/// Where in the piece something is wrong, and what.
type Failure = (usize, String);

impl Builder<'_> {
    /// Takes one event in.
    fn event(&mut self, event: Event<'_>, place: EventSpan) -> Result<(), Failure> {
        let range = place.byte_range().unwrap_or(0..0);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = match (style, tag.is_some()) {
                    (ScalarStyle::Plain, false) => plain(&text, range.start, range.end),
                    _ => Value::String,
                };
                let end = if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    let written = self.body.get(range.clone()).unwrap_or_default();
                    range.start + written.trim_end().len()
                } else {
                    range.end
                };
                let text = if matches!(value, Value::Null) { String::new() } else { text.into_owned() };
                let index = self.push(range.start, end, text, value, 1);
                self.anchor(anchor, index);
                self.finish(index, range.start)
            }
            Event::SequenceStart(_, anchor, _) => self.start(&range, anchor, false),
            Event::MappingStart(_, anchor, _) => self.start(&range, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => self.end(&range),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(target) => self.finish(*target, range.start),
                None => Err((range.start, "an alias within the node that it names".to_owned())),
            },
            Event::UnresolvedAlias(name) => Err((range.start, format!("no anchor is called `{name}`"))),
            _ => Ok(()),
        }
    }

    /// Adds a node.
    fn push(&mut self, start: usize, end: usize, text: String, value: Value, size: u64) -> Index {
        let place = span(self.file, self.offset + start, self.offset + end);
        self.nodes.push(NodeData { start: place.start, end: place.end, text, value });
        self.sizes.push(size);
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    /// Remembers an anchored node.
    fn anchor(&mut self, anchor: usize, index: Index) {
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
    }

    /// Opens a container.
    fn start(&mut self, range: &std::ops::Range<usize>, anchor: usize, mapping: bool) -> Result<(), Failure> {
        let is_key = self.open.last().is_some_and(|open| open.mapping && open.children.len() % 2 == 0);
        if is_key {
            return Err((range.start, "a key that is no scalar".to_owned()));
        }
        let flow = self.body.get(range.start..).is_some_and(|rest| rest.starts_with(['[', '{']));
        let index = self.push(range.start, range.end, String::new(), Value::Null, 1);
        self.open.push(Open { index, anchor, start: range.start, flow, children: Vec::new(), mapping });
        Ok(())
    }

    /// Closes the innermost container.
    fn end(&mut self, range: &std::ops::Range<usize>) -> Result<(), Failure> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if open.mapping && self.keys_that_end_in_colons(&open) {
            // `[a::]` holds one text, no mapping.
            if let Some(key) = open.children.first().copied().filter(|_| !self.has_braces(&open)) {
                return self.finish(key, open.start);
            }
        }
        let size = open
            .children
            .iter()
            .filter_map(|child| self.sizes.get(*child as usize))
            .fold(1_u64, |a, b| a.saturating_add(*b));
        if size > EXPANSION_LIMIT {
            return Err((open.start, "aliases expand to more than two million nodes".to_owned()));
        }
        // A block container ends with its last child; in flow style the bracket ends it.
        let last = open.children.last().and_then(|child| self.nodes.get(*child as usize)).map(|node| node.end as usize);
        let first =
            open.children.first().and_then(|child| self.nodes.get(*child as usize)).map(|node| node.start as usize);
        let own = self.offset + open.start;
        let start = if open.flow { own } else { first.filter(|_| open.mapping).map_or(own, |first| first.min(own)) };
        let end = if open.flow { self.offset + range.end } else { last.unwrap_or(own).max(start) };
        let value = if open.mapping { self.mapping(&open.children)? } else { Value::Sequence(open.children) };
        let place = span(self.file, start, end);
        if let Some(node) = self.nodes.get_mut(open.index as usize) {
            (node.start, node.end, node.value) = (place.start, place.end, value);
        }
        if let Some(slot) = self.sizes.get_mut(open.index as usize) {
            *slot = size;
        }
        self.anchor(open.anchor, open.index);
        self.finish(open.index, open.start)
    }

    /// Whether a container is written with `{`.
    fn has_braces(&self, open: &Open) -> bool {
        self.body.get(open.start..).is_some_and(|rest| rest.starts_with('{'))
    }

    /// Puts back colons that are part of plain keys. In flow style go-yaml ends a plain scalar only at a colon with a
    /// blank behind it, so `[a::]` and `{a:}` hold `a::` and `a:` (`scannerc.go`, `yaml_parser_scan_plain_scalar`).
    fn keys_that_end_in_colons(&mut self, open: &Open) -> bool {
        let in_flow = self.has_braces(open) || self.open.last().is_some_and(|around| around.flow && !around.mapping);
        let mut any = false;
        for pair in open.children.chunks_exact(2).filter(|_| in_flow) {
            let [key, value] = pair else { continue };
            let empty = self.nodes.get(*value as usize).is_some_and(|node| node.start == node.end);
            let offset = self.offset;
            let Some(node) = self.nodes.get_mut(*key as usize).filter(|_| empty) else { continue };
            let (start, end) = (node.start as usize - offset, node.end as usize - offset);
            let quoted = self.body.get(start..).is_some_and(|rest| rest.starts_with(['"', '\'', '&', '*', '!']));
            let mut behind = self.body.get(end..).unwrap_or_default().chars();
            let glued = behind.next() == Some(':') && behind.next().is_some_and(|next| ",[]{}".contains(next));
            if glued && !quoted {
                node.text = format!("{}:", self.body.get(start..end).unwrap_or_default());
                node.value = Value::String;
                node.end += 1;
                any = true;
            }
        }
        any
    }

    /// Hands a finished node to the container around it.
    fn finish(&mut self, index: Index, at: usize) -> Result<(), Failure> {
        match self.open.last_mut() {
            Some(open) => open.children.push(index),
            None if self.root.is_none() => self.root = Some(index),
            None => return Err((at, "a second root".to_owned())),
        }
        Ok(())
    }

    /// Keys and values as entries: keys as text, the last of equal ones, merge keys followed.
    fn mapping(&mut self, children: &[Index]) -> Result<Value, Failure> {
        let mut entries: Vec<Entry> = Vec::with_capacity(children.len() / 2);
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut merged: Vec<Index> = Vec::new();
        for pair in children.chunks_exact(2) {
            let [key, value] = pair else {
                continue;
            };
            let Some(node) = self.nodes.get(*key as usize) else {
                continue;
            };
            let at = (node.start as usize).saturating_sub(self.offset);
            let key = match &node.value {
                Value::Null => return Err((at, "a key that is null".to_owned())),
                Value::Sequence(_) | Value::Mapping(_) => return Err((at, "a key that is no scalar".to_owned())),
                Value::Bool(truth) => truth.to_string(),
                Value::Int(number) => number.to_string(),
                Value::Float(_) | Value::String => node.text.clone(),
            };
            let quoted = self.body.get(at..).is_some_and(|rest| rest.starts_with(['"', '\'']));
            if key == "<<" && !quoted {
                merged.push(*value);
                continue;
            }
            let entry = Entry { key: key.as_str().into(), key_start: node.start, key_end: node.end, value: *value };
            if let Some(earlier) = known.get(&key).and_then(|index| entries.get_mut(*index)) {
                self.problems.push(Problem {
                    kind: ProblemKind::DuplicateKey,
                    span: Span { file: self.file, start: entry.key_start, end: entry.key_end },
                    message: format!("`{key}` is written twice; the first one is ignored"),
                });
                *earlier = entry;
            } else {
                known.insert(key, entries.len());
                entries.push(entry);
            }
        }
        for index in merged {
            self.merge(index, &mut entries, &mut known);
        }
        Ok(Value::Mapping(entries))
    }

    /// Adds the entries of a merged mapping, or of several, that are not there yet.
    fn merge(&self, index: Index, entries: &mut Vec<Entry>, known: &mut HashMap<String, usize>) {
        match self.nodes.get(index as usize).map(|node| &node.value) {
            Some(Value::Mapping(more)) => {
                for entry in more {
                    if !known.contains_key(&*entry.key) {
                        known.insert(entry.key.to_string(), entries.len());
                        entries.push(entry.clone());
                    }
                }
            }
            Some(Value::Sequence(items)) => {
                for item in items.clone() {
                    self.merge(item, entries, known);
                }
            }
            _ => {}
        }
    }

    /// The document cannot be read on; behind its finished root that is only a dropped tail.
    fn fail(&mut self, at: usize, message: &str, ended: &mut bool) {
        if self.root.is_some() && self.open.is_empty() {
            *ended = true;
            self.tail(at);
            return;
        }
        let template = ["{{", "{%"].iter().filter_map(|mark| self.body.find(mark)).min();
        let (kind, at, message) = match template {
            Some(at) => (ProblemKind::Template, at, "a template that was not rendered".to_owned()),
            None => (ProblemKind::Syntax, at, format!("this document cannot be read: {message}")),
        };
        let place = self.line_at(at);
        self.problems.push(Problem { kind, span: place, message });
    }

    /// Text behind the root.
    fn tail(&mut self, at: usize) {
        let place = self.line_at(at);
        self.problems.push(Problem {
            kind: ProblemKind::IgnoredTail,
            span: place,
            message: "kubectl ignores everything from here to the end of the document".to_owned(),
        });
    }

    /// The rest of the line from an offset of the piece, never empty where the piece is not.
    fn line_at(&self, at: usize) -> Span {
        let at = at.min(self.body.len());
        let (mut start, rest) = (at, self.body.get(at..).unwrap_or_default());
        let mut length = rest.lines().next().unwrap_or_default().trim_end().len();
        if length == 0 {
            let before = self.body.get(..at).unwrap_or_default().trim_end();
            start = before.rfind('\n').map_or(0, |newline| newline + 1);
            length = before.len() - start;
        }
        span(self.file, self.offset + start, self.offset + start + length)
    }
}

/// A plain scalar, resolved. One without text is null.
fn plain(text: &str, start: usize, end: usize) -> Value {
    if start == end {
        return Value::Null;
    }
    match resolve(text) {
        Scalar::Null => Value::Null,
        Scalar::Bool(truth) => Value::Bool(truth),
        Scalar::Int(number) => Value::Int(number),
        Scalar::Float(number) => Value::Float(number),
        Scalar::String => Value::String,
    }
}
