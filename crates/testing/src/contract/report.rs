//! The result of a contract suite.

use std::fmt;

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The check passed.
    Passed,
    /// The check failed, for this reason.
    Failed(String),
    /// The check did not run. The text says what the test must provide.
    Skipped(&'static str),
}

/// A check and its result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// The requirement, as a sentence.
    pub name: &'static str,
    /// The result.
    pub verdict: Verdict,
}

impl Check {
    pub(super) fn new(name: &'static str, verdict: Verdict) -> Self {
        Self { name, verdict }
    }
}

/// The results of all checks of a contract.
#[derive(Clone, Debug)]
pub struct Report {
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn new(checks: Vec<Check>) -> Self {
        Self { checks }
    }

    /// The checks, in order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether no check failed.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.verdict, Verdict::Failed(_)))
    }

    /// Asserts that no check failed.
    ///
    /// # Panics
    /// If a check failed, with the whole report.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.is_passed(), "the contract is broken:\n{self}");
    }
}

/// One line per check.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            match &check.verdict {
                Verdict::Passed => writeln!(f, "  ok       {}", check.name)?,
                Verdict::Failed(why) => writeln!(f, "  FAILED   {}: {why}", check.name)?,
                Verdict::Skipped(how) => writeln!(f, "  skipped  {}: {how}", check.name)?,
            }
        }
        Ok(())
    }
}
