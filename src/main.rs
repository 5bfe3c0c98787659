//! The process edge: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    meshlint::cli::main()
}
