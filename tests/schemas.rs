//! The JSON Schemas are those of the types, and every example keeps to them.
//!
//! `UPDATE_EXPECT=1` rewrites the stored ones.

#![expect(clippy::disallowed_methods, reason = "tests read and write the schemas")]

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use meshlint::config;
use meshlint::rule::{RuleSet, config_schema, rule_schema};
use meshlint::text::FileId;
use serde_json::Value;

/// The directory of the project.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The schemas, each with the name of its file.
fn schemas() -> [(&'static str, Value); 2] {
    let value = |schema| serde_json::to_value(schema).expect("a schema is JSON");
    [("meshlint.schema.json", value(config_schema())), ("rule.schema.json", value(rule_schema()))]
}

/// What judges configurations, or rules.
fn validator(rules: bool) -> Validator {
    let [config, rule] = schemas();
    jsonschema::validator_for(if rules { &rule.1 } else { &config.1 }).expect("a schema of the draft")
}

/// The documents of a text.
fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(|document| serde::Deserialize::deserialize(document).expect("YAML")).collect()
}

/// Files below a directory whose name is wanted.
fn files(directory: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path, wanted));
        } else if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// YAML blocks of the README that begin so.
fn shown(beginning: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).expect("readable");
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next());
    blocks.filter(|block| block.starts_with(beginning)).map(str::to_owned).collect()
}

#[test]
fn the_stored_schemas_are_those_of_the_types() {
    for (name, schema) in schemas() {
        let path = root().join(".schemas").join(name);
        let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::create_dir_all(path.parent().expect("a directory")).expect("writable");
            fs::write(&path, &text).expect("writable");
        }
        assert_eq!(fs::read_to_string(&path).expect("readable"), text, "{name}");
    }
}

#[test]
fn every_example_of_a_configuration_keeps_to_the_schema_and_reads() {
    let mut examples = shown("world:");
    assert_eq!(examples.len(), 1, "the README shows one");
    let written = files(&root().join("fixtures"), &|path| path.ends_with("meshlint.yaml"));
    assert!(!written.is_empty(), "the fixtures have some");
    examples.extend(written.iter().map(|path| fs::read_to_string(path).expect("readable")));
    let validator = validator(false);
    for text in examples {
        for document in documents(&text) {
            let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{text}\n{errors:?}");
        }
        assert!(config::read(FileId(0), &text).is_ok(), "{text}");
    }
}

#[test]
fn every_example_of_a_rule_keeps_to_the_schema_and_reads() {
    let validator = validator(true);
    let own =
        files(&root().join("fixtures"), &|path| path.parent().is_some_and(|parent| parent.ends_with("own-rules")));
    let own: Vec<String> =
        own.iter().map(|path| fs::read_to_string(path).expect("readable")).chain(shown("id:")).collect();
    assert!(own.len() > 1, "the README and the fixtures have some");
    for text in &own {
        assert!(RuleSet::read([(FileId(0), text.as_str())]).is_ok(), "{text}");
    }
    let built_in = files(&root().join("rules"), &|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let built_in = built_in.iter().map(|path| fs::read_to_string(path).expect("readable"));
    for text in own.into_iter().chain(built_in) {
        for document in documents(&text) {
            let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{text}\n{errors:?}");
        }
    }
}

#[test]
fn what_the_reader_takes_for_a_mistake_is_one_by_the_schema_too() {
    for (rules, text) in [
        (false, "ingres: [a/b]"),
        (false, "severity: {unknown-field: eror}"),
        (false, "suppressions: [{rule: unknown-field, file: a.yaml}]"),
        (false, "overrides: [{severity: {unknown-field: off}}]"),
        (false, "access: [{workloads: {namespace: a}, allow: [{namspace: b}]}]"),
        (true, "{id: a, title: a, forbid: {paht: /a}}"),
        (true, "{id: a, title: a, forbid: {path: []}}"),
        (true, "{id: a, title: a, forbid: {path: {prefx: /a}}}"),
        (true, "{id: a, title: a, forbid: {port: eighty}}"),
        (true, "{id: a, forbid: {path: /a}}"),
    ] {
        let document = documents(text).into_iter().next().expect("a document");
        assert!(!validator(rules).is_valid(&document), "{text}");
        let reads =
            if rules { RuleSet::read([(FileId(0), text)]).is_ok() } else { config::read(FileId(0), text).is_ok() };
        assert!(!reads, "{text}");
    }
}
