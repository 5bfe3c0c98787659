//! What the API server's schema and istiod's webhook refuse does not act; the cases that Istio itself tests are told apart.

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

/// Whether the one security object of a document acts, and what was said about it.
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
        + mesh.request_authentications.iter().count();
    (known == 1, said)
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
