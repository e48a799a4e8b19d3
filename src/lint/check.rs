//! What 401 and 403 are for, as a check: tells a server's faults from its answers.
//!
//! [`check`] is pure: it looks at one exchange and does no I/O. A finding says what is wrong in one sentence, with the section
//! of the RFC, and what the server should have sent instead.
//!
//! ```
//! use http::{HeaderMap, Method, StatusCode};
//! use reqwest_challenge::lint::{Exchange, Severity, check};
//!
//! let url = "https://api.example.com/reports".parse().unwrap();
//! let headers = HeaderMap::new();
//! let exchange = Exchange::new(&Method::GET, &url, StatusCode::UNAUTHORIZED, &headers);
//! let findings = check(&exchange);
//! assert_eq!((findings[0].id(), findings[0].severity()), ("401-without-challenge", Severity::Fault));
//! assert_eq!(findings[0].section(), "RFC 9110 §15.5.2");
//! ```

use super::exchange::Exchange;
use super::finding::{Finding, Severity};
use std::fmt::Write;

use super::seen::Seen;
use crate::challenge::Challenges;

/// What is wrong with an exchange, in the order of the rules: first its status, then its challenges, then its way.
#[must_use]
pub fn check(exchange: &Exchange<'_>) -> Vec<Finding> {
    check_with(exchange, None)
}

/// The same, of challenges that were read already.
pub(crate) fn check_with(exchange: &Exchange<'_>, read: Option<&Challenges>) -> Vec<Finding> {
    // Nearly every response is a success that says nothing of authentication.
    if exchange.is_plain() {
        return Vec::new();
    }
    let own;
    let challenges = match read {
        Some(challenges) => challenges,
        None => {
            own = Challenges::from_headers(exchange.headers);
            &own
        }
    };
    let seen = Seen::new(exchange, challenges);
    let broken =
        super::rules::all().filter(|rule| (rule.broken)(&seen)).map(|rule| Finding::of(rule, (rule.instead)(&seen)));
    broken.chain(challenges.defects().map(Finding::of_defect)).collect()
}

/// The identifiers of all rules, but for the defects of challenges, which are [`challenge::Rule`](crate::challenge::Rule)s.
pub fn rules() -> impl Iterator<Item = &'static str> {
    super::rules::all().map(|rule| rule.id)
}

/// The exchanges are without a fault and without a doubt; what is only information is let be.
///
/// # Panics
/// If one is not, with a report of all.
#[track_caller]
pub fn assert_conformant<'e>(exchanges: impl IntoIterator<Item = Exchange<'e>>) {
    let (mut report, mut wrong) = (String::new(), 0);
    for exchange in exchanges {
        for finding in check(&exchange) {
            wrong += usize::from(finding.severity() != Severity::Information);
            // Writing to a `String` does not fail.
            let _ = writeln!(report, "{} {} {}", exchange.method, exchange.url.path(), exchange.status.as_u16());
            let _ = writeln!(report, "{}", finding.whole());
        }
    }
    assert!(wrong == 0, "{wrong} fault(s) and doubt(s):\n{report}");
}
