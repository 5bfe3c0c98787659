//! Policies that istiod lets pass and Envoy cannot load.

use super::decision::{Cause, CauseKind};
use super::string_match::is_template;
use super::workload_selector::AttachedPolicies;

/// Why a proxy with these policies does not take its configuration, or ends, if so: a path template that Envoy cannot parse.
///
/// Which configuration is then in force, if any, depends on what came before.
///
/// # Upstream
/// Envoy: `source/extensions/path/uri_template_lib/uri_template_internal.cc`, `parsePathPatternSyntax` (a leading
/// slash, no empty segment but a last one). Observed: Envoy 1.40 aborts.
pub(crate) fn refused_configuration(attached: &AttachedPolicies<'_>) -> Option<Cause> {
    let lists = [&attached.custom, &attached.deny, &attached.allow, &attached.idle];
    for policy in lists.into_iter().flatten() {
        let rules = policy.spec.rules().iter().flat_map(|rule| rule.value.to.iter().flat_map(|to| &to.value));
        let operations = rules.filter_map(|to| to.value.operation.as_ref());
        let mut paths = operations
            .flat_map(|operation| operation.value.paths.iter().chain(&operation.value.not_paths))
            .flat_map(|list| &list.value);
        if let Some(path) = paths.find(|path| is_unparsable(&path.value)) {
            return Some(Cause {
                kind: CauseKind::RefusedConfiguration,
                message: format!("{} has the path template `{}`, with which Envoy ends", policy.id, path.value),
                span: Some(path.span),
            });
        }
    }
    None
}

/// Whether Envoy cannot parse a template.
fn is_unparsable(path: &str) -> bool {
    is_template(path) && (!path.starts_with('/') || path.contains("//"))
}

#[cfg(test)]
mod tests {
    use super::is_unparsable;

    #[test]
    fn a_template_needs_a_leading_slash_and_full_segments() {
        for (path, unparsable) in [
            ("{**}", true),
            ("foo/{*}", true),
            ("//foo/{*}", true),
            ("/foo/{*}//", true),
            ("/foo/{*}", false),
            ("/foo/{*}/", false),
            ("/{**}", false),
            ("foo", false),
            ("//foo", false),
        ] {
            assert_eq!(is_unparsable(path), unparsable, "{path}");
        }
    }
}
