//! The key with the nonces of its servers, and the credential of a token that is bound to the key.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::Request;
use url::Url;
use zeroize::Zeroizing;

use super::key::ProofKey;
use super::nonces::Nonces;
use super::proof;
use crate::BoxError;
use crate::challenge::Challenge;
use crate::credential::{Authorize, Credential, Observed, ResponseHead, Secret};

/// The field of the proof.
const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The field in which a server sends a nonce.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// A key, and the nonces of the servers that it was used at. Clones share both.
#[derive(Clone)]
pub struct Dpop(Arc<Inner>);

struct Inner {
    key: Box<dyn ProofKey>,
    nonces: Nonces,
}

/// The error for a token that is not bound to the key (RFC 9449 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBound(());

impl fmt::Display for NotBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the server issued a token that is not bound to the key: its `token_type` is not `DPoP` (RFC 9449 §5)",
        )
    }
}

impl std::error::Error for NotBound {}

impl Dpop {
    /// Returns a signer with this key.
    #[must_use]
    pub fn new(key: impl ProofKey) -> Self {
        Self(Arc::new(Inner { key: Box::new(key), nonces: Nonces::default() }))
    }

    /// Returns the credential of a token that is bound to this key.
    ///
    /// # Errors
    /// Returns [`NotBound`] if `token_type` is not `DPoP`; upper and lower case are equal. A token that is not bound can be used
    /// without the key.
    pub fn credential(&self, token: impl Into<Secret>, token_type: &str) -> Result<Credential, NotBound> {
        if !token_type.eq_ignore_ascii_case("DPoP") {
            return Err(NotBound(()));
        }
        Ok(Credential::custom(BoundToken { dpop: self.clone(), token: token.into() }))
    }

    /// Returns the credential of a token from a store, which was bound to this key when it was saved. It is for the
    /// `restored_by` of a store.
    #[must_use]
    pub fn restored(&self, token: Secret) -> Credential {
        Credential::custom(BoundToken { dpop: self.clone(), token })
    }

    /// Puts a proof without a token on a request to a token endpoint. The proof contains the time `now`. Pass
    /// [`RefreshContext::now`](crate::RefreshContext::now).
    ///
    /// # Errors
    /// Returns the error of the key if it cannot sign.
    pub async fn prove(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError> {
        self.put_proof(request, None, now).await
    }

    /// Learns the nonce of a response, such as that of a token endpoint. A credential learns from its own responses without
    /// this call.
    pub fn learn(&self, url: &Url, headers: &HeaderMap) {
        if let Some(nonce) = nonce_in(headers) {
            self.0.nonces.set_last(url, nonce);
        }
    }

    /// Returns the thumbprint of the key (RFC 7638), which an authorization request contains as `dpop_jkt`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        proof::thumbprint(self.0.key.as_ref())
    }

    /// Puts a proof on a request.
    async fn put_proof(&self, request: &mut Request, token: Option<&Secret>, now: SystemTime) -> Result<(), BoxError> {
        let nonce = self.0.nonces.take(request.url());
        let claims = proof::Claims {
            method: request.method().as_str(),
            url: request.url(),
            nonce: nonce.as_deref(),
            token,
            time: now,
        };
        let proof = proof::make(self.0.key.as_ref(), &claims).await?;
        let mut value = HeaderValue::try_from(proof)?;
        value.set_sensitive(true);
        request.headers_mut().insert(DPOP, value);
        Ok(())
    }
}

impl fmt::Debug for Dpop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dpop").field("algorithm", &self.0.key.algorithm()).finish_non_exhaustive()
    }
}

/// The nonce in the header fields of a response.
fn nonce_in(headers: &HeaderMap) -> Option<&str> {
    headers.get(DPOP_NONCE).and_then(|nonce| nonce.to_str().ok())
}

/// A token, and the key that it is bound to.
struct BoundToken {
    dpop: Dpop,
    token: Secret,
}

#[async_trait]
impl Authorize for BoundToken {
    fn scheme(&self) -> &str {
        "DPoP"
    }

    async fn authorize(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError> {
        let text = Zeroizing::new(format!("DPoP {}", self.token.expose()));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| "the token cannot be sent in a header field: it contains a control character")?;
        value.set_sensitive(true);
        self.dpop.put_proof(request, Some(&self.token), now).await?;
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    fn export(&self) -> Option<Secret> {
        Some(self.token.clone())
    }

    fn learn(&self, head: &ResponseHead<'_>) {
        self.dpop.learn(head.url(), head.headers());
        self.keep_nonce(head);
    }

    fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        self.dpop.learn(head.url(), head.headers());
        let names_nonce = |challenge: Challenge<'_>| {
            challenge.is("DPoP") && challenge.param("error").is_some_and(|error| error == "use_dpop_nonce")
        };
        let wants_nonce = head.headers().contains_key(DPOP_NONCE) && head.challenges().iter().any(names_nonce);
        if !wants_nonce {
            return Ok(Observed::Nothing);
        }
        self.keep_nonce(head);
        Ok(Observed::Retry)
    }
}

impl BoundToken {
    /// Stores the nonce of a 401 for the second send.
    fn keep_nonce(&self, head: &ResponseHead<'_>) {
        if let Some(nonce) = nonce_in(head.headers()) {
            self.dpop.0.nonces.add_for_retry(head.url(), nonce);
        }
    }
}
