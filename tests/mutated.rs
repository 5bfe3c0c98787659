//! Manifests as people break them: lines cut, swapped, nested, retyped and misspelt. Whatever comes of it is read the
//! same by both readers, is judged without a crash, and is judged the same once more.
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a generator of texts, within the bounds that it just found"
)]
#![expect(clippy::disallowed_methods, reason = "tests read their input")]

#[path = "support/tree.rs"]
mod tree;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use meshlint::config::Config;
use meshlint::model::{Counts, InputFile, LoadOptions, Problem, load};
use meshlint::report::{Look, summary, text};
use meshlint::rule;
use meshlint::semantics::{World, WorldOptions};
use meshlint::text::{FileId, Files};
use meshlint::yaml::{self, Stream};
use tree::tree;

/// A sequence of numbers that is the same on every machine: an xorshift.
struct Random(u64);

impl Random {
    /// A number below a bound.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound.max(1)).expect("a bound")).expect("below it")
    }

    /// One of several.
    fn of<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        &several[self.below(several.len())]
    }
}

/// Manifests below a directory of the project or beside it that are not too long, in path order.
fn manifests(root: &str, longest: usize) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file());
    let files = files.filter(|entry| entry.path().extension().is_some_and(|end| end == "yaml" || end == "yml"));
    let texts = files.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    texts.filter(|text| text.len() < longest).collect()
}

/// Values that are not what a field wants.
const VALUES: &[&str] = &[
    "yes",
    "~",
    "",
    "0644",
    "1e3",
    ".inf",
    "[]",
    "{}",
    "[a, b]",
    "{a: b}",
    "[[]]",
    "\"\"",
    "'*'",
    "\"*\"",
    "|",
    ">-",
    "&x a",
    "*x",
    "!!int 7",
    "{{ .Values.x }}",
    "${X}",
    "\tx",
    "65536",
    "-1",
    "0",
    "99999999999999999999",
    "*.example.com",
    "/a/{*}/b/{**}",
    "(a|b)+$",
    "(",
    "a\\",
    "DENY",
    "ALLOW",
    "CUSTOM",
    "STRICT",
    "spiffe://x/ns/y/sa/z",
    "10.0.0.0/33",
    "::/0",
    "\u{feff}",
    "\u{85}",
];

/// Words of the API, and misspelt ones.
const WORDS: &[&str] = &[
    "rules",
    "rule",
    "from",
    "to",
    "when",
    "source",
    "operation",
    "paths",
    "notPaths",
    "path",
    "principals",
    "namespaces",
    "namespace",
    "hosts",
    "ports",
    "methods",
    "spec",
    "specs",
    "metadata",
    "name",
    "labels",
    "selector",
    "matchLabels",
    "action",
    "http",
    "match",
    "uri",
    "prefix",
    "regex",
    "route",
    "destination",
    "host",
    "servers",
    "port",
    "number",
    "protocol",
    "tls",
    "mode",
    "kind",
    "apiVersion",
    "items",
    "<<",
    "y",
    "1",
    "\"\"",
    "?",
    "a b",
];

/// Makes one change to a text.
fn change(random: &mut Random, text: &str, others: &[String]) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if lines.is_empty() {
        return random.of(VALUES).to_string();
    }
    let (at, other) = (random.below(lines.len()), random.below(lines.len()));
    let line = lines[at].clone();
    match random.below(14) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(other, line),
        2 => lines.swap(at, other),
        3 => lines[at] = format!("  {line}"),
        4 => line.strip_prefix("  ").unwrap_or(&line).clone_into(&mut lines[at]),
        // Nested: a part of the text one level deeper, below a word.
        5 => {
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            lines.insert(at, format!("{indent}{}:\n", random.of(WORDS)));
            for line in lines.iter_mut().skip(at + 1).take(1 + other % 9) {
                line.insert_str(0, "  ");
            }
        }
        // Retyped.
        6 | 7 => {
            if let Some(colon) = line.find(": ") {
                lines[at] = format!("{}: {}\n", &line[..colon], random.of(VALUES));
            }
        }
        8 => lines[at] = line.replacen("- ", "", 1),
        9 => lines[at] = line.replacen(": ", ": - ", 1),
        // Misspelt: another word, or a character less or twice.
        10 => {
            if let Some(colon) = line.find(':') {
                let start = line[..colon].rfind([' ', '{', '\n']).map_or(0, |start| start + 1);
                lines[at] = format!("{}{}{}", &line[..start], random.of(WORDS), &line[colon..]);
            }
        }
        11 => {
            let characters: Vec<char> = line.chars().collect();
            let place = random.below(characters.len());
            let times = if random.below(2) == 0 { 0 } else { 2 };
            let changed =
                characters.iter().enumerate().flat_map(|(index, c)| vec![*c; if index == place { times } else { 1 }]);
            lines[at] = changed.collect();
        }
        // Cut, or cut together with another manifest.
        12 => lines.truncate(at),
        _ => {
            let other = random.of(others);
            let from = other.char_indices().nth(random.below(other.len())).map_or(0, |(place, _)| place);
            lines.truncate(at);
            lines.push(other[from..].to_owned());
        }
    }
    lines.concat()
}

