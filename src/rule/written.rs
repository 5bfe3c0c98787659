//! Rule files as they are written, and what cannot be meant in one that a user wrote.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Severity;
use super::file::RuleFile;
use super::statement::{Cells, Entrypoint, Statement};
use super::{statement_judge, template};
use crate::config::{Problem, read_as};
use crate::text::{FileId, Span, Spanned};
use crate::yaml::{self, Node};

/// A rule: what cells must not be, or must be, and the words around it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct WrittenRule {
    /// Names the bad pattern, in kebab-case
    pub id: Spanned<String>,
    /// How bad a finding is
    #[serde(default)]
    pub severity: Usual,
    /// What is wrong, in one line
    pub title: Spanned<String>,
    /// Whether it is asked only by `--pedantic`, `--select` or a severity in the configuration
    #[serde(default)]
    pub pedantic: bool,
    /// What must hold, in words
    #[serde(default)]
    pub statement: Option<String>,
    /// The check behind a built-in rule
    #[serde(default)]
    pub check: Option<Spanned<String>>,
    /// No cell that gets in may be all of this
    #[serde(default)]
    pub forbid: Option<Spanned<Cells>>,
    /// The cells that `require` is about; all of them if absent
    #[serde(default, rename = "where")]
    pub about: Option<Spanned<Cells>>,
    /// Every cell that gets in and fits `where` must be all of this
    #[serde(default)]
    pub require: Option<Spanned<Cells>>,
    /// What a finding says; `{workload}`, `{source}`, `{method}`, `{host}`, `{path}` and `{route}` are filled in
    #[serde(default)]
    pub message: Option<Spanned<String>>,
    /// What it says at the marked place, filled in likewise
    #[serde(default)]
    pub label: Option<Spanned<String>>,
    /// What goes wrong otherwise
    #[serde(default)]
    pub why: Option<String>,
    /// What to write, filled in likewise
    #[serde(default)]
    pub help: Option<Spanned<String>>,
    /// What `check --fix` writes, for a built-in rule
    #[serde(default)]
    pub fix: Option<Spanned<String>>,
    /// Manifests that break the rule
    #[serde(default)]
    pub before: Option<String>,
    /// The same, mended
    #[serde(default)]
    pub after: Option<String>,
    /// Further reading
    #[serde(default)]
    pub references: Vec<String>,
}

/// A severity; an error if nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Usual(pub Severity);

impl Default for Usual {
    fn default() -> Self {
        Self(Severity::Error)
    }
}

/// The rule files of a text, one in each document, and what is wrong with it.
pub(super) fn read(file: FileId, text: &str, problems: &mut Vec<Problem>) -> Vec<(Spanned<String>, RuleFile)> {
    let stream = yaml::read(file, text);
    problems.extend(stream.problems.iter().map(Problem::from));
    if stream.documents.is_empty() && stream.problems.is_empty() {
        problems.push(Problem::new(Span { file, start: 0, end: 0 }, "this file holds no rule"));
    }
    let documents = stream.documents.iter();
    documents.filter_map(|document| rule(document.root(), text, problems)).collect()
}

/// One rule of the user.
fn rule(node: Node<'_>, text: &str, problems: &mut Vec<Problem>) -> Option<(Spanned<String>, RuleFile)> {
    let written: WrittenRule = read_as("the rule", node, problems)?;
    judge(&written, node.span(), problems);
    let id = written.id.clone();
    let as_written = ["where", "forbid", "require"].into_iter().filter_map(|key| as_written(node, key, text));
    let statement = as_written.collect::<Vec<_>>().join("\n");
    let mut file = RuleFile::from(written);
    file.statement = file.statement.or(Some(statement));
    Some((id, file))
}

/// A key with its value as it stands in the text.
fn as_written(node: Node<'_>, key: &str, text: &str) -> Option<String> {
    let (_, key_span, value) = node.entries().find(|(known, ..)| *known == key)?;
    let end = value.span().end.max(key_span.end);
    text.get(key_span.start as usize..end as usize).map(str::to_owned)
}

/// What cannot be meant.
fn judge(rule: &WrittenRule, whole: Span, problems: &mut Vec<Problem>) {
    let id = &rule.id.value;
    let words = || id.split('-');
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !words().all(is_word) {
        let message = format!("`{id}` is no id: small letters and digits, with `-` between words");
        problems.push(Problem::new(rule.id.span, message));
    }
    if rule.title.value.trim().is_empty() {
        problems.push(Problem::new(rule.title.span, "the title is empty"));
    }
    if let Some(check) = &rule.check {
        let message = "`check` names what is built in: a rule of your own says `forbid` or `require`";
        problems.push(Problem::new(check.span, message));
    }
    if let Some(fix) = &rule.fix {
        problems.push(Problem::new(fix.span, "`fix` is about what is built in: say under `help` what to write"));
    }
    let nothing = Cells::default();
    let about = match (&rule.forbid, &rule.require) {
        (Some(forbid), None) => {
            statement_judge::judge("forbid", forbid.span, &forbid.value, &forbid.value, problems);
            if let Some(about) = &rule.about {
                problems.push(Problem::new(
                    about.span,
                    "`where` goes with `require`: write these conditions under `forbid`",
                ));
            }
            &forbid.value
        }
        (None, Some(require)) => {
            let about = rule.about.as_ref().map_or(&nothing, |about| &about.value);
            if let Some(written) = &rule.about {
                statement_judge::judge("where", written.span, about, about, problems);
            }
            statement_judge::judge("require", require.span, &require.value, about, problems);
            statement_judge::judge_required(require.span, &require.value, problems);
            about
        }
        (Some(_), Some(require)) => {
            problems.push(Problem::new(require.span, "a rule says `forbid` or `require`, not both: make it two rules"));
            return;
        }
        (None, None) => {
            problems.push(Problem::new(whole, format!("the rule `{id}` says neither `forbid` nor `require`")));
            return;
        }
    };
    for text in [&rule.message, &rule.label, &rule.help].into_iter().flatten() {
        template::judge(text, about.is_about(Entrypoint::Workload), problems);
    }
}

impl From<WrittenRule> for RuleFile {
    fn from(written: WrittenRule) -> Self {
        let text = |text: Option<Spanned<String>>| text.map(|text| text.value);
        let about = written.about.map(|about| about.value).unwrap_or_default();
        let required = written.require.map(|must| Statement { about, must: Some(must.value) });
        let forbidden = written.forbid.map(|forbid| Statement { about: forbid.value, must: None });
        Self {
            id: written.id.value,
            severity: written.severity.0,
            title: written.title.value,
            pedantic: written.pedantic,
            statement: written.statement,
            check: text(written.check),
            cells: forbidden.or(required),
            message: text(written.message),
            label: text(written.label),
            why: written.why.unwrap_or_default(),
            help: text(written.help).unwrap_or_default(),
            fix: text(written.fix),
            before: written.before,
            after: written.after,
            references: written.references,
        }
    }
}
