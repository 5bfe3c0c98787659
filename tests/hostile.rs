//! Hostile input, held against the table of `fixtures/reading/README.md`: what each gets is said in its words, within
//! bounds of memory, without a crash, and the rest of the input is judged all the same.

#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "tests write their input")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

/// An object in front of the hostile document, which is judged whatever comes behind it.
const POLICY: &str = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: deny-all, namespace: shop}\nspec: {}\n";

/// The most memory that a run may ask for, in KiB: of address space, threads and binary included.
const MEMORY: u32 = 3 << 20;

/// What is written into the directory that is checked.
type Write = fn(&Path);

/// Writes `a.yaml`: the policy, and the hostile document behind it.
macro_rules! behind {
    ($text:expr) => {
        |at: &Path| write(at, "a.yaml", &[POLICY.as_bytes(), b"---\n", $text.as_ref()].concat())
    };
}

/// Writes `a.yaml` and nothing else.
macro_rules! alone {
    ($bytes:expr) => {
        |at: &Path| write(at, "a.yaml", $bytes.as_ref())
    };
}

/// The inputs, by the names that the table has.
const INPUTS: &[(&str, Write)] = &[
    ("100,000 opening brackets", behind!("[".repeat(100_000))),
    ("100,000 brackets within one another", behind!("[".repeat(100_000) + &"]".repeat(100_000))),
    ("100,000 mappings within one another", behind!("{a: ".repeat(100_000))),
    ("100,000 dashes on a line", behind!("- ".repeat(100_000))),
    ("100,000 question marks on a line", behind!("? ".repeat(100_000))),
    ("100,000 mappings of JSON within one another", alone!(deep_json())),
    ("a scalar of 10 MB", behind!(annotated(&"x".repeat(10_000_000)))),
    (
        "a literal block of 10 MB",
        behind!(format!("{}\n", annotated(&format!("|\n{}", "      x y\n".repeat(1_000_000))))),
    ),
    ("a stream of 50 MB", |at| write(at, "a.yaml", (POLICY.to_owned() + &stream()).as_bytes())),
    ("100,000 documents", behind!("kind: a\n---\n".repeat(100_000))),
    ("100,000 separators", behind!("---\n".repeat(100_000))),
    ("a line of 1 MB", behind!(format!("a: [{}]\n", "1, ".repeat(333_333)))),
    ("a comment of 1 MB", behind!(format!("#{}\na: 1\n", "x".repeat(1_000_000)))),
    ("a key of 1 MB", behind!(format!("{}: 1\n", "k".repeat(1_000_000)))),
    ("an alias bomb", behind!(bomb())),
    ("an alias within its own node", behind!("a: &a [*a]\n")),
    ("an anchor twice", behind!("a: &a 1\nb: &a 2\nc: *a\n")),
    ("a merge key of its own mapping", behind!("a: &a {<<: *a}\n")),
    ("a merge key of a text", behind!("a: {<<: b}\n")),
    ("a merge key behind what it replaces", behind!("a: &a {x: 1}\nb:\n  x: 2\n  <<: *a\n")),
    ("a NUL", behind!("a: \u{0}\n---\nb: 1\n")),
    ("a control character", behind!("a: \u{7}\n")),
    ("an escape sequence of terminals in a name", alone!(POLICY.replace("deny-all", "\"\\e[31mdeny\\e[2J\""))),
    ("bytes that are not UTF-8", |at| write(at, "a.yaml", &[POLICY.as_bytes(), b"# caf\xE9\n"].concat())),
    ("UTF-16 with a byte-order mark", alone!(wide(POLICY, true))),
    ("UTF-16 without a byte-order mark", alone!(wide(POLICY, false))),
    ("half a unit of UTF-16", |at| write(at, "a.yaml", &[wide(POLICY, true), vec![0]].concat())),
    ("lines that end in CR LF", alone!(POLICY.replace('\n', "\r\n"))),
    ("lines that end in CR", alone!(POLICY.replace('\n', "\r"))),
    ("a tab as indentation", behind!("a:\n\tb: 1\n")),
    ("a tab on a line of its own", behind!("a: 1\n\t\nb: 2\n")),
    ("a line separator of Unicode", behind!("# c\u{2028}kind: x\n")),
    ("links that lead in a circle", |at| {
        write(at, "a.yaml", POLICY.as_bytes());
        symlink(at, at.join("loop")).expect("a link");
        symlink("x.yaml", at.join("y.yaml")).expect("a link");
        symlink("y.yaml", at.join("x.yaml")).expect("a link");
    }),
    ("a link that leads nowhere", |at| {
        write(at, "a.yaml", POLICY.as_bytes());
        symlink("nothing", at.join("b.yaml")).expect("a link");
    }),
    ("a directory named `x.yaml`", |at| {
        fs::create_dir(at.join("x.yaml")).expect("a directory");
        write(&at.join("x.yaml"), "a.yaml", POLICY.as_bytes());
    }),
    ("a pipe named `x.yaml`", |at| {
        write(at, "a.yaml", POLICY.as_bytes());
        pipe(&at.join("x.yaml"));
    }),
    ("a file that cannot be read", |at| {
        write(at, "a.yaml", POLICY.as_bytes());
        // Reading its first byte fails, for the owner of the machine too.
        symlink("/proc/self/mem", at.join("b.yaml")).expect("a link");
    }),
    ("expressions that explode", |at| write(at, "a.yaml", (POLICY.to_owned() + &expressions()).as_bytes())),
    ("10,000 hosts of a virtual service", |at| write(at, "a.yaml", (POLICY.to_owned() + &hosts()).as_bytes())),
    ("5,000 gateways on a port", |at| write(at, "a.yaml", (POLICY.to_owned() + &gateways()).as_bytes())),
];

