//! What a regular expression and its replacement make of one text.

use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{Compiler, Config};

use super::re2::{self, RegexError};

/// A text with every match of an RE2 expression replaced. In the replacement `\\0` to `\\9` stand for the match
/// and its groups, `\\\\` for a backslash.
///
/// The matches are RE2's: leftmost, then by order and greed, anywhere in the text and not overlapping.
pub fn substitute(re2: &str, replacement: &str, text: &str) -> Result<String, RegexError> {
    let hir = re2::parse_with_groups(re2)?;
    let too_large = |error: &dyn std::fmt::Display| RegexError::TooLarge { why: error.to_string() };
    let nfa = Compiler::new()
        .configure(Config::new().utf8(false).nfa_size_limit(Some(1 << 20)))
        .build_from_hir(&hir)
        .map_err(|error| too_large(&error))?;
    let groups = nfa.group_info().group_len(regex_automata::PatternID::ZERO);
    let parts = pieces(replacement).filter(|parts| {
        parts.iter().all(|part| match part {
            Part::Text(_) => true,
            Part::Group(group) => *group < groups,
        })
    });
    let refused = || RegexError::Syntax { at: 0, why: "its replacement names a group that is not there".to_owned() };
    let parts = parts.ok_or_else(refused)?;
    let machine = PikeVM::new_from_nfa(nfa).map_err(|error| too_large(&error))?;
    let mut cache = machine.create_cache();
    let mut made = String::new();
    let mut last = 0;
    for found in machine.captures_iter(&mut cache, text.as_bytes()) {
        let Some(whole) = found.get_match() else {
            continue;
        };
        made.push_str(text.get(last..whole.start()).unwrap_or_default());
        for part in &parts {
            match part {
                Part::Text(literal) => made.push_str(literal),
                Part::Group(group) => {
                    let range = found.get_group(*group).map(|span| span.start..span.end);
                    made.push_str(range.and_then(|range| text.get(range)).unwrap_or_default());
                }
            }
        }
        last = whole.end();
    }
    made.push_str(text.get(last..).unwrap_or_default());
    Ok(made)
}

/// A part of a replacement.
enum Part {
    /// Written as it is.
    Text(String),
    /// What a group matched.
    Group(usize),
}

/// The parts of a replacement; `None` if a backslash is followed by neither a digit nor another one.
fn pieces(replacement: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut characters = replacement.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            match parts.last_mut() {
                Some(Part::Text(text)) => text.push(character),
                _ => parts.push(Part::Text(character.to_string())),
            }
            continue;
        }
        match characters.next()? {
            '\\' => parts.push(Part::Text("\\".to_owned())),
            digit => parts.push(Part::Group(usize::try_from(digit.to_digit(10)?).ok()?)),
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_match_is_replaced_and_the_rest_is_kept() {
        for (re2, replacement, text, made) in [
            ("^/api/(.*)$", "/\\1", "/api/x/y", "/x/y"),
            ("^/api/(.*)", "/\\1", "/apix", "/apix"),
            ("a", "b", "/aXa", "/bXb"),
            ("a*?", "-", "/aa", "-/-a-a-"),
            ("(/)(.)", "\\2\\1", "/a/b", "a/b/"),
            ("(?U)/.*", "_", "/ab", "_ab"),
            ("x*", "-", "/xx", "-/-"),
            ("(?P<n>[0-9]+)", "<\\1\\\\>", "/12/3", "/<12\\>/<3\\>"),
        ] {
            assert_eq!(substitute(re2, replacement, text).as_deref(), Ok(made), "{re2} on {text}");
        }
    }

    #[test]
    fn a_replacement_may_name_only_groups_that_are_there() {
        assert!(substitute("/(a)", "\\2", "/a").is_err());
        assert!(substitute("/a", "\\q", "/a").is_err());
    }
}
