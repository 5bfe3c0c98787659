//! Flags of `diff`.

use clap::{Args as ClapArgs, ValueEnum};

use super::InputArgs;

/// Flags of `diff`.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Changes", mut_arg("paths", |paths| paths
    .value_names(["OLD", "NEW"])
    .num_args(2)
    .help("Two sides: each a file, a directory, `-`, or `git:REV:DIR` for a directory as a revision has it")))]
pub(crate) struct DiffArgs {
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Form of the changes
    #[arg(long, value_enum, default_value_t = DiffFormat::Text)]
    pub(crate) format: DiffFormat,
    /// Which changes make the run fail
    #[arg(long, value_enum, value_name = "CHANGES", default_value_t = DiffFailOn::Never)]
    pub(crate) fail_on: DiffFailOn,
}

/// Form of the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For people
    Text,
    /// JSON, version 1
    Json,
    /// For a pull request
    Markdown,
}

/// Which changes make the run fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFailOn {
    /// None
    Never,
    /// Requests that get in now or may, and did not before
    NewAccess,
    /// Any
    Any,
}
