//! The file of `--baseline`.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files")]

use std::fs;

use super::args::CheckArgs;
use super::configuration::{complain, read_own};
use super::error::Failure;
use super::output;
use crate::rule::{Baseline, Report};
use crate::text::Files;

/// Reads the baseline that a run is held against; none where it is written anew.
pub(super) fn read(args: &CheckArgs, files: &mut Files) -> Result<Option<Baseline>, Failure> {
    let Some(path) = args.baseline.as_deref().filter(|_| !args.write_baseline) else {
        return Ok(None);
    };
    let (file, text) = read_own(path, files)?;
    Baseline::read(file, &text).map(Some).map_err(|problems| complain(files, &problems))
}

/// Writes the findings of a run. `Ok(true)`: all of them are known now.
pub(super) fn write(args: &CheckArgs, files: &Files, report: &Report) -> Result<bool, Failure> {
    let Some(path) = args.baseline.as_deref() else { return Ok(true) };
    let baseline = Baseline::of(files, &report.findings);
    let text = baseline.to_yaml().map_err(|error| Failure::Usage(error.to_string()))?;
    fs::write(path, text).map_err(|source| Failure::Unwritable { path: path.to_owned(), source })?;
    if !args.input.quiet {
        let plural = if baseline.len() == 1 { "" } else { "s" };
        output::note(&format!("{} holds {} finding{plural}\n", path.display(), baseline.len()));
    }
    Ok(true)
}
