//! Which files are read: paths as they are given, directories walked.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use walkdir::{DirEntry, WalkDir};

use super::args::InputArgs;
use super::configuration::{Configuration, slashes};
use super::error::Failure;
use crate::text::Spanned;

/// A file that was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// As given on the command line
    pub(crate) name: String,
    /// Where it stands
    pub(crate) absolute: PathBuf,
    /// What it holds
    pub(crate) bytes: Vec<u8>,
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
    /// Hidden directories that were not entered
    hidden: Vec<String>,
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
            hidden: Vec::new(),
        })
    }

    /// The files under a path, in path order.
    pub(crate) fn read(&mut self, path: &Path) -> Result<Vec<Found>, Failure> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            |source| Failure::Unreadable { path, source }
        };
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(unreadable(path))?;
            return Ok(vec![Found { name: "-".to_owned(), absolute: PathBuf::from("-"), bytes }]);
        }
        let absolute = fs::canonicalize(path).map_err(unreadable(path))?;
        let found = if absolute.is_dir() { self.walk(path, &absolute)? } else { vec![(path.to_owned(), absolute)] };
        let read = found.into_iter().map(|(path, absolute)| {
            let bytes = fs::read(&path).map_err(unreadable(&path))?;
            Ok(Found { name: slashes(&path), absolute, bytes })
        });
        read.collect()
    }

    /// Walks a directory.
    fn walk(&mut self, root: &Path, absolute: &Path) -> Result<Vec<(PathBuf, PathBuf)>, Failure> {
        let mut found = Vec::new();
        let mut entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // A link that leads to one of its own parents has been walked already.
                Err(error) if error.loop_ancestor().is_some() => continue,
                Err(error) => return Err(Failure::Walk(error)),
            };
            let hidden = entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
            if hidden && entry.file_type().is_dir() {
                self.hidden.push(slashes(entry.path()));
                entries.skip_current_dir();
                continue;
            }
            let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let absolute = absolute.join(below);
            if self.is_manifest(&entry, below, &absolute) {
                found.push((entry.path().to_owned(), absolute));
            }
        }
        Ok(found)
    }

    /// Whether an entry is a file to read.
    fn is_manifest(&self, entry: &DirEntry, below: &Path, absolute: &Path) -> bool {
        let yaml = entry
            .path()
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)));
        let configured = self.configuration.relative(absolute).is_none_or(|relative| self.configured.wants(&relative));
        entry.file_type().is_file()
            && yaml
            && entry.file_name() != "meshlint.yaml"
            && self.walked.wants(&slashes(below))
            && configured
            && !self.configuration.is_own(absolute)
    }

    /// What was left out.
    pub(crate) fn remarks(&self) -> Vec<String> {
        if self.hidden.is_empty() {
            return Vec::new();
        }
        vec![format!("hidden directories were not read: {}", self.hidden.join(", "))]
    }
}
