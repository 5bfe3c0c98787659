//! From parser events to documents. The only module that knows the parser.

#![expect(clippy::wildcard_enum_match_arm, reason = "the parser has events that are no nodes")]

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span as EventSpan, StructureStyle};

use super::aliases::Aliases;
use super::guard;
use super::node::{Document, Index, Text, Value, offset};
use super::stream::{Comment, Problem, ProblemKind, Stream};
use super::tag;
use crate::text::{FileId, Span};

/// Reads one piece of a text.
pub(super) fn read<'t>(file: FileId, text: &'t str, piece: Range<usize>, stream: &mut Stream<'t>) {
    let body = text.get(piece.clone()).unwrap_or_default();
    let options = granit_parser::options! {
        block_scalar_eof_without_line_feed: true,
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        max_buffered_comment_events: 1_000_000,
    };
    let mut builder = Builder {
        file,
        base: piece.start,
        body,
        document: Document::new(file, text),
        aliases: Aliases::default(),
        anchors: HashMap::new(),
        merge_keys: HashSet::new(),
        tabs_allowed: Vec::new(),
        open: Vec::new(),
        root: None,
        problems: Vec::new(),
    };
    let mut ended = false;
    if let Some((at, message)) = guard::refused(body) {
        builder.fail(at, &message, &mut ended);
        stream.problems.append(&mut builder.problems);
        return;
    }
    let fed = guard::with_line_breaks(body);
    for event in Parser::new_from_str_with_options(&fed, options) {
        let (event, place) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(body.len());
                builder.fail(at, &error.info(), &mut ended);
                break;
            }
        };
        if let Event::Comment(..) = &event {
            stream.comments.extend(builder.comment(&place));
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
    let readable = ended || (builder.root.is_none() && builder.problems.is_empty());
    if let Some(at) = guard::misplaced_tab(body, &builder.tabs_allowed).filter(|_| readable) {
        builder.problems.clear();
        (builder.root, ended) = (None, false);
        builder.fail(at, "a tab stands where only spaces may", &mut ended);
    }
    stream.problems.append(&mut builder.problems);
    if let Some(root) = builder.root.filter(|_| ended) {
        let document = Document { root, ..builder.document };
        if document.node(root).is_some_and(|root| root.value != Value::Null) {
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
pub(super) struct Builder<'t> {
    /// The file
    pub(super) file: FileId,
    /// Where the piece begins in the file
    pub(super) base: usize,
    /// The piece
    pub(super) body: &'t str,
    /// The document so far
    pub(super) document: Document<'t>,
    /// How far aliases are followed
    aliases: Aliases,
    /// Finished nodes by anchor
    anchors: HashMap<usize, Index>,
    /// Keys that are `<<` and mean it
    pub(super) merge_keys: HashSet<Index>,
    /// Texts and bracketed containers, within which lines may begin with tabs
    tabs_allowed: Vec<Range<usize>>,
    /// Containers not finished
    open: Vec<Open>,
    /// The finished root
    root: Option<Index>,
    /// What is wrong
    pub(super) problems: Vec<Problem>,
}

/// Where in the piece something is wrong, and what.
pub(super) type Failure = (usize, String);

impl<'t> Builder<'t> {
    /// Takes one event in.
    fn event(&mut self, event: Event<'_>, place: EventSpan) -> Result<(), Failure> {
        let range = place.byte_range().unwrap_or(0..0);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                if style == ScalarStyle::DoubleQuoted {
                    guard::escapes(self.body.get(range.clone()).unwrap_or_default())
                        .map_or(Ok(()), |at| Err((range.start + at, "kubectl does not know this escape".to_owned())))?;
                }
                let text = if plain && tag.is_none() && range.is_empty() { Cow::Borrowed("") } else { text };
                let value = tag::value(tag.as_deref(), plain, &text).map_err(|message| (range.start, message))?;
                if matches!(value, Some(Value::Float(number)) if !number.is_finite()) && !self.is_key() {
                    return Err((range.start, "JSON has no such number".to_owned()));
                }
                let value = value.unwrap_or_else(|| Value::String(self.text(&range, &text)));
                if plain {
                    self.tabs_allowed.push(self.continued(&range));
                } else {
                    self.tabs_allowed.push(range.clone());
                }
                let end = if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    let written = self.body.get(range.clone()).unwrap_or_default();
                    range.start + written.trim_end().len()
                } else {
                    range.end
                };
                let index = self.push(range.start, end, value);
                if tag::is_merge_key(tag.as_deref(), plain, &text) && self.is_key() {
                    self.merge_keys.insert(index);
                }
                self.aliases.scalar().map_err(|message| (range.start, message))?;
                self.anchor(anchor, index);
                self.finish(index, range.start)
            }
            Event::SequenceStart(style, anchor, _) => self.start(&range, style, anchor, false),
            Event::MappingStart(style, anchor, _) => self.start(&range, style, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => self.end(&range),
            Event::Anchor(_, name) => {
                let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
                let refused = || (range.start, format!("kubectl does not take `{name}` for the name of an anchor"));
                if is_name { Ok(()) } else { Err(refused()) }
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).copied() {
                Some(target) => {
                    self.aliases.alias(target).map_err(|message| (range.start, message))?;
                    self.finish(target, range.start)
                }
                None => Err((range.start, "an alias within the node that it names".to_owned())),
            },
            Event::UnresolvedAlias(name) => Err((range.start, format!("no anchor is called `{name}`"))),
            _ => Ok(()),
        }
    }

    /// A place of the piece as a span of the file.
    fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: offset(self.base + start), end: offset(self.base + end) }
    }

    /// A comment of the piece.
    fn comment(&self, place: &EventSpan) -> Option<Comment<'t>> {
        let range = place.byte_range()?;
        let text = self.body.get(range.clone())?.strip_prefix('#')?;
        Some(Comment { span: self.span(range.start, range.end), text })
    }

    /// The text of a scalar: where it stands, within its quotes if it has any, or a copy where it reads otherwise.
    fn text(&mut self, range: &Range<usize>, text: &str) -> Text {
        let inner = range.start.saturating_add(1)..range.end.saturating_sub(1);
        for place in [range.clone(), inner] {
            if self.body.get(place.clone()) == Some(text) {
                let place = self.span(place.start, place.end);
                return Text::Written(place.start, place.end);
            }
        }
        self.document.keep(text)
    }

    /// Adds a node.
    fn push(&mut self, start: usize, end: usize, value: Value) -> Index {
        let place = self.span(start, end);
        self.document.push(place.start, place.end, value)
    }

    /// Remembers an anchored node.
    fn anchor(&mut self, anchor: usize, index: Index) {
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
    }

    /// Opens a container.
    fn start(
        &mut self,
        range: &Range<usize>,
        style: StructureStyle,
        anchor: usize,
        mapping: bool,
    ) -> Result<(), Failure> {
        if self.is_key() {
            return Err((range.start, "a key that is no scalar".to_owned()));
        }
        // `[a: 1]` holds a mapping in flow style without braces; `- {}` may be a block that seems to begin with one.
        let bracket = self.body.get(range.start..).is_some_and(|rest| rest.starts_with(['[', '{']));
        let flow = style == StructureStyle::Flow && bracket;
        let index = self.push(range.start, range.end, Value::Null);
        self.aliases.open(index).map_err(|message| (range.start, message))?;
        self.open.push(Open { index, anchor, start: range.start, flow, children: Vec::new(), mapping });
        Ok(())
    }

    /// Whether the next node is a key.
    fn is_key(&self) -> bool {
        self.open.last().is_some_and(|open| open.mapping && open.children.len() % 2 == 0)
    }

    /// The lines of a plain scalar, and the blank ones behind it as far as they are indented deeper than what is
    /// around it: within them tabs are no indentation.
    fn continued(&self, range: &Range<usize>) -> Range<usize> {
        let indent = self.open.last().map_or(0, |open| 1 + guard::column(self.body, open.start));
        range.start..range.end + guard::blank_lines(self.body.get(range.end..).unwrap_or_default(), indent)
    }

    /// Closes the innermost container.
    fn end(&mut self, range: &Range<usize>) -> Result<(), Failure> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if open.mapping && self.keys_that_end_in_colons(&open) {
            // `[a::]` holds one text, no mapping.
            if let Some(key) = open.children.first().copied().filter(|_| !self.has_braces(&open)) {
                return self.finish(key, open.start);
            }
        }
        self.aliases.close();
        if open.flow {
            self.tabs_allowed.push(open.start..range.end);
        }
        // A block container ends with its last child; in flow style the bracket ends it.
        let child = |child: Option<&Index>| child.and_then(|child| self.document.node(*child));
        let last = child(open.children.last()).map(|node| node.end);
        let first = child(open.children.first()).map(|node| node.start);
        let own = offset(self.base + open.start);
        let start = if open.flow { own } else { first.filter(|_| open.mapping).map_or(own, |first| first.min(own)) };
        let end = if open.flow { offset(self.base + range.end) } else { last.unwrap_or(own).max(start) };
        let value = if open.mapping { self.mapping(&open.children)? } else { self.document.sequence(&open.children) };
        if let Some(node) = self.document.nodes.get_mut(open.index as usize) {
            (node.start, node.end, node.value) = (start, end, value);
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
            let empty = self.document.node(*value).is_some_and(|node| node.start == node.end);
            let base = self.base;
            let Some(node) = self.document.nodes.get_mut(*key as usize).filter(|_| empty) else { continue };
            let (start, end) = (node.start as usize - base, node.end as usize - base);
            let quoted = self.body.get(start..).is_some_and(|rest| rest.starts_with(['"', '\'', '&', '*', '!']));
            let mut behind = self.body.get(end..).unwrap_or_default().chars();
            let glued = behind.next() == Some(':') && behind.next().is_some_and(|next| ",[]{}".contains(next));
            if glued && !quoted {
                node.end += 1;
                node.value = Value::String(Text::Written(node.start, node.end));
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

    /// The document cannot be read on; behind its finished root that is only a dropped tail.
    fn fail(&mut self, at: usize, message: &str, ended: &mut bool) {
        // A key of several lines makes what looks like a finished text no document.
        let over_several_lines = message.contains("mapping values are not allowed");
        if self.root.is_some() && self.open.is_empty() && !over_several_lines {
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
        self.span(start, start + length)
    }
}
