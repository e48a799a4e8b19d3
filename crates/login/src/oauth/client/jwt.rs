//! A signed JWT (RFC 7519), used as an assertion (RFC 7521 §5).

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::oauth::random::random;
use reqwest_challenge::dpop::{ProofKey, sign_jws};
use reqwest_challenge::{RefreshError, Secret};

/// How long an assertion is valid, in seconds: long enough for a clock that is slightly wrong, and short in case it is
/// stolen.
const LIFETIME: u64 = 120;

/// Signs assertions.
#[derive(Clone)]
pub(in crate::oauth) struct Signer {
    pub(in crate::oauth) key: Arc<dyn ProofKey>,
    pub(in crate::oauth) key_id: Option<String>,
}

/// The claims of an assertion (RFC 7523 §3).
pub(in crate::oauth) struct Assertion<'c> {
    pub(in crate::oauth) issuer: &'c str,
    pub(in crate::oauth) subject: &'c str,
    pub(in crate::oauth) audience: &'c str,
    /// Further claims. They do not replace the claims of RFC 7523.
    pub(in crate::oauth) claims: &'c [(String, String)],
    pub(in crate::oauth) now: SystemTime,
}

impl Signer {
    /// Signs an assertion for its audience. No two assertions have the same `jti`.
    pub(in crate::oauth) async fn sign(&self, assertion: &Assertion<'_>) -> Result<Secret, RefreshError> {
        let now = assertion.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.key.algorithm().into());
        header.insert("typ".to_owned(), "JWT".into());
        if let Some(id) = &self.key_id {
            header.insert("kid".to_owned(), id.as_str().into());
        }
        let mut payload = Map::new();
        for (name, value) in assertion.claims {
            payload.insert(name.clone(), value.as_str().into());
        }
        let required = [("iss", assertion.issuer), ("sub", assertion.subject), ("aud", assertion.audience)];
        for (name, value) in required.into_iter().chain([("jti", random()?.as_str())]) {
            payload.insert(name.to_owned(), value.into());
        }
        payload.insert("iat".to_owned(), now.into());
        payload.insert("exp".to_owned(), now.saturating_add(LIFETIME).into());
        let [header, payload] = [header, payload].map(|part| Value::Object(part).to_string());
        let text = sign_jws(self.key.as_ref(), &header, &payload).await.map_err(RefreshError::from)?;
        Ok(Secret::new(text))
    }
}
