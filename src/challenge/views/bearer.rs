//! `Bearer` and `DPoP` challenges, which share their error codes.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::challenge::challenge::Challenge;

/// The `error` of a `Bearer` or `DPoP` challenge. `Debug` does not print unknown codes, because a server may repeat a
/// secret there.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `invalid_request`: the request is malformed (RFC 6750 §3.1).
    InvalidRequest,
    /// `invalid_token`: the token is expired, revoked or malformed (RFC 6750 §3.1).
    InvalidToken,
    /// `insufficient_scope`: the token is valid but lacks a scope (RFC 6750 §3.1).
    InsufficientScope,
    /// `insufficient_user_authentication`: the user must log in again, or in a stronger way (RFC 9470 §3).
    InsufficientUserAuthentication,
    /// `insufficient_claims`: the token lacks the claims of the `claims` parameter (continuous access evaluation).
    InsufficientClaims,
    /// `use_dpop_nonce`: the proof lacks the nonce of the `DPoP-Nonce` header (RFC 9449 §9).
    UseDpopNonce,
    /// `invalid_dpop_proof`: the proof is invalid (RFC 9449 §7.1).
    InvalidDpopProof,
    /// Any other code, as the server sent it.
    Other(Box<str>),
}

impl ErrorCode {
    pub(super) fn new(code: &str) -> Self {
        // Codes are case-sensitive: RFC 6749 §5.2 defines them as literal ASCII values.
        match code {
            "invalid_request" => Self::InvalidRequest,
            "invalid_token" => Self::InvalidToken,
            "insufficient_scope" => Self::InsufficientScope,
            "insufficient_user_authentication" => Self::InsufficientUserAuthentication,
            "insufficient_claims" => Self::InsufficientClaims,
            "use_dpop_nonce" => Self::UseDpopNonce,
            "invalid_dpop_proof" => Self::InvalidDpopProof,
            other => Self::Other(other.into()),
        }
    }

    /// The code, as the server sent it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::InsufficientClaims => "insufficient_claims",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::Other(other) => other,
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(_) => f.write_str("Other(_)"),
            known => f.write_str(known.as_str()),
        }
    }
}

/// A `Bearer` challenge (RFC 6750 §3), with the parameters that RFC 9470, RFC 9728 and continuous access evaluation add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BearerChallenge<'a>(pub(super) Challenge<'a>);

impl<'a> BearerChallenge<'a> {
    /// The protection space.
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'a, str>> {
        self.0.realm()
    }

    /// Why the server refused the request. `None` if the request had no token.
    #[must_use]
    pub fn error(&self) -> Option<ErrorCode> {
        self.0.error()
    }

    /// An explanation for developers.
    #[must_use]
    pub fn error_description(&self) -> Option<Cow<'a, str>> {
        self.0.param("error_description")
    }

    /// The URL of a page about the error.
    #[must_use]
    pub fn error_uri(&self) -> Option<Cow<'a, str>> {
        self.0.param("error_uri")
    }

    /// The scopes that the request needs, in their order.
    #[must_use]
    pub fn scopes(&self) -> Vec<Cow<'a, str>> {
        self.0.words("scope")
    }

    /// The URL of the metadata of the protected resource (RFC 9728 §5.1). Check the URL before you send a request to it: the
    /// server that sent the challenge chose it.
    #[must_use]
    pub fn resource_metadata(&self) -> Option<Cow<'a, str>> {
        self.0.param("resource_metadata")
    }

    /// The acceptable authentication context classes, the preferred one first (RFC 9470 §3).
    #[must_use]
    pub fn acr_values(&self) -> Vec<Cow<'a, str>> {
        self.0.words("acr_values")
    }

    /// The longest allowed time since the user logged in, in whole seconds (RFC 9470 §3). `None` also if the value is no
    /// number.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        let seconds = self.0.param("max_age")?;
        // `parse` would accept a leading plus, which the RFC does not.
        let digits = seconds.bytes().all(|octet| octet.is_ascii_digit());
        digits.then(|| seconds.parse().ok().map(Duration::from_secs)).flatten()
    }

    /// The claims that the token must have, as the server sent them. The client sends them unchanged in the token
    /// request.
    #[must_use]
    pub fn claims(&self) -> Option<Cow<'a, str>> {
        self.0.param("claims")
    }

    /// The decoded claims, which are JSON by convention. The value may be standard or URL-safe base64, with or without
    /// padding. `None` if there is no `claims` parameter.
    ///
    /// # Errors
    /// [`ClaimsError`] if the value is base64 of neither alphabet.
    pub fn decoded_claims(&self) -> Option<Result<Vec<u8>, ClaimsError>> {
        self.claims().map(|claims| decode(&claims))
    }
}

fn decode(claims: &str) -> Result<Vec<u8>, ClaimsError> {
    let padding = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let url_safe = claims.contains(['-', '_']);
    let alphabet = if url_safe { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, padding).decode(claims).map_err(|_| ClaimsError(()))
}

/// A `claims` parameter is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimsError(());

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the challenge's claims parameter is not base64")
    }
}

impl std::error::Error for ClaimsError {}

/// A `DPoP` challenge (RFC 9449 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DpopChallenge<'a>(pub(super) Challenge<'a>);

impl<'a> DpopChallenge<'a> {
    /// The protection space.
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'a, str>> {
        self.0.realm()
    }

    /// The signature algorithms that the server accepts, in their order.
    #[must_use]
    pub fn algs(&self) -> Vec<Cow<'a, str>> {
        self.0.words("algs")
    }

    /// Why the server refused the request.
    #[must_use]
    pub fn error(&self) -> Option<ErrorCode> {
        self.0.error()
    }

    /// An explanation for developers.
    #[must_use]
    pub fn error_description(&self) -> Option<Cow<'a, str>> {
        self.0.param("error_description")
    }

    /// The scopes that the request needs, in their order.
    #[must_use]
    pub fn scopes(&self) -> Vec<Cow<'a, str>> {
        self.0.words("scope")
    }

    /// The URL of the metadata of the protected resource (RFC 9728 §5.1). Check the URL before you send a request to it: the
    /// server that sent the challenge chose it.
    #[must_use]
    pub fn resource_metadata(&self) -> Option<Cow<'a, str>> {
        self.0.param("resource_metadata")
    }
}
