//! `check`: the rules on manifests.

use super::args::{CheckArgs, FailOn, Format};
use super::error::Failure;
use super::{explain, input, output};
use crate::model::Problem;
use crate::query;
use crate::report;
use crate::rule::{self, Note, Severity};
use crate::semantics::{World, WorldOptions};

/// Runs the rules. `Ok(false)`: there are findings at or above the threshold.
pub(super) fn check(args: &CheckArgs) -> Result<bool, Failure> {
    explain::known(&args.select)?;
    explain::known(&args.ignore)?;
    let input = input::read(&args.input)?;
    let (world, refused) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    let problems: Vec<Problem> = input.loaded.problems.into_iter().chain(refused).collect();
    let mut report = rule::check(&input.files, &world, &problems, input.loaded.counts, &input.config);
    query::confirm(&world, &mut report);
    report.findings.retain(|finding| {
        let selected = args.select.is_empty() || args.select.iter().any(|id| *id == finding.rule);
        selected && !args.ignore.iter().any(|id| *id == finding.rule)
    });
    report.notes.extend(input.remarks.into_iter().map(|message| Note { message, span: None }));
    let text = match args.format {
        Format::Text => report::text(&input.files, &report, output::look(&args.input)),
        Format::Concise => report::concise(&input.files, &report),
        Format::Json => report::findings_json(&input.files, &report),
    };
    output::say(&text)?;
    if !args.input.quiet {
        output::note(&report::summary(&input.files, &report, output::note_width()));
    }
    let threshold = match args.fail_on {
        FailOn::Error => Some(Severity::Error),
        FailOn::Warning => Some(Severity::Warning),
        FailOn::Info => Some(Severity::Info),
        FailOn::Never => None,
    };
    Ok(!threshold.is_some_and(|threshold| report.findings.iter().any(|finding| finding.severity >= threshold)))
}
