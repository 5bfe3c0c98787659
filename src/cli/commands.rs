//! What each command does.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files")]

use std::io::Read as _;

use super::args::{Args, CheckArgs, Command, EvalArgs, FailOn, Format, MatrixArgs, TraceArgs};
use super::error::Failure;
use super::{input, output};
use crate::matrix;
use crate::model::Problem;
use crate::query::{self, EvalError, Evaluator};
use crate::report;
use crate::rule::{self, Note, Severity};
use crate::semantics::{Request, World, WorldOptions};

/// Runs a command. `Ok(false)`: there are findings.
pub(crate) fn run(args: &Args) -> Result<bool, Failure> {
    if let Some(threads) = args.command.threads() {
        // There is no other pool yet, so this cannot fail; if it did, the answers would be the same.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global();
    }
    match &args.command {
        Command::Check(args) => check(args),
        Command::Eval(args) => eval(args),
        Command::Trace(args) => trace(args),
        Command::Matrix(args) => matrix_table(args),
        Command::Explain { rule } => explain(rule),
        Command::Rules => output::say(&report::list_rules()).map(|()| true),
    }
}

/// Fails on ids that no rule has.
fn known_rules(ids: &[String]) -> Result<(), Failure> {
    ids.iter().try_for_each(|id| match rule::rule(id) {
        Ok(_) => Ok(()),
        Err(nearest) => Err(Failure::Usage(format!("no rule is called `{id}`; the nearest is `{nearest}`"))),
    })
}

/// `check`
fn check(args: &CheckArgs) -> Result<bool, Failure> {
    known_rules(&args.select)?;
    known_rules(&args.ignore)?;
    let input = input::read(&args.input)?;
    let (world, refused) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    let problems: Vec<Problem> = input.loaded.problems.into_iter().chain(refused).collect();
    let mut report = rule::check(&input.files, &world, &problems, input.loaded.counts, &input.config);
    query::confirm(&world, &mut report);
    report.findings.retain(|finding| {
        let selected = args.select.is_empty() || args.select.iter().any(|id| id == finding.rule);
        selected && !args.ignore.iter().any(|id| id == finding.rule)
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

/// `eval`
fn eval(args: &EvalArgs) -> Result<bool, Failure> {
    let input = input::read(&args.input)?;
    let requests = if let Some(path) = &args.requests {
        std::fs::read_to_string(path).map_err(|source| Failure::Unreadable { path: path.clone(), source })?
    } else {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.map_err(|source| Failure::Unreadable { path: "-".into(), source })?;
        text
    };
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    let evaluator = Evaluator::new(&world);
    let mut failed = 0;
    let mut lines = String::new();
    for line in requests.lines().filter(|line| !line.trim().is_empty()) {
        let answered = serde_json::from_str::<Request>(line).map_err(|error| {
            let id = serde_json::from_str::<serde_json::Value>(line).ok();
            let id = id.and_then(|value| value.get("id")?.as_str().map(str::to_owned));
            (id, format!("this line is no request: {error}"))
        });
        let answered = answered.and_then(|request| match evaluator.answer(&request) {
            Ok(answer) => Ok(report::answer_line(&input.files, &request, &answer)),
            Err(EvalError::Unanswerable(why)) => Err((request.id, why)),
            Err(EvalError::Disagreement(what)) => {
                Err((request.id, format!("internal error, please report it: the two readings disagree {what}")))
            }
        });
        lines.push_str(&answered.unwrap_or_else(|(id, error)| {
            failed += 1;
            report::error_line(id.as_deref(), &error)
        }));
    }
    output::say(&lines)?;
    if failed > 0 {
        return Err(Failure::Usage(format!("{failed} lines are no requests that can be answered")));
    }
    Ok(true)
}

/// `trace`
fn trace(args: &TraceArgs) -> Result<bool, Failure> {
    let input = input::read(&args.input)?;
    let request = match &args.request {
        Some(text) => {
            serde_json::from_str(text).map_err(|error| Failure::Usage(format!("`--request` is no request: {error}")))?
        }
        None => request_of(args)?,
    };
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    match Evaluator::new(&world).answer(&request) {
        Ok(answer) => output::say(&report::trace(&input.files, &request, &answer)).map(|()| true),
        Err(EvalError::Unanswerable(why)) => Err(Failure::Usage(why)),
        Err(EvalError::Disagreement(what)) => {
            Err(Failure::Usage(format!("internal error, please report it: the two readings disagree {what}")))
        }
    }
}

/// The request that flags describe.
fn request_of(args: &TraceArgs) -> Result<Request, Failure> {
    let mut request = Request::at(args.entrypoint.clone().unwrap_or_default());
    request.source.clone_from(&args.source);
    request.method.clone_from(&args.method);
    request.authority.clone_from(&args.authority);
    request.path.clone_from(&args.path);
    for header in &args.header {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| Failure::Usage(format!("`{header}` is no header: write `name: value`")))?;
        request.headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(request)
}

/// `matrix`
fn matrix_table(args: &MatrixArgs) -> Result<bool, Failure> {
    let input = input::read(&args.input)?;
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    output::say(&report::matrix_table(&matrix::table(&world), output::table_width())).map(|()| true)
}

/// `explain`
fn explain(id: &str) -> Result<bool, Failure> {
    match rule::rule(id) {
        Ok(rule) => output::say(&report::explain(rule)).map(|()| true),
        Err(nearest) => Err(Failure::Usage(format!("no rule is called `{id}`; the nearest is `{nearest}`"))),
    }
}
