//! Why a call ended with a 401.

/// Why a call ended with an [`Unauthorized`](crate::Unauthorized): why no other credential helped against the 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnauthorizedReason {
    /// The refresher has no credential for these challenges, or the middleware answers none of their schemes.
    Declined,
    /// The server refused the new credential too, or there is no credential other than the refused one.
    StillRejected,
    /// The request's body cannot be sent twice. The next call uses the new credential.
    NotReplayable,
    /// A request whose method is not safe (RFC 9110 §9.2.1) was redirected before the 401. If it were sent again, it could have
    /// its effect twice.
    Redirected,
    /// The 401 came from another origin than the request's, after a redirect. A response without a URL counts as another
    /// origin's, so a middleware that makes a response must set its URL with `reqwest::ResponseBuilderExt::url`. A mock can
    /// mark its responses with [`MockResponse`](crate::MockResponse) instead.
    ForeignOrigin,
    /// A login succeeded after this request was signed.
    SessionChanged,
    /// A logout happened after this request was signed.
    LoggedOut,
    /// The caller set the credential, so the middleware did not replace it.
    CallerCredential,
    /// The caller does not allow a second send, by [`CallOptions::no_retry`](crate::CallOptions::no_retry) or
    /// [`Builder::safe_methods_only`](crate::Builder::safe_methods_only).
    NoRetry,
    /// The refresh failed. [`Unauthorized::refresh_error`](crate::Unauthorized::refresh_error) says why.
    RefreshFailed,
    /// The server refused several new credentials in a row. No refresh starts for a while: 30 s, doubled each time up to
    /// 5 minutes.
    BudgetExhausted,
}

impl UnauthorizedReason {
    /// Returns the name of the reason, for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::StillRejected => "still_rejected",
            Self::NotReplayable => "not_replayable",
            Self::Redirected => "redirected",
            Self::ForeignOrigin => "foreign_origin",
            Self::SessionChanged => "session_changed",
            Self::LoggedOut => "logged_out",
            Self::CallerCredential => "caller_credential",
            Self::NoRetry => "no_retry",
            Self::RefreshFailed => "refresh_failed",
            Self::BudgetExhausted => "budget_exhausted",
        }
    }
}
