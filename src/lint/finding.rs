//! Findings, and the rules that give them.

use std::fmt;

use super::evidence::Evidence;
use crate::challenge::{Defect, Place};

/// How severe a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// The server breaks no rule, but clients may not expect this.
    Information,
    /// The server breaks a recommendation, or the response probably has the wrong status.
    Doubt,
    /// The server breaks a requirement, or no client can react correctly.
    Fault,
}

impl Severity {
    /// The name: `fault`, `doubt` or `information`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Doubt => "doubt",
            Self::Fault => "fault",
        }
    }
}

/// A rule: the test that breaks it, and what the server should have sent.
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    pub(super) section: &'static str,
    pub(super) sentence: &'static str,
    pub(super) is_broken: fn(&Evidence<'_>) -> bool,
    pub(super) expected: fn(&Evidence<'_>) -> String,
}

/// A finding: a rule that the server broke in an exchange. It has no text of the request or the response.
///
/// `Display` prints one line: severity, sentence, section and identifier.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    id: &'static str,
    severity: Severity,
    section: &'static str,
    sentence: &'static str,
    place: Option<Place>,
    expected: String,
}

impl Finding {
    pub(super) fn of(rule: &'static Rule, expected: String) -> Self {
        let Rule { id, severity, section, sentence, .. } = *rule;
        Self { id, severity, section, sentence, place: None, expected }
    }

    pub(super) fn of_defect(defect: Defect<'_>) -> Self {
        let kind = defect.kind();
        Self {
            id: kind.id(),
            severity: Severity::Fault,
            section: kind.section(),
            sentence: kind.sentence(),
            place: Some(defect.place()),
            expected: "WWW-Authenticate: Scheme name=\"value\", other=\"value\"".to_owned(),
        }
    }

    /// The identifier of the rule, such as `401-without-challenge`. It is stable across versions.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// How severe the finding is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The section of the RFC, such as `RFC 9110 §15.5.2`.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.section
    }

    /// What is wrong, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        self.sentence
    }

    /// The place in the `WWW-Authenticate` lines. `None` if the finding is about no single place.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// What the server should have sent: the status line and the fields that differ.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The finding and, on the next lines, what the server should have sent. Print it on a terminal.
    pub fn report(&self) -> impl fmt::Display + '_ {
        Report(self)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.severity.as_str())?;
        if let Some(place) = self.place {
            write!(f, "line {}, byte {}: ", place.line() + 1, place.byte())?;
        }
        write!(f, "{} ({}) [{}]", self.sentence, self.section, self.id)
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding").field("id", &self.id).field("place", &self.place).finish_non_exhaustive()
    }
}

/// Prints a finding on several lines.
struct Report<'f>(&'f Finding);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  instead:", self.0)?;
        self.0.expected.lines().try_for_each(|line| write!(f, "\n    {line}"))
    }
}
