//! The kinds of failed refreshes.

use std::time::Duration;

use super::denied_reason::DeniedReason;

/// The kind of a [`RefreshError`](crate::RefreshError). It decides what happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshErrorKind {
    /// The user must act. The hint says how, for example with a command to run. A store deletes nothing.
    LoginRequired {
        /// What the user must do.
        hint: String,
    },
    /// The credential is no longer valid, for example by `invalid_grant` (RFC 6749 §5.2). Only this kind makes a store delete
    /// the credential.
    CredentialRevoked {
        /// The error code.
        code: String,
    },
    /// The server refused to issue a credential, and the refusal is final. The held credential may still be valid, so a store
    /// deletes nothing.
    Denied {
        /// What the code means.
        reason: DeniedReason,
        /// The error code.
        code: String,
    },
    /// A temporary failure: the network, 408, 429, 5xx. Nothing is deleted.
    Transient {
        /// How long the server asks the client to wait.
        retry_after: Option<Duration>,
    },
    /// The refresh took longer than [`Refresh::timeout`](crate::Refresh::timeout).
    TimedOut,
    /// The refresher waits for itself: it sent a request through a client that needs this refresh. Use
    /// [`RefreshContext::http_client`](crate::RefreshContext::http_client) in a refresher.
    Recursive,
    /// The refresher panicked.
    Panicked,
    /// There is no tokio runtime, or the runtime of the refresh was shut down.
    Gone,
    /// Any other failure. The [`source`](std::error::Error::source) describes it.
    Other,
}

impl RefreshErrorKind {
    /// Returns the name of the kind, for logs and metrics. It contains nothing that a server sent.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::LoginRequired { .. } => "login_required",
            Self::CredentialRevoked { .. } => "credential_revoked",
            Self::Denied { .. } => "denied",
            Self::Transient { .. } => "transient",
            Self::TimedOut => "timed_out",
            Self::Recursive => "recursive",
            Self::Panicked => "panicked",
            Self::Gone => "gone",
            Self::Other => "other",
        }
    }
}
