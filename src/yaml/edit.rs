//! Edits of a text by which one value of it becomes another, or gets a twin: comments and layout stay, and the text that
//! comes out is read again before the edit is offered.

use super::node::{Document, Node, offset};
use super::stream::{ProblemKind, Stream, read};
use crate::text::{Replacement, Span};

/// What becomes of a string, or of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Another one in its place
    Instead(String),
    /// Another one behind it, in the same list
    Beside(String),
}

/// The edit by which a value changes. `Err`: why it is left to whoever wrote the text.
pub fn edit(text: &str, at: Span, change: &Change) -> Result<Replacement, &'static str> {
    let before = read(at.file, text);
    if before.problems.iter().any(|problem| problem.kind == ProblemKind::Template) {
        return Err("the file holds a template");
    }
    if !before.problems.is_empty() {
        return Err("the file cannot be read as a whole");
    }
    match before.documents.iter().map(|document| count(document.root(), at)).sum::<usize>() {
        1 => {}
        0 => return Err("the value does not stand in the text as it is read"),
        _ => return Err("an alias repeats the value elsewhere"),
    }
    let written = text.get(at.start as usize..at.end as usize).unwrap_or_default();
    let style = Style::of(written)?;
    let edit = match change {
        Change::Instead(value) => Replacement { span: at, text: style.write(value) },
        Change::Beside(value) => insertion(text, at, &style.write(value))?,
    };
    let mut after = text.to_owned();
    after.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    if is_as_meant(&before, &read(at.file, &after), at, change) {
        Ok(edit)
    } else {
        Err("the layout leaves no plain place for it")
    }
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Without quotes
    Plain,
    /// Within `'`
    Single,
    /// Within `"`
    Double,
}

impl Style {
    /// How a scalar is written that stands on one line.
    fn of(written: &str) -> Result<Self, &'static str> {
        match written.bytes().next() {
            _ if written.contains('\n') => Err("the value is written over several lines"),
            Some(b'&' | b'*' | b'!') | None => Err("the value has an anchor, an alias or a tag"),
            Some(b'"') => Ok(Self::Double),
            Some(b'\'') => Ok(Self::Single),
            Some(_) => Ok(Self::Plain),
        }
    }

    /// A value as it is written beside others of that style. Without quotes only what no reader takes for anything else.
    fn write(self, value: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-');
        match self {
            Self::Plain if value.bytes().all(plain) => value.to_owned(),
            Self::Single => format!("'{}'", value.replace('\'', "''")),
            Self::Plain | Self::Double => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

/// What puts a value behind an item of a list: on a line of its own where the item has one, else behind a comma.
fn insertion(text: &str, item: Span, value: &str) -> Result<Replacement, &'static str> {
    let (start, end) = (item.start as usize, item.end as usize);
    let line = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let lead = text.get(line..start).unwrap_or_default();
    let rest = text.get(end..).unwrap_or_default();
    let at = |place: usize| Span { file: item.file, start: offset(place), end: offset(place) };
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    match lead.trim() {
        "-" => match rest.find('\n') {
            Some(newline) => Ok(Replacement { span: at(end + newline + 1), text: format!("{lead}{value}{ending}") }),
            None => Ok(Replacement { span: at(text.len()), text: format!("{ending}{lead}{value}") }),
        },
        "" => Ok(Replacement { span: at(end), text: format!(",{ending}{lead}{value}") }),
        lead if lead.starts_with('-') && !lead.contains('[') => Err("the item has an anchor, or is an item of an item"),
        _ => Ok(Replacement { span: at(end), text: format!(", {value}") }),
    }
}

/// How often a document has a scalar, or a key, of a place.
fn count(node: Node<'_>, at: Span) -> usize {
    let own = usize::from(node.as_str().is_some() && node.span() == at);
    let keys = node.entries().map(|(_, key, value)| usize::from(key == at) + count(value, at));
    own + keys.sum::<usize>() + node.items().map(|item| count(item, at)).sum::<usize>()
}

/// Whether a text became one that says the same but for the change, with the same comments.
fn is_as_meant(before: &Stream<'_>, after: &Stream<'_>, at: Span, change: &Change) -> bool {
    let comments =
        |stream: &Stream<'_>| stream.comments.iter().map(|comment| comment.text.to_owned()).collect::<Vec<_>>();
    let documents = before.documents.iter().zip(&after.documents);
    after.problems.is_empty()
        && before.documents.len() == after.documents.len()
        && comments(before) == comments(after)
        && documents
            .into_iter()
            .all(|(old, new): (&Document<'_>, &Document<'_>)| holds(old.root(), new.root(), at, change))
}

/// Whether a node is another one but for the change.
fn holds(old: Node<'_>, new: Node<'_>, at: Span, change: &Change) -> bool {
    let own = |span: Span| span == at;
    let meant = |key: &str, span: Span| match change {
        Change::Instead(value) if own(span) => value.clone(),
        Change::Instead(_) | Change::Beside(_) => key.to_owned(),
    };
    if let Some(text) = old.as_str() {
        return new.as_str() == Some(&meant(text, old.span()));
    }
    if old.entries().len() > 0 {
        let same = |((key, span, value), (other, _, with)): ((&str, Span, Node<'_>), (&str, Span, Node<'_>))| {
            meant(key, span) == other && holds(value, with, at, change)
        };
        return old.entries().len() == new.entries().len() && old.entries().zip(new.entries()).all(same);
    }
    let mut others = new.items();
    let items = old.items().all(|item| {
        let here = others.next().is_some_and(|other| holds(item, other, at, change));
        match change {
            Change::Beside(value) if own(item.span()) => {
                here && others.next().and_then(|twin| twin.as_str().map(str::to_owned)).as_ref() == Some(value)
            }
            Change::Beside(_) | Change::Instead(_) => here,
        }
    });
    let leaf = old.items().len() > 0 || old.equals(new);
    items && leaf && others.next().is_none()
}
