//! What a proxy makes of a path on the wire, concretely, and a wire form for what it made.
#![expect(clippy::indexing_slicing, reason = "every index is checked against the length beside it")]

/// How much a proxy normalises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Normalization {
    /// Only the fragment is cut.
    None,
    /// Dot segments, backslashes, escapes of unreserved characters.
    Base,
    /// And runs of slashes become one.
    MergeSlashes,
    /// And escaped slashes are decoded before.
    DecodeAndMergeSlashes,
}

/// Normalises a path with its query. `None`: the proxy answers 400.
#[must_use]
pub fn normalize(wire_path: &str, mode: Normalization) -> Option<String> {
    let sent = wire_path.split_once('#').map_or(wire_path, |(before, _)| before);
    let (path, query) = match sent.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (sent, None),
    };
    if !path.starts_with('/') || !sent.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut normal = match mode {
        Normalization::None => path.to_owned(),
        Normalization::Base => canonical(path)?,
        Normalization::MergeSlashes => merged(&canonical(path)?),
        Normalization::DecodeAndMergeSlashes => merged(&canonical(&unescaped_slashes(path))?),
    };
    if let Some(query) = query {
        normal.push('?');
        normal.push_str(query);
    }
    Some(normal)
}

/// Some wire path whose normalisation is `path`: encodes the dots of dot-parameter segments, which would be removed.
#[must_use]
pub fn wire_form(path: &str, mode: Normalization) -> String {
    if mode == Normalization::None {
        return path.to_owned();
    }
    let segment = |text: &str| match text {
        _ if text.starts_with("..;") => text.replacen("..", "%2e%2e", 1),
        _ if text.starts_with(".;") => text.replacen('.', "%2e", 1),
        _ => text.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Decodes escaped slashes and backslashes.
pub(super) fn unescaped_slashes(path: &str) -> String {
    path.replace("%2F", "/").replace("%2f", "/").replace("%5C", "\\").replace("%5c", "\\")
}

/// Joins runs of slashes. A path of nothing but slashes keeps two.
pub(super) fn merged(path: &str) -> String {
    if !path.contains("//") {
        return path.to_owned();
    }
    let inner: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    format!("/{}{}", inner.join("/"), if path.ends_with('/') { "/" } else { "" })
}

/// Removes dot segments and decodes unreserved escapes; parameters of literal dot segments go first.
pub(super) fn canonical(path: &str) -> Option<String> {
    let segment = |text: &'_ str| match text {
        _ if text.starts_with("..;") => "..".to_owned(),
        _ if text.starts_with(".;") => ".".to_owned(),
        _ => text.to_owned(),
    };
    let stripped = path.split('/').map(segment).collect::<Vec<_>>().join("/");
    resolved(stripped.as_bytes())
}

/// Whether an escape of this byte is decoded.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The length of a dot, plain or escaped, at a position; 0 where there is none.
fn dot_length(input: &[u8], at: usize) -> usize {
    match input.get(at..) {
        Some([b'.', ..]) => 1,
        Some([b'%', b'2', b'e' | b'E', ..]) => 3,
        _ => 0,
    }
}

/// The byte that a valid escape at a position stands for.
fn escape_at(input: &[u8], at: usize) -> Option<u8> {
    let digit = |offset| char::from(*input.get(at + offset)?).to_digit(16);
    if input.get(at) != Some(&b'%') {
        return None;
    }
    u8::try_from(digit(1)? * 16 + digit(2)?).ok()
}

/// The one pass over the bytes.
fn resolved(input: &[u8]) -> Option<String> {
    let mut out: Vec<u8> = Vec::with_capacity(input.len());
    let mut loose_percent: Option<usize> = None;
    let mut at = 0;
    while at < input.len() {
        let byte = input[at];
        let dot = dot_length(input, at);
        if dot > 0 {
            at += dot;
            if out.last() == Some(&b'/') {
                at += after_dot(input, at, &mut out);
            } else {
                out.push(b'.');
            }
        } else if let Some(value) = escape_at(input, at) {
            if value == 0 {
                return None;
            }
            if is_unreserved(value) {
                out.push(value);
                keep_unnested(input.get(at + 3).copied(), loose_percent, &mut out);
            } else {
                out.extend_from_slice(&input[at..at + 3]);
            }
            at += 3;
        } else {
            match byte {
                b'\\' => out.push(b'/'),
                b'%' => {
                    loose_percent = Some(out.len());
                    out.push(byte);
                }
                b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                    out.extend_from_slice(format!("%{byte:02X}").as_bytes());
                }
                _ => out.push(byte),
            }
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

/// Handles what follows a dot that begins a segment. Returns how many bytes more were read.
fn after_dot(input: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let is_slash = |at: usize| matches!(input.get(at), Some(b'/' | b'\\'));
    if at == input.len() {
        return 0;
    }
    if is_slash(at) {
        return 1;
    }
    let second = dot_length(input, at);
    let end = at + second;
    if second > 0 && (end == input.len() || is_slash(end)) {
        // The first slash stays; else back to the slash before the last.
        if out.len() > 1 {
            out.pop();
            while out.len() > 1 && out.last() != Some(&b'/') {
                out.pop();
            }
        }
        return second + usize::from(end < input.len());
    }
    out.push(b'.');
    0
}

/// Keeps a decoded byte from completing an escape that was none in the input: its `%` becomes `%25`.
fn keep_unnested(following: Option<u8>, loose_percent: Option<usize>, out: &mut Vec<u8>) {
    let Some(start) = loose_percent.filter(|start| start + 3 >= out.len()) else { return };
    let mut sample = out[start..].to_vec();
    if sample.len() == 2 {
        sample.extend(following);
    }
    if escape_at(&sample, 0).is_some() {
        out.splice((start + 1)..=start, *b"25");
    }
}
