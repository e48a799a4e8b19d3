//! A request and its answer, as the journal records them.

use http::StatusCode;
use http::header::HeaderMap;

use super::answer::Answer;
use super::purpose::{Purpose, asks_for_repetition};
use super::received_request::ReceivedRequest;

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub(crate) request: ReceivedRequest,
    pub(crate) answer: Option<Answer>,
    /// How many entries the journal had when the answer was recorded.
    pub(crate) answered_at: usize,
    purpose: Purpose,
}

impl Exchange {
    /// Records a request that has no answer yet.
    pub(crate) fn new(request: ReceivedRequest, purpose: Purpose) -> Self {
        Self { request, answer: None, answered_at: usize::MAX, purpose }
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &ReceivedRequest {
        &self.request
    }

    /// The status of the answer. `None` if there is no answer yet or the connection was cut.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.answer.as_ref().filter(|answer| !answer.is_cut).map(|answer| answer.status)
    }

    /// The header fields of the answer. `None` if there is no answer yet.
    #[must_use]
    pub fn response_headers(&self) -> Option<&HeaderMap> {
        self.answer.as_ref().map(|answer| &answer.headers)
    }

    /// The body of the answer, without bytes that the server generates while it sends them.
    #[must_use]
    pub fn response_body(&self) -> &[u8] {
        self.answer.as_ref().map_or(&[], |answer| &answer.payload.bytes)
    }

    /// Whether a caller sent the request. Token requests and other requests for a credential do not count.
    pub(crate) fn is_call(&self) -> bool {
        self.purpose == Purpose::Call
    }

    pub(crate) fn is_token_request(&self) -> bool {
        self.purpose == Purpose::Token
    }

    /// Whether the request asked for a new credential. A repetition that the server demands does not count.
    pub(crate) fn is_refresh(&self) -> bool {
        self.is_token_request() && !self.answer.as_ref().is_some_and(asks_for_repetition)
    }
}