fn main() {
    let arguments = Arguments::from_args();
    let rows = rows();
    let mut trials: Vec<Trial> = Vec::new();
    for (name, write) in INPUTS {
        let row = rows.get(*name).cloned();
        trials.push(Trial::test(*name, move || {
            let row = row.ok_or("the table has no such row")?;
            let directory = TempDir::new().map_err(|error| error.to_string())?;
            write(directory.path());
            judged(&check(directory.path(), &[]), &row)
        }));
    }
    let vanishes = rows.get("a file that vanishes").cloned();
    trials.push(Trial::test("a file that vanishes", move || vanishing(&vanishes.ok_or("the table has no such row")?)));
    let known = trials.len();
    trials.push(Trial::test("every row of the table is tested", move || {
        if rows.len() == known { Ok(()) } else { Err(format!("{} rows, {known} inputs", rows.len()).into()) }
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// What an input gets.
#[derive(Debug, Clone)]
struct Row {
    /// Exit status
    status: i32,
    /// What is said
    words: Vec<String>,
}

/// The rows of the table, by the name of the input.
fn rows() -> BTreeMap<String, Row> {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reading/README.md");
    let table = fs::read_to_string(table).expect("the table");
    let lines = table.lines().skip_while(|line| !line.starts_with("| input")).skip(2);
    let lines = lines.take_while(|line| line.starts_with('|'));
    let cells = lines.map(|line| line.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect::<Vec<_>>());
    cells
        .map(|cells| {
            let [input, status, gets] = cells.as_slice() else { panic!("three cells, not {cells:?}") };
            let words = gets.split('“').skip(1).filter_map(|rest| rest.split('”').next()).map(str::to_owned).collect();
            let status = status.parse().expect("an exit status");
            ((*input).to_owned(), Row { status, words })
        })
        .collect()
}

/// Runs `check` on a directory, and on further paths before it, with bounded memory.
fn check(directory: &Path, before: &[&str]) -> Output {
    let limited = format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_meshlint"), "check", "--threads", "1", "--format", "concise"]);
    command.args(before).arg(".").current_dir(directory).stdin(Stdio::null()).env_remove("NO_COLOR");
    command.output().expect("it runs")
}

/// Whether a run said what the table says.
fn judged(output: &Output, row: &Row) -> Result<(), Failed> {
    let said = [&output.stdout, &output.stderr].map(|stream| String::from_utf8_lossy(stream).into_owned()).concat();
    let words: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = words.chars().take(3_000).collect();
    let missing = row.words.iter().find(|expected| !words.contains(expected.as_str()));
    if output.status.code() != Some(row.status) || missing.is_some() || row.words.is_empty() {
        return Err(format!("{:?} instead of {row:?}:\n{shown}", output.status).into());
    }
    match said.chars().find(|character| character.is_control() && !matches!(character, '\n' | '\t')) {
        Some(control) => Err(format!("{control:?} is written to the terminal").into()),
        None => Ok(()),
    }
}

/// A file is gone when its turn comes: what is read before it is a pipe, that is opened once all files are found.
fn vanishing(row: &Row) -> Result<(), Failed> {
    let directory = TempDir::new().map_err(|error| error.to_string())?;
    write(directory.path(), "a.yaml", POLICY.as_bytes());
    let other = TempDir::new().map_err(|error| error.to_string())?;
    let first = other.path().join("first.yaml");
    pipe(&first);
    let (path, gone) = (first.clone(), directory.path().join("a.yaml"));
    let writer = std::thread::spawn(move || {
        let mut pipe = fs::OpenOptions::new().write(true).open(path).expect("somebody reads");
        fs::remove_file(gone).expect("it is there");
        std::io::Write::write_all(&mut pipe, POLICY.as_bytes()).expect("it is read");
    });
    let output = check(directory.path(), &[&first.to_string_lossy()]);
    writer.join().map_err(|_| "the pipe was not read")?;
    judged(&output, row)
}

/// Writes a file.
fn write(directory: &Path, name: &str, bytes: &[u8]) {
    fs::write(directory.join(name), bytes).expect("writable");
}

/// Makes a pipe.
fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("it runs").success());
}

/// A `ConfigMap` with one annotation.
fn annotated(value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    b: {value}\n")
}

/// Mappings of JSON, one within the other.
fn deep_json() -> String {
    "{\"networking.istio.io/v1\":".repeat(100_000) + "1" + &"}".repeat(100_000)
}

/// Fifty `ConfigMap`s of a megabyte.
fn stream() -> String {
    let mut stream = String::new();
    for number in 0..50 {
        let lines = "      x: y # z\n".repeat(71_400);
        let _ = write!(
            stream,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{number}}}\ndata:\n  b: |\n{lines}"
        );
    }
    stream
}

