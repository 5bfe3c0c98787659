//! `check`: the rules on manifests.

use super::args::CheckArgs;
use super::configuration::Configuration;
use super::error::Failure;
use super::input::Inputs;
use super::progress::Progress;
use super::{baseline, explain, input, output};
use crate::model::{Loaded, Problem};
use crate::query;
use crate::report;
use crate::rule::{self, Note, Report, Selection, Settling};
use crate::semantics::{World, WorldOptions};
use crate::text::Files;

/// Runs the rules. `Ok(false)`: there are findings at or above the threshold.
pub(super) fn check(args: &CheckArgs) -> Result<bool, Failure> {
    let mut files = Files::default();
    let mut configuration = Configuration::of(&args.input, &mut files)?;
    explain::known(&configuration.rules, &args.select)?;
    explain::known(&configuration.rules, &args.ignore)?;
    if let Some(path) = &args.baseline {
        configuration.keep_out(path);
    }
    let progress = Progress::begin(&args.input, "reading manifests");
    let mut inputs = input::read_worlds(&args.input, configuration, files)?;
    let known = baseline::read(args, &mut inputs.files)?;
    progress.at("judging");
    let worlds = std::mem::take(&mut inputs.worlds);
    let reports = worlds.into_iter().map(|(name, loaded)| (name, judge(&inputs, loaded))).collect();
    let mut report = rule::join(&inputs.files, reports);
    let settling = Settling {
        config: &inputs.config,
        rules: &inputs.rules,
        manifests: &inputs.manifests,
        relative: &inputs.relative,
        today: args.today,
        baseline: known.as_ref(),
        selection: Selection { select: &args.select, ignore: &args.ignore, pedantic: args.pedantic },
    };
    rule::settle(&inputs.files, &mut report, &settling);
    report.notes.extend(inputs.remarks.drain(..).map(|message| Note { message, span: None }));
    drop(progress);
    if args.write_baseline {
        return baseline::write(args, &inputs.files, &report);
    }
    output::findings(&inputs.files, &report, &inputs.rules, args)?;
    if !args.input.quiet {
        output::note(&report::summary(&inputs.files, &report, output::note_width()));
    }
    let threshold = args.fail_on.threshold();
    Ok(!threshold.is_some_and(|threshold| report.findings.iter().any(|finding| finding.severity >= threshold)))
}

/// What the rules find in one world.
fn judge(inputs: &Inputs, loaded: Loaded) -> Report {
    let Loaded { mesh, problems, counts } = loaded;
    let (world, refused) = World::admit(mesh, WorldOptions::from(&inputs.config));
    let problems: Vec<Problem> = problems.into_iter().chain(refused).collect();
    let mut report = rule::check_all(&inputs.files, &world, &problems, counts, &inputs.config, &inputs.rules);
    query::confirm(&world, &mut report);
    report
}
