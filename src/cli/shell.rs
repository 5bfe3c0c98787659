//! What shells and manuals know of the command line, written from the flags themselves.

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Args;
use super::error::Failure;
use super::output;

/// Prints a completion script.
pub(super) fn completions(shell: Shell) -> Result<bool, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "meshlint", &mut script);
    output::say(&String::from_utf8_lossy(&script)).map(|()| true)
}

/// Prints the manual page of the program, or of one of its commands.
pub(super) fn manual(name: Option<&str>) -> Result<bool, Failure> {
    let mut program = Args::command();
    program.build();
    let command = match name {
        None => program,
        Some(name) => program
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Failure::Usage(format!("`{name}` is no command of meshlint")))?
            .version(env!("CARGO_PKG_VERSION")),
    };
    let mut page = Vec::new();
    Man::new(command).manual("meshlint").source(concat!("meshlint ", env!("CARGO_PKG_VERSION"))).render(&mut page)?;
    output::say(&String::from_utf8_lossy(&page)).map(|()| true)
}
