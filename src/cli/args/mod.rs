//! Flags.

mod author;
mod check;
mod diff;
mod input;
mod output;
mod request;
mod test;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use author::{GenerateArgs, InitArgs};
pub(crate) use check::CheckArgs;
pub(crate) use diff::{DiffArgs, DiffFailOn, DiffFormat};
pub(crate) use input::{Color, InputArgs};
pub(crate) use output::Format;
pub(crate) use request::{EntrypointArg, EvalArgs, MatrixArgs, MatrixFormat, TraceArgs, TraceFormat};
pub(crate) use test::{TestArgs, TestFormat};

/// Proves from Istio manifests alone who can reach what, and points at the line that opens a hole.
#[derive(Debug, Parser)]
#[command(
    version = concat!(env!("CARGO_PKG_VERSION"), " (Istio 1.32, Envoy 1.40)"),
    after_help = "Exit status: 0 nothing found at or above --fail-on, 1 findings, 2 the job could not be done.\n\n\
                  Examples:\n  \
                  meshlint check ./manifests\n  \
                  kustomize build overlays/prod | meshlint check -\n  \
                  meshlint trace ./manifests --entrypoint 'workload shop/cart:8080' --path /internal/x\n  \
                  meshlint explain missing-default-deny"
)]
pub(crate) struct Args {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the rules on manifests
    #[command(after_help = "Examples:\n  \
        meshlint check ./manifests\n  \
        meshlint check ./apps --context ../platform/policies --fail-on warning\n  \
        meshlint check ./manifests --fix --write\n  \
        helm template ./chart | meshlint check - --namespace shop --format json")]
    Check(CheckArgs),
    /// Decide requests: JSON Lines in, JSON Lines out
    #[command(after_help = "Example:\n  \
        echo '{\"entrypoint\":\"gateway shop/public:80\",\"path\":\"/api/x\"}' | meshlint eval ./manifests\n\n\
        A request names its `entrypoint`: `gateway NS/NAME:PORT`, `workload NS/NAME:PORT` or `service NS/NAME:PORT`. \
        It may give `id`, `source` (TRUSTDOMAIN/ns/NS/sa/SA), `source_workload`, `method`, `authority`, `path`, `headers` \
        (a list of [name, value]), `source_ip`, `sni`, `claims`, `token` and `protocol`.")]
    Eval(EvalArgs),
    /// Follow one request hop by hop
    #[command(after_help = "Examples:\n  \
        meshlint trace ./manifests --entrypoint 'gateway shop/public:443' --authority shop.example --path /api/x\n  \
        meshlint trace ./manifests --entrypoint 'workload shop/cart:8080' --source cluster.local/ns/web/sa/front")]
    Trace(TraceArgs),
    /// Print the request matrix: who reaches what at every entrypoint
    #[command(after_help = "Examples:\n  \
        meshlint matrix ./manifests --workload shop/cart --path '/internal/**'\n  \
        meshlint matrix ./manifests --from none --entrypoint workload --format csv")]
    Matrix(MatrixArgs),
    /// Derive a first access table from what the manifests do today
    #[command(after_help = "Examples:\n  \
        meshlint init ./manifests\n  \
        meshlint init ./manifests --write && meshlint check ./manifests")]
    Init(InitArgs),
    /// Print policies that implement the access table, proven before they are printed
    #[command(after_help = "Example:\n  \
        meshlint generate ./manifests > policies.yaml\n\n\
        The policies stand in for the ALLOW policies of the namespaces that the table names; DENY and CUSTOM policies stay.")]
    Generate(GenerateArgs),
    /// Say for which requests the answer changes from one set of manifests to another
    #[command(after_help = "Examples:\n  \
        meshlint diff git:main:./manifests ./manifests --fail-on new-access\n  \
        meshlint diff ./rendered/before ./rendered/after --format markdown")]
    Diff(DiffArgs),
    /// Hold requests against the answers that are expected of them
    #[command(after_help = "Example:\n  \
        meshlint test ./manifests --cases mesh_test.yaml --format junit > report.xml")]
    Test(TestArgs),
    /// Print what a rule is about
    Explain {
        /// Id of the rule
        rule: String,
        /// Configuration file whose rules count too; else `meshlint.yaml` in this directory or above it
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the JSON Schema of what the owner writes, for editors
    Schema {
        /// Of what
        #[arg(value_enum)]
        of: SchemaOf,
    },
    /// List the rules
    Rules {
        /// Configuration file whose rules count too; else `meshlint.yaml` in this directory or above it
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  \
        meshlint completions bash > ~/.local/share/bash-completion/completions/meshlint")]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page of meshlint or of a command
    #[command(after_help = "Example:\n  meshlint man check > ~/.local/share/man/man1/meshlint-check.1")]
    Man {
        /// Which command; meshlint itself if absent
        command: Option<String>,
    },
}

/// What there is a schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// `meshlint.yaml`
    Config,
    /// A rule file
    Rule,
}

impl Command {
    /// How many threads to work with, if anybody says.
    pub(crate) fn threads(&self) -> Option<NonZeroUsize> {
        match self {
            Self::Check(args) => args.input.threads,
            Self::Eval(args) => args.input.threads,
            Self::Trace(args) => args.input.threads,
            Self::Matrix(args) => args.input.threads,
            Self::Init(args) => args.input.threads,
            Self::Generate(args) => args.input.threads,
            Self::Diff(args) => args.input.threads,
            Self::Test(args) => args.input.threads,
            Self::Explain { .. }
            | Self::Rules { .. }
            | Self::Schema { .. }
            | Self::Completions { .. }
            | Self::Man { .. } => None,
        }
    }
}
