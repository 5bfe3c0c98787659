//! Invariants of the code map, held against the sources.

#![expect(clippy::disallowed_methods, reason = "tests read the sources")]

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, from the top. Imports point only downward.
const LAYERS: &[&str] = &[
    "cli",
    "report",
    "author",
    "query",
    "rule",
    "check",
    "matrix",
    "semantics",
    "model",
    "config",
    "yaml",
    "text",
    "space",
];

/// Every source file of a layer.
fn sources(layer: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut pending = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(layer)];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).expect("a layer is a directory") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("readable");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

/// The code of a file without its comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn imports_point_only_downward() {
    for (index, layer) in LAYERS.iter().enumerate() {
        for (path, text) in sources(layer) {
            for above in LAYERS.iter().take(index) {
                let import = format!("crate::{above}::");
                let module = format!("crate::{above};");
                let code = code(&text);
                assert!(!code.contains(&import) && !code.contains(&module), "{} imports {above}", path.display());
            }
        }
    }
}

#[test]
fn text_and_space_do_not_know_each_other_or_anything_else() {
    for (layer, allowed) in [("text", "crate::text"), ("space", "crate::space"), ("yaml", "crate::text")] {
        for (path, text) in sources(layer) {
            for import in code(&text).split("crate::").skip(1) {
                let full = format!("crate::{}", import.split([':', ';', ' ', ',']).next().unwrap_or_default());
                assert!(full == allowed, "{} imports {full}", path.display());
            }
        }
    }
}

#[test]
fn only_the_command_line_touches_the_world() {
    let forbidden = [
        "std::fs",
        "std::env",
        "std::process",
        "std::net::Tcp",
        "io::stdin",
        "io::stdout",
        "io::stderr",
        "println!",
        "eprintln!",
        "SystemTime",
        "Instant::now",
    ];
    for layer in LAYERS.iter().filter(|layer| **layer != "cli") {
        // Tests of a layer may report and write; what is shipped may not.
        for (path, text) in sources(layer).into_iter().filter(|(path, _)| !path.iter().any(|part| part == "tests")) {
            for word in forbidden {
                assert!(!code(&text).contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn only_reports_know_how_diagnostics_are_drawn_and_only_yaml_knows_its_parser() {
    for layer in LAYERS {
        for (path, text) in sources(layer) {
            let code = code(&text);
            assert!(*layer == "report" || !code.contains("miette::"), "{} uses miette", path.display());
            assert!(*layer == "yaml" || !code.contains("granit_parser"), "{} uses the parser", path.display());
        }
    }
}

/// Functions of `semantics` that mirror no function of Istio, with the reason.
const OWN: &[(&str, &str)] = &[
    ("new", "constructors"),
    ("admit", "construction"),
    ("at", "construction of a request"),
    ("implied_workload", "the product's own notion of what may exist"),
    ("namespaces", "an index"),
    ("is_open", "the product's own notion of open and closed"),
    ("workloads_in", "an index"),
    ("membership", "delegates to the function that has it"),
    ("is_trusted", "the configuration"),
    ("identity", "a name"),
    ("is_gateway", "an index"),
    ("is_control_plane", "a guess by labels, only to leave them alone"),
    ("services_of", "an index"),
    ("id", "a name"),
    ("with_universe", "construction"),
    ("world", "look-up"),
    ("universe", "delegates to the function that has it"),
    ("reached", "construction"),
    ("denied", "construction"),
    ("undetermined", "construction"),
    ("verdict", "look-up"),
    ("verdict_on", "look-up"),
    ("labels", "look-up"),
    ("token", "the contract"),
    ("header_values", "the contract"),
    ("bare_path", "the contract"),
    ("header", "look-up"),
    ("query", "look-up"),
    ("claim", "look-up"),
    ("point", "look-up"),
    ("forward", "look-up"),
    ("chains", "look-up"),
    ("is_empty", "look-up"),
    ("with_mesh", "construction"),
    ("token_place", "the contract"),
    ("bearer", "the contract"),
    ("service_targets", "the second half of a function that has it"),
    ("workload_ports", "has it"),
];

#[test]
fn every_semantic_function_names_what_it_mirrors() {
    let mut releases: Vec<String> = Vec::new();
    for (path, text) in sources("semantics") {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let Some(rest) = line.trim_start().strip_prefix("pub fn ") else {
                continue;
            };
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            let docs = lines.iter().take(index).rev().take_while(|line| {
                let line = line.trim_start();
                line.starts_with("///") || line.starts_with("#[")
            });
            let mirrors = docs.into_iter().any(|line| line.contains("# Upstream"));
            let own = OWN.iter().any(|(known, _)| *known == name);
            assert!(mirrors || own, "{}:{}: `{name}` has no `# Upstream`", path.display(), index + 1);
        }
        for part in text.split("istio/istio ").skip(1) {
            releases.push(part.split(':').next().unwrap_or_default().to_owned());
        }
    }
    releases.sort();
    releases.dedup();
    assert_eq!(releases, ["1.32"], "one release at a time");
}

#[test]
fn every_rule_has_a_file_of_its_name() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut files: Vec<String> = fs::read_dir(directory)
        .expect("the rules are there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    files.sort();
    let known: Vec<&str> = meshlint::rule::rules().iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(files, known);
}
