//! Secrets as header values: checked, marked as sensitive, wiped.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::HeaderValue;
use zeroize::Zeroizing;

/// Text that cannot be put on a request. It names the place and never shows the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialError {
    what: &'static str,
    byte: Option<usize>,
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        self.byte.map_or(Ok(()), |byte| write!(f, " (byte {byte})"))
    }
}

impl std::error::Error for CredentialError {}

/// `credentials = "Bearer" 1*SP b64token`. Any visible ASCII is let through: servers hand out tokens that are no b64token.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, CredentialError> {
    if token.is_empty() {
        return Err(CredentialError { what: "the token is empty", byte: None });
    }
    first(
        token,
        |octet| !octet.is_ascii_graphic(),
        "the token has a blank, a control character or a non-ASCII character",
    )?;
    value(Zeroizing::new([b"Bearer ", token.as_bytes()].concat()))
}

/// `user-pass = user-id ":" password`, of which neither has a control character and the first no colon.
pub(super) fn basic(user: &str, password: &str) -> Result<HeaderValue, CredentialError> {
    first(user, |octet| octet == b':', "the user name has a colon, which would end it")?;
    first(user, |octet| octet.is_ascii_control(), "the user name has a control character")?;
    first(password, |octet| octet.is_ascii_control(), "the password has a control character")?;
    let pair = Zeroizing::new([user.as_bytes(), b":", password.as_bytes()].concat());
    let encoded = Zeroizing::new(STANDARD.encode(&pair));
    value(Zeroizing::new([b"Basic ", encoded.as_bytes()].concat()))
}

/// A header's whole value.
pub(super) fn plain(text: &str) -> Result<HeaderValue, CredentialError> {
    first(text, |octet| !matches!(octet, b' '..=b'~'), "the value has a control character or a non-ASCII character")?;
    value(Zeroizing::new(text.as_bytes().to_vec()))
}

fn first(text: &str, odd: impl Fn(u8) -> bool, what: &'static str) -> Result<(), CredentialError> {
    let byte = text.bytes().position(odd);
    byte.map_or(Ok(()), |byte| Err(CredentialError { what, byte: Some(byte) }))
}

/// The one place where a secret becomes a header: the value owns octets that are wiped, and says that it is sensitive.
fn value(octets: Zeroizing<Vec<u8>>) -> Result<HeaderValue, CredentialError> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(octets))
        .map_err(|_| CredentialError { what: "the text cannot stand in a header", byte: None })?;
    value.set_sensitive(true);
    Ok(value)
}
