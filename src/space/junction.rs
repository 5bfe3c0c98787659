//! Where a rewritten prefix meets the rest of the path. Only the one segment that spans the junction can become
//! a dot segment, so a few states tell what the second normalisation makes of it.

use super::normalize::{Normalization, canonical, merged, unescaped_slashes};

/// How the second hop's path is made of the first's.
#[derive(Clone, Debug)]
pub(super) struct Junction {
    /// What the path begins with at the first hop; it is dropped.
    pub(super) from: Vec<u8>,
    /// Whether in any ASCII case.
    pub(super) ignore_case: bool,
    /// Whether the second hop merges slashes.
    pub(super) merge: bool,
    /// Whether the second hop normalises at all.
    pub(super) normalises: bool,
    /// What stands in its place.
    pub(super) head: Head,
}

/// What the second hop reads before the rest of the path.
#[derive(Clone, Debug)]
pub(super) enum Head {
    /// Nothing: the rest must begin with a slash.
    Nothing,
    /// This text, already normal, within a segment that is no dot segment.
    Text(String),
    /// A directory and a segment of so many dots, still open.
    Dots {
        /// How many dots.
        dots: u8,
        /// Whether they are written as dots, so parameters would be removed.
        plain: bool,
        /// The directory.
        here: String,
        /// The directory above.
        above: String,
    },
    /// A directory; the rest of the segment is dropped.
    Parameters(String),
    /// The rest is dropped altogether.
    Constant(String),
    /// The second hop answers 400.
    Refused,
    /// An escape may be completed by the rest.
    OpenEscape,
}

impl Junction {
    /// The path is kept.
    pub(super) fn keep(mode: Normalization) -> Self {
        Self {
            from: Vec::new(),
            ignore_case: false,
            merge: matches!(mode, Normalization::MergeSlashes | Normalization::DecodeAndMergeSlashes),
            normalises: mode != Normalization::None,
            head: Head::Nothing,
        }
    }

    /// A prefix is replaced.
    pub(super) fn splice(from: &str, to: &str, ignore_case: bool, mode: Normalization) -> Self {
        Self { from: from.as_bytes().to_vec(), ignore_case, head: head(to, mode), ..Self::keep(mode) }
    }
}

/// What a replacement is at the second hop.
fn head(to: &str, mode: Normalization) -> Head {
    if to.is_empty() {
        return Head::Nothing;
    }
    if to.contains(['?', '#']) {
        let path = super::normalize::normalize(to, mode);
        let path = path.map(|path| path.split_once('?').map_or(path.clone(), |(path, _)| path.to_owned()));
        return path.map_or(Head::Refused, Head::Constant);
    }
    if !to.starts_with('/') || !to.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Head::Refused;
    }
    if mode == Normalization::None {
        return Head::Text(to.to_owned());
    }
    let open = |text: &str| {
        let bytes = text.as_bytes();
        matches!(bytes, [.., b'%'] | [.., b'%', b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F'])
    };
    if open(to) {
        return Head::OpenEscape;
    }
    let to = if mode == Normalization::DecodeAndMergeSlashes { unescaped_slashes(to) } else { to.to_owned() };
    // Parameters are removed between slashes only, so a backslash is no border there.
    let raw_segment = to.rsplit_once('/').map_or("", |(_, segment)| segment).to_owned();
    let Some(cut) = to.rfind(['/', '\\']) else { return Head::Refused };
    let (directory, segment) = to.split_at(cut + 1);
    let (Some(here), Some(above)) = (canonical_directory(directory, ""), canonical_directory(directory, "..")) else {
        return Head::Refused;
    };
    if raw_segment.starts_with("..;") {
        return match raw_parameters(&to, "..") {
            Some(directory) => Head::Parameters(directory),
            None => Head::Refused,
        };
    }
    if raw_segment.starts_with(".;") {
        return match raw_parameters(&to, ".") {
            Some(directory) => Head::Parameters(directory),
            None => Head::Refused,
        };
    }
    let dots = segment.replace("%2e", ".").replace("%2E", ".");
    if matches!(dots.as_str(), "" | "." | "..") {
        let plain = segment == raw_segment && !segment.contains('%');
        let dots = u8::try_from(dots.len()).unwrap_or(2);
        return Head::Dots { dots, plain, here, above };
    }
    match canonical(&to) {
        Some(text) => Head::Text(finished(&text, mode)),
        None => Head::Refused,
    }
}

/// The directory that a replacement ending in a dot segment with parameters leads to.
fn raw_parameters(to: &str, dots: &str) -> Option<String> {
    let (directory, _) = to.rsplit_once('/')?;
    canonical(&format!("{directory}/{dots}"))
}

/// A directory, or what a segment behind it leads to.
fn canonical_directory(directory: &str, segment: &str) -> Option<String> {
    canonical(&format!("{directory}{segment}"))
}

/// Merges slashes of a head that ends within a segment.
fn finished(text: &str, mode: Normalization) -> String {
    if mode == Normalization::Base { text.to_owned() } else { merged(text) }
}
