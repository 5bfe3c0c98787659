//! The fast reader: the plain block style in which manifests are mostly written, line by line, without events.
//!
//! It declines, and leaves the document to `build`, wherever it is not certain: anchors, aliases, tags, escapes, tabs,
//! carriage returns, scalars of several lines other than simple literals, flow style beyond a line, equal keys, and all
//! that is an error. `tests/scanner.rs` holds it against `build`: the same nodes, spans and comments, or it declines.

mod flow;
mod scalar;

use std::collections::HashSet;
use std::ops::Range;

use smallvec::SmallVec;

use super::node::{Document, Entry, Index, NodeData, Text, Value, offset};
use super::stream::Comment;
use crate::text::{FileId, Span};

/// Containers within one another, beyond which the document is declined.
const MAX_DEPTH: usize = 64;

/// Keys of a mapping up to which equal ones are looked for pair by pair.
const FEW_KEYS: usize = 12;

/// Room in which documents are read one after the other, so that it does not grow anew for each.
#[derive(Default)]
pub(super) struct Room {
    /// For the nodes of a document
    nodes: Vec<NodeData>,
    /// For its items
    settled_items: Vec<Index>,
    /// For its entries
    settled_entries: Vec<Entry>,
    /// For containers not finished
    open: Vec<Open>,
    /// For items of sequences not finished
    items: Vec<Index>,
    /// For entries of mappings not finished
    entries: Vec<Entry>,
}

impl Room {
    /// The same room, empty.
    fn cleared(mut self) -> Self {
        self.nodes.clear();
        self.settled_items.clear();
        self.settled_entries.clear();
        self.open.clear();
        self.items.clear();
        self.entries.clear();
        self
    }
}

