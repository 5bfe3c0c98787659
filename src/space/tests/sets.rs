//! Laws of sets of bytes, and of sets of classes: equal sets are equal values.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::classes::{AtomIds, Classes};
use super::super::*;
use super::random::Random;
use super::world::World;

/// The set and its members, told apart from each other.
fn bytes() -> impl Strategy<Value = (ByteSet, BTreeSet<u8>)> {
    prop::collection::vec((any::<u8>(), 0..60_u8), 0..8).prop_map(|ranges| {
        let ends = |(first, more): &(u8, u8)| (*first, first.saturating_add(*more));
        let set = ranges.iter().map(ends).fold(ByteSet::NONE, |set, (first, last)| set.with_range(first, last));
        (set, ranges.iter().map(ends).flat_map(|(first, last)| first..=last).collect())
    })
}

proptest! {
    #[test]
    fn sets_of_bytes_are_sets((a, of_a) in bytes(), (b, of_b) in bytes(), byte in any::<u8>()) {
        let members = |set: ByteSet| set.iter().collect::<BTreeSet<u8>>();
        prop_assert_eq!(members(a), of_a.clone());
        prop_assert_eq!(a.contains(byte), of_a.contains(&byte));
        prop_assert_eq!(members(a.union(b)), &of_a | &of_b);
        prop_assert_eq!(members(a.intersection(b)), &of_a & &of_b);
        prop_assert_eq!(members(a.complement()), &(0..=u8::MAX).collect() - &of_a);
        prop_assert_eq!(members(a.with(byte)), &of_a | &BTreeSet::from([byte]));
        prop_assert_eq!(members(a.without(byte)), &of_a - &BTreeSet::from([byte]));
        prop_assert_eq!(ByteSet::from_bytes(&of_a.iter().copied().collect::<Vec<_>>()), a);
        // Ranges are the longest: they cover the set, and between two of them something is missing.
        let ranges = a.ranges();
        prop_assert_eq!(ranges.iter().flat_map(|(first, last)| *first..=*last).collect::<BTreeSet<u8>>(), of_a);
        prop_assert!(ranges.windows(2).all(|pair| pair[0].1 < u8::MAX && pair[0].1 + 1 < pair[1].0));
    }

    #[test]
    fn the_algebra_of_bytes_is_boolean((a, _) in bytes(), (b, _) in bytes(), (c, _) in bytes()) {
        prop_assert_eq!(a.complement().complement(), a);
        prop_assert_eq!(a.union(b).complement(), a.complement().intersection(b.complement()));
        prop_assert_eq!(a.intersection(b.union(c)), a.intersection(b).union(a.intersection(c)));
        prop_assert_eq!(a.union(a.complement()), ByteSet::ANY);
        prop_assert_eq!(a.intersection(a.complement()), ByteSet::NONE);
    }

    /// Whichever way a set of classes is told, as members or as all but some, it is the same value.
    #[test]
    fn sets_of_classes_are_canonical(count in 0..12_usize, members in any::<u16>(), others in any::<u16>()) {
        let all = 0..u32::try_from(count).unwrap();
        let told = |bits: u16, except: bool| -> AtomIds {
            let chosen = all.clone().filter(|id| ((bits >> id) & 1 == 1) != except).collect();
            AtomIds::canonical(except, chosen, count)
        };
        let (a, b) = (told(members, false), told(others, false));
        prop_assert_eq!(&a, &told(members, true));
        let same = all.clone().all(|id| a.contains(id) == b.contains(id));
        prop_assert_eq!(a == b, same, "{:?} {:?}", a, b);
        prop_assert_eq!(a.len(count), all.clone().filter(|id| a.contains(*id)).count());
        let both = a.and(&b, count);
        prop_assert!(all.clone().all(|id| both.contains(id) == (a.contains(id) && b.contains(id))));
        prop_assert_eq!(both, told(members & others, false));
    }
}

/// On every dimension: each value lies in one class, a test holds on whole classes or not at all, and tests that
/// hold on the same classes have equal sets.
#[test]
fn tests_of_one_meaning_are_one_set_of_classes() {
    let mut random = Random(41);
    let world = World::new();
    let mut equal = 0;
    for axis in &world.axes {
        let domain = world.universe.domain(&axis.dimension);
        for _ in 0..60 {
            let mut tests: Vec<Test> = (0..4)
                .map(|_| random.test(axis.dimension.clone(), &mut |random| random.pick(&axis.patterns).clone()))
                .collect();
            let mut turned = tests[0].clone();
            turned.any_of.iter_mut().for_each(|patterns| patterns.reverse());
            tests.push(turned);
            let asked: Vec<&Test> = tests.iter().collect();
            let classes = Classes::of(&axis.dimension, &domain, &asked, &Budget::default());
            assert_eq!(classes.incomplete, None, "{:?}", axis.dimension);
            for (id, atom) in (0_u32..).zip(&classes.atoms) {
                assert!(domain.contains(&atom.example), "{:?}", atom.example);
                assert_eq!(classes.find(&atom.example), Some(id), "{:?} of {:?}", atom.example, axis.dimension);
            }
            for values in &axis.values {
                let id = classes.find(values).expect("every value has a class");
                let example = &classes.atoms[id as usize].example;
                for (test, set) in tests.iter().zip(&classes.sets) {
                    assert_eq!(set.contains(id), test.holds(values), "{test:?} on {values:?}");
                    assert_eq!(test.holds(values), test.holds(example), "{test:?} tells {values:?} from {example:?}");
                }
            }
            for (a, one) in tests.iter().zip(&classes.sets) {
                for (b, other) in tests.iter().zip(&classes.sets) {
                    let alike = classes.atoms.iter().all(|atom| a.holds(&atom.example) == b.holds(&atom.example));
                    assert_eq!(one == other, alike, "{a:?} and {b:?}");
                    equal += u32::from(one == other);
                }
            }
        }
    }
    assert!(equal > 6_000, "{equal}");
}
