//! Rows as the conformance run asks them of istiod and a real Envoy.

#![expect(clippy::disallowed_methods, reason = "the run says where it wants the rows")]

use std::path::Path;
use std::{env, fs};

use meshlint::semantics::Request;

/// Writes a row into the folder that `MESHLINT_ROWS_TO` names, if it names one.
pub(crate) fn export(id: &str, manifests: &str, request: &Request) {
    if let Some(folder) = env::var_os("MESHLINT_ROWS_TO") {
        let row = serde_json::json!({"id": id, "manifests": manifests, "request": request});
        fs::write(Path::new(&folder).join(format!("{id}.json")), row.to_string()).expect("the folder is there");
    }
}
