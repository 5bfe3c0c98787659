//! Where kubectl's parser is stricter than ours, or takes other characters for line breaks.

use std::borrow::Cow;
use std::ops::Range;

/// Where a text has what kubectl refuses whatever stands around it, and what that is.
pub(super) fn refused(body: &str) -> Option<(usize, String)> {
    let control = body.char_indices().find(|(_, character)| match character {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        character => character.is_control() || matches!(character, '\u{FFFE}' | '\u{FFFF}'),
    });
    if let Some((at, character)) = control {
        return Some((at, format!("the character U+{:04X} may not stand in YAML", u32::from(character))));
    }
    let first = body.lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let marker = first.filter(|line| line.strip_prefix("...").is_some_and(|rest| rest.trim().is_empty()));
    marker.map(|line| (body.find(line).unwrap_or(0), "it ends before it begins".to_owned()))
}

/// The text as it is parsed: with a line feed at its end, and wherever YAML 1.1 ends a line, in as many bytes.
pub(super) fn with_line_breaks(body: &str) -> Cow<'_, str> {
    let mut fed = Cow::Borrowed(body);
    for (break_, feed) in [('\u{85}', " \n"), ('\u{2028}', "  \n"), ('\u{2029}', "  \n")] {
        if fed.contains(break_) {
            fed = Cow::Owned(fed.replace(break_, feed));
        }
    }
    if !fed.ends_with('\n') {
        fed.to_mut().push('\n');
    }
    fed
}

/// Where in a text in double quotes an escape begins that go-yaml does not know: `\/`, and halves of surrogate pairs.
pub(super) fn escapes(quoted: &str) -> Option<usize> {
    let mut rest = quoted.char_indices();
    while let Some((at, character)) = rest.next() {
        if character != '\\' {
            continue;
        }
        match rest.next() {
            Some((_, '/')) => return Some(at),
            Some((_, 'u')) => {
                let half = quoted.get(at + 2..at + 6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                if half.is_some_and(|half| (0xD800..0xE000).contains(&half)) {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where a tab stands in front of the first sign of a line, or between a dash and what it begins, outside of the ranges
/// in which that is no indentation.
pub(super) fn misplaced_tab(body: &str, allowed: &[Range<usize>]) -> Option<usize> {
    if !body.contains('\t') {
        return None;
    }
    let mut start = 0;
    for line in body.split_inclusive('\n') {
        let begin = start;
        start += line.len();
        let mut rest = line.trim_end_matches(['\n', '\r']);
        // Dashes and question marks may follow one another.
        loop {
            let content = rest.trim_start_matches([' ', '\t']);
            let blank = rest.len() - content.len();
            let tab = rest.get(..blank).and_then(|blank| blank.find('\t'));
            let at = begin + (line.trim_end_matches(['\n', '\r']).len() - rest.len()) + tab.unwrap_or(0);
            if tab.is_some() && !allowed.iter().any(|range| range.start < at && at < range.end) {
                return Some(at);
            }
            match content.strip_prefix(['-', '?']) {
                Some(behind) if behind.starts_with([' ', '\t']) => rest = behind,
                _ => break,
            }
        }
    }
    None
}

/// In which column a place stands, from 0.
pub(super) fn column(body: &str, at: usize) -> usize {
    let before = body.get(..at).unwrap_or_default();
    before.len() - before.rfind('\n').map_or(0, |newline| newline + 1)
}

/// How many bytes of a text are the rest of a line and blank lines behind it whose tabs stand at an indentation or
/// deeper.
pub(super) fn blank_lines(rest: &str, indent: usize) -> usize {
    let mut length = 0;
    for (index, line) in rest.split_inclusive('\n').enumerate() {
        let blank = line.trim().is_empty();
        if !blank || (index > 0 && line.find('\t').is_some_and(|tab| tab < indent)) {
            break;
        }
        length += line.len();
    }
    length
}
