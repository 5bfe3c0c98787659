//! `--format`: in which form findings are written, and where to.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error, ValueEnum};

/// Form of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Drawn, with the lines they are about
    Text,
    /// One line each
    Concise,
    /// JSON, version 1
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations on a pull request of GitHub
    Github,
    /// Code quality report of GitLab
    Gitlab,
    /// Test cases
    Junit,
    /// A comment on a pull request
    Markdown,
}

/// One output of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// In which form
    pub(crate) format: Format,
    /// Where to; standard output if absent
    pub(crate) file: Option<PathBuf>,
}

/// Reads `FORMAT` and `FORMAT=FILE`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutputParser;

impl TypedValueParser for OutputParser {
    type Value = Output;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<Output, Error> {
        let text = value.to_str().ok_or_else(|| Error::new(ErrorKind::InvalidUtf8).with_cmd(command))?;
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let is_named = file.as_ref().is_none_or(|file| !file.as_os_str().is_empty());
        if let (Ok(format), true) = (Format::from_str(name, false), is_named) {
            return Ok(Output { format, file });
        }
        let known = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let known = known.map(|value| value.get_name().to_owned()).collect();
        let named = argument.map_or_else(|| "--format".to_owned(), ToString::to_string);
        let mut error = Error::new(ErrorKind::InvalidValue).with_cmd(command);
        error.insert(ContextKind::InvalidArg, ContextValue::String(named));
        error.insert(ContextKind::InvalidValue, ContextValue::String(text.to_owned()));
        error.insert(ContextKind::ValidValue, ContextValue::Strings(known));
        Err(error)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Format::value_variants().iter().filter_map(ValueEnum::to_possible_value)))
    }
}
