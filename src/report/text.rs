//! Findings for people, drawn by miette.

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, Severity as Level};

use textwrap::{WordSeparator, WordSplitter};

use super::request::request_line;
use super::source::Source;
use crate::rule::{Finding, Report, Severity, Status};
use crate::text::Files;

/// How findings are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether there are colours
    pub colour: bool,
    /// Whether every witness comes with its `eval` request
    pub verbose: bool,
    /// Columns
    pub width: usize,
}

/// A finding with its source, as miette draws it.
#[derive(Debug)]
struct Drawn {
    /// What is said
    diagnostic: MietteDiagnostic,
    /// Where
    source: Source,
    /// Places in other files
    related: Vec<Self>,
}

impl std::fmt::Display for Drawn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.diagnostic.fmt(f)
    }
}

impl std::error::Error for Drawn {}

impl miette::Diagnostic for Drawn {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.diagnostic.code()
    }

    fn severity(&self) -> Option<Level> {
        self.diagnostic.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.diagnostic.help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.diagnostic.labels()
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.related.iter().map(|drawn| drawn as &dyn miette::Diagnostic)))
    }
}

/// All findings.
pub fn text(files: &Files, report: &Report, look: Look) -> String {
    let theme = if look.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    // Names are broken nowhere: they are there to be copied.
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_links(false)
        .with_context_lines(2)
        .with_break_words(false)
        .with_word_separator(WordSeparator::AsciiSpace)
        .with_word_splitter(WordSplitter::NoHyphenation);
    let mut drawn = String::new();
    for finding in &report.findings {
        // Writing to a string cannot fail.
        let _ = handler.render_report(&mut drawn, &draw(files, finding, look));
        drawn.push('\n');
    }
    drawn
}

/// One finding.
fn draw(files: &Files, finding: &Finding, look: Look) -> Drawn {
    let file = finding.label.span.file;
    let source = Source::new(files, file);
    let mut labels =
        vec![LabeledSpan::new_primary_with_span(Some(finding.label.text.clone()), source.span(finding.label.span))];
    let mut elsewhere = Vec::new();
    for place in &finding.related {
        let text = match &place.rule {
            Some(rule) => format!("{}: {}", rule, place.message),
            None => place.message.clone(),
        };
        if place.span.file == file {
            labels.push(LabeledSpan::new_with_span(Some(text), source.span(place.span)));
        } else {
            let other = Source::new(files, place.span.file);
            let label = LabeledSpan::new_primary_with_span(None, other.span(place.span));
            elsewhere.push(Drawn {
                diagnostic: MietteDiagnostic::new(text).with_severity(Level::Advice).with_labels([label]),
                source: other,
                related: Vec::new(),
            });
        }
    }
    let status = match finding.status {
        Status::Broken => String::new(),
        Status::NotProven => ", not proven".to_owned(),
    };
    let code = format!("{}[{}]{status}", finding.severity.word(), finding.rule);
    let level = match finding.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Info => Level::Advice,
    };
    let mut diagnostic =
        MietteDiagnostic::new(finding.message.clone()).with_code(code).with_severity(level).with_labels(labels);
    if let Some(help) = help(finding, look) {
        diagnostic = diagnostic.with_help(help);
    }
    Drawn { diagnostic, source, related: elsewhere }
}

/// The witness, what it stands for, and what to do.
fn help(finding: &Finding, look: Look) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(witness) = &finding.witness {
        let gets = if finding.status == Status::Broken { "gets through" } else { "may get through" };
        let seen = finding.seen_path.as_ref().map_or_else(String::new, |path| format!("; the workload sees {path}"));
        parts.push(format!("{gets}: {}{seen}", request_line(witness)));
        if look.verbose {
            parts.extend(serde_json::to_string(witness).ok());
        }
    }
    if finding.cells > 1 {
        parts.push(format!("{} cells of the matrix have this cause", finding.cells));
    }
    parts.extend(finding.help.clone());
    (!parts.is_empty()).then(|| parts.join("\n"))
}
