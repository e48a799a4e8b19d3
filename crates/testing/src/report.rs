//! What a contract suite found.

use std::fmt;

/// How a check came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it must be.
    Passed,
    /// Not as it must be, and how.
    Failed(String),
    /// Not looked at, and what it wants.
    Skipped(&'static str),
}

/// A check by its name, and how it came out.
#[derive(Clone, Debug)]
pub struct Check {
    /// What is checked, as a sentence.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
}

/// All checks of a contract.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) checks: Vec<Check>,
}

impl Report {
    /// The checks, in order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether none failed.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.verdict, Verdict::Failed(_)))
    }

    /// None failed.
    ///
    /// # Panics
    /// If one did, with the whole report.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.is_passed(), "the contract is broken:\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            match &check.verdict {
                Verdict::Passed => writeln!(f, "  ok       {}", check.name)?,
                Verdict::Failed(how) => writeln!(f, "  FAILED   {}: {how}", check.name)?,
                Verdict::Skipped(why) => writeln!(f, "  skipped  {}: {why}", check.name)?,
            }
        }
        Ok(())
    }
}
