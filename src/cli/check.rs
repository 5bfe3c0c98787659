//! `check`: the rules on manifests.

use std::borrow::Cow;

use super::args::CheckArgs;
use super::configuration::Configuration;
use super::error::Failure;
use super::progress::Progress;
use super::{baseline, explain, fix, input, output};
use crate::query;
use crate::report;
use crate::rule::{self, Note, Selection, Settling};
use crate::text::Files;

/// Runs the rules. `Ok(false)`: there are findings at or above the threshold.
pub(super) fn check(args: &CheckArgs) -> Result<bool, Failure> {
    fix::judge(args)?;
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
    let judge = |loaded| {
        let (world, report) = query::judge(&inputs.files, loaded, &inputs.config, &inputs.rules);
        super::leave(world);
        report
    };
    let reports = worlds.into_iter().map(|(name, loaded)| (name, judge(loaded))).collect();
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
    let mut files = Cow::Borrowed(&inputs.files);
    if args.mending.fix {
        progress.at("mending");
        let (shown, rest) = fix::mend(args, &inputs, report, &settling)?;
        (files, report) = (Cow::Owned(shown), rest);
    }
    report.notes.extend(inputs.remarks.iter().map(|message| Note { message: message.clone(), span: None }));
    drop(progress);
    if args.write_baseline {
        return baseline::write(args, &files, &report);
    }
    output::findings(&files, &report, &inputs.rules, args)?;
    if !args.input.quiet {
        output::note(&report::summary(&files, &report, output::note_width()));
    }
    let threshold = args.fail_on.threshold();
    let passed =
        !threshold.is_some_and(|threshold| report.findings.iter().any(|finding| finding.severity >= threshold));
    drop(files);
    super::leave((inputs, report));
    Ok(passed)
}
