//! `test`: requests with the answers that are expected of them.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files")]

use super::args::{TestArgs, TestFormat};
use super::error::Failure;
use super::{input, output};
use crate::query;
use crate::report;
use crate::semantics::{World, WorldOptions};
use crate::text::decode;

/// Runs the cases. `Ok(false)`: one of them fails.
pub(super) fn test(args: &TestArgs) -> Result<bool, Failure> {
    let mut input = input::read(&args.input)?;
    let mut cases = Vec::new();
    let mut problems = Vec::new();
    for path in &args.cases {
        let bytes = std::fs::read(path).map_err(|source| Failure::Unreadable { path: path.clone(), source })?;
        let text = decode(bytes).map_err(|error| Failure::Usage(format!("{}: {}", path.display(), error.what)))?;
        let file = input.files.add(path.to_string_lossy().replace('\\', "/"), text.clone());
        match query::read_cases(file, &text) {
            Ok(read) => cases.extend(read),
            Err(wrong) => problems.extend(wrong),
        }
    }
    let wrong = |files, problems: &[query::CaseProblem]| Failure::Usage(report::case_problems(files, problems));
    if !problems.is_empty() {
        return Err(wrong(&input.files, &problems));
    }
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    let results = query::run_cases(&world, cases).map_err(|problems| wrong(&input.files, &problems))?;
    let text = match args.format {
        TestFormat::Text => report::cases_text(&input.files, &results, args.input.verbose),
        TestFormat::Json => report::cases_json(&input.files, &results),
        TestFormat::Junit => report::cases_junit(&input.files, &results),
    };
    output::say(&text)?;
    Ok(results.iter().all(|result| result.mismatches.is_empty()))
}
