//! The lint over what a journal holds.

use std::collections::HashSet;

use http::StatusCode;

use crate::exchanged::Exchanged;
use crate::journal::Journal;
use reqwest_challenge::lint::{Exchange, Finding, Presented, check};

/// What is wrong with the answers of a test's servers, with the feature `lint`.
impl Journal {
    /// What is found in each exchange that was answered, in order; those in which nothing is are left out. A fault that a test
    /// asked for, such as a bare 401, is found like any other.
    #[must_use]
    pub fn findings(&self) -> Vec<(Exchanged, Vec<Finding>)> {
        let (mut known, mut asked, mut all) = (HashSet::new(), self.refresh_from(0), Vec::new());
        for (place, exchanged) in self.numbered() {
            let credential = exchanged.request().credential().map(str::to_owned);
            // New after a refresh: that is what was renewed.
            let is_new = exchanged.is_call() && credential.is_some_and(|credential| known.insert(credential));
            let renewed = is_new && asked.is_some_and(|refresh| refresh < place);
            if renewed {
                asked = self.refresh_from(place);
            }
            let findings = exchanged.findings(renewed);
            if !findings.is_empty() {
                all.push((exchanged, findings));
            }
        }
        all
    }

    /// All answers were without a fault and without a doubt; what is only information is let be.
    ///
    /// # Panics
    /// If one was not, with all findings and the timeline.
    #[track_caller]
    pub fn assert_conformant(&self) {
        let (mut report, mut wrong) = (String::new(), 0);
        for (exchanged, findings) in self.findings() {
            let request = exchanged.request();
            let status = exchanged.status().map_or(0, |status| status.as_u16());
            for finding in findings {
                wrong += usize::from(finding.severity() > reqwest_challenge::lint::Severity::Information);
                report += &format!("{} {} {status}: {}\n", request.method(), request.path(), finding.report());
            }
        }
        self.claim(wrong == 0, format_args!("no fault and no doubt; there were {wrong}:\n{report}"));
    }
}

impl Exchanged {
    /// What is found in this exchange; nothing as long as it is not answered.
    fn findings(&self, renewed: bool) -> Vec<Finding> {
        let (Some(status), Some(headers)) = (self.status(), self.response_headers()) else { return Vec::new() };
        let request = self.request();
        let exchange = Exchange::new(request.method(), request.url(), status, headers).body(self.response_body());
        let exchange = exchange.request_headers(request.headers());
        let own_header = request.credential().is_some() && request.header("authorization").is_none();
        let exchange = if own_header { exchange.presented(Presented::Other) } else { exchange };
        let refused = renewed && status == StatusCode::UNAUTHORIZED;
        check(&if refused { exchange.renewed() } else { exchange })
    }
}
