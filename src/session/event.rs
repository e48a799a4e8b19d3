//! Events for an audit. They contain no secret, and URLs without userinfo, query and fragment.

use std::time::{Duration, SystemTime};

use http::{Method, StatusCode};
use reqwest::Url;

use super::verdict::Verdict;
use crate::challenge::{Defect, DefectKind};
use crate::refresh::RefreshReason;

/// Something that happened, for an audit. [`Builder::on_event`](crate::Builder::on_event) receives events, and the `tracing`
/// feature writes them.
///
/// An event contains no credential. Its URLs have no userinfo, query or fragment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The lint found something in a response, for the first time at its origin.
    #[cfg(feature = "lint")]
    #[non_exhaustive]
    LintFinding {
        /// The identifier of the rule.
        rule: &'static str,
        /// How serious the finding is.
        severity: crate::lint::Severity,
        /// The request's URL.
        url: Url,
    },
    /// A server of the middleware's origins responded with 401, or with a response that counts as one
    /// ([`Builder::unauthenticated_when`](crate::Builder::unauthenticated_when)).
    #[non_exhaustive]
    Challenged {
        /// The request's method.
        method: Method,
        /// The request's URL.
        url: Url,
        /// The status of the response.
        status: StatusCode,
        /// The schemes of the challenges, in order. An unknown scheme is `_`.
        schemes: Vec<&'static str>,
        /// The defects of the challenges.
        defects: Vec<ChallengeDefect>,
    },
    /// A request went to an origin outside the middleware's origins and passed through: without a credential, a refresh or a
    /// typed error. `https://www.example.com` and `https://example.com` are two origins.
    #[non_exhaustive]
    PassedThrough {
        /// The request's method.
        method: Method,
        /// The request's URL.
        url: Url,
    },
    /// A refresh ended.
    #[non_exhaustive]
    Refreshed {
        /// Why the refresher was called.
        reason: RefreshReason,
        /// How the refresh ended.
        outcome: RefreshOutcome,
        /// How long the refresh took.
        took: Duration,
        /// How many callers waited for the refresh when it ended.
        waiters: usize,
        /// The number of the credential that the session holds after the refresh.
        generation: u64,
        /// Whether the session started the refresh ahead of time ([`Builder::renew_ahead`](crate::Builder::renew_ahead)), so
        /// that the call that caused it did not wait.
        background: bool,
        /// The [name](crate::RefreshErrorKind::as_str) of the kind of the failure. `None` unless the refresh failed.
        error_type: Option<&'static str>,
        /// When the new credential expires. `None` if there is no new credential, or if it has no expiry.
        expiry: Option<SystemTime>,
        /// How long the new credential is valid, from now to its expiry.
        lifetime: Option<Duration>,
    },
    /// The server refused several new credentials in a row, so no refresh starts for a while.
    #[non_exhaustive]
    BudgetExhausted {
        /// How long no refresh starts.
        pause: Duration,
        /// Whether the pause is for the whole session. Otherwise it is for one partition, or for the credential outside of
        /// all partitions.
        whole_session: bool,
    },
    /// A store could not save a credential that is used anyway. If the reason is [`Logout`](RefreshReason::Logout) or
    /// [`Discarded`](RefreshReason::Discarded), it could not delete the credential.
    #[non_exhaustive]
    SaveFailed {
        /// Why the refresher was called.
        reason: RefreshReason,
        /// The error of the store, in one line.
        error: String,
    },
    /// A call ended after a refusal, a second send or an error. A call whose first response is neither a 401 nor a 403 has no
    /// such event.
    #[non_exhaustive]
    CallEnded {
        /// The request's method.
        method: Method,
        /// The request's URL.
        url: Url,
        /// How the call ended.
        verdict: Verdict,
        /// The status of the last response. `None` if there was no response.
        status: Option<StatusCode>,
        /// How often the request was sent again: 0 or 1.
        resend_count: u8,
        /// How long the call waited for a new credential.
        waited: Duration,
    },
    /// A server of the middleware's origins responded with 403.
    #[non_exhaustive]
    Forbidden {
        /// The request's method.
        method: Method,
        /// The request's URL.
        url: Url,
        /// The scopes that the challenges name. A credential that the server echoes there is masked.
        scopes: Vec<String>,
        /// Whether the request carried a credential of the middleware.
        authenticated: bool,
    },
}

/// A defect in a server's challenges and its place, as an [`Event`] reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ChallengeDefect {
    /// The kind of the defect.
    pub kind: DefectKind,
    /// The `WWW-Authenticate` line, counted from 0.
    pub line: usize,
    /// The byte in the line, counted from 0.
    pub byte: usize,
}

impl From<Defect<'_>> for ChallengeDefect {
    fn from(defect: Defect<'_>) -> Self {
        Self { kind: defect.kind(), line: defect.line(), byte: defect.byte() }
    }
}

/// How a refresh ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefreshOutcome {
    /// The session holds a new credential.
    Renewed,
    /// The refresher declined, or returned the credential that was refused.
    Declined,
    /// The refresher failed.
    Failed,
    /// The result arrived after a login or a logout, so it was discarded.
    Discarded,
}

impl RefreshOutcome {
    /// Returns the name of the outcome, for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Declined => "declined",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
        }
    }
}
