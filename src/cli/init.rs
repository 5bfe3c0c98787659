//! `init`: a first configuration with an access table.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::args::InitArgs;
use super::error::Failure;
use super::{input, output};
use crate::author;
use crate::semantics::{World, WorldOptions};

/// Prints a first configuration, or writes it where `check` finds it.
pub(super) fn init(args: &InitArgs) -> Result<bool, Failure> {
    let input = input::read(&args.input)?;
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    let proposed = author::init(&input.files, &world, &input.config);
    if args.write {
        write(&place(args.input.paths.first().map_or(Path::new("."), PathBuf::as_path)), &proposed.text)?;
    } else {
        output::say(&proposed.text)?;
    }
    if !args.input.quiet {
        output::note(&counted(&proposed));
    }
    Ok(true)
}

/// How much the table says, and of how many workloads it could not.
fn counted(proposed: &author::Proposed) -> String {
    let plural = |number: usize| if number == 1 { "" } else { "s" };
    let (rows, workloads, commented) = (proposed.rows, proposed.workloads, proposed.commented);
    let said = format!("{rows} row{} for {workloads} workload{}\n", plural(rows), plural(workloads));
    if commented == 0 {
        return said;
    }
    format!("{said}{commented} workload{} that rows cannot speak of: see the comments\n", plural(commented))
}

/// Where `check` looks first for the configuration of a path.
fn place(path: &Path) -> PathBuf {
    let directory = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    directory.join("meshlint.yaml")
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| {
        if error.kind() != ErrorKind::AlreadyExists {
            return Failure::Write(error);
        }
        Failure::Usage(format!("`{}` is there already; without `--write` the table is printed", path.display()))
    })?;
    Ok(file.write_all(text.as_bytes())?)
}
