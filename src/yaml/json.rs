//! JSON: what kubectl tries first on a file whose first sign is a brace, one value after the other.
//!
//! kubernetes/apimachinery does so (`pkg/util/yaml/decoder.go`, `YAMLOrJSONDecoder`): it reads JSON as long as it can.
//! Behind at most one value it takes the rest for YAML; behind several, what is no JSON is an error.

use std::collections::HashMap;

use super::node::{Document, Entry, Index, NodeKind, Text, Value, offset};
use super::stream::{Problem, ProblemKind};
use crate::text::{FileId, Span};

/// Containers within one another, beyond which a value is not read.
const MAX_DEPTH: usize = 255;

/// What was read as JSON.
pub(super) struct Values<'t> {
    /// The values, each a document
    pub(super) documents: Vec<Document<'t>>,
    /// What is wrong with them, or behind them
    pub(super) problems: Vec<Problem>,
    /// Where YAML begins, at the end of the text if nowhere
    pub(super) rest: usize,
}

/// Reads as much of a text as is JSON; nothing where it does not begin with a brace.
pub(super) fn read(file: FileId, text: &str) -> Values<'_> {
    let mut found = Values { documents: Vec::new(), problems: Vec::new(), rest: 0 };
    if !text.trim_start().starts_with('{') {
        return found;
    }
    let mut count = 0;
    loop {
        let mut reader = Reader::new(file, text, found.rest);
        reader.blanks();
        if reader.at == text.len() {
            found.rest = text.len();
            return found;
        }
        let start = reader.at;
        if let Some(root) = reader.value() {
            found.rest = reader.at;
            count += 1;
            reader.document.root = root;
            let unread = reader.problems.iter().any(|problem| problem.kind == ProblemKind::Syntax);
            found.problems.append(&mut reader.problems);
            if !unread && reader.document.root().kind() != NodeKind::Null {
                found.documents.push(reader.document);
            }
            continue;
        }
        match count {
            0 => {}
            // The decoder drops blanks up to the end of the line before it goes on with YAML.
            1 => {
                found.rest = text
                    .get(found.rest..start)
                    .and_then(|gap| gap.find('\n'))
                    .map_or(start, |end| found.rest + end + 1);
            }
            _ => {
                let message = "behind several values of JSON nothing but JSON can be read".to_owned();
                let line =
                    text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, |line| line.trim_end().len());
                let span = Span { file, start: offset(start), end: offset(start + line) };
                found.problems.push(Problem { kind: ProblemKind::Syntax, span, message });
                found.rest = text.len();
            }
        }
        return found;
    }
}

/// A container that is being read.
struct Open {
    /// Its first byte
    start: usize,
    /// Whether it is a mapping
    mapping: bool,
    /// The key whose value is read
    key: Option<(Text, usize, usize)>,
    /// Where its children begin among those that are not settled
    first: usize,
}

