//! What the doors of a namespace answer to the table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cubes::cubes;
use super::table::AccessTable;
use crate::config::{Allow, Named};
use crate::matrix::{Crossing, Delivered, Door, Fronts, Opening, Place, Question, ask, places};
use crate::semantics::{Chain, Guard, NamespaceReader, Protocol, World};
use crate::space::Cube;

/// An entry of `allow` of a row: both by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// The row
    pub row: usize,
    /// The entry
    pub allow: usize,
}

/// Requests that get in, or may, and that no row grants.
#[derive(Debug, Clone)]
pub struct Beyond {
    /// The door, by number
    pub door: usize,
    /// What gets in
    pub opening: Opening,
}

/// What the doors of a namespace answer to the table.
#[derive(Debug, Clone, Default)]
pub struct Answers<'w> {
    /// The doors that the table speaks of
    pub doors: Vec<Door<'w>>,
    /// What gets in beyond the table
    pub beyond: Vec<Beyond>,
    /// The items by which nobody gets in at any door
    pub idle: BTreeSet<Item>,
    /// Of these, the ones that policies let in and no route delivers
    pub undelivered: BTreeSet<Item>,
}

/// Questions to doors, each kept once.
#[derive(Debug, Default)]
struct Questions {
    /// The questions
    all: Vec<Question>,
    /// What is beyond some rows, by rows and by whether connections are meant
    beyond: BTreeMap<(Vec<usize>, bool), usize>,
    /// What gets in by an item, likewise
    items: BTreeMap<(Item, bool), Vec<usize>>,
}

/// Asks the doors of a namespace what gets in beyond the table, and which of its items let somebody in. `judged`:
/// whether workloads without rows are asked as well, where the table closes them.
pub fn answers<'w>(
    world: &'w World,
    fronts: &Fronts<'_>,
    table: &'w AccessTable<'_>,
    namespace: &str,
    judged: bool,
) -> Answers<'w> {
    let mut questions = Questions::default();
    let mut asked_items: Vec<Vec<Item>> = Vec::new();
    let mut asked: Vec<Place<'w>> = Vec::new();
    let mut workloads = table.workloads(world, namespace);
    workloads.retain(|workload| !table.rows_of(workload).is_empty() || judged && table.closed.is_some());
    for place in places(world, &workloads) {
        let connections = has_no_path(&place);
        let mut rows = table.rows_of(place.workload);
        rows.retain(|row| table.rows.get(*row).is_some_and(|row| row.value.speaks_of(place.port.number, connections)));
        let items = items(table, &rows);
        let mut numbers = vec![questions.beyond(world, table, namespace, &rows, connections)];
        let mut of: Vec<Item> = Vec::new();
        for item in items {
            for number in questions.item(world, table, namespace, item, connections) {
                numbers.push(number);
                of.push(item);
            }
        }
        asked_items.push(of);
        asked.push(Place { questions: numbers, ..place });
    }
    if asked.is_empty() {
        return Answers::default();
    }
    let doors = ask(&NamespaceReader::new(world, namespace), asked, &questions.all);
    let mut answers =
        Answers { idle: items(table, table.rows_in(namespace)).into_iter().collect(), doors, ..Answers::default() };
    for (index, (door, items)) in answers.doors.iter().zip(&asked_items).enumerate() {
        answers.beyond.extend(door.openings(0).into_iter().map(|opening| Beyond { door: index, opening }));
        for (place, item) in items.iter().enumerate() {
            if !answers.idle.contains(item) || door.openings(place + 1).is_empty() {
                continue;
            }
            if is_delivered(world, fronts, door, table, *item) {
                answers.idle.remove(item);
            } else {
                answers.undelivered.insert(*item);
            }
        }
    }
    answers.undelivered.retain(|item| answers.idle.contains(item));
    // What selects no workload is told as that.
    let used: BTreeSet<usize> = answers.doors.iter().flat_map(|door| table.rows_of(door.workload)).collect();
    answers.idle.retain(|item| used.contains(&item.row));
    answers
}

