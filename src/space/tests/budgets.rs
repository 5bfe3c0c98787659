//! Past a budget the answer says so, the partition stays complete, and nothing that it says is wrong.

use std::sync::Arc;

use super::super::*;
use super::random::{Random, texts};
use super::world::{self, World};

/// What holds whatever the budget: no wrong label, no label called empty that occurs, every request in a cell of
/// its label, and in one alone unless the cell is doubtful. Returns how many labels were left open.
fn stays_sound(list: &DecisionList, universe: &Universe, budget: &Budget, points: &[Point]) -> usize {
    let partition = partition(list, &Cube::default(), universe, budget);
    let labels = partition.labels();
    let cells = partition.cells();
    for (label, search) in &labels {
        if let Search::Found(point) = search {
            assert_eq!(label_of(list, point), *label, "{point:?} in {list:?}");
        }
    }
    for cell in cells.iter().filter(|cell| cell.proven) {
        assert_eq!(label_of(list, &cell.witness), cell.label, "{:?} in {list:?}", cell.witness);
    }
    for point in points {
        let label = label_of(list, point);
        if let Some(known) = partition.label(point) {
            assert_eq!(known, label, "{point:?} in {list:?}");
        }
        if label == Label::IMPOSSIBLE {
            continue;
        }
        assert_ne!(labels.get(&label), Some(&Search::Empty), "{point:?} in {list:?}");
        let fits = |(dimension, atoms): &(Dimension, AtomSet)| atoms.contains(point.values(dimension));
        let own: Vec<&Cell> =
            cells.iter().filter(|cell| cell.label == label && cell.constraints.iter().all(fits)).collect();
        assert_eq!(own.len(), 1, "{point:?} is in the cells {own:?} of {list:?}");
    }
    let open = labels.values().filter(|search| matches!(search, Search::OutOfBudget { .. })).count();
    assert!(open == 0 || partition.unsettled().is_some());
    open
}

/// Two random rules of a budget, everything else ample.
#[test]
fn every_budget_is_kept_soundly() {
    let mut random = Random(71);
    let world = World::new();
    let form = super::super::form::Form::paths(world.universe.path);
    let paths: Vec<String> = texts("/abA.;", 3).into_iter().filter(|path| form.contains(path)).collect();
    let ample = Budget::default();
    let tight = [
        Budget { nodes: 1, ..ample },
        Budget { nodes: 4, ..ample },
        Budget { path_states: 0, ..ample },
        Budget { path_states: 3, ..ample },
        Budget { atom_states: 1, ..ample },
        Budget { atom_states: 5, ..ample },
        Budget { combinations: 1, ..ample },
        Budget { combinations: 6, ..ample },
        Budget { cells: 0, ..ample },
        Budget { cells: 3, ..ample },
        Budget { nodes: 3, path_states: 2, atom_states: 4, combinations: 3, cells: 2 },
    ];
    let mut open = vec![0; tight.len()];
    for _ in 0..120 {
        let axes = world.some(&mut random, 4);
        let list = world::list(&mut random, &axes, "/abA.;");
        let points: Vec<Point> = (0..40).map(|_| world::point(&mut random, &axes, &paths)).collect();
        assert_eq!(stays_sound(&list, &world.universe, &ample, &points), 0);
        for (budget, open) in tight.iter().zip(&mut open) {
            *open += stays_sound(&list, &world.universe, budget, &points);
        }
    }
    // Each budget but that of cells left something open; fewer cells say less, but leave nothing open.
    assert!(open.iter().take(8).all(|open| *open > 0), "{open:?}");
    assert_eq!(open.get(8..10), Some(&[0, 0][..]));
}

/// Requests whose labels depend on pairs of headers, of which all the first come before all the second: a diagram
/// has to remember which of the first are there.
fn pairs(count: u32) -> (DecisionList, impl Fn(u32, u32) -> Point) {
    let header = move |n: u32, second: bool| Dimension::Header(format!("h{:02}", n + u32::from(second) * count).into());
    let value = || vec![Pattern::Exact("v".into())];
    let rule = |n| Rule::new(Cube::default().any(header(n, false), value()).any(header(n, true), value()), Label(n));
    let list = DecisionList { rules: (0..count).map(rule).collect(), default: Label(99) };
    let point = move |first: u32, second: u32| Point {
        values: [(header(first, false), vec!["v".to_owned()]), (header(second, true), vec!["v".to_owned()])].into(),
        path: "/".to_owned(),
    };
    (list, point)
}

#[test]
fn too_many_nodes_leave_a_cell_that_says_so() {
    let (list, point) = pairs(16);
    let budget = Budget { nodes: 1_000, ..Budget::default() };
    let partition = partition(&list, &Cube::default(), &Universe::default(), &budget);
    assert_eq!(partition.unsettled(), Some(&Excess::Nodes(1_000)));
    // Nodes that are given up are nodes as well, but no more than the branches of those that are not.
    assert!(partition.nodes() < 4_000, "{}", partition.nodes());
    let cells = partition.cells();
    assert!(cells.iter().any(|cell| !cell.proven));
    for (first, second) in [(7, 7), (15, 15), (0, 0), (3, 4)] {
        let point = point(first, second);
        let label = label_of(&list, &point);
        assert!(partition.label(&point).is_none_or(|known| known == label));
        let fits = |(dimension, atoms): &(Dimension, AtomSet)| atoms.contains(point.values(dimension));
        let own = cells.iter().filter(|cell| cell.label == label && cell.constraints.iter().all(fits));
        assert_eq!(own.count(), 1, "{point:?}");
    }
}

