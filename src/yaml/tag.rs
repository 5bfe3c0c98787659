//! What scalars are, by their tags and their texts: as go-yaml resolves them (`resolve.go`, v2).

use granit_parser::Tag;

use super::node::Value;
use super::scalar::{Scalar, resolve};

/// What a scalar is; nothing where it is the text itself, an error where it is not what its tag says.
pub(super) fn value(tag: Option<&Tag>, plain: bool, text: &str) -> Result<Option<Value>, String> {
    let found = resolve(text);
    let Some(tag) = tag else {
        return if plain { untagged(&found) } else { Ok(None) };
    };
    let wrong = || Err(format!("`{text}` is no `!!{}`", name(tag).unwrap_or_default()));
    match (name(tag), found) {
        (Some("int"), Scalar::Int(_))
        | (Some("bool"), Scalar::Bool(_))
        | (Some("null"), Scalar::Null)
        | (Some("float"), Scalar::Float(_) | Scalar::NoJson(_)) => untagged(&resolve(text)),
        (Some("int"), Scalar::Float(number)) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Some(Value::Float(number)))
        }
        (Some("float"), Scalar::Int(number)) => Ok(Some(Value::Int(number))),
        (Some("int" | "bool" | "null" | "float"), _) => wrong(),
        (Some("timestamp"), _) if !begins_with_year(text) => wrong(),
        _ => Ok(None),
    }
}

/// What a plain scalar without a tag is.
fn untagged(found: &Scalar) -> Result<Option<Value>, String> {
    Ok(Some(match *found {
        Scalar::Null => Value::Null,
        Scalar::Bool(truth) => Value::Bool(truth),
        Scalar::Int(number) => Value::Int(number),
        Scalar::Float(number) | Scalar::NoJson(number) => Value::Float(number),
        Scalar::String => return Ok(None),
    }))
}

/// Whether a text begins with four digits and a dash, as dates do.
fn begins_with_year(text: &str) -> bool {
    text.split_once('-').is_some_and(|(year, _)| year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a key is `<<` and means it.
pub(super) fn is_merge_key(tag: Option<&Tag>, plain: bool, text: &str) -> bool {
    text == "<<" && tag.map_or(plain, |tag| name(tag) == Some("merge") || written(tag) == "!")
}

/// A tag in full.
fn written(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

/// The name of a tag of YAML's own, behind its `!!`.
fn name(tag: &Tag) -> Option<&'static str> {
    let written = written(tag);
    let name = written.strip_prefix("tag:yaml.org,2002:")?;
    ["int", "float", "bool", "null", "timestamp", "merge"].into_iter().find(|known| *known == name)
}
