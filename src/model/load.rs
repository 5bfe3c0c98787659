//! From files to a [`Mesh`]: which object each document is, in which namespace, and which of two acts.

use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;
use rayon::prelude::*;

use super::counts::{Counts, LeftOut};
use super::entry::Entry;
use super::kustomize::Kustomizations;
use super::mesh::Mesh;
use super::mesh_settings::{MeshSettings, SettingsOrigin};
use super::problem::{Problem, ProblemKind};
use crate::config::MeshConfig;
use crate::text::{FileId, Files};
use crate::yaml::{self, Document, Node, Stream};

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

/// Documents that one thread reads in a row.
const CHUNK: usize = 64;

/// Reads all files, in the order given, which should be path order. Files and objects are read side by side, and what
/// they give is put together in their order.
pub fn load(files: &Files, inputs: &[InputFile], options: &LoadOptions) -> Loaded {
    let streams: Vec<(InputFile, Stream<'_>)> =
        inputs.par_iter().map(|input| (*input, yaml::read(input.file, files.text(input.file)))).collect();
    let mut whole = Loaded { counts: Counts { files: inputs.len(), ..Counts::default() }, ..Loaded::default() };
    let kustomizations = kustomizations(files, &streams, &mut whole.problems);
    let found: Vec<Found<'_>> = streams
        .into_par_iter()
        .chunks(CHUNK)
        .map(|streams| {
            let mut loader = Loader::new(files, options, &kustomizations);
            let mut documents = Vec::new();
            for (input, stream) in streams {
                loader.stream(input, stream, &mut documents);
            }
            Found { loaded: loader.loaded, accounts: loader.accounts, documents }
        })
        .collect();
    let (mut accounts, mut documents) = (BTreeSet::new(), Vec::new());
    for part in found {
        whole.append(part.loaded);
        accounts.extend(part.accounts);
        documents.extend(part.documents);
    }
    let mut loader = Loader { loaded: whole, ..Loader::new(files, options, &kustomizations) };
    loader.drop_duplicates(&mut documents);
    let mut whole = loader.loaded;
    // Each tree is gone once its objects are read: with all of them, memory would hold the input three times.
    let read = |documents: Vec<Parsed<'_>>| {
        let mut loader = Loader { accounts: accounts.clone(), ..Loader::new(files, options, &kustomizations) };
        for Parsed { document, entries } in documents {
            for entry in entries {
                loader.object(document.node_of(entry.place), entry);
            }
        }
        loader.loaded
    };
    let read: Vec<Loaded> = documents.into_par_iter().chunks(CHUNK).map(read).collect();
    for part in read {
        whole.append(part);
    }
    if !whole.mesh.settings.known()
        && let Some(mesh) = &options.mesh
    {
        whole.mesh.settings = MeshSettings { config: mesh.clone(), origin: SettingsOrigin::Configuration };
    }
    whole
}

/// What the kustomizations among the files say; those that cannot be read are problems.
fn kustomizations(files: &Files, streams: &[(InputFile, Stream<'_>)], problems: &mut Vec<Problem>) -> Kustomizations {
    let mut found = Kustomizations::default();
    for (input, stream) in streams {
        let name = files.name(input.file);
        if !Kustomizations::is_kustomization(name) {
            continue;
        }
        for document in &stream.documents {
            if let Err(error) = found.add(name, document.root()) {
                let message = format!("this kustomization is not heeded: `{}` {}", error.field_path, error.message);
                problems.push(Problem::new(ProblemKind::Syntax, files.visible(error.span), message));
            }
        }
    }
    found
}

impl Loaded {
    /// Adds what was read behind it.
    fn append(&mut self, more: Self) {
        self.mesh.append(more.mesh);
        self.problems.extend(more.problems);
        self.counts.append(more.counts);
    }
}

/// What a part of the files has in it.
struct Found<'d> {
    /// Problems and counts
    loaded: Loaded,
    /// Service accounts that a kustomization renames, with its directory
    accounts: BTreeSet<(String, CompactString)>,
    /// Documents whose objects are not read yet
    documents: Vec<Parsed<'d>>,
}

/// A document and some of the objects that were found in it.
pub(super) struct Parsed<'d> {
    /// The tree
    document: Arc<Document<'d>>,
    /// The objects whose own part is still to be read
    pub(super) entries: Vec<Entry>,
}

impl Parsed<'_> {
    /// The objects, each with its mapping.
    pub(super) fn found(&self) -> impl Iterator<Item = (&Entry, Node<'_>)> {
        self.entries.iter().map(|entry| (entry, self.document.node_of(entry.place)))
    }
}

/// The state of one load, or of a part of it.
pub(super) struct Loader<'a> {
    /// Names and texts
    pub(super) files: &'a Files,
    /// What the manifests do not say
    pub(super) options: &'a LoadOptions,
    /// What kustomizations say about files
    pub(super) kustomizations: &'a Kustomizations,
    /// Service accounts that a kustomization renames, with its directory
    pub(super) accounts: BTreeSet<(String, CompactString)>,
    /// The result so far
    pub(super) loaded: Loaded,
}

impl<'a> Loader<'a> {
    /// A loader that has read nothing.
    fn new(files: &'a Files, options: &'a LoadOptions, kustomizations: &'a Kustomizations) -> Self {
        Self { files, options, kustomizations, accounts: BTreeSet::new(), loaded: Loaded::default() }
    }
}

impl Loader<'_> {
    /// Finds the objects of one file.
    fn stream<'d>(&mut self, input: InputFile, stream: Stream<'d>, documents: &mut Vec<Parsed<'d>>) {
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
        for document in stream.documents {
            // Mostly it is one object.
            let (document, mut entries) = (Arc::new(document), Vec::with_capacity(1));
            self.document(input, document.root(), &mut entries);
            // A long list is read side by side, too.
            while !entries.is_empty() {
                let rest = entries.split_off(entries.len().min(CHUNK));
                documents
                    .push(Parsed { document: Arc::clone(&document), entries: std::mem::replace(&mut entries, rest) });
            }
        }
    }

    /// Finds the objects of one document: itself, or the items of a list.
    fn document(&mut self, input: InputFile, node: Node<'_>, entries: &mut Vec<Entry>) {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
            let items = node.get("items").filter(|_| kind.ends_with("List"));
            if let Some(items) = items {
                pending.extend(items.items().rev());
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
