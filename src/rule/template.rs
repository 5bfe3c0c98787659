//! Words of a user's rule with places that are filled in: `{workload}`, `{path}` and the like.

use std::ops::Range;

use crate::config::{Problem, nearest};
use crate::text::{Span, Spanned};

/// What can be filled in.
const WORDS: [&str; 6] = ["workload", "source", "method", "host", "path", "route"];

/// Values to fill in.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    /// `NS/NAME`
    pub(super) workload: String,
    /// Who sends
    pub(super) source: String,
    /// The method
    pub(super) method: String,
    /// The host
    pub(super) host: String,
    /// The path
    pub(super) path: String,
    /// The virtual service, `NS/NAME`
    pub(super) route: String,
}

impl Values {
    /// The value of a word.
    fn of(&self, word: &str) -> Option<&str> {
        let values = [&self.workload, &self.source, &self.method, &self.host, &self.path, &self.route];
        WORDS.iter().zip(values).find(|(known, _)| **known == word).map(|(_, value)| value.as_str())
    }
}

/// The words of a template, with their byte ranges, braces included.
fn places(template: &str) -> Vec<(Range<usize>, &str)> {
    let word = |(start, rest): (usize, &str)| {
        let (word, _) = template.get(start + rest.len()..)?.split_once('}')?;
        let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_word.then_some((start..start + word.len() + 2, word))
    };
    template.match_indices('{').filter_map(word).collect()
}

/// Fills a template in.
pub(super) fn fill(template: &str, values: &Values) -> String {
    let mut text = template.to_owned();
    for (range, word) in places(template).into_iter().rev() {
        if let Some(value) = values.of(word) {
            text.replace_range(range, value);
        }
    }
    text
}

/// Words that cannot be filled in.
pub(super) fn judge(template: &Spanned<String>, at_workloads: bool, problems: &mut Vec<Problem>) {
    for (_, word) in places(&template.value) {
        let at: Span = template.span;
        if !WORDS.contains(&word) {
            let meant = nearest(word, WORDS).unwrap_or_default();
            let problem = Problem::new(at, format!("`{{{word}}}` is nothing that is filled in"));
            problems.push(problem.help(format!("the nearest is `{{{meant}}}`")));
        } else if word == "route" && at_workloads {
            let problem = Problem::new(at, "`{route}` is what a gateway goes by, and this is about workloads");
            problems.push(problem.help("write `entrypoint: gateway`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_and_other_braces_stay() {
        let values = Values { workload: "shop/{app=cart}".to_owned(), path: "/admin".to_owned(), ..Values::default() };
        assert_eq!(
            fill("`{workload}` serves `{path}`: {app=x} {Path}", &values),
            "`shop/{app=cart}` serves `/admin`: {app=x} {Path}"
        );
    }
}
