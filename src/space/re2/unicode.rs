//! The Unicode classes that RE2 knows: general categories by their short names, and scripts. Only members up to
//! U+00FF count, for a character is a byte.

use regex_syntax::hir::{Class, HirKind};

use super::super::bytes::ByteSet;

/// The general categories.
const CATEGORIES: &str =
    "C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs";

/// The scripts (RE2 of 2025-11-05, `re2/unicode_groups.cc`).
const SCRIPTS: &str = "Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki \
    Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee \
    Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra \
    Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati \
    Gunjala_Gondi Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited \
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi \
    Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian \
    Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui \
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari \
    Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic \
    Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage \
    Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan \
    Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri \
    Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan \
    Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square";

/// The members of a class; `None` where RE2 knows no such name.
pub(super) fn class(name: &[u8]) -> Option<ByteSet> {
    let name = std::str::from_utf8(name).ok()?;
    let known = |names: &str| names.split(' ').any(|known| known == name);
    match name {
        "Any" => Some(ByteSet::ANY),
        // RE2 leaves out what is not assigned, but up to U+00FF everything is.
        _ if known(CATEGORIES) => Some(bytes(&format!("\\p{{gc={name}}}"))),
        _ if known(SCRIPTS) => Some(bytes(&format!("\\p{{sc={name}}}"))),
        _ => None,
    }
}

/// Whether istiod knows the class: Go's names are those of RE2 in any spelling, the long names of categories, and
/// a few more (Go 1.25, `regexp/syntax`).
pub(super) fn istiod_knows(name: &[u8]) -> bool {
    let plain = |name: &str| name.replace(['_', ' ', '-'], "").to_ascii_lowercase();
    let Ok(name) = std::str::from_utf8(name).map(plain) else { return false };
    let mut known = CATEGORIES.split(' ').chain(SCRIPTS.split(' ')).map(plain);
    let more = ["any", "ascii", "assigned", "cn", "lc"];
    more.contains(&name.as_str()) || known.any(|known| known == name) || {
        let is_word = name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_word && regex_syntax::parse(&format!("\\p{{gc={name}}}")).is_ok()
    }
}

/// The members of a class up to U+00FF. A script that is unknown to the tables has none.
fn bytes(class: &str) -> ByteSet {
    let Ok(hir) = regex_syntax::parse(class) else { return ByteSet::NONE };
    let HirKind::Class(Class::Unicode(class)) = hir.kind() else { return ByteSet::NONE };
    let byte = |c: char| u8::try_from(u32::from(c)).ok();
    let parts = class.ranges().iter().filter_map(|range| Some((byte(range.start())?, byte(range.end()))));
    parts.fold(ByteSet::NONE, |set, (first, last)| set.with_range(first, last.unwrap_or(u8::MAX)))
}
