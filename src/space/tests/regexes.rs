//! RE2's syntax: what it accepts, what it means, what it refuses.

use super::super::{Pattern, RegexError};
use super::random::texts;

/// An expression, values that it matches in full, and values that it does not.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

const MEANING: &[Row] = &[
    ("", &[""], &["a"]),
    ("a|b", &["a", "b"], &["", "ab"]),
    ("a|", &["a", ""], &["b"]),
    ("/api/[0-9]+", &["/api/1", "/api/42"], &["/api/", "/api/1/x", "/x/api/1"]),
    ("/a.b", &["/a/b", "/axb"], &["/a\nb", "/ab"]),
    ("(?s)a.b", &["a\nb"], &["ab"]),
    ("(?i)/api", &["/API", "/api"], &["/apj"]),
    ("a(?i)b|c", &["aB", "C", "c"], &["AB"]),
    ("(?i:a)b", &["Ab", "ab"], &["aB"]),
    ("(?i)a(?-i)b", &["Ab"], &["AB"]),
    ("^a$", &["a"], &["aa"]),
    ("\\Aa\\z", &["a"], &["b"]),
    ("a^b", &[], &["ab", "a^b"]),
    ("(?m)a$\n^b", &["a\nb"], &["ab"]),
    ("a{2}", &["aa"], &["a", "aaa"]),
    ("a{2,}", &["aa", "aaaa"], &["a"]),
    ("a{,3}", &["a{,3}"], &["a", "aaa"]),
    ("a{", &["a{"], &["a"]),
    ("x{1", &["x{1"], &["x"]),
    ("a{01}", &["a{01}"], &["a"]),
    ("a{1001", &["a{1001"], &["a"]),
    ("a+?b*?c??", &["ab", "abc", "a"], &["b"]),
    ("\\Qa.b*\\E+", &["a.b*", "a.b**"], &["axb", "a.b"]),
    ("\\Qab", &["ab"], &["a"]),
    ("\\Q\\E", &[""], &["a"]),
    ("\\d+", &["123"], &["\u{0661}", ""]),
    ("\\s", &[" ", "\t", "\n", "\r", "\u{c}"], &["\u{b}", "\u{a0}"]),
    ("[[:space:]]", &["\u{b}"], &["x"]),
    ("\\w\\W\\D\\S", &["a-bc", "_ aa"], &["--bc"]),
    ("\\bfoo\\b.*", &["foo", "foo bar"], &["foox"]),
    ("a\\Bb", &["ab"], &["a b"]),
    ("[a&&b]", &["a", "&", "b"], &["c"]),
    ("[[a]", &["[", "a"], &["b"]),
    ("[]a]", &["]", "a"], &["b"]),
    ("[^]a]", &["b"], &["]", "a"]),
    ("[a-]", &["a", "-"], &["b"]),
    ("[-a]", &["a", "-"], &["b"]),
    ("[a-c-e]", &["a", "b", "-", "e"], &["d"]),
    ("[[:alpha:][:^digit:]]", &["a", "-"], &["1"]),
    ("[\\d\\-x]", &["1", "-", "x"], &["y"]),
    ("[^\\d]", &["a", "\n"], &["1"]),
    ("[\\n]", &["\n"], &["n"]),
    ("\\<a", &["<a"], &["a"]),
    ("\\_\\-\\/\\.", &["_-/."], &["_-/x"]),
    ("\\012\\x41\\x{42}\\07", &["\nAB\u{7}"], &[""]),
    ("\\123", &["S"], &["123"]),
    ("\\a\\f\\t\\n\\r\\v", &["\u{7}\u{c}\t\n\r\u{b}"], &[""]),
    ("\\pN\\p{L}\\PN\\p{^Lu}", &["1ab-"], &["a1bb"]),
    ("\\p{Greek}|a", &["a"], &["b"]),
    ("(?P<name>a)(?<other>b)", &["ab"], &["a"]),
    ("(?U)a+", &["aaa"], &[""]),
    ("\\C", &["a", "\n"], &[""]),
    ("(a|b)*abb", &["abb", "aababb"], &["ab"]),
    ("()*", &[""], &["a"]),
    ("(a*)*", &["", "aa"], &["b"]),
    ("}", &["}"], &["{"]),
    ("]", &["]"], &["["]),
];

const REFUSED: &[&str] = &[
    "*",
    "+a",
    "a**",
    "a*+",
    "a++",
    "a{1}{2}",
    "a{1001}",
    "a{2,1}",
    "(a{100}){100}",
    "(a",
    "a)",
    "[a",
    "[b-a]",
    "[a--b]",
    "(?=a)",
    "(?!b)",
    "(?<=a)",
    "(?<!a)",
    "(?>a)",
    "(?x)a",
    "(?-u)a",
    "(?#c)",
    "\\1",
    "\\8",
    "\\Z",
    "\\G",
    "\\k<a>",
    "\\",
    "\\x",
    "\\x{110000}",
    "\\pQ",
    "\\p{Nope}",
    "[[:nope:]]",
    "(?P<>a)",
    "(?P<a",
    "(?P=a)",
    "|*",
    "(*)",
    "^*+",
    "(?i",
    "(?",
    "\\xg0",
];

#[test]
fn expressions_mean_what_re2_means() {
    for (source, yes, no) in MEANING {
        let pattern = Pattern::regex(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        for value in *yes {
            assert!(pattern.matches(value), "`{source}` must match {value:?}");
        }
        for value in *no {
            assert!(!pattern.matches(value), "`{source}` must not match {value:?}");
        }
    }
}

#[test]
fn what_re2_refuses_is_refused() {
    for source in REFUSED {
        assert!(matches!(Pattern::regex(source), Err(RegexError::Syntax { .. })), "{source}");
    }
}

#[test]
fn a_huge_automaton_is_refused() {
    assert!(matches!(Pattern::regex(".*a.{20}"), Err(RegexError::TooLarge { .. })));
}

#[test]
fn common_syntax_agrees_with_rust() {
    let pieces = ["a", "b", ".", "[^a]", "a*", "(a|b)", "b+", "(?:ab)?", "a{2}", "$", "^", "\\ba", "\\w"];
    let values = texts("ab \n", 4);
    for first in pieces {
        for second in pieces {
            for third in pieces {
                let source = format!("{first}{second}|{third}{first}");
                let ours = Pattern::regex(&source).unwrap();
                let rust = regex::bytes::Regex::new(&format!("(?-u)\\A(?:{source})\\z")).unwrap();
                for value in &values {
                    assert_eq!(ours.matches(value), rust.is_match(value.as_bytes()), "`{source}` on {value:?}");
                }
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_expression_panics(source in "[ab(){}\\[\\]\\\\|*+?^$.,0-9:<>PQEi=!-]{0,16}") {
        let _ = Pattern::regex(&source);
    }

    #[test]
    fn no_text_panics(source in "\\PC{0,12}") {
        let _ = Pattern::regex(&source);
    }
}
