//! Reports of several worlds as one: what is said of all of them is said once.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::report::{Note, Report, Summary};
use super::settle::sort;
use crate::semantics::Assumption;
use crate::text::Files;

/// Joins the reports of worlds, in their order. Equal findings are one, with its worlds.
pub fn join(files: &Files, reports: Vec<(Option<String>, Report)>) -> Report {
    let mut worlds: Vec<(String, Report)> = Vec::new();
    for (name, report) in reports {
        match name {
            Some(name) => worlds.push((name, report)),
            None => return report,
        }
    }
    let mut joined = Report::default();
    let mut findings: Vec<(Finding, Vec<String>)> = Vec::new();
    let mut notes: BTreeMap<Note, Vec<String>> = BTreeMap::new();
    let mut assumptions: BTreeMap<Assumption, Vec<String>> = BTreeMap::new();
    let names: Vec<String> = worlds.iter().map(|(name, _)| name.clone()).collect();
    for (name, report) in worlds {
        for finding in report.findings {
            match findings.iter_mut().find(|(known, _)| *known == finding) {
                Some((_, worlds)) => worlds.push(name.clone()),
                None => findings.push((finding, vec![name.clone()])),
            }
        }
        report.notes.into_iter().for_each(|note| notes.entry(note).or_default().push(name.clone()));
        let all = report.assumptions.into_iter();
        all.for_each(|assumption| assumptions.entry(assumption).or_default().push(name.clone()));
        add(&mut joined.summary, report.summary, &name);
        joined.own_rules = report.own_rules;
    }
    let said = |message: String, worlds: &[String]| {
        if worlds.len() == names.len() { message } else { format!("in {}: {message}", worlds.join(", ")) }
    };
    let with_worlds = |(finding, worlds): (Finding, Vec<String>)| Finding { world: Some(worlds.join(", ")), ..finding };
    joined.findings = findings.into_iter().map(with_worlds).collect();
    joined.notes = notes
        .into_iter()
        .map(|(note, worlds)| Note { message: said(note.message, &worlds), span: note.span })
        .collect();
    joined.assumptions = assumptions
        .into_iter()
        .map(|(assumption, worlds)| Assumption { message: said(assumption.message, &worlds), ..assumption })
        .collect();
    sort(files, &mut joined.findings);
    joined.notes.sort();
    joined.assumptions.sort();
    joined
}

/// Adds the counts of a world; what several worlds hold counts in each.
fn add(all: &mut Summary, world: Summary, name: &str) {
    let Summary { read, proven, workloads, implied_workloads, entrypoints, sources, path_classes, tcp_ports, .. } =
        world;
    all.read.append(read);
    all.workloads += workloads;
    all.implied_workloads += implied_workloads;
    all.entrypoints += entrypoints;
    all.sources += sources;
    all.path_classes += path_classes;
    all.tcp_ports += tcp_ports;
    all.proven.extend(proven.into_iter().map(|proven| format!("in {name}: {proven}")));
    all.worlds.push(name.to_owned());
}
