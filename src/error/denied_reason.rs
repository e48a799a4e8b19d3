//! Why a server refused to issue a credential.

/// Why a server refused to issue a credential, in [`RefreshErrorKind::Denied`](crate::RefreshErrorKind::Denied).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeniedReason {
    /// The user or the authorization server denied the request: `access_denied`.
    AccessDenied,
    /// The login was not completed in time, or its code was used already: `expired_token`, `invalid_grant`.
    LoginExpired,
    /// The user must act at the server: `login_required`, `interaction_required`, `consent_required`,
    /// `account_selection_required` (OpenID Connect Core §3.1.2.6).
    InteractionRequired,
    /// The server does not know or does not trust the client: `invalid_client`, `unauthorized_client`.
    Client,
    /// The server does not accept the request: `invalid_request`, `invalid_scope`, `invalid_target`,
    /// `unsupported_grant_type` and others.
    Request,
    /// The server could not answer, and another attempt may succeed: `temporarily_unavailable`, `server_error`.
    ServerUnavailable,
    /// Any other code.
    Other,
}

impl DeniedReason {
    /// Returns the reason for an error code (RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5, RFC 8707 §2, OpenID Connect Core §3.1.2.6).
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        match code {
            "access_denied" => Self::AccessDenied,
            "expired_token" | "login_timed_out" | "invalid_grant" => Self::LoginExpired,
            "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
                Self::InteractionRequired
            }
            "invalid_client" | "unauthorized_client" => Self::Client,
            "invalid_request"
            | "invalid_scope"
            | "invalid_target"
            | "unsupported_grant_type"
            | "unsupported_response_type"
            | "invalid_authorization_details" => Self::Request,
            "temporarily_unavailable" | "server_error" => Self::ServerUnavailable,
            _ => Self::Other,
        }
    }
}
