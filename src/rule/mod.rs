//! Rules: their files, the three statements of the mission, and findings grouped by cause.

pub mod access;
mod cause;
mod default_deny;
mod file;
mod finding;
mod flows;
mod input;
mod notes;
mod path_rules;
mod report;
mod run;
mod scope;

pub use file::{RuleFile, rule, rules};
pub use finding::{Finding, Label, Related, RuleId, Severity, Status};
pub use report::{Note, Report, Summary};
pub use run::check;
pub use scope::{asked, is_judged};
