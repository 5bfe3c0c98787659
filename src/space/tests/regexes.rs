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
    ("(a|b)*abb", &["abb", "aababb"], &["ab"]),
    ("()*", &[""], &["a"]),
    ("(a*)*", &["", "aa"], &["b"]),
    // A change of flags is no atom, so the star repeats what stands before it.
    ("ab(?i)*", &["a", "abb"], &["aB"]),
    ("a*(?i)*", &["", "aa"], &["A"]),
    ("\\Qab\\E*", &["a", "abb"], &["abab"]),
    ("a\\Q\\E*", &["aaa"], &["b"]),
    ("[[:]]", &["[]", ":]"], &["[", ":"]),
    ("[a[:]b]", &["ab]", "[b]", ":b]"], &["b"]),
    // A negated class leaves out both cases of what it names.
    ("(?i)[[:^upper:]]", &["1", "-"], &["a", "A"]),
    ("(?i)\\P{Lu}", &["1"], &["a", "A"]),
    ("(?i)[^k]", &["a"], &["k", "K"]),
    // A character is a byte, and only letters of ASCII have two cases.
    ("é", &["é"], &["É"]),
    ("(?i)é", &["é"], &["É", "ã\u{a9}"]),
    ("..", &["é", "ab"], &["ä\u{300}", "a"]),
    ("[é]", &[], &["é", "e"]),
    ("\\x{0000000000041}", &["A"], &["B"]),
    ("[^\\x00-\\xff]", &[], &["", "a"]),
    ("(?P<n>a)(?P<n>b)", &["ab"], &["a"]),
    ("(?)a", &["a"], &[""]),
    ("(^|$){2,}", &[""], &["a"]),
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
    "\\E",
    "a\\E",
    "(?i)*",
    "a|(?i)*",
    "a{9999999999}",
    // RE2 would take these; istiod does not.
    "\\C",
    "(?P<é>a)",
];

/// What istiod lets pass and Envoy cannot load.
const UNLOADABLE: &[&str] = &["\\x{20AC}", "\\400", "[\\x{100}]", "\\p{Letter}", "\\p{greek}", "\\p{Cn}", "\\P{ASCII}"];

/// An expression, a value, and whether it matches in full: for Envoy, and for Rust's own syntax. `None`: refused.
type Difference = (&'static str, &'static str, Option<bool>, Option<bool>);

/// Where Rust's syntax would have misled us.
const DIFFERENCES: &[Difference] = &[
    ("[a&&b]", "a", Some(true), Some(false)),
    ("[a--b]", "a", None, Some(true)),
    ("[[a]b]", "ab]", Some(true), Some(false)),
    ("\\s", "\u{b}", Some(false), Some(true)),
    ("\\d", "\u{661}", Some(false), Some(true)),
    ("\\w", "é", Some(false), Some(true)),
    (".", "é", Some(false), Some(true)),
    ("..", "é", Some(true), Some(false)),
    ("(?i)k", "\u{212a}", Some(false), Some(true)),
    ("\\<a", "<a", Some(true), Some(false)),
    ("x\\b{start}", "x{start}", Some(true), Some(false)),
    ("\\Qa*\\E", "a*", Some(true), None),
    ("\\123", "S", Some(true), None),
    ("a{", "a{", Some(true), None),
    ("x{1", "x{1", Some(true), None),
    ("a(?i)*", "aa", Some(true), None),
    ("a**", "aa", None, Some(true)),
    ("a{1}{2}", "aa", None, Some(true)),
    ("a{1001}", "a", None, Some(false)),
    ("(?:a{40}){40}", "a", None, Some(false)),
    ("(?x)a b", "ab", None, Some(true)),
    ("(?-u)a", "a", None, Some(true)),
    ("\\p{Alphabetic}", "a", None, Some(true)),
    ("\\x{20AC}", "€", None, Some(true)),
    ("\\u0061", "a", None, Some(true)),
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
fn what_only_envoy_refuses_is_told_apart() {
    for source in UNLOADABLE {
        assert!(matches!(Pattern::regex(source), Err(RegexError::Unloadable { .. })), "{source}");
    }
}

#[test]
fn rust_reads_some_expressions_otherwise() {
    for (source, value, envoy, rust) in DIFFERENCES {
        assert_eq!(
            Pattern::regex(source).ok().map(|pattern| pattern.matches(value)),
            *envoy,
            "`{source}` on {value:?}"
        );
        let regex = regex::Regex::new(&format!("\\A(?:{source})\\z")).ok();
        assert_eq!(regex.map(|regex| regex.is_match(value)), *rust, "`{source}` on {value:?}, in Rust");
        assert_ne!(envoy, rust, "`{source}` is no difference");
    }
}

/// Istio's limit is on the number of instructions after RE2 has unrolled and flattened; the sizes are those of a
/// real RE2 (`fixtures/space/re2.jsonl` has many more).
#[test]
fn a_program_of_32768_instructions_is_the_largest() {
    let odd = (0..32).map(|n| format!("\\x{:02x}", 0x21 + 2 * n)).collect::<Vec<_>>().concat();
    // One instruction a range; five more for the start, the end and a search.
    let size = |source: &str| super::super::re2::program_size(source).unwrap().unwrap();
    let (fits, too_large) = (format!("[{odd}]{{1000}}(?:ab){{381}}c"), format!("[{odd}]{{1000}}(?:ab){{382}}"));
    assert_eq!((size(&fits), size(&too_large)), (32_767, 32_768));
    assert!(!matches!(Pattern::regex(&too_large), Err(RegexError::Unloadable { .. })));
    let beyond = format!("{too_large}c");
    assert_eq!(size(&beyond), 32_769);
    let error = Pattern::regex(&beyond).unwrap_err();
    assert!(matches!(&error, RegexError::Unloadable { why } if why.contains("32768")), "{error}");
}

/// A kilobyte that RE2 unrolls to hundreds of thousands of instructions is given up early, unless a part that never
/// matches takes most of them away.
#[test]
fn a_program_that_is_far_too_large_is_not_built() {
    let part = "(?:a?b?c?d?e?f?g?h?i?j?k?l?m?n?o?p?){0,1000}";
    assert!(matches!(Pattern::regex(&part.repeat(20)), Err(RegexError::Unloadable { .. })));
    assert!(matches!(Pattern::regex(&part.repeat(3)), Err(RegexError::Unloadable { .. })));
    let dropped = format!("{}[^\\x00-\\xff]|a", part.repeat(3));
    assert!(!matches!(Pattern::regex(&dropped), Err(RegexError::Unloadable { .. })));
    assert_eq!(super::super::re2::program_size(&dropped), Ok(Some(5)));
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
