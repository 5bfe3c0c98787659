//! One object written more than once: the last one acts.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::entry::Entry;
use super::kind::Kind;
use super::load::{Loader, Parsed};
use super::object::ObjectId;
use super::problem::{Problem, ProblemKind};
use crate::yaml::Node;

/// What tells one object from another: its group, kind, namespace and name.
type Key<'e> = (&'e str, &'e ObjectId);

/// An object and its mapping.
type Found<'e> = (&'e Entry, Node<'e>);

/// Two directories that write the same objects: where the one that does not act stands, and where the one that does.
type Directories = (String, String);

impl Loader<'_> {
    /// Keeps of each object the last one written; earlier ones that differ from it are problems, one for each pair of
    /// directories.
    pub(super) fn drop_duplicates(&mut self, documents: &mut [Parsed<'_>]) {
        let entries: Vec<Found<'_>> = documents.iter().flat_map(Parsed::found).collect();
        let (objects, acting) = acting(&entries);
        let mut pairs: BTreeMap<Directories, Vec<(usize, usize)>> = BTreeMap::new();
        let mut kept = Vec::with_capacity(entries.len());
        for (index, ((entry, node), object)) in entries.iter().zip(objects).enumerate() {
            let acts = object.and_then(|object| acting.get(object).copied());
            kept.push(acts == Some(index));
            if entry.kind == Kind::Other {
                *self.loaded.counts.other.entry(entry.id.kind.to_string()).or_default() += 1;
            }
            let Some((acts, (winner, of_winner))) =
                acts.filter(|acts| *acts != index).and_then(|acts| Some((acts, entries.get(acts)?)))
            else {
                continue;
            };
            self.loaded.counts.repeated += 1;
            let own = !entry.context && !winner.context;
            if own && entry.kind.decides() && !of_winner.equals(*node) {
                pairs.entry(self.directories(entry, winner)).or_default().push((index, acts));
            }
        }
        for ((of_first, of_last), found) in &pairs {
            let entry_at = |index: usize| entries.get(index).map(|(entry, _)| *entry);
            let places: Vec<(&Entry, &Entry)> =
                found.iter().filter_map(|(index, acts)| Some((entry_at(*index)?, entry_at(*acts)?))).collect();
            self.loaded.problems.extend(problem(&places, of_first, of_last));
        }
        let mut kept = kept.into_iter();
        for document in documents {
            document.entries.retain(|_| kept.next().unwrap_or_default());
        }
    }

    /// The directories of two entries, from where their ways part.
    fn directories(&self, one: &Entry, other: &Entry) -> Directories {
        let parts = |entry: &Entry| -> Vec<&str> {
            let mut parts: Vec<&str> = self.files.name(entry.span.file).split('/').collect();
            parts.pop();
            parts
        };
        let (one, other) = (parts(one), parts(other));
        let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        let part = |parts: &[&str]| parts.iter().take(shared + 1).copied().collect::<Vec<_>>().join("/");
        (part(&one), part(&other))
    }
}

/// Which object each entry is, where it is one that matters, and which entry of each object acts: the last, but one of
/// the input before those of the context.
fn acting<'e>(entries: &'e [Found<'e>]) -> (Vec<Option<usize>>, Vec<usize>) {
    let mut numbers: FxHashMap<Key<'e>, usize> = FxHashMap::default();
    numbers.reserve(entries.len());
    let mut acting: Vec<usize> = Vec::new();
    let mut object = |(index, (entry, _)): (usize, &'e Found<'e>)| {
        if entry.kind == Kind::Other {
            return None;
        }
        let number = *numbers.entry((&entry.group, &entry.id)).or_insert(acting.len());
        match acting.get_mut(number) {
            Some(acts) => {
                let own_before = entries.get(*acts).is_some_and(|(acts, _)| !acts.context);
                if !(entry.context && own_before) {
                    *acts = index;
                }
            }
            None => acting.push(index),
        }
        Some(number)
    };
    let objects = entries.iter().enumerate().map(&mut object).collect();
    (objects, acting)
}

/// The problem of all objects that two directories write differently; within one directory, of all that it does.
fn problem(places: &[(&Entry, &Entry)], of_first: &str, of_last: &str) -> Option<Problem> {
    let (entry, acts) = places.first()?;
    let mut objects: Vec<&ObjectId> = places.iter().map(|(entry, _)| &*entry.id).collect();
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
        related: vec![(acts.name_span(), "this one acts, as the last in path order".to_owned())],
        ..Problem::new(ProblemKind::Duplicate, entry.name_span(), message).of(&entry.id)
    })
}
