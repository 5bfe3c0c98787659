//! Streams.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches streams and the environment")]

use std::io::{self, IsTerminal as _, Write as _};

use terminal_size::{Height, Width, terminal_size_of};

use super::args::{CheckArgs, Color, Format, InputArgs};
use super::error::Failure;
use crate::report::{self, Look};
use crate::rule::{Report, RuleSet};
use crate::text::Files;

/// Columns of what no terminal shows.
const PLAIN_WIDTH: usize = 120;

/// Columns of a terminal: a person's word before the terminal's.
fn columns(terminal: Option<(Width, Height)>) -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    said.or_else(|| terminal.map(|(width, _)| usize::from(width.0)))
}

/// Columns of a table on standard output: those of the terminal, and without one as many as it takes.
pub(crate) fn table_width() -> u16 {
    let stream = io::stdout();
    let shown = stream.is_terminal().then(|| columns(terminal_size_of(stream))).flatten();
    shown.and_then(|columns| u16::try_from(columns).ok()).unwrap_or(u16::MAX)
}

/// Columns of standard error, where a terminal shows it.
pub(crate) fn note_width() -> Option<usize> {
    let stream = io::stderr();
    stream.is_terminal().then(|| columns(terminal_size_of(stream))).flatten()
}

/// Writes to standard output. A reader that has gone away is no failure.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes the findings in every form that is asked for: first to files, then to standard output.
pub(crate) fn findings(files: &Files, report: &Report, rules: &RuleSet, args: &CheckArgs) -> Result<(), Failure> {
    let shown = args.format.iter().filter(|output| output.file.is_none()).count();
    if shown > 1 {
        return Err(Failure::Usage(
            "standard output takes one `--format`: write the others to files, as in `--format sarif=FILE`".to_owned(),
        ));
    }
    let directory = working_directory();
    let written = |format: Format, look: Look| match format {
        Format::Text => report::text(files, report, look),
        Format::Concise => report::concise(files, report),
        Format::Json => report::findings_json(files, report),
        Format::Sarif => report::sarif(files, report, rules, &directory),
        Format::Github => report::github(files, report, &directory),
        Format::Gitlab => report::gitlab(files, report, &directory),
        Format::Junit => report::junit(files, report, args.fail_on.threshold()),
        Format::Markdown => report::markdown(files, report),
    };
    let in_file = Look { colour: args.input.color == Color::Always, verbose: args.input.verbose, width: PLAIN_WIDTH };
    for output in &args.format {
        if let Some(path) = &output.file {
            let text = written(output.format, in_file);
            std::fs::write(path, text).map_err(|source| Failure::Unwritable { path: path.clone(), source })?;
        }
    }
    // The diff of edits that are not made stands there instead.
    match args.format.iter().find(|output| output.file.is_none() && !args.mending.is_shown()) {
        Some(output) => say(&written(output.format, look(&args.input))),
        None => Ok(()),
    }
}

/// The directory in which the program runs, `/`-separated; empty where it cannot be told.
fn working_directory() -> String {
    let directory = std::env::current_dir().unwrap_or_default();
    directory.to_string_lossy().replace('\\', "/")
}

/// Writes to standard error.
pub(crate) fn note(text: &str) {
    // Nobody can be told that standard error is gone.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Says why the job could not be done.
pub(crate) fn complain(text: &str) {
    note(&format!("meshlint: {text}\n"));
}

/// How findings are drawn on standard output.
pub(crate) fn look(args: &InputArgs) -> Look {
    let terminal = io::stdout().is_terminal();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !plain,
    };
    let width = if terminal { columns(terminal_size_of(io::stdout())).unwrap_or(PLAIN_WIDTH) } else { PLAIN_WIDTH };
    Look { colour, verbose: args.verbose, width }
}
