//! The product of two path lists over one path: the first reads it as it is, the second reads what the rewrite
//! and the second normalisation make of it. Exact but for dot-parameter segments behind the junction, which are
//! only counted, for removing them takes a stack.
#![expect(clippy::indexing_slicing, reason = "directories are numbered here")]

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::FxHashSet;

use super::bank::Alphabet;
use super::budget::Excess;
use super::bytes::ByteSet;
use super::form::{DEAD, Form};
use super::junction::{Head, Junction};
use super::list::Label;
use super::path_search::Trail;
use super::residual::{ListMachine, ListState, PathList};
use super::two_hops::VIA;

/// What an exploration found.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// A shortest path for each label that was found.
    pub(super) found: Vec<(Label, String)>,
    /// A path with a dot-parameter segment that the first hop lets through.
    pub(super) parametric: Option<String>,
    /// Why a label that was not found may still be possible.
    pub(super) doubt: Option<Excess>,
}

/// What the second hop has read of its path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Hop {
    /// So many bytes of the prefix are read and dropped.
    Prefix(usize),
    /// Nothing, and the next byte must be a slash.
    Nothing,
    /// Nothing but a directory and so many dots.
    Dots(u8),
    /// A directory; the rest of the segment is dropped.
    Dropping(usize),
    /// Everything so far.
    Read(ListState, Out, Segment),
    /// The whole path, whatever follows.
    Constant,
    /// A dot-parameter segment came.
    Parametric,
}

/// How what the second hop has read ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Out {
    /// Within a segment.
    Inner,
    /// With a slash.
    Slash,
    /// It is one slash.
    Root,
    /// It is several slashes, of which one is read.
    Slashes,
}

/// The segment of the first hop's path that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Segment {
    /// Nothing yet.
    Start,
    /// A dot.
    Dot,
    /// Two dots.
    Dots,
    /// Anything else.
    Other,
}

/// A directory that the second hop may stand in.
struct Directory {
    /// The state behind it.
    state: ListState,
    /// How it ends.
    out: Out,
    /// The state if the path ends with it.
    end: ListState,
}

/// The two machines and where they meet.
struct Product<'a> {
    /// The first list.
    first: ListMachine,
    /// The second list.
    second: ListMachine,
    /// Where the rewritten prefix meets the rest.
    junction: &'a Junction,
    /// The directory at the junction and the one above.
    directories: Vec<Directory>,
    /// The state behind a head that is text, or of a whole constant path.
    text: ListState,
    /// The state of a path of two slashes.
    slashes: ListState,
}

/// Searches paths of the wanted labels.
pub(super) fn explore(
    first: &PathList,
    second: &PathList,
    junction: &Junction,
    form: &Form,
    wanted: &mut BTreeSet<Label>,
    states: usize,
) -> Reach {
    let mut reach = Reach::default();
    if matches!(junction.head, Head::OpenEscape) {
        reach.doubt = Some(Excess::SplitEscape);
        return reach;
    }
    let mut product = Product::new(first, second, junction);
    let singled = ByteSet::from_bytes(b"/.;%").union(ByteSet::from_bytes(&junction.from));
    let bytes = Alphabet::of(&[product.first.bank(), product.second.bank()], form, singled);
    let mut trail = Trail::default();
    let Some(start) = product.start() else { return reach };
    let mut seen: FxHashSet<(u8, ListState, Hop)> = FxHashSet::default();
    let mut open = VecDeque::from([(0_u8, product.first.start(), start, trail.root())]);
    while let Some((shape, state, hop, at)) = open.pop_front() {
        for byte in bytes.bytes() {
            let shape = form.step(shape, byte);
            if shape == DEAD {
                continue;
            }
            let state = product.first.step(&state, byte);
            if !product.first.labels(state.remainder).contains(&VIA) {
                continue;
            }
            let Some(hop) = product.step(&hop, byte) else { continue };
            if !product.hopeful(&hop, wanted, reach.parametric.is_some()) {
                continue;
            }
            let key = (shape, state, hop);
            if seen.contains(&key) {
                continue;
            }
            if seen.len() >= states {
                reach.doubt = Some(Excess::TwoHops(states));
                return reach;
            }
            seen.insert(key.clone());
            let (shape, state, hop) = key;
            let at = trail.add(at, byte);
            if form.accepts(shape) {
                match (product.first.label(&state), product.end(&hop)) {
                    (Some(VIA), Ok(Some(label))) => {
                        if wanted.remove(&label) {
                            reach.found.push((label, trail.text(at)));
                        }
                    }
                    (Some(VIA), Ok(None)) if hop == Hop::Parametric => {
                        reach.parametric.get_or_insert_with(|| trail.text(at));
                    }
                    (None, _) | (_, Err(())) => {
                        let pattern = product.first.unsupported(first).or_else(|| product.second.unsupported(second));
                        reach.doubt.get_or_insert_with(|| pattern.map_or(Excess::TwoHops(states), Excess::Pattern));
                    }
                    (Some(_), Ok(_)) => {}
                }
                if wanted.is_empty() {
                    return reach;
                }
            }
            open.push_back((shape, state, hop, at));
        }
    }
    reach
}

