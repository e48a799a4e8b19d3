//! A request and its response, as the journal records them.

use http::StatusCode;
use http::header::HeaderMap;

use crate::answer::Answer;
use crate::arrived::Arrived;
use crate::purpose::{Purpose, is_asked_again};

/// A request and its response.
#[derive(Clone, Debug)]
pub struct Exchanged {
    pub(super) arrived: Arrived,
    pub(super) answer: Option<Answer>,
    /// How many entries the journal had when the response was recorded.
    pub(super) answered: usize,
    purpose: Purpose,
}

impl Exchanged {
    /// Records a request without a response yet.
    pub(super) fn of(arrived: Arrived, purpose: Purpose) -> Self {
        Self { arrived, answer: None, answered: usize::MAX, purpose }
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Arrived {
        &self.arrived
    }

    /// The status of the response. `None` before there is one, and if the connection was cut.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.answer.as_ref().filter(|answer| !answer.cut).map(|answer| answer.status)
    }

    /// Whether a caller sent it. Token requests and other requests for a credential do not count.
    pub(super) fn is_call(&self) -> bool {
        self.purpose == Purpose::Call
    }

    pub(super) fn is_token_request(&self) -> bool {
        self.purpose == Purpose::Token
    }

    /// Whether it asked for a new credential. A repetition that the server demands does not count.
    pub(super) fn renews(&self) -> bool {
        self.is_token_request() && !self.answer.as_ref().is_some_and(is_asked_again)
    }

    /// The header fields of the response.
    #[must_use]
    pub fn response_headers(&self) -> Option<&HeaderMap> {
        self.answer.as_ref().map(|answer| &answer.headers)
    }

    /// The body of the response, as far as it existed before it was sent.
    #[must_use]
    pub fn response_body(&self) -> &[u8] {
        self.answer.as_ref().map_or(&[], |answer| &answer.payload.bytes)
    }
}
