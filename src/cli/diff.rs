//! `diff`: what changes for requests from one set of manifests to another.

use super::args::{DiffArgs, DiffFailOn, DiffFormat};
use super::error::Failure;
use super::{input, output};
use crate::query;
use crate::report;
use crate::semantics::{World, WorldOptions};

/// Compares two sides. `Ok(false)`: something changes that shall make the run fail.
pub(super) fn diff(args: &DiffArgs) -> Result<bool, Failure> {
    let input::Sides { files, config, old, new, remarks } = input::read_sides(&args.input)?;
    let world = |loaded: crate::model::Loaded| World::admit(loaded.mesh, WorldOptions::from(&config)).0;
    let (old, new) = rayon::join(|| world(old), || world(new));
    let diff = query::diff(&old, &new);
    let text = match args.format {
        DiffFormat::Text => report::diff_text(&files, &diff),
        DiffFormat::Json => report::diff_json(&files, &diff),
        DiffFormat::Markdown => report::diff_markdown(&files, &diff),
    };
    output::say(&text)?;
    if !args.input.quiet {
        for remark in remarks {
            output::note(&format!("note: {remark}\n"));
        }
        output::note(&report::diff_summary(&diff));
    }
    super::leave((old, new, files));
    Ok(match args.fail_on {
        DiffFailOn::Never => true,
        DiffFailOn::NewAccess => !diff.has_new_access(),
        DiffFailOn::Any => diff.is_empty(),
    })
}
