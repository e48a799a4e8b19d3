//! Runs the lint on responses. The findings go into the report of the call. Each rule is reported as an event once for each
//! origin.

use http::HeaderMap;
use reqwest::Response;

use super::call::{Call, SentRequest};
use crate::challenge::Challenges;
use crate::credential::Credential;
use crate::error::{Findings, Renewed};
use crate::lint::{Exchange, Presented, check_with};
use crate::origin::url_without_secrets;
use crate::session::Event;

impl Call<'_> {
    /// Whether the lint finds something in a success after the first send. Nearly always it finds nothing.
    pub(super) fn has_findings(&self, response: &Response) -> bool {
        !check_with(&self.exchange(response), None).is_empty()
    }

    /// Runs the lint on a response of the API. If the call has parsed the challenges already, it passes them, and the
    /// lint does not parse them again.
    pub(super) fn lint(&self, response: &Response, body: &[u8], challenges: Option<&Challenges>) -> Findings {
        if self.target().is_foreign(response) {
            return Findings::default();
        }
        let mut exchange = self.exchange(response).body(body);
        exchange = match (self.presented(), &self.sent) {
            (Some(presented), _) => exchange.presented(presented),
            // The copy of the request has the header fields that the caller set.
            (None, SentRequest::Copy(copy)) => {
                let mut headers = HeaderMap::new();
                for (name, value) in copy.headers() {
                    headers.append(name, value.clone());
                }
                exchange.request_headers(&headers)
            }
            (None, SentRequest::Head(_)) => exchange,
        };
        // The server refused a credential that was renewed for this call.
        if matches!(self.report.renewal, Some(Renewed::Started | Renewed::Joined)) {
            exchange = exchange.renewed();
        }
        let findings = check_with(&exchange, challenges);
        let listeners = self.shared.session.listeners();
        for finding in &findings {
            if listeners.is_active() && self.shared.reported_findings.add(self.sent.url(), finding.id()) {
                let (rule, severity, url) = (finding.id(), finding.severity(), url_without_secrets(self.sent.url()));
                listeners.notify(|| Event::LintFinding { rule, severity, url });
            }
        }
        Findings::of(findings)
    }

    fn exchange<'r>(&'r self, response: &'r Response) -> Exchange<'r> {
        Exchange::new(self.sent.method(), self.sent.url(), response.status(), response.headers())
    }

    /// The kind of credential that the last request carried. `None` if it is not known.
    fn presented(&self) -> Option<Presented> {
        match self.report.sent.iter().rev().flatten().next().map(Credential::scheme) {
            Some("Bearer" | "DPoP") => Some(Presented::Token),
            None if !self.has_caller_credential => None,
            _ => Some(Presented::Other),
        }
    }
}