/// Reads one value.
struct Reader<'t> {
    /// The file
    file: FileId,
    /// Its text
    text: &'t str,
    /// The byte that is read next
    at: usize,
    /// The document so far
    document: Document<'t>,
    /// Containers not finished
    open: Vec<Open>,
    /// Items of sequences not finished
    items: Vec<Index>,
    /// Entries of mappings not finished
    entries: Vec<Entry>,
    /// Keys written twice
    problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    /// A reader of the value that begins at a place.
    fn new(file: FileId, text: &'t str, at: usize) -> Self {
        let (open, items, entries, problems) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { file, text, at, document: Document::new(file, text), open, items, entries, problems }
    }

    /// The next byte; 0 behind the end.
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Passes blanks.
    fn blanks(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// Passes a byte, or is no JSON.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        (self.byte() == byte).then(|| self.at += 1)
    }

    /// Reads a value to its end: its node, or nothing where it is no JSON.
    fn value(&mut self) -> Option<Index> {
        loop {
            self.blanks();
            let start = self.at;
            let mut node = match self.byte() {
                opening @ (b'{' | b'[') => {
                    if self.open.len() == MAX_DEPTH {
                        return None;
                    }
                    self.at += 1;
                    let mapping = opening == b'{';
                    let first = if mapping { self.entries.len() } else { self.items.len() };
                    self.open.push(Open { start, mapping, key: None, first });
                    self.blanks();
                    if self.byte() != if mapping { b'}' } else { b']' } {
                        self.key()?;
                        continue;
                    }
                    self.close()?
                }
                b'"' => {
                    let text = self.string()?;
                    self.push(start, Value::String(text))
                }
                _ => {
                    let value = self.word()?;
                    self.push(start, value)
                }
            };
            // What is finished may finish what is around it.
            loop {
                let Some(open) = self.open.last_mut() else { return Some(node) };
                if let Some((key, key_start, key_end)) = open.key.take() {
                    let (key_start, key_end) = (offset(key_start), offset(key_end));
                    self.entries.push(Entry { key, key_start, key_end, value: node });
                } else {
                    self.items.push(node);
                }
                self.blanks();
                if self.byte() == b',' {
                    self.at += 1;
                    self.key()?;
                    break;
                }
                node = self.close()?;
            }
        }
    }

    /// Reads the key of the next entry, if the innermost container is a mapping.
    fn key(&mut self) -> Option<()> {
        if !self.open.last()?.mapping {
            return Some(());
        }
        self.blanks();
        let start = self.at;
        let text = self.string()?;
        let end = self.at;
        self.take(b':')?;
        self.open.last_mut()?.key = Some((text, start, end));
        Some(())
    }

    /// Closes the innermost container.
    fn close(&mut self) -> Option<Index> {
        let open = self.open.pop()?;
        self.take(if open.mapping { b'}' } else { b']' })?;
        let value = if open.mapping {
            let entries = self.entries.split_off(open.first);
            let entries = self.distinct(entries);
            self.document.mapping(&entries)
        } else {
            let value = self.document.sequence(self.items.get(open.first..)?);
            self.items.truncate(open.first);
            value
        };
        Some(self.push(open.start, value))
    }

    /// Entries without those whose key comes again.
    fn distinct(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut known: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = self.document.text(entry.key);
            if let Some(earlier) = known.get(key).and_then(|index| kept.get_mut(*index)) {
                *earlier = entry;
                self.problems.push(Problem {
                    kind: ProblemKind::DuplicateKey,
                    span: Span { file: self.file, start: entry.key_start, end: entry.key_end },
                    message: format!("`{key}` is written twice; the first one is ignored"),
                });
            } else {
                known.insert(key, kept.len());
                kept.push(entry);
            }
        }
        kept
    }

    /// Adds the node of what was read since a place.
    fn push(&mut self, start: usize, value: Value) -> Index {
        self.document.push(offset(start), offset(self.at), value)
    }

    /// Reads a text in its quotes. Half a pair of surrogates is U+FFFD, as Go has it.
    fn string(&mut self) -> Option<Text> {
        if self.byte() != b'"' {
            return None;
        }
        self.at += 1;
        let start = self.at;
        let mut copied: Option<String> = None;
        loop {
            let rest = self.text.get(self.at..)?;
            let length = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\') || byte < b' ')?;
            if let Some(copied) = &mut copied {
                copied.push_str(rest.get(..length)?);
            }
            self.at += length;
            match self.byte() {
                b'"' => {
                    let end = self.at;
                    self.at += 1;
                    return Some(match copied {
                        Some(text) => self.document.keep(&text),
                        None => Text::Written(offset(start), offset(end)),
                    });
                }
                b'\\' => {
                    let mut text = match copied {
                        Some(text) => text,
                        None => self.text.get(start..self.at)?.to_owned(),
                    };
                    text.push(self.escape()?);
                    copied = Some(text);
                }
                _ => return None,
            }
        }
    }

    /// Reads an escape.
    fn escape(&mut self) -> Option<char> {
        self.at += 2;
        Some(match self.text.as_bytes().get(self.at - 1)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.four_digits()?;
                let behind = self.at;
                if (0xD800..0xDC00).contains(&high) && self.text.get(behind..behind + 2) == Some("\\u") {
                    self.at += 2;
                    let low = self.four_digits()?;
                    if (0xDC00..0xE000).contains(&low) {
                        return char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00));
                    }
                    self.at = behind;
                }
                char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }

    /// Reads a number, a truth value or nothing.
    fn word(&mut self) -> Option<Value> {
        let rest = self.text.get(self.at..)?;
        let words = [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))];
        if let Some((word, value)) = words.into_iter().find(|(word, _)| rest.starts_with(word)) {
            self.at += word.len();
            return Some(value);
        }
        let word = number(rest)?;
        let value = word.parse().map(Value::Int).or_else(|_| word.parse().map(Value::Float)).ok()?;
        if matches!(value, Value::Float(float) if float.is_infinite()) {
            let span = Span { file: self.file, start: offset(self.at), end: offset(self.at + word.len()) };
            let message = "this document cannot be read: the number is too large".to_owned();
            self.problems.push(Problem { kind: ProblemKind::Syntax, span, message });
        }
        self.at += word.len();
        Some(value)
    }
}

/// The number that a text begins with, as JSON writes them.
fn number(text: &str) -> Option<&str> {
    let digits = |at: usize| text.get(at..).map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let mut at = usize::from(text.starts_with('-'));
    at += if byte(at) == Some(b'0') { 1 } else { Some(digits(at)).filter(|count| *count > 0)? };
    if byte(at) == Some(b'.') {
        at += 1 + Some(digits(at + 1)).filter(|count| *count > 0)?;
    }
    if matches!(byte(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(byte(at + 1), Some(b'+' | b'-')));
        at += Some(digits(at)).filter(|count| *count > 0)?;
    }
    text.get(..at)
}
