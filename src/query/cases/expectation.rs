//! What is expected of an answer.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::semantics::{Answer, By, Decision};

/// What is expected of an answer: a decision, and whatever else is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expectation {
    /// Whether a workload gets the request
    pub decision: Option<Expected>,
    /// How it ends
    pub by: Option<String>,
    /// Which workload, `NS/NAME`
    pub workload: Option<String>,
    /// The path that the workload sees
    pub path: Option<String>,
    /// The policy that decides, `NS/NAME`; `none` where no ALLOW matches
    pub policy: Option<String>,
}

/// An expected decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected(pub Decision);

/// The decisions in words.
const DECISIONS: [(&str, Decision); 3] =
    [("allowed", Decision::Allowed), ("denied", Decision::Denied), ("undetermined", Decision::Undetermined)];

/// What an expectation may say.
const KEYS: [&str; 5] = ["decision", "by", "workload", "path", "policy"];

/// The ways in which a request ends.
const ENDINGS: [By; 11] = [
    By::Reached,
    By::Policy,
    By::NoRoute,
    By::Redirect,
    By::DirectResponse,
    By::Fault,
    By::NoDestination,
    By::BadRequest,
    By::Jwt,
    By::Closed,
    By::NoListener,
];

/// The word of an ending, as in the contract of `eval`.
fn word_of(by: By) -> String {
    serde_json::to_value(by).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The nearest of some words.
pub(super) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    known
        .map(|one| (strsim::jaro_winkler(one, word), one))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, one)| one)
}

/// That a word is none of some.
fn unknown<'w, E: Error>(what: &str, word: &str, known: impl Iterator<Item = &'w str>) -> E {
    let near = nearest(word, known).map_or_else(String::new, |near| format!("; the nearest is `{near}`"));
    E::custom(format!("has no {what} `{word}`{near}"))
}

/// The decision of a word.
fn decision<E: Error>(word: &str) -> Result<Expected, E> {
    let known = DECISIONS.iter().find(|(known, _)| *known == word);
    known
        .map(|(_, decision)| Expected(*decision))
        .ok_or_else(|| unknown("decision", word, DECISIONS.iter().map(|one| one.0)))
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectationVisitor)
    }
}

/// Reads `allowed`, or a mapping that says more.
struct ExpectationVisitor;

impl<'de> Visitor<'de> for ExpectationVisitor {
    type Value = Expectation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`allowed`, `denied`, `undetermined` or a mapping with a `decision`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
        Ok(Expectation { decision: Some(decision(word)?), ..Expectation::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut expected = Expectation::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "decision" => expected.decision = Some(decision(&map.next_value::<String>()?)?),
                "by" => {
                    let word: String = map.next_value()?;
                    let known: Vec<String> = ENDINGS.iter().map(|by| word_of(*by)).collect();
                    if !known.contains(&word) {
                        return Err(unknown("ending", &word, known.iter().map(String::as_str)));
                    }
                    expected.by = Some(word);
                }
                "workload" => expected.workload = map.next_value()?,
                "path" => expected.path = map.next_value()?,
                "policy" => expected.policy = map.next_value()?,
                other => return Err(unknown("key", other, KEYS.into_iter())),
            }
        }
        Ok(expected)
    }
}

impl Expectation {
    /// What of an answer is not as expected; nothing if all is.
    pub fn mismatches(&self, answer: &Answer) -> Vec<String> {
        let outcome = &answer.outcome;
        let mut found = Vec::new();
        if let Some(Expected(wanted)) = self.decision.filter(|wanted| wanted.0 != outcome.decision) {
            let word =
                |decision: Decision| DECISIONS.iter().find(|known| known.1 == decision).map_or("", |known| known.0);
            found.push(format!("expected {}, and it is {}", word(wanted), word(outcome.decision)));
        }
        let policy = match (&outcome.policy, outcome.by) {
            (Some(rule), _) => Some(rule.policy.path()),
            (None, Some(By::Policy)) => Some("none".to_owned()),
            (None, _) => None,
        };
        let fields = [
            ("by", &self.by, outcome.by.map(word_of)),
            ("workload", &self.workload, outcome.workload.clone()),
            ("path", &self.path, outcome.path.clone()),
            ("policy", &self.policy, policy),
        ];
        for (name, wanted, is) in fields {
            let Some(wanted) = wanted.as_ref().filter(|wanted| Some(*wanted) != is.as_ref()) else { continue };
            let is = is.map_or_else(|| "there is none".to_owned(), |is| format!("it is `{is}`"));
            found.push(format!("expected the {name} `{wanted}`, and {is}"));
        }
        found
    }
}
