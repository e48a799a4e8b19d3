//! The proof: a JWT with the method and the URL of a request, and the time (RFC 9449 §4.2).

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;

use super::jws::sign_jws;
use super::key::ProofKey;
use crate::BoxError;
use crate::credential::Secret;
use crate::origin::url_without_secrets;

/// The claims of a proof.
pub(super) struct Claims<'c> {
    pub(super) method: &'c str,
    pub(super) url: &'c Url,
    pub(super) nonce: Option<&'c str>,
    pub(super) token: Option<&'c Secret>,
    pub(super) time: SystemTime,
}

/// Makes a proof.
pub(super) async fn make(key: &dyn ProofKey, claims: &Claims<'_>) -> Result<String, BoxError> {
    let (algorithm, jwk) = (key.algorithm(), key.public_jwk());
    let header = format!("{{\"typ\":\"dpop+jwt\",\"alg\":\"{algorithm}\",\"jwk\":{jwk}}}");
    sign_jws(key, &header, &payload(claims)?).await
}

fn payload(claims: &Claims<'_>) -> Result<String, BoxError> {
    // A random identifier, so that a server can refuse a proof that is used twice.
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    // RFC 9449 §4.2 wants no query and no fragment. Userinfo is a secret.
    let target = url_without_secrets(claims.url);
    let time = claims.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut payload = Map::new();
    let mut put = |name: &str, value: Value| drop(payload.insert(name.to_owned(), value));
    put("jti", URL_SAFE_NO_PAD.encode(random).into());
    put("htm", claims.method.into());
    put("htu", target.as_str().into());
    put("iat", time.into());
    if let Some(token) = claims.token {
        put("ath", URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose())).into());
    }
    if let Some(nonce) = claims.nonce {
        put("nonce", nonce.into());
    }
    Ok(Value::Object(payload).to_string())
}

/// The hash of the public key (RFC 7638 §3).
pub(super) fn thumbprint(key: &dyn ProofKey) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(key.public_jwk()))
}
