//! What `kustomization.yaml` files say about the files beside them: the namespace, and which are only patches.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::yaml::{self, Node};

/// The fields of a kustomization that matter for reading its files one by one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Kustomization {
    /// Namespace of everything it builds
    namespace: Option<String>,
    /// Files and directories it builds from
    resources: Option<Vec<String>>,
    /// Patches by path
    patches: Option<Vec<PatchEntry>>,
    /// Patches by path, older form
    patches_strategic_merge: Option<Vec<String>>,
    /// JSON patches by path, older form
    patches_json6902: Option<Vec<PatchEntry>>,
}

/// A patch that may stand in a file of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct PatchEntry {
    /// The file
    path: Option<String>,
}

/// What all kustomizations of the input say about single files.
#[derive(Debug, Clone, Default)]
pub(super) struct Kustomizations {
    /// Namespace by file, from the nearest kustomization that lists it
    namespaces: BTreeMap<String, (usize, String)>,
    /// Files listed as resources
    resources: BTreeSet<String>,
    /// Files listed as patches
    patches: BTreeSet<String>,
}

impl Kustomizations {
    /// Whether the file's name is that of a kustomization.
    pub(super) fn is_kustomization(file: &str) -> bool {
        let name = file.rsplit('/').next().unwrap_or(file);
        matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization")
    }

    /// Takes in one kustomization file.
    pub(super) fn add(&mut self, file: &str, root: Node<'_>) {
        let Ok(kustomization) = yaml::from_node::<Kustomization>(root).value else {
            return;
        };
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        let depth = directory.split('/').count();
        for resource in kustomization.resources.iter().flatten() {
            let path = join(directory, resource);
            if let Some(namespace) = &kustomization.namespace {
                let nearer = self.namespaces.get(&path).is_none_or(|(known, _)| depth > *known);
                if nearer {
                    self.namespaces.insert(path.clone(), (depth, namespace.clone()));
                }
            }
            self.resources.insert(path);
        }
        let strategic = kustomization.patches_strategic_merge.iter().flatten();
        let by_path = kustomization.patches.iter().flatten();
        let by_path = by_path.chain(kustomization.patches_json6902.iter().flatten());
        for patch in strategic.chain(by_path.filter_map(|patch| patch.path.as_ref())) {
            self.patches.insert(join(directory, patch));
        }
    }

    /// The namespace that objects of the file get when they name none.
    pub(super) fn namespace_of(&self, file: &str) -> Option<&str> {
        self.namespaces.get(&join("", file)).map(|(_, namespace)| namespace.as_str())
    }

    /// Whether the file is listed as a patch and never as a resource.
    pub(super) fn is_patch(&self, file: &str) -> bool {
        let file = join("", file);
        self.patches.contains(&file) && !self.resources.contains(&file)
    }
}

/// `directory/path` with `.` and `..` resolved as text.
fn join(directory: &str, path: &str) -> String {
    let absolute = path.starts_with('/') || (path.is_empty() && directory.starts_with('/'));
    let rooted = absolute || directory.starts_with('/');
    let base = if path.starts_with('/') { "" } else { directory };
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if rooted { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_are_joined_as_kustomize_reads_them() {
        assert_eq!(join("a/b", "../c.yaml"), "a/c.yaml");
        assert_eq!(join("./a", "./c.yaml"), "a/c.yaml");
        assert_eq!(join("/m/a", "c.yaml"), "/m/a/c.yaml");
        assert_eq!(join("a", "../../c.yaml"), "../c.yaml");
        assert_eq!(join("", "./a/c.yaml"), "a/c.yaml");
    }
}