/// A directory without superfluous slashes.
fn squeezed(directory: &str) -> String {
    let mut out = String::new();
    for c in directory.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    out
}

impl<'a> Product<'a> {
    /// Prepares the machines.
    fn new(first: &PathList, second: &PathList, junction: &'a Junction) -> Self {
        let mut second = ListMachine::new(second);
        let mut directories = Vec::new();
        let text = match &junction.head {
            Head::Text(text) | Head::Constant(text) => run(&mut second, text),
            Head::Dots { here, above, .. } => {
                directories.push(directory(&mut second, here, junction.merge));
                directories.push(directory(&mut second, above, junction.merge));
                second.start()
            }
            Head::Parameters(here) => {
                directories.push(directory(&mut second, here, junction.merge));
                second.start()
            }
            Head::Nothing | Head::Refused | Head::OpenEscape => second.start(),
        };
        let slashes = run(&mut second, "//");
        Self { first: ListMachine::new(first), second, junction, directories, text, slashes }
    }

    /// The state before any byte.
    fn start(&self) -> Option<Hop> {
        if self.junction.from.is_empty() { self.enter() } else { Some(Hop::Prefix(0)) }
    }

    /// The state when the prefix is read; `None` where the second hop refuses every path.
    fn enter(&self) -> Option<Hop> {
        Some(match &self.junction.head {
            Head::Nothing => Hop::Nothing,
            Head::Text(_) => Hop::Read(self.text.clone(), Out::Inner, Segment::Other),
            Head::Dots { dots, .. } => Hop::Dots(*dots),
            Head::Parameters(_) => Hop::Dropping(0),
            Head::Constant(_) => Hop::Constant,
            Head::Refused | Head::OpenEscape => return None,
        })
    }

    /// The state after one more byte of the first hop's path.
    fn step(&mut self, hop: &Hop, byte: u8) -> Option<Hop> {
        match hop {
            Hop::Prefix(read) => {
                let expected = self.junction.from.get(*read)?;
                let same = *expected == byte || (self.junction.ignore_case && expected.eq_ignore_ascii_case(&byte));
                match (same, read + 1 == self.junction.from.len()) {
                    (false, _) => None,
                    (true, true) => self.enter(),
                    (true, false) => Some(Hop::Prefix(read + 1)),
                }
            }
            Hop::Nothing => {
                let start = self.second.start();
                (byte == b'/').then(|| Hop::Read(self.second.step(&start, byte), Out::Root, Segment::Start))
            }
            Hop::Dots(dots) => Some(self.step_dots(*dots, byte)),
            Hop::Dropping(directory) if byte == b'/' => Some(self.begin(*directory)),
            Hop::Dropping(_) | Hop::Constant | Hop::Parametric => Some(hop.clone()),
            Hop::Read(state, out, segment) => Some(self.step_read(state, *out, *segment, byte)),
        }
    }

