//! What a route makes of a path between two proxies.

/// What a route makes of the path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathRewrite {
    /// Nothing
    Keep,
    /// The matched prefix becomes another text
    ReplacePrefix {
        /// The prefix
        from: Box<str>,
        /// What it becomes
        to: Box<str>,
        /// Whether the prefix is matched in any ASCII case
        ignore_case: bool,
    },
    /// The whole path becomes this one
    ReplaceAll(Box<str>),
    /// Anything may come out
    Opaque,
}

/// The path behind a rewrite, before it is normalised again. `None`: it cannot be told.
pub fn rewrite_path(path: &str, rewrite: &PathRewrite) -> Option<String> {
    match rewrite {
        PathRewrite::Keep => Some(path.to_owned()),
        PathRewrite::ReplaceAll(to) => Some(to.to_string()),
        PathRewrite::ReplacePrefix { from, to, .. } => Some(format!("{to}{}", path.get(from.len()..)?)),
        PathRewrite::Opaque => None,
    }
}
