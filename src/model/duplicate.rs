//! One object written more than once: the last one acts.

use std::collections::{BTreeMap, HashMap};

use super::entry::{Entry, name_span};
use super::kind::Kind;
use super::load::Loader;
use super::object::ObjectId;
use super::problem::{Problem, ProblemKind};

/// What tells one object from another: its group, kind, namespace and name.
type Key<'e> = (&'e str, &'e ObjectId);

/// Two directories that write the same objects: where the one that does not act stands, and where the one that does.
type Directories = (String, String);

impl Loader<'_> {
    /// Of each object the last one written; earlier ones that differ from it are problems, one for each pair of
    /// directories.
    pub(super) fn without_duplicates<'d>(&mut self, entries: Vec<Entry<'d>>) -> Vec<Entry<'d>> {
        let acting = acting(&entries);
        let mut pairs: BTreeMap<Directories, Vec<(usize, usize)>> = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.kind != Kind::Other) {
            let Some((acts, winner)) = acting
                .get(&key(entry))
                .and_then(|acts| Some((*acts, entries.get(*acts)?)))
                .filter(|(acts, _)| *acts != index)
            else {
                continue;
            };
            self.loaded.counts.repeated += 1;
            let own = !entry.context && !winner.context;
            if own && entry.kind.decides() && !winner.node.equals(entry.node) {
                pairs.entry(self.directories(entry, winner)).or_default().push((index, acts));
            }
        }
        for ((of_first, of_last), found) in &pairs {
            let places: Vec<(&Entry<'d>, &Entry<'d>)> =
                found.iter().filter_map(|(index, acts)| Some((entries.get(*index)?, entries.get(*acts)?))).collect();
            self.loaded.problems.extend(problem(&places, of_first, of_last));
        }
        let acts: Vec<bool> =
            entries.iter().enumerate().map(|(index, entry)| acting.get(&key(entry)) == Some(&index)).collect();
        let mut kept = Vec::with_capacity(entries.len());
        for (entry, acts) in entries.into_iter().zip(acts) {
            if entry.kind == Kind::Other {
                *self.loaded.counts.other.entry(entry.id.kind.clone()).or_default() += 1;
            } else if acts {
                kept.push(entry);
            }
        }
        kept
    }

    /// The directories of two entries, from where their ways part.
    fn directories(&self, one: &Entry<'_>, other: &Entry<'_>) -> Directories {
        let parts = |entry: &Entry<'_>| -> Vec<&str> {
            let mut parts: Vec<&str> = self.files.name(entry.node.span().file).split('/').collect();
            parts.pop();
            parts
        };
        let (one, other) = (parts(one), parts(other));
        let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        let part = |parts: &[&str]| parts.iter().take(shared + 1).copied().collect::<Vec<_>>().join("/");
        (part(&one), part(&other))
    }
}

/// Which entry of each object acts: the last, but one of the input before those of the context.
fn acting<'e>(entries: &'e [Entry<'_>]) -> HashMap<Key<'e>, usize> {
    let mut acting: HashMap<Key<'e>, usize> = HashMap::new();
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.kind != Kind::Other) {
        let own_before = acting.get(&key(entry)).and_then(|acts| entries.get(*acts)).is_some_and(|acts| !acts.context);
        if !(entry.context && own_before) {
            acting.insert(key(entry), index);
        }
    }
    acting
}

/// What tells an entry from others.
fn key<'e>(entry: &'e Entry<'_>) -> Key<'e> {
    (&entry.group, &entry.id)
}

/// The problem of all objects that two directories write differently; within one directory, of all that it does.
fn problem(places: &[(&Entry<'_>, &Entry<'_>)], of_first: &str, of_last: &str) -> Option<Problem> {
    let (entry, acts) = places.first()?;
    let mut objects: Vec<&ObjectId> = places.iter().map(|(entry, _)| &entry.id).collect();
    objects.sort();
    objects.dedup();
    let others = match objects.len() - 1 {
        0 => String::new(),
        1 => ", and so is 1 more object".to_owned(),
        more => format!(", and so are {more} more objects"),
    };
    let whence = match (others.is_empty(), of_first == of_last) {
        (true, _) => String::new(),
        (false, true) if of_first.is_empty() => String::new(),
        (false, true) => format!(" in `{of_first}`"),
        (false, false) => format!(" of `{of_first}` in `{of_last}`"),
    };
    let message = format!("{} is written more than once, with different contents{others}{whence}", entry.id);
    Some(Problem {
        related: vec![(name_span(acts), "this one acts, as the last in path order".to_owned())],
        ..Problem::new(ProblemKind::Duplicate, name_span(entry), message).of(&entry.id)
    })
}
