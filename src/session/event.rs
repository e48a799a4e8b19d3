//! What an audit hears of: no secret, and URLs without userinfo and query.

use std::time::Duration;

use http::Method;
use reqwest::Url;

use crate::challenge::DefectKind;
use crate::refresh::RefreshReason;

/// Something that happened, for an audit: what [`Builder::on_event`](crate::Builder::on_event) hears of, and what the `tracing`
/// feature writes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The lint found something in an answer, for the first time at its origin.
    #[cfg(feature = "lint")]
    #[non_exhaustive]
    Found {
        /// The identifier of the rule.
        rule: &'static str,
        /// How bad it is.
        severity: crate::lint::Severity,
        /// The request's URL, without userinfo and query.
        url: Url,
    },
    /// A server of ours answered 401.
    #[non_exhaustive]
    Challenged {
        /// The request's method.
        method: Method,
        /// The request's URL, without userinfo and query.
        url: Url,
        /// The schemes of the challenges, in order; `_` for one that is not in use anywhere.
        schemes: Vec<&'static str>,
        /// What the challenges break: the rule, and the line and byte of the place.
        defects: Vec<(DefectKind, usize, usize)>,
    },
    /// A request went to an origin that the middleware was not given, and passed through: no credential, no refresh, no
    /// typed error. `https://www.example.com` and `https://example.com` are two origins.
    #[non_exhaustive]
    PassedThrough {
        /// The request's method.
        method: Method,
        /// The request's URL, without userinfo and query.
        url: Url,
    },
    /// A refresh ended.
    #[non_exhaustive]
    Refreshed {
        /// Why it began.
        cause: RefreshReason,
        /// How it ended.
        outcome: RefreshOutcome,
        /// How long it took.
        took: Duration,
        /// How many waited for it at its end.
        waiters: usize,
        /// The number of the credential that is held after it.
        generation: u64,
    },
    /// A server of ours answered 403.
    #[non_exhaustive]
    Forbidden {
        /// The request's method.
        method: Method,
        /// The request's URL, without userinfo and query.
        url: Url,
        /// The scopes that the challenges name, without the credentials that were sent.
        scopes: Vec<String>,
        /// Whether a credential of ours was on the request.
        authenticated: bool,
    },
}

/// How a refresh ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefreshOutcome {
    /// There is a new credential.
    Renewed,
    /// The refresher had nothing to give.
    Declined,
    /// The refresher failed.
    Failed,
    /// Its result came after a login or a logout, and was thrown away.
    Discarded,
}

impl RefreshOutcome {
    /// Its name, for logs.
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
