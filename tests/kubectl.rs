//! Files as kubectl reads them, recorded by `tests/recorders/kubectl`: the same documents, with the same values, up to
//! the first that cannot be read, and a problem there.
//!
//! kubectl gives a file up where it cannot be read; meshlint reads on, so what is behind that place is not compared.

#![expect(clippy::disallowed_methods, reason = "tests read their input")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use meshlint::text::{FileId, decode};
use meshlint::yaml::{self, ProblemKind};

/// A file, and what kubectl reads from it.
#[derive(Deserialize)]
struct Row {
    /// The group it belongs to; mutants have none
    #[serde(default)]
    name: String,
    /// Its contents, where they are text
    text: Option<String>,
    /// Its contents, where they are not
    base64: Option<String>,
    /// Its contents, where they are long
    #[serde(default)]
    runs: Vec<Run>,
    /// The documents, empty ones left out
    values: Vec<Value>,
    /// How many there are, where they are not kept
    count: Option<usize>,
    /// Why the file is given up behind them
    #[serde(default)]
    error: String,
}

/// A text that is repeated.
#[derive(Deserialize)]
struct Run {
    /// The text
    text: String,
    /// How often
    times: usize,
}

impl Row {
    /// The contents of the file.
    fn bytes(&self) -> Vec<u8> {
        match (&self.text, &self.base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(base64)) => from_base64(base64),
            (None, None) => self.runs.iter().flat_map(|run| run.text.repeat(run.times).into_bytes()).collect(),
        }
    }
}

/// The bytes behind base64.
fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for digit in text.bytes().filter_map(|byte| ALPHABET.iter().position(|known| *known == byte)) {
        bits = (bits << 6) | u32::try_from(digit).expect("six bits");
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xFF).expect("eight bits"));
        }
    }
    bytes
}

/// Whether two values are the same; numbers by their size.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

/// What differs between kubectl's reading and meshlint's.
fn difference(row: &Row) -> Option<String> {
    let text = match decode(row.bytes()) {
        Ok(text) => text,
        Err(undecodable) if undecodable.readable => undecodable.text,
        Err(undecodable) => {
            let refused = !row.error.is_empty() && row.values.is_empty();
            return (!refused).then(|| format!("no text: {}", undecodable.what));
        }
    };
    let stream = yaml::read(FileId(0), &text);
    let broken =
        stream.problems.iter().filter(|problem| matches!(problem.kind, ProblemKind::Syntax | ProblemKind::Template));
    let first = broken.map(|problem| (problem.span.start, problem.message.clone())).min();
    if let Some((_, message)) = first.as_ref().filter(|_| row.error.is_empty()) {
        return Some(format!("kubectl reads it, meshlint does not: {message}"));
    }
    if first.is_none() && !row.error.is_empty() {
        return Some(format!("kubectl does not read it: {}", row.error));
    }
    let before = first.map_or(u32::MAX, |(at, _)| at);
    let documents = stream.documents.iter().filter(|document| document.root().span().start < before);
    let values: Vec<Value> =
        documents.map(|document| yaml::from_node(document.root()).value.expect("any value fits")).collect();
    if let Some(count) = row.count {
        return (values.len() != count).then(|| format!("{count} documents, not {}", values.len()));
    }
    let agree = values.len() == row.values.len() && values.iter().zip(&row.values).all(|(a, b)| same(a, b));
    (!agree).then(|| format!("kubectl: {}\nmeshlint: {}", Value::from(row.values.clone()), Value::from(values)))
}

/// Rows that are read otherwise, with the reason why they stay so.
fn disputed() -> BTreeMap<String, String> {
    /// A file and the reason.
    #[derive(Deserialize)]
    struct Disputed {
        /// Its contents
        text: String,
        /// Why it is read otherwise
        reason: String,
    }
    let lines = include_str!("../fixtures/reading/disputed.jsonl").lines();
    let rows = lines.map(|line| serde_json::from_str::<Disputed>(line).expect("a row"));
    rows.map(|row| (row.text, row.reason)).collect()
}

#[test]
fn files_are_read_as_kubectl_reads_them() {
    let recording = std::env::var_os("KUBECTL_READINGS")
        .unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reading/kubectl.jsonl").into());
    let recording = std::fs::read_to_string(recording).expect("the recording");
    let mut disputed = disputed();
    let (mut found, mut rows) = (Vec::new(), 0);
    for line in recording.lines() {
        let row: Row = serde_json::from_str(line).expect("a row");
        rows += 1;
        let known = row.text.as_ref().and_then(|text| disputed.remove(text));
        match (difference(&row), known) {
            (Some(_), Some(reason)) => assert!(!reason.is_empty()),
            (None, None) => {}
            (None, Some(_)) => found.push(format!("{:?} is no longer disputed", row.text)),
            (Some(difference), None) => {
                let start: String = String::from_utf8_lossy(&row.bytes()).chars().take(1500).collect();
                found.push(format!("== {}\n{start:?}\n{start}\n{difference}\n", row.name));
            }
        }
    }
    assert!(rows > 1000, "{rows} rows");
    assert!(found.is_empty(), "{}\n{} of {rows} rows", found.join("\n"), found.len());
}
