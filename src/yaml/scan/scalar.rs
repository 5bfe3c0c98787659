//! Keys and values on the line of their key or dash, and literal blocks, for the fast reader.

use super::super::node::{Text, Value, offset};
use super::super::scalar::{Scalar, is_plain_number, resolve};
use super::{Beginning, Key, Scanner};

/// Bytes of a key, beyond which the document is declined: the parsers give up at 1,024 characters.
const MAX_KEY: usize = 1000;

impl Scanner<'_> {
    /// Whether a key begins at a place.
    pub(super) fn key(&mut self, start: usize, end: usize) -> Option<Beginning> {
        let first = self.byte(start);
        if matches!(first, b'"' | b'\'') {
            let Some(close) = self.closing_quote(start, end) else { return Some(Beginning::Other) };
            if self.byte(close + 1) != b':' || !matches!(self.byte(close + 2), b' ' | b'\n') {
                return Some(Beginning::Other);
            }
            let text = Text::Written(offset(start + 1), offset(close));
            let key = Key { text, start, end: close + 1, behind: close + 2 };
            return if close - start > MAX_KEY { None } else { Some(Beginning::Key(key)) };
        }
        if matches!(first, b'[' | b'{' | b'|') {
            return Some(Beginning::Other);
        }
        let line = self.bytes.get(start..end)?;
        let ends_key = |at: &usize| line.get(*at) == Some(&b':') && matches!(self.byte(start + at + 1), b' ' | b'\n');
        let length = line.iter().position(|byte| !is_key_byte(*byte)).unwrap_or(line.len());
        if !ends_key(&length) {
            // Behind a word about which there is no doubt, a colon further on would end a key of a kind that is declined.
            return if memchr::memchr_iter(b':', line).any(|at| ends_key(&at)) { None } else { Some(Beginning::Other) };
        }
        if length > MAX_KEY {
            return None;
        }
        let text = self.key_text(start, start + length)?;
        Some(Beginning::Key(Key { text, start, end: start + length, behind: start + length + 1 }))
    }

    /// A plain key as the text that it stands for.
    pub(super) fn key_text(&mut self, start: usize, end: usize) -> Option<Text> {
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
    pub(super) fn closing_quote(&self, start: usize, end: usize) -> Option<usize> {
        let quote = self.byte(start);
        let inner = self.bytes.get(start + 1..end)?;
        let close = if quote == b'"' { memchr::memchr2(b'"', b'\\', inner) } else { memchr::memchr(b'\'', inner) }?;
        let close = start + 1 + close;
        (self.byte(close) == quote && self.byte(close + 1) != quote).then_some(close)
    }

    /// Reads a value that begins on the line of its key or dash.
    pub(super) fn inline(&mut self, start: usize, end: usize) -> Option<()> {
        match self.byte(start) {
            b'|' => self.literal(start, end),
            b'"' | b'\'' => {
                let close = self.closing_quote(start, end)?;
                self.nothing_behind(close + 1, end)?;
                self.value(start, close + 1, Value::String(Text::Written(offset(start + 1), offset(close))))
            }
            b'[' | b'{' => {
                let (node, behind) = self.flow(start, end, 0)?;
                self.nothing_behind(behind, end)?;
                self.put(node, offset(behind))
            }
            b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b'>' | b'?' | b':' | b',' | b']' | b'}' => None,
            b'-' if self.is_dash(start) => None,
            _ => self.plain(start, end),
        }
    }

    /// Only a comment may stand behind a value.
    fn nothing_behind(&mut self, at: usize, end: usize) -> Option<()> {
        let next = self.skip_spaces(at);
        match self.byte(next) {
            b'\n' => Some(()),
            b'#' if next > at => {
                self.comment(next, end);
                Some(())
            }
            _ => None,
        }
    }

    /// Reads a plain scalar.
    fn plain(&mut self, start: usize, end: usize) -> Option<()> {
        let line = self.bytes.get(start..end)?;
        let mut behind = end;
        if line.iter().all(|byte| is_key_byte(*byte)) {
            let value = self.scalar(start, end)?;
            return self.value(start, end, value);
        }
        for at in memchr::memchr2_iter(b':', b'#', line).map(|at| start + at) {
            if self.byte(at) == b':' {
                if matches!(self.byte(at + 1), b' ' | b'\n') {
                    return None;
                }
            } else if self.byte(at - 1) == b' ' {
                self.comment(at, end);
                behind = at;
                break;
            }
        }
        let behind = start + self.slice(start, behind).trim_end_matches(' ').len();
        let value = self.scalar(start, behind)?;
        self.value(start, behind, value)
    }

    /// What a plain scalar means.
    pub(super) fn scalar(&mut self, start: usize, end: usize) -> Option<Value> {
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
    fn literal(&mut self, start: usize, end: usize) -> Option<()> {
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
                // Spaces beyond the indentation are text.
                if end - line > indent {
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
