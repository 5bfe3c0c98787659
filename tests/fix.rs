//! `check --fix`: each kind of edit, what of the text stays, what is refused, and where it is written.

#![expect(clippy::disallowed_methods, reason = "tests write their input")]

#[path = "support/command.rs"]
mod command;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use command::run;
use meshlint::rule;
use tempfile::TempDir;

/// A directory with a manifest.
fn directory(text: &[u8]) -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("mesh.yaml");
    fs::write(&file, text).expect("writable");
    (directory, file)
}

/// What a manifest becomes, with what is said of it.
fn mended(text: &[u8]) -> (Vec<u8>, String) {
    let (directory, file) = directory(text);
    let (_, _, said) = run(directory.path(), &["check", "--fix", "--write", "mesh.yaml"]);
    (fs::read(file).expect("readable"), said)
}

/// What a manifest becomes, as text.
fn text_of(text: &str) -> String {
    String::from_utf8(mended(text.as_bytes()).0).expect("text")
}

/// Holds that a manifest stays as it is, for a reason that is said.
fn stays(text: &[u8], reason: &str) {
    let (after, said) = mended(text);
    assert_eq!(String::from_utf8_lossy(&after), String::from_utf8_lossy(text));
    assert!(said.lines().any(|line| line.starts_with("not mended: ") && line.contains(reason)), "{said}");
}

/// A namespace that admits a little, before whatever else is in it.
const CLOSED: &str = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: web, namespace: shop}\n\
                      spec: {rules: [{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [/cart]}}]}]}\n---\n";

/// A policy of the namespace.
fn policy(spec: &str) -> String {
    format!(
        "{CLOSED}apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
         metadata: {{name: cart, namespace: shop}}\nspec:\n{spec}"
    )
}

/// A DENY of a method as it is written.
fn deny(method: &str) -> String {
    policy(&format!("  action: DENY\n  rules: [{{to: [{{operation: {{methods: {method}}}}}]}}]\n"))
}

#[test]
fn the_example_of_a_rule_with_a_fix_becomes_the_mended_one_and_stays_so() {
    let with_fix: Vec<_> = rule::rules().iter().filter(|rule| rule.fix.is_some()).collect();
    assert_eq!(with_fix.len(), 5);
    for rule in with_fix {
        let (before, after) = (rule.before.as_ref().expect("before"), rule.after.as_ref().expect("after"));
        assert_eq!(text_of(before), *after, "{}", rule.id);
        let (again, said) = mended(after.as_bytes());
        assert_eq!(String::from_utf8_lossy(&again), after.as_str());
        assert!(said.contains("nothing to mend by itself"), "{said}");
    }
}

#[test]
fn comments_layout_quotes_and_line_ends_stay() {
    let spec = "  action: DENY   # for now\n  rules:\n    - to:\n        - operation:\n            methods:\n              \
                - 'delete'   # no deletion\n              - \"put\"\n              # the last one\n              - patch\n";
    let expected = spec.replace("delete'", "DELETE'").replace("put\"", "PUT\"").replace("patch\n", "PATCH\n");
    assert_eq!(text_of(&policy(spec)), policy(&expected));
    let windows = policy(spec).replace('\n', "\r\n");
    assert_eq!(text_of(&windows), policy(&expected).replace('\n', "\r\n"));
    let marked = format!("\u{feff}{}", policy(spec));
    assert_eq!(text_of(&marked), format!("\u{feff}{}", policy(&expected)));
}

/// A gateway with a DENY of hosts.
fn gateway(hosts: &str) -> String {
    let example = rule::rule("host-without-port").expect("a rule").before.clone().expect("an example");
    let (before, _) = example.split_once("spec: { selector: { matchLabels").expect("the policy is the last");
    format!(
        "{before}spec:\n  selector: {{ matchLabels: {{ istio: ingressgateway }} }}\n  action: DENY\n  rules:\n    - to:\n        \
         - operation:\n            hosts:{hosts}"
    )
}

