//! The command line: flags, file discovery, choice of output. The only code that touches files, the environment or streams.

mod args;
mod baseline;
mod check;
mod configuration;
mod diff;
mod discovery;
mod error;
mod eval;
mod explain;
mod fix;
mod generate;
mod git;
mod init;
mod input;
mod matrix;
mod output;
mod progress;
mod schema;
mod shell;
mod test;
mod threads;
mod trace;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};
use error::Failure;

/// Runs the program on the arguments of the process.
///
/// The exit status is 0 if there is nothing at or above the threshold, 1 if there is, 2 if the job
/// could not be done.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no failures; clap knows which stream is theirs.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            output::complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}

/// Leaves what is large to the end of the process: that comes soon, and sooner if nothing is taken apart before.
fn leave<T>(large: T) {
    std::mem::forget(large);
}

/// Runs a command. `Ok(false)`: there are findings.
fn run(args: &Args) -> Result<bool, Failure> {
    if let Some(threads) = args.command.threads() {
        threads::take(Some(threads));
    }
    match &args.command {
        Command::Check(args) => check::check(args),
        Command::Eval(args) => eval::eval(args),
        Command::Trace(args) => trace::trace(args),
        Command::Matrix(args) => matrix::table(args),
        Command::Init(args) => init::init(args),
        Command::Generate(args) => generate::generate(args),
        Command::Explain { rule, config } => explain::explain(rule, config.as_deref()),
        Command::Schema { of } => schema::print(*of),
        Command::Rules { config } => explain::list(config.as_deref()),
        Command::Completions { shell } => shell::completions(*shell),
        Command::Man { command } => shell::manual(command.as_deref()),
        Command::Diff(args) => diff::diff(args),
        Command::Test(args) => test::test(args),
    }
}
