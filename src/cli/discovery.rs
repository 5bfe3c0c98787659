//! Which files are read: paths as they are given, directories walked.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use walkdir::{DirEntry, WalkDir};

use super::args::InputArgs;
use super::configuration::{Configuration, slashes};
use super::error::Failure;
use super::git::{self, Revision};
use crate::text::Spanned;

/// The most bytes that one file may have. Objects of a cluster are bounded at about a megabyte; what is larger than
/// this is a device or a mistake, and would fill the memory.
const MAX_FILE: u64 = 512 << 20;

/// A file that was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// As given on the command line
    pub(crate) path: PathBuf,
    /// Where it stands
    pub(crate) absolute: PathBuf,
    /// What it holds, where no file does: in a revision
    held: Option<Vec<u8>>,
}

impl Found {
    /// Why it cannot be written, if it cannot.
    pub(crate) fn closed(&self) -> Option<&'static str> {
        if self.held.is_some() {
            Some("a revision stays as it is")
        } else if self.path.as_os_str() == "-" {
            Some("standard input is no file")
        } else {
            None
        }
    }

    /// How many bytes it has, if that is known before it is read.
    pub(crate) fn size(&self) -> Option<u64> {
        match &self.held {
            Some(held) => u64::try_from(held.len()).ok(),
            None => fs::metadata(&self.path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len()),
        }
    }

    /// What it holds.
    pub(crate) fn contents(&self) -> Result<Vec<u8>, Failure> {
        if let Some(held) = &self.held {
            return Ok(held.clone());
        }
        let unreadable = |source| Failure::Unreadable { path: self.path.clone(), source };
        let mut bytes = Vec::new();
        if self.path.as_os_str() == "-" {
            std::io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        } else {
            let file = fs::File::open(&self.path).map_err(unreadable)?;
            let length = file.metadata().map_or(0, |metadata| metadata.len()).min(MAX_FILE);
            bytes.reserve_exact(usize::try_from(length).unwrap_or(0).saturating_add(1));
            file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        }
        if bytes.len() as u64 > MAX_FILE {
            return Err(unreadable(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "it has more than 512 MiB")));
        }
        Ok(bytes)
    }
}

/// Globs of files that are wanted and not wanted.
struct Wanted {
    /// Only these, if any
    include: Option<GlobSet>,
    /// Not these
    exclude: GlobSet,
}

impl Wanted {
    /// The globs of the command line or the configuration.
    fn new<'g>(
        include: impl ExactSizeIterator<Item = &'g str>,
        exclude: impl Iterator<Item = &'g str>,
    ) -> Result<Self, Failure> {
        let include = if include.len() == 0 { None } else { Some(set(include)?) };
        Ok(Self { include, exclude: set(exclude)? })
    }

    /// Whether a file is wanted.
    fn wants(&self, relative: &str) -> bool {
        self.include.as_ref().is_none_or(|include| include.is_match(relative)) && !self.exclude.is_match(relative)
    }
}

/// A set of globs, in which `*` stays within a directory.
pub(crate) fn set<'g>(globs: impl Iterator<Item = &'g str>) -> Result<GlobSet, Failure> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(GlobBuilder::new(glob).literal_separator(true).build()?);
    }
    Ok(builder.build()?)
}

/// Finds and reads files.
pub(crate) struct Discovery<'a> {
    /// What the owner wrote
    configuration: &'a Configuration,
    /// By names from the directory that is walked
    walked: Wanted,
    /// By names from the directory of the configuration
    configured: Wanted,
    /// What was passed by
    passed: Passed,
}

/// What was passed by, and is said.
#[derive(Debug, Default)]
struct Passed {
    /// Hidden directories
    hidden: Vec<String>,
    /// Links that lead nowhere
    dangling: Vec<String>,
    /// What is named like a manifest and is neither file nor directory
    special: Vec<String>,
    /// Links to directories that another link had led to before
    repeated: Vec<String>,
    /// Links of a revision
    unfollowed: Vec<String>,
    /// Where links to directories led
    linked: BTreeSet<PathBuf>,
}

impl Passed {
    /// Whether a directory is walked: a hidden one is not, nor one where an earlier link led, for links to directories
    /// of links multiply.
    fn enters(&mut self, entry: &DirEntry) -> bool {
        if entry.file_name().to_string_lossy().starts_with('.') {
            self.hidden.push(slashes(entry.path()));
            return false;
        }
        if entry.path_is_symlink() && fs::canonicalize(entry.path()).is_ok_and(|target| !self.linked.insert(target)) {
            self.repeated.push(slashes(entry.path()));
            return false;
        }
        true
    }
}

