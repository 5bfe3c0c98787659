//! The fast reader: the plain block style in which manifests are mostly written, line by line, without events.
//!
//! It declines, and leaves the document to `build`, wherever it is not certain: anchors, aliases, tags, escapes, tabs,
//! carriage returns, scalars of several lines other than simple literals, flow style beyond a line, equal keys, and all
//! that is an error. `tests/scanner.rs` holds it against `build`: the same nodes, spans and comments, or it declines.

mod flow;
mod scalar;
mod word;

use std::collections::HashSet;
use std::ops::Range;

use smallvec::SmallVec;

use self::word::{Marks, WIDTH, Word};
use super::node::{Document, Entry, Index, NodeData, Value, offset};
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

/// Where a value stands that did not come.
enum Waiting {
    /// Here
    At(usize),
    /// The parser alone knows
    Uncertain,
}

/// What begins at a place.
enum Beginning {
    /// A key that ends here, where its colon stands; its entry is taken in
    Key(usize),
    /// Something else, and there is no colon before this place
    Other(usize),
}

/// A container that is being read.
struct Open {
    /// Column of its keys or dashes
    indent: usize,
    /// Its node
    node: Index,
    /// Behind its last child
    end: u32,
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
    /// The first line that is not read: set by whatever finds the end of the one before it
    next: usize,
    /// The document so far
    document: Document<'t>,
    /// Containers not finished
    open: Vec<Open>,
    /// Items of sequences not finished
    items: Vec<Index>,
    /// Entries of mappings not finished; the last one of each may still wait for its value
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