#[test]
fn a_twin_goes_behind_its_item_in_the_form_of_the_list() {
    let cases = [
        (
            "\n              - admin.example.com # staff\n              # and\n              - \"b.example.com\"\n",
            "\n              - admin.example.com # staff\n              - \"admin.example.com:*\"\n              # and\n              \
             - \"b.example.com\"\n",
        ),
        (
            "\n            - 'admin.example.com'",
            "\n            - 'admin.example.com'\n            - 'admin.example.com:*'",
        ),
        (" [admin.example.com] # staff\n", " [admin.example.com, \"admin.example.com:*\"] # staff\n"),
        (
            " [\n              \"admin.example.com\",\n              \"c.example.com\"\n            ]\n",
            " [\n              \"admin.example.com\",\n              \"admin.example.com:*\",\n              \"c.example.com\"\n            \
             ]\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(text_of(&gateway(before)), gateway(after));
    }
}

#[test]
fn a_suffix_has_no_twin_for_every_port() {
    let (after, said) = mended(gateway(" [\"*.example.com\"]\n").as_bytes());
    assert_eq!(String::from_utf8_lossy(&after), gateway(" [\"*.example.com\"]\n"));
    assert!(said.contains("nothing to mend by itself"), "{said}");
}

#[test]
fn where_the_text_has_no_certain_place_it_stays_and_that_is_said() {
    let repeated = policy(
        "  action: DENY\n  rules:\n    - to: [{operation: {methods: &list [delete]}}]\n    - to: [{operation: {methods: *list}}]\n",
    );
    stays(repeated.as_bytes(), "an alias repeats the value elsewhere");
    let block = gateway("\n              - |-\n                admin.example.com\n");
    stays(block.as_bytes(), "the layout leaves no plain place for it");
    let template = format!("{}---\n{{{{ .Values.more }}}}\n", deny("[delete]"));
    stays(template.as_bytes(), "template");
    let wide: Vec<u8> = deny("[delete]").encode_utf16().flat_map(u16::to_le_bytes).collect();
    stays(&[&[0xFF, 0xFE][..], &wide].concat(), "UTF-16");
}

#[test]
fn an_edit_by_which_others_get_in_or_other_findings_come_is_not_made() {
    // Where plaintext alone is taken, STRICT lets those in who have an identity.
    let example = rule::rule("port-mtls-on-service-port").expect("a rule").before.clone().expect("an example");
    let disabled = example.replace("    portLevelMtls:", "    mtls: { mode: DISABLE }\n    portLevelMtls:");
    let disabled = disabled.replace("  portLevelMtls:", "  mtls: { mode: DISABLE }\n  portLevelMtls:");
    stays(disabled.as_bytes(), "would get in");
    // A denial that begins to work is one that can be got around.
    let spelled = format!(
        "{}---\n{}",
        policy("  action: DENY\n  rules: [{to: [{operation: {paths: [\"/admin/**\"]}}]}]\n"),
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: all, namespace: shop}\nspec:\n  \
         rules: [{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [\"/*\"]}}]}]\n"
    );
    stays(spelled.as_bytes(), "would be found in line");
}

#[test]
fn an_edit_that_is_refused_takes_no_other_with_it() {
    let spec = "  action: DENY\n  rules:\n    - to: [{operation: {methods: &list [delete]}}]\n    - to: [{operation: {methods: *list}}]\n    \
                - to: [{operation: {methods: [put]}}]\n";
    assert_eq!(text_of(&policy(spec)), policy(&spec.replace("[put]", "[PUT]")));
}

#[test]
fn without_write_the_diff_is_shown_and_nothing_is_written() {
    let text = deny("[delete]");
    let (directory, file) = directory(text.as_bytes());
    let (status, shown, said) = run(directory.path(), &["check", "--fix", "mesh.yaml"]);
    let expected = "--- mesh.yaml\n+++ mesh.yaml\n@@ -8,4 +8,4 @@\n metadata: {name: cart, namespace: shop}\n spec:\n   action: DENY\n\
                    -  rules: [{to: [{operation: {methods: [delete]}}]}]\n+  rules: [{to: [{operation: {methods: [DELETE]}}]}]\n";
    assert_eq!((status, shown.as_str()), (1, expected), "the manifests are as they were, and so is the status");
    assert!(said.contains("would mend impossible-method (mesh.yaml:11:40): it only refuses more"), "{said}");
    assert!(said.contains("1 edit, which `--write` makes"), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("readable"), text);
    let (status, shown, said) = run(directory.path(), &["check", "--fix", "--write", "mesh.yaml"]);
    assert_eq!((status, shown.as_str()), (0, ""), "{said}");
    assert!(said.contains("mended impossible-method"), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("readable"), deny("[DELETE]"));
}

#[test]
fn the_diff_shows_nothing_of_a_secret() {
    let secret =
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {password: hunter22}\n";
    let (directory, _) = directory(format!("{}{secret}", deny("[delete]").replace("---\n", "---\n# one\n")).as_bytes());
    let far = run(directory.path(), &["check", "--fix", "mesh.yaml"]).1;
    assert!(far.contains("kind: Secret") && !far.contains("hunter22"), "{far}");
    let near = format!(
        "apiVersion: v1\nkind: Secret\nstringData: {{password: hunter22}}\nmetadata: {{name: s}}\n---\n{}",
        deny("[delete]")
    );
    let (directory, _) = self::directory(near.replace(CLOSED, "").as_bytes());
    let shown = run(directory.path(), &["check", "--fix", "mesh.yaml", "-n", "shop"]).1;
    assert!(shown.contains("+  rules") && !shown.contains("hunter22"), "{shown}");
}

#[test]
fn sarif_carries_the_edits_that_are_proven() {
    let (directory, _) = directory(deny("[delete]").as_bytes());
    let fixes = |more: &[&str]| {
        run(
            directory.path(),
            &[&["check", "mesh.yaml", "--format", "sarif=out.sarif", "--format", "text"], more].concat(),
        );
        let text = fs::read_to_string(directory.path().join("out.sarif")).expect("written");
        let sarif: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let results =
            sarif.pointer("/runs/0/results").and_then(|results| results.as_array()).cloned().expect("results");
        results.iter().filter_map(|result| result.get("fixes").cloned()).collect::<Vec<_>>()
    };
    assert!(fixes(&[]).is_empty(), "nothing is proven where nobody asks");
    let proven = fixes(&["--fix"]);
    let change = proven.first().and_then(|fix| fix.pointer("/0/artifactChanges/0")).expect("a change");
    assert_eq!(change.pointer("/artifactLocation/uri").and_then(|uri| uri.as_str()), Some("mesh.yaml"));
    let region = serde_json::json!({"startLine": 11, "startColumn": 40, "endLine": 11, "endColumn": 46});
    assert_eq!(change.pointer("/replacements/0/deletedRegion"), Some(&region));
    assert_eq!(change.pointer("/replacements/0/insertedContent/text").and_then(|text| text.as_str()), Some("DELETE"));
}

#[test]
fn what_is_no_file_stays_and_what_makes_no_sense_is_refused() {
    let (directory, file) = directory(deny("[delete]").as_bytes());
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    let output = command.args(["check", "--fix", "-"]).write_stdin(deny("[delete]")).output().expect("it runs");
    assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains("standard input is no file"));
    for arguments in
        [&["--write"][..], &["--fix", "--format", "json"], &["--fix", "--baseline", "b", "--write-baseline"]]
    {
        assert_eq!(run(directory.path(), &[&["check", "mesh.yaml"], arguments].concat()).0, 2, "{arguments:?}");
    }
    let (status, shown, _) = run(directory.path(), &["check", "mesh.yaml", "--fix", "--ignore", "impossible-method"]);
    assert_eq!((status, shown.as_str()), (0, ""), "what a run is not about is not mended");
    fs::create_dir(directory.path().join("own")).expect("writable");
    fs::write(directory.path().join("own/a.yaml"), CLOSED).expect("writable");
    run(directory.path(), &["check", "own", "--context", "mesh.yaml", "--fix", "--write"]);
    assert_eq!(fs::read_to_string(file).expect("readable"), deny("[delete]"), "what belongs to somebody else stays");
}

#[test]
fn explain_says_where_a_rule_has_a_fix() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = |rule: &str| run(here, &["explain", rule]).1.contains("By `check --fix`");
    assert!(said("impossible-method") && !said("missing-default-deny"));
}

/// Every case of every rule.
fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    let below = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).expect("readable").map(|entry| entry.expect("readable").path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let mut cases: Vec<PathBuf> = below(&root).iter().flat_map(|rule| below(rule)).collect();
    cases.sort();
    cases
}

