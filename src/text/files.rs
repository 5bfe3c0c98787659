//! The texts of a run, their names and their lines.

use std::sync::OnceLock;

/// A file of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes of a file, half-open, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file
    pub file: FileId,
    /// First byte
    pub start: u32,
    /// Behind the last byte
    pub end: u32,
}

/// A place as people count: both from 1, columns in Unicode code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1
    pub line: u32,
    /// Column, from 1
    pub column: u32,
}

/// One file.
#[derive(Debug, Clone)]
struct File {
    /// As given on the command line
    name: String,
    /// Its text
    text: String,
    /// Offset of the first byte of each line, once somebody asks
    lines: OnceLock<Vec<u32>>,
}

/// All files of a run.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// In the order added
    files: Vec<File>,
}

impl Files {
    /// Adds a file. Texts beyond 4 GiB are cut there.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push(File { name: name.into(), text: text.into(), lines: OnceLock::new() });
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// The file behind an id; ids come from [`Files::add`].
    fn file(&self, id: FileId) -> Option<&File> {
        self.files.get(usize::try_from(id.0).ok()?)
    }

    /// Its name, empty for an id of another run.
    pub fn name(&self, id: FileId) -> &str {
        self.file(id).map_or("", |file| &file.name)
    }

    /// Its text.
    pub fn text(&self, id: FileId) -> &str {
        self.file(id).map_or("", |file| &file.text)
    }

    /// Puts a text in the place of a span; nothing where that does not lie on characters of the file.
    pub(super) fn splice(&mut self, span: Span, text: &str) {
        let file = usize::try_from(span.file.0).ok().and_then(|index| self.files.get_mut(index));
        let (start, end) = (span.start as usize, span.end as usize);
        if let Some(file) = file.filter(|file| file.text.get(start..end).is_some()) {
            file.text.replace_range(start..end, text);
            file.lines = OnceLock::new();
        }
    }

    /// Offsets of the first byte of each line.
    pub fn line_starts(&self, id: FileId) -> &[u32] {
        self.file(id).map_or(&[], |file| {
            file.lines.get_or_init(|| {
                let ends = memchr::memchr_iter(b'\n', file.text.as_bytes());
                std::iter::once(0).chain(ends.filter_map(|at| u32::try_from(at + 1).ok())).collect()
            })
        })
    }

    /// The text of a span; empty where it does not lie on characters of the file.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// The span, or where it is empty the text of the line it stands on: what is not there has no place of its own.
    pub fn visible(&self, span: Span) -> Span {
        if !self.slice(span).trim().is_empty() {
            return span;
        }
        let text = self.text(span.file);
        let at = (span.start as usize).min(text.len());
        let rest_of_line = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length);
        let before = text.get(..rest_of_line).unwrap_or_default().trim_end();
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let indent = before.len() - line - before.get(line..).unwrap_or_default().trim_start().len();
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: span.file, start: offset(line + indent), end: offset(before.len()) }
    }

    /// Line and column of a byte.
    pub fn position(&self, file: FileId, offset: u32) -> Position {
        let lines = self.line_starts(file);
        let line = lines.partition_point(|start| *start <= offset).max(1);
        let start = lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text(file).get(start as usize..offset as usize);
        let column = before.map_or(offset - start, |before| u32::try_from(before.chars().count()).unwrap_or(0));
        Position { line: u32::try_from(line).unwrap_or(u32::MAX), column: column + 1 }
    }

    /// Every file, in the order added.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).map(FileId)
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_line_feeds() {
        let mut files = Files::default();
        let file = files.add("a.yaml", "ab\n世界x\r\nlast");
        assert_eq!(files.position(file, 0), Position { line: 1, column: 1 });
        assert_eq!(files.position(file, 9), Position { line: 2, column: 3 });
        assert_eq!(files.position(file, 12), Position { line: 3, column: 1 });
        assert_eq!(files.position(file, 16), Position { line: 3, column: 5 });
    }
}
