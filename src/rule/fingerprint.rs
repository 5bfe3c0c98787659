//! What makes a finding the same in another run.

use super::finding::Finding;
use crate::text::Files;

/// What makes a finding the same in another run: its rule, its object (without one its workload) and the marked text
/// without its indentation, but no line and no file.
pub fn fingerprint(files: &Files, finding: &Finding) -> String {
    let object = finding.resource.as_ref().map(ToString::to_string);
    let object = object.or_else(|| finding.workload.clone()).unwrap_or_default();
    let text: Vec<&str> = files.slice(finding.label.span).split_whitespace().collect();
    let parts = [&*finding.rule, &object, &text.join(" ")];
    // FNV-1a, 64 bits: stable across releases of the standard library.
    let hash = parts
        .iter()
        .flat_map(|part| part.bytes().chain([0]))
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}
