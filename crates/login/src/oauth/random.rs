//! Random text, and hashes of text.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use reqwest_challenge::RefreshError;

/// 32 random octets in base64url, for a `state`, a code verifier (RFC 7636 §4.1) or a `jti`.
pub(super) fn random() -> Result<String, RefreshError> {
    let mut octets = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *octets).map_err(|error| RefreshError::other(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(*octets))
}

/// The SHA-256 of the text in base64url, as in a code challenge (RFC 7636 §4.2).
pub(super) fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}
