//! How bad findings are where the owner says so: for all files, and for some.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use super::Severity;
use super::finding::{Finding, Status};
use crate::config::{Config, Level, NotProven, Severities};
use crate::text::{FileId, Files, Spanned};

/// Files by the names that globs of the owner are held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    /// As given on the command line
    pub(super) files: &'a Files,
    /// From the directory of the configuration, where they stand below it
    pub(super) relative: &'a BTreeMap<FileId, String>,
}

impl<'a> Names<'a> {
    /// The name of a file.
    pub(super) fn of(self, file: FileId) -> &'a str {
        self.relative.get(&file).map_or_else(|| self.files.name(file), String::as_str)
    }
}

/// A glob in which `*` stays within a directory. What is none was told when the configuration was read.
pub(super) fn glob(written: &Spanned<String>) -> Option<GlobMatcher> {
    GlobBuilder::new(&written.value).literal_separator(true).build().ok().map(|glob| glob.compile_matcher())
}

/// What an override says, ready to be held against files.
struct Ready<'c> {
    /// Its files
    files: Vec<GlobMatcher>,
    /// Rules that are not asked
    ignore: &'c [Spanned<String>],
    /// How bad
    severity: &'c Severities,
}

/// Gives findings the severities that the owner wants, and drops those that are switched off.
pub(super) fn apply(names: Names<'_>, config: &Config, findings: &mut Vec<Finding>) {
    let ready: Vec<Ready<'_>> = config
        .overrides
        .iter()
        .map(|one| Ready {
            files: one.files.iter().filter_map(glob).collect(),
            ignore: &one.ignore,
            severity: &one.severity,
        })
        .collect();
    findings.retain_mut(|finding| match level(names, config, &ready, finding) {
        Some(Level::Off) => false,
        Some(level) => {
            finding.severity = severity(level).unwrap_or(finding.severity);
            if finding.status == Status::NotProven && config.not_proven == Some(NotProven::Warning) {
                finding.severity = finding.severity.min(Severity::Warning);
            }
            true
        }
        None => true,
    });
}

/// What the owner says of a finding; the last override that matches its file comes before the rest.
fn level(names: Names<'_>, config: &Config, overrides: &[Ready<'_>], finding: &Finding) -> Option<Level> {
    let of =
        |severities: &Severities| severities.iter().find(|(id, _)| id.value == *finding.rule).map(|(_, level)| *level);
    let name = names.of(finding.label.span.file);
    let matching = overrides.iter().rev().filter(|one| one.files.iter().any(|glob| glob.is_match(name)));
    let by_file = matching.map(|one| {
        let ignored = one.ignore.iter().any(|id| id.value == *finding.rule);
        if ignored { Some(Level::Off) } else { of(one.severity) }
    });
    by_file.flatten().next().or_else(|| of(&config.severity))
}

/// The severity of a level; none where there is to be no finding.
fn severity(level: Level) -> Option<Severity> {
    match level {
        Level::Error => Some(Severity::Error),
        Level::Warning => Some(Severity::Warning),
        Level::Info => Some(Severity::Info),
        Level::Off => None,
    }
}
