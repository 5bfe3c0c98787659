//! What is wrong with a file that belongs to the owner: with its place, and the word that was probably meant.

use serde::de::DeserializeOwned;

use crate::text::Span;
use crate::yaml::{self, Node};

/// Something wrong with the configuration or a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where
    pub span: Span,
    /// What is true, lower-case, without full stop
    pub message: String,
    /// What was probably meant
    pub help: Option<String>,
}

impl Problem {
    /// A problem without help.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    /// Says what was probably meant.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<&yaml::Problem> for Problem {
    fn from(problem: &yaml::Problem) -> Self {
        Self::new(problem.span, problem.message.clone())
    }
}

/// The word that a wrong one was probably meant to be; `None` where there are no words.
pub fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rated = words.into_iter().map(|known| (strsim::jaro_winkler(known, word), known));
    rated.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

/// Reads a node as a type, and notes every key that it does not have and the first value that does not fit.
pub fn read_as<T: DeserializeOwned>(what: &str, node: Node<'_>, problems: &mut Vec<Problem>) -> Option<T> {
    let typed = yaml::from_node::<T>(node);
    for unread in &typed.unread {
        let place = if unread.field_path.is_empty() { what.to_owned() } else { format!("`{}`", unread.field_path) };
        let problem = Problem::new(unread.key_span, format!("{place} has no key `{}`", unread.key));
        let meant = nearest(&unread.key, unread.known.iter().copied());
        problems.push(match meant {
            Some(known) => problem.help(format!("the nearest key is `{known}`")),
            None => problem,
        });
    }
    match typed.value {
        Ok(value) => Some(value),
        Err(error) => {
            let place = if error.field_path.is_empty() { what.to_owned() } else { format!("`{}`", error.field_path) };
            problems.push(Problem::new(error.span, format!("{place} {}", error.message)));
            None
        }
    }
}
