//! A first access table: what the manifests do today, in rows that `check` has nothing to say to.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use rayon::prelude::*;

use super::derive::{Derived, derive};
use super::row::Row;
use super::table_text::{Block, Section, text};
use crate::config::{self, Config};
use crate::matrix::Fronts;
use crate::model::{Counts, Labels, Workload};
use crate::rule::access::{AccessTable, answers};
use crate::rule::{self, Report};
use crate::semantics::{World, selects};
use crate::text::{FileId, Files};

/// A table to read and to narrow.
#[derive(Debug, Clone, Default)]
pub struct Proposed {
    /// `meshlint.yaml`
    pub text: String,
    /// Rows that are in force
    pub rows: usize,
    /// Workloads of which they speak
    pub workloads: usize,
    /// Workloads whose rows are comments, for they do not say what gets in
    pub commented: usize,
}

/// Derives a table from what the manifests do, and holds it against them until nothing gets in beyond it.
pub fn init(files: &Files, world: &World, config: &Config) -> Proposed {
    let plain = Config { access: Vec::new(), access_default: None, ..config.clone() };
    let report = rule::check(files, world, &[], Counts::default(), &plain);
    let namespaces: Vec<String> =
        world.namespaces().into_iter().filter(|namespace| rule::is_judged(world, namespace)).collect();
    let sections = namespaces.par_iter().map(|namespace| section(world, namespace, &report));
    let mut sections: Vec<Section> = sections.collect();
    // What one block says may also speak of a workload of another, so this takes as long as something is taken back.
    while take_back(world, &plain, &mut sections) {}
    let blocks = || sections.iter().flat_map(|section| &section.blocks);
    let in_force = || blocks().filter(|block| block.reason.is_none());
    Proposed {
        text: text(&sections),
        rows: in_force().map(|block| block.rows.len()).sum(),
        workloads: in_force().flat_map(|block| &block.members).collect::<BTreeSet<_>>().len(),
        commented: blocks().filter(|block| block.reason.is_some()).map(|block| block.members.len()).sum(),
    }
}

/// The rows of a namespace, and what is odd there.
fn section(world: &World, namespace: &str, report: &Report) -> Section {
    let derived = derive(world, namespace);
    let found = report.findings.iter().filter(|finding| {
        let workload = finding.workload.as_deref().and_then(|workload| workload.split('/').next());
        workload == Some(namespace)
    });
    let odd: BTreeSet<String> = found.map(|finding| format!("{}: {}", finding.rule, finding.message)).collect();
    Section { namespace: namespace.to_owned(), odd, blocks: blocks(&derived) }
}

/// Workloads that are said alike, in blocks of rows for labels that select them and no others.
fn blocks(derived: &[Derived<'_>]) -> Vec<Block> {
    let mut groups: BTreeMap<(Vec<Row>, Option<String>), Vec<&Derived<'_>>> = BTreeMap::new();
    for one in derived.iter().filter(|one| !one.rows.is_empty() || one.short.is_some()) {
        groups.entry((one.rows.clone(), one.short.clone())).or_default().push(one);
    }
    let mut blocks = Vec::new();
    for ((rows, short), members) in groups {
        let mut by_labels: BTreeMap<Labels, (Option<String>, Vec<&Derived<'_>>)> = BTreeMap::new();
        for member in &members {
            let (labels, reason) = match labels_of(derived, &members, member.workload) {
                Some(labels) => (labels, None),
                None => (member.workload.labels.clone(), Some("no labels tell it apart from others".to_owned())),
            };
            by_labels.entry(labels).or_insert_with(|| (short.clone().or(reason), Vec::new())).1.push(member);
        }
        blocks.extend(by_labels.into_iter().map(|(labels, (reason, members))| Block {
            labels,
            rows: rows.clone(),
            reason,
            odd: members.iter().flat_map(|member| member.odd.clone()).collect(),
            members: members.iter().map(|member| member.workload.display_name()).collect(),
        }));
    }
    blocks.sort_by(|a, b| (&a.members, &a.labels).cmp(&(&b.members, &b.labels)));
    blocks
}

/// Labels by which people tell workloads apart, the most telling first.
const TELLING: [&str; 6] =
    ["app", "app.kubernetes.io/name", "k8s-app", "app.kubernetes.io/component", "name", "service"];

/// The fewest labels of a workload that select it and, but for others of its group, nothing that lets in anything else.
fn labels_of(all: &[Derived<'_>], group: &[&Derived<'_>], workload: &Workload) -> Option<Labels> {
    let alike = |other: &Derived<'_>| group.iter().any(|member| member.workload.id == other.workload.id);
    let apart = |labels: &Labels| all.iter().filter(|other| selects(Some(labels), &other.workload.labels)).all(alike);
    let only = |keys: &[&str]| -> Labels {
        let kept = workload.labels.iter().filter(|(key, _)| keys.contains(&key.as_str()));
        kept.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    if workload.implied {
        return Some(workload.labels.clone()).filter(apart);
    }
    let several = all.len() > 1;
    let telling = TELLING.iter().copied().filter(|key| workload.labels.contains_key(*key));
    let others = workload.labels.keys().map(CompactString::as_str).filter(|key| !TELLING.contains(key));
    let keys: Vec<&str> = telling.chain(others).collect();
    let singles = keys.iter().map(|key| vec![*key]);
    let pairs = keys.iter().skip(1).map(|key| keys.iter().take(1).chain([key]).copied().collect());
    let nothing = several.then(Vec::new).into_iter();
    let mut candidates = nothing.chain(singles).chain(pairs).chain([keys.clone()]);
    candidates.find_map(|keys| Some(only(&keys)).filter(apart))
}

/// Makes comments of the rows of workloads to whose table `check` would still have something to say. Whether there were
/// any.
fn take_back(world: &World, plain: &Config, sections: &mut [Section]) -> bool {
    let text = text(sections);
    let config = match config::read(FileId(u32::MAX), &text) {
        Ok(read) => Config { access: read.access, ..plain.clone() },
        Err(problems) => unreachable!("a table of the program's own is read again: {problems:?}"),
    };
    let table = AccessTable::of(world, &config);
    let fronts = Fronts::of(world);
    let judged: Vec<&Section> = sections.iter().collect();
    let wrong = judged.par_iter().map(|section| {
        let answers = answers(world, &fronts, &table, &section.namespace, true);
        let beyond = answers.beyond.iter().filter_map(|beyond| answers.doors.get(beyond.door));
        let beyond = beyond.flat_map(|door| table.rows_of(door.workload));
        let beyond = beyond.map(|row| (row, "rows of other workloads speak of it as well".to_owned()));
        let idle = answers.idle.iter().map(|item| {
            let why = if answers.undelivered.contains(item) {
                "the ingress is let in, and no route delivers anything"
            } else {
                "nobody gets in by one of its entries"
            };
            (item.row, why.to_owned())
        });
        idle.chain(beyond).collect::<Vec<_>>()
    });
    let wrong: BTreeMap<usize, String> = wrong.collect::<Vec<_>>().into_iter().flatten().collect();
    // Rows stand in the text in the order of their blocks.
    let mut next = 0;
    for block in sections.iter_mut().flat_map(|section| &mut section.blocks).filter(|block| block.reason.is_none()) {
        let mut rows = next..next + block.rows.len();
        next = rows.end;
        block.reason = rows.find_map(|row| wrong.get(&row).cloned());
    }
    !wrong.is_empty()
}
