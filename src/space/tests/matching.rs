//! Patterns against readings that share no code with them.

use proptest::prelude::*;

use super::super::bank::Bank;
use super::super::*;
use super::random::{Random, texts};

/// A pattern as an expression of the `regex` crate.
fn expression(pattern: &Pattern) -> String {
    let plain = regex::escape;
    match pattern {
        Pattern::Exact(text) => plain(text),
        Pattern::Prefix(text) => format!("{}.*", plain(text)),
        Pattern::Suffix(text) => format!(".*{}", plain(text)),
        Pattern::Contains(text) => format!(".*{}.*", plain(text)),
        Pattern::NonEmpty => ".+".to_owned(),
        Pattern::Any => ".*".to_owned(),
        Pattern::ExactIgnoreCase(text) => format!("(?i:{})", plain(text)),
        Pattern::PrefixIgnoreCase(text) => format!("(?i:{}).*", plain(text)),
        Pattern::SuffixIgnoreCase(text) => format!(".*(?i:{})", plain(text)),
        Pattern::Language(_) | Pattern::Cidr(_) => unreachable!("no plain pattern"),
    }
}

/// The same, compiled: bytes, matched in full.
fn judge(expression: &str) -> regex::bytes::Regex {
    regex::bytes::Regex::new(&format!("(?s-u)\\A(?:{expression})\\z")).expect("a plain expression")
}

fn plain_pattern() -> impl Strategy<Value = Pattern> {
    let text = || "[abA/.é-]{0,3}";
    prop_oneof![
        text().prop_map(|text| Pattern::Exact(text.into())),
        text().prop_map(|text| Pattern::Prefix(text.into())),
        text().prop_map(|text| Pattern::Suffix(text.into())),
        text().prop_map(|text| Pattern::Contains(text.into())),
        Just(Pattern::NonEmpty),
        Just(Pattern::Any),
        "[abA/.-]{0,3}".prop_map(|text| Pattern::ExactIgnoreCase(text.into())),
        "[abA/.-]{0,3}".prop_map(|text| Pattern::PrefixIgnoreCase(text.into())),
        "[abA/.-]{0,3}".prop_map(|text| Pattern::SuffixIgnoreCase(text.into())),
    ]
}

fn piece() -> impl Strategy<Value = Piece> {
    let classes = prop_oneof![
        Just(ByteSet::ANY),
        Just(ByteSet::SEGMENT),
        Just(ByteSet::from_bytes(b"ab")),
        Just(ByteSet::from_bytes(b"/."))
    ];
    prop_oneof![
        "[ab/.]{0,2}".prop_map(|text| Piece::Literal(text.into())),
        "[abA/.]{0,2}".prop_map(|text| Piece::AnyCase(text.into())),
        (classes, 0..2_u8).prop_map(|(bytes, at_least)| Piece::Repeat { bytes, at_least }),
    ]
}

proptest! {
    #[test]
    fn plain_patterns_say_what_their_expressions_say(pattern in plain_pattern(), text in "[abBA/.é-]{0,6}") {
        let expected = judge(&expression(&pattern)).is_match(text.as_bytes());
        prop_assert_eq!(pattern.matches(&text), expected);
        let bank = Bank::new(vec![pattern.clone()]);
        let end = text.bytes().fold(bank.start(), |state, byte| bank.step(&state, byte));
        prop_assert_eq!(bank.holds(0, &end), expected);
        prop_assert!(!expected || text.starts_with(pattern.literal_stem()));
    }

    #[test]
    fn sequences_say_what_their_expressions_say(pieces in prop::collection::vec(piece(), 0..5), text in "[abA/.x]{0,7}") {
        let part = |piece: &Piece| match piece {
            Piece::Literal(text) => regex::escape(text),
            Piece::AnyCase(text) => format!("(?i:{})", regex::escape(text)),
            Piece::Repeat { bytes, at_least } => {
                let hex = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<Vec<_>>().concat();
                format!("[{hex}]{}", if *at_least == 0 { '*' } else { '+' })
            }
        };
        let source = pieces.iter().map(part).collect::<Vec<_>>().concat();
        let pattern = Pattern::sequence(&pieces);
        let expected = judge(&source).is_match(text.as_bytes());
        prop_assert_eq!(pattern.matches(&text), expected, "{} for {}", pattern, source);
        // Without an automaton, and with the one that a search builds.
        let lazy = Pattern::lazy_sequence(pieces.clone());
        prop_assert_eq!(lazy.matches(&text), expected, "{} for {}", lazy, source);
        let bank = Bank::new(vec![lazy.clone()]);
        let end = text.bytes().fold(bank.start(), |state, byte| bank.step(&state, byte));
        prop_assert_eq!(bank.holds(0, &end), expected, "{} for {}", lazy, source);
        prop_assert_eq!(lazy.matches(&text), expected, "{} for {}", lazy, source);
        prop_assert_eq!(Pattern::sequence(&pieces), pattern);
    }

    /// Addresses against the arithmetic of their bits.
    #[test]
    fn blocks_hold_the_addresses_with_their_first_bits(net in any::<u32>(), length in 0..=32_u32, near in any::<u32>(), keep in 0..=32_u32) {
        let mask = |length: u32| u32::MAX.checked_shl(32 - length).unwrap_or(0);
        let address = (net & mask(keep)) | (near & !mask(keep));
        let show = |bits: u32| std::net::Ipv4Addr::from(bits).to_string();
        let block = Pattern::Cidr(format!("{}/{length}", show(net)).parse().unwrap());
        prop_assert_eq!(block.matches(&show(address)), net & mask(length) == address & mask(length));
        prop_assert!(!block.matches(&format!("::ffff:{}", show(address))), "families are apart");
        prop_assert!(!block.matches("10.0.0") && !block.matches(""));
    }
}

