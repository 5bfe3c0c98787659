//! What becomes of findings: severities and overrides, suppressions, the baseline, the selection, and worlds.

#![expect(clippy::disallowed_methods, reason = "tests write their input")]

#[path = "support/command.rs"]
mod command;

use std::fs;
use std::path::Path;

use command::run;
use tempfile::TempDir;

/// A directory with files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
        fs::write(path, text).expect("writable");
    }
    directory
}

/// Rule and status of each line of concise output.
fn found(concise: &str) -> Vec<String> {
    let rule = |line: &str| line.split(": ").nth(1).map(str::to_owned);
    concise.lines().filter_map(rule).collect()
}

/// A policy that admits everything, with a place for a comment and for annotations.
fn open(comment: &str, annotations: &str) -> String {
    format!(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
         metadata: {{name: a, namespace: shop{annotations}}}\nspec:\n  rules:{comment}\n    - {{}}\n"
    )
}

/// What `check` finds in a directory with a policy and a configuration.
fn check(policy: &str, config: &str, more: &[&str]) -> (i32, Vec<String>, String) {
    let directory = directory(&[("m/a.yaml", policy), ("meshlint.yaml", config)]);
    let (code, out, err) = run(directory.path(), &[&["check", "m", "--format", "concise"], more].concat());
    (code, found(&out), err)
}

const OPEN: &str = "error[missing-default-deny]";

#[test]
fn a_severity_decides_the_exit_status_and_off_is_no_finding() {
    let policy = open("", "");
    assert_eq!(check(&policy, "", &[]), (1, vec![OPEN.to_owned()], check(&policy, "", &[]).2));
    let of = |config: &str, more: &[&str]| {
        let (code, found, _) = check(&policy, config, more);
        (code, found.concat())
    };
    let warning = "warning[missing-default-deny]".to_owned();
    assert_eq!(of("severity: {missing-default-deny: warning}", &[]), (0, warning.clone()));
    assert_eq!(of("severity: {missing-default-deny: warning}", &["--fail-on", "warning"]), (1, warning.clone()));
    assert_eq!(of("severity: {missing-default-deny: off}", &["--fail-on", "info"]), (0, String::new()));
    let overrides = |files: &str, what: &str| format!("overrides: [{{files: [\"{files}\"], {what}}}]");
    let ignore = "ignore: [missing-default-deny]";
    assert_eq!(of(&overrides("m/*.yaml", ignore), &[]), (0, String::new()));
    assert_eq!(of(&overrides("*.yaml", ignore), &[]), (1, OPEN.to_owned()), "a star stays within a directory");
    assert_eq!(of(&overrides("**/a.yaml", "severity: {missing-default-deny: warning}"), &[]), (0, warning));
    let last = "overrides:\n- {files: [\"m/**\"], ignore: [missing-default-deny]}\n\
                - {files: [\"m/a.yaml\"], severity: {missing-default-deny: error}}\n";
    assert_eq!(of(last, &[]), (1, OPEN.to_owned()), "the last one that matches counts");
}

#[test]
fn a_suppression_hides_its_finding_and_is_counted() {
    let expected = |err: &str, words: &str| assert!(err.lines().last().is_some_and(|line| line == words), "{err}");
    let (code, none, err) = check(&open("\n    # meshlint: ignore[missing-default-deny] a playground", ""), "", &[]);
    assert_eq!((code, none.len()), (0, 0));
    expected(&err, "no findings, 1 suppressed");
    let (code, _, err) = check(&open("", ", annotations: {meshlint.dev/ignore: missing-default-deny}"), "", &[]);
    assert_eq!(code, 0);
    expected(&err, "no findings, 1 suppressed (1 without a reason)");
    for reach in ["file: m/a.yaml", "resource: AuthorizationPolicy shop/a", "resource: \"shop/{}\""] {
        let config = format!("suppressions: [{{rule: missing-default-deny, {reach}, reason: a playground}}]");
        let (code, found, _) = check(&open("", ""), &config, &[]);
        assert_eq!((code, found.len()), (0, 0), "{reach}");
    }
}

