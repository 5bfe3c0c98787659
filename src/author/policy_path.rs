//! Patterns of the access table in the words of an `AuthorizationPolicy`.

use crate::config::{PathGlob, Segment};

/// The values of `paths` that mean a glob. `None`: a policy has no words for it.
///
/// A policy knows a whole path, a beginning, an end, and templates in which `{*}` is a segment and `{**}` any number
/// of them. `P/**` takes two values, for a beginning that ends in a slash leaves `P` itself out.
pub(super) fn policy_paths(glob: &PathGlob) -> Option<Vec<String>> {
    let segments = glob.segments();
    match segments {
        [Segment::Any] => return Some(vec!["/*".to_owned()]),
        [before @ .., Segment::Text(last), Segment::Any] if is_open(last) => {
            let before = literal(before)?;
            return Some(vec![format!("{before}/{}*", last.first()?)]);
        }
        [Segment::Any, Segment::Text(first), rest @ ..] if begins_open(first) => {
            return Some(vec![format!("*{}{}", first.last()?, literal(rest)?)]);
        }
        [Segment::Any, rest @ ..] if literal(rest).is_some() => return Some(vec![format!("*{}", literal(rest)?)]),
        _ => {}
    }
    match segments.split_last() {
        Some((Segment::Any, before)) => match literal(before) {
            Some(stem) => Some(vec![stem.clone(), format!("{stem}/*")]),
            None => Some(vec![template(before)?, template(segments)?]),
        },
        _ => match literal(segments) {
            Some(path) => Some(vec![path]),
            None => between(segments),
        },
    }
}

/// A template, and one without the `**` that stands between other segments, which may be none at all.
fn between(segments: &[Segment]) -> Option<Vec<String>> {
    let whole = template(segments)?;
    if !segments.contains(&Segment::Any) {
        return Some(vec![whole]);
    }
    let without: Vec<Segment> = segments.iter().filter(|segment| **segment != Segment::Any).cloned().collect();
    let shorter = literal(&without).or_else(|| template(&without))?;
    Some(vec![shorter, whole])
}

/// Whether a segment is text and then anything: with `**` behind it, a beginning.
fn is_open(texts: &[String]) -> bool {
    texts.len() == 2 && texts.last().is_some_and(String::is_empty)
}

/// Whether a segment is anything and then text: with `**` before it, an end.
fn begins_open(texts: &[String]) -> bool {
    texts.len() == 2 && texts.first().is_some_and(String::is_empty)
}

/// Segments that are nothing but text.
fn literal(segments: &[Segment]) -> Option<String> {
    let text = |segment: &Segment| match segment {
        Segment::Text(texts) => match texts.as_slice() {
            [text] => Some(format!("/{text}")),
            _ => None,
        },
        Segment::Any | Segment::One => None,
    };
    segments.iter().map(text).collect()
}

/// A template of whole segments, with one `{**}` at most.
fn template(segments: &[Segment]) -> Option<String> {
    if segments.iter().filter(|segment| **segment == Segment::Any).count() > 1 {
        return None;
    }
    let part = |segment: &Segment| match segment {
        Segment::Any => Some("/{**}".to_owned()),
        Segment::One => Some("/{*}".to_owned()),
        Segment::Text(_) => literal(std::slice::from_ref(segment)),
    };
    segments.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_has_the_words_of_a_policy_or_none() {
        let cases = [
            ("/api/**", Some("/api /api/*")),
            ("/**", Some("/*")),
            ("/", Some("/")),
            ("/api/v1", Some("/api/v1")),
            ("/api*/**", Some("/api*")),
            ("/**/health", Some("*/health")),
            ("/**/a/b", Some("*/a/b")),
            ("/**/*.html", Some("*.html")),
            ("/users/*/orders", Some("/users/{*}/orders")),
            ("/users/*/**", Some("/users/{*} /users/{*}/{**}")),
            ("/a/**/b", Some("/a/b /a/{**}/b")),
            ("/api*", None),
            ("/a*b/**", None),
            ("/a/**/b/**", None),
        ];
        for (glob, words) in cases {
            let paths = policy_paths(&PathGlob::parse(glob).expect("a glob"));
            assert_eq!(paths.map(|paths| paths.join(" ")).as_deref(), words, "{glob}");
        }
    }
}
