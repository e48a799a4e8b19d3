//! Errors of texts that cannot be put on a request.

use std::fmt;

/// A text cannot be put on a request. `Display` names the wrong character by its place. Neither `Display` nor `Debug`
/// shows the text.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialError {
    kind: CredentialErrorKind,
    byte: Option<usize>,
    /// Whether the token begins with its scheme.
    has_scheme: bool,
}

/// Why a text cannot be put on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialErrorKind {
    /// The token is empty.
    EmptyToken,
    /// The token has a blank, a control character or a non-ASCII character.
    TokenCharacter,
    /// The user name has a colon. `Basic` ends the user name at the first colon.
    UserNameColon,
    /// The user name has a control character.
    UserNameCharacter,
    /// The password has a control character.
    PasswordCharacter,
    /// The value of a header has a control character or a non-ASCII character.
    HeaderCharacter,
}

impl CredentialError {
    pub(super) fn new(kind: CredentialErrorKind, byte: Option<usize>) -> Self {
        Self { kind, byte, has_scheme: false }
    }

    /// The same error, for a token that begins with `Bearer `.
    pub(super) fn with_scheme(self) -> Self {
        Self { has_scheme: true, ..self }
    }

    /// What is wrong with the text.
    #[must_use]
    pub fn kind(&self) -> CredentialErrorKind {
        self.kind
    }

    /// The byte of the first wrong character, counted from 0. `None` if the text is empty.
    #[must_use]
    pub fn byte(&self) -> Option<usize> {
        self.byte
    }

    /// Whether a bearer token is wrong.
    #[must_use]
    pub fn is_token(&self) -> bool {
        matches!(self.kind, CredentialErrorKind::EmptyToken | CredentialErrorKind::TokenCharacter)
    }

    /// Whether a user name is wrong.
    #[must_use]
    pub fn is_user_name(&self) -> bool {
        matches!(self.kind, CredentialErrorKind::UserNameColon | CredentialErrorKind::UserNameCharacter)
    }

    /// Whether a password is wrong.
    #[must_use]
    pub fn is_password(&self) -> bool {
        self.kind == CredentialErrorKind::PasswordCharacter
    }

    /// Whether the value of a header is wrong.
    #[must_use]
    pub fn is_header(&self) -> bool {
        self.kind == CredentialErrorKind::HeaderCharacter
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            CredentialErrorKind::EmptyToken => "the token is empty",
            CredentialErrorKind::TokenCharacter => {
                "the token has a blank, a control character or a non-ASCII character"
            }
            CredentialErrorKind::UserNameColon => {
                "the user name has a colon, but `Basic` ends a user name at its first colon"
            }
            CredentialErrorKind::UserNameCharacter => "the user name has a control character",
            CredentialErrorKind::PasswordCharacter => "the password has a control character",
            CredentialErrorKind::HeaderCharacter => "the value has a control character or a non-ASCII character",
        })?;
        if let Some(byte) = self.byte {
            write!(f, " (byte {byte})")?;
        }
        if self.has_scheme { f.write_str(": do not write `Bearer ` in front of the token") } else { Ok(()) }
    }
}

/// The sentence of `Display`, because `main` prints the error that it returns by `Debug`.
impl fmt::Debug for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CredentialError").field(&self.to_string()).finish()
    }
}

impl std::error::Error for CredentialError {}
