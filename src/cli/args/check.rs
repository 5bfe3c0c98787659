//! Flags of `check`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::InputArgs;
use super::output::{Output, OutputParser};
use crate::config::Date;
use crate::rule::Severity;

/// Flags of `check`.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Findings")]
pub(crate) struct CheckArgs {
    /// Form of the findings; FORMAT=FILE writes it to a file, and there may be several, one of them without
    #[arg(long, value_parser = OutputParser, value_name = "FORMAT[=FILE]", default_value = "text")]
    pub(crate) format: Vec<Output>,
    /// From which severity on findings make the run fail
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
    pub(crate) fail_on: FailOn,
    /// Only these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) select: Vec<String>,
    /// Not these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
    /// Also the rules that are pedantic
    #[arg(long)]
    pub(crate) pedantic: bool,
    /// Findings that are known: only what is new, or has grown, is shown
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the findings of this run to the file of `--baseline`
    #[arg(long, requires = "baseline")]
    pub(crate) write_baseline: bool,
    /// The day that suppressions expire by, such as 2026-12-31; without it none expires
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<Date>,
    /// What is mended
    #[command(flatten)]
    pub(crate) mending: MendingArgs,
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
}

/// What is mended.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct MendingArgs {
    /// Mend what can be mended by itself, and show it as a diff instead of the findings
    #[arg(long, conflicts_with = "write_baseline")]
    pub(crate) fix: bool,
    /// Make the edits of `--fix`, and show the findings that stay
    #[arg(long, requires = "fix")]
    pub(crate) write: bool,
}

impl MendingArgs {
    /// Whether a diff stands on standard output, where findings would.
    pub(crate) fn is_shown(self) -> bool {
        self.fix && !self.write
    }
}

/// Threshold of failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Errors
    Error,
    /// Warnings and errors
    Warning,
    /// Any finding
    Info,
    /// Nothing
    Never,
}

impl FailOn {
    /// The severity from which on findings make the run fail.
    pub(crate) fn threshold(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Info => Some(Severity::Info),
            Self::Never => None,
        }
    }
}
