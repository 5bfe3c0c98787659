//! Patterns of paths as the access table writes them: `*` within a segment, `**` for any number of segments.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// A pattern of paths. `P/**` is `P` and everything below it; `*` alone is one segment, beside text any part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct PathGlob {
    /// As written
    text: String,
    /// Between its slashes, behind the first
    segments: Vec<Segment>,
}

/// A segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// `**`: any number of segments, none among them
    Any,
    /// `*`: one segment that is not empty
    One,
    /// Text; where there are several pieces, any part of a segment between them
    Text(Vec<String>),
}

impl PathGlob {
    /// Reads a pattern; `Err`: why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(format!("says `{text}`, which is no path: paths begin with `/`"));
        };
        if text.contains(['?', '#']) {
            return Err(format!("says `{text}`, but a path has neither query nor fragment"));
        }
        let segments = rest.split('/').map(|segment| match segment {
            "**" => Ok(Segment::Any),
            "*" => Ok(Segment::One),
            segment if segment.contains("**") => {
                Err(format!("says `{text}`, but `**` is a whole segment: write `/**`, or `*` for a part of one"))
            }
            segment => Ok(Segment::Text(segment.split('*').map(str::to_owned).collect())),
        });
        Ok(Self { text: text.to_owned(), segments: segments.collect::<Result<_, _>>()? })
    }

    /// Its segments.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for PathGlob {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
