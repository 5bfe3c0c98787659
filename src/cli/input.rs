//! The manifests of a run: which files, which world each belongs to, and what they hold.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use rayon::prelude::*;

use super::args::InputArgs;
use super::configuration::{Configuration, slashes};
use super::discovery::{Discovery, Found};
use super::error::Failure;
use super::threads;
use crate::config::{Config, nearest};
use crate::model::{InputFile, LeftOut, LoadOptions, Loaded, Problem, ProblemKind, load, names_mesh_group};
use crate::rule::RuleSet;
use crate::text::{FileId, Files, Span, Undecodable, decode, is_utf16};

/// Everything that was read, of one world.
pub(crate) struct Input {
    /// Names and texts
    pub(crate) files: Files,
    /// The objects
    pub(crate) loaded: Loaded,
    /// The configuration
    pub(crate) config: Config,
}

/// Everything that was read, of every world.
pub(crate) struct Inputs {
    /// Names and texts
    pub(crate) files: Files,
    /// The objects of each world, by its name; one without a name where the configuration has none
    pub(crate) worlds: Vec<(Option<String>, Loaded)>,
    /// The configuration
    pub(crate) config: Config,
    /// All rules
    pub(crate) rules: RuleSet,
    /// Manifests that findings may stand in
    pub(crate) manifests: Vec<FileId>,
    /// Files as the globs of the configuration name them
    pub(crate) relative: BTreeMap<FileId, String>,
    /// Remarks about what was left out
    pub(crate) remarks: Vec<String>,
    /// Files that cannot be written, and why not
    pub(crate) closed: BTreeMap<FileId, &'static str>,
    /// The files of each world
    sets: Vec<WorldTexts>,
    /// How they are loaded
    options: LoadOptions,
}

impl Inputs {
    /// The objects of each world, once some of the texts are others.
    pub(crate) fn load(&self, files: &Files) -> Vec<(Option<String>, Loaded)> {
        self.sets.iter().map(|(name, set)| (name.clone(), loaded(files, set, &self.options))).collect()
    }
}

/// Reads manifests and configuration, of the one world that there is or that is asked for.
pub(crate) fn read(args: &InputArgs) -> Result<Input, Failure> {
    let mut files = Files::default();
    let configuration = Configuration::of(args, &mut files)?;
    let Inputs { files, worlds, config, .. } = read_worlds(args, configuration, files)?;
    Ok(Input { files, loaded: only_world(worlds)?, config })
}

/// Two sets of manifests under one configuration, all in one set of files.
pub(crate) struct Sides {
    /// Names and texts
    pub(crate) files: Files,
    /// The configuration
    pub(crate) config: Config,
    /// The objects of the old side
    pub(crate) old: Loaded,
    /// The objects of the new side
    pub(crate) new: Loaded,
    /// Remarks about what was left out
    pub(crate) remarks: Vec<String>,
}

/// Reads each of two paths as a side. The configuration is that of the new one, else of the old one.
pub(crate) fn read_sides(args: &InputArgs) -> Result<Sides, Failure> {
    let [old, new] = args.paths.as_slice() else {
        return Err(Failure::Usage("two sides are compared: write `diff OLD NEW`".to_owned()));
    };
    // One side alone does not tell how much there is to do.
    threads::take(args.threads);
    let place = [new, old].into_iter().find(|path| path.exists()).map(PathBuf::as_path);
    let side = |path: &PathBuf, mut files: Files| {
        let args = InputArgs { paths: vec![path.clone()], ..args.clone() };
        let configuration = Configuration::read(args.config.as_deref(), place, &mut files)?;
        let Inputs { files, worlds, config, remarks, .. } = read_worlds(&args, configuration, files)?;
        Ok::<_, Failure>((only_world(worlds)?, files, config, remarks))
    };
    let (old, files, _, mut remarks) = side(old, Files::default())?;
    let (new, files, config, more) = side(new, files)?;
    remarks.extend(more);
    Ok(Sides { files, config, old, new, remarks })
}

