//! Secrets of other people: what manifests hold of keys and tokens is never shown.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use crate::semantics::Request;

/// Members of a JSON Web Key that are nobody else's business: RFC 7518, sections 6.2.2, 6.3.2 and 6.4.
const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "k"];
/// Headers whose values open doors.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "api-key",
    "apikey",
    "x-api-key",
    "x-auth-token",
    "x-access-token",
    "x-amz-security-token",
];
/// What stands for the value of such a header.
const HIDDEN: &str = "***";
/// Characters that a token has at least.
const SHORT_TOKEN: usize = 8;

/// Whether the value of a header is a secret.
pub(super) fn is_credential(header: &str) -> bool {
    CREDENTIALS.iter().any(|known| known.eq_ignore_ascii_case(header))
}

/// A request as it may be shown.
pub(super) fn without_credentials(request: &Request) -> Cow<'_, Request> {
    if !request.headers.iter().any(|(name, _)| is_credential(name)) {
        return Cow::Borrowed(request);
    }
    let mut shown = request.clone();
    for (_, value) in shown.headers.iter_mut().filter(|(name, _)| is_credential(name)) {
        HIDDEN.clone_into(value);
    }
    Cow::Owned(shown)
}

/// A text with stars for every byte of a secret, so that places in it stay what they are.
pub(super) fn hide(text: &str) -> Cow<'_, str> {
    let mut secrets = tokens(text);
    secrets.extend(bearers(text));
    secrets.extend(private_members(text));
    secrets.extend(private_keys(text));
    starred(text, secrets)
}

/// The same for a whole manifest file, in which Secrets hold data of any form.
pub(super) fn hide_in_manifests(text: &str) -> Cow<'_, str> {
    let hidden = hide(text);
    let data = secret_data(&hidden);
    if data.is_empty() { hidden } else { Cow::Owned(starred(&hidden, data).into_owned()) }
}

/// Stars over ranges, spaces and line ends spared.
fn starred(text: &str, mut ranges: Vec<Range<usize>>) -> Cow<'_, str> {
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    ranges.sort_by_key(|range| range.start);
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        let start = range.start.max(at);
        let Some(secret) = text.get(start..range.end) else {
            continue;
        };
        shown.push_str(text.get(at..start).unwrap_or_default());
        for character in secret.chars() {
            if character.is_whitespace() { shown.push(character) } else { shown.push_str(stars(character)) }
        }
        at = range.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(shown)
}

/// A star for each byte of a character.
fn stars(character: char) -> &'static str {
    match character.len_utf8() {
        1 => "*",
        2 => "**",
        3 => "***",
        _ => "****",
    }
}

/// Where a text stands in another one.
fn occurrences<'a>(text: &'a str, wanted: &'a str) -> impl Iterator<Item = usize> + 'a {
    memmem::find_iter(text.as_bytes(), wanted)
}

/// The end of what consists of some characters and begins at a byte.
fn run(text: &str, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len())
}

/// JSON Web Tokens: three parts in base64url, of which the first is an object.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let of_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let found = occurrences(text, "eyJ").filter_map(|start| {
        let header = run(text, start, of_base64);
        let is_token = header - start >= SHORT_TOKEN && text.as_bytes().get(header) == Some(&b'.');
        is_token.then(|| start..run(text, header, |byte| of_base64(byte) || byte == b'.'))
    });
    found.collect()
}

/// What follows `Bearer` and `Basic`.
fn bearers(text: &str) -> Vec<Range<usize>> {
    let schemes = ["Bearer ", "bearer ", "Basic ", "basic "];
    let starts = schemes.iter().flat_map(|scheme| occurrences(text, scheme).map(|at| at + scheme.len()));
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let found = starts.map(|start| start..run(text, start, of_token));
    found.filter(|token| token.len() >= SHORT_TOKEN).collect()
}