/// Whether what arrives at a place is bytes that have no path: a chain of connections, or a port declared TCP with or
/// without a proxy in front.
pub fn has_no_path(place: &Place<'_>) -> bool {
    let bare = matches!(place.guard, Guard::Nothing { .. });
    place.chain == Chain::Tcp || bare && place.port.protocol == Protocol::Tcp
}

/// The items of rows.
fn items(table: &AccessTable<'_>, rows: &[usize]) -> Vec<Item> {
    let of = |row: &usize| {
        let allows = table.rows.get(*row).map_or(0, |row| row.value.allow.len());
        (0..allows).map(|allow| Item { row: *row, allow }).collect::<Vec<_>>()
    };
    rows.iter().flat_map(of).collect()
}

/// The cubes of an item.
fn item_cubes(world: &World, table: &AccessTable<'_>, namespace: &str, item: Item, connections: bool) -> Vec<Cube> {
    let Some(row) = table.rows.get(item.row) else { return Vec::new() };
    let Some(allow) = row.value.allow.get(item.allow) else { return Vec::new() };
    cubes(world, namespace, &row.value, &allow.value, connections)
}

impl Questions {
    /// The number of the question what gets in beyond some rows.
    fn beyond(
        &mut self,
        world: &World,
        table: &AccessTable<'_>,
        namespace: &str,
        rows: &[usize],
        connections: bool,
    ) -> usize {
        let all = &mut self.all;
        *self.beyond.entry((rows.to_vec(), connections)).or_insert_with(|| {
            let granted = items(table, rows).into_iter();
            let granted = granted.flat_map(|item| item_cubes(world, table, namespace, item, connections));
            all.push(Question { granted: granted.map(Arc::new).collect(), ..Question::default() });
            all.len() - 1
        })
    }

    /// The numbers of the questions what gets in by an item.
    fn item(
        &mut self,
        world: &World,
        table: &AccessTable<'_>,
        namespace: &str,
        item: Item,
        connections: bool,
    ) -> Vec<usize> {
        let all = &mut self.all;
        let numbers = self.items.entry((item, connections)).or_insert_with(|| {
            let cubes = item_cubes(world, table, namespace, item, connections).into_iter();
            let number = |within: Cube| {
                all.push(Question { within, ..Question::default() });
                all.len() - 1
            };
            cubes.map(number).collect()
        });
        numbers.clone()
    }
}

/// Whether what an item means can come at all: of the ingress, only what its routes deliver, where every route is known.
fn is_delivered(world: &World, fronts: &Fronts<'_>, door: &Door<'_>, table: &AccessTable<'_>, item: Item) -> bool {
    let row = table.rows.get(item.row).map(|row| &row.value);
    let allow = row.and_then(|row| row.allow.get(item.allow)).map(|allow| &allow.value);
    let (Some(row), Some(allow @ (Allow::Ingress | Allow::IngressOf(_)))) = (row, allow) else {
        return true;
    };
    let gateway = allow.gateway();
    if !knows_every_route(world, gateway) {
        return true;
    }
    let globs = row.paths.iter().flatten().map(|glob| &glob.value);
    let within = if row.paths.is_some() { Cube::default().path(super::cubes::paths(globs)) } else { Cube::default() };
    fronts.delivered(door, &Crossing::to(&within)).iter().any(|delivery| match &delivery.delivered {
        Delivered::Unknown(_) => true,
        Delivered::Request(request) => {
            gateway.is_none_or(|gateway| request.entrypoint.starts_with(&format!("gateway {gateway}:")))
        }
    })
}

/// Whether every route of the ingress, or of the workload behind one Gateway, is known.
fn knows_every_route(world: &World, gateway: Option<&Named>) -> bool {
    let behind =
        |id: &crate::model::ObjectId, gateway: &Named| id.namespace == gateway.namespace && id.name == gateway.name;
    let mut workloads = world.gateway_workloads.iter().filter(|workload| match gateway {
        None => workload.ingress,
        Some(gateway) => workload.gateways.iter().any(|id| behind(id, gateway)),
    });
    let unmodelled = world.mesh.unmodelled.iter().any(|object| object.id.kind == "Gateway");
    let listed: Vec<_> = workloads.by_ref().collect();
    !unmodelled && !listed.is_empty() && listed.iter().all(|workload| !workload.open)
}
