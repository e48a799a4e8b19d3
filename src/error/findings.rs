//! The findings of the lint in the responses to one call.

use crate::lint::Finding;

/// The findings in the responses to one call.
#[derive(Clone, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn of(findings: Vec<Finding>) -> Self {
        Self(findings)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_slice(&self) -> &[Finding] {
        &self.0
    }

    /// Adds the findings that are new. A response is checked a second time after its body was read.
    pub(crate) fn add(&mut self, others: Self) {
        for finding in others.0 {
            if !self.0.contains(&finding) {
                self.0.push(finding);
            }
        }
    }
}
