//! How much was read, and what was left out and why.

use std::collections::BTreeMap;

use crate::text::Span;

/// How much was read, and what was not.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Files
    pub files: usize,
    /// Documents that are not empty, items of lists included
    pub documents: usize,
    /// Objects that the model understands, by kind
    pub resources: BTreeMap<String, usize>,
    /// Objects of other kinds, by kind
    pub other: BTreeMap<String, usize>,
    /// Documents that write an object once more, equal or superseded
    pub repeated: usize,
    /// Documents that are no part of the answer
    pub skipped: usize,
    /// Why they are not, how many, and where the first one stands
    pub left_out: BTreeMap<LeftOut, (usize, Span)>,
    /// Objects that make the input a mesh
    pub mesh_resources: usize,
    /// Files that a kustomization lists as patches only
    pub patches: usize,
    /// `NetworkPolicy` objects, which are not considered
    pub network_policies: usize,
    /// Kustomizations seen
    pub kustomizations: usize,
    /// Objects that name no namespace and that no kustomization gives one
    pub without_namespace: usize,
}

impl Counts {
    /// Adds what was counted behind it.
    pub(crate) fn append(&mut self, more: Self) {
        let Self {
            files,
            documents,
            resources,
            other,
            repeated,
            skipped,
            left_out,
            mesh_resources,
            patches,
            network_policies,
            kustomizations,
            without_namespace,
        } = more;
        self.files += files;
        self.documents += documents;
        for (kind, count) in resources {
            *self.resources.entry(kind).or_default() += count;
        }
        for (kind, count) in other {
            *self.other.entry(kind).or_default() += count;
        }
        self.repeated += repeated;
        self.skipped += skipped;
        for (why, (count, first)) in left_out {
            self.left_out.entry(why).and_modify(|(sum, _)| *sum += count).or_insert((count, first));
        }
        self.mesh_resources += mesh_resources;
        self.patches += patches;
        self.network_policies += network_policies;
        self.kustomizations += kustomizations;
        self.without_namespace += without_namespace;
    }

    /// Counts a document that is no part of the answer.
    pub fn leave_out(&mut self, why: LeftOut, span: Span) {
        self.skipped += 1;
        self.left_out.entry(why).and_modify(|(count, _)| *count += 1).or_insert((1, span));
    }
}

/// Why a document is no part of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It cannot be read; there is a finding
    Unreadable,
    /// Its name or namespace is a placeholder; there is a finding
    Placeholder,
    /// Its API version is not served; there is a finding
    NotServed,
    /// Its `metadata` does not fit; there is a finding
    Misfit,
    /// `apiVersion`, `kind` or `metadata.name` is missing
    NoObject,
    /// A pod template without labels and images, as in a patch
    Partial,
}