    /// The first place from one on whose byte is marked, as line feeds must be.
    fn find(&self, mut at: usize, marks: impl Fn(Word) -> Marks) -> usize {
        loop {
            let word = Word::of(self.bytes.get(at..).unwrap_or_default());
            if let Some(index) = marks(word).first() {
                return at + index;
            }
            at += WIDTH;
        }
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
            let start = self.find(line, |word| word.other_than(b' '));
            match self.byte(start) {
                b'\n' => self.next = start + 1,
                b'#' => self.comment(start),
                _ => self.line(start - line, start)?,
            }
        }
        self.settle()?;
        while self.open.len() > 1 {
            self.close()?;
        }
        self.document.root = self.open.last()?.node;
        self.close()
    }

    /// Takes a comment in, and with it the rest of its line.
    fn comment(&mut self, start: usize) {
        let end = self.line_end(start);
        self.next = end + 1;
        let span = Span { file: self.file, start: offset(start), end: offset(end) };
        self.comments.push(Comment { span, text: self.slice(start + 1, end) });
    }

    /// Whether a dash of a sequence stands at a place.
    fn is_dash(&self, at: usize) -> bool {
        self.byte(at) == b'-' && matches!(self.byte(at + 1), b' ' | b'\n')
    }

    /// Reads a line that is neither blank nor a comment.
    fn line(&mut self, indent: usize, start: usize) -> Option<()> {
        let dash = self.is_dash(start);
        let Some(top) = self.open.last() else {
            let marker = self.bytes.get(start..).is_some_and(|rest| rest.starts_with(b"..."));
            return if indent == 0 && !marker { self.block(0, start) } else { None };
        };
        if self.waiting.is_some() && (indent > top.indent || (top.mapping && dash && indent == top.indent)) {
            self.waiting = None;
            return self.block(indent, start);
        }
        self.settle()?;
        // The dashes of a sequence may stand below the first letter of its key.
        while self.open.last().is_some_and(|top| top.indent > indent || (top.indent == indent && !top.mapping && !dash))
        {
            self.close()?;
        }
        let top = self.open.last().filter(|top| top.indent == indent && top.mapping != dash)?;
        if top.mapping { self.entry(start) } else { self.item(indent, start) }
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
    fn block(&mut self, indent: usize, start: usize) -> Option<()> {
        if !self.is_dash(start) {
            self.start(indent, start, true, self.entries.len())?;
            return self.entry(start);
        }
        let unindented = self.open.last().is_some_and(|top| top.indent == indent);
        let content = self.skip_spaces(start + 1);
        if unindented && matches!(self.byte(content), b'\n' | b'#') {
            return None;
        }
        // The parser sees such a sequence begin with its first item.
        self.start(indent, if unindented { content } else { start }, false, self.items.len())?;
        self.item(indent, start)
    }

    /// Opens a container whose children are those from one on.
    fn start(&mut self, indent: usize, at: usize, mapping: bool, first: usize) -> Option<()> {
        if self.open.len() == MAX_DEPTH {
            return None;
        }
        let node = self.document.push(offset(at), offset(at), Value::Null);
        self.open.push(Open { indent, node, end: offset(at), mapping, first });
        Some(())
    }

    /// Closes the innermost container and hands it to the one around it.
    fn close(&mut self) -> Option<()> {
        let open = self.open.pop()?;
        let value = self.settled(open.mapping, open.first)?;
        let node = self.document.nodes.get_mut(open.node as usize)?;
        node.value = value;
        node.end = open.end.max(node.start);
        let end = node.end;
        if self.open.is_empty() { Some(()) } else { self.put(open.node, end) }
    }

    /// A container of the children from one on; declined where a key occurs twice.
    fn settled(&mut self, mapping: bool, first: usize) -> Option<Value> {
        if mapping {
            let entries = self.entries.get(first..).filter(|entries| are_distinct(&self.document, entries))?;
            let value = self.document.mapping(entries);
            self.entries.truncate(first);
            Some(value)
        } else {
            let value = self.document.sequence(self.items.get(first..)?);
            self.items.truncate(first);
            Some(value)
        }
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
            self.entries.last_mut()?.value = node;
        } else {
            self.items.push(node);
        }
        Some(())
    }

    /// Reads an item behind its dash. Sequences may begin within it, on the same line.
    fn item(&mut self, mut indent: usize, mut dash: usize) -> Option<()> {
        loop {
            let content = self.skip_spaces(dash + 1);
            indent += content - dash;
            match self.byte(content) {
                b'\n' => {
                    self.next = content + 1;
                    self.waiting = Some(Waiting::At(content));
                    return Some(());
                }
                b'#' => {
                    self.comment(content);
                    self.waiting = Some(Waiting::Uncertain);
                    return Some(());
                }
                _ if self.is_dash(content) => {
                    self.start(indent, content, false, self.items.len())?;
                    dash = content;
                }
                _ => {
                    let first = self.entries.len();
                    return match self.key(content)? {
                        Beginning::Key(end) => {
                            self.start(indent, content, true, first)?;
                            self.behind_key(end)
                        }
                        Beginning::Other(known) => self.inline(content, known),
                    };
                }
            }
        }
    }

    /// Reads a key and what stands behind it on its line.
    fn entry(&mut self, start: usize) -> Option<()> {
        let Beginning::Key(end) = self.key(start)? else { return None };
        self.behind_key(end)
    }

    /// Reads what stands on its line behind a key that ends at a place.
    fn behind_key(&mut self, end: usize) -> Option<()> {
        let content = self.skip_spaces(end + 1);
        match self.byte(content) {
            b'\n' => self.next = content + 1,
            b'#' => self.comment(content),
            _ => return self.inline(content, content),
        }
        self.waiting = Some(Waiting::At(end));
        Some(())
    }
}

/// Whether each key of some entries occurs once.
fn are_distinct(document: &Document<'_>, entries: &[Entry]) -> bool {
    if entries.len() < 2 {
        return true;
    }
    // Keys that differ in their marks differ: mostly all of them do.
    let mut marks = 0_u64;
    let differ = entries.iter().all(|entry| {
        let key = document.bytes(entry.key);
        let (Some(first), Some(last)) = (key.first(), key.last()) else { return false };
        let mark = 1 << ((key.len() ^ usize::from(*first) ^ (usize::from(*last) << 2)) % 64);
        let new = marks & mark == 0;
        marks |= mark;
        new
    });
    if differ {
        return true;
    }
    let keys = entries.iter().map(|entry| document.bytes(entry.key));
    if entries.len() > FEW_KEYS {
        return keys.collect::<HashSet<_>>().len() == entries.len();
    }
    let keys: SmallVec<[_; FEW_KEYS]> = keys.collect();
    keys.iter().enumerate().all(|(index, key)| !keys.iter().take(index).any(|earlier| earlier == key))
}
