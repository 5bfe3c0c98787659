//! Symbolic answers of one proxy: a decision list over the request space and what its labels mean.

use std::collections::HashMap;
use std::sync::Arc;

use super::decision::{By, Cause, Decision, PolicyRuleRef};
use crate::space::{Cube, DecisionList, Label, Point, Rule, Universe, label_of};

/// What happens to the requests of one label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The request ends here
    End(Ending),
    /// The request goes on by the route of this index
    Forward(usize),
}

/// How requests end at a proxy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ending {
    /// Whether the workload gets them
    pub decision: Decision,
    /// How; `None` when undetermined
    pub by: Option<By>,
    /// The policy rule that decided, where one did; shared by all places where it does
    pub policy: Option<Arc<PolicyRuleRef>>,
    /// Why it is undetermined, in a box, for it hardly ever is
    pub cause: Option<Box<Cause>>,
}

impl Ending {
    /// The workload gets it; by the policy rule, or because nothing asks.
    pub fn reached(policy: Option<Arc<PolicyRuleRef>>) -> Self {
        Self { decision: Decision::Allowed, by: Some(By::Reached), policy, cause: None }
    }

    /// The workload does not get it.
    pub fn denied(by: By, policy: Option<Arc<PolicyRuleRef>>) -> Self {
        Self { decision: Decision::Denied, by: Some(by), policy, cause: None }
    }

    /// The manifests do not say.
    pub fn undetermined(cause: Cause) -> Self {
        Self { decision: Decision::Undetermined, by: None, policy: None, cause: Some(cause.into()) }
    }
}

/// A decision list whose labels have a meaning, over the values that can occur.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// First match wins
    pub list: DecisionList,
    /// The meaning of label `n` at index `n`
    pub verdicts: Vec<Verdict>,
    /// Which values can occur at this proxy
    pub universe: Universe,
}

impl Judgement {
    /// The meaning of a label. `None` for requests that cannot occur.
    pub fn verdict(&self, label: Label) -> Option<&Verdict> {
        usize::try_from(label.0).ok().and_then(|index| self.verdicts.get(index))
    }

    /// The verdict on one point, by first match.
    pub fn verdict_on(&self, point: &Point) -> Option<&Verdict> {
        self.verdict(label_of(&self.list, point))
    }

    /// The labels whose verdict is of a kind.
    pub fn labels(&self, wanted: impl Fn(&Verdict) -> bool) -> Vec<Label> {
        let labels = self.verdicts.iter().enumerate().filter(|(_, verdict)| wanted(verdict));
        labels.filter_map(|(index, _)| u32::try_from(index).ok().map(Label)).collect()
    }
}

/// Builds a decision list rule by rule, sharing labels of equal meaning.
#[derive(Debug, Clone, Default)]
pub(crate) struct JudgementBuilder {
    /// The rules so far
    rules: Vec<Rule>,
    /// The meanings so far
    verdicts: Vec<Verdict>,
    /// The labels by meaning
    labels: HashMap<Verdict, Label>,
}

impl JudgementBuilder {
    /// The label of a verdict.
    fn label(&mut self, verdict: Verdict) -> Label {
        let fresh = Label(u32::try_from(self.verdicts.len()).unwrap_or(u32::MAX - 1));
        let verdicts = &mut self.verdicts;
        *self.labels.entry(verdict).or_insert_with_key(|verdict| {
            verdicts.push(verdict.clone());
            fresh
        })
    }

    /// Appends rules that end the requests of the cubes.
    pub(crate) fn end<C: Into<Arc<Cube>>>(&mut self, cubes: impl IntoIterator<Item = C>, ending: &Ending) {
        let label = self.label(Verdict::End(ending.clone()));
        self.rules.extend(cubes.into_iter().map(|cube| Rule::new(cube, label)));
    }

    /// Appends rules that send the requests of the cubes on.
    pub(crate) fn forward<C: Into<Arc<Cube>>>(&mut self, cubes: impl IntoIterator<Item = C>, route: usize) {
        let label = self.label(Verdict::Forward(route));
        self.rules.extend(cubes.into_iter().map(|cube| Rule::new(cube, label)));
    }

    /// Appends rules for requests that cannot occur.
    pub(crate) fn impossible<C: Into<Arc<Cube>>>(&mut self, cubes: impl IntoIterator<Item = C>) {
        self.rules.extend(cubes.into_iter().map(|cube| Rule::new(cube, Label::IMPOSSIBLE)));
    }

    /// Appends the rules of another list.
    pub(crate) fn append(&mut self, other: Self) {
        for rule in other.rules {
            let label = self.label_from(&other.verdicts, rule.label);
            self.rules.push(Rule { cube: rule.cube, label });
        }
    }

    /// Appends the rules of another list; what they let pass within a cube becomes undetermined.
    pub(crate) fn append_doubting(&mut self, other: Self, within: &Cube, cause: &Cause) {
        let doubt = self.label(Verdict::End(Ending::undetermined(cause.clone())));
        for rule in other.rules {
            let verdict = usize::try_from(rule.label.0).ok().and_then(|index| other.verdicts.get(index));
            let ends = match verdict {
                None => true,
                Some(Verdict::End(end)) => end.by.is_some(),
                Some(Verdict::Forward(_)) => false,
            };
            if !ends {
                self.rules.push(Rule { cube: rule.cube.and(within).into(), label: doubt });
            }
            let label = self.label_from(&other.verdicts, rule.label);
            self.rules.push(Rule { cube: rule.cube, label });
        }
    }

    /// The label here of another list's label.
    fn label_from(&mut self, verdicts: &[Verdict], label: Label) -> Label {
        match usize::try_from(label.0).ok().and_then(|index| verdicts.get(index)) {
            Some(verdict) => self.label(verdict.clone()),
            None => label,
        }
    }

    /// The finished list; what no rule matches gets the ending.
    pub(crate) fn finish(mut self, default: &Ending, universe: Universe) -> Judgement {
        let default = self.label(Verdict::End(default.clone()));
        self.verdicts.shrink_to_fit();
        Judgement { list: DecisionList { rules: self.rules, default }, verdicts: self.verdicts, universe }
    }
}
