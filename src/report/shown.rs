//! A finding in words that may be shown anywhere: what every output says of it, each in its own form.

use super::curl::curl;
use super::request::request_line;
use super::secret::without_credentials;
use super::words::{line, lines, whole_line};
use crate::rule::{Finding, Severity, Status};
use crate::text::{Files, Position, Span};

/// A place with words.
#[derive(Debug, Clone)]
pub(super) struct ShownPlace {
    /// The file
    pub(super) file: String,
    /// First character
    pub(super) start: Position,
    /// Behind the last one
    pub(super) end: Position,
    /// What is there
    pub(super) message: String,
}

/// A finding in words.
#[derive(Debug, Clone)]
pub(super) struct Shown<'a> {
    /// The finding itself
    pub(super) finding: &'a Finding,
    /// What is true, where
    pub(super) place: ShownPlace,
    /// The request that gets through, and what becomes of its path
    pub(super) request: Option<String>,
    /// The same as a line for a shell
    pub(super) curl: Option<String>,
    /// What to do, in one line
    pub(super) help: Option<String>,
    /// The YAML to write
    pub(super) snippet: Option<String>,
}

impl<'a> Shown<'a> {
    /// A finding in words.
    pub(super) fn of(files: &Files, finding: &'a Finding) -> Self {
        let help = finding.help.as_deref().map(lines);
        let (help, snippet) = match help {
            Some(help) => match help.split_once('\n') {
                Some((words, yaml)) => (Some(words.trim_end_matches(':').to_owned()), Some(yaml.to_owned())),
                None => (Some(help), None),
            },
            None => (None, None),
        };
        let request = finding.witness.as_ref().map(|witness| {
            let seen = finding.seen_path.as_ref().map(|seen| format!("; the workload sees `{seen}`"));
            line(&format!("{}{}", request_line(&without_credentials(witness)), seen.unwrap_or_default()))
        });
        let curl = finding.witness.as_ref().and_then(|witness| curl(witness, finding.way.tls));
        Self {
            finding,
            place: place(files, finding.label.span, &finding.message),
            request,
            curl: curl.map(|curl| whole_line(&curl)),
            help,
            snippet,
        }
    }

    /// What becomes of the request: that it gets through or may, or that it is refused.
    pub(super) fn gets_through(&self) -> &'static str {
        match self.finding.status {
            Status::Broken if self.finding.way.refused => "is refused",
            Status::Broken => "gets through",
            Status::NotProven => "may get through",
        }
    }

    /// `error[rule]`, and whether it is not proven.
    pub(super) fn code(&self) -> String {
        let status = match self.finding.status {
            Status::Broken => "",
            Status::NotProven => ", not proven",
        };
        format!("{}[{}]{status}", self.finding.severity.word(), line(&self.finding.rule))
    }

    /// How many cells it stands for, where that is more than the one of the request.
    pub(super) fn cells(&self) -> Option<String> {
        (self.finding.cells > 1).then(|| format!("{} cells of the matrix", self.finding.cells))
    }

    /// Further places, those of rules that are folded into this one under their ids.
    pub(super) fn related(&self, files: &Files) -> Vec<ShownPlace> {
        let related = self.finding.related.iter().map(|related| {
            let message = match &related.rule {
                Some(rule) => format!("{rule}: {}", related.message),
                None => related.message.clone(),
            };
            place(files, related.span, &message)
        });
        related.collect()
    }

    /// Everything that is said of it, a line each: for outputs that have one field for it.
    pub(super) fn paragraphs(&self) -> Vec<String> {
        let mut said = vec![self.place.message.clone()];
        said.extend(self.request.as_ref().map(|request| format!("{}: {request}", self.gets_through())));
        said.extend(self.curl.as_ref().map(|curl| format!("try: {curl}")));
        said.extend(self.cells().map(|cells| format!("stands for {cells}")));
        said.extend(self.help.as_ref().map(|help| format!("help: {help}")));
        said
    }
}

/// A span with words, both made fit to be shown.
pub(super) fn place(files: &Files, span: Span, message: &str) -> ShownPlace {
    ShownPlace {
        file: line(files.name(span.file)),
        start: files.position(span.file, span.start),
        end: files.position(span.file, span.end),
        message: line(message),
    }
}

/// How many findings there are of each severity: `2 errors, 1 warning`.
pub(super) fn counted(findings: &[Finding]) -> String {
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
    let counts = counts.into_iter().filter_map(|(severity, word)| {
        let number = findings.iter().filter(|finding| finding.severity == severity).count();
        let plural = if number == 1 { "" } else { "s" };
        (number > 0).then(|| format!("{number} {word}{plural}"))
    });
    let counts: Vec<String> = counts.collect();
    if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") }
}
