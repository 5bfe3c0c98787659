//! What fits its type in the configuration and still cannot be meant.

use globset::Glob;

use super::access;
use super::file::Config;
use super::problem::Problem;
use crate::text::Spanned;

/// Everything that cannot be meant.
pub(super) fn judge(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    identities(config, &mut problems);
    trusted(config, &mut problems);
    paths(config, &mut problems);
    globs(config, &mut problems);
    suppressions(config, &mut problems);
    worlds(config, &mut problems);
    let rows = config.access.iter().flat_map(access::judge);
    problems.extend(rows.map(|(span, message, help)| Problem { span, message, help }));
    problems
}

/// Identities of gateways and of the ingress.
fn identities(config: &Config, problems: &mut Vec<Problem>) {
    for identity in config.gateways.values().flatten().chain(&config.ingress) {
        let parts = identity.value.split('/').filter(|part| !part.is_empty()).count();
        if parts != 2 || identity.value.matches('/').count() != 1 {
            let message = format!("`{}` is no `NAMESPACE/SERVICE-ACCOUNT`", identity.value);
            problems.push(Problem::new(identity.span, message));
        }
    }
}

/// Objects that the owner vouches for.
fn trusted(config: &Config, problems: &mut Vec<Problem>) {
    for trusted in &config.trusted {
        let named = trusted.value.resource.as_ref().is_some_and(|resource| {
            resource.value.split_once(' ').is_some_and(|(_, path)| path.split_once('/').is_some())
        });
        if !named {
            let message = "an entry of `trusted` needs a `resource` of the form `KIND NAMESPACE/NAME`";
            problems.push(Problem::new(trusted.span, message));
        }
        if trusted.value.reason.as_ref().is_none_or(|reason| reason.value.trim().is_empty()) {
            problems.push(Problem::new(trusted.span, "an entry of `trusted` needs a `reason`"));
        }
    }
}

/// Prefixes of paths.
fn paths(config: &Config, problems: &mut Vec<Problem>) {
    let convention = [&config.convention.api, &config.convention.internal];
    let prefixes = convention.into_iter().flatten().chain(config.sensitive_paths.iter().flatten());
    for path in prefixes {
        if !path.value.starts_with('/') || path.value.len() < 2 || path.value.ends_with('/') {
            let message = format!("`{}` is no path prefix: it begins with `/` and does not end with one", path.value);
            problems.push(Problem::new(path.span, message));
        }
    }
}

/// Globs that are none.
fn globs(config: &Config, problems: &mut Vec<Problem>) {
    let overrides = config.overrides.iter().flat_map(|one| &one.files);
    let suppressions = config.suppressions.iter().filter_map(|one| one.value.file.as_ref());
    let all = config.include.iter().chain(&config.exclude).chain(&config.rules).chain(overrides).chain(suppressions);
    let none = |glob: &Spanned<String>| {
        let error = Glob::new(&glob.value).err()?;
        Some(Problem::new(glob.span, format!("`{}` is no glob: {}", glob.value, error.kind())))
    };
    problems.extend(all.filter_map(none));
    for one in config.overrides.iter().filter(|one| one.ignore.is_empty() && one.severity.is_empty()) {
        if let Some(files) = one.files.first() {
            problems.push(Problem::new(
                files.span,
                "an entry of `overrides` changes nothing: give it `ignore` or `severity`",
            ));
        }
    }
}

/// Suppressions that say too little.
fn suppressions(config: &Config, problems: &mut Vec<Problem>) {
    for suppression in &config.suppressions {
        let Spanned { value, span } = suppression;
        if value.file.is_none() && value.resource.is_none() {
            let message = "an entry of `suppressions` needs a `file` or a `resource`";
            let help = format!("to switch the rule off, write `severity: {{{}: off}}`", value.rule.value);
            problems.push(Problem::new(*span, message).help(help));
        }
        if value.reason.value.trim().is_empty() {
            problems.push(Problem::new(value.reason.span, "an entry of `suppressions` needs a `reason`"));
        }
    }
}

/// Worlds without a path, or with a name that cannot be listed.
fn worlds(config: &Config, problems: &mut Vec<Problem>) {
    for (name, paths) in &config.worlds {
        if paths.is_empty() {
            problems.push(Problem::new(name.span, format!("the world `{}` has no path", name.value)));
        }
        if name.value.trim().is_empty() || name.value.contains(',') {
            problems.push(Problem::new(name.span, format!("`{}` is no name of a world", name.value)));
        }
    }
}