/// Reads one piece of a text, or declines.
pub(super) fn read<'t>(
    file: FileId,
    text: &'t str,
    piece: Range<usize>,
    room: &mut Room,
) -> Option<(Document<'t>, Vec<Comment<'t>>)> {
    let body = text.get(piece.clone())?;
    if u32::try_from(text.len()).is_err() || !is_ordinary(body) {
        return None;
    }
    let bytes = text.as_bytes().get(..piece.end)?;
    let Room { nodes, settled_items, settled_entries, open, items, entries } = std::mem::take(room);
    let document = Document {
        nodes,
        items: settled_items,
        entries: settled_entries,
        plain: memchr::memchr3(b'{', b'$', b'<', body.as_bytes()).is_none(),
        ..Document::new(file, text)
    };
    let (next, waiting, comments) = (piece.start, None, Vec::new());
    let mut scanner = Scanner { file, text, bytes, next, document, open, items, entries, waiting, comments };
    let read = scanner.lines();
    let Scanner { document, open, items, entries, comments, .. } = scanner;
    // The copy has just the room that it needs.
    let found = read.map(|()| (document.clone(), comments));
    let Document { nodes, items: settled_items, entries: settled_entries, .. } = document;
    *room = Room { nodes, settled_items, settled_entries, open, items, entries }.cleared();
    found
}

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// Whether a text has only characters that mean nothing to YAML by themselves, line feeds aside.
fn is_ordinary(body: &str) -> bool {
    let is_strange = |byte: u8| byte != b'\n' && !(b' '..0x7F).contains(&byte);
    // Without a way out within a block, its bytes are compared all at once.
    let mut blocks = body.as_bytes().chunks(BLOCK);
    if blocks.all(|block| !block.iter().fold(false, |strange, byte| strange | is_strange(*byte))) {
        return true;
    }
    body.chars().all(|character| {
        character == '\n'
            || !(character.is_control()
                || matches!(character, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'))
    })
}

/// A key that waits for its value.
#[derive(Clone, Copy)]
struct Key {
    /// The key as text
    text: Text,
    /// First byte
    start: usize,
    /// Behind its last byte, quotes included
    end: usize,
    /// Behind the colon
    behind: usize,
}

/// Where a value stands that did not come.
enum Waiting {
    /// Here
    At(usize),
    /// The parser alone knows
    Uncertain,
}

/// What begins at a place.
enum Beginning {
    /// A key with its colon
    Key(Key),
    /// Something else
    Other,
}

/// A container that is being read.
struct Open {
    /// Column of its keys or dashes
    indent: usize,
    /// Its node
    node: Index,
    /// Behind its last child
    end: u32,
    /// For a mapping, the key whose value is read
    key: Option<Key>,
    /// Whether it is a mapping
    mapping: bool,
    /// Where its children begin among those that are not settled
    first: usize,
}

/// Reads one document.
struct Scanner<'t> {
    /// The file
    file: FileId,
    /// Its text
    text: &'t str,
    /// Its bytes up to the end of the piece
    bytes: &'t [u8],
    /// The first line that is not read
    next: usize,
    /// The document so far
    document: Document<'t>,
    /// Containers not finished
    open: Vec<Open>,
    /// Items of sequences not finished
    items: Vec<Index>,
    /// Entries of mappings not finished
    entries: Vec<Entry>,
    /// Set where the last line left its value to the next ones
    waiting: Option<Waiting>,
    /// Comments so far
    comments: Vec<Comment<'t>>,
}

impl<'t> Scanner<'t> {
    /// The byte at a place of the piece; a line feed behind its end.
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b'\n')
    }

    /// The text between two places.
    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The end of the line of a place.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |length| at + length)
    }

    /// The first place from one on that holds no space.
    fn skip_spaces(&self, mut at: usize) -> usize {
        while self.byte(at) == b' ' {
            at += 1;
        }
        at
    }

    /// Reads all lines.
    fn lines(&mut self) -> Option<()> {
        while self.next < self.bytes.len() {
            let line = self.next;
            let end = self.line_end(line);
            self.next = end + 1;
            let start = self.skip_spaces(line);
            match self.byte(start) {
                b'\n' => {}
                b'#' => self.comment(start, end),
                _ => self.line(start - line, start, end)?,
            }
        }
        self.settle()?;
        while self.open.len() > 1 {
            self.close()?;
        }
        self.document.root = self.open.last()?.node;
        self.close()
    }

    /// Takes a comment in.
    fn comment(&mut self, start: usize, end: usize) {
        let span = Span { file: self.file, start: offset(start), end: offset(end) };
        self.comments.push(Comment { span, text: self.slice(start + 1, end) });
    }

    /// Whether a dash of a sequence stands at a place.
    fn is_dash(&self, at: usize) -> bool {
        self.byte(at) == b'-' && matches!(self.byte(at + 1), b' ' | b'\n')
    }

    /// Reads a line that is neither blank nor a comment.
    fn line(&mut self, indent: usize, start: usize, end: usize) -> Option<()> {
        let dash = self.is_dash(start);
        let Some(top) = self.open.last() else {
            let marker = self.slice(start, end).starts_with("...");
            return if indent == 0 && !marker { self.block(0, start, end) } else { None };
        };
        if self.waiting.is_some() && (indent > top.indent || (top.mapping && dash && indent == top.indent)) {
            self.waiting = None;
            return self.block(indent, start, end);
        }
        self.settle()?;
        while let Some(top) = self.open.last() {
            // The dashes of a sequence may stand below the first letter of its key.
            let ended = top.indent > indent || (top.indent == indent && !top.mapping && !dash);
            if !ended {
                break;
            }
            self.close()?;
        }
        let top = self.open.last().filter(|top| top.indent == indent && top.mapping != dash)?;
        if top.mapping { self.entry(start, end) } else { self.item(indent, start, end) }
    }

    /// A value that did not come is null.
    fn settle(&mut self) -> Option<()> {
        match self.waiting.take() {
            Some(Waiting::At(at)) => self.value(at, at, Value::Null),
            Some(Waiting::Uncertain) => None,
            None => Some(()),
        }
    }

    /// Opens the container that a line begins, and reads its first child.
    fn block(&mut self, indent: usize, start: usize, end: usize) -> Option<()> {
        if !self.is_dash(start) {
            self.start(indent, start, true)?;
            return self.entry(start, end);
        }
        let unindented = self.open.last().is_some_and(|top| top.indent == indent);
        let content = self.skip_spaces(start + 1);
        if unindented && matches!(self.byte(content), b'\n' | b'#') {
            return None;
        }
        // The parser sees such a sequence begin with its first item.
        self.start(indent, if unindented { content } else { start }, false)?;
        self.item(indent, start, end)
    }

    /// Opens a container.
    fn start(&mut self, indent: usize, at: usize, mapping: bool) -> Option<()> {
        if self.open.len() == MAX_DEPTH {
            return None;
        }
        let node = self.document.push(offset(at), offset(at), Value::Null);
        let first = if mapping { self.entries.len() } else { self.items.len() };
        self.open.push(Open { indent, node, end: offset(at), key: None, mapping, first });
        Some(())
    }

    /// Closes the innermost container and hands it to the one around it.
    fn close(&mut self) -> Option<()> {
        let open = self.open.pop()?;
        let value = if open.mapping { self.mapping(open.first)? } else { self.sequence(open.first) };
        let node = self.document.nodes.get_mut(open.node as usize)?;
        node.value = value;
        node.end = open.end.max(node.start);
        let end = node.end;
        if self.open.is_empty() { Some(()) } else { self.put(open.node, end) }
    }

    /// A sequence of the items from one on.
    fn sequence(&mut self, first: usize) -> Value {
        self.document.sequence(self.items.drain(first..))
    }

    /// A mapping of the entries from one on; declined where a key occurs twice.
    fn mapping(&mut self, first: usize) -> Option<Value> {
        let entries = self.entries.get(first..)?;
        let keys = entries.iter().map(|entry| self.document.text(entry.key));
        let distinct = if entries.len() > FEW_KEYS {
            keys.collect::<HashSet<&str>>().len() == entries.len()
        } else {
            let keys: SmallVec<[&str; FEW_KEYS]> = keys.collect();
            keys.iter().enumerate().all(|(index, key)| !keys.iter().take(index).any(|earlier| earlier == key))
        };
        distinct.then(|| self.document.mapping(self.entries.drain(first..)))
    }

    /// Adds a scalar to the innermost container.
    fn value(&mut self, start: usize, end: usize, value: Value) -> Option<()> {
        let node = self.document.push(offset(start), offset(end), value);
        self.put(node, offset(end))
    }

    /// Adds a node to the innermost container.
    fn put(&mut self, node: Index, end: u32) -> Option<()> {
        let top = self.open.last_mut()?;
        top.end = end;
        if top.mapping {
            let key = top.key.take()?;
            let (key_start, key_end) = (offset(key.start), offset(key.end));
            self.entries.push(Entry { key: key.text, key_start, key_end, value: node });
        } else {
            self.items.push(node);
        }
        Some(())
    }

    /// Reads an item behind its dash. Sequences may begin within it, on the same line.
    fn item(&mut self, mut indent: usize, mut dash: usize, end: usize) -> Option<()> {
        loop {
            let content = self.skip_spaces(dash + 1);
            indent += content - dash;
            match self.byte(content) {
                b'\n' => {
                    self.waiting = Some(Waiting::At(content));
                    return Some(());
                }
                b'#' => {
                    self.comment(content, end);
                    self.waiting = Some(Waiting::Uncertain);
                    return Some(());
                }
                _ if self.is_dash(content) => {
                    self.start(indent, content, false)?;
                    dash = content;
                }
                _ => {
                    let Beginning::Key(_) = self.key(content, end)? else { return self.inline(content, end) };
                    self.start(indent, content, true)?;
                    return self.entry(content, end);
                }
            }
        }
    }

    /// Reads a key and what stands behind it on its line.
    fn entry(&mut self, start: usize, end: usize) -> Option<()> {
        let Beginning::Key(key) = self.key(start, end)? else { return None };
        self.open.last_mut()?.key = Some(key);
        let content = self.skip_spaces(key.behind);
        match self.byte(content) {
            b'\n' => self.waiting = Some(Waiting::At(key.end)),
            b'#' => {
                self.comment(content, end);
                self.waiting = Some(Waiting::At(key.end));
            }
            _ => return self.inline(content, end),
        }
        Some(())
    }
}
