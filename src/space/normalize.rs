//! Path normalisation of one request, and the way back to some request that normalises so.

use std::fmt::Write as _;

/// How proxies normalise paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Normalization {
    /// Only a fragment is cut
    None,
    /// Dot segments, backslashes and escapes of unreserved characters
    Base,
    /// As BASE, and runs of slashes become one
    MergeSlashes,
    /// As `MERGE_SLASHES`, and escaped slashes are decoded first
    DecodeAndMergeSlashes,
}

/// What a proxy makes of a path with its query. `None`: it answers 400.
///
/// Observed on Envoy 1.40; the table of those observations is the test of this function.
pub fn normalize(wire_path: &str, mode: Normalization) -> Option<String> {
    let whole = wire_path.split('#').next().unwrap_or_default();
    let (path, query) = match whole.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (whole, None),
    };
    if !path.starts_with('/') || !path.is_ascii() || path.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return None;
    }
    let path = match mode {
        Normalization::None => path.to_owned(),
        Normalization::Base => canonical(path)?,
        Normalization::MergeSlashes => merge(&canonical(path)?),
        Normalization::DecodeAndMergeSlashes => {
            let decoded = path.replace("%2F", "/").replace("%2f", "/").replace("%5C", "\\").replace("%5c", "\\");
            merge(&canonical(&decoded)?)
        }
    };
    Some(match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    })
}

/// Some path that a proxy normalises to this one. Dots that stand before a parameter must arrive escaped.
pub fn wire_form(path: &str, mode: Normalization) -> String {
    if mode == Normalization::None {
        return path.to_owned();
    }
    let segments = path.split('/').map(|segment| {
        if segment.starts_with("..;") {
            format!("%2e%2e{}", segment.get(2..).unwrap_or_default())
        } else if segment.starts_with(".;") {
            format!("%2e{}", segment.get(1..).unwrap_or_default())
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Whether a byte stands for itself, so that its escape is decoded.
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Dot segments resolved, backslashes turned, escapes of unreserved bytes decoded, odd bytes escaped.
fn canonical(path: &str) -> Option<String> {
    let turned = path.replace('\\', "/");
    let mut kept: Vec<String> = Vec::new();
    let segments: Vec<&str> = turned.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        // A parameter is set aside only where the dots before it arrived as dots.
        let dots = match *segment {
            "." | ".." => segment.len(),
            parameter if parameter.starts_with("..;") => 2,
            parameter if parameter.starts_with(".;") => 1,
            _ => 0,
        };
        let decoded = decode(segment)?;
        let dots = match decoded.as_str() {
            "." => 1,
            ".." => 2,
            _ => dots,
        };
        match dots {
            1 => {}
            2 => {
                kept.pop();
            }
            _ => {
                kept.push(decoded);
                continue;
            }
        }
        if is_last {
            kept.push(String::new());
        }
    }
    Some(format!("/{}", kept.join("/")))
}

/// One segment with its escapes decoded where they stand for unreserved bytes. `None`: it holds NUL.
fn decode(segment: &str) -> Option<String> {
    let bytes = segment.as_bytes();
    let mut decoded = String::with_capacity(segment.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let hex = |at: usize| bytes.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let escaped = (*byte == b'%').then(|| hex(index + 1).zip(hex(index + 2))).flatten();
        match escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(0) => return None,
            Some(value) if is_unreserved(value) => {
                decoded.push(char::from(value));
                index += 3;
            }
            Some(_) => {
                decoded.push_str(segment.get(index..index + 3).unwrap_or_default());
                index += 3;
            }
            None => {
                if matches!(byte, b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}') {
                    // Writing to a string cannot fail.
                    let _ = write!(decoded, "%{byte:02X}");
                } else {
                    decoded.push(char::from(*byte));
                }
                index += 1;
            }
        }
    }
    Some(decoded)
}

/// Runs of slashes as one; a path of nothing else but slashes keeps two.
fn merge(path: &str) -> String {
    if path.len() > 1 && path.bytes().all(|byte| byte == b'/') {
        return "//".to_owned();
    }
    let mut merged = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !merged.ends_with('/') {
            merged.push(character);
        }
    }
    merged
}
