//! `trace`: one request, hop by hop.

use super::args::{TraceArgs, TraceFormat};
use super::error::Failure;
use super::{input, output};
use crate::query::{EvalError, Evaluator};
use crate::report;
use crate::semantics::{Request, World, WorldOptions};

/// Follows one request.
pub(super) fn trace(args: &TraceArgs) -> Result<bool, Failure> {
    let input = input::read(&args.input)?;
    let request = match &args.request {
        Some(text) => {
            serde_json::from_str(text).map_err(|error| Failure::Usage(format!("`--request` is no request: {error}")))?
        }
        None => request_of(args)?,
    };
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    match Evaluator::new(&world).answer(&request) {
        Ok(answer) => {
            let text = match args.format {
                TraceFormat::Text => report::trace(&input.files, &request, &answer),
                TraceFormat::Json => report::trace_json(&input.files, &request, &answer),
            };
            output::say(&text).map(|()| true)
        }
        Err(EvalError::Unanswerable(why)) => Err(Failure::Usage(why)),
        Err(EvalError::Disagreement(what)) => {
            Err(Failure::Usage(format!("internal error, please report it: the two readings disagree {what}")))
        }
    }
}

/// The request that flags describe.
fn request_of(args: &TraceArgs) -> Result<Request, Failure> {
    let mut request = Request::at(args.entrypoint.clone().unwrap_or_default());
    request.source.clone_from(&args.source);
    request.method.clone_from(&args.method);
    request.authority.clone_from(&args.authority);
    request.path.clone_from(&args.path);
    for header in &args.header {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| Failure::Usage(format!("`{header}` is no header: write `name: value`")))?;
        request.headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(request)
}
