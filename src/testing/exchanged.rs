//! A request and its answer, as the journal remembers them.

use http::StatusCode;
use http::header::HeaderMap;

use super::answer::Answer;
use super::arrived::Arrived;
use super::purpose::{Purpose, is_asked_again};

/// A request and what was answered.
#[derive(Clone, Debug)]
pub struct Exchanged {
    pub(super) arrived: Arrived,
    pub(super) answer: Option<Answer>,
    /// How many entries there were when it was answered.
    pub(super) answered: usize,
    purpose: Purpose,
}

impl Exchanged {
    /// A request that is not answered yet.
    pub(super) fn of(arrived: Arrived, purpose: Purpose) -> Self {
        Self { arrived, answer: None, answered: usize::MAX, purpose }
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Arrived {
        &self.arrived
    }

    /// The status of the answer; `None` as long as there is none, and where the connection was cut.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.answer.as_ref().filter(|answer| !answer.cut).map(|answer| answer.status)
    }

    /// Whether a caller sent it: it is neither a token request nor what belongs to one.
    pub(super) fn is_call(&self) -> bool {
        self.purpose == Purpose::Call
    }

    pub(super) fn is_token_request(&self) -> bool {
        self.purpose == Purpose::Token
    }

    /// Whether a new credential was asked for, and not only that the same be asked again.
    pub(super) fn renews(&self) -> bool {
        self.is_token_request() && !self.answer.as_ref().is_some_and(is_asked_again)
    }

    /// The header of the answer.
    #[must_use]
    pub fn response_headers(&self) -> Option<&HeaderMap> {
        self.answer.as_ref().map(|answer| &answer.headers)
    }

    /// The body of the answer, as far as it was there before it went out.
    #[must_use]
    pub fn response_body(&self) -> &[u8] {
        self.answer.as_ref().map_or(&[], |answer| &answer.payload.bytes)
    }
}
