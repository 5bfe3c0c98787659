//! The few words that generated worlds and requests are made of, so that they meet.

use proptest::prelude::*;

/// One of a few texts.
pub(crate) fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

/// A list of a few texts, as YAML.
pub(crate) fn list(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(one_of(texts), 1..3)
        .prop_map(|texts| format!("[{}]", texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ")))
}

/// An object.
pub(crate) fn object(kind: &str, version: &str, namespace: &str, name: &str, more: &str, body: &str) -> String {
    format!(
        "---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}{more}}}\n{body}\n"
    )
}
