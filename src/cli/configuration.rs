//! What the owner wrote: the configuration, the rule files that it names, and where they stand.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files")]

use std::fs;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::args::InputArgs;
use super::error::Failure;
use crate::config::{self, Config, Problem};
use crate::report;
use crate::rule::RuleSet;
use crate::text::{FileId, Files, Spanned, decode};

/// What the owner wrote.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    /// The configuration
    pub(crate) config: Config,
    /// All rules
    pub(crate) rules: RuleSet,
    /// The directory that its paths and globs begin in; none without a file
    directory: Option<PathBuf>,
    /// Files that are no manifests: the configuration and its rules
    own: Vec<PathBuf>,
}

impl Configuration {
    /// What `--config` names, else the nearest `meshlint.yaml` upwards from a path.
    pub(crate) fn read(explicit: Option<&Path>, from: Option<&Path>, files: &mut Files) -> Result<Self, Failure> {
        let Some(path) = explicit.map(Path::to_owned).or_else(|| nearest(from?)) else {
            return Ok(Self::default());
        };
        let (file, text) = read_own(&shown(&path), files)?;
        let config = config::read(file, &text).map_err(|problems| complain(files, &problems))?;
        let absolute = fs::canonicalize(&path).map_err(|source| Failure::Unreadable { path, source })?;
        let directory = absolute.parent().map(Path::to_owned);
        let mut found = Self { config, directory, ..Self::default() };
        found.own.push(absolute);
        found.rules = found.read_rules(files)?;
        let problems = found.rules.judge(&found.config);
        if problems.is_empty() { Ok(found) } else { Err(complain(files, &problems)) }
    }

    /// The configuration of a run on manifests.
    pub(crate) fn of(args: &InputArgs, files: &mut Files) -> Result<Self, Failure> {
        Self::read(args.config.as_deref(), args.paths.first().map(PathBuf::as_path), files)
    }

    /// The path that the configuration means.
    pub(crate) fn resolve(&self, written: &str) -> PathBuf {
        self.directory.as_ref().map_or_else(|| PathBuf::from(written), |directory| directory.join(written))
    }

    /// A file as the globs of the configuration name it; `None` where it is not below its directory.
    pub(crate) fn relative(&self, absolute: &Path) -> Option<String> {
        absolute.strip_prefix(self.directory.as_ref()?).ok().map(slashes)
    }

    /// Whether a file belongs to the program and holds no manifest.
    pub(crate) fn is_own(&self, absolute: &Path) -> bool {
        self.own.iter().any(|own| own == absolute)
    }

    /// Leaves a file out of the manifests.
    pub(crate) fn keep_out(&mut self, path: &Path) {
        self.own.extend(fs::canonicalize(path));
    }

    /// Reads the rule files.
    fn read_rules(&mut self, files: &mut Files) -> Result<RuleSet, Failure> {
        let mut found: Vec<PathBuf> = Vec::new();
        for written in &self.config.rules {
            let mut named = self.rule_files(written)?;
            if named.is_empty() {
                let message = format!("`{}` names no rule file", written.value);
                return Err(complain(files, &[Problem::new(written.span, message)]));
            }
            named.retain(|path| !found.contains(path));
            found.extend(named);
        }
        let mut texts = Vec::new();
        for path in &found {
            texts.push(read_own(&shown(path), files)?);
        }
        self.own.extend(found);
        RuleSet::read(texts.iter().map(|(file, text)| (*file, text.as_str())))
            .map_err(|problems| complain(files, &problems))
    }

    /// The files that an entry of `rules` names: a file, or what matches in the directory and below.
    fn rule_files(&self, written: &Spanned<String>) -> Result<Vec<PathBuf>, Failure> {
        let path = self.resolve(&written.value);
        if path.is_file() {
            return fs::canonicalize(&path)
                .map(|path| vec![path])
                .map_err(|source| Failure::Unreadable { path, source });
        }
        let glob = if path.is_dir() {
            format!("{}/**/*.{{yaml,yml}}", written.value.trim_end_matches('/'))
        } else {
            written.value.clone()
        };
        let matcher: GlobMatcher = GlobBuilder::new(&glob).literal_separator(true).build()?.compile_matcher();
        // Nothing above the first wildcard needs a look.
        let fixed = glob.split(['*', '?', '[', '{']).next().unwrap_or_default();
        let root = self.resolve(fixed.rsplit_once('/').map_or("", |(directory, _)| directory));
        let base = self.resolve("");
        let entries = WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
        let files = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
        Ok(files.filter(|path| path.strip_prefix(&base).is_ok_and(|path| matcher.is_match(path))).collect())
    }
}

/// A path as a person would name it: below the directory that the program runs in without what leads there.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(fs::canonicalize);
    let below = here.ok().and_then(|here| path.strip_prefix(here).ok());
    below.map_or_else(|| path.to_owned(), Path::to_owned)
}

/// Reads a file of the owner.
pub(crate) fn read_own(path: &Path, files: &mut Files) -> Result<(FileId, String), Failure> {
    let bytes = fs::read(path).map_err(|source| Failure::Unreadable { path: path.to_owned(), source })?;
    let text = decode(bytes).map_err(|error| Failure::Configuration(format!("{}: {}", path.display(), error.what)))?;
    Ok((files.add(slashes(path), text.clone()), text))
}

/// What is wrong with files of the owner.
pub(crate) fn complain(files: &Files, problems: &[Problem]) -> Failure {
    Failure::Configuration(report::configuration_problems(files, problems))
}

/// `meshlint.yaml` in the directory of a path or above, not beyond a repository.
fn nearest(path: &Path) -> Option<PathBuf> {
    if path.as_os_str() == "-" {
        return None;
    }
    let absolute = fs::canonicalize(path).ok()?;
    let start = if absolute.is_dir() { absolute.as_path() } else { absolute.parent()? };
    for directory in start.ancestors() {
        let candidate = directory.join("meshlint.yaml");
        if candidate.is_file() {
            return Some(candidate);
        }
        if directory.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The name of a path, `/`-separated.
pub(crate) fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
