//! `schema`: the JSON Schemas of what the owner writes.

use super::args::SchemaOf;
use super::error::Failure;
use super::output;
use crate::rule::{config_schema, rule_schema};

/// Prints a schema.
pub(super) fn print(of: SchemaOf) -> Result<bool, Failure> {
    let schema = match of {
        SchemaOf::Config => config_schema(),
        SchemaOf::Rule => rule_schema(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| Failure::Usage(error.to_string()))?;
    output::say(&(text + "\n")).map(|()| true)
}