#[test]
fn what_a_bank_calls_settled_never_changes() {
    use super::super::bank::Outlook;
    let mut random = Random(43);
    let ends = texts("/abA.", 3);
    for _ in 0..60 {
        let patterns: Vec<Pattern> = (0..6).map(|_| random.path_pattern("/abA.")).collect();
        let bank = Bank::new(patterns.clone());
        for head in texts("/aA.", 3) {
            let state = head.bytes().fold(bank.start(), |state, byte| bank.step(&state, byte));
            for (index, pattern) in (0..).zip(&patterns) {
                let expected = match bank.outlook(index, &state) {
                    Outlook::Always => true,
                    Outlook::Never => false,
                    Outlook::Open => continue,
                };
                for end in &ends {
                    assert_eq!(pattern.matches(&format!("{head}{end}")), expected, "{pattern} after {head}");
                }
            }
        }
    }
}

#[test]
fn bytes_that_are_passed_over_lead_nowhere_else() {
    use super::super::bank::Alphabet;
    use super::super::form::Form;
    let mut random = Random(44);
    for visible in [true, false].into_iter().cycle().take(60) {
        let mut patterns: Vec<Pattern> = (0..5).map(|_| random.path_pattern("/abA.")).collect();
        patterns.push(Pattern::PrefixIgnoreCase(random.text("abA.", 3).into()));
        patterns.push(Pattern::SuffixIgnoreCase(random.text("abA.", 3).into()));
        patterns.push(Pattern::Contains("ba".into()));
        let (bank, form) = (Bank::new(patterns), Form::of_text(visible));
        let alphabet = Alphabet::of(&[&bank], &form, ByteSet::NONE);
        let mut open = vec![(0, bank.start())];
        let mut seen = std::collections::HashSet::from([open[0].clone()]);
        while let Some((shape, state)) = open.pop() {
            let next = |byte: u8| (form.step(shape, byte), bank.step(&state, byte));
            // The first of the bytes that lead to a state is never passed over.
            let mut all: Vec<(u8, (u8, _))> = Vec::new();
            for byte in alphabet.bytes() {
                let to = next(byte);
                if !all.iter().any(|(_, known)| *known == to) {
                    all.push((byte, to));
                }
            }
            let apart: Vec<u8> = alphabet.apart(bank.edges(&state)).collect();
            for (byte, to) in all {
                assert!(apart.contains(&byte), "{:?} from {state:?}", char::from(byte));
                if seen.len() < 300 && seen.insert(to.clone()) {
                    open.push(to);
                }
            }
        }
    }
}

#[test]
fn no_class_is_left_out_where_beginnings_are_listed() {
    use super::super::classes::Classes;
    let mut random = Random(45);
    let members = texts("ab/", 3);
    let mut judged = 0;
    for _ in 0..400 {
        let pattern = |random: &mut Random| match random.below(5) {
            0 => Pattern::Exact(random.text("ab/", 3).into()),
            1 => Pattern::NonEmpty,
            2 if random.chance(30) => Pattern::Any,
            _ => Pattern::Prefix(random.text("ab/", 2).into()),
        };
        let some: Vec<Pattern> = (0..4).map(|_| pattern(&mut random)).collect();
        let chosen = members.iter().filter(|text| !text.is_empty() && random.chance(60));
        let preferred = chosen.map(|text| text.as_str().into()).collect();
        let language = Pattern::regex(if random.chance(50) { "[ab/]{1,3}" } else { "[ab/]{0,3}" }).unwrap();
        let takes_empty = language.matches("");
        let domain =
            Domain { values: Values::Language(language), absent: random.chance(50), several: false, preferred };
        let dimension = Dimension::Header("x".into());
        let tests: Vec<Test> = some
            .iter()
            .map(|one| Test { dimension: dimension.clone(), any_of: Some(vec![one.clone()]), none_of: vec![] })
            .collect();
        let classes = Classes::of(&dimension, &domain, &tests.iter().collect::<Vec<_>>(), &Budget::default());
        assert!(classes.incomplete.is_none());
        for text in members.iter().filter(|text| takes_empty || !text.is_empty()) {
            let class = classes.find(std::slice::from_ref(text));
            let class = class.unwrap_or_else(|| panic!("{text:?} of {some:?} has no class"));
            judged += 1;
            for (index, one) in some.iter().enumerate() {
                assert_eq!(classes.sets[index].contains(class), one.matches(text), "{one} and {text:?}");
            }
        }
    }
    assert!(judged > 400);
}
