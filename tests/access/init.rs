//! `init`: what is derived is what the manifests do, and `check` has nothing to say to it.

use meshlint::author;
use meshlint::config;
use meshlint::rule::Status;
use meshlint::text::FileId;

use super::{CART, JWT, STRICT, TABLE, cases, check, check_text, manifests, policy};

#[test]
fn the_table_that_init_derives_of_the_seed_is_the_one_that_people_would_write() {
    let (name, case) = cases().into_iter().find(|(name, _)| name == "seed").expect("the seed");
    for run in &case.runs {
        let run = check(&manifests(&name, &case, run), "{}");
        let proposed = author::init(&run.files, &run.world, &run.config);
        let config = config::read(FileId(9), &proposed.text).expect("a configuration");
        assert_eq!(config.access, config::read(FileId(9), TABLE).expect("a configuration").access);
        assert_eq!((proposed.rows, proposed.workloads, proposed.commented), (2, 2, 0));
    }
}

#[test]
fn nothing_is_said_of_a_table_that_init_derives_and_generate_keeps_it() {
    let mut generated = 0;
    for (name, case) in cases() {
        for run in &case.runs {
            let manifests = manifests(&name, &case, run);
            let before = check(&manifests, "{}");
            let proposed = author::init(&before.files, &before.world, &before.config);
            let mut after = check(&manifests, &proposed.text);
            let said = after.report.findings.iter().find(|finding| finding.rule.starts_with("access-"));
            assert!(said.is_none(), "{name}/{run}: {said:?}\n{}", proposed.text);
            let doubtful = before.report.findings.iter().any(|finding| finding.status == Status::NotProven);
            assert!(!doubtful || proposed.commented > 0, "{name}/{run}: what is not known is counted");
            match author::generate(&mut after.files, &after.world, &after.config) {
                Ok(policies) => {
                    generated += 1;
                    assert!(policies.idle.is_empty(), "{name}/{run}: {:?}", policies.idle);
                }
                Err(problems) => {
                    let open = ["no proxy stands in front", "istio-system/"];
                    let told = |problem: &config::Problem| open.iter().any(|words| problem.message.contains(words));
                    assert!(problems.iter().all(told), "{name}/{run}: {problems:?}");
                }
            }
        }
    }
    assert!(generated > 80, "{generated} tables");
}

/// The rows that init derives of a text, one a line, and its comments of one kind.
fn derived(text: &str) -> (Vec<String>, Vec<String>) {
    let run = check_text(text, "{}");
    let proposed = author::init(&run.files, &run.world, &run.config);
    let report = check_text(text, &proposed.text).report;
    let said = report.findings.iter().find(|finding| finding.rule.starts_with("access-"));
    assert!(said.is_none(), "{said:?}\n{}", proposed.text);
    let lines: Vec<&str> = proposed.text.lines().skip_while(|line| !line.starts_with("access:")).skip(1).collect();
    let rows = lines.iter().filter(|line| !line.trim_start().starts_with('#')).copied().collect::<Vec<_>>().join(" ");
    let rows = rows.split("- workloads: ").map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "));
    let comments = lines.iter().filter_map(|line| line.trim_start().strip_prefix("#   "));
    (rows.filter(|row| !row.is_empty()).collect(), comments.map(str::to_owned).collect())
}

#[test]
fn init_says_in_rows_what_policies_ports_and_tokens_do() {
    let cart = "{ namespace: shop, labels: { app: cart } }";
    let cases = [
        (CART.to_owned(), vec!["{CART} allow: [anyone]"]),
        (format!("{CART}{STRICT}"), vec!["{CART} allow: [mesh]"]),
        (
            format!("{CART}{}", policy("a", "rules: [{from: [{source: {namespaces: [web]}}]}]")),
            vec!["{CART} allow: [{ namespace: web }]"],
        ),
        (
            // Bytes have no path: the rule is not there for the port that is called tcp.
            format!("{CART}{}", policy("a", "rules: [{to: [{operation: {paths: [/x, /y*], methods: [GET]}}]}]")),
            vec!["{CART} paths: [\"/x\", \"/y*/**\"] methods: [GET] ports: [8080] allow: [anyone]"],
        ),
        (
            format!("{CART}{}", policy("a", "rules: [{to: [{operation: {ports: [\"5432\"]}}]}]")),
            vec!["{CART} ports: [5432] allow: [anyone]"],
        ),
        (
            format!("{CART}{JWT}{}", policy("a", "rules: [{from: [{source: {requestPrincipals: [\"*\"]}}]}]")),
            vec!["{CART} ports: [8080] allow: [anyone] jwt: required"],
        ),
        (
            // Whom a DENY spares is all that it leaves.
            format!("{CART}{}", policy("d", "action: DENY, rules: [{from: [{source: {notNamespaces: [shop]}}]}]")),
            vec!["{CART} allow: [same-namespace]"],
        ),
        (
            format!("{CART}{}", policy("a", "rules: [{from: [{source: {notPrincipals: [\"*\"]}}]}]")),
            vec!["{CART} allow: [outside]"],
        ),
        (format!("{CART}{}", policy("a", "rules: []")), vec![]),
    ];
    for (text, wanted) in cases {
        let wanted: Vec<String> = wanted.iter().map(|row| row.replace("{CART}", cart)).collect();
        assert_eq!(derived(&text).0, wanted, "{text}");
    }
}

#[test]
fn what_rows_cannot_say_is_a_comment_with_its_reason() {
    let cases = [
        ("rules: [{when: [{key: \"request.headers[x]\", values: [admin]}]}]", "asks for what rows cannot say"),
        ("rules: [{to: [{operation: {hosts: [a.example]}}]}]", "asks for what rows cannot say"),
        ("action: DENY, rules: [{to: [{operation: {paths: [/admin*]}}]}]", "a DENY policy takes away"),
        ("action: CUSTOM, provider: {name: opa}, rules: [{}]", "it is not known what gets in"),
    ];
    for (rest, reason) in cases {
        let (rows, comments) = derived(&format!("{CART}{}", policy("a", rest)));
        assert_eq!(rows, Vec::<String>::new(), "{rest}");
        assert!(comments.iter().any(|comment| comment.contains(reason)), "{rest}: {comments:?}");
        assert!(
            comments.iter().any(|comment| comment.starts_with("allow: [")),
            "the row is there to read: {comments:?}"
        );
    }
}
