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
