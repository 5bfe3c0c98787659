//! File discovery and the configuration.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use walkdir::WalkDir;

use super::args::InputArgs;
use super::error::Failure;
use crate::config::{self, Config};
use crate::model::{InputFile, LeftOut, LoadOptions, Loaded, Problem, ProblemKind, load};
use crate::report;
use crate::text::{Files, Span, decode};

/// Everything that was read.
pub(crate) struct Input {
    /// Names and texts
    pub(crate) files: Files,
    /// The objects
    pub(crate) loaded: Loaded,
    /// The configuration
    pub(crate) config: Config,
    /// Remarks about what was left out
    pub(crate) remarks: Vec<String>,
}

/// Reads manifests and configuration.
pub(crate) fn read(args: &InputArgs) -> Result<Input, Failure> {
    let mut files = Files::default();
    let config = configuration(args, &mut files)?;
    let mut discovery = Discovery::new(args)?;
    let mut inputs = Vec::new();
    let mut undecodable = Vec::new();
    let context: Vec<PathBuf> = args.context.iter().cloned().chain(config.context.iter().map(PathBuf::from)).collect();
    for (paths, context) in [(&args.paths, false), (&context, true)] {
        for path in paths {
            for (name, bytes) in discovery.read(path)? {
                let text = match decode(&bytes) {
                    Ok(text) => text,
                    Err(error) => {
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        let message = format!("this file is no text: {} at byte {}", error.what, error.offset);
                        let file = files.add(name, text);
                        let span = Span { file, start: 0, end: 0 };
                        undecodable.push(Problem::new(ProblemKind::Syntax, span, message));
                        continue;
                    }
                };
                inputs.push(InputFile { file: files.add(name, text), context });
            }
        }
    }
    let listed = || args.paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ");
    if inputs.is_empty() && undecodable.is_empty() {
        let hidden = discovery.remarks().first().map_or(String::new(), |remark| format!(" ({remark})"));
        return Err(Failure::NoFile(format!("{}{hidden}", listed())));
    }
    let options = LoadOptions {
        default_namespace: args.namespace.clone().or_else(|| config.namespace.clone()),
        mesh: config.mesh.clone(),
    };
    let mut loaded = load(&files, &inputs, &options);
    for problem in undecodable {
        loaded.counts.files += 1;
        loaded.counts.documents += 1;
        loaded.counts.leave_out(LeftOut::Unreadable, problem.span);
        loaded.problems.push(problem);
    }
    if loaded.counts.mesh_resources == 0 && !args.allow_empty {
        return Err(Failure::NoMesh(listed()));
    }
    Ok(Input { files, loaded, config, remarks: discovery.remarks() })
}

/// The configuration: what `--config` names, else the nearest `meshlint.yaml` upwards from the first path.
fn configuration(args: &InputArgs, files: &mut Files) -> Result<Config, Failure> {
    let Some(path) = args.config.clone().or_else(|| nearest_configuration(args.paths.first()?)) else {
        return Ok(Config::default());
    };
    let bytes = fs::read(&path).map_err(|source| Failure::Unreadable { path: path.clone(), source })?;
    let text = decode(&bytes).map_err(|error| Failure::Configuration(format!("{}: {}", path.display(), error.what)))?;
    let file = files.add(slashes(&path), text.clone());
    config::read(file, &text)
        .map_err(|problems| Failure::Configuration(report::configuration_problems(files, &problems)))
}

/// `meshlint.yaml` in the directory of a path or above, not beyond a repository.
fn nearest_configuration(path: &Path) -> Option<PathBuf> {
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
fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Finds and reads files.
struct Discovery {
    /// Only these, if any
    include: Option<GlobSet>,
    /// Not these
    exclude: GlobSet,
    /// Hidden directories that were not entered
    hidden: Vec<String>,
}

impl Discovery {
    /// Discovery with the globs of the arguments.
    fn new(args: &InputArgs) -> Result<Self, Failure> {
        let set = |globs: &[String]| -> Result<GlobSet, Failure> {
            let mut builder = GlobSetBuilder::new();
            for glob in globs {
                builder.add(GlobBuilder::new(glob).literal_separator(true).build()?);
            }
            Ok(builder.build()?)
        };
        let include = if args.include.is_empty() { None } else { Some(set(&args.include)?) };
        Ok(Self { include, exclude: set(&args.exclude)?, hidden: Vec::new() })
    }

    /// The files under a path with their names, in path order.
    fn read(&mut self, path: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|source| Failure::Unreadable { path: path.to_owned(), source })?;
            return Ok(vec![("-".to_owned(), bytes)]);
        }
        let metadata = fs::metadata(path).map_err(|source| Failure::Unreadable { path: path.to_owned(), source })?;
        let mut found = Vec::new();
        if metadata.is_dir() {
            self.walk(path, &mut found)?;
        } else {
            found.push(path.to_owned());
        }
        let read = found.into_iter().map(|path| {
            let bytes = fs::read(&path).map_err(|source| Failure::Unreadable { path: path.clone(), source })?;
            Ok((slashes(&path), bytes))
        });
        read.collect()
    }

    /// Walks a directory.
    fn walk(&mut self, root: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
        let mut entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // A link that leads to one of its own parents has been walked already.
                Err(error) if error.loop_ancestor().is_some() => continue,
                Err(error) => return Err(Failure::Walk(error)),
            };
            let name = entry.file_name().to_string_lossy();
            if entry.depth() > 0 && name.starts_with('.') && entry.file_type().is_dir() {
                self.hidden.push(slashes(entry.path()));
                entries.skip_current_dir();
                continue;
            }
            let relative = slashes(entry.path().strip_prefix(root).unwrap_or(entry.path()));
            let yaml = entry.path().extension().is_some_and(|extension| {
                ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
            });
            let wanted = self.include.as_ref().is_none_or(|include| include.is_match(&relative));
            if entry.file_type().is_file()
                && yaml
                && wanted
                && !self.exclude.is_match(&relative)
                && name != "meshlint.yaml"
            {
                found.push(entry.path().to_owned());
            }
        }
        Ok(())
    }

    /// What was left out.
    fn remarks(self) -> Vec<String> {
        if self.hidden.is_empty() {
            return Vec::new();
        }
        vec![format!("hidden directories were not read: {}", self.hidden.join(", "))]
    }
}
