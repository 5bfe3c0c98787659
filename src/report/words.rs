//! Text of other people, made fit to be shown: no secret, nothing that a terminal obeys, no word without end.

use super::secret::hide;

/// Characters of a word that is not cut.
const LONG_WORD: usize = 240;
/// Characters that are left of a word that is.
const CUT_WORD: usize = 200;

/// A text as one line.
pub(super) fn line(text: &str) -> String {
    cut(&escaped(&hide(text), |character| is_obeyed(character) || matches!(character, '\n' | '\r' | '\t')))
}

/// A text whose lines stay lines.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A text as one line, at its full length.
pub(super) fn whole_line(text: &str) -> String {
    escaped(&hide(text), |character| is_obeyed(character) || matches!(character, '\n' | '\r' | '\t'))
}

/// Whether a terminal or a page may do something else with a character than show it: control characters, and those that
/// turn the direction of what follows.
pub(super) fn is_obeyed(character: char) -> bool {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}');
    turns || breaks || (character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
}

/// Whether a byte may begin a character that a terminal obeys, or that ends a line: most of a manifest does not.
pub(super) fn may_be_obeyed(byte: u8) -> bool {
    !byte.is_ascii() || (byte.is_ascii_control() && byte != b'\n')
}

/// A text with some characters written as Rust and JavaScript write them.
fn escaped(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_special(character) { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    shown
}

/// A text whose long words are cut.
fn cut(text: &str) -> String {
    if text.len() <= LONG_WORD {
        return text.to_owned();
    }
    let words = text.split(' ').map(|word| match word.char_indices().nth(CUT_WORD) {
        Some((at, _)) if word.chars().nth(LONG_WORD).is_some() => format!("{}…", word.get(..at).unwrap_or_default()),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_a_terminal_obeys() {
        assert_eq!(line("a\u{1b}[31mb\u{9b}c\u{202e}d\ne\tf"), r"a\u{1b}[31mb\u{9b}c\u{202e}d\ne\tf");
        assert_eq!(lines("a\u{7}\nb"), "a\\u{7}\nb");
        assert_eq!(line("`世界` é"), "`世界` é");
    }

    #[test]
    fn long_words_are_cut_and_sentences_are_not() {
        let sentence = "word ".repeat(200);
        assert_eq!(line(&sentence), sentence);
        let shown = line(&format!("the path `{}` is long", "é".repeat(5000)));
        assert_eq!(shown.chars().count(), "the path ".len() + CUT_WORD + 1 + " is long".len());
        assert!(shown.ends_with("é… is long"));
    }
}