/// Values of private members of JSON Web Keys, as JSON writes them, also inside of a string of JSON.
fn private_members(text: &str) -> Vec<Range<usize>> {
    if occurrences(text, "kty").next().is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for quote in ["\"", "\\\""] {
        for member in PRIVATE_MEMBERS {
            let name = format!("{quote}{member}{quote}");
            for at in text.match_indices(&name).map(|(at, _)| at + name.len()) {
                let colon = run(text, at, |byte| byte.is_ascii_whitespace());
                let value = run(text, colon + 1, |byte| byte.is_ascii_whitespace()) + quote.len();
                let opens = text.get(value - quote.len()..value) == Some(quote);
                if opens && text.as_bytes().get(colon) == Some(&b':') {
                    found.push(value..run(text, value, |byte| !matches!(byte, b'"' | b'\\')));
                }
            }
        }
    }
    found
}

/// Private keys in PEM form.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    let found = occurrences(text, "-----BEGIN ").filter_map(|at| {
        let header = text.get(at..)?.lines().next()?;
        let start = at + header.find("PRIVATE KEY-----")? + "PRIVATE KEY-----".len();
        let rest = text.get(start..)?;
        Some(start..start + rest.find("-----END").unwrap_or(rest.len()))
    });
    found.collect()
}

/// Values below `data` and `stringData` of Secrets.
fn secret_data(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if occurrences(text, "kind: Secret").next().is_none() {
        return found;
    }
    let mut start = 0;
    for document in text.split_inclusive("\n---") {
        let is_secret = document.lines().any(|line| line.trim_end() == "kind: Secret");
        let mut at = start;
        let mut inside = false;
        for line in document.split_inclusive('\n').filter(|_| is_secret) {
            let indented = line.starts_with([' ', '\t']);
            if inside && indented {
                let key = line.find(": ").map_or(0, |colon| colon + 2);
                found.push(at + key..at + line.len());
            }
            if !indented && !line.trim().is_empty() {
                inside = line.starts_with("data:") || line.starts_with("stringData:");
                let flow = line.find(':').map_or(line.len(), |colon| colon + 1);
                if inside {
                    found.push(at + flow..at + line.len());
                }
            }
            at += line.len();
        }
        start += document.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_parts_of_keys_are_hidden_and_public_ones_are_not() {
        let key = r#"{"keys":[{"kty":"RSA","n":"abcd","e":"AQAB","d":"SECRET","p" : "SECRET","k":""}]}"#;
        let shown = hide(key);
        assert!(!shown.contains("SECRET") && shown.contains(r#""n":"abcd","e":"AQAB","d":"******""#), "{shown}");
        assert_eq!(shown.len(), key.len());
        let nested = r#"jwks: "{\"keys\":[{\"kty\":\"oct\",\"k\":\"SECRET\"}]}""#;
        assert!(!hide(nested).contains("SECRET"), "{}", hide(nested));
        assert_eq!(hide(r#"{"d":"no key"}"#), r#"{"d":"no key"}"#);
    }

    #[test]
    fn tokens_are_hidden_wherever_they_stand() {
        let shown = hide("x eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln y, Bearer abcdefghi, Basic dXNlcjpwdw==");
        assert_eq!(shown, "x ***************************************** y, Bearer *********, Basic ************");
        assert_eq!(hide("Bearer *, eyJ., the bearer of it"), "Bearer *, eyJ., the bearer of it");
    }

    #[test]
    fn private_keys_and_data_of_secrets_are_hidden() {
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nafter";
        assert_eq!(hide(pem), pem.replace("MIIE", "****").replace("abc", "***"));
        let manifests =
            "kind: Secret\ndata:\n  a: aGk=\nstringData: {b: c}\nmetadata:\n  name: x\n---\nkind: Pod\ndata:\n  a: b\n";
        let shown = hide_in_manifests(manifests);
        assert!(shown.contains("  a: ****\nstringData: *** **\nmetadata:\n  name: x\n"), "{shown}");
        assert!(shown.ends_with("kind: Pod\ndata:\n  a: b\n"), "{shown}");
        assert_eq!(shown.len(), manifests.len());
    }
}
