//! `--fix`: edits that checks propose, made on the text, judged again, and kept only if they do what they promise.
//!
//! Edits that close and edits that open are tried apart, each lot as a whole first and in halves where that fails: what is
//! kept has been seen to hold together.

use std::collections::BTreeMap;

use super::proof::{Try, compare};
use crate::model::Loaded;
use crate::query;
use crate::rule::{self, Effect, Finding, Fix, Report, RuleId, Settling};
use crate::semantics::World;
use crate::text::{FileId, Files, Replacement, Span, moved};
use crate::yaml;

/// Reads every world anew from the texts, each with its name where there are several.
pub type Load<'a> = dyn Fn(&Files) -> Vec<(Option<String>, Loaded)> + 'a;

/// How the manifests of a run are judged, over and over.
pub struct Worlds<'a> {
    /// What reads them
    pub load: &'a Load<'a>,
    /// What their findings are settled by
    pub settling: &'a Settling<'a>,
    /// Files that cannot be written, and why not
    pub closed: &'a BTreeMap<FileId, &'static str>,
}

impl std::fmt::Debug for Worlds<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worlds").field("settling", &self.settling).field("closed", &self.closed).finish_non_exhaustive()
    }
}

/// An edit that is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The rule whose finding it mends
    pub rule: RuleId,
    /// Where that stands, before any edit
    pub span: Span,
    /// What it does to access
    pub effect: Effect,
    /// The edit, of the texts before any edit
    pub edit: Replacement,
}

/// An edit that is not made.
#[derive(Debug, Clone)]
pub struct Left {
    /// The rule whose finding stays
    pub rule: RuleId,
    /// Where that stands, before any edit
    pub span: Span,
    /// Why
    pub reason: String,
}

/// What came of it.
#[derive(Debug)]
pub struct Mended {
    /// The texts with the edits that are kept
    pub files: Files,
    /// What the rules find in them
    pub report: Report,
    /// The edits that are kept, by place
    pub kept: Vec<Kept>,
    /// The edits that are not made, by place
    pub left: Vec<Left>,
}

/// Texts and what comes of them.
pub(super) struct State {
    /// The texts
    pub(super) files: Files,
    /// The worlds
    pub(super) worlds: Vec<World>,
    /// What the rules find
    pub(super) report: Report,
}

impl State {
    /// Judges texts.
    fn of(files: Files, by: &Worlds<'_>) -> Self {
        let settling = by.settling;
        let mut worlds = Vec::new();
        let mut reports = Vec::new();
        for (name, loaded) in (by.load)(&files) {
            let (world, report) = query::judge(&files, loaded, settling.config, settling.rules);
            worlds.push(world);
            reports.push((name, report));
        }
        let mut report = rule::join(&files, reports);
        rule::settle(&files, &mut report, settling);
        Self { files, worlds, report }
    }
}

/// Makes the edits that the findings of a run propose, as far as they prove right.
pub fn mend(files: &Files, report: &Report, by: &Worlds<'_>) -> Mended {
    let mut mender = Mender { original: files, by, state: None, kept: Vec::new(), left: Vec::new() };
    let proposed = mender.proposals(&report.findings);
    if !proposed.is_empty() {
        mender.state = Some(State::of(files.clone(), by));
        for wanted in [Effect::Closes, Effect::Opens] {
            mender.settle(proposed.iter().filter(|kept| kept.effect == wanted).cloned().collect());
        }
    }
    let Mender { state, mut kept, mut left, .. } = mender;
    kept.sort_by_key(|kept| kept.edit.span);
    left.sort_by_key(|left| left.span);
    let (files, report) = state.map_or_else(|| (files.clone(), report.clone()), |state| (state.files, state.report));
    Mended { files, report, kept, left }
}

