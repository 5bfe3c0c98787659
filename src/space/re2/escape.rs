//! Escapes of RE2.

use regex_syntax::hir::{Hir, Look};

use super::super::bytes::ByteSet;
use super::class::folded;
use super::{Node, Parser, RegexError, class_hir};

impl Parser<'_> {
    /// An escape outside of a class.
    pub(super) fn escape(&mut self) -> Result<Node, RegexError> {
        if let Some(set) = self.perl_or_unicode()? {
            return Ok(Node::leaf(class_hir(folded(set, self.flags.ignore_case))));
        }
        let look = match self.rest().get(1) {
            Some(b'A') => Some(Look::Start),
            Some(b'z') => Some(Look::End),
            Some(b'b') => Some(Look::WordAscii),
            Some(b'B') => Some(Look::WordAsciiNegate),
            _ => None,
        };
        if let Some(look) = look {
            self.at += 2;
            return Ok(Node::leaf(Hir::look(look)));
        }
        if self.take("\\C") {
            return Ok(Node::leaf(class_hir(ByteSet::ANY)));
        }
        let byte = self.escaped_byte()?;
        Ok(Node::leaf(class_hir(folded(ByteSet::NONE.with(byte), self.flags.ignore_case))))
    }

    /// An escape that stands for one character.
    pub(super) fn escaped_byte(&mut self) -> Result<u8, RegexError> {
        let start = self.at;
        let byte = match self.rest().get(1).copied() {
            None => return Err(self.refuse("trailing `\\`")),
            Some(b'a') => 0x07,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 0x0b,
            Some(b'x') => return self.hexadecimal(),
            Some(digit @ b'0'..=b'7') => return self.octal(digit),
            Some(byte) if byte < 0x80 && !byte.is_ascii_alphanumeric() => byte,
            Some(byte) => {
                let why = match byte {
                    b'1'..=b'9' => "no backreferences in RE2",
                    b'Z' => "RE2 has `\\z`, not `\\Z`",
                    _ => "invalid escape",
                };
                return Err(self.refuse(why));
            }
        };
        self.at = start + 2;
        Ok(byte)
    }

    /// `\0`, `\012`, `\123`. A single digit but 0 would be a backreference.
    fn octal(&mut self, first: u8) -> Result<u8, RegexError> {
        let digits: Vec<u8> =
            self.rest().iter().skip(1).take(3).copied().take_while(|byte| (b'0'..=b'7').contains(byte)).collect();
        if first != b'0' && digits.len() < 2 {
            return Err(self.refuse("no backreferences in RE2"));
        }
        let value = digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
        let byte = u8::try_from(value).map_err(|_| self.refuse("escape beyond one byte"))?;
        self.at += 1 + digits.len();
        Ok(byte)
    }

    /// `\x7F` or `\x{7F}`.
    fn hexadecimal(&mut self) -> Result<u8, RegexError> {
        let rest = self.rest().get(2..).unwrap_or(&[]);
        let (digits, length) = match rest {
            [b'{', ..] => match memchr::memchr(b'}', rest) {
                Some(end) => (rest.get(1..end).unwrap_or(&[]), end + 1),
                None => return Err(self.refuse("invalid escape")),
            },
            _ => (rest.get(..2).unwrap_or(&[]), 2),
        };
        let is_number = !digits.is_empty() && digits.len() <= 8 && digits.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(digits).ok().filter(|_| is_number);
        let value = text.and_then(|text| u32::from_str_radix(text, 16).ok());
        let value = value.ok_or_else(|| self.refuse("invalid escape"))?;
        let byte = u8::try_from(value).map_err(|_| self.refuse("escape beyond one byte"))?;
        self.at += 2 + length;
        Ok(byte)
    }
}