#[test]
fn too_many_states_of_a_proof_leave_the_label_open() {
    let rule = |pattern: Pattern, label| Rule::new(Cube::default().path(vec![pattern]), Label(label));
    let list = DecisionList {
        rules: vec![rule(Pattern::regex("/[ab]*").unwrap(), 0), rule(Pattern::Exact("/abab".into()), 1)],
        default: Label(2),
    };
    let ask = |path_states| {
        let budget = Budget { path_states, ..Budget::default() };
        partition(&list, &Cube::default(), &Universe::default(), &budget).search(Label(1))
    };
    assert_eq!(ask(1_000), Search::Empty);
    assert_eq!(ask(1), Search::OutOfBudget { why: Excess::Paths(1) });
}

#[test]
fn too_many_states_of_a_dimension_are_a_rest_that_says_so() {
    // Which of twenty letters occur: two to the twentieth classes.
    let contains = |byte: u8| vec![Pattern::regex(&format!(".*{}.*", char::from(byte))).unwrap()];
    let rule = |(label, byte)| Rule::new(Cube::default().any(Dimension::Authority, contains(byte)), Label(label));
    let list = DecisionList { rules: (0..).zip(b'a'..=b't').map(rule).collect(), default: Label(99) };
    let budget = Budget { atom_states: 2_000, ..Budget::default() };
    let partition = partition(&list, &Cube::default(), &Universe::default(), &budget);
    assert_eq!(partition.unsettled(), Some(&Excess::States(Dimension::Authority, 2_000)));
    let far = Point { values: [(Dimension::Authority, vec!["tsrqponmlkjih".to_owned()])].into(), path: "/".to_owned() };
    assert!(partition.label(&far).is_none_or(|label| label == label_of(&list, &far)));
    let fits = |(dimension, atoms): &(Dimension, AtomSet)| atoms.contains(far.values(dimension));
    let cells = partition.cells();
    assert!(cells.iter().any(|cell| cell.label == label_of(&list, &far) && cell.constraints.iter().all(fits)));
}

#[test]
fn too_many_combinations_of_values_are_a_rest_that_says_so() {
    let claim = Dimension::Claim(["groups".into()].into());
    let rule = |n: u32| {
        Rule::new(Cube::default().any(claim.clone(), vec![Pattern::Exact(format!("g{n:02}").into())]), Label(n))
    };
    let list = DecisionList { rules: (0..30).map(rule).collect(), default: Label(99) };
    let partition = partition(&list, &Cube::default(), &Universe::default(), &Budget::default());
    assert!(partition.labels().values().all(|search| matches!(search, Search::Found(_))));
    assert_eq!(partition.unsettled(), Some(&Excess::Combinations(claim.clone(), 4_096)));
    // Few groups at once are settled exactly, many are in the rest.
    let groups = |some: &[u32]| Point {
        values: [(claim.clone(), some.iter().map(|n| format!("g{n:02}")).collect())].into(),
        path: "/".to_owned(),
    };
    assert_eq!(partition.label(&groups(&[17, 4])), Some(Label(4)));
    assert_eq!(partition.label(&groups(&[29, 27, 25, 23, 21, 19, 17, 15, 13])), None);
}

#[test]
fn a_pattern_without_an_automaton_leaves_only_its_own_labels_open() {
    // A concatenation that no automaton holds, and a block of addresses where only text is followed.
    let long: Box<str> = "ab".repeat(2_000_000).into();
    let run = Piece::Repeat { bytes: ByteSet::SEGMENT, at_least: 1 };
    let huge = Pattern::sequence(&[Piece::Literal("/".into()), run, Piece::Literal(long)]);
    let Pattern::Language(language) = &huge else { unreachable!("a run makes a language") };
    assert!(Arc::strong_count(language) == 1 && huge.matches(&format!("/x{}", "ab".repeat(2_000_000))));
    assert!(!huge.matches("/xab"));
    let rule = |pattern: Pattern, label| Rule::new(Cube::default().path(vec![pattern]), Label(label));
    let list = DecisionList {
        rules: vec![
            rule(Pattern::Prefix("/a".into()), 0),
            rule(huge, 1),
            rule(Pattern::Prefix("/abc".into()), 2),
            rule(Pattern::Prefix("/b".into()), 3),
        ],
        default: Label(9),
    };
    let labels = partition(&list, &Cube::default(), &Universe::default(), &Budget::default()).labels();
    let found = |label: u32| matches!(labels.get(&Label(label)), Some(Search::Found(_)));
    assert!(found(0) && found(3) && found(9), "{labels:?}");
    // What no path can get whatever the long pattern says is proven all the same.
    assert_eq!(labels.get(&Label(2)), Some(&Search::Empty));
    let block = Pattern::Cidr("10.0.0.0/8".parse().unwrap());
    let address = Cube::default().any(Dimension::Authority, vec![block.clone()]);
    let odd = DecisionList { rules: vec![Rule::new(address, Label(1))], default: Label(0) };
    let partition = partition(&odd, &Cube::default(), &Universe::default(), &Budget::default());
    let why = Excess::Followed(Dimension::Authority, block);
    assert_eq!(partition.unsettled(), Some(&why));
    assert_eq!(partition.search(Label(1)), Search::OutOfBudget { why });
}
