//! `generate`: policies that implement the access table.

use super::args::GenerateArgs;
use super::error::Failure;
use super::{input, output};
use crate::author;
use crate::report;
use crate::semantics::{World, WorldOptions};

/// Prints policies that implement the access table, once they are proven to.
pub(super) fn generate(args: &GenerateArgs) -> Result<bool, Failure> {
    let mut input = input::read(&args.input)?;
    if input.config.access.is_empty() {
        return Err(Failure::Usage("the configuration has no access table; `meshlint init` proposes one".to_owned()));
    }
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    let generated = author::generate(&mut input.files, &world, &input.config)
        .map_err(|problems| Failure::Configuration(report::configuration_problems(&input.files, &problems)))?;
    output::say(&generated.text)?;
    if !args.input.quiet {
        let replaced = generated.replaced.iter().map(|id| format!("these stand in for {id}\n"));
        let closed = generated.closed.iter().map(|name| format!("`{name}` has no row, and these close it\n"));
        let idle = generated.idle.iter().map(|(span, message)| {
            let line = input.files.position(span.file, span.start).line;
            format!("{message} ({}:{line})\n", input.files.name(span.file))
        });
        output::note(&replaced.chain(closed).chain(idle).collect::<String>());
    }
    Ok(true)
}
