//! What the API server's schema and istiod's webhook refuse does not act; the rows of a table, and the cases that Istio itself tests, are told apart.

#![expect(clippy::disallowed_methods, reason = "tests read the corpus")]

use std::fs;
use std::path::PathBuf;

use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::semantics::{World, WorldOptions};
use meshlint::text::Files;

/// The documents of one of Istio's files of cases; none where the corpus is not there.
fn documents(name: &str) -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("../shared/corpus/istio-validation-testdata/pkg/config/validation/testdata/crds").join(name);
    let text = fs::read_to_string(file).unwrap_or_default();
    let documents = text.split("\n---").map(|document| document.trim_start_matches("---").to_owned());
    documents.filter(|document| document.contains("kind:")).collect()
}

/// Whether the one object of a document acts, and what was said about it.
fn acts(document: &str) -> (bool, Vec<String>) {
    // What istiod's own tests expect is no field of the object.
    let lines = document.lines().filter(|line| !line.starts_with("_err"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut files = Files::default();
    let file = files.add("object.yaml", text);
    let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
    let mut said: Vec<String> = loaded.problems.iter().map(|problem| problem.message.clone()).collect();
    let (world, problems) = World::admit(loaded.mesh, WorldOptions::default());
    said.extend(problems.iter().map(|problem| problem.message.clone()));
    let mesh = &world.mesh;
    let known = mesh.authorization_policies.iter().count()
        + mesh.peer_authentications.iter().count()
        + mesh.request_authentications.iter().count()
        + mesh.gateways.iter().count()
        + mesh.virtual_services.iter().count()
        + mesh.destination_rules.iter().count()
        + mesh.service_entries.iter().count()
        + mesh.sidecars.iter().count()
        + mesh.workload_entries.iter().count()
        + mesh.envoy_filters.iter().count();
    (known == 1, said)
}

/// Holds the rows of a table against what acts.
#[test]
fn objects_are_refused_as_the_table_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/semantics/validation.txt");
    let table = fs::read_to_string(path).expect("the table is there");
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut wrong = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.splitn(4, " | ").collect();
        let [claim, kind, verdict, body] = cells.try_into().unwrap_or_else(|_| panic!("four cells: {row}"));
        let (kind, metadata) = kind.trim_end_matches(')').split_once(" (").unwrap_or((kind, ""));
        let version = match kind {
            "AuthorizationPolicy" | "PeerAuthentication" | "RequestAuthentication" => "security.istio.io/v1",
            "EnvoyFilter" => "networking.istio.io/v1alpha3",
            _ => "networking.istio.io/v1",
        };
        let more = if metadata.is_empty() { String::new() } else { format!(", {metadata}") };
        let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a{more}}}\n{body}\n");
        let (acts, said) = acts(&text);
        if acts != (verdict == "taken") {
            wrong.push(format!("{kind}: {claim}: not {verdict}: {said:?}"));
        } else if acts && !said.is_empty() {
            wrong.push(format!("{kind}: {claim}: taken, and yet {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Holds every document of two files against their names.
fn check(kind: &str) {
    for document in documents(&format!("{kind}-valid.yaml")) {
        let (acts, said) = acts(&document);
        assert!(acts, "refused: {said:?}\n{document}");
    }
    for document in documents(&format!("{kind}-invalid.yaml")) {
        let (acts, _) = acts(&document);
        assert!(!acts, "not refused:\n{document}");
    }
}

#[test]
fn authorization_policies_are_refused_as_istiod_refuses_them() {
    check("authz");
}

#[test]
fn peer_authentications_are_refused_as_istiod_refuses_them() {
    check("peerauth");
}

#[test]
fn request_authentications_are_refused_as_istiod_refuses_them() {
    check("reqauth");
}
