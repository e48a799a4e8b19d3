//! The error of a set-up that cannot work.

use std::fmt;

/// A set-up that cannot work, or that would send a secret to a server which the caller did not name.
///
/// ```
/// use reqwest_challenge_login::oauth::{Issuer, SetupErrorKind};
///
/// let error = Issuer::new("http://auth.example.com").unwrap_err();
/// assert_eq!(error.kind(), SetupErrorKind::InvalidUrl);
/// assert!(error.is_invalid_url());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError {
    kind: SetupErrorKind,
    text: String,
}

/// The kind of a [`SetupError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SetupErrorKind {
    /// The issuer, an endpoint, a trusted origin or a client metadata document is not a URL that can be used.
    InvalidUrl,
    /// The caller must name the issuer by [`Issuer::new`](super::Issuer::new): the client or the grant has a secret, or an
    /// endpoint is set.
    IssuerRequired,
    /// A client that registers, or that has a metadata document, needs a grant of a user, and an issuer whose token endpoint
    /// is not set.
    ClientNotSupported,
}

impl SetupError {
    pub(super) fn new(kind: SetupErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    pub(super) fn invalid_url(text: impl Into<String>) -> Self {
        Self::new(SetupErrorKind::InvalidUrl, text)
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> SetupErrorKind {
        self.kind
    }

    /// Whether a URL cannot be used.
    #[must_use]
    pub fn is_invalid_url(&self) -> bool {
        self.kind == SetupErrorKind::InvalidUrl
    }

    /// Whether the caller must name the issuer.
    #[must_use]
    pub fn is_issuer_required(&self) -> bool {
        self.kind == SetupErrorKind::IssuerRequired
    }

    /// Whether the client does not fit the grant or the issuer.
    #[must_use]
    pub fn is_client_not_supported(&self) -> bool {
        self.kind == SetupErrorKind::ClientNotSupported
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for SetupError {}
