//! The errors in the settings of a middleware.

use std::fmt;

use crate::credential::CredentialError;
use crate::origin::{Origin, OriginError};

/// Why a middleware could not be built. The text names the origin or the place in the credential, and no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError(Cause);

/// The kind of a [`BuildError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BuildErrorKind {
    /// A text is not an origin.
    InvalidOrigin,
    /// An origin is plain `http` and not on this machine. Write `https`, or call
    /// [`Builder::dangerous_allow_plaintext`](crate::Builder::dangerous_allow_plaintext).
    PlaintextOrigin,
    /// The initial credential cannot be put on a request.
    InvalidCredential,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Cause {
    Origin(OriginError),
    Plaintext(Origin),
    Credential(CredentialError),
}

impl BuildError {
    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> BuildErrorKind {
        match self.0 {
            Cause::Origin(_) => BuildErrorKind::InvalidOrigin,
            Cause::Plaintext(_) => BuildErrorKind::PlaintextOrigin,
            Cause::Credential(_) => BuildErrorKind::InvalidCredential,
        }
    }

    /// Whether a text is not an origin.
    #[must_use]
    pub fn is_invalid_origin(&self) -> bool {
        self.kind() == BuildErrorKind::InvalidOrigin
    }

    /// Whether an origin is plain `http` and not on this machine.
    #[must_use]
    pub fn is_plaintext_origin(&self) -> bool {
        self.kind() == BuildErrorKind::PlaintextOrigin
    }

    /// Whether the initial credential cannot be put on a request.
    #[must_use]
    pub fn is_invalid_credential(&self) -> bool {
        self.kind() == BuildErrorKind::InvalidCredential
    }
}

impl From<Cause> for BuildError {
    fn from(cause: Cause) -> Self {
        Self(cause)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Origin(error) => error.fmt(f),
            Cause::Plaintext(origin) => write!(
                f,
                "a credential would be readable on the way to {origin}: write https, or call `dangerous_allow_plaintext()`"
            ),
            Cause::Credential(error) => error.fmt(f),
        }
    }
}

/// The sentence of `Display`, because `main` prints the error that it returns by `Debug`.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BuildError").field(&self.to_string()).finish()
    }
}

impl std::error::Error for BuildError {}
