//! What is found.

use std::fmt;

use super::seen::Seen;
use crate::challenge::Defect;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// It is allowed, and worth to know.
    Information,
    /// It breaks a recommendation, or looks like another answer than was meant.
    Doubt,
    /// It breaks a requirement, or no client can do the right thing.
    Fault,
}

impl Severity {
    /// Its name: `fault`, `doubt`, `information`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Doubt => "doubt",
            Self::Fault => "fault",
        }
    }
}

/// A rule: what is looked at, and what should have been sent.
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    pub(super) section: &'static str,
    pub(super) sentence: &'static str,
    pub(super) broken: fn(&Seen<'_>) -> bool,
    pub(super) instead: fn(&Seen<'_>) -> String,
}

/// One thing that is wrong with an exchange. It holds no text of a request or a response but its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    id: &'static str,
    severity: Severity,
    section: &'static str,
    sentence: &'static str,
    place: Option<(usize, usize)>,
    instead: String,
}

impl Finding {
    pub(super) fn of(rule: &'static Rule, instead: String) -> Self {
        let Rule { id, severity, section, sentence, .. } = *rule;
        Self { id, severity, section, sentence, place: None, instead }
    }

    pub(super) fn of_defect(defect: Defect<'_>) -> Self {
        let kind = defect.kind();
        Self {
            id: kind.id(),
            severity: Severity::Fault,
            section: kind.section(),
            sentence: kind.sentence(),
            place: Some((defect.line(), defect.byte())),
            instead: "WWW-Authenticate: Scheme name=\"value\", other=\"value\"".to_owned(),
        }
    }

    /// The identifier of the rule, such as `401-without-challenge`: it does not change.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// How bad it is.
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

    /// The place in the challenges: the header line and the byte of it, both counted from 0.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        self.place
    }

    /// What the server should have sent: the lines of the response that matter.
    #[must_use]
    pub fn instead(&self) -> &str {
        &self.instead
    }

    /// The finding, and below it what should have been sent: for a terminal.
    pub fn whole(&self) -> impl fmt::Display + '_ {
        Whole(self)
    }
}

/// One line: severity, sentence, section, rule.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.severity.as_str())?;
        if let Some((line, byte)) = self.place {
            write!(f, "line {}, byte {byte}: ", line + 1)?;
        }
        write!(f, "{} ({}) [{}]", self.sentence, self.section, self.id)
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding").field("id", &self.id).field("place", &self.place).finish_non_exhaustive()
    }
}

struct Whole<'f>(&'f Finding);

impl fmt::Display for Whole<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  instead:", self.0)?;
        self.0.instead.lines().try_for_each(|line| write!(f, "\n    {line}"))
    }
}
