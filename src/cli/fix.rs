//! `check --fix`: edits that are proven, as a diff, or written.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files")]

use std::fs;
use std::path::{Path, PathBuf};

use super::args::{CheckArgs, Format};
use super::error::Failure;
use super::input::Inputs;
use super::output;
use crate::author::{self, Mended, Worlds};
use crate::report;
use crate::rule::{Report, Settling};
use crate::text::{FileId, Files};

/// The mark by which some editors begin UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Fails where standard output would have to be two things.
pub(super) fn judge(args: &CheckArgs) -> Result<(), Failure> {
    let shown = |format: Format| format != Format::Text;
    if args.mending.is_shown() && args.format.iter().any(|output| output.file.is_none() && shown(output.format)) {
        let message = "by `--fix` standard output is a diff: write findings to a file, as in `--format json=FILE`, or \
                       make the edits by `--write`";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(())
}

/// Mends what can be mended: shows it, or writes it and leaves the findings that stay. Files other than standard output get
/// the findings in either case.
pub(super) fn mend(
    args: &CheckArgs,
    inputs: &Inputs,
    report: Report,
    by: &Settling<'_>,
) -> Result<(Files, Report), Failure> {
    let load = |files: &Files| inputs.load(files);
    let worlds = Worlds { load: &load, settling: by, closed: &inputs.closed };
    let Mended { files, report: rest, kept, left } = author::mend(&inputs.files, &report, &worlds);
    let shown = if args.mending.write {
        write(inputs, &files)?;
        (files, author::with_proven(rest, &[]))
    } else {
        output::say(&report::fixes_diff(&inputs.files, &files))?;
        (inputs.files.clone(), author::with_proven(report, &kept))
    };
    if !args.input.quiet {
        output::note(&report::fixes_summary(&inputs.files, &kept, &left, args.mending.write));
    }
    Ok(shown)
}

/// Writes the files that changed. All of them are held against what was read before the first is written.
fn write(inputs: &Inputs, files: &Files) -> Result<(), Failure> {
    let changed = files.ids().filter(|file| files.text(*file) != inputs.files.text(*file));
    let bytes = changed.map(|file| {
        let path = PathBuf::from(inputs.files.name(file));
        bytes(inputs, file, &path, files.text(file)).map(|bytes| (path, bytes))
    });
    let bytes: Vec<(PathBuf, Vec<u8>)> = bytes.collect::<Result<_, Failure>>()?;
    for (path, bytes) in bytes {
        fs::write(&path, bytes).map_err(|source| Failure::Unwritable { path, source })?;
    }
    Ok(())
}

/// What a file holds with its new text.
fn bytes(inputs: &Inputs, file: FileId, path: &Path, text: &str) -> Result<Vec<u8>, Failure> {
    let read = fs::read(path).map_err(|source| Failure::Unreadable { path: path.to_owned(), source })?;
    let known = inputs.files.text(file).as_bytes();
    match read.strip_suffix(known) {
        Some(mark) if mark.is_empty() || mark == MARK => Ok([mark, text.as_bytes()].concat()),
        Some(_) | None => Err(Failure::Usage(format!("`{}` is not what was read any more", path.display()))),
    }
}
