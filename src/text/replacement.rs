//! Edits of texts: which bytes become which text, and where everything else stands afterwards.

use super::files::{FileId, Files, Span};

/// Bytes of a file, and what stands in their place. An empty span inserts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replacement {
    /// What is taken out
    pub span: Span,
    /// What is put in
    pub text: String,
}

impl Replacement {
    /// Whether two edits speak of the same bytes, so that the one leaves the other nothing certain to say.
    pub fn meets(&self, other: &Self) -> bool {
        let (one, two) = (self.span, other.span);
        one.file == two.file && (one.start == two.start || (one.start < two.end && two.start < one.end))
    }

    /// By how many bytes it makes its file longer.
    fn growth(&self) -> i64 {
        let taken = i64::from(self.span.end) - i64::from(self.span.start);
        i64::try_from(self.text.len()).unwrap_or(i64::MAX) - taken
    }
}

/// Where a byte of a file stands once edits of which none meets another are made. What begins where something is inserted
/// stands behind it.
pub fn moved(edits: &[Replacement], file: FileId, offset: u32) -> u32 {
    let before = edits.iter().filter(|edit| edit.span.file == file && edit.span.end <= offset);
    let before = before.filter(|edit| edit.span.start < offset || edit.span.start == edit.span.end);
    let grown: i64 = before.map(Replacement::growth).sum();
    u32::try_from(i64::from(offset) + grown).unwrap_or(offset)
}

impl Files {
    /// The same files with edits made, of which none meets another.
    #[must_use]
    pub fn edited(&self, edits: &[Replacement]) -> Self {
        let mut edited = self.clone();
        let mut edits: Vec<&Replacement> = edits.iter().collect();
        // From the end of each file, so that what is still to come stands where it stood.
        edits.sort_by_key(|edit| std::cmp::Reverse((edit.span.file, edit.span.start)));
        for edit in edits {
            edited.splice(edit.span, &edit.text);
        }
        edited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An edit of the only file.
    fn edit(start: u32, end: u32, text: &str) -> Replacement {
        Replacement { span: Span { file: FileId(0), start, end }, text: text.to_owned() }
    }

    #[test]
    fn what_is_not_edited_keeps_its_text_and_moves() {
        let mut files = Files::default();
        let file = files.add("a.yaml", "one two three");
        let edits = [edit(4, 7, "2"), edit(7, 7, ", 2½"), edit(0, 3, "first")];
        let edited = files.edited(&edits);
        assert_eq!(edited.text(file), "first 2, 2½ three");
        let three = moved(&edits, file, 8) as usize;
        assert_eq!(edited.text(file).get(three..), Some("three"));
        assert_eq!((moved(&edits, file, 0), moved(&edits, file, 4)), (0, 6), "what is replaced begins where it began");
        assert_eq!(files.text(file), "one two three");
    }

    #[test]
    fn edits_meet_where_they_share_bytes_or_a_beginning() {
        assert!(edit(4, 7, "").meets(&edit(6, 9, "")) && edit(4, 4, "a").meets(&edit(4, 4, "b")));
        assert!(!edit(4, 7, "").meets(&edit(7, 7, "a")) && !edit(0, 3, "").meets(&edit(4, 7, "")));
    }
}