#[test]
fn a_suppression_that_reaches_nothing_or_has_expired_is_a_warning_at_its_place() {
    let unused = |policy: &str, config: &str, more: &[&str]| {
        let directory = directory(&[("m/a.yaml", policy), ("meshlint.yaml", config)]);
        let (code, out, _) = run(directory.path(), &[&["check", "m", "--format", "concise"], more].concat());
        let lines = out.lines().filter(|line| line.contains("[unused-suppression]"));
        (code, lines.map(str::to_owned).collect::<Vec<_>>())
    };
    let closed = open("", "").replace("rules:\n    - {}", "{}").replace("spec:\n  {}", "spec: {}");
    let line = |policy: &str| unused(policy, "", &[]).1.concat();
    let comment = closed.replace("spec: {}", "spec: {} # meshlint: ignore[missing-default-deny] no more");
    assert_eq!(
        line(&comment),
        "m/a.yaml:4:29: warning[unused-suppression]: `missing-default-deny` finds nothing here that could be suppressed"
    );
    assert!(line(&comment.replace("deny]", "denny]")).contains("no rule is called `missing-default-denny`"));
    assert!(line(&comment.replace("ignore[missing-default-deny]", "ignore")).contains("names no rule"));
    let entry =
        "suppressions:\n- rule: missing-default-deny\n  file: m/a.yaml\n  reason: until then\n  expires: 2026-03-31\n";
    assert_eq!(unused(&open("", ""), entry, &[]), (0, Vec::new()), "without a day none expires");
    assert_eq!(unused(&open("", ""), entry, &["--today", "2026-03-31"]), (0, Vec::new()), "the last day counts");
    let (code, lines) = unused(&open("", ""), entry, &["--today", "2026-04-01"]);
    assert_eq!(code, 1, "what it accepted is found again");
    assert!(
        lines.concat().contains("meshlint.yaml:5:12: warning[unused-suppression]: the suppression of"),
        "{lines:?}"
    );
    let (_, switched_off) = unused(&comment, "severity: {unused-suppression: off}", &[]);
    assert!(switched_off.is_empty());
}

