//! A recording of a real RE2 in Latin-1 mode, and of Go's `regexp`, replayed (`tests/recorders/re2`).

use serde_json::Value;

use super::super::re2::{self, RegexError};
use super::super::{Language, Pattern};

/// Recorded expressions with what RE2 and istiod make of them.
const RECORDED: &str = include_str!("../../../fixtures/space/re2.jsonl");

/// The rows of the recording.
fn rows() -> impl Iterator<Item = (String, Value)> {
    RECORDED.lines().map(|line| {
        let row: Value = serde_json::from_str(line).expect("recorded as JSON");
        (row["regex"].as_str().expect("every row has an expression").to_owned(), row)
    })
}

/// Values are recorded with one character for each byte.
fn bytes(value: &Value) -> Vec<u8> {
    value.as_str().unwrap().chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

#[test]
fn every_recorded_expression_is_accepted_or_refused_alike() {
    let (mut accepted, mut refused, mut unloadable) = (0, 0, 0);
    for (source, row) in rows() {
        let size = row["size"].as_u64();
        let istiod = row["istiod"].as_bool().unwrap_or(size.is_some());
        let ours = re2::program_size(&source);
        match (istiod, size) {
            (false, _) => {
                refused += 1;
                assert!(matches!(ours, Err(RegexError::Syntax { .. })), "istiod refuses `{source}`: {ours:?}");
            }
            (true, None) => {
                unloadable += 1;
                assert!(matches!(ours, Err(RegexError::Unloadable { .. })), "RE2 refuses `{source}`: {ours:?}");
            }
            (true, Some(size)) => {
                accepted += 1;
                assert_eq!(ours, Ok(usize::try_from(size).ok()), "the size of `{source}`");
            }
        }
    }
    assert!(accepted > 5_000 && refused > 1_000 && unloadable > 30, "{accepted}, {refused}, {unloadable}");
}

#[test]
fn every_recorded_value_is_matched_alike() {
    let mut compared = 0;
    for (source, row) in rows() {
        if row["yes"].is_null() {
            continue;
        }
        let Ok(pattern) = Pattern::regex(&source) else { continue };
        let Pattern::Language(language) = &pattern else { unreachable!("an expression is a language") };
        let check = |language: &Language, side: &str, expected: bool| {
            let values = row[side].as_array().map_or(&[][..], Vec::as_slice);
            for value in values.iter().map(bytes) {
                assert_eq!(language.matches(&value), expected, "`{source}` on {:?}", value.escape_ascii().to_string());
            }
            values.len()
        };
        compared += check(language, "yes", true) + check(language, "no", false);
    }
    assert!(compared > 45_000, "{compared}");
}
