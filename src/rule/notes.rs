//! What was left out of the answer, and why: remarks that are no findings.

use super::report::Note;
use crate::model::{Counts, LeftOut};

/// What the input leaves out.
pub(super) fn of_input(counts: &Counts) -> Vec<Note> {
    let note = |message: String| Note { message, span: None };
    let mut notes = Vec::new();
    notes.extend(counted(
        counts.without_namespace,
        "1 object names no namespace and is taken to be in the one of `--namespace`, else in `default`",
        "objects name no namespace and are taken to be in the one of `--namespace`, else in `default`",
    ));
    notes.extend(counted(
        counts.network_policies,
        "1 NetworkPolicy is not considered",
        "NetworkPolicies are not considered",
    ));
    notes.extend(counted(
        counts.patches,
        "1 file that a kustomization lists as a patch was not read as an object",
        "files that kustomizations list as patches were not read as objects",
    ));
    if counts.kustomizations > 0 {
        notes.push(
            "kustomizations were not built: `kustomize build DIR | meshlint check -` checks what is applied".into(),
        );
    }
    let mut notes: Vec<Note> = notes.into_iter().map(note).collect();
    notes.extend(counts.left_out.iter().filter_map(|(why, (count, span))| {
        let (one, many) = words(*why)?;
        let message = counted(*count, one, &format!("{many}, the first of them here"))?;
        Some(Note { message, span: Some(*span) })
    }));
    notes
}

/// One, or many with their number in front; nothing for none.
fn counted(count: usize, one: &str, many: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(one.to_owned()),
        _ => Some(format!("{count} {many}")),
    }
}

/// What one and what several such documents are; nothing where there is a finding.
fn words(why: LeftOut) -> Option<(&'static str, &'static str)> {
    match why {
        LeftOut::NoObject => Some((
            "1 document is no object of Kubernetes: `apiVersion`, `kind` or `metadata.name` is missing",
            "documents are no objects of Kubernetes: `apiVersion`, `kind` or `metadata.name` is missing",
        )),
        LeftOut::Partial => Some((
            "1 object is only a part, as in a patch: its pods have neither labels nor images",
            "objects are only parts, as in patches: their pods have neither labels nor images",
        )),
        LeftOut::Unreadable | LeftOut::Placeholder | LeftOut::NotServed | LeftOut::Misfit => None,
    }
}
