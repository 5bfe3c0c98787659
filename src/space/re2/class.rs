//! Character classes of RE2.

use super::super::bytes::ByteSet;
use super::{Parser, RegexError, unicode};

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

/// Adds the other case of each letter. In Latin-1 mode RE2 folds the letters of ASCII only.
fn folded(set: ByteSet, ignore_case: bool) -> ByteSet {
    if !ignore_case {
        return set;
    }
    set.iter().fold(set, |all, byte| all.with(byte.to_ascii_lowercase()).with(byte.to_ascii_uppercase()))
}

/// A named class, or everything else. The other case of its members counts before it is negated.
fn signed(set: ByteSet, ignore_case: bool, negated: bool) -> ByteSet {
    let set = folded(set, ignore_case);
    if negated { set.complement() } else { set }
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
            return Ok(set);
        }
        if let Some(set) = self.perl_or_unicode()? {
            return Ok(set);
        }
        let start = self.at;
        let low = self.class_byte()?;
        if self.peek() != Some(b'-') || self.rest().starts_with(b"-]") {
            return Ok(folded(ByteSet::NONE.with(low), self.flags.ignore_case));
        }
        self.at += 1;
        let high = self.class_byte()?;
        if high < low && self.unloadable.is_none() {
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
        let inner = self.rest().get(2..).unwrap_or(&[]);
        let Some(end) = memchr::memmem::find(inner, b":]") else { return Ok(None) };
        let name = inner.get(..end).unwrap_or(&[]);
        let (negated, name) = match name {
            [b'^', name @ ..] => (true, name),
            name => (false, name),
        };
        let Some((_, found)) = POSIX.iter().find(|(known, _)| known.as_bytes() == name) else {
            return Err(self.refuse("invalid name of a class"));
        };
        self.at += end + 4;
        Ok(Some(signed(ranges(found), self.flags.ignore_case, negated)))
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
        Ok(Some(signed(set, self.flags.ignore_case, kind.is_ascii_uppercase())))
    }

    /// A Unicode class, cut down to the characters that are one byte.
    fn unicode(&mut self, negated: bool) -> Result<ByteSet, RegexError> {
        let rest = self.rest().get(2..).unwrap_or(&[]);
        let (name, length) = match rest {
            [b'{', ..] => match memchr::memchr(b'}', rest) {
                Some(end) => (rest.get(1..end).unwrap_or(&[]), end + 1),
                None => return Err(self.refuse("invalid Unicode class")),
            },
            [letter, ..] => (std::slice::from_ref(letter), 1),
            [] => return Err(self.refuse("invalid Unicode class")),
        };
        let (negated, name) = match name {
            [b'^', name @ ..] => (!negated, name),
            name => (negated, name),
        };
        let set = match unicode::class(name) {
            Some(set) => set,
            None if unicode::istiod_knows(name) => {
                let why = format!("RE2 knows no Unicode class `{}`", String::from_utf8_lossy(name));
                self.unloadable.get_or_insert(why);
                ByteSet::NONE
            }
            None => return Err(self.refuse("invalid Unicode class")),
        };
        self.at += 2 + length;
        Ok(signed(set, self.flags.ignore_case, negated))
    }
}
