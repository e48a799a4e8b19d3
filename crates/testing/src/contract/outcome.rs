//! The result of one check of a contract.

use std::fmt;

use super::report::Verdict;

/// The result of a check. The error says what is wrong.
pub(super) type Outcome = Result<(), String>;

/// Fails with this text if the condition is false.
pub(super) fn check(condition: bool, otherwise: impl fmt::Display) -> Outcome {
    if condition { Ok(()) } else { Err(otherwise.to_string()) }
}

pub(super) fn verdict(outcome: Outcome) -> Verdict {
    outcome.map_or_else(Verdict::Failed, |()| Verdict::Passed)
}
