//! The automaton of normal paths, the concrete normalisation, and two readings that share no code with either.

use std::collections::BTreeSet;

use super::super::form::Form;
use super::super::{Normalization, PathDomain, normalize, wire_form};
use super::random::texts;

const MODES: [Normalization; 4] =
    [Normalization::None, Normalization::Base, Normalization::MergeSlashes, Normalization::DecodeAndMergeSlashes];

/// Whether a segment is a dot segment with parameters, which a second normalisation would remove.
fn is_parametric(segment: &str) -> bool {
    segment.starts_with(".;") || segment.starts_with("..;")
}

/// What an escape at the start of a text decodes to.
fn escaped(text: &str) -> Option<char> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    let value = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok())?;
    value.map(char::from)
}

/// Whether a path is the image of one normalisation, said in words rather than states.
fn is_normal(path: &str, mode: Normalization) -> bool {
    let Some(inner) = path.strip_prefix('/') else { return false };
    if mode == Normalization::None {
        return path.chars().all(|c| c.is_ascii_graphic() && c != '?' && c != '#');
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "!$&'()*+,-./:;=@[]_~%".contains(c);
    let decoded = |c: char| {
        let slash = mode == Normalization::DecodeAndMergeSlashes && "/\\".contains(c);
        c == '\0' || c.is_ascii_alphanumeric() || "-._~".contains(c) || slash
    };
    let merged = mode == Normalization::Base || path == "//" || !path.contains("//");
    path.chars().all(plain)
        && path.match_indices('%').all(|(at, _)| !path.get(at..).and_then(escaped).is_some_and(decoded))
        && inner.split('/').all(|segment| segment != "." && segment != "..")
        && merged
}

/// A normalisation in the plainest words: decode, split, resolve. `None` where that is not enough: an escape that
/// decoding would complete, or a refusal.
fn plainly_normalized(wire: &str, mode: Normalization) -> Option<String> {
    let mut path = wire.to_owned();
    if mode == Normalization::DecodeAndMergeSlashes {
        for (escape, decoded) in [("%2F", "/"), ("%2f", "/"), ("%5C", "\\"), ("%5c", "\\")] {
            path = path.replace(escape, decoded);
        }
    }
    // Parameters of dot segments go first, between slashes and only where the dots are written as dots.
    let cut = |segment: &str| {
        if is_parametric(segment) { segment.split(';').next().unwrap_or("").to_owned() } else { segment.to_owned() }
    };
    path = path.split('/').map(cut).collect::<Vec<_>>().join("/").replace('\\', "/");
    let mut decoded = String::new();
    let mut rest = path.as_str();
    while let Some(c) = rest.chars().next() {
        match escaped(rest) {
            Some('\0') => return None,
            Some(value) if value.is_ascii_alphanumeric() || "-._~".contains(value) => {
                decoded.push(value);
                rest = rest.get(3..)?;
            }
            Some(_) => {
                decoded.push_str(rest.get(..3)?);
                rest = rest.get(3..)?;
            }
            None if c == '%' && rest.get(1..)?.contains('%') => return None,
            None => {
                decoded.push(c);
                rest = rest.get(1..)?;
            }
        }
    }
    let mut segments: Vec<&str> = Vec::new();
    let mut all = decoded.split('/').skip(1).peekable();
    while let Some(segment) = all.next() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    segments.pop();
                }
                if all.peek().is_none() {
                    segments.push("");
                }
            }
            _ => segments.push(segment),
        }
    }
    if mode != Normalization::Base && segments.len() > 1 {
        let last = segments.last().copied();
        segments.retain(|segment| !segment.is_empty());
        segments.extend(last.filter(|last| last.is_empty()));
        if segments == [""] {
            return Some("//".to_owned());
        }
    }
    Some(format!("/{}", segments.join("/")))
}

#[test]
fn normal_paths_are_exactly_the_images_of_normalisation() {
    let mut checked = 0_u64;
    for letters in ["/abA.-%2f;", "/.%02eE5\\"] {
        for mode in MODES {
            let form = Form::paths(PathDomain::Normalized(mode));
            for path in texts(letters, if letters.len() > 9 { 6 } else { 5 }) {
                // Every image is of the shape, and every path of the shape is the image of its wire form.
                if let Some(image) = normalize(&path, mode) {
                    assert!(form.contains(&image), "{path} gives {image} in {mode:?}");
                }
                let own = normalize(&wire_form(&path, mode), mode).as_ref() == Some(&path);
                assert_eq!(form.contains(&path), own, "{path} in {mode:?}");
                assert_eq!(form.contains(&path), is_normal(&path, mode), "{path} in {mode:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 3_000_000, "{checked}");
}

#[test]
fn normalisation_does_what_its_plainest_reading_does() {
    let mut checked = 0_u64;
    for letters in ["/ab.;%2e", "/.;a\\%5c2F"] {
        for mode in [Normalization::Base, Normalization::MergeSlashes, Normalization::DecodeAndMergeSlashes] {
            for wire in texts(letters, 6).iter().filter(|wire| wire.starts_with('/')) {
                if let Some(expected) = plainly_normalized(wire, mode) {
                    assert_eq!(normalize(wire, mode).as_ref(), Some(&expected), "{wire} in {mode:?}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 400_000, "{checked}");
}

#[test]
fn a_second_normalisation_changes_dot_parameter_segments_alone() {
    let mut changed = 0;
    for mode in MODES {
        for wire in texts("/a.;%2e", 6) {
            let Some(once) = normalize(&wire, mode) else { continue };
            let twice = normalize(&once, mode).expect("a normal path is no bad request");
            let parametric = mode != Normalization::None && once.split('/').any(is_parametric);
            assert_eq!(once != twice, parametric, "{wire}, {once}, {twice} in {mode:?}");
            changed += u32::from(parametric);
        }
    }
    assert!(changed > 0);
}

#[test]
fn images_of_awkward_escapes_are_of_the_shape() {
    let all: BTreeSet<String> = texts("/%236e.\\", 6).into_iter().collect();
    for mode in MODES {
        let form = Form::paths(PathDomain::Normalized(mode));
        for path in &all {
            if let Some(image) = normalize(path, mode) {
                assert!(form.contains(&image), "{path} gives {image} in {mode:?}");
                if mode != Normalization::None {
                    assert_eq!(normalize(&image, mode).as_ref(), Some(&image), "{path} gives {image} in {mode:?}");
                }
            }
        }
    }
}

#[test]
fn a_query_is_no_path_and_is_left_alone() {
    for mode in MODES {
        for path in ["/a", "/a/../b", "/%2e;/x"] {
            let plain = normalize(path, mode).unwrap();
            for query in ["", "x=/../%2e%2E", "a//b", "%00?"] {
                assert_eq!(normalize(&format!("{path}?{query}"), mode), Some(format!("{plain}?{query}")));
                assert_eq!(normalize(&format!("{path}?{query}#x"), mode), Some(format!("{plain}?{query}")));
            }
        }
    }
}

#[test]
fn visible_text_is_utf8_without_control_characters() {
    let form = Form::of_text(true);
    assert!(form.contains("grüße €\u{10ffff}"));
    assert!(!form.contains("a\nb"));
    assert!(Form::of_text(false).contains("a\nb"));
}
