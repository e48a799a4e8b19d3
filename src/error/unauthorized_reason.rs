//! Why a call ended with a 401.

/// Why a 401 stayed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnauthorizedReason {
    /// The refresher has no credential for these challenges, or the client answers none of their schemes.
    Declined,
    /// The server refused the new credential too, or there is no other credential than the refused one.
    StillRejected,
    /// The request's body cannot be sent twice. The next call uses the new credential.
    NotReplayable,
    /// A request with an unsafe method was redirected before it was refused. Sending it again could have its effect twice.
    Redirected,
    /// Another origin than the request's refused it, after a redirect. A response without a URL counts as another origin's:
    /// a middleware that makes a response must set its URL with `reqwest::ResponseBuilderExt::url`, and a mock can mark it
    /// with [`MockResponse`](crate::MockResponse).
    ForeignOrigin,
    /// A login ended after this request was signed.
    SessionChanged,
    /// A logout happened after this request was signed.
    LoggedOut,
    /// The caller set the credential, so the middleware did not replace it.
    CallerCredential,
    /// The caller forbade sending this request twice, by `CallOptions::no_retry` or `Builder::safe_methods_only`.
    NoRetry,
    /// The refresh failed.
    RefreshFailed,
    /// The server refused several new credentials in a row and accepted none of them. For a while no refresh starts.
    BudgetExhausted,
}
