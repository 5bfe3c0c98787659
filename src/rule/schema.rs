//! The JSON Schemas of what the owner writes, generated from the types that read it.

use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};

use super::written::WrittenRule;
use crate::config::Config;

/// The schema of `meshlint.yaml`.
pub fn config_schema() -> Schema {
    of::<Config>("meshlint.yaml")
}

/// The schema of a rule in a rule file.
pub fn rule_schema() -> Schema {
    of::<WrittenRule>("a rule of meshlint")
}

/// The schema of a type. Where keys are named, others are mistakes.
fn of<T: JsonSchema>(title: &str) -> Schema {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let mut close = RecursiveTransform(|schema: &mut Schema| {
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
    });
    close.transform(&mut schema);
    schema.insert("title".to_owned(), title.into());
    schema
}
