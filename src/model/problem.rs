//! What is wrong with the input itself. Facts with spans; rules give them ids and words.

use super::object::ObjectId;
use crate::text::Span;
use crate::yaml;

/// What kind of trouble the input makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A document that cannot be read
    Syntax,
    /// Text behind the end of a document's root, which kubectl drops
    IgnoredTail,
    /// A key written twice, of which the last counts
    DuplicateKey,
    /// A template that was not rendered
    Template,
    /// An object that istiod's validation refuses: it does not act
    Rejected,
    /// An object with a value that does not fit its type, which the API server refuses: it does not act
    Misfit,
    /// A key that the API does not have
    UnknownField,
    /// An API version that no current release serves
    RemovedVersion,
    /// A plain scalar that Kubernetes reads otherwise than it looks
    Surprise,
    /// One object twice with different contents
    Duplicate,
}

impl From<yaml::ProblemKind> for ProblemKind {
    fn from(kind: yaml::ProblemKind) -> Self {
        match kind {
            yaml::ProblemKind::Syntax => Self::Syntax,
            yaml::ProblemKind::IgnoredTail => Self::IgnoredTail,
            yaml::ProblemKind::DuplicateKey => Self::DuplicateKey,
            yaml::ProblemKind::Template => Self::Template,
        }
    }
}

/// A fact about the input, at a place.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What kind of trouble
    pub kind: ProblemKind,
    /// Where
    pub span: Span,
    /// What is true, lower-case, without full stop
    pub message: String,
    /// What to do, if that is clear
    pub help: Option<String>,
    /// The object it is about, where there is one
    pub object: Option<ObjectId>,
    /// Further places
    pub related: Vec<(Span, String)>,
}

impl Problem {
    /// A problem without help, object or further places.
    pub fn new(kind: ProblemKind, span: Span, message: impl Into<String>) -> Self {
        Self { kind, span, message: message.into(), help: None, object: None, related: Vec::new() }
    }

    /// Says which object it is about.
    #[must_use]
    pub fn of(mut self, object: &ObjectId) -> Self {
        self.object = Some(object.clone());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
