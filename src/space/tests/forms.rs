//! The automaton of normal paths against the concrete normalisation.

use std::collections::BTreeSet;

use super::super::form::Form;
use super::super::{Normalization, PathDomain, normalize, wire_form};
use super::random::texts;

const MODES: [Normalization; 4] =
    [Normalization::None, Normalization::Base, Normalization::MergeSlashes, Normalization::DecodeAndMergeSlashes];

#[test]
fn normal_paths_are_exactly_the_images_of_normalisation() {
    let all = texts("/abA.-%2f;", 6);
    for mode in MODES {
        let form = Form::of_paths(PathDomain::Normalized(mode));
        for path in &all {
            // Every image is of the shape, and every path of the shape is the image of its wire form.
            if let Some(image) = normalize(path, mode) {
                assert!(form.contains(&image), "{path} gives {image} in {mode:?}");
            }
            let own = normalize(&wire_form(path, mode), mode).as_ref() == Some(path);
            assert_eq!(form.contains(path), own, "{path} in {mode:?}");
        }
    }
}

#[test]
fn images_of_awkward_escapes_are_of_the_shape() {
    let all: BTreeSet<String> = texts("/%236e.\\", 6).into_iter().collect();
    for mode in MODES {
        let form = Form::of_paths(PathDomain::Normalized(mode));
        for path in &all {
            if let Some(image) = normalize(path, mode) {
                assert!(form.contains(&image), "{path} gives {image} in {mode:?}");
                if mode != Normalization::None {
                    assert_eq!(normalize(&image, mode).as_ref(), Some(&image), "{path} gives {image} in {mode:?}");
                }
            }
        }
    }
}

#[test]
fn visible_text_is_utf8_without_control_characters() {
    let form = Form::of_text(true);
    assert!(form.contains("grüße €\u{10ffff}"));
    assert!(!form.contains("a\nb"));
    assert!(Form::of_text(false).contains("a\nb"));
}
