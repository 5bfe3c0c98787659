//! First match, word for word. Shares nothing with the partition but `Pattern::matches`, so it can judge it.

use super::list::{DecisionList, Label, Test};
use super::pattern::Pattern;
use super::universe::Point;

/// The label of a point: that of the first rule whose tests all hold.
#[must_use]
pub fn label_of(list: &DecisionList, point: &Point) -> Label {
    for rule in &list.rules {
        let finite = rule.cube.tests.iter().all(|test| {
            let Test { dimension, any_of, none_of } = test;
            let values = point.values.get(dimension).cloned().unwrap_or_default();
            decides(any_of.as_ref(), none_of, &values)
        });
        let path = std::slice::from_ref(&point.path);
        if finite && rule.cube.path.iter().all(|test| decides(test.any_of.as_ref(), &test.none_of, path)) {
            return rule.label;
        }
    }
    list.default
}

/// The meaning of a test, spelled out.
fn decides(any_of: Option<&Vec<Pattern>>, none_of: &[Pattern], values: &[String]) -> bool {
    for value in values {
        for pattern in none_of {
            if pattern.matches(value) {
                return false;
            }
        }
    }
    let Some(patterns) = any_of else { return true };
    for value in values {
        for pattern in patterns {
            if pattern.matches(value) {
                return true;
            }
        }
    }
    false
}