/// All nodes of a stream with their spans, and its problems.
fn shown(stream: &Stream<'_>) -> String {
    let mut text = format!("{:?}\n", stream.problems);
    for document in &stream.documents {
        text.push_str(&tree(document.root()));
        text.push_str("\n---\n");
    }
    text
}

/// Everything that `check` says about a text.
fn judged(manifest: &str) -> String {
    let mut files = Files::default();
    let inputs = [InputFile { file: files.add("a.yaml", manifest), context: false }];
    let config = Config::default();
    let loaded = load(&files, &inputs, &LoadOptions::default());
    let (world, refused) = World::admit(loaded.mesh, WorldOptions::from(&config));
    let problems: Vec<Problem> = loaded.problems.into_iter().chain(refused).collect();
    assert!(accounted(&loaded.counts), "documents that nobody accounts for: {:?}", loaded.counts);
    let report = rule::check(&files, &world, &problems, loaded.counts, &config);
    let look = Look { colour: false, verbose: true, width: 100 };
    text(&files, &report, look) + &summary(&files, &report, Some(100))
}

/// Whether each document is understood, of another kind, or counted as something that was left out.
fn accounted(counts: &Counts) -> bool {
    let understood: usize = counts.resources.values().chain(counts.other.values()).sum();
    counts.documents == understood + counts.kustomizations + counts.repeated + counts.skipped
}

/// Makes so many mutants, and judges every one of them.
fn mutants(seed: u64, count: usize, roots: &[&str], longest: usize) {
    let manifests: Vec<String> = roots.iter().flat_map(|root| manifests(root, longest)).collect();
    assert!(manifests.len() > 100, "{}", manifests.len());
    let mut random = Random(seed);
    let mut read = 0;
    for number in 0..count {
        let mut text = random.of(&manifests).clone();
        for _ in 0..=random.below(3) {
            text = change(&mut random, &text, &manifests);
        }
        let judge = || {
            let stream = yaml::read(FileId(0), &text);
            assert_eq!(shown(&stream), shown(&yaml::read_by_parser(FileId(0), &text)), "both readers");
            let first = judged(&text);
            if number % 8 == 0 {
                assert_eq!(first, judged(&text), "judged twice");
            }
            stream.documents.len()
        };
        let documents = catch_unwind(AssertUnwindSafe(judge));
        let documents = documents.unwrap_or_else(|_| panic!("mutant {number} of seed {seed}:\n{text:?}\n{text}"));
        read += usize::from(documents > 0);
    }
    // Most mutants are YAML still: the generator breaks objects, not only texts.
    assert!(read * 2 > count, "{read} of {count} mutants hold a document");
}

#[test]
fn two_thousand_mutants_are_judged() {
    mutants(20_261_126, 2_000, &["fixtures/mission", "fixtures/rules"], 1_000);
}

#[test]
#[ignore = "takes minutes: `cargo test --release --test mutated -- --ignored`; `MUTANTS=N` makes N of them"]
fn a_hundred_thousand_mutants_are_judged() {
    let count = std::env::var("MUTANTS").ok().and_then(|count| count.parse().ok());
    mutants(1, count.unwrap_or(100_000), &["fixtures/mission", "fixtures/rules", "../shared/corpus"], 6_000);
}
