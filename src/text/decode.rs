//! From bytes to text: UTF-8, or UTF-16 with a byte-order mark, as kubectl takes them.

/// Bytes that are no text, or not throughout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// Offset of the first byte that is none
    pub offset: usize,
    /// What is wrong, lower-case, without full stop
    pub what: &'static str,
    /// The text, with U+FFFD for whatever is none
    pub text: String,
    /// Whether kubectl reads the text all the same
    pub readable: bool,
}

/// Whether a file says that it is UTF-16.
pub fn is_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..])
}

/// The character that stands for what is no text.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Decodes a file. A byte-order mark at its start is dropped.
///
/// kubectl puts U+FFFD in the place of what is no text and reads on (kubernetes/cli-runtime `pkg/resource/visitor.go`,
/// `FileVisitor.Visit`); UTF-16 without a mark it takes for UTF-8 full of NUL characters.
pub fn decode(mut bytes: Vec<u8>) -> Result<String, Undecodable> {
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, 2, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, 2, u16::from_be_bytes),
        unmarked => {
            if let Some(unit) = unmarked_utf16(unmarked) {
                let text = utf16(unmarked, 0, unit).unwrap_or_else(|error| error.text);
                let what = "UTF-16 without a byte-order mark, which kubectl does not read";
                return Err(Undecodable { offset: 0, what, text, readable: false });
            }
            let mark = if unmarked.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
            bytes.drain(..mark);
            String::from_utf8(bytes).map_err(|error| Undecodable {
                offset: error.utf8_error().valid_up_to() + mark,
                what: "a byte that is not UTF-8",
                text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
                readable: true,
            })
        }
    }
}

/// The byte order of UTF-16 that has no mark, told by where its NUL bytes stand.
fn unmarked_utf16(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let (units, _) = bytes.get(..bytes.len().min(256)).unwrap_or_default().as_chunks::<2>();
    let most =
        |zero: fn(&&[u8; 2]) -> bool| !units.is_empty() && units.iter().filter(zero).count() * 4 > units.len() * 3;
    if most(|unit| unit[0] != 0 && unit[1] == 0) {
        Some(u16::from_le_bytes)
    } else if most(|unit| unit[0] == 0 && unit[1] != 0) {
        Some(u16::from_be_bytes)
    } else {
        None
    }
}

/// UTF-16 of one byte order, behind its mark.
fn utf16(bytes: &[u8], mark: usize, unit: fn([u8; 2]) -> u16) -> Result<String, Undecodable> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    let (mut offset, mut wrong) = (mark, None);
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        if let Ok(character) = character {
            offset += 2 * character.len_utf16();
            text.push(character);
        } else {
            wrong = wrong.or(Some((offset, "half a pair of UTF-16 surrogates")));
            offset += 2;
            text.push(REPLACEMENT);
        }
    }
    if !rest.is_empty() {
        wrong = wrong.or(Some((offset, "half a UTF-16 unit")));
        text.push(REPLACEMENT);
    }
    match wrong {
        None => Ok(text),
        Some((offset, what)) => Err(Undecodable { offset, what, text, readable: true }),
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn marks_choose_the_encoding_and_are_dropped() {
        for (bytes, text) in [
            (b"\xEF\xBB\xBFa: 1".as_slice(), "a: 1"),
            (b"\xFF\xFEa\0:\0", "a:"),
            (b"\xFE\xFF\0a\0:", "a:"),
            (b"\xFF\xFE\x3D\xD8\x00\xDE", "\u{1F600}"),
            (b"a: \0", "a: \0"),
        ] {
            assert_eq!(decode(bytes.to_vec()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_text_is_named_with_its_offset_and_replaced() {
        for (bytes, offset, text) in [
            (b"caf\xE9".as_slice(), 3, "caf\u{FFFD}"),
            (b"\xEF\xBB\xBFcaf\xE9", 6, "caf\u{FFFD}"),
            (b"\xFF\xFEa\0:", 4, "a\u{FFFD}"),
            (b"\xFF\xFEa\0\x3D\xD8b\0", 4, "a\u{FFFD}b"),
        ] {
            let error = decode(bytes.to_vec()).expect_err("no text");
            assert_eq!((error.offset, error.text.as_str(), error.readable), (offset, text, true));
        }
    }

    #[test]
    fn utf_16_without_a_mark_is_known_and_not_read() {
        for bytes in [b"a\0:\0 \x001\0".as_slice(), b"\0a\0:\0 \x001"] {
            let error = decode(bytes.to_vec()).expect_err("not read");
            assert_eq!((error.text.as_str(), error.readable), ("a: 1", false));
        }
    }
}
