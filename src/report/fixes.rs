//! Edits as a unified diff, and in words.

use std::ops::Range;

use similar::{DiffTag, TextDiff};

use super::request::place;
use super::secret::hide_in_manifests;
use super::words::{is_obeyed, line};
use crate::author::{Kept, Left};
use crate::rule::Effect;
use crate::text::{FileId, Files};

/// Lines around a change.
const CONTEXT: usize = 3;

/// What changes from some texts to others of the same names, as `patch -p0` takes it.
pub fn fixes_diff(before: &Files, after: &Files) -> String {
    before.ids().map(|file| of_file(before, after, file)).collect()
}

/// What changes in a file. Lines around a change that hold what is nobody's business are left out, and those beyond them.
fn of_file(before: &Files, after: &Files, file: FileId) -> String {
    let (old, new) = (before.text(file), after.text(file));
    if old == new {
        return String::new();
    }
    let diff = TextDiff::from_lines(old, new);
    let hidden = hide_in_manifests(old);
    let is_secret = |range: Range<usize>| {
        let lines = old.split_inclusive('\n').zip(hidden.split_inclusive('\n')).skip(range.start).take(range.len());
        lines.into_iter().any(|(written, shown)| written != shown || written.chars().any(is_obeyed))
    };
    let shows_secret = |radius: usize| {
        let mut hunks = diff.grouped_ops(radius).into_iter().flatten();
        hunks.any(|op| op.tag() == DiffTag::Equal && is_secret(op.old_range()))
    };
    // Where a carriage return ends a line, lines are not counted alike.
    let most = if old.replace("\r\n", "").contains('\r') { 0 } else { CONTEXT };
    let radius = (0..=most).rev().find(|radius| !shows_secret(*radius)).unwrap_or(0);
    let name = line(before.name(file));
    diff.unified_diff().context_radius(radius).header(&name, &name).to_string()
}

/// What became of edits, a line for each.
pub fn fixes_summary(files: &Files, kept: &[Kept], left: &[Left], written: bool) -> String {
    let made = if written { "mended" } else { "would mend" };
    let kept_lines = kept.iter().map(|kept| {
        let what = match kept.effect {
            Effect::Closes => "it only refuses more",
            Effect::Opens => "it only lets more in",
        };
        format!("{made} {} ({}): {what}", kept.rule, place(files, kept.span))
    });
    let left_lines =
        left.iter().map(|left| format!("not mended: {} ({}): {}", left.rule, place(files, left.span), left.reason));
    let closing = match (kept.len(), written) {
        (0, _) => Some("nothing to mend by itself".to_owned()),
        (1, false) => Some("1 edit, which `--write` makes".to_owned()),
        (count, false) => Some(format!("{count} edits, which `--write` makes")),
        (_, true) => None,
    };
    kept_lines.chain(left_lines).chain(closing).map(|said| line(&said) + "\n").collect()
}
