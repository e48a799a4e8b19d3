//! The rules, a file a subject.

mod digest;
mod status;
mod token;
mod transport;

use crate::lint::finding::Rule;

/// All rules, in the order in which their findings come.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    status::RULES.iter().chain(&token::RULES).chain(&digest::RULES).chain(&transport::RULES)
}
