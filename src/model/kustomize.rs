//! What `kustomization.yaml` files say about the files beside them: namespace, names, labels, and which are only patches.
//!
//! Kustomizations are not built; this is the part of them without which files cannot be read one by one.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::{CompactString, format_compact};
use serde::Deserialize;

use super::object::Labels;
use crate::yaml::{self, Node, TypeError};

/// The fields of a kustomization that matter for reading its files one by one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Kustomization {
    /// Namespace of everything it builds
    namespace: Option<String>,
    /// What all names begin with
    name_prefix: Option<String>,
    /// What all names end with
    name_suffix: Option<String>,
    /// Labels of everything, selectors and pods included
    common_labels: Option<Labels>,
    /// Labels, newer form
    labels: Option<Vec<LabelEntry>>,
    /// Files and directories it builds from
    resources: Option<Vec<String>>,
    /// Directories it builds from, older form
    bases: Option<Vec<String>>,
    /// Patches by path
    patches: Option<Vec<PatchEntry>>,
    /// Patches by path, older form
    patches_strategic_merge: Option<Vec<String>>,
    /// JSON patches by path, older form
    patches_json6902: Option<Vec<PatchEntry>>,
}

/// An entry of `labels`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LabelEntry {
    /// The labels
    pairs: Option<Labels>,
    /// Whether selectors and pods get them too
    include_selectors: bool,
}

/// A patch that may stand in a file of its own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct PatchEntry {
    /// The file
    path: Option<String>,
}

/// What a kustomization makes of the objects in a file that it lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Transformation {
    /// The directory of the kustomization
    pub(super) directory: String,
    /// What names begin with
    pub(super) prefix: String,
    /// What names end with
    pub(super) suffix: String,
    /// Labels that selectors and pods get
    pub(super) labels: Labels,
}

impl Transformation {
    /// The name as it is applied.
    pub(super) fn rename(&self, name: &str) -> CompactString {
        format_compact!("{}{name}{}", self.prefix, self.suffix)
    }
}

/// The directory of a kustomization, and the namespace of what it builds.
type Built<'k> = (&'k String, Option<&'k str>);

/// What all kustomizations of the input say about single files.
#[derive(Debug, Clone, Default)]
pub(super) struct Kustomizations {
    /// By directory
    by_directory: BTreeMap<String, Kustomization>,
    /// The kustomizations that list a file or a directory, by its path
    listed_by: BTreeMap<String, BTreeSet<String>>,
    /// Files listed as patches
    patches: BTreeSet<String>,
}

impl Kustomizations {
    /// Whether the file's name is that of a kustomization.
    pub(super) fn is_kustomization(file: &str) -> bool {
        let name = file.rsplit('/').next().unwrap_or(file);
        matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization")
    }

    /// Takes in one kustomization file, or says what does not fit in it.
    pub(super) fn add(&mut self, file: &str, root: Node<'_>) -> Result<(), TypeError> {
        let kustomization = yaml::from_node::<Kustomization>(root).value?;
        let directory = join("", file.rsplit_once('/').map_or("", |(directory, _)| directory));
        for resource in kustomization.resources.iter().chain(&kustomization.bases).flatten() {
            self.listed_by.entry(join(&directory, resource)).or_default().insert(directory.clone());
        }
        let strategic = kustomization.patches_strategic_merge.iter().flatten();
        let by_path = kustomization.patches.iter().flatten();
        let by_path = by_path.chain(kustomization.patches_json6902.iter().flatten());
        for patch in strategic.chain(by_path.filter_map(|patch| patch.path.as_ref())) {
            self.patches.insert(join(&directory, patch));
        }
        self.by_directory.insert(directory, kustomization);
        Ok(())
    }

    /// The kustomizations that list a path, the innermost last.
    fn listing(&self, path: &str) -> impl Iterator<Item = (&String, &Kustomization)> {
        let mut directories: Vec<&String> = self.listed_by.get(path).into_iter().flatten().collect();
        directories.sort_by_key(|directory| directory.split('/').count());
        directories.into_iter().filter_map(|directory| Some((directory, self.by_directory.get(directory)?)))
    }

