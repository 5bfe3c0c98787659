//! Days, as suppressions expire on them. No clock: whoever asks says what day it is.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// The year, four digits
    year: u16,
    /// From 1
    month: u8,
    /// From 1
    day: u8,
}

/// What is no day: the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no day of the form `2026-12-31`")]
pub struct NoDate(String);

/// How many days a month has.
fn days(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

impl FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        let none = || NoDate(text.to_owned());
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts.as_slice() else { return Err(none()) };
        let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
            return Err(none());
        }
        let (year, month, day) =
            (year.parse().map_err(|_| none())?, month.parse().map_err(|_| none())?, day.parse().map_err(|_| none())?);
        let is_day = (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
        is_day.then_some(Self { year, month, day }).ok_or_else(none)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom(format!("says `{text}`, which is no day of the form `2026-12-31`")))
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "A day, such as `2026-12-31`", "type": "string", "format": "date"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar_and_compare_by_age() {
        let date = |text: &str| text.parse::<Date>();
        assert!(date("2024-02-29").is_ok() && date("2000-02-29").is_ok());
        for none in ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "26-04-01", "2026-4-1", "x"]
        {
            assert_eq!(date(none), Err(NoDate(none.to_owned())));
        }
        let of = |text: &str| date(text).expect("a day");
        assert!(of("2026-01-31") < of("2026-02-01") && of("2025-12-31") < of("2026-01-01"));
        assert_eq!(date("0999-01-02").map(|date| date.to_string()).as_deref(), Ok("0999-01-02"));
    }
}
