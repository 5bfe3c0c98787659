//! Flags of what asks about requests.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::InputArgs;

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
    /// Form of the way
    #[arg(long, value_enum, default_value_t = TraceFormat::Text)]
    pub(crate) format: TraceFormat,
}

/// Form of a request's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// For people, with the lines of the manifests
    Text,
    /// JSON, version 1
    Json,
}

/// Flags of `matrix`.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Matrix")]
pub(crate) struct MatrixArgs {
    /// Which manifests
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Form of the matrix
    #[arg(long, value_enum, default_value_t = MatrixFormat::Text)]
    pub(crate) format: MatrixFormat,
    /// Only this workload, `NS/NAME`, or those of a namespace, `NS`
    #[arg(long, value_name = "WORKLOAD")]
    pub(crate) workload: Option<String>,
    /// Only requests of an identity, `TRUSTDOMAIN/ns/NS/sa/SA`, of a namespace, `NS`, or without identity, `none`
    #[arg(long, value_name = "SOURCE")]
    pub(crate) from: Option<String>,
    /// Only requests for a path, or with `P/**` for P and everything below it, as the proxy at the entrypoint sees it
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// Only entrypoints of this kind; those of Services are listed only if asked for
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) entrypoint: Option<EntrypointArg>,
}

/// Form of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixFormat {
    /// A table for each entrypoint
    Text,
    /// JSON, version 1
    Json,
    /// Comma-separated values, a line for each row
    Csv,
    /// A graph of who gets in where
    Mermaid,
}

/// A kind of entrypoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EntrypointArg {
    /// Servers of Gateways
    Gateway,
    /// Ports of Services, through the sidecars of clients
    Service,
    /// Ports of workloads
    Workload,
}
