//! The lint over the exchanges of a journal.

use std::collections::HashSet;

use http::StatusCode;
use reqwest_challenge::lint::{Exchange as LintExchange, Finding, Presented, Severity, check};

use super::journal::Journal;
use crate::message::Exchange;

/// The findings of the lint in the answers of the mock servers, with the feature `lint`.
impl Journal {
    /// The findings in each answered exchange, in order. Exchanges without findings are left out. A fault that the test
    /// configured, such as a 401 without a challenge, is found too.
    #[must_use]
    pub fn findings(&self) -> Vec<(Exchange, Vec<Finding>)> {
        let (mut known, mut refresh, mut all) = (HashSet::new(), self.refresh_from(0), Vec::new());
        for (index, exchange) in self.indexed_exchanges() {
            let credential = exchange.request().credential().map(str::to_owned);
            let is_new = exchange.is_call() && credential.is_some_and(|credential| known.insert(credential));
            // The first new credential after a refresh must be the one that the refresh returned.
            let is_renewed = is_new && refresh.is_some_and(|refresh| refresh < index);
            if is_renewed {
                refresh = self.refresh_from(index);
            }
            let findings = findings_in(&exchange, is_renewed);
            if !findings.is_empty() {
                all.push((exchange, findings));
            }
        }
        all
    }

    /// Asserts that no answer has a finding of severity fault or doubt. Findings of severity information are ignored.
    ///
    /// # Panics
    /// If there is such a finding. The message lists all findings and the timeline.
    #[track_caller]
    pub fn assert_conformant(&self) {
        let (mut report, mut count) = (String::new(), 0);
        for (exchange, findings) in self.findings() {
            let request = exchange.request();
            let status = exchange.status().map_or(0, |status| status.as_u16());
            for finding in findings {
                count += usize::from(finding.severity() > Severity::Information);
                report += &format!("{} {} {status}: {}\n", request.method(), request.path(), finding.report());
            }
        }
        self.expect(count == 0, format_args!("no fault and no doubt; there were {count}:\n{report}"));
    }
}

/// The findings in one exchange. None if it is not answered yet.
fn findings_in(exchange: &Exchange, is_renewed: bool) -> Vec<Finding> {
    let (Some(status), Some(headers)) = (exchange.status(), exchange.response_headers()) else { return Vec::new() };
    let request = exchange.request();
    let seen = LintExchange::new(request.method(), request.url(), status, headers).body(exchange.response_body());
    let seen = seen.request_headers(request.headers());
    let has_key = request.credential().is_some() && request.header("authorization").is_none();
    let seen = if has_key { seen.presented(Presented::Other) } else { seen };
    let is_refused = is_renewed && status == StatusCode::UNAUTHORIZED;
    check(&if is_refused { seen.renewed() } else { seen })
}