/// The one world that there is.
fn only_world(worlds: Vec<(Option<String>, Loaded)>) -> Result<Loaded, Failure> {
    let mut worlds = worlds.into_iter();
    match (worlds.next(), worlds.next()) {
        (Some((_, loaded)), None) => Ok(loaded),
        (first, second) => {
            let names = first.into_iter().chain(second).chain(worlds).filter_map(|(name, _)| name);
            let names: Vec<String> = names.map(|name| format!("`--world {name}`")).collect();
            Err(Failure::Usage(format!("the configuration has several worlds: say which, by {}", names.join(" or "))))
        }
    }
}

/// Reads manifests, of every world or of the one that is asked for.
pub(crate) fn read_worlds(args: &InputArgs, configuration: Configuration, mut files: Files) -> Result<Inputs, Failure> {
    let mut texts = Texts::default();
    let mut discovery = Discovery::new(args, &configuration)?;
    let context = configuration.config.context.iter().map(|path| configuration.resolve(&path.value));
    let context: Vec<PathBuf> = args.context.iter().cloned().chain(context).collect();
    let mut found: Vec<(Found, bool)> = Vec::new();
    for (paths, context) in [(&args.paths, false), (&context, true)] {
        for path in paths {
            found.extend(discovery.files(path)?.into_iter().map(|found| (found, context)));
        }
    }
    threads::spare(found.iter().map(|(found, _)| found));
    // In path order whatever the order of the arguments: of an object written twice the last one acts.
    found.sort_by(|(one, context), (other, of_context)| (context, &one.path).cmp(&(of_context, &other.path)));
    let read = |(found, _): &(Found, bool)| {
        let bytes = found.contents()?;
        let closed = found.closed().or_else(|| is_utf16(&bytes).then_some("the file is UTF-16"));
        let text = decode(bytes);
        // What was written in the place of its bytes must not come back into the file.
        let closed = closed.or_else(|| text.is_err().then_some("the file is no text throughout"));
        Ok((text, closed))
    };
    let read: Vec<(Decoded, Option<&'static str>)> = found.par_iter().map(read).collect::<Result<_, Failure>>()?;
    for ((found, context), (text, closed)) in found.into_iter().zip(read) {
        let file = texts.add(&mut files, &configuration, found, text, context);
        texts.closed.extend(closed.map(|why| (file, why)));
    }
    let listed = || args.paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ");
    if texts.found.is_empty() {
        let hidden = discovery.remarks().first().map_or(String::new(), |remark| format!(" ({remark})"));
        return Err(Failure::NoFile(format!("{}{hidden}", listed())));
    }
    let options = LoadOptions {
        default_namespace: args.namespace.clone().or_else(|| configuration.config.namespace.clone()),
        mesh: configuration.config.mesh.clone(),
    };
    let mut remarks = discovery.remarks();
    let sets = texts.worlds(&configuration, args.world.as_deref(), &mut remarks)?;
    let worlds: Vec<(Option<String>, Loaded)> =
        sets.iter().map(|(name, set)| (name.clone(), loaded(&files, set, &options))).collect();
    if worlds.iter().all(|(_, loaded)| loaded.counts.mesh_resources == 0) && !args.allow_empty {
        return Err(Failure::NoMesh(listed()));
    }
    let Configuration { config, rules, .. } = configuration;
    let own = texts.found.iter().filter(|text| !text.context);
    let manifests = own.map(|text| text.file).collect();
    let Texts { relative, closed, .. } = texts;
    Ok(Inputs { files, worlds, config, rules, manifests, relative, remarks, closed, sets, options })
}

/// A file's text, or why it has none.
type Decoded = Result<String, Undecodable>;

/// A file that was read.
#[derive(Debug, Clone)]
struct Text {
    /// Which one
    file: FileId,
    /// Where it stands
    absolute: PathBuf,
    /// In force, but somebody else's
    context: bool,
    /// Why it is no text, or not throughout
    wrong: Option<Wrong>,
}

/// Why a file is no text, or not throughout.
#[derive(Debug, Clone)]
struct Wrong {
    /// Where
    span: Span,
    /// What is true
    message: String,
    /// Whether kubectl reads it all the same
    readable: bool,
}

/// The name of a world, where the configuration has any, and its files.
type WorldTexts = (Option<String>, Vec<Text>);

/// The files that were read.
#[derive(Debug, Default)]
struct Texts {
    /// All of them, in the order read
    found: Vec<Text>,
    /// As the globs of the configuration name them
    relative: BTreeMap<FileId, String>,
    /// Those that cannot be written, and why not
    closed: BTreeMap<FileId, &'static str>,
}

impl Texts {
    /// Adds a file.
    fn add(
        &mut self,
        files: &mut Files,
        configuration: &Configuration,
        found: Found,
        text: Decoded,
        context: bool,
    ) -> FileId {
        let Found { path, absolute, .. } = found;
        let (text, error) = match text {
            Ok(text) => (text, None),
            Err(error) => (error.text, Some((error.what, error.offset, error.readable))),
        };
        let first = text.find(char::REPLACEMENT_CHARACTER).and_then(|at| u32::try_from(at).ok());
        let file = files.add(slashes(&path), text);
        let wrong = error.map(|(what, offset, readable)| {
            let start = first.filter(|_| readable).unwrap_or(0);
            let end = start + first.filter(|_| readable).map_or(0, |_| 3);
            let reads = if readable { "; kubectl reads U+FFFD in its place" } else { "" };
            let message = format!("this file is no text: {what} at byte {offset}{reads}");
            Wrong { span: Span { file, start, end }, message, readable }
        });
        self.relative.extend(configuration.relative(&absolute).map(|relative| (file, relative)));
        self.found.push(Text { file, absolute, context, wrong });
        file
    }

    /// The files of each world; those that are in none are counted.
    fn worlds(
        &self,
        configuration: &Configuration,
        asked: Option<&str>,
        remarks: &mut Vec<String>,
    ) -> Result<Vec<WorldTexts>, Failure> {
        let written = &configuration.config.worlds;
        if let Some(asked) = asked.filter(|asked| !written.keys().any(|name| name.value == *asked)) {
            let meant = nearest(asked, written.keys().map(|name| name.value.as_str()));
            let meant = meant
                .map_or_else(|| "the configuration has none".to_owned(), |meant| format!("the nearest is `{meant}`"));
            return Err(Failure::Usage(format!("no world is called `{asked}`; {meant}")));
        }
        if written.is_empty() {
            return Ok(vec![(None, self.found.clone())]);
        }
        let mut sets = Vec::new();
        let mut lonely: Vec<&Text> = self.found.iter().filter(|text| !text.context).collect();
        for (name, paths) in written {
            let mut roots = Vec::new();
            for path in paths {
                let resolved = configuration.resolve(&path.value);
                roots.push(
                    fs::canonicalize(&resolved).map_err(|source| Failure::Unreadable { path: resolved, source })?,
                );
            }
            let within = |text: &Text| roots.iter().any(|root| text.absolute.starts_with(root));
            lonely.retain(|text| !within(text));
            if asked.is_some_and(|asked| asked != name.value) {
                continue;
            }
            let set: Vec<Text> = self.found.iter().filter(|text| text.context || within(text)).cloned().collect();
            if set.iter().all(|text| text.context) {
                remarks.push(format!("no file of the world `{}` is among what was read", name.value));
            } else {
                sets.push((Some(name.value.clone()), set));
            }
        }
        match lonely.len() {
            0 => {}
            1 => remarks.push("1 file is in no world and was not judged".to_owned()),
            count => remarks.push(format!("{count} files are in no world and were not judged")),
        }
        Ok(sets)
    }
}

/// Loads the files of a world.
fn loaded(files: &Files, texts: &[Text], options: &LoadOptions) -> Loaded {
    let readable = texts.iter().filter(|text| text.wrong.as_ref().is_none_or(|wrong| wrong.readable));
    let inputs: Vec<InputFile> = readable.map(|text| InputFile { file: text.file, context: text.context }).collect();
    let mut loaded = load(files, &inputs, options);
    for wrong in texts.iter().filter_map(|text| text.wrong.as_ref()) {
        if !wrong.readable {
            loaded.counts.files += 1;
            loaded.counts.documents += 1;
            loaded.counts.leave_out(LeftOut::Unreadable, wrong.span);
            let mesh = names_mesh_group(files.text(wrong.span.file));
            loaded.counts.mesh_resources += usize::from(mesh);
        }
        loaded.problems.push(Problem::new(ProblemKind::Syntax, wrong.span, wrong.message.clone()));
    }
    loaded
}
