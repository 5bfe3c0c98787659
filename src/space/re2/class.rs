//! Character classes of RE2.

use regex_syntax::hir::{Class, HirKind};

use super::super::bytes::ByteSet;
use super::{Parser, RegexError};

/// The digits.
const DIGIT: &[(u8, u8)] = &[(b'0', b'9')];
/// Spaces; RE2 leaves out the vertical tab.
const SPACE: &[(u8, u8)] = &[(b'\t', b'\n'), (0x0c, b'\r'), (b' ', b' ')];
/// Word characters.
const WORD: &[(u8, u8)] = &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];

/// A named class and its ranges.
type Named = (&'static str, &'static [(u8, u8)]);

/// The classes written `[:name:]`.
const POSIX: &[Named] = &[
    ("alnum", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
    ("alpha", &[(b'A', b'Z'), (b'a', b'z')]),
    ("ascii", &[(0, 0x7f)]),
    ("blank", &[(b'\t', b'\t'), (b' ', b' ')]),
    ("cntrl", &[(0, 0x1f), (0x7f, 0x7f)]),
    ("digit", DIGIT),
    ("graph", &[(b'!', b'~')]),
    ("lower", &[(b'a', b'z')]),
    ("print", &[(b' ', b'~')]),
    ("punct", &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')]),
    ("space", &[(b'\t', b'\r'), (b' ', b' ')]),
    ("upper", &[(b'A', b'Z')]),
    ("word", WORD),
    ("xdigit", &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
];

/// The union of some ranges.
fn ranges(ranges: &[(u8, u8)]) -> ByteSet {
    ranges.iter().fold(ByteSet::NONE, |set, (first, last)| set.with_range(*first, *last))
}

/// Adds the other case of each letter, those of Latin-1 included.
pub(super) fn folded(set: ByteSet, ignore_case: bool) -> ByteSet {
    if !ignore_case {
        return set;
    }
    set.iter().fold(set, |all, byte| match byte {
        b'A'..=b'Z' | 0xc0..=0xd6 | 0xd8..=0xde => all.with(byte + 0x20),
        b'a'..=b'z' | 0xe0..=0xf6 | 0xf8..=0xfe => all.with(byte - 0x20),
        _ => all,
    })
}

impl Parser<'_> {
    /// A class in brackets.
    pub(super) fn class(&mut self) -> Result<ByteSet, RegexError> {
        self.at += 1;
        let negated = self.take("^");
        let mut set = ByteSet::NONE;
        let mut first = true;
        loop {
            match self.peek() {
                None => return Err(self.refuse("missing `]`")),
                Some(b']') if !first => break,
                Some(_) => {}
            }
            first = false;
            set = set.union(self.class_item()?);
        }
        self.at += 1;
        Ok(if negated { set.complement() } else { set })
    }

    /// One named class, one range or one character within brackets.
    fn class_item(&mut self) -> Result<ByteSet, RegexError> {
        if self.rest().starts_with(b"[:")
            && let Some(set) = self.posix()?
        {
            return Ok(folded(set, self.flags.ignore_case));
        }
        if let Some(set) = self.perl_or_unicode()? {
            return Ok(folded(set, self.flags.ignore_case));
        }
        let start = self.at;
        let low = self.class_byte()?;
        if self.peek() != Some(b'-') || self.rest().starts_with(b"-]") {
            return Ok(folded(ByteSet::NONE.with(low), self.flags.ignore_case));
        }
        self.at += 1;
        let high = self.class_byte()?;
        if high < low {
            self.at = start;
            return Err(self.refuse("invalid range in a class"));
        }
        Ok(folded(ByteSet::NONE.with_range(low, high), self.flags.ignore_case))
    }

    /// One character within brackets.
    fn class_byte(&mut self) -> Result<u8, RegexError> {
        match self.peek() {
            None => Err(self.refuse("missing `]`")),
            Some(b'\\') => self.escaped_byte(),
            Some(byte) => {
                self.at += 1;
                Ok(byte)
            }
        }
    }

    /// `[:name:]` or `[:^name:]`; `None` where it is no such thing.
    fn posix(&mut self) -> Result<Option<ByteSet>, RegexError> {
        let rest = self.rest();
        let Some(end) = memchr::memmem::find(rest, b":]") else { return Ok(None) };
        let name = rest.get(2..end).unwrap_or(&[]);
        let (negated, name) = match name {
            [b'^', name @ ..] => (true, name),
            name => (false, name),
        };
        let Some((_, found)) = POSIX.iter().find(|(known, _)| known.as_bytes() == name) else {
            return Err(self.refuse("invalid name of a class"));
        };
        self.at += end + 2;
        let set = ranges(found);
        Ok(Some(if negated { set.complement() } else { set }))
    }

    /// `\d`, `\pN` and the like; `None` where it is another escape.
    pub(super) fn perl_or_unicode(&mut self) -> Result<Option<ByteSet>, RegexError> {
        let [b'\\', kind, ..] = *self.rest() else { return Ok(None) };
        let set = match kind {
            b'd' | b'D' => ranges(DIGIT),
            b's' | b'S' => ranges(SPACE),
            b'w' | b'W' => ranges(WORD),
            b'p' | b'P' => return self.unicode(kind == b'P').map(Some),
            _ => return Ok(None),
        };
        self.at += 2;
        Ok(Some(if kind.is_ascii_uppercase() { set.complement() } else { set }))
    }

    /// A Unicode class, cut down to the characters that are one byte.
    fn unicode(&mut self, mut negated: bool) -> Result<ByteSet, RegexError> {
        let rest = self.rest().get(2..).unwrap_or(&[]);
        let (name, length) = match rest {
            [b'{', ..] => match memchr::memchr(b'}', rest) {
                Some(end) => (rest.get(1..end).unwrap_or(&[]), end + 1),
                None => return Err(self.refuse("invalid Unicode class")),
            },
            [letter, ..] => (std::slice::from_ref(letter), 1),
            [] => return Err(self.refuse("invalid Unicode class")),
        };
        let mut name = String::from_utf8_lossy(name).into_owned();
        if let Some(positive) = name.strip_prefix('^') {
            negated = !negated;
            name = positive.to_owned();
        }
        let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        let set = match name.as_str() {
            "Any" => ByteSet::ANY,
            _ if is_name => unicode_bytes(&name).ok_or_else(|| self.refuse("invalid Unicode class"))?,
            _ => return Err(self.refuse("invalid Unicode class")),
        };
        self.at += 2 + length;
        Ok(if negated { set.complement() } else { set })
    }
}

/// The members of a Unicode class up to U+00FF.
fn unicode_bytes(name: &str) -> Option<ByteSet> {
    let hir = regex_syntax::parse(&format!("\\p{{{name}}}")).ok()?;
    let HirKind::Class(Class::Unicode(class)) = hir.kind() else { return Some(ByteSet::NONE) };
    let byte = |c: char| u8::try_from(u32::from(c)).ok();
    let parts =
        class.ranges().iter().filter_map(|range| Some((byte(range.start())?, byte(range.end()).unwrap_or(u8::MAX))));
    Some(ranges(&parts.collect::<Vec<_>>()))
}
