//! From files to a [`Mesh`]: which object each document is, in which namespace, and which of two acts.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::counts::{Counts, LeftOut};
use super::entry::Entry;
use super::kustomize::Kustomizations;
use super::mesh::Mesh;
use super::mesh_settings::{MeshSettings, SettingsOrigin};
use super::problem::{Problem, ProblemKind};
use crate::config::MeshConfig;
use crate::text::{FileId, Files};
use crate::yaml::{self, Node, Stream};

/// A file to read.
#[derive(Debug, Clone, Copy)]
pub struct InputFile {
    /// Which one
    pub file: FileId,
    /// In force, but somebody else's: evaluated, never blamed
    pub context: bool,
}

/// What the manifests do not say themselves.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Namespace of objects that name none
    pub default_namespace: Option<String>,
    /// Mesh settings of the configuration file, in force where no manifest has any
    pub mesh: Option<MeshConfig>,
}

/// What loading gives.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The objects
    pub mesh: Mesh,
    /// What is wrong with the input
    pub problems: Vec<Problem>,
    /// How much was read
    pub counts: Counts,
}

/// Reads all files, in the order given, which should be path order.
pub fn load(files: &Files, inputs: &[InputFile], options: &LoadOptions) -> Loaded {
    let streams: Vec<(InputFile, Stream)> =
        inputs.par_iter().map(|input| (*input, yaml::read(input.file, files.text(input.file)))).collect();
    let mut loader = Loader {
        files,
        options,
        kustomizations: Kustomizations::default(),
        accounts: BTreeSet::new(),
        loaded: Loaded::default(),
    };
    loader.loaded.counts.files = inputs.len();
    for (input, stream) in &streams {
        let name = files.name(input.file);
        if Kustomizations::is_kustomization(name) {
            for document in &stream.documents {
                if let Err(error) = loader.kustomizations.add(name, document.root()) {
                    let message = format!("this kustomization is not heeded: `{}` {}", error.field_path, error.message);
                    let span = files.visible(error.span);
                    loader.loaded.problems.push(Problem::new(ProblemKind::Syntax, span, message));
                }
            }
        }
    }
    let mut entries = Vec::new();
    for (input, stream) in &streams {
        loader.stream(*input, stream, &mut entries);
    }
    for entry in loader.without_duplicates(entries) {
        loader.object(&entry);
    }
    if !loader.loaded.mesh.settings.known()
        && let Some(mesh) = &options.mesh
    {
        loader.loaded.mesh.settings = MeshSettings { config: mesh.clone(), origin: SettingsOrigin::Configuration };
    }
    loader.loaded
}

/// The state of one load.
pub(super) struct Loader<'a> {
    /// Names and texts
    pub(super) files: &'a Files,
    /// What the manifests do not say
    pub(super) options: &'a LoadOptions,
    /// What kustomizations say about files
    pub(super) kustomizations: Kustomizations,
    /// Service accounts that a kustomization renames, with its directory
    pub(super) accounts: BTreeSet<(String, String)>,
    /// The result so far
    pub(super) loaded: Loaded,
}

impl Loader<'_> {
    /// Finds the objects of one file.
    fn stream<'d>(&mut self, input: InputFile, stream: &'d Stream, entries: &mut Vec<Entry<'d>>) {
        let name = self.files.name(input.file);
        if self.kustomizations.is_patch(name) {
            self.loaded.counts.patches += 1;
            return;
        }
        for problem in &stream.problems {
            let kind = ProblemKind::from(problem.kind);
            self.loaded.problems.push(Problem::new(kind, problem.span, problem.message.clone()));
            if matches!(kind, ProblemKind::Syntax | ProblemKind::Template) {
                self.loaded.counts.documents += 1;
                self.loaded.counts.leave_out(LeftOut::Unreadable, problem.span);
                // What cannot be read may be a mesh resource, if the file speaks of any.
                let mesh = super::kind::names_mesh_group(self.files.text(input.file));
                self.loaded.counts.mesh_resources += usize::from(mesh);
            }
        }
        for document in &stream.documents {
            self.document(input, document.root(), entries);
        }
    }

    /// Finds the objects of one document: itself, or the items of a list.
    fn document<'d>(&mut self, input: InputFile, node: Node<'d>, entries: &mut Vec<Entry<'d>>) {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
            let items = node.get("items").filter(|_| kind.ends_with("List"));
            if let Some(items) = items {
                let items: Vec<Node<'d>> = items.items().collect();
                pending.extend(items.into_iter().rev());
                continue;
            }
            self.loaded.counts.documents += 1;
            match self.entry(input, node) {
                Ok(entry) => entries.push(entry),
                Err(why) => self.loaded.counts.leave_out(why, node.span()),
            }
        }
    }
}
