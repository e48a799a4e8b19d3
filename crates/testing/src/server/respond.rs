//! The behaviour of a server.

use http::HeaderName;

use crate::message::{Answer, Purpose, ReceivedRequest};

/// The behaviour of a server behind a [`Listener`](super::Listener).
pub(crate) trait Respond: Send + Sync + 'static {
    /// The answer to a request.
    fn respond(&self, request: &ReceivedRequest) -> Answer;

    /// The header field with the API key, if this path is protected by one.
    fn key_header(&self, path: &str) -> Option<HeaderName>;

    /// The purpose of a request.
    fn purpose(&self, request: &ReceivedRequest) -> Purpose;
}
