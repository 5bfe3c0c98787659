//! Flags.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

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
    Matrix(MatrixArgs),
    /// Print what a rule is about
    Explain {
        /// Id of the rule
        rule: String,
    },
    /// List the rules
    Rules,
}

impl Command {
    /// How many threads to work with, if anybody says.
    pub(crate) fn threads(&self) -> Option<NonZeroUsize> {
        match self {
            Self::Check(args) => args.input.threads,
            Self::Eval(args) => args.input.threads,
            Self::Trace(args) => args.input.threads,
            Self::Matrix(args) => args.input.threads,
            Self::Explain { .. } | Self::Rules => None,
        }
    }
}

/// Which manifests, and what they do not say.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    /// Files, directories (walked for *.yaml, *.yml, *.json), or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Manifests that are in force but belong to someone else: evaluated, never blamed
    #[arg(long, value_name = "PATH")]
    pub(crate) context: Vec<PathBuf>,
    /// Only files that match, as `/`-separated globs
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// No files that match
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Configuration file; else `meshlint.yaml` beside the first path or above it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Namespace of objects that name none
    #[arg(long, short = 'n')]
    pub(crate) namespace: Option<String>,
    /// Accept input without any mesh resource
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// Threads to work with; as many as there are processors if absent
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Running")]
    pub(crate) color: Color,
    /// No summary on standard error
    #[arg(long, short, help_heading = "Running")]
    pub(crate) quiet: bool,
    /// Witnesses also as `eval` requests
    #[arg(long, short, help_heading = "Running")]
    pub(crate) verbose: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Flags of `check`.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Findings")]
pub(crate) struct CheckArgs {
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Form of the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// From which severity on findings make the run fail
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
    pub(crate) fail_on: FailOn,
    /// Only these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) select: Vec<String>,
    /// Not these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
}

/// Form of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Drawn, with the lines they are about
    Text,
    /// One line each
    Concise,
    /// JSON, version 1
    Json,
}

/// Threshold of failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Errors
    Error,
    /// Warnings and errors
    Warning,
    /// Any finding
    Info,
    /// Nothing
    Never,
}

/// Flags of `eval`.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Requests")]
pub(crate) struct EvalArgs {
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Requests, one JSON object a line; standard input if absent
    #[arg(long, value_name = "FILE")]
    pub(crate) requests: Option<PathBuf>,
}

/// Flags of `trace`.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Request")]
pub(crate) struct TraceArgs {
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// The request as `eval` takes it
    #[arg(long, value_name = "JSON", conflicts_with_all = ["entrypoint", "source", "method", "authority", "path", "header"])]
    pub(crate) request: Option<String>,
    /// `gateway NS/NAME:PORT`, `workload NS/NAME:PORT` or `service NS/NAME:PORT`
    #[arg(long, required_unless_present = "request")]
    pub(crate) entrypoint: Option<String>,
    /// Peer identity, `TRUSTDOMAIN/ns/NS/sa/SA`; none if absent
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Method
    #[arg(long, default_value = "GET")]
    pub(crate) method: String,
    /// Authority
    #[arg(long)]
    pub(crate) authority: Option<String>,
    /// Path with its query
    #[arg(long, default_value = "/")]
    pub(crate) path: String,
    /// Header, as `name: value`
    #[arg(long, value_name = "HEADER")]
    pub(crate) header: Vec<String>,
}

/// Flags of `matrix`.
#[derive(Debug, ClapArgs)]
pub(crate) struct MatrixArgs {
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
}
