//! The kinds of failed refreshes.

use std::time::Duration;

use super::denied::DeniedReason;

/// The kind of a [`RefreshError`]. It decides what happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshErrorKind {
    /// The user must act. The hint says how, for example with a command to run. A store deletes nothing.
    LoginRequired {
        /// What the user must do.
        hint: String,
    },
    /// The credential is no longer valid, for example `invalid_grant` (RFC 6749 §5.2). Only this kind makes a store delete
    /// the credential.
    CredentialRevoked {
        /// The error code.
        code: String,
    },
    /// The server refused to issue a credential, and the refusal is final. It says nothing about the held credential, so a
    /// store deletes nothing.
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
    /// The refresh took too long.
    TimedOut,
    /// The refresher waited for itself: it sent a request through a client that needs this refresh.
    Recursive,
    /// The refresher panicked.
    Panicked,
    /// The runtime of the refresh was shut down, or there is none.
    Gone,
    /// Any other failure. The source describes it.
    Other,
}
