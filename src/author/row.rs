//! Rows that are yet to be written.

use std::collections::{BTreeMap, BTreeSet};

use super::derive::{Admitted, globs};
use super::vocabulary::Operation;
use crate::config::{AccessRow, Allow, Jwt, PathGlob, WorkloadsOf};
use crate::model::Labels;
use crate::text::{FileId, Span, Spanned};

/// A row without its workloads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    /// The paths; every one if absent
    pub(super) paths: Option<Vec<PathGlob>>,
    /// The methods; every one if absent
    pub(super) methods: Option<Vec<String>>,
    /// The ports; every one if absent
    pub(super) ports: Option<Vec<u16>>,
    /// Who is let in
    pub(super) allow: Vec<Allow>,
    /// Whether it takes a token
    pub(super) jwt: bool,
}

impl Row {
    /// The row as the table has it, for some workloads.
    pub(super) fn in_table(&self, namespace: &str, labels: &Labels) -> AccessRow {
        let list = |texts: &Vec<String>| texts.iter().cloned().map(unplaced).collect();
        AccessRow {
            workloads: WorkloadsOf { namespace: unplaced(namespace.to_owned()), labels: labels.clone() },
            paths: self.paths.as_ref().map(|globs| globs.iter().cloned().map(unplaced).collect()),
            methods: self.methods.as_ref().map(list),
            ports: self.ports.as_ref().map(|ports| ports.iter().copied().map(unplaced).collect()),
            allow: self.allow.iter().cloned().map(unplaced).collect(),
            jwt: self.jwt.then_some(Jwt::Required),
        }
    }
}

/// A value that stands in no text yet.
fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned { value, span: Span { file: FileId(u32::MAX), start: 0, end: 0 } }
}

/// What a workload lets in at its doors, each a port, whether connections arrive there, and who is let in to what: as
/// rows. `Err`: why no rows say it.
pub(super) fn rows_of_workload(doors: &[(u16, bool, &Admitted)]) -> Result<Vec<Row>, String> {
    let mut ports: BTreeMap<u16, (Option<&Admitted>, Option<&Admitted>)> = BTreeMap::new();
    for (port, connections, admitted) in doors {
        let entry = ports.entry(*port).or_default();
        *(if *connections { &mut entry.1 } else { &mut entry.0 }) = Some(admitted);
    }
    let mut by_rows: BTreeMap<BTreeSet<Row>, Vec<u16>> = BTreeMap::new();
    for (port, (requests, connections)) in ports {
        by_rows.entry(rows_of_port(port, requests, connections)?).or_default().push(port);
    }
    if by_rows.len() == 1 {
        return Ok(by_rows.into_keys().flatten().collect());
    }
    let rows = by_rows
        .into_iter()
        .flat_map(|(rows, ports)| rows.into_iter().map(move |row| Row { ports: Some(ports.clone()), ..row }));
    Ok(rows.collect())
}

/// What one port lets in. A row without paths speaks of connections as well as of requests.
fn rows_of_port(
    port: u16,
    requests: Option<&Admitted>,
    connections: Option<&Admitted>,
) -> Result<BTreeSet<Row>, String> {
    let everything = Operation::default();
    let all = |admitted: Option<&Admitted>| admitted.and_then(|admitted| admitted.get(&everything)).map(minimal);
    let plain = |allow: Vec<Allow>| Row { paths: None, methods: None, ports: None, allow, jwt: false };
    let mut rows = BTreeSet::new();
    match (requests.and(all(requests)), connections.map(|_| all(connections).unwrap_or_default())) {
        (Some(allow), None) => {
            rows.insert(plain(allow));
        }
        (Some(allow), Some(connected)) if allow == connected => {
            rows.insert(plain(allow));
        }
        (allow, Some(connected)) => {
            let raw = requests.and_then(|requests| requests.get(&everything));
            let has = |caller: &Allow| raw.is_some_and(|raw| raw.contains(caller));
            let within = |caller: &Allow| {
                if *caller == Allow::Anyone { has(&Allow::Outside) && has(&Allow::Mesh) } else { has(caller) }
            };
            if requests.is_some() && !connected.iter().all(within) {
                return Err(format!("port {port} takes connections of callers whose requests it refuses"));
            }
            if !connected.is_empty() {
                rows.insert(plain(connected));
            }
            let every_path = PathGlob::parse("/**").ok().map(|glob| vec![glob]);
            rows.extend(allow.map(|allow| Row { paths: every_path, ..plain(allow) }));
        }
        (None, None) => {}
    }
    rows.extend(requests.into_iter().flat_map(narrower));
    Ok(rows)
}

/// What rows of several paths have in common: methods, token, and who is let in.
type Shared = (Option<Vec<String>>, bool, Vec<Allow>);

/// The rows of requests that are named by more than who sends them, without what wider ones say.
fn narrower(admitted: &Admitted) -> Vec<Row> {
    let mut by_callers: BTreeMap<Shared, Vec<&Operation>> = BTreeMap::new();
    for (operation, callers) in admitted.iter().filter(|(operation, _)| **operation != Operation::default()) {
        let wider = admitted.iter().filter(|(other, _)| *other != operation && other.covers(operation));
        let known: BTreeSet<&Allow> = wider.flat_map(|(_, callers)| callers).collect();
        if known.contains(&Allow::Mesh) && known.contains(&Allow::Outside) {
            continue;
        }
        let all = minimal(callers);
        let left: BTreeSet<Allow> = callers.iter().filter(|caller| !known.contains(caller)).cloned().collect();
        // Of those that are left, the ones that are needed to say all of them.
        let left: Vec<Allow> = if left.len() == callers.len() { all } else { needed(&all, &left) };
        if !left.is_empty() {
            by_callers.entry((operation.methods.clone(), operation.jwt, left)).or_default().push(operation);
        }
    }
    let row = |((methods, jwt, allow), operations): (Shared, Vec<&Operation>)| {
        let (pathless, with_path): (Vec<_>, Vec<_>) = operations.into_iter().partition(|one| one.path.is_none());
        let rows = [pathless, with_path].into_iter().filter(|operations| !operations.is_empty());
        let rows = rows.map(|operations| Row {
            paths: globs(operations.into_iter()),
            methods: methods.clone(),
            ports: None,
            allow: allow.clone(),
            jwt,
        });
        rows.collect::<Vec<_>>()
    };
    by_callers.into_iter().flat_map(row).collect()
}

/// Of the entries that say who is let in, those that a wider row does not say already.
fn needed(all: &[Allow], left: &BTreeSet<Allow>) -> Vec<Allow> {
    let still = |entry: &&Allow| {
        let anyone = **entry == Allow::Anyone && (left.contains(&Allow::Outside) || left.contains(&Allow::Mesh));
        anyone || left.contains(*entry)
    };
    all.iter().filter(still).cloned().collect()
}

/// The fewest entries that say who is let in.
fn minimal(callers: &BTreeSet<Allow>) -> Vec<Allow> {
    let has = |caller: Allow| callers.contains(&caller);
    match (has(Allow::Mesh), has(Allow::Outside)) {
        (true, true) => return vec![Allow::Anyone],
        (true, false) => return vec![Allow::Mesh],
        (false, _) => {}
    }
    callers.iter().cloned().collect()
}
