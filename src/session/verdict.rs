//! How a call ended.

use crate::error::{Error, UnauthorizedReason};

/// How a call ended, as [`Event::CallEnded`](crate::Event::CallEnded) and the metrics report it. A call that the caller drops has no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// With a response that is neither a 401 nor a 403.
    Ok,
    /// With a 403.
    Forbidden,
    /// With a 401, for this reason.
    Unauthorized(UnauthorizedReason),
    /// Without a response, by any other [`Error`]: there was no credential to send, the scheme could not sign the request, or
    /// the request was not allowed.
    Failed,
    /// Without a response, by an error of the network or of another middleware.
    NoResponse,
}

impl Verdict {
    /// Returns the name of the verdict, for logs and metrics. A 401 has the [name](UnauthorizedReason::as_str) of its reason.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Forbidden => "forbidden",
            Self::Unauthorized(reason) => reason.as_str(),
            Self::Failed => "failed",
            Self::NoResponse => "no_response",
        }
    }

    /// The verdict of a call that ends with this error.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Unauthorized(refusal) => Self::Unauthorized(refusal.reason()),
            Error::Forbidden(_) => Self::Forbidden,
            _ => Self::Failed,
        }
    }
}
