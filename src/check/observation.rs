//! What a check saw: facts with places, before a rule gives them its severity.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ObjectId;
use crate::semantics::{Cause, Request};
use crate::text::{Replacement, Span};
use crate::yaml::Change;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing
    Info,
    /// Probably a mistake
    Warning,
    /// A hole or something that does not work
    Error,
}

impl Severity {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A place with a few words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Where
    pub span: Span,
    /// Two to six words
    pub text: String,
}

/// A further place, maybe of another rule that says the same of the same cause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// Where
    pub span: Span,
    /// What is there
    pub message: String,
    /// The rule folded into this finding
    pub rule: Option<String>,
    /// That rule's severity
    pub severity: Option<Severity>,
}

/// What an edit does to access, so that the edit can be held against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Requests that got in are refused, and nothing else changes
    Closes,
    /// Requests that were refused get in, and nothing else changes
    Opens,
}

/// An edit that would mend what is wrong with the marked value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What becomes of the value
    pub change: Change,
    /// What it does to access
    pub effect: Effect,
    /// The edit of the text, once it is proven to do that and no more
    pub proven: Option<Replacement>,
}

/// A fact that a check saw.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Id of the rule that is about such facts
    pub rule: &'static str,
    /// How bad, where that is not what the rule file says
    pub severity: Option<Severity>,
    /// What is true, lower-case, without full stop, user text in backticks
    pub message: String,
    /// What to do, an imperative, maybe with YAML; what the rule file's `fix` says if absent
    pub help: Option<String>,
    /// The offending value, else its key, else `action` or selector, else the name
    pub label: Label,
    /// The object on that line
    pub resource: Option<ObjectId>,
    /// The workload concerned, `NS/NAME` or `NS/{k=v}`
    pub workload: Option<String>,
    /// A request that shows it
    pub witness: Option<Box<Request>>,
    /// Whether what the request shows is that it is refused, and not that it gets through
    pub refused: bool,
    /// Further places
    pub related: Vec<Related>,
    /// The policy rule that admits too much because of it: what a finding about that policy rule says already
    pub admits: Option<Span>,
    /// What would mend it, where that can be written without knowing what its author meant
    pub fix: Option<Fix>,
    /// Why nobody can tell: what a finding that is not proven for this cause says already
    pub cause: Option<Cause>,
}

impl Observation {
    /// A fact about a value of an object.
    pub fn new(
        rule: &'static str,
        object: &ObjectId,
        span: Span,
        text: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            severity: None,
            message: message.into(),
            help: None,
            label: Label { span, text: text.into() },
            resource: Some(object.clone()),
            workload: None,
            witness: None,
            refused: false,
            related: Vec::new(),
            admits: None,
            fix: None,
            cause: None,
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what would mend it, if its effect on access can be told.
    #[must_use]
    pub fn fix(mut self, change: Change, effect: Option<Effect>) -> Self {
        self.fix = effect.map(|effect| Fix { change, effect, proven: None });
        self
    }

    /// Says how bad it is, where the rule file does not.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Names a further place.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { span, message: message.into(), rule: None, severity: None });
        self
    }
}