#[test]
fn what_was_mended_once_stays_as_it_is_and_only_rules_that_say_so_mend() {
    let mut kept = 0;
    for case in cases()
        .into_iter()
        .filter(|case| case.file_name().is_some_and(|name| name.to_string_lossy().starts_with("fires-")))
    {
        let place = TempDir::new().expect("a directory");
        for name in ["mesh.yaml", "meshlint.yaml"] {
            if let Ok(text) = fs::read(case.join(name)) {
                fs::write(place.path().join(name), text).expect("writable");
            }
        }
        let (_, _, said) = run(place.path(), &["check", "--fix", "--write", "--allow-empty", "mesh.yaml"]);
        let rules = said.lines().filter_map(|line| {
            let rest = line.strip_prefix("mended ").or_else(|| line.strip_prefix("not mended: "))?;
            rest.split(' ').next()
        });
        for id in rules {
            assert!(rule::rule(id).is_ok_and(|rule| rule.fix.is_some()), "{}: {id}", case.display());
            kept += 1;
        }
        let (_, shown, _) = run(place.path(), &["check", "--fix", "--allow-empty", "mesh.yaml"]);
        assert_eq!(shown, "", "{}", case.display());
    }
    assert!(kept > 5, "{kept} of the cases have something to mend");
}

#[test]
fn json_is_mended_in_its_own_form() {
    let object = |method: &str| {
        format!(
            "{{\n  \"apiVersion\": \"security.istio.io/v1\", \"kind\": \"AuthorizationPolicy\",\n  \"metadata\": {{\"name\": \"a\", \
             \"namespace\": \"shop\"}},\n  \"spec\": {{\"action\": \"DENY\", \"rules\": [{{\"to\": [{{\"operation\": \
             {{\"methods\": [\n    \"{method}\"\n  ]}}}}]}}]}}\n}}\n"
        )
    };
    let place = TempDir::new().expect("a directory");
    let file = place.path().join("mesh.json");
    fs::write(&file, object("delete")).expect("writable");
    run(place.path(), &["check", "--fix", "--write", "mesh.json"]);
    assert_eq!(fs::read_to_string(&file).expect("readable"), object("DELETE"));
}

