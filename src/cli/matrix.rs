//! `matrix`: who reaches what at every entrypoint.

use super::args::MatrixArgs;
use super::error::Failure;
use super::{input, output};
use crate::matrix;
use crate::report;
use crate::semantics::{World, WorldOptions};

/// Prints the matrix.
pub(super) fn table(args: &MatrixArgs) -> Result<bool, Failure> {
    let input = input::read(&args.input)?;
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    output::say(&report::matrix_table(&matrix::table(&world), output::table_width())).map(|()| true)
}