/// Nine times nine times nine … twelve times.
fn bomb() -> String {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let all = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{all}]");
    }
    bomb
}

/// A text in UTF-16.
fn wide(text: &str, mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xFEFF_u16);
    mark.into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Expressions on which engines that backtrack never end, and such as make large automata.
fn expressions() -> String {
    let all =
        ["/(a|aa)+$", "/(a+)+b", "/(.*a){20}.*", "/((a{0,99}){0,9}){0,1}b", "/(x+x+)+y", "/[^/]*[^/]*[^/]*[^/]*[^/]*z"];
    let matches = all.map(|regex| format!("    - uri: {{regex: '{regex}'}}\n")).concat();
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: a, namespace: shop}}\nspec:\n  \
         hosts: [a]\n  http:\n  - match:\n{matches}    route: [{{destination: {{host: b}}}}]\n"
    )
}

/// A virtual service of many hosts.
fn hosts() -> String {
    let hosts: Vec<String> = (0..10_000).map(|number| format!("  - h{number}.example.com\n")).collect();
    let hosts = hosts.concat();
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec:\n  selector: \
         {{istio: ingressgateway}}\n  servers: [{{hosts: ['*'], port: {{number: 80, name: http, protocol: HTTP}}}}]\n\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: a, namespace: shop}}\nspec:\n  \
         gateways: [g]\n  hosts:\n{hosts}  http: [{{route: [{{destination: {{host: b}}}}]}}]\n"
    )
}

/// Many gateways that share a port.
fn gateways() -> String {
    let all: Vec<String> = (0..5_000)
        .map(|number| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g{number}, namespace: shop}}\nspec:\n  \
                 selector: {{istio: ingressgateway}}\n  servers: [{{hosts: [h{number}.example.com], port: {{number: 80, name: \
                 http, protocol: HTTP}}}}]\n"
            )
        })
        .collect();
    all.concat()
}
