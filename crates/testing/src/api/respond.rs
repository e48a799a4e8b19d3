//! Answers a request by the configuration of its path.

use http::header::AUTHORIZATION;
use http::{HeaderName, StatusCode};

use super::route::{Route, State};
use crate::message::{Answer, Purpose, ReceivedRequest};
#[cfg(feature = "dpop")]
use crate::protection::Protection;
use crate::protection::{Judgement, Tokens};
use crate::server::Respond;

impl Respond for State {
    fn respond(&self, request: &ReceivedRequest) -> Answer {
        if request.headers.get_all(AUTHORIZATION).iter().count() > 1 {
            return Answer::new(400).body("the request has more than one credential");
        }
        let route = self.route(request.path());
        let usual = || route.answers.as_ref().map_or_else(|| Answer::ok("ok"), |answers| answers(request));
        let mut answer = route.refusal(request, &self.tokens).unwrap_or_else(usual);
        if route.echoes {
            answer = answer.body(header_lines(request));
        }
        #[cfg(feature = "dpop")]
        if let Some(nonce) = route.protection().and_then(Protection::nonce) {
            answer.headers.remove("dpop-nonce");
            answer = answer.header("dpop-nonce", nonce);
        }
        answer.delay = answer.delay.or(route.delay);
        answer.gate = answer.gate.or(route.gate);
        answer
    }

    fn key_header(&self, path: &str) -> Option<HeaderName> {
        self.route(path).protection()?.key_header()
    }

    fn purpose(&self, request: &ReceivedRequest) -> Purpose {
        Purpose::at_any(request)
    }
}

impl Route {
    /// The 401 or 403 to a request. `None` if its credential is accepted, or if the path is open.
    fn refusal(&self, request: &ReceivedRequest, tokens: &Tokens) -> Option<Answer> {
        let protection = self.protection()?;
        let judgement = protection.judge(request, tokens, self.scope.as_deref());
        let is_invalid = matches!(judgement, Judgement::Unknown | Judgement::Expired | Judgement::Revoked);
        if is_invalid && self.forbids_invalid_tokens {
            return Some(Answer::new(403).body("the token expired"));
        }
        let answer = protection.refusal(&judgement)?;
        match &self.challenges {
            Some(lines) if answer.status == StatusCode::UNAUTHORIZED => {
                Some(Answer::unauthorized(lines.iter().map(String::as_str)))
            }
            _ => Some(answer),
        }
    }
}

/// The header fields of a request, one per line.
fn header_lines(request: &ReceivedRequest) -> Vec<u8> {
    let fields = request.headers.iter();
    let lines = fields.map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes()].concat());
    lines.collect::<Vec<_>>().join(&b'\n')
}
