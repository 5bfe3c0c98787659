//! From bytes to text: UTF-8, or UTF-16 with a byte-order mark, as kubectl takes them.

/// Bytes that are no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// Offset of the first byte that is none
    pub offset: usize,
    /// What is wrong, lower-case, without full stop
    pub what: &'static str,
    /// The bytes
    pub bytes: Vec<u8>,
}

/// Whether a file says that it is UTF-16.
pub fn is_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..])
}

/// Decodes a file. A byte-order mark at its start is dropped.
pub fn decode(mut bytes: Vec<u8>) -> Result<String, Undecodable> {
    let wrong = match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        marked => {
            let mark = if marked.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
            let Some(offset) = memchr::memchr(0, marked) else {
                bytes.drain(..mark);
                return String::from_utf8(bytes).map_err(|error| Undecodable {
                    offset: error.utf8_error().valid_up_to() + mark,
                    what: "a byte that is not UTF-8",
                    bytes: error.into_bytes(),
                });
            };
            Err((offset, "a NUL byte"))
        }
    };
    wrong.map_err(|(offset, what)| Undecodable { offset, what, bytes })
}

/// UTF-16 of one byte order, behind its mark.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, (usize, &'static str)> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    let mut offset = 2;
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok('\0') => return Err((offset, "a NUL character")),
            Ok(character) => {
                offset += 2 * character.len_utf16();
                text.push(character);
            }
            Err(_) => return Err((offset, "half a pair of UTF-16 surrogates")),
        }
    }
    if rest.is_empty() { Ok(text) } else { Err((offset, "half a UTF-16 unit")) }
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
        ] {
            assert_eq!(decode(bytes.to_vec()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_text_is_named_with_its_offset() {
        for (bytes, offset) in [
            (b"a\0b".as_slice(), 1),
            (b"caf\xE9", 3),
            (b"\xEF\xBB\xBFcaf\xE9", 6),
            (b"\xFF\xFEa\0:", 4),
            (b"\xFF\xFEa\0\x3D\xD8a\0", 4),
            (b"\xFE\xFF\0a\0\0", 4),
        ] {
            assert_eq!(decode(bytes.to_vec()).map_err(|error| error.offset), Err(offset));
        }
    }
}
