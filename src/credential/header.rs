//! Secrets as header values: checked, marked as sensitive, wiped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::HeaderValue;
use zeroize::Zeroizing;

use super::error::{CredentialError, CredentialErrorKind};

/// `credentials = "Bearer" 1*SP b64token`. Deviation: every visible ASCII character is accepted, because servers issue
/// tokens that are not a b64token.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, CredentialError> {
    if token.is_empty() {
        return Err(CredentialError::new(CredentialErrorKind::EmptyToken, None));
    }
    let has_scheme = token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("Bearer "));
    check(token, CredentialErrorKind::TokenCharacter, |octet| octet.is_ascii_graphic())
        .map_err(|error| if has_scheme { error.with_scheme() } else { error })?;
    value(Zeroizing::new([b"Bearer ", token.as_bytes()].concat()), CredentialErrorKind::TokenCharacter)
}

/// `user-pass = user-id ":" password`. Neither part has a control character, and the first part has no colon.
pub(super) fn basic(user: &str, password: &str) -> Result<HeaderValue, CredentialError> {
    check(user, CredentialErrorKind::UserNameColon, |octet| octet != b':')?;
    check(user, CredentialErrorKind::UserNameCharacter, |octet| !octet.is_ascii_control())?;
    check(password, CredentialErrorKind::PasswordCharacter, |octet| !octet.is_ascii_control())?;
    let pair = Zeroizing::new([user.as_bytes(), b":", password.as_bytes()].concat());
    let encoded = Zeroizing::new(STANDARD.encode(&pair));
    value(Zeroizing::new([b"Basic ", encoded.as_bytes()].concat()), CredentialErrorKind::HeaderCharacter)
}

/// The whole value of a header.
pub(super) fn plain(text: &str) -> Result<HeaderValue, CredentialError> {
    check(text, CredentialErrorKind::HeaderCharacter, |octet| matches!(octet, b' '..=b'~'))?;
    value(Zeroizing::new(text.as_bytes().to_vec()), CredentialErrorKind::HeaderCharacter)
}

/// Fails at the first octet that is not allowed.
fn check(text: &str, kind: CredentialErrorKind, is_allowed: impl Fn(u8) -> bool) -> Result<(), CredentialError> {
    let byte = text.bytes().position(|octet| !is_allowed(octet));
    byte.map_or(Ok(()), |byte| Err(CredentialError::new(kind, Some(byte))))
}

/// Makes a header value of a secret. All plain credentials use this function: the value owns octets that are wiped when
/// it is dropped, and it is marked as sensitive. The callers have checked the octets, so the conversion does not fail.
fn value(octets: Zeroizing<Vec<u8>>, kind: CredentialErrorKind) -> Result<HeaderValue, CredentialError> {
    let mut value =
        HeaderValue::from_maybe_shared(Bytes::from_owner(octets)).map_err(|_| CredentialError::new(kind, None))?;
    value.set_sensitive(true);
    Ok(value)
}