#[test]
fn an_edit_has_to_hold_in_every_world() {
    let service = |port: u16| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: cart, namespace: shop}}\n\
             spec: {{selector: {{app: cart}}, ports: [{{name: http, port: 80, targetPort: {port}}}]}}\n"
        )
    };
    let example = rule::rule("impossible-port").expect("a rule").before.clone().expect("an example");
    let shared: Vec<&str> = example.split("---\n").filter(|document| !document.contains("kind: Service\n")).collect();
    let shared = shared.join("---\n").replace("containerPort: 8080", "containerPort: 8080 }, { containerPort: 9090");
    let mended = |other: u16| {
        let place = TempDir::new().expect("a directory");
        let worlds = "worlds: {dev: [base.yaml, dev.yaml], prod: [base.yaml, prod.yaml]}\n";
        for (name, text) in [
            ("base.yaml", &shared),
            ("dev.yaml", &service(8080)),
            ("prod.yaml", &service(other)),
            ("meshlint.yaml", &worlds.to_owned()),
        ] {
            fs::write(place.path().join(name), text).expect("writable");
        }
        let (_, _, said) = run(place.path(), &["check", "--fix", "--write", "."]);
        (fs::read_to_string(place.path().join("base.yaml")).expect("readable"), said)
    };
    assert_eq!(mended(8080).0, shared.replace("[\"80\"]", "[\"8080\"]"));
    let (text, said) = mended(9090);
    assert!(said.contains("another finding asks for an edit of the same place"), "{said}");
    assert_eq!(text, shared, "nobody knows which port is meant");
}

#[test]
fn a_revision_stays_as_it_is() {
    let (place, _) = directory(deny("[delete]").as_bytes());
    let who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"];
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        let run = std::process::Command::new("git").args(who).args(arguments).current_dir(place.path()).output();
        assert!(run.expect("git runs").status.success());
    }
    let (status, shown, said) = run(place.path(), &["check", "--fix", "git:HEAD:."]);
    assert_eq!((status, shown.as_str()), (1, ""));
    assert!(said.contains("a revision stays as it is"), "{said}");
}
