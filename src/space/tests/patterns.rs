//! Laws of single patterns.

use std::sync::Arc;

use super::super::*;
use super::random::{Random, texts};

#[test]
fn every_member_begins_with_the_stem() {
    let mut random = Random(5);
    let all = texts("/abA.", 4);
    for _ in 0..500 {
        let pattern = random.path_pattern("/abA.");
        let stem = pattern.literal_stem().to_owned();
        assert!(all.iter().filter(|text| pattern.matches(text)).all(|text| text.starts_with(&stem)), "{pattern}");
    }
}

#[test]
fn a_sequence_uses_the_plain_forms() {
    let any = || Piece::Repeat { bytes: ByteSet::ANY, at_least: 0 };
    let text = |text: &str| Piece::Literal(text.into());
    assert_eq!(Pattern::sequence(&[text("/a"), text("b")]), Pattern::Exact("/ab".into()));
    assert_eq!(Pattern::sequence(&[text("/a"), any()]), Pattern::Prefix("/a".into()));
    assert_eq!(Pattern::sequence(&[any(), text("/a")]), Pattern::Suffix("/a".into()));
    assert_eq!(Pattern::sequence(&[any()]), Pattern::Any);
    assert_eq!(Pattern::sequence(&[]), Pattern::Exact("".into()));
}

#[test]
fn templates_match_as_observed() {
    let segment =
        ByteSet::from_bytes(b"-._~%!$&'()+,;:@=*").with_range(b'a', b'z').with_range(b'A', b'Z').with_range(b'0', b'9');
    let one = || Piece::Repeat { bytes: segment, at_least: 1 };
    let more = || Piece::Repeat { bytes: segment.with(b'/'), at_least: 0 };
    let text = |text: &str| Piece::Literal(text.into());
    let check = |pieces: &[Piece], yes: &[&str], no: &[&str]| {
        let pattern = Pattern::sequence(pieces);
        assert!(yes.iter().all(|path| pattern.matches(path)), "{pattern}");
        assert!(no.iter().all(|path| !pattern.matches(path)), "{pattern}");
    };
    check(
        &[text("/foo/"), one()],
        &["/foo/bar", "/foo/a=b", "/foo/a*b"],
        &["/foo/", "/foo", "/foo/bar/", "/foo/bar/baz"],
    );
    check(&[text("/foo/"), more()], &["/foo/", "/foo/a", "/foo/a/b.txt"], &["/foo"]);
    check(
        &[text("/store/"), more(), text("/cart")],
        &["/store//cart", "/store/a/cart", "/store/a/b/cart"],
        &["/store/cart"],
    );
    check(
        &[text("/foo/"), one(), text("/bar/"), more()],
        &["/foo/x/bar/", "/foo/x/bar/y"],
        &["/foo//bar/y", "/foo/x/bar"],
    );
}

#[test]
fn a_language_is_its_source() {
    let a = Pattern::regex("a+").unwrap();
    let Pattern::Language(language) = &a else { unreachable!("a regex is a language") };
    let b = Pattern::Language(Arc::clone(language));
    assert_eq!(a, b);
    assert_ne!(a, Pattern::regex("aa*").unwrap());
}
