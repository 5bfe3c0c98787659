//! From bytes to text: UTF-8, or UTF-16 with a byte-order mark, as kubectl takes them.

/// Bytes that are no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// Offset of the first byte that is none
    pub offset: usize,
    /// What is wrong, lower-case, without full stop
    pub what: &'static str,
}

/// Decodes a file. A byte-order mark at its start is dropped.
pub fn decode(bytes: &[u8]) -> Result<String, Undecodable> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest, 3),
        rest => utf8(rest, 0),
    }
}

/// UTF-8 without NUL.
fn utf8(bytes: &[u8], skipped: usize) -> Result<String, Undecodable> {
    if let Some(offset) = memchr::memchr(0, bytes) {
        return Err(Undecodable { offset: offset + skipped, what: "a NUL byte" });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Undecodable { offset: error.valid_up_to() + skipped, what: "a byte that is not UTF-8" }),
    }
}

/// UTF-16 of one byte order.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Undecodable> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Undecodable { offset: bytes.len() + 1, what: "half a UTF-16 unit" });
    }
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).map_err(|_| Undecodable { offset: 2, what: "text that is not UTF-16" })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn marks_choose_the_encoding_and_are_dropped() {
        assert_eq!(decode(b"\xEF\xBB\xBFa: 1").as_deref(), Ok("a: 1"));
        assert_eq!(decode(b"\xFF\xFEa\0:\0").as_deref(), Ok("a:"));
        assert_eq!(decode(b"\xFE\xFF\0a\0:").as_deref(), Ok("a:"));
    }

    #[test]
    fn what_is_no_text_is_named_with_its_offset() {
        assert_eq!(decode(b"a\0b").map_err(|error| error.offset), Err(1));
        assert_eq!(decode(b"caf\xE9").map_err(|error| error.offset), Err(3));
    }
}
