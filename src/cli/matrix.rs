//! `matrix`: who reaches what at every entrypoint.

use super::args::{EntrypointArg, MatrixArgs, MatrixFormat};
use super::error::Failure;
use super::{input, output};
use crate::matrix::{self, EntrypointKind, Part};
use crate::query;
use crate::report;
use crate::semantics::{World, WorldOptions};
use crate::space::{ByteSet, Cube, Dimension, Pattern, Piece};

/// Prints the matrix.
pub(super) fn table(args: &MatrixArgs) -> Result<bool, Failure> {
    let input = input::read(&args.input)?;
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    let rows = matrix::table(&world, &part(args, &world)?);
    let text = match args.format {
        MatrixFormat::Text => report::matrix_table(&rows, output::table_width()),
        MatrixFormat::Json => report::matrix_json(&rows),
        MatrixFormat::Csv => report::matrix_csv(&rows),
        MatrixFormat::Mermaid => report::matrix_mermaid(&rows),
    };
    output::say(&text).map(|()| true)
}

/// The part that flags describe.
fn part(args: &MatrixArgs, world: &World) -> Result<Part, Failure> {
    if let Some(workload) = &args.workload {
        match workload.split_once('/') {
            Some((namespace, name)) => drop(query::find_workload(world, namespace, name).map_err(Failure::Usage)?),
            None if world.workloads.contains_key(workload) => {}
            None => return Err(Failure::Usage(format!("no namespace `{workload}` in the input"))),
        }
    }
    let mut within = Cube::default();
    if let Some(from) = &args.from {
        within = match from.as_str() {
            "none" => within.none(Dimension::Peer, vec![Pattern::Any]),
            identity if identity.contains('/') => within.any(Dimension::Peer, vec![Pattern::Exact(identity.into())]),
            namespace => within.any(Dimension::Peer, vec![of_namespace(namespace)]),
        };
    }
    if let Some(path) = &args.path {
        let patterns = match path.strip_suffix("/**") {
            Some(above) => vec![Pattern::Exact(above.into()), Pattern::Prefix(format!("{above}/").into())],
            None => vec![Pattern::Exact(path.as_str().into())],
        };
        within = within.path(patterns);
    }
    let entrypoint = args.entrypoint.map(|kind| match kind {
        EntrypointArg::Gateway => EntrypointKind::Gateway,
        EntrypointArg::Service => EntrypointKind::Service,
        EntrypointArg::Workload => EntrypointKind::Workload,
    });
    Ok(Part { entrypoint, workload: args.workload.clone(), within })
}

/// The identities of a namespace.
fn of_namespace(namespace: &str) -> Pattern {
    let any = || Piece::Repeat { bytes: ByteSet::ANY, at_least: 1 };
    Pattern::sequence(&[any(), Piece::Literal(format!("/ns/{namespace}/sa/").into()), any()])
}