impl<'a> Discovery<'a> {
    /// Discovery with the globs of the arguments and the configuration.
    pub(crate) fn new(args: &InputArgs, configuration: &'a Configuration) -> Result<Self, Failure> {
        let config = &configuration.config;
        let text = |glob: &'a Spanned<String>| glob.value.as_str();
        Ok(Self {
            configuration,
            walked: Wanted::new(args.include.iter().map(String::as_str), args.exclude.iter().map(String::as_str))?,
            configured: Wanted::new(config.include.iter().map(text), config.exclude.iter().map(text))?,
            passed: Passed::default(),
        })
    }

    /// The files under a path, in path order. What is named itself is taken as it is, a pipe too.
    pub(crate) fn files(&mut self, path: &Path) -> Result<Vec<Found>, Failure> {
        if path.as_os_str() == "-" {
            return Ok(vec![Found { path: path.to_owned(), absolute: path.to_owned(), held: None }]);
        }
        if let Some(revision) = git::revision(path) {
            return self.revision(&revision?);
        }
        let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
        let absolute = fs::canonicalize(path).map_err(unreadable)?;
        if absolute.is_dir() {
            self.walk(path, &absolute)
        } else {
            Ok(vec![Found { path: path.to_owned(), absolute, held: None }])
        }
    }

    /// The files of a revision, as if they stood where they would be checked out.
    fn revision(&mut self, revision: &Revision<'_>) -> Result<Vec<Found>, Failure> {
        let here = fs::canonicalize(".").map_err(|source| Failure::Unreadable { path: ".".into(), source })?;
        let place = here.join(revision.place());
        let hidden = |below: &Path| below.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
        let (read, links) = revision.read(|below| {
            let below = Path::new(below);
            !hidden(below) && self.is_manifest(below, below, &place.join(below))
        })?;
        self.passed.unfollowed.extend(links);
        let found = read.into_iter().map(|(path, below, held)| {
            let absolute = if below.is_empty() { place.clone() } else { place.join(below) };
            Found { path: path.into(), absolute, held: Some(held) }
        });
        Ok(found.collect())
    }

    /// Walks a directory.
    fn walk(&mut self, root: &Path, absolute: &Path) -> Result<Vec<Found>, Failure> {
        let mut found = Vec::new();
        let mut entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // A link that leads to one of its own parents has been walked already.
                Err(error) if error.loop_ancestor().is_some() => continue,
                Err(error) => match error.path().filter(|path| is_link(path)) {
                    Some(path) => {
                        self.passed.dangling.push(slashes(path));
                        continue;
                    }
                    None => return Err(Failure::Walk(error)),
                },
            };
            let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let absolute = absolute.join(below);
            if entry.file_type().is_dir() {
                if entry.depth() > 0 && !self.passed.enters(&entry) {
                    entries.skip_current_dir();
                }
            } else if self.is_manifest(entry.path(), below, &absolute) {
                if entry.file_type().is_file() {
                    found.push(Found { path: entry.into_path(), absolute, held: None });
                } else {
                    self.passed.special.push(slashes(entry.path()));
                }
            }
        }
        Ok(found)
    }

    /// Whether the name is that of a manifest that the globs let through.
    fn is_manifest(&self, path: &Path, below: &Path, absolute: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        let yaml = path
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)));
        let configured = self.configuration.relative(absolute).is_none_or(|relative| self.configured.wants(&relative));
        (yaml || name == "Kustomization")
            && name != "meshlint.yaml"
            && self.walked.wants(&slashes(below))
            && configured
            && !self.configuration.is_own(absolute)
    }

    /// What was left out.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let passed = &self.passed;
        let said = [
            ("hidden directories were not read", &passed.hidden),
            ("links that lead nowhere were not read", &passed.dangling),
            ("what is no regular file was not read", &passed.special),
            ("symbolic links of a revision were not followed", &passed.unfollowed),
            ("links to a directory that another link leads to were not followed", &passed.repeated),
        ];
        let said = said.into_iter().filter(|(_, paths)| !paths.is_empty());
        said.map(|(what, paths)| format!("{what}: {}", paths.join(", "))).collect()
    }
}

/// Whether a path is a symbolic link, wherever it leads.
fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}
