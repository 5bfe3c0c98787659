//! Patterns of paths as the request space has them.

use crate::config::{PathGlob, Segment};
use crate::space::{ByteSet, Pattern, Piece};

/// The paths that a glob means, as alternatives.
pub(super) fn patterns(glob: &PathGlob) -> Vec<Pattern> {
    let within = |at_least: u8| Piece::Repeat { bytes: ByteSet::ANY.without(b'/'), at_least };
    let literal = |text: &str| Piece::Literal(text.into());
    let mut ways: Vec<Vec<Piece>> = vec![Vec::new()];
    for segment in glob.segments() {
        match segment {
            Segment::Any => {
                let below = ways.iter().map(|way| {
                    let anything = [literal("/"), Piece::Repeat { bytes: ByteSet::ANY, at_least: 0 }];
                    way.iter().cloned().chain(anything).collect()
                });
                let below: Vec<Vec<Piece>> = below.collect();
                ways.extend(below);
            }
            Segment::One => ways.iter_mut().for_each(|way| way.extend([literal("/"), within(1)])),
            Segment::Text(texts) => ways.iter_mut().for_each(|way| {
                way.push(literal("/"));
                for (index, text) in texts.iter().enumerate() {
                    if index > 0 {
                        way.push(within(0));
                    }
                    way.push(literal(text));
                }
            }),
        }
    }
    // No path is empty.
    ways.iter().filter(|way| !way.is_empty()).map(|way| Pattern::sequence(way)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a glob means a path.
    fn means(glob: &str, path: &str) -> bool {
        patterns(&PathGlob::parse(glob).expect("a glob")).iter().any(|pattern| pattern.matches(path))
    }

    #[test]
    fn a_glob_means_what_its_documentation_says() {
        let cases = [
            ("/api/**", "/api /api/ /api/x /api/x/y", "/ /apix /x/api"),
            ("/**", "/ /a /a/b", ""),
            ("/", "/", "/a"),
            ("/*", "/a /ab", "/ /a/b /a/"),
            ("/api*", "/api /apis /api-v1", "/ap /api/ /api/x"),
            ("/api*/**", "/api /apis /api/ /apis/x/y", "/ap /v1/api"),
            ("/*/health", "/a/health", "/health //health /a/b/health"),
            ("/**/health", "/health /a/health /a/b/health", "/healthz /a/health/"),
            ("/**/*.html", "/x.html /a/b.html /.html", "/x.htm /x.html/"),
            ("/a/**/b/*", "/a/b/c /a/x/b/c /a/x/y/b/c", "/a/b /a/bc /a/b/c/d"),
            ("/v*/x", "/v/x /v1/x", "/w/x /v/y/x"),
        ];
        for (glob, inside, outside) in cases {
            for path in inside.split_whitespace() {
                assert!(means(glob, path), "{glob} means {path}");
            }
            for path in outside.split_whitespace() {
                assert!(!means(glob, path), "{glob} does not mean {path}");
            }
        }
    }
}