#[test]
fn a_baseline_shows_only_what_is_new_or_has_grown() {
    let workload = |name: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\n\
             spec: {{template: {{metadata: {{labels: {{app: {name}}}}}, \
             spec: {{containers: [{{image: x, ports: [{{containerPort: 80}}]}}]}}}}}}\n"
        )
    };
    let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\n\
                  spec:\n  rules:\n    - to: [{operation: {paths: [\"/api/*\"]}}]\n";
    let directory = directory(&[("m/a.yaml", &format!("{policy}{}", workload("cart")))]);
    let known = ["check", "m", "--format", "concise", "--baseline", "m/known.yaml"];
    let (code, _, err) = run(directory.path(), &[&known[..], &["--write-baseline"]].concat());
    assert_eq!((code, err.as_str()), (0, "m/known.yaml holds 1 finding\n"));
    let again = |text: &str| {
        fs::write(directory.path().join("m/a.yaml"), text).expect("writable");
        let (code, out, err) = run(directory.path(), &known);
        (code, found(&out), err)
    };
    let (code, none, err) = again(&format!("# moved\n\n{policy}{}", workload("cart")));
    assert_eq!((code, none.len()), (0, 0), "{err}");
    assert!(err.ends_with("no findings, 1 in the baseline\n"), "{err}");
    let (code, grown, err) = again(&format!("{policy}{}{}", workload("cart"), workload("desk")));
    assert_eq!((code, grown.concat().as_str()), (1, "error[api-outside-ingress]"));
    assert!(err.contains("1 finding grew beyond the baseline"), "{err}");
    let (code, _, err) = again(&format!("{policy}{}", workload("desk")));
    assert_eq!(code, 1, "another door behind the same number of cells: {err}");
    let (code, _, err) = again(&policy.replace("\"/api/*\"", "/health"));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("1 entry of the baseline matches nothing any more"), "{err}");
}

#[test]
fn a_baseline_that_is_none_is_told_with_its_place() {
    let directory = directory(&[("a.yaml", &open("", "")), ("known.yaml", "version: 2\nfindngs: []\n")]);
    let (code, _, err) = run(directory.path(), &["check", "a.yaml", "--baseline", "known.yaml"]);
    assert_eq!(code, 2);
    assert!(err.contains("known.yaml:2:1: the baseline has no key `findngs`"), "{err}");
    assert!(err.contains("known.yaml:1:10: this baseline has version 2"), "{err}");
    assert_eq!(run(directory.path(), &["check", "a.yaml", "--write-baseline"]).0, 2);
    assert_eq!(run(directory.path(), &["check", "a.yaml", "--baseline", "gone.yaml"]).0, 2);
}

#[test]
fn a_pedantic_rule_is_asked_only_where_somebody_asks() {
    let rule = "id: any-open-path\ntitle: a path is open\npedantic: true\nforbid: {path: /open}\n";
    let of = |config: &str, more: &[&str]| {
        let directory = directory(&[
            ("m/a.yaml", &open("", "")),
            ("r/own.yaml", rule),
            ("meshlint.yaml", &format!("rules: [r]\n{config}")),
        ]);
        let (_, out, _) = run(directory.path(), &[&["check", "m", "--format", "concise"], more].concat());
        found(&out).iter().any(|rule| rule == "error[any-open-path]")
    };
    assert!(!of("", &[]));
    assert!(of("", &["--pedantic"]) && of("", &["--select", "any-open-path"]));
    assert!(of("severity: {any-open-path: error}", &[]));
    assert!(!of("", &["--pedantic", "--ignore", "any-open-path"]));
}

#[test]
fn every_mistake_of_the_owner_is_exit_status_two_with_the_nearest_word() {
    let policy = open("", "");
    for (config, words) in [
        ("severity: {missing-default-denny: off}", "meshlint.yaml:1:12: no rule is called `missing-default-denny`"),
        ("severity: {unknown-field: of}", "must be one of `error`, `warning`, `info`, `off`, not `of`"),
        ("overrides: [{files: [a], ignore: [nothing]}]", "no rule is called `nothing`"),
        ("overrides: [{files: [a]}]", "changes nothing"),
        ("overrides: [{ignore: [unknown-field]}]", "missing field `files`"),
        ("suppressions: [{rule: unknown-field, reason: x}]", "needs a `file` or a `resource`"),
        ("suppressions: [{rule: unknown-field, file: a, reason: \" \"}]", "needs a `reason`"),
        ("suppressions: [{rule: unknown-field, file: a, reason: x, expires: 2026-02-30}]", "no day of the form"),
        ("suppresions: []", "the nearest key is `suppressions`"),
        ("exclude: [\"a[\"]", "`a[` is no glob"),
        ("rules: [gone/*.yaml]", "meshlint.yaml:1:9: `gone/*.yaml` names no rule file"),
        ("worlds: {dev: []}", "the world `dev` has no path"),
        ("convention: {api: api}", "meshlint.yaml:1:19: `api` is no path prefix"),
        ("sensitive-paths: [admin]", "`admin` is no path prefix"),
    ] {
        let (code, _, err) = check(&policy, config, &[]);
        assert_eq!(code, 2, "{config}");
        assert!(err.contains(words), "{config}: {err}");
    }
    assert_eq!(check(&policy, "", &["--today", "tomorrow"]).0, 2);
    let directory = directory(&[("a.yaml", &policy), ("own.yaml", "id: x\ntitle: t\nforbid: {pth: /a}\n")]);
    fs::write(directory.path().join("meshlint.yaml"), "rules: [own.yaml]").expect("writable");
    let (code, _, err) = run(directory.path(), &["check", "a.yaml"]);
    assert_eq!(code, 2);
    assert!(err.contains("own.yaml:3:10: `forbid` has no key `pth` (the nearest key is `path`)"), "{err}");
}

/// The fixture with two worlds.
fn settled() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/settled")
}

#[test]
fn worlds_are_judged_apart_and_what_they_share_is_said_once() {
    let (code, out, err) = run(&settled(), &["check", ".", "--format", "json"]);
    assert_eq!(code, 1, "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let told = |finding: &serde_json::Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        (text("file"), finding["line"].as_u64().unwrap_or_default(), text("rule"), text("world"))
    };
    let found: Vec<_> = report["findings"].as_array().expect("findings").iter().map(told).collect();
    let own = |file: &str, line: u64, world: &str| {
        (file.to_owned(), line, "admin-outside-operations".to_owned(), world.to_owned())
    };
    assert_eq!(found, [own("./base/policies.yaml", 13, "dev, prod"), own("./overlays/dev/policies.yaml", 7, "dev")]);
    assert!(err.ends_with("2 errors, 2 suppressed\n"), "{err}");
    assert!(err.contains("in the worlds dev, prod together"), "{err}");
}

#[test]
fn one_world_can_be_asked_for_and_other_commands_need_one() {
    let directory = settled();
    let (code, out, _) = run(&directory, &["check", ".", "--world", "prod", "--format", "concise"]);
    assert_eq!((code, out.lines().count()), (1, 1), "{out}");
    let (code, _, err) = run(&directory, &["check", ".", "--world", "pord"]);
    assert_eq!(code, 2);
    assert!(err.contains("no world is called `pord`; the nearest is `prod`"), "{err}");
    let (code, _, err) = run(&directory, &["matrix", "."]);
    assert_eq!(code, 2);
    assert!(err.contains("`--world dev` or `--world prod`"), "{err}");
    assert_eq!(run(&directory, &["matrix", ".", "--world", "dev"]).0, 0);
    let (_, _, err) = run(&directory, &["check", "overlays/dev", "--allow-empty"]);
    assert!(err.contains("no file of the world `prod` is among what was read"), "{err}");
}

#[test]
fn what_expires_comes_back_where_the_day_is_told() {
    let (_, out, _) = run(&settled(), &["check", ".", "--today", "2026-07-01", "--format", "concise"]);
    let rules = found(&out);
    for rule in ["error[unknown-field]", "warning[unused-suppression]"] {
        assert!(rules.iter().any(|known| known == rule), "{rule}: {out}");
    }
}

#[test]
fn rules_of_the_user_are_explained_and_listed() {
    let (code, out, _) = run(&settled(), &["explain", "admin-outside-operations"]);
    assert_eq!(code, 0);
    assert!(out.contains("require: { source: { namespace: operations }, mtls: true }"), "{out}");
    let (_, out, _) = run(Path::new("/"), &["rules", "--config", &settled().join("meshlint.yaml").to_string_lossy()]);
    assert!(out.lines().any(|line| line.starts_with("admin-outside-operations")), "{out}");
    assert_eq!(run(Path::new("/"), &["explain", "admin-outside-operations"]).0, 2);
}

#[test]
fn includes_and_excludes_of_the_configuration_are_names_from_its_directory() {
    let files =
        [("m/a.yaml", open("", "")), ("m/b/c.yaml", open("", "").replace("namespace: shop", "namespace: desk"))];
    let of = |config: &str, paths: &[&str]| {
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let directory = directory(&[&files[..], &[("meshlint.yaml", config)]].concat());
        run(directory.path(), &[&["check", "--format", "concise"], paths].concat()).1.lines().count()
    };
    assert_eq!(of("", &["m"]), 2);
    assert_eq!(of("exclude: [\"m/b/**\"]", &["m"]), 1);
    assert_eq!(of("include: [\"m/*.yaml\"]", &["m"]), 1);
    assert_eq!(of("exclude: [\"m/b/**\"]", &["m/b/c.yaml"]), 1, "what is named is read");
}

#[test]
fn the_schemas_are_printed() {
    for (of, title) in [("config", "meshlint.yaml"), ("rule", "a rule of meshlint")] {
        let (code, out, _) = run(Path::new("/"), &["schema", of]);
        assert_eq!(code, 0);
        let schema: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(schema["title"], title);
    }
}
