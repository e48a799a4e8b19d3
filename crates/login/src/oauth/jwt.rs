//! A signed JWT (RFC 7519), as an assertion (RFC 7521 §5).

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::random;
use reqwest_challenge::RefreshError;
use reqwest_challenge::Secret;
use reqwest_challenge::dpop::{ProofKey, sign_jws};

/// How long an assertion is good for: long enough for a clock that is a little off, and short for whoever finds one.
const LIFETIME: u64 = 120;

/// Who signs an assertion.
#[derive(Clone)]
pub(super) struct Signer {
    pub(super) key: Arc<dyn ProofKey>,
    pub(super) key_id: Option<String>,
}

/// What an assertion says (RFC 7523 §3).
pub(super) struct Claims<'c> {
    pub(super) issuer: &'c str,
    pub(super) subject: &'c str,
    pub(super) audience: &'c str,
    pub(super) more: &'c [(String, String)],
    pub(super) now: SystemTime,
}

impl Signer {
    /// Signs an assertion for that audience alone; no two have the same `jti`.
    pub(super) async fn sign(&self, claims: &Claims<'_>) -> Result<Secret, RefreshError> {
        let now = claims.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.key.algorithm().into());
        header.insert("typ".to_owned(), "JWT".into());
        if let Some(id) = &self.key_id {
            header.insert("kid".to_owned(), id.as_str().into());
        }
        let mut payload = Map::new();
        for (name, value) in claims.more {
            payload.insert(name.clone(), value.as_str().into());
        }
        let plain = [("iss", claims.issuer), ("sub", claims.subject), ("aud", claims.audience)];
        for (name, value) in plain.into_iter().chain([("jti", random()?.as_str())]) {
            payload.insert(name.to_owned(), value.into());
        }
        payload.insert("iat".to_owned(), now.into());
        payload.insert("exp".to_owned(), now.saturating_add(LIFETIME).into());
        let [header, payload] = [header, payload].map(|part| Value::Object(part).to_string());
        let text = sign_jws(self.key.as_ref(), &header, &payload).await.map_err(RefreshError::from)?;
        Ok(Secret::new(text))
    }
}
