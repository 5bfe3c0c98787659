//! Findings for people, drawn by miette.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, Severity as Level, SourceSpan};
use rayon::prelude::*;
use textwrap::{Options, WordSeparator, WordSplitter};

use super::request::place;
use super::secret::without_credentials;
use super::shown::Shown;
use super::source::Source;
use super::words::line;
use crate::rule::{Finding, Report, Severity};
use crate::text::{FileId, Files};

/// Columns in front of the words of a label: line number, bars and the hook.
const GUTTER: usize = 14;
/// Columns that the words of a label get, however far to the right they stand.
const NARROW: usize = 24;

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

/// A finding or a further place with its source, as miette draws it.
#[derive(Debug)]
struct Drawn {
    /// What is said
    diagnostic: MietteDiagnostic,
    /// Where
    source: Arc<Source>,
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

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.diagnostic.labels()
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&*self.source)
    }
}

/// All findings.
pub fn text(files: &Files, report: &Report, look: Look) -> String {
    let theme = if look.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    // Findings are sorted by file, so those in a row mostly share one.
    let drawn = report.findings.par_chunks(IN_A_ROW).map(|findings| {
        let mut drawing = Drawing { files, look, theme: theme.clone(), sources: BTreeMap::new() };
        findings.iter().map(|finding| drawing.finding(finding) + "\n").collect::<String>()
    });
    drawn.collect::<Vec<String>>().concat()
}

/// Findings that one thread draws in a row.
const IN_A_ROW: usize = 32;

/// How findings of one run are drawn.
struct Drawing<'a> {
    /// Names and texts
    files: &'a Files,
    /// Colours and width
    look: Look,
    /// Characters and colours
    theme: GraphicalTheme,
    /// Files as they are shown, made when first needed
    sources: BTreeMap<FileId, Arc<Source>>,
}

impl Drawing<'_> {
    /// One finding: what is true, the places, the request and what to do.
    fn finding(&mut self, finding: &Finding) -> String {
        let shown = Shown::of(self.files, finding);
        let file = finding.label.span.file;
        let source = self.source(file);
        let span = source.span(finding.label.span);
        let primary = self.wrapped_label(&line(&finding.label.text), &source, &span);
        let mut here = vec![LabeledSpan::new_primary_with_span(Some(primary), span)];
        let mut elsewhere: Vec<(FileId, Vec<LabeledSpan>)> = Vec::new();
        for (place, words) in finding.related.iter().zip(shown.related(self.files)) {
            let source = self.source(place.span.file);
            let span = source.span(place.span);
            let label = LabeledSpan::new_with_span(Some(self.wrapped_label(&words.message, &source, &span)), span);
            if place.span.file == file {
                here.push(label);
                continue;
            }
            match elsewhere.iter_mut().find(|(known, _)| *known == place.span.file) {
                Some((_, labels)) => labels.push(label),
                None => elsewhere.push((place.span.file, vec![label])),
            }
        }
        let level = match finding.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Info => Level::Advice,
        };
        let diagnostic = MietteDiagnostic::new(shown.place.message.clone()).with_code(shown.code());
        let mut drawn = self.draw(&Drawn { diagnostic: diagnostic.with_severity(level).with_labels(here), source }, 2);
        for (file, labels) in elsewhere {
            drawn.push_str(&self.place_elsewhere(file, labels));
        }
        drawn.push_str(&self.footer(&shown));
        drawn
    }

    /// The words of a label, in lines that end where the terminal does.
    fn wrapped_label(&self, words: &str, source: &Source, span: &SourceSpan) -> String {
        let room = self.look.width.saturating_sub(GUTTER + source.middle(span)).max(NARROW);
        textwrap::fill(words, unbroken(room))
    }

    /// A file as it is shown.
    fn source(&mut self, file: FileId) -> Arc<Source> {
        Arc::clone(self.sources.entry(file).or_insert_with(|| Arc::new(Source::new(self.files, file))))
    }

    /// What miette makes of it, with so many lines around each label.
    fn draw(&self, drawn: &Drawn, context: usize) -> String {
        let handler = GraphicalReportHandler::new_themed(self.theme.clone())
            .with_width(self.look.width)
            .with_links(false)
            .with_context_lines(context)
            .with_break_words(false)
            .with_word_separator(WordSeparator::AsciiSpace)
            .with_word_splitter(WordSplitter::NoHyphenation);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = handler.render_report(&mut text, drawn);
        text
    }

    /// Labels in a file that is not the finding's own: the lines alone, for the labels say it all.
    fn place_elsewhere(&mut self, file: FileId, labels: Vec<LabeledSpan>) -> String {
        let source = self.source(file);
        let diagnostic = MietteDiagnostic::new("").with_severity(Level::Advice).with_labels(labels);
        let drawn = self.draw(&Drawn { diagnostic, source }, 1);
        let corner = format!("{}{}", self.theme.characters.ltop, self.theme.characters.hbar);
        // What stands before the lines is the empty message.
        let start = drawn
            .find(&corner)
            .map_or(0, |at| drawn.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1));
        drawn.get(start..).unwrap_or_default().to_owned()
    }

    /// The request, what it stands for and what to do.
    fn footer(&self, shown: &Shown<'_>) -> String {
        let mut text = String::new();
        if let Some(request) = &shown.request {
            self.append(&mut text, shown.gets_through(), request);
        }
        if let Some(curl) = &shown.curl {
            // A line to be copied is never broken.
            let _ = writeln!(text, "  {} {curl}", self.heading("try"));
        }
        if let (true, Some(witness)) = (self.look.verbose, &shown.finding.witness) {
            let request = serde_json::to_string(&*without_credentials(witness)).unwrap_or_default();
            let _ = writeln!(text, "  {} {request}", self.heading("for `eval`"));
        }
        if self.look.verbose && !shown.finding.way.steps.is_empty() {
            let _ = writeln!(text, "  {}", self.heading("hop by hop"));
            for step in &shown.finding.way.steps {
                let at = step.span.map_or_else(String::new, |span| format!(" ({})", place(self.files, span)));
                let _ = writeln!(text, "    {}", line(&format!("{}: {}{at}", step.at, step.what)));
            }
        }
        if let Some(cells) = shown.cells() {
            self.append(&mut text, "stands for", &cells);
        }
        if let Some(help) = &shown.help {
            self.append(&mut text, "help", help);
        }
        for line in shown.snippet.iter().flat_map(|snippet| snippet.lines()) {
            let _ = writeln!(text, "        {line}");
        }
        text
    }

    /// A heading in the colour of help.
    fn heading(&self, words: &str) -> String {
        format!("{}", self.theme.styles.help.style(format!("{words}:")))
    }

    /// Appends a paragraph under a heading.
    fn append(&self, text: &mut String, heading: &str, words: &str) {
        let indent = format!("  {} ", self.heading(heading));
        let options = unbroken(self.look.width.max(NARROW)).initial_indent(&indent).subsequent_indent("        ");
        text.push_str(&textwrap::fill(words, options));
        text.push('\n');
    }
}

/// Lines of some width that break no name: names are there to be copied.
fn unbroken<'a>(width: usize) -> Options<'a> {
    let options = Options::new(width).break_words(false).word_separator(WordSeparator::AsciiSpace);
    options.word_splitter(WordSplitter::NoHyphenation)
}
