//! What keeps the program from doing its job.

use std::path::PathBuf;

/// What keeps the program from doing its job. Exit status 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A path cannot be read
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// Which one
        path: PathBuf,
        /// Why not
        #[source]
        source: std::io::Error,
    },
    /// A path cannot be written
    #[error("cannot write `{}`: {source}", path.display())]
    Unwritable {
        /// Which one
        path: PathBuf,
        /// Why not
        #[source]
        source: std::io::Error,
    },
    /// Directories cannot be walked
    #[error("cannot walk: {0}")]
    Walk(#[from] walkdir::Error),
    /// A glob is none
    #[error("bad pattern: {0}")]
    Glob(#[from] globset::Error),
    /// Nothing to read
    #[error("no YAML or JSON file under {0}")]
    NoFile(String),
    /// Nothing of a mesh in what was read
    #[error(
        "no mesh resource found in {0} (no object of networking.istio.io, security.istio.io or the Gateway API, and no \
         injection label); `--allow-empty` accepts that"
    )]
    NoMesh(String),
    /// The configuration is wrong
    #[error("{0}")]
    Configuration(String),
    /// An argument means nothing
    #[error("{0}")]
    Usage(String),
    /// A stream broke
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}
