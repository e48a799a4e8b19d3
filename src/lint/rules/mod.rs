//! The rules. Each file has the rules about one subject, in the order of their findings.

mod digest;
mod status;
mod token;
mod transport;

use crate::lint::finding::Rule;

/// All rules, in the order of their findings.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    status::RULES.iter().chain(&token::RULES).chain(&digest::RULES).chain(&transport::RULES)
}
