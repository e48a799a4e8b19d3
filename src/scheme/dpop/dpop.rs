//! DPoP (RFC 9449), with the feature `dpop`: a token that is bound to a key, and a proof of the key on each request.
//!
//! Each send has a proof of its own, the second one too. A server's nonces are learnt from every response, and
//! `use_dpop_nonce` is answered without asking anybody. reqwest does not take the `DPoP` header off when a redirect leads to another
//! server, and a proof is for one URL: send such a credential with a [`hardened`](crate::hardened) client, which makes one
//! for each hop.
//!
//! An API that wants a nonce, and gave none with its first 401, would take three sends: without a token, without a nonce, with both. There are
//! two, so that the first call of a session fails, and the next goes through: call [`login`](crate::Session::login) first.
//!
//! ```
//! use reqwest_challenge::dpop::{Dpop, Es256Key};
//! use reqwest_challenge::{BoxError, Credential, RefreshContext};
//!
//! # fn refresher() -> Result<(), BoxError> {
//! let dpop = Dpop::new(Es256Key::generate()?);
//! let log_in = move |context: RefreshContext| {
//!     let dpop = dpop.clone();
//!     async move {
//!         let client = context.http_client()?;
//!         let mut request = client.post("https://auth.example.com/token").body("grant_type=…").build()?;
//!         dpop.prove(&mut request, context.now()).await?;
//!         let answer = client.execute(request).await?;
//!         dpop.learn(answer.url(), answer.headers());
//!         let (token, token_type) = ("of the answer", "DPoP");
//!         Ok::<Credential, BoxError>(dpop.credential(token, token_type)?)
//!     }
//! };
//! # let _ = log_in; Ok(()) }
//! ```

use super::key::ProofKey;
use super::proof;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::Request;
use url::Url;

use super::nonces::Nonces;
use crate::BoxError;
use crate::credential::Secret;
use crate::credential::{Authorize, Credential, Observed, ResponseHead};

const PROOF: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// A key, and what the servers that it was shown to want with it. Clones share both.
#[derive(Clone)]
pub struct Dpop(Arc<Inner>);

struct Inner {
    key: Box<dyn ProofKey>,
    nonces: Nonces,
}

/// A token that cannot be used with a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBound(());

impl fmt::Display for NotBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the server gave a token that is not bound to the key: its `token_type` is not `DPoP` (RFC 9449 §5)",
        )
    }
}

impl std::error::Error for NotBound {}

impl Dpop {
    /// Uses that key.
    #[must_use]
    pub fn new(key: impl ProofKey) -> Self {
        Self(Arc::new(Inner { key: Box::new(key), nonces: Nonces::default() }))
    }

    /// A credential of a token that is bound to this key.
    ///
    /// # Errors
    /// [`NotBound`]: a `token_type` other than `DPoP`, in any case. Such a token is nobody's proof, and whoever gets hold of it can
    /// use it.
    pub fn credential(&self, token: impl Into<Secret>, token_type: &str) -> Result<Credential, NotBound> {
        if !token_type.eq_ignore_ascii_case("DPoP") {
            return Err(NotBound(()));
        }
        Ok(Credential::custom(Bound { dpop: self.clone(), token: token.into() }))
    }

    /// The credential whose token a store kept, for this same key: for a store's `restored_by`.
    #[must_use]
    pub fn restored(&self, token: Secret) -> Credential {
        Credential::custom(Bound { dpop: self.clone(), token })
    }

    /// Puts a proof without a token on a request to a token endpoint. A proof says when it was made; pass
    /// [`RefreshContext::now`](crate::RefreshContext::now).
    ///
    /// # Errors
    /// Returns the error of the key if it cannot sign.
    pub async fn prove(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError> {
        self.put(request, None, now).await
    }

    /// Learns the nonce of a response, such as a token endpoint's; a credential learns its own.
    pub fn learn(&self, url: &Url, headers: &HeaderMap) {
        if let Some(nonce) = headers.get(NONCE).and_then(|nonce| nonce.to_str().ok()) {
            self.0.nonces.learn(url, nonce);
        }
    }

    /// The thumbprint of the key (RFC 7638), which an authorization request names as `dpop_jkt`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        proof::thumbprint(self.0.key.as_ref())
    }

    async fn put(&self, request: &mut Request, token: Option<&Secret>, now: SystemTime) -> Result<(), BoxError> {
        let nonce = self.0.nonces.of(request.url());
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
        request.headers_mut().insert(PROOF, value);
        Ok(())
    }
}

impl fmt::Debug for Dpop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dpop").field("algorithm", &self.0.key.algorithm()).finish_non_exhaustive()
    }
}

/// A token with the key that it is bound to.
struct Bound {
    dpop: Dpop,
    token: Secret,
}

#[async_trait]
impl Authorize for Bound {
    fn scheme(&self) -> &str {
        "DPoP"
    }

    async fn authorize(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError> {
        let text = zeroize::Zeroizing::new(format!("DPoP {}", self.token.expose()));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| "the token cannot stand in a header: it has a control character in it")?;
        value.set_sensitive(true);
        self.dpop.put(request, Some(&self.token), now).await?;
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    fn export(&self) -> Option<Secret> {
        Some(self.token.clone())
    }

    fn learn(&self, head: &ResponseHead<'_>) {
        self.dpop.learn(head.url(), head.headers());
        self.keep(head);
    }

    fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        self.dpop.learn(head.url(), head.headers());
        let wants = |challenge: crate::challenge::Challenge<'_>| {
            challenge.is("DPoP") && challenge.param("error").is_some_and(|error| error == "use_dpop_nonce")
        };
        let wants_nonce = head.headers().contains_key(NONCE) && head.challenges().iter().any(wants);
        if !wants_nonce {
            return Ok(Observed::Nothing);
        }
        self.keep(head);
        Ok(Observed::Retry)
    }
}

impl Bound {
    /// Stores the nonce of a 401 for the second send.
    fn keep(&self, head: &ResponseHead<'_>) {
        if let Some(nonce) = head.headers().get(NONCE).and_then(|nonce| nonce.to_str().ok()) {
            self.dpop.0.nonces.keep(head.url(), nonce);
        }
    }
}
