//! Which manifests are read, and how the program runs.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// Which manifests, and what they do not say.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    /// Files, directories (walked for *.yaml, *.yml, *.json), or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Manifests that are in force but belong to someone else: evaluated, never blamed
    #[arg(long, value_name = "PATH")]
    pub(crate) context: Vec<PathBuf>,
    /// Only files that match, as `/`-separated globs
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// No files that match
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Configuration file; else `meshlint.yaml` beside the first path or above it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Only this of the worlds of the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) world: Option<String>,
    /// Namespace of objects that name none
    #[arg(long, short = 'n')]
    pub(crate) namespace: Option<String>,
    /// Accept input without any mesh resource
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// Threads to work with; as many as there are processors if absent
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Running")]
    pub(crate) color: Color,
    /// No summary on standard error
    #[arg(long, short, help_heading = "Running")]
    pub(crate) quiet: bool,
    /// Witnesses also as `eval` requests and hop by hop
    #[arg(long, short, help_heading = "Running")]
    pub(crate) verbose: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
