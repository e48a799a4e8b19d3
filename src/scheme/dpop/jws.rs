//! Signs a JSON Web Signature.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::key::ProofKey;
use crate::BoxError;

/// Signs a JWS in its compact form (RFC 7515 §7.1): the header and the claims, each encoded in base64url, and the signature.
///
/// `header` and `claims` are JSON objects. The `alg` of the header must be the key's
/// [`algorithm`](ProofKey::algorithm).
///
/// ```
/// use reqwest_challenge::dpop::{Es256Key, sign_jws};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), reqwest_challenge::BoxError> {
/// let key = Es256Key::generate()?;
/// let assertion = sign_jws(&key, r#"{"alg":"ES256","typ":"JWT"}"#, r#"{"iss":"client"}"#).await?;
/// assert_eq!(assertion.split('.').count(), 3);
/// # Ok(()) }
/// ```
///
/// # Errors
/// Returns the error of the key if it cannot sign.
pub async fn sign_jws(key: &dyn ProofKey, header: &str, claims: &str) -> Result<String, BoxError> {
    let mut jws = URL_SAFE_NO_PAD.encode(header);
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut jws);
    let signature = key.sign(jws.as_bytes()).await?;
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut jws);
    Ok(jws)
}
