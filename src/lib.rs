//! meshlint proves, from Istio manifests alone, who can reach what in a mesh.
//!
//! # Code map
//!
//! Imports point only downward in this list; `tests/architecture.rs` enforces it.
//!
//! | layer | holds |
//! | --- | --- |
//! | [`cli`] | the process edge: flags, file discovery, streams |
//! | [`report`] | findings, answers and rows to text and JSON; the only user of miette |
//! | [`author`] | writes YAML: policies that implement the access table, and the table itself |
//! | [`query`] | one request from its entrypoint to its end: `eval` and `trace` |
//! | [`rule`] | rule files, the mission's statements, the access table, findings grouped by cause |
//! | [`check`] | the traps of the catalog: one module for each kind, asking the semantics and the matrix |
//! | [`matrix`] | doors, what gets in, what gateways deliver |
//! | [`semantics`] | what Istio does: one function for each of its concepts, in two readings |
//! | [`model`] | resources as written, with their places |
//! | [`config`] | `meshlint.yaml` and mesh settings as typed values |
//! | [`yaml`] | YAML as kubectl reads it |
//! | [`text`] | files, spans, lines |
//! | [`space`] | the request-space algebra: patterns, decision lists, partition, witnesses |
//!
//! # Invariants
//!
//! - Only `cli` touches files, streams or the environment; everything below is a function of its arguments.
//! - Nothing in a manifest is an error of the program: loading returns what it could read, and problems.
//! - `space` knows no Istio, `yaml` no Istio, `model` does not judge.
//! - Each symbolic answer has a concrete twin that shares no matching with it; they are compared wherever both are asked.
//! - Output is sorted and does not depend on the machine, the clock or the order of hash maps.

pub mod author;
pub mod check;
pub mod cli;
pub mod config;
pub mod matrix;
pub mod model;
pub mod query;
pub mod report;
pub mod rule;
pub mod semantics;
pub mod space;
pub mod text;
pub mod yaml;
