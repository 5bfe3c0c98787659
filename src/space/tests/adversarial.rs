//! Lists made to blow up. What is asserted is work: a budget far below the blow-up settles everything, or the
//! answer says what was too much. Never a clock.

use super::super::*;

/// A list with one rule for each pattern.
pub(super) fn blame(patterns: impl IntoIterator<Item = Pattern>) -> DecisionList {
    let rule = |(label, pattern)| Rule::new(Cube::default().path(vec![pattern]), Label(label));
    DecisionList { rules: (0..).zip(patterns).map(rule).collect(), default: Label(1_000_000) }
}

/// A list with one rule for each set of patterns.
fn effect(sets: Vec<Vec<Pattern>>) -> DecisionList {
    let rule = |(label, patterns)| Rule::new(Cube::default().path(patterns), Label(label));
    DecisionList { rules: (0..).zip(sets).map(rule).collect(), default: Label(1_000_000) }
}

/// The answers for a list within so many states of proof.
fn settled(list: &DecisionList, path_states: usize) -> std::collections::BTreeMap<Label, Search> {
    let budget = Budget { path_states, ..Budget::default() };
    let partition = partition(list, &Cube::default(), &Universe::default(), &budget);
    assert_eq!(partition.unsettled(), None);
    for (label, search) in partition.labels() {
        if let Search::Found(point) = search {
            assert_eq!(label_of(list, &point), label, "{point:?}");
        }
    }
    partition.labels()
}

fn prefixes() -> impl Iterator<Item = Pattern> {
    (0..1000).map(|n| Pattern::Prefix(format!("/p{n:03}/").into()))
}

fn suffixes() -> impl Iterator<Item = Pattern> {
    (0..1000).map(|n| Pattern::Suffix(format!("/s{n:03}").into()))
}

#[test]
fn a_thousand_prefixes_and_a_thousand_suffixes_cost_their_sum() {
    // Each has a witness among the paths worth trying: nothing is left to prove.
    let found = settled(&blame(prefixes().chain(suffixes())), 0);
    assert_eq!(found.len(), 2001);
    assert!(found.values().all(|search| matches!(search, Search::Found(_))));
    // Two rules, and two that are shadowed: the proof stays below the sum, far below the million of the product.
    let half = |patterns: &mut dyn Iterator<Item = Pattern>| patterns.take(500).collect::<Vec<_>>();
    let shadowed = vec![prefixes().collect(), suffixes().collect(), half(&mut prefixes()), half(&mut suffixes())];
    let found = settled(&effect(shadowed), 8_000);
    assert_eq!(found.get(&Label(2)), Some(&Search::Empty));
    assert_eq!(found.get(&Label(3)), Some(&Search::Empty));
}

#[test]
fn a_shadowed_suffix_behind_its_own_prefixes_is_proven() {
    // A suffix is left over only where no prefix holds, and every path has one of these.
    let all = (0x21..=0x7e_u8)
        .filter(|byte| !b"?#".contains(byte))
        .map(|byte| Pattern::Prefix(format!("/{}", char::from(byte)).into()));
    let mut rules: Vec<Vec<Pattern>> = vec![all.chain([Pattern::Exact("/".into())]).collect()];
    rules.extend(suffixes().map(|suffix| vec![suffix]));
    let found = settled(&effect(rules), 2_000);
    assert_eq!(found.values().filter(|search| **search == Search::Empty).count(), 1001);
}

#[test]
fn expressions_that_tell_sets_of_letters_are_linear_in_order() {
    // All accept sets would be two to the twentieth; in order each rule needs those before it only.
    let letters = b'a'..=b't';
    let contains = |byte: u8| Pattern::regex(&format!("/.*{}.*", char::from(byte))).unwrap();
    let list = blame(letters.clone().map(contains));
    assert!(settled(&list, 0).values().all(|search| matches!(search, Search::Found(_))));
    // The same again, shadowed: the states are which letter came first, not which letters came.
    let twice = blame(letters.clone().chain(letters).map(contains));
    let found = settled(&twice, 2_000);
    assert!((20..40).all(|label| found.get(&Label(label)) == Some(&Search::Empty)), "{found:?}");
}

