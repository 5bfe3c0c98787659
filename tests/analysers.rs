//! What meshlint says of the cases that other analysers are tested with: `fixtures/analysers/istio.csv` and `kiali.csv` have
//! a row for each message that is expected there and each one that is expected not to come, `codes.csv` the rules that say
//! the same as a message. Held against the cases where the corpus is, beside the project.

#![expect(clippy::disallowed_methods, reason = "tests read their input")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use meshlint::config::Config;
use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query;
use meshlint::rule::{self, RuleSet};
use meshlint::text::Files;
use serde::Deserialize;

/// What an analyser says of an object in one of its cases, and what meshlint says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The case, as it is called there
    case: String,
    /// Its files, in one directory
    files: String,
    /// Which analyser it is about
    analyser: String,
    /// What that says; `-`: nothing
    code: String,
    /// `KIND NAMESPACE/NAME`; `-`: of no object of the case
    object: String,
    /// The rules by which meshlint says the same of that object; `-`: none
    rules: String,
    /// Why they differ, if that is not so of the message everywhere
    why: String,
}

/// What a message comes to here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meaning {
    /// The message
    code: String,
    /// Rules that say the same; `-`: none
    rules: String,
    /// Why there is none, or what else differs everywhere
    why: String,
}

/// The rule that says that an object does not act at all: nothing else is said of it then.
const REFUSED: &str = "rejected-resource";

/// The tables, with the directory of their files in the corpus.
const TABLES: [(&str, &str); 2] = [
    ("istio.csv", "istio-analysis-testdata/pkg/config/analysis/analyzers/testdata"),
    ("kiali.csv", "kiali-testdata/tests/data/validations"),
];

/// The rows of a table.
fn table<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/analysers").join(name);
    let mut reader = csv::Reader::from_path(path).expect("readable");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// The words of a cell; `-` is none.
fn words(cell: &str) -> impl Iterator<Item = String> + '_ {
    cell.split(' ').filter(|word| !word.is_empty() && *word != "-").map(str::to_owned)
}

/// What meshlint says of the objects of some files: object and rule.
fn said(directory: &Path, names: &str) -> Option<BTreeSet<(String, String)>> {
    let mut files = Files::default();
    let mut inputs = Vec::new();
    for name in words(names) {
        let text = fs::read_to_string(directory.join(&name)).ok()?;
        inputs.push(InputFile { file: files.add(name, text), context: false });
    }
    let loaded = load(&files, &inputs, &LoadOptions::default());
    let (_, report) = query::judge(&files, loaded, &Config::default(), &RuleSet::default());
    let object = |finding: &rule::Finding| {
        finding.resource.as_ref().map(|id| format!("{} {}/{}", id.kind, id.namespace, id.name))
    };
    Some(report.findings.iter().filter_map(|finding| Some((object(finding)?, finding.rule.to_string()))).collect())
}

#[test]
fn each_case_is_told_as_the_tables_have_it() {
    let codes: BTreeMap<String, Meaning> =
        table("codes.csv").into_iter().map(|code: Meaning| (code.code.clone(), code)).collect();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let mut wrong = Vec::new();
    for (name, directory) in TABLES {
        let rows: Vec<Row> = table(name);
        let directory: PathBuf = corpus.join(directory);
        let mut speaks: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for row in &rows {
            let own = speaks.entry(&row.analyser).or_insert_with(|| BTreeSet::from([REFUSED.to_owned()]));
            own.extend(codes.get(&row.code).into_iter().flat_map(|code| words(&code.rules)));
        }
        let mut cases: BTreeMap<(&str, &str, &str), Vec<&Row>> = BTreeMap::new();
        for row in &rows {
            cases.entry((&row.case, &row.files, &row.analyser)).or_default().push(row);
        }
        for ((case, files, analyser), rows) in cases {
            let relevant = speaks.get(analyser).expect("an analyser");
            let expected: BTreeSet<(String, String)> =
                rows.iter().flat_map(|row| words(&row.rules).map(|rule| (row.object.clone(), rule))).collect();
            let Some(mut found) = said(&directory, files).filter(|_| directory.is_dir()) else { continue };
            found.retain(|(_, rule)| relevant.contains(rule));
            if found != expected {
                let more: Vec<_> = found.difference(&expected).collect();
                let less: Vec<_> = expected.difference(&found).collect();
                wrong.push(format!("{name}, {case}: not in the table {more:?}, only there {less:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_difference_has_its_reason_and_every_word_a_meaning() {
    let codes: BTreeMap<String, Meaning> =
        table("codes.csv").into_iter().map(|code: Meaning| (code.code.clone(), code)).collect();
    let known = |rule: &str| rule::rule(rule).is_ok();
    for code in codes.values() {
        assert!(words(&code.rules).all(|rule| known(&rule)), "{}", code.code);
        assert_eq!(code.rules == "-", !code.why.is_empty(), "{}: rules, or the reason why there are none", code.code);
    }
    let mut used = BTreeSet::new();
    for (name, _) in TABLES {
        for row in table::<Row>(name) {
            assert!(words(&row.rules).all(|rule| known(&rule)), "{name}, {}: {}", row.case, row.rules);
            let code = codes.get(&row.code);
            assert!(code.is_some() || row.code == "-", "{name}, {}: {}", row.case, row.code);
            let usual: BTreeSet<String> = code.into_iter().flat_map(|code| words(&code.rules)).collect();
            let same = words(&row.rules).any(|rule| usual.contains(&rule));
            let silent = row.code == "-" && row.rules == "-";
            let explained = same || silent || (usual.is_empty() && row.rules == "-" && row.code != "-");
            assert_eq!(explained, row.why.is_empty(), "{name}, {}, {}: {}", row.case, row.object, row.why);
            used.insert(row.code);
        }
    }
    assert!(codes.keys().all(|code| used.contains(code)), "a code without a row");
}
