//! A file as miette reads it: lines from our own table, no secret and nothing that a terminal obeys.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::secret::hide_in_manifests;
use super::words::{is_obeyed, line, may_be_obeyed};
use crate::text::{FileId, Files, Span};

/// Bytes of a line that is not shown whole.
const LONG_LINE: usize = 400;
/// Bytes of a span that are marked.
const LONG_MARK: usize = 100;
/// Bytes around a span that are shown of such a line.
const SURROUNDINGS: usize = 60;

/// A file of the run as it is shown: secrets hidden, control characters escaped.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Name to show
    name: String,
    /// Text to show
    text: String,
    /// Offset of the first byte of each line of it
    lines: Vec<usize>,
    /// Where it is longer than the file from there on, and by how many bytes
    longer: Vec<(usize, usize)>,
}

impl Source {
    /// The source of a file.
    pub(super) fn new(files: &Files, file: FileId) -> Self {
        let written = hide_in_manifests(files.text(file));
        let mut text = String::with_capacity(written.len());
        let mut longer = Vec::new();
        let mut shown = 0;
        for at in written.bytes().enumerate().filter(|(_, byte)| may_be_obeyed(*byte)).map(|(at, _)| at) {
            let Some(character) = written.get(at..).and_then(|rest| rest.chars().next()) else { continue };
            let after = written.as_bytes().get(at + 1);
            if is_obeyed(character) || (character == '\r' && after != Some(&b'\n')) {
                text.push_str(written.get(shown..at).unwrap_or_default());
                text.extend(character.escape_default());
                shown = at + character.len_utf8();
                longer.push((shown, text.len() - shown));
            }
        }
        text.push_str(written.get(shown..).unwrap_or_default());
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Self { name: line(files.name(file)), text, lines, longer }
    }

    /// Where a byte of the file stands in what is shown.
    fn shown_at(&self, offset: u32) -> usize {
        let offset = offset as usize;
        let before = self.longer.partition_point(|(from, _)| *from <= offset).checked_sub(1);
        let more = before.and_then(|index| self.longer.get(index)).map_or(0, |(_, more)| *more);
        (offset + more).min(self.text.len())
    }

    /// The span as miette wants it, within the text and never empty where there is something to mark.
    pub(super) fn span(&self, span: Span) -> SourceSpan {
        let (mut start, end) = (self.shown_at(span.start), self.shown_at(span.end));
        // The first line tells enough, and a marker over ten lines tells less.
        let marked = self.text.get(start..end).unwrap_or_default();
        let mut lines = marked.lines();
        let first = lines.next().unwrap_or_default();
        // A comment behind the first of several lines is not what is meant.
        let first = if lines.next().is_some() { first.split(" #").next().unwrap_or(first) } else { first };
        // What fills screens itself is marked by its beginning.
        let first = first.trim_end();
        let mut width = first.len().min(LONG_MARK);
        while !first.is_char_boundary(width) {
            width -= 1;
        }
        if width == 0 {
            let before = self.text.get(..start).unwrap_or_default();
            let step = before.chars().next_back().map_or(0, char::len_utf8);
            start -= step;
            width = step;
        }
        (start, width).into()
    }

    /// The column of the middle of a span, from 0.
    pub(super) fn middle(&self, span: &SourceSpan) -> usize {
        let line = self.lines.partition_point(|line| *line <= span.offset()).max(1) - 1;
        let start = self.lines.get(line).copied().unwrap_or(0);
        let before = self.text.get(start..span.offset()).unwrap_or_default().chars().count();
        before + span.len() / 2
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let length = self.text.len();
        let start = span.offset().min(length);
        let end = (span.offset() + span.len()).min(length);
        let line_of = |offset: usize| self.lines.partition_point(|line| *line <= offset).max(1) - 1;
        let offset_of = |line: usize| self.lines.get(line).copied().unwrap_or(length);
        let line = line_of(start);
        let (line_start, line_end) = (offset_of(line), offset_of(line + 1));
        if line_end - line_start > LONG_LINE {
            // Of a line that fills screens only the surroundings of the span are shown.
            let boundary = |mut at: usize| {
                while !self.text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let from = boundary(start.saturating_sub(SURROUNDINGS).max(line_start));
            let to = boundary((end + SURROUNDINGS).min(line_end));
            let data = self.text.as_bytes().get(from..to).ok_or(MietteError::OutOfBounds)?;
            let place = (from, to - from).into();
            let contents = MietteSpanContents::new_named(self.name.clone(), data, place, line, from - line_start, 1);
            return Ok(Box::new(contents));
        }
        // Lines around it that fill screens are left out.
        let is_short = |line: &usize| offset_of(line + 1) - offset_of(*line) <= LONG_LINE;
        let above = (line.saturating_sub(before)..line).rev().take_while(is_short).count();
        let below = line_of(end) + 1..(line_of(end) + after + 1).min(self.lines.len());
        let first = line - above;
        let last = line_of(end) + 1 + below.take_while(is_short).count();
        let from = if before == 0 { start } else { offset_of(first) };
        let to = offset_of(last).max(end);
        let column = if before == 0 { start - offset_of(line_of(start)) } else { 0 };
        let first = if before == 0 { line_of(start) } else { first };
        let data = self.text.as_bytes().get(from..to).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data,
            (from, to - from).into(),
            first,
            column,
            last.saturating_sub(first),
        )))
    }
}
