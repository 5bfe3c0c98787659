//! `AuthorizationPolicies` that implement the access table, proven before they are offered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::policy::{Names, Policy, deny_all, of_row};
use crate::config::{Config, Problem};
use crate::matrix::{Door, Fronts, Opening};
use crate::model::{Action, InputFile, LoadOptions, Mesh, ObjectId, Workload, load};
use crate::rule::access::{AccessTable, answers};
use crate::semantics::{Request, World};
use crate::text::{Files, Span};

/// Policies that implement the table.
#[derive(Debug, Clone, Default)]
pub struct Generated {
    /// Their text
    pub text: String,
    /// The ALLOW policies that they stand in for; those of the context are not among them
    pub replaced: Vec<Arc<ObjectId>>,
    /// Workloads without rows that they close with the rest of the namespace
    pub closed: Vec<String>,
    /// Entries of the table by which nobody gets in even so
    pub idle: Vec<(Span, String)>,
}

/// Writes policies for the table of a configuration and proves, in a world that has them instead of the ALLOW policies
/// of the same namespaces, that nothing gets in beyond it. `Err`: what cannot be said.
pub fn generate(files: &mut Files, world: &World, config: &Config) -> Result<Generated, Vec<Problem>> {
    let namespaces: BTreeSet<&str> =
        config.access.iter().map(|row| row.value.workloads.namespace.value.as_str()).collect();
    let allows = world.mesh.authorization_policies.iter().filter(|policy| {
        policy.spec.action() == Action::Allow && !policy.context && namespaces.contains(policy.id.namespace.as_str())
    });
    let replaced: Vec<Arc<ObjectId>> = allows.map(|policy| policy.id.clone()).collect();
    let mut names = Names::default();
    for policy in world.mesh.authorization_policies.iter().filter(|policy| !replaced.contains(&policy.id)) {
        names.keep(&policy.id.namespace, &policy.id.name);
    }
    let (policies, spans) = policies(world, config, &namespaces, &mut names)?;
    let text = written(&policies);
    let file = files.add("generated policies", text.clone());
    let loaded = load(files, &[InputFile { file, context: false }], &LoadOptions::default());
    let mut mesh: Mesh = world.mesh.clone();
    mesh.authorization_policies.retain(|id| !replaced.iter().any(|known| **known == *id));
    for policy in &loaded.mesh.authorization_policies {
        mesh.authorization_policies.push(policy.clone());
    }
    let (proposed, refused) = World::admit(mesh, world.options.clone());
    let said = refused.iter().filter_map(|problem| {
        let span = spans.get(&problem.object.as_ref()?.path())?;
        Some(Problem {
            span: *span,
            message: format!("the policy of this row is refused: {}", problem.message),
            help: None,
        })
    });
    let said: Vec<Problem> = said.collect();
    if !said.is_empty() {
        return Err(said);
    }
    let idle = prove(&proposed, config, &namespaces)?;
    let table = AccessTable::of(world, config);
    let asked = namespaces.iter().flat_map(|namespace| crate::rule::asked(world, namespace));
    let closed = asked.filter(|workload| table.rows_of(workload).is_empty() && !workload.implied);
    Ok(Generated { text, replaced, closed: closed.map(Workload::display_name).collect(), idle })
}

/// The policies, and the row of each by its name.
type Written = (Vec<Policy>, BTreeMap<String, Span>);

/// The policies of a table: for each namespace one that admits nothing, then one for each row.
fn policies(
    world: &World,
    config: &Config,
    namespaces: &BTreeSet<&str>,
    names: &mut Names,
) -> Result<Written, Vec<Problem>> {
    let (mut policies, mut spans, mut wrong) = (Vec::new(), BTreeMap::new(), Vec::new());
    for namespace in namespaces {
        policies.push(deny_all(names, namespace));
        for row in config.access.iter().filter(|row| row.value.workloads.namespace.value == *namespace) {
            match of_row(world, names, row) {
                Ok(Some(policy)) => {
                    spans.insert(format!("{namespace}/{}", policy.metadata.name), row.span);
                    policies.push(policy);
                }
                Ok(None) => {}
                Err(problems) => wrong.extend(problems),
            }
        }
    }
    if wrong.is_empty() { Ok((policies, spans)) } else { Err(wrong) }
}

/// The policies as documents of one stream.
fn written(policies: &[Policy]) -> String {
    let documents = policies.iter().map(|policy| serde_yaml::to_string(policy).expect("texts and lists of texts"));
    documents.collect::<Vec<_>>().join("---\n")
}

/// Holds the table against a world that has the policies. `Ok`: the entries by which nobody gets in.
fn prove(proposed: &World, config: &Config, namespaces: &BTreeSet<&str>) -> Result<Vec<(Span, String)>, Vec<Problem>> {
    let table = AccessTable::of(proposed, config);
    let fronts = Fronts::of(proposed);
    let (mut idle, mut wrong) = (Vec::new(), Vec::new());
    for namespace in namespaces {
        let answers = answers(proposed, &fronts, &table, namespace, false);
        for beyond in &answers.beyond {
            let Some(door) = answers.doors.get(beyond.door) else { continue };
            let rows = table.rows_of(door.workload).into_iter().filter_map(|row| config.access.get(row));
            let message = format!("no policy of this row would keep it: {}", remains(door, &beyond.opening));
            wrong.extend(rows.map(|row| Problem { span: row.span, message: message.clone(), help: None }));
        }
        let entries = answers.idle.iter().filter_map(|item| config.access.get(item.row)?.value.allow.get(item.allow));
        idle.extend(
            entries.map(|allow| (allow.span, format!("nobody gets in by `{}` even with these policies", allow.value))),
        );
    }
    wrong.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    wrong.dedup();
    if wrong.is_empty() { Ok(idle) } else { Err(wrong) }
}

/// What would still get in, and by what.
fn remains(door: &Door<'_>, opening: &Opening) -> String {
    let who = door.workload.display_name();
    let by = match (&opening.ending.cause, &opening.ending.policy) {
        (Some(cause), _) => return format!("what `{who}` accepts is not known, for {}", cause.message),
        (None, Some(rule)) => format!(" by {}", rule.policy),
        (None, None) => ", for no proxy stands in front".to_owned(),
    };
    let from = |request: &Request| match &request.source {
        Some(source) => format!("`{}` from `{source}`", request.path),
        None => format!("`{}` from a caller without identity", request.path),
    };
    let what = opening.witness.as_ref().map_or_else(|| "requests".to_owned(), from);
    format!("`{who}` accepts {what}{by}")
}
