//! The command line: flags, file discovery, choice of output. The only code that touches files, the environment or streams.

mod args;
mod commands;
mod error;
mod input;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

/// Runs the program on the arguments of the process.
///
/// The exit status is 0 if there is nothing at or above the threshold, 1 if there is, 2 if the job
/// could not be done.
pub fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no failures; clap knows which stream is theirs.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match commands::run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            output::complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}
