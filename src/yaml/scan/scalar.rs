//! Keys and values on the line of their key or dash, and literal blocks, for the fast reader.

use super::super::node::{Entry, Index, Text, Value, offset};
use super::super::scalar::{Scalar, is_plain_number, is_surely_text, resolve};
use super::{Beginning, Scanner};

/// Bytes of a key, beyond which the document is declined: the parsers give up at 1,024 characters.
const MAX_KEY: usize = 1000;

impl Scanner<'_> {
    /// Whether a key begins at a place: if so, takes it in.
    pub(super) fn key(&mut self, start: usize) -> Option<Beginning> {
        let first = self.byte(start);
        if matches!(first, b'"' | b'\'') {
            let Some(close) = self.closing_quote(start) else { return Some(Beginning::Other(start)) };
            if !self.is_colon(close + 1) {
                return Some(Beginning::Other(start));
            }
            if close - start > MAX_KEY {
                return None;
            }
            self.quoted_key(start, close);
            return Some(Beginning::Key(close + 1));
        }
        if matches!(first, b'[' | b'{' | b'|') {
            return Some(Beginning::Other(start));
        }
        // Keys are mostly shorter than what it takes to compare many bytes at once.
        let rest = self.bytes.get(start..)?;
        let end = start + rest.iter().position(|byte| !is_key_byte(*byte)).unwrap_or(rest.len());
        if !self.is_colon(end) {
            // A colon further on would end a key of a kind that is declined: `plain` does that.
            return Some(Beginning::Other(end));
        }
        if end - start > MAX_KEY {
            return None;
        }
        self.plain_key(start, end)?;
        Some(Beginning::Key(end))
    }

    /// Whether a colon stands at a place that ends a key.
    fn is_colon(&self, at: usize) -> bool {
        self.byte(at) == b':' && matches!(self.byte(at + 1), b' ' | b'\n')
    }

    /// Takes a key in that stands within quotes.
    fn quoted_key(&mut self, start: usize, close: usize) {
        let (key_start, key_end) = (offset(start), offset(close + 1));
        self.entries.push(Entry { key: Text::Written(key_start + 1, key_end - 1), key_start, key_end, value: 0 });
    }

    /// Takes a plain key in.
    fn plain_key(&mut self, start: usize, end: usize) -> Option<()> {
        let (key_start, key_end) = (offset(start), offset(end));
        let surely_text = is_surely_text(self.bytes.get(start..end)?);
        let key = if surely_text { Text::Written(key_start, key_end) } else { self.key_text(start, end)? };
        self.entries.push(Entry { key, key_start, key_end, value: 0 });
        Some(())
    }

    /// A plain key as the text that it stands for.
    fn key_text(&mut self, start: usize, end: usize) -> Option<Text> {
        match resolve(self.slice(start, end)) {
            Scalar::Null | Scalar::Float(_) | Scalar::NoJson(_) => None,
            Scalar::Bool(truth) => Some(self.odd_key(if truth { "true" } else { "false" })),
            Scalar::Int(number) => Some(self.odd_key(&number.to_string())),
            Scalar::String => Some(Text::Written(offset(start), offset(end))),
        }
    }

    /// A key that stands for another text than is written.
    fn odd_key(&mut self, text: &str) -> Text {
        self.document.plain = false;
        self.document.keep(text)
    }

    /// Where a quoted scalar ends, if it does so on its line and has neither escapes nor doubled quotes.
    pub(super) fn closing_quote(&self, start: usize) -> Option<usize> {
        let quote = self.byte(start);
        let close = if quote == b'"' {
            self.find(start + 1, |word| word.equal(b'"').or(word.equal(b'\\')).or(word.equal(b'\n')))
        } else {
            self.find(start + 1, |word| word.equal(b'\'').or(word.equal(b'\n')))
        };
        (self.byte(close) == quote && self.byte(close + 1) != quote).then_some(close)
    }

    /// Reads a value that begins on the line of its key or dash. Up to a place it is known to have no colon.
    pub(super) fn inline(&mut self, start: usize, known: usize) -> Option<()> {
        match self.byte(start) {
            b'|' => self.literal(start),
            b'"' | b'\'' => {
                let close = self.closing_quote(start)?;
                self.nothing_behind(close + 1)?;
                self.value(start, close + 1, Value::String(Text::Written(offset(start + 1), offset(close))))
            }
            b'[' | b'{' => {
                let (node, behind) = self.flow(start, 0)?;
                self.nothing_behind(behind)?;
                self.put(node, offset(behind))
            }
            b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b'>' | b'?' | b':' | b',' | b']' | b'}' => None,
            b'-' if self.is_dash(start) => None,
            _ => self.plain(start, known),
        }
    }

    /// Passes the rest of a line: only a comment may stand behind a value.
    fn nothing_behind(&mut self, at: usize) -> Option<()> {
        let next = self.skip_spaces(at);
        match self.byte(next) {
            b'\n' => self.next = next + 1,
            b'#' if next > at => self.comment(next),
            _ => return None,
        }
        Some(())
    }

    /// Reads a plain scalar that goes on at least up to a place.
    fn plain(&mut self, start: usize, known: usize) -> Option<()> {
        let mut behind = known;
        loop {
            behind = self.find(behind, |word| word.equal(b':').or(word.equal(b'#')).or(word.equal(b'\n')));
            match self.byte(behind) {
                b'\n' => {
                    self.next = behind + 1;
                    break;
                }
                b'#' if self.byte(behind - 1) == b' ' => {
                    self.comment(behind);
                    break;
                }
                b':' if self.is_colon(behind) => return None,
                _ => behind += 1,
            }
        }
        while self.byte(behind - 1) == b' ' {
            behind -= 1;
        }
        let node = self.scalar(start, behind)?;
        self.put(node, offset(behind))
    }

    /// Reads a plain scalar between two places: its node.
    pub(super) fn scalar(&mut self, start: usize, end: usize) -> Option<Index> {
        let (first, behind) = (offset(start), offset(end));
        let surely_text = is_surely_text(self.bytes.get(start..end)?);
        let value = if surely_text { Value::String(Text::Written(first, behind)) } else { self.meaning(start, end)? };
        Some(self.document.push(first, behind, value))
    }

    /// What a plain scalar means.
    fn meaning(&mut self, start: usize, end: usize) -> Option<Value> {
        let text = self.slice(start, end);
        Some(match resolve(text) {
            Scalar::Null => Value::Null,
            Scalar::Bool(truth) => Value::Bool(truth),
            Scalar::Int(number) => {
                self.document.plain &= is_plain_number(text);
                Value::Int(number)
            }
            Scalar::Float(number) => Value::Float(number),
            Scalar::NoJson(_) => return None,
            Scalar::String => Value::String(Text::Written(offset(start), offset(end))),
        })
    }

    /// Reads a literal block: `|` or `|-`, every line of it at the indentation of the first, or deeper.
    fn literal(&mut self, start: usize) -> Option<()> {
        let end = self.line_end(start);
        self.next = end + 1;
        let strip = match self.slice(start, end).trim_end_matches(' ') {
            "|" => false,
            "|-" => true,
            _ => return None,
        };
        let around = self.open.last()?.indent;
        let content = self.skip_spaces(self.next);
        let indent = content - self.next;
        if indent <= around || self.byte(content) == b'\n' {
            return None;
        }
        let (mut text, mut last) = (String::new(), content);
        while self.next < self.bytes.len() {
            let line = self.next;
            let (first, end) = (self.skip_spaces(line), self.line_end(line));
            if first == end {
                // Spaces beyond the indentation are text; those without a line feed move the end of the scalar.
                if end - line > indent || end == self.bytes.len() {
                    return None;
                }
                text.push('\n');
            } else if first - line >= indent {
                if end == self.bytes.len() {
                    return None;
                }
                text.push_str(self.slice(line + indent, end));
                text.push('\n');
                last = end;
            } else if first - line > around || self.byte(first) == b'#' {
                return None;
            } else {
                break;
            }
            self.next = end + 1;
        }
        let kept = text.trim_end_matches('\n').len();
        text.truncate(if strip { kept } else { kept + 1 });
        let text = self.document.keep(&text);
        let end = content + self.slice(content, last).trim_end().len();
        self.value(content, end, Value::String(text))
    }
}

/// The bytes of which [`is_key_byte`] is true: most bytes of a manifest are looked up here.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a table of all bytes, made by the compiler"
)]
const KEY_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'_' | b'.' | b'/' | b'-');
        byte += 1;
    }
    table
};

/// Bytes of plain keys about which there is no doubt.
pub(super) fn is_key_byte(byte: u8) -> bool {
    KEY_BYTES.get(usize::from(byte)).copied().unwrap_or_default()
}
