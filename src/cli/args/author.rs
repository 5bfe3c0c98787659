//! Flags of what writes YAML.

use clap::Args as ClapArgs;

use super::InputArgs;

/// Flags of `generate`.
#[derive(Debug, ClapArgs)]
pub(crate) struct GenerateArgs {
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
}

/// Flags of `init`.
#[derive(Debug, ClapArgs)]
pub(crate) struct InitArgs {
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Write `meshlint.yaml` beside the first path instead of printing it; a file that is there stays as it is
    #[arg(long)]
    pub(crate) write: bool,
}
