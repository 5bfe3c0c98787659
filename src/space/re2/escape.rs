//! Escapes of RE2.

use super::tree::{Look, Tree};
use super::{Node, Parser, RegexError};

impl Parser<'_> {
    /// An escape outside of a class.
    pub(super) fn escape(&mut self) -> Result<Node, RegexError> {
        let ignore_case = self.flags.ignore_case;
        if let Some(set) = self.perl_or_unicode()? {
            return Ok(Node::leaf(Tree::class(set, ignore_case)));
        }
        let simple = match self.rest().get(1) {
            Some(b'A') => Tree::Look(Look::Start),
            Some(b'z') => Tree::Look(Look::End),
            Some(b'b') => Tree::Look(Look::Word),
            Some(b'B') => Tree::Look(Look::NoWord),
            Some(b'C') => return Err(self.refuse("istiod refuses `\\C`")),
            _ => return Ok(Node::leaf(Tree::literal(self.escaped_byte()?, ignore_case))),
        };
        self.at += 2;
        Ok(Node::leaf(simple))
    }

    /// An escape that stands for one character.
    pub(super) fn escaped_byte(&mut self) -> Result<u8, RegexError> {
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
            Some(b'8' | b'9') => return Err(self.refuse("no backreferences in RE2")),
            Some(b'Z') => return Err(self.refuse("RE2 has `\\z`, not `\\Z`")),
            Some(_) => return Err(self.refuse("invalid escape")),
        };
        self.at += 2;
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
        self.at += 1 + digits.len();
        Ok(self.one_byte(value))
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
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.refuse("invalid escape"));
        }
        let digit = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or(0);
        let value = digits.iter().fold(0_u32, |value, next| value.saturating_mul(16).saturating_add(digit(next)));
        if value > u32::from(char::MAX) {
            return Err(self.refuse("no such character"));
        }
        self.at += 2 + length;
        Ok(self.one_byte(value))
    }

    /// A character as a byte. istiod accepts larger ones; in Latin-1 mode RE2 does not.
    fn one_byte(&mut self, value: u32) -> u8 {
        u8::try_from(value).unwrap_or_else(|_| {
            let why = format!("U+{value:04X} is no character of Latin-1, in which Envoy reads expressions");
            self.unloadable.get_or_insert(why);
            0
        })
    }
}