/// Findings with the edits that are kept, and no others.
#[must_use]
pub fn with_proven(mut report: Report, kept: &[Kept]) -> Report {
    for finding in &mut report.findings {
        let own = kept.iter().find(|kept| kept.rule == finding.rule && kept.span == finding.label.span);
        finding.fix = own.zip(finding.fix.take()).map(|(own, fix)| Fix { proven: Some(own.edit.clone()), ..fix });
    }
    report
}

/// What is being done.
struct Mender<'a> {
    /// The texts before any edit
    original: &'a Files,
    /// How they are judged
    by: &'a Worlds<'a>,
    /// The texts with what is kept so far, once there is anything to hold against them
    state: Option<State>,
    /// What is kept so far
    kept: Vec<Kept>,
    /// What is not made
    left: Vec<Left>,
}

impl Mender<'_> {
    /// The edits that findings propose, as far as the texts have a place for them. Where two ask for different ones at one
    /// place, nobody knows which is meant.
    fn proposals(&mut self, findings: &[Finding]) -> Vec<Kept> {
        let mut made: Vec<Kept> = Vec::new();
        for (finding, fix) in findings.iter().filter_map(|finding| Some((finding, finding.fix.as_ref()?))) {
            let (rule, span) = (finding.rule.clone(), finding.label.span);
            match self.edit(span, fix) {
                // Two worlds may find one and the same in other words.
                Ok(edit) if made.iter().any(|known| known.rule == rule && known.edit == edit) => {}
                Ok(edit) => made.push(Kept { rule, span, effect: fix.effect, edit }),
                Err(reason) => self.left.push(Left { rule, span, reason: reason.to_owned() }),
            }
        }
        let is_alone = |one: &Kept| made.iter().filter(|other| other.edit.meets(&one.edit)).count() == 1;
        let (alone, met): (Vec<Kept>, Vec<Kept>) = made.clone().into_iter().partition(is_alone);
        let reason = || "another finding asks for an edit of the same place".to_owned();
        self.left.extend(met.into_iter().map(|kept| Left { rule: kept.rule, span: kept.span, reason: reason() }));
        alone
    }

    /// The edit of the text that a fix asks for.
    fn edit(&self, at: Span, fix: &Fix) -> Result<Replacement, &'static str> {
        match self.by.closed.get(&at.file) {
            Some(reason) => Err(reason),
            None => yaml::edit(self.original.text(at.file), at, &fix.change),
        }
    }

    /// Keeps of some edits of one effect those that hold.
    fn settle(&mut self, mut edits: Vec<Kept>) {
        match self.tried(&edits) {
            None => {}
            Some(Ok(state)) => {
                self.state = Some(state);
                self.kept.append(&mut edits);
            }
            Some(Err(reason)) => {
                if let [only] = edits.as_slice() {
                    self.left.push(Left { rule: only.rule.clone(), span: only.span, reason });
                    return;
                }
                let rest = edits.split_off(edits.len() / 2);
                self.settle(edits);
                self.settle(rest);
            }
        }
    }

    /// What comes of some edits on top of those that are kept. `None`: there are none.
    fn tried(&self, edits: &[Kept]) -> Option<Result<State, String>> {
        let state = self.state.as_ref()?;
        let effect = edits.first()?.effect;
        let done: Vec<Replacement> = self.kept.iter().map(|kept| kept.edit.clone()).collect();
        let now = |span: Span| {
            let start = moved(&done, span.file, span.start);
            Span { start, end: start + (span.end - span.start), ..span }
        };
        let replacements: Vec<Replacement> =
            edits.iter().map(|kept| Replacement { span: now(kept.edit.span), text: kept.edit.text.clone() }).collect();
        let targets: Vec<(&RuleId, Span)> = edits.iter().map(|kept| (&kept.rule, now(kept.span))).collect();
        let after = State::of(state.files.edited(&replacements), self.by);
        let tried = Try { before: state, after: &after, edits: &replacements, targets: &targets, effect };
        Some(compare(&tried).map(|()| after))
    }
}
