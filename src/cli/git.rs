//! Files of a revision, read by the `git` process: nothing is checked out, and nothing that a person wrote is an option.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path};
use std::process::{Command, Output, Stdio};

use super::error::Failure;

/// What goes before a revision.
const MARK: &str = "git:";

/// A directory or file of a revision.
#[derive(Debug)]
pub(super) struct Revision<'a> {
    /// As written
    text: &'a str,
    /// A name of the commit
    name: &'a str,
    /// The directory or file, from the current directory
    place: &'a str,
}

/// Files with their names, here and from the place that was asked for, and the symbolic links among them, which are not followed.
pub(super) type FilesAndLinks = (Vec<(String, String, Vec<u8>)>, Vec<String>);

/// One file of a revision.
#[derive(Debug)]
struct Entry {
    /// From the directory that was asked for; empty for the file itself
    path: String,
    /// Its object
    hash: String,
}

/// Splits `git:REV:DIR`. `None`: it is the path of a file.
pub(super) fn revision(path: &Path) -> Option<Result<Revision<'_>, Failure>> {
    let text = path.to_str()?;
    let (revision, place) = match text.strip_prefix(MARK)?.split_once(':') {
        Some((revision, place)) if !revision.is_empty() && !place.is_empty() => (revision, place),
        _ => return Some(Err(Failure::Usage(format!("`{text}` is no revision: write `git:REV:DIR`")))),
    };
    if revision.starts_with('-') {
        return Some(Err(Failure::Usage(format!("`{revision}` is no revision, for it begins with `-`"))));
    }
    Some(Ok(Revision { text, name: revision, place }))
}

impl Revision<'_> {
    /// The wanted files with their names, in path order, and what was left out.
    pub(super) fn read(&self, wants: impl Fn(&str) -> bool) -> Result<FilesAndLinks, Failure> {
        // Outside of a repository this fails first, and says so.
        let place = self.rooted()?;
        let asked = format!("{}^{{commit}}", self.name);
        let commit = self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &asked]);
        let commit = commit.map_err(|_| self.missing(&format!("there is no revision `{}`", self.name)))?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        let object = format!("{commit}:{place}");
        let kind = self.git(&["cat-file", "-t", &object]);
        let kind = kind.map_err(|_| self.missing(&format!("`{}` has no `{place}`", self.name)))?;
        let mut links = Vec::new();
        let entries = if kind.starts_with(b"blob") {
            let hash = self.git(&["rev-parse", "--verify", "--end-of-options", &object])?;
            vec![Entry { path: String::new(), hash: String::from_utf8_lossy(&hash).trim().to_owned() }]
        } else {
            let listed = self.git(&["ls-tree", "-r", "-z", "--full-tree", &object])?;
            let mut entries = Vec::new();
            for (kind, entry) in listed.split(|byte| *byte == 0).filter_map(entry) {
                match kind.as_str() {
                    _ if !wants(&entry.path) => {}
                    "120000" => links.push(entry.path),
                    "160000" => {}
                    _ => entries.push(entry),
                }
            }
            entries
        };
        let texts = self.contents(&entries)?;
        let base = self.text.trim_end_matches('/');
        let named = entries.into_iter().map(|entry| {
            let name = if entry.path.is_empty() { base.to_owned() } else { format!("{base}/{}", entry.path) };
            let text = texts.get(&entry.hash).cloned().unwrap_or_default();
            (name, entry.path, text)
        });
        Ok((named.collect(), links))
    }

    /// The directory or file, from the current directory.
    pub(super) fn place(&self) -> &str {
        self.place
    }

    /// The place from the root of the repository.
    fn rooted(&self) -> Result<String, Failure> {
        let prefix = self.git(&["rev-parse", "--show-prefix"])?;
        let prefix = String::from_utf8_lossy(&prefix).trim_end_matches('\n').to_owned();
        let mut parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
        for component in Path::new(self.place).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir if !parts.is_empty() => drop(parts.pop()),
                Component::Normal(part) => parts.extend(part.to_str()),
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    let why = "is no directory of the repository, from the current one";
                    return Err(Failure::Usage(format!("`{}`: `{}` {why}", self.text, self.place)));
                }
            }
        }
        Ok(parts.join("/"))
    }

    /// The contents of files by their objects: one process for all of them.
    fn contents(&self, entries: &[Entry]) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
        let mut command = Command::new("git");
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| self.no_process(&error))?;
        let (Some(mut asked), Some(mut told)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(self.unreadable("its streams are gone"));
        };
        let questions: String = entries.iter().flat_map(|entry| [entry.hash.as_str(), "\n"]).collect();
        let mut answer = Vec::new();
        let read = std::thread::scope(|scope| {
            // What is asked and what is told must not wait for each other. A process that has ended is noticed below.
            scope.spawn(move || asked.write_all(questions.as_bytes()));
            told.read_to_end(&mut answer)
        });
        read.map_err(|error| self.unreadable(&error.to_string()))?;
        child.wait().map_err(|error| self.unreadable(&error.to_string()))?;
        let mut found = BTreeMap::new();
        let mut rest = answer.as_slice();
        for entry in entries {
            let (text, after) = blob(rest).ok_or_else(|| self.unreadable("its answer is cut short"))?;
            found.insert(entry.hash.clone(), text.to_vec());
            rest = after;
        }
        Ok(found)
    }

    /// What `git` says.
    fn git(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let run: Output = Command::new("git").args(arguments).output().map_err(|error| self.no_process(&error))?;
        if run.status.success() {
            return Ok(run.stdout);
        }
        let said = String::from_utf8_lossy(&run.stderr);
        let said = said.trim();
        let said = said.strip_prefix("fatal: ").unwrap_or(said);
        Err(Failure::Usage(format!("`{}` cannot be read: git says: {said}", self.text)))
    }

    /// That something is not in the repository.
    fn missing(&self, what: &str) -> Failure {
        Failure::Usage(format!("`{}` cannot be read: {what}", self.text))
    }

    /// That there is no `git`.
    fn no_process(&self, error: &std::io::Error) -> Failure {
        Failure::Usage(format!("`{}` cannot be read: `git` does not run: {error}", self.text))
    }

    /// That what `git` says is not understood.
    fn unreadable(&self, why: &str) -> Failure {
        Failure::Usage(format!("`{}` cannot be read: `git cat-file`: {why}", self.text))
    }
}

/// Mode and entry of a line of `ls-tree`: `MODE TYPE HASH<tab>PATH`.
fn entry(line: &[u8]) -> Option<(String, Entry)> {
    let line = String::from_utf8_lossy(line);
    let (about, path) = line.split_once('\t')?;
    let mut about = about.split(' ');
    let (mode, hash) = (about.next()?.to_owned(), about.nth(1)?.to_owned());
    Some((mode, Entry { path: path.to_owned(), hash }))
}

/// The first object of an answer, `HASH blob SIZE`, its bytes and a line feed, and what follows.
fn blob(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    let (head, rest) = answer.split_at_checked(end)?;
    let size: usize = String::from_utf8_lossy(head).rsplit(' ').next()?.parse().ok()?;
    let (text, after) = rest.get(1..)?.split_at_checked(size)?;
    Some((text, after.get(1..)?))
}
