//! Flags of `test`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::InputArgs;

/// Flags of `test`.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Cases")]
pub(crate) struct TestArgs {
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Requests with the answers that are expected of them, as YAML; several files may be given
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) cases: Vec<PathBuf>,
    /// Form of what came of them
    #[arg(long, value_enum, default_value_t = TestFormat::Text)]
    pub(crate) format: TestFormat,
}

/// Form of what came of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// For people: the cases that fail, hop by hop
    Text,
    /// JSON, version 1
    Json,
    /// `JUnit`, for CI systems
    Junit,
}
