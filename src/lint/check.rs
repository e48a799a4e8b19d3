//! The check: applies all rules to an exchange.

use std::fmt::Write;

use super::evidence::Evidence;
use super::exchange::Exchange;
use super::finding::{Finding, Severity};
use super::rules;
use crate::challenge::Challenges;

/// Checks an exchange. The findings are in the order of the rules: first about the status, then about the challenges,
/// then about the transport, and last about the defects of the challenges.
#[must_use]
pub fn check(exchange: &Exchange<'_>) -> Vec<Finding> {
    check_with(exchange, None)
}

/// Checks an exchange. If the caller already parsed the challenges, they are not parsed again.
pub(crate) fn check_with(exchange: &Exchange<'_>, parsed: Option<&Challenges>) -> Vec<Finding> {
    // Nearly every response is a success without a trace of authentication.
    if exchange.is_plain() {
        return Vec::new();
    }
    let own;
    let challenges = match parsed {
        Some(challenges) => challenges,
        None => {
            own = Challenges::from_headers(exchange.headers);
            &own
        }
    };
    let evidence = Evidence::new(exchange, challenges);
    let broken = rules::all().filter(|rule| (rule.is_broken)(&evidence));
    let findings = broken.map(|rule| Finding::of(rule, (rule.expected)(&evidence)));
    findings.chain(challenges.defects().map(Finding::of_defect)).collect()
}

/// The identifiers of all rules. The defects of challenges have identifiers too: see
/// [`DefectKind::id`](crate::challenge::DefectKind::id).
pub fn rule_ids() -> impl Iterator<Item = &'static str> {
    rules::all().map(|rule| rule.id)
}

/// Asserts that the exchanges give no finding of the severities [`Fault`](Severity::Fault) and [`Doubt`](Severity::Doubt).
/// Findings of the severity [`Information`](Severity::Information) are ignored.
///
/// # Panics
/// If there is such a finding. The message lists all findings.
#[track_caller]
pub fn assert_conformant<'e>(exchanges: impl IntoIterator<Item = Exchange<'e>>) {
    let (mut report, mut wrong) = (String::new(), 0);
    for exchange in exchanges {
        for finding in check(&exchange) {
            wrong += usize::from(finding.severity() != Severity::Information);
            // Writing to a `String` does not fail.
            let _ = writeln!(report, "{} {} {}", exchange.method, exchange.url.path(), exchange.status.as_u16());
            let _ = writeln!(report, "{}", finding.report());
        }
    }
    assert!(wrong == 0, "{wrong} fault(s) and doubt(s):\n{report}");
}