    /// The namespace that every build writes over whatever objects of the file name: the outermost kustomization has the
    /// last word. Where builds differ in it, the nearest one that lists the file stands for all of them.
    ///
    /// # Upstream
    /// kubernetes-sigs/kustomize api/v0.20.1: `api/internal/target/kusttarget.go`, `accumulateTarget` (bases first);
    /// `api/internal/builtins/NamespaceTransformer.go` (`unsetOnly` is off for the field `namespace`). References that
    /// are no fields of Kubernetes' own kinds, such as `gateways` and hosts of virtual services, stay as they are.
    pub(super) fn namespace_over(&self, file: &str) -> Option<&str> {
        if self.listed_by.is_empty() {
            return None;
        }
        let path = join("", file);
        let mut last: BTreeSet<Option<&str>> = BTreeSet::new();
        let mut seen: BTreeSet<Built<'_>> = BTreeSet::new();
        let mut pending = self.built(&path, None);
        while let Some(state) = pending.pop() {
            if !seen.insert(state) {
                continue;
            }
            let above = self.built(state.0, state.1);
            if above.is_empty() {
                last.insert(state.1);
            }
            pending.extend(above);
        }
        let mut last = last.into_iter();
        match (last.next().flatten(), last.next()) {
            (Some(only), None) => Some(only),
            (Some(_), Some(_)) => self.listing(&path).filter_map(|(_, nearest)| nearest.namespace.as_deref()).last(),
            (None, _) => None,
        }
    }

    /// The kustomizations that build a path, with the namespace that its objects have then.
    fn built<'k>(&'k self, path: &str, so_far: Option<&'k str>) -> Vec<Built<'k>> {
        self.listing(path).map(|(directory, above)| (directory, above.namespace.as_deref().or(so_far))).collect()
    }

    /// Whether a kustomization further out than the one that lists the file renames what that builds.
    pub(super) fn is_renamed_further_out(&self, file: &str) -> bool {
        if self.listed_by.is_empty() {
            return false;
        }
        let path = join("", file);
        let mut pending: Vec<&String> = self.listing(&path).map(|(directory, _)| directory).collect();
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        while let Some(directory) = pending.pop() {
            if !seen.insert(directory) {
                continue;
            }
            for (above, kustomization) in self.listing(directory) {
                let affixes = [&kustomization.name_prefix, &kustomization.name_suffix];
                if affixes.into_iter().flatten().any(|affix| !affix.is_empty()) {
                    return true;
                }
                pending.push(above);
            }
        }
        false
    }

    /// The namespace that objects of the file get when they name none and nothing is written over it: that of the nearest
    /// kustomization that lists the file, else the one on which those agree that list the kustomization.
    pub(super) fn namespace_of(&self, file: &str) -> Option<&str> {
        if self.listed_by.is_empty() {
            return None;
        }
        let path = join("", file);
        let direct = self.listing(&path).filter_map(|(_, kustomization)| kustomization.namespace.as_deref()).last();
        if direct.is_some() {
            return direct;
        }
        let mut level: BTreeSet<&String> = self.listing(&path).map(|(directory, _)| directory).collect();
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        while !level.is_empty() {
            seen.extend(&level);
            let above: Vec<(&String, &Kustomization)> =
                level.iter().flat_map(|directory| self.listing(directory)).collect();
            let mut namespaces: Vec<&str> =
                above.iter().filter_map(|(_, kustomization)| kustomization.namespace.as_deref()).collect();
            namespaces.sort_unstable();
            namespaces.dedup();
            match namespaces.as_slice() {
                [] => {}
                [only] => return Some(only),
                _ => return None,
            }
            level = above.into_iter().map(|(directory, _)| directory).filter(|found| !seen.contains(found)).collect();
        }
        None
    }

    /// What the nearest kustomization that lists the file makes of its objects, if anything.
    pub(super) fn transformation_of(&self, file: &str) -> Option<Transformation> {
        if self.listed_by.is_empty() {
            return None;
        }
        let path = join("", file);
        let (directory, kustomization) = self.listing(&path).last()?;
        let newer = kustomization.labels.iter().flatten().filter(|entry| entry.include_selectors);
        let labels = kustomization.common_labels.iter().chain(newer.filter_map(|entry| entry.pairs.as_ref()));
        let found = Transformation {
            directory: directory.clone(),
            prefix: kustomization.name_prefix.clone().unwrap_or_default(),
            suffix: kustomization.name_suffix.clone().unwrap_or_default(),
            labels: labels.flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
        };
        let nothing = found.prefix.is_empty() && found.suffix.is_empty() && found.labels.is_empty();
        (!nothing).then_some(found)
    }

    /// Whether the file is listed as a patch and never as a resource.
    pub(super) fn is_patch(&self, file: &str) -> bool {
        let file = join("", file);
        self.patches.contains(&file) && !self.listed_by.contains_key(&file)
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
