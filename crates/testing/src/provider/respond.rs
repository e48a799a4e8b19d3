//! Finds the endpoint of a request, or the failure that the test configured.

use http::{HeaderName, Method};

use super::state::State;
use crate::message::{Answer, Purpose, ReceivedRequest};
use crate::server::Respond;

impl Respond for State {
    fn respond(&self, request: &ReceivedRequest) -> Answer {
        let usual = || match (request.method(), request.path()) {
            (&Method::POST, "/token") => self.token(request),
            (&Method::POST, "/revoke") => self.revoke(request),
            (_, "/token" | "/revoke") => Answer::new(405).header("allow", "POST"),
            _ => self.login_page(request).unwrap_or_else(|| Answer::new(404)),
        };
        let failure = {
            let mut inner = self.lock();
            let is_token = Purpose::at_provider(request) == Purpose::Token;
            let next = if is_token { inner.next_failures.pop_front() } else { None };
            let outage = || inner.outage.clone().filter(|failure| is_token || failure.affects_all_requests());
            next.or_else(outage)
        };
        failure.map_or_else(usual, |failure| failure.answer(usual))
    }

    fn key_header(&self, _: &str) -> Option<HeaderName> {
        None
    }

    fn purpose(&self, request: &ReceivedRequest) -> Purpose {
        Purpose::at_provider(request)
    }
}
