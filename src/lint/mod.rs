//! TODO story of lint.

mod check;
mod exchange;
mod finding;
mod rules;
mod seen;
mod words;

pub(crate) use check::check_with;
pub use check::{assert_conformant, check, rules};
pub use exchange::{Exchange, Presented};
pub use finding::{Finding, Severity};