    /// One more byte behind a directory and some dots.
    fn step_dots(&mut self, dots: u8, byte: u8) -> Hop {
        let plain = matches!(&self.junction.head, Head::Dots { plain: true, .. });
        match (dots, byte) {
            (0 | 1, b'.') => Hop::Dots(dots + 1),
            (0, b'/') => {
                let Directory { state, out, .. } = &self.directories[0];
                let (state, out) = (state.clone(), *out);
                self.step_read(&state, out, Segment::Other, b'/')
            }
            (1, b'/') => self.begin(0),
            (2, b'/') => self.begin(1),
            (1 | 2, b';') if plain => Hop::Dropping(usize::from(dots - 1)),
            _ => {
                let mut state = self.directories[0].state.clone();
                for _ in 0..dots {
                    state = self.second.step(&state, b'.');
                }
                Hop::Read(self.second.step(&state, byte), Out::Inner, Segment::Other)
            }
        }
    }

    /// One more byte of a path that is read as it comes.
    fn step_read(&mut self, state: &ListState, out: Out, segment: Segment, byte: u8) -> Hop {
        if byte == b'/' && self.junction.merge && out != Out::Inner {
            let out = if out == Out::Slash { Out::Slash } else { Out::Slashes };
            return Hop::Read(state.clone(), out, Segment::Start);
        }
        let segment = match (segment, byte) {
            (Segment::Dot | Segment::Dots, b';') if self.junction.normalises => return Hop::Parametric,
            (_, b'/') => Segment::Start,
            (Segment::Start, b'.') => Segment::Dot,
            (Segment::Dot, b'.') => Segment::Dots,
            _ => Segment::Other,
        };
        let out = if byte == b'/' { Out::Slash } else { Out::Inner };
        Hop::Read(self.second.step(state, byte), out, segment)
    }

    /// Behind a directory.
    fn begin(&self, directory: usize) -> Hop {
        let Directory { state, out, .. } = &self.directories[directory];
        Hop::Read(state.clone(), *out, Segment::Start)
    }

    /// The label of the second list if the path ends here; `Ok(None)` where it gives none.
    fn end(&self, hop: &Hop) -> Result<Option<Label>, ()> {
        let state = match hop {
            Hop::Prefix(_) | Hop::Nothing | Hop::Parametric => return Ok(None),
            Hop::Dots(dots) => &self.directories[usize::from(*dots == 2)].end,
            Hop::Dropping(directory) => &self.directories[*directory].end,
            Hop::Read(_, Out::Slashes, _) => &self.slashes,
            Hop::Read(state, ..) => state,
            Hop::Constant => &self.text,
        };
        self.second.label(state).map(Some).ok_or(())
    }

    /// Whether something that is still looked for may come of it.
    fn hopeful(&self, hop: &Hop, wanted: &BTreeSet<Label>, parametric: bool) -> bool {
        match hop {
            Hop::Prefix(_)
            | Hop::Nothing
            | Hop::Dots(_)
            | Hop::Dropping(_)
            | Hop::Constant
            | Hop::Read(_, Out::Slashes, _) => true,
            // A dot-parameter segment may still come, and leads anywhere.
            Hop::Read(state, ..) => {
                (self.junction.normalises && !parametric)
                    || self.second.labels(state.remainder).iter().any(|label| wanted.contains(label))
            }
            Hop::Parametric => !parametric,
        }
    }
}

/// The state of a machine after a text.
fn run(machine: &mut ListMachine, text: &str) -> ListState {
    text.bytes().fold(machine.start(), |state, byte| machine.step(&state, byte))
}

/// A directory as the second hop reads it.
fn directory(machine: &mut ListMachine, path: &str, merge: bool) -> Directory {
    if !merge {
        let state = run(machine, path);
        return Directory { end: state.clone(), state, out: Out::Slash };
    }
    let squeezed = squeezed(path);
    let state = run(machine, &squeezed);
    match (squeezed.as_str(), path.len()) {
        ("/", 1) => Directory { end: state.clone(), state, out: Out::Root },
        ("/", _) => Directory { end: run(machine, "//"), state, out: Out::Slashes },
        _ => Directory { end: state.clone(), state, out: Out::Slash },
    }
}
