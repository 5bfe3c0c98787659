//! The objects of one kind: in path order, and by namespace without a search.

use std::ops::Deref;
use std::sync::Arc;

use compact_str::CompactString;
use rustc_hash::FxHashMap;

use super::object::{ObjectId, Resource};
use super::workload::Workload;

/// What lives in a namespace.
pub trait Placed {
    /// Kind, namespace and name.
    fn id(&self) -> &ObjectId;
}

impl<T> Placed for Resource<T> {
    fn id(&self) -> &ObjectId {
        &self.id
    }
}

impl<T: Placed> Placed for Arc<T> {
    fn id(&self) -> &ObjectId {
        (**self).id()
    }
}

impl Placed for Workload {
    fn id(&self) -> &ObjectId {
        &self.id
    }
}

/// Objects in path order, found by their namespace.
#[derive(Debug, Clone)]
pub struct Objects<T> {
    /// The objects
    all: Vec<T>,
    /// Places of the objects of each namespace, ascending
    places: FxHashMap<CompactString, Vec<usize>>,
}

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: FxHashMap::default() }
    }
}

impl<T: Placed> Objects<T> {
    /// Appends an object.
    pub fn push(&mut self, object: T) {
        let namespace = &object.id().namespace;
        match self.places.get_mut(namespace) {
            Some(places) => places.push(self.all.len()),
            None => {
                self.places.insert(namespace.clone(), vec![self.all.len()]);
            }
        }
        self.all.push(object);
    }

    /// Appends the objects of another list.
    #[expect(clippy::iter_over_hash_type, reason = "the places of each namespace are apart")]
    pub fn append(&mut self, more: Self) {
        let before = self.all.len();
        for (namespace, places) in more.places {
            self.places.entry(namespace).or_default().extend(places.into_iter().map(|place| place + before));
        }
        self.all.extend(more.all);
    }

    /// Drops the objects that are not kept.
    pub fn retain(&mut self, keep: impl Fn(&ObjectId) -> bool) {
        let kept: Vec<T> = std::mem::take(&mut self.all).into_iter().filter(|object| keep(object.id())).collect();
        *self = kept.into_iter().collect();
    }

    /// The objects of a namespace, in path order.
    pub fn in_namespace<'a>(&'a self, namespace: &str) -> impl DoubleEndedIterator<Item = &'a T> + Clone + use<'a, T> {
        let places = self.places.get(namespace).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| self.all.get(*place))
    }

    /// The namespaces in which there are any, in no order.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(CompactString::as_str)
    }

    /// The object of a namespace and name.
    pub fn named(&self, namespace: &str, name: &str) -> Option<&T> {
        self.in_namespace(namespace).find(|object| object.id().name == name)
    }
}

impl<T> Deref for Objects<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all
    }
}

impl<T: Placed> FromIterator<T> for Objects<T> {
    fn from_iter<I: IntoIterator<Item = T>>(objects: I) -> Self {
        let mut all = Self::default();
        objects.into_iter().for_each(|object| all.push(object));
        all
    }
}

impl<'a, T> IntoIterator for &'a Objects<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}