#[test]
fn windows_end_in_a_refusal() {
    let window = |width: u32| Pattern::regex(&format!("/.*a.{{{width}}}"));
    let list = blame([window(8).unwrap(), window(12).unwrap(), window(8).unwrap()]);
    let found = settled(&list, 200_000);
    assert_eq!(found.get(&Label(2)), Some(&Search::Empty));
    assert!(matches!(window(20), Err(RegexError::TooLarge { .. })));
    assert!(matches!(window(1000), Err(RegexError::TooLarge { .. })));
}

#[test]
fn long_counts_are_no_trouble() {
    let patterns =
        ["/[a-z]{1,1000}/x", "/([a-z]{1,100}/){1,10}x", "/(?:[0-9a-f]{4}-){7}[0-9a-f]{4}", "(/[^/]{0,60}){1,16}"];
    let found = settled(&blame(patterns.map(|source| Pattern::regex(source).unwrap())), 20_000);
    assert!(found.values().all(|search| matches!(search, Search::Found(_))), "{found:?}");
    // Nested counts beyond a thousand are refused by RE2 itself.
    assert!(matches!(Pattern::regex("/([a-z]{1,100}/){1,50}x"), Err(RegexError::Syntax { .. })));
}

#[test]
fn a_thousand_exact_paths_below_a_denied_prefix_take_a_few_states() {
    let deny = vec![Pattern::Prefix("/api/".into())];
    let allow = (0..1000).map(|n| Pattern::Exact(format!("/api/v{n}").into())).collect();
    assert_eq!(settled(&effect(vec![deny, allow]), 10).get(&Label(1)), Some(&Search::Empty));
}

#[test]
fn a_thousand_shadowed_rules_share_one_proof() {
    let deny = Pattern::Prefix("/api/".into());
    let list = blame([deny].into_iter().chain((0..1000).map(|n| Pattern::Prefix(format!("/api/v{n}/").into()))));
    let found = settled(&list, 10);
    assert_eq!(found.values().filter(|search| **search == Search::Empty).count(), 1000);
}

#[test]
fn conditions_on_ten_thousand_identities_make_a_node_each_at_most() {
    let name = |n: u32| Pattern::Exact(format!("spiffe://td/ns/n/sa/s{n}").into());
    let rule = |n: u32| {
        Rule::new(
            Cube::default()
                .any(Dimension::Peer, vec![name(n)])
                .path(vec![Pattern::Prefix(format!("/s{}/", n % 10).into())]),
            Label(n % 10),
        )
    };
    let list = DecisionList { rules: (0..10_000).map(rule).collect(), default: Label(99) };
    let budget = Budget { nodes: 10_002, ..Budget::default() };
    let partition = partition(&list, &Cube::default(), &Universe::default(), &budget);
    assert_eq!(partition.unsettled(), None);
    // One for each identity, one for everybody else, and the node that tells them apart; but few leaves.
    assert!(partition.nodes() <= 10_002, "{}", partition.nodes());
    assert_eq!(partition.path_classes(), 10 * 2 + 1);
}

#[test]
fn an_unconditional_rule_ends_a_list() {
    let header = |n: u32| Dimension::Header(format!("h{n}").into());
    let value = || vec![Pattern::Exact("v".into())];
    let mut rules = vec![Rule::new(Cube::default(), Label(0))];
    let pairs = (0..60).flat_map(|a| (0..a).map(move |b| (a, b)));
    rules.extend(
        pairs.map(|(a, b)| Rule::new(Cube::default().any(header(a), value()).any(header(b), value()), Label(1 + a))),
    );
    let list = DecisionList { rules, default: Label(99) };
    let partition = partition(&list, &Cube::default(), &Universe::default(), &Budget { nodes: 1, ..Budget::default() });
    assert_eq!((partition.unsettled(), partition.nodes()), (None, 1));
}
