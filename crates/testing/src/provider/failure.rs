//! The failures of an identity provider.

use serde_json::json;

use crate::message::Answer;
use crate::timing::Gate;

/// A failure of an identity provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// 400 `invalid_grant`: the refresh token is no longer valid (RFC 6749 §5.2).
    InvalidGrant,
    /// 401 `invalid_client` with a Basic challenge (RFC 6749 §5.2).
    InvalidClient,
    /// 429 with `Retry-After` in seconds.
    TooManyRequests(u64),
    /// 500.
    ServerError,
    /// The usual answer, but not before the gate lets it pass.
    Hang(Gate),
    /// 200 with a body that is not JSON.
    NotJson,
    /// The connection is closed without a response.
    Cut,
}

impl Failure {
    /// Whether every request can fail like this. The codes of RFC 6749 are errors of the token endpoint alone.
    pub(super) fn affects_all_requests(&self) -> bool {
        !matches!(self, Self::InvalidGrant | Self::InvalidClient)
    }

    /// The answer of a provider that fails like this. The argument makes the usual answer.
    pub(super) fn answer(self, usual: impl FnOnce() -> Answer) -> Answer {
        match self {
            Self::InvalidGrant => oauth_error(400, "invalid_grant"),
            Self::InvalidClient => invalid_client(),
            Self::TooManyRequests(seconds) => Answer::new(429).header("retry-after", seconds.to_string()),
            Self::ServerError => Answer::new(500).body("internal error"),
            Self::Hang(gate) => usual().hold_until(&gate),
            Self::NotJson => Answer::ok("<html>not JSON</html>").header("content-type", "text/html"),
            Self::Cut => Answer::cut(),
        }
    }
}

/// An error response (RFC 6749 §5.2).
pub(super) fn oauth_error(status: u16, code: &str) -> Answer {
    Answer::new(status).json_body(format_args!("{{\"error\":\"{code}\"}}"))
}

/// An error response with a text for the author of the test.
pub(super) fn described_error(status: u16, code: &str, description: &str) -> Answer {
    Answer::new(status).json_body(json!({ "error": code, "error_description": description }))
}

/// The error response to a client that does not authenticate.
pub(super) fn invalid_client() -> Answer {
    oauth_error(401, "invalid_client").header("www-authenticate", "Basic realm=\"identity\"")
}
