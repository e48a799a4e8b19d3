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
//! use reqwest_challenge::{BoxError, Credential, Rejection};
//!
//! # fn refresher() -> Result<(), BoxError> {
//! let dpop = Dpop::new(Es256Key::generate()?);
//! let log_in = move |rejection: Rejection| {
//!     let dpop = dpop.clone();
//!     async move {
//!         let client = rejection.http()?;
//!         let mut request = client.post("https://auth.example.com/token").body("grant_type=…").build()?;
//!         dpop.prove(&mut request).await?;
//!         let answer = client.execute(request).await?;
//!         dpop.learn(answer.url(), answer.headers());
//!         let (token, token_type) = ("of the answer", "DPoP");
//!         Ok::<Credential, BoxError>(dpop.credential(token, token_type)?)
//!     }
//! };
//! # let _ = log_in; Ok(()) }
//! ```

mod key;
mod nonces;
mod proof;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::Request;
use url::Url;

pub use key::{Es256Key, ProofKey};

use crate::BoxError;
use crate::credential::{Authorize, Credential, Observed, ResponseHead};
use crate::refresh::Clock;
use crate::secret::Secret;
use nonces::Nonces;

const PROOF: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// A key, and what the servers that it was shown to want with it. Clones share both.
#[derive(Clone)]
pub struct Dpop(Arc<Inner>);

struct Inner {
    key: Box<dyn ProofKey>,
    nonces: Nonces,
    clock: Box<dyn Clock>,
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
    /// With that key, by the system's clock.
    #[must_use]
    pub fn new(key: impl ProofKey) -> Self {
        Self::by_clock(key, SystemTime::now)
    }

    /// With that key, by that clock: a proof says when it was made, and servers want that to be now.
    #[must_use]
    pub fn by_clock(key: impl ProofKey, clock: impl Clock) -> Self {
        Self(Arc::new(Inner { key: Box::new(key), nonces: Nonces::default(), clock: Box::new(clock) }))
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

    /// Puts a proof without a token on a request: for a token endpoint.
    ///
    /// # Errors
    /// Whatever keeps the key from signing.
    pub async fn prove(&self, request: &mut Request) -> Result<(), BoxError> {
        self.put(request, None).await
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

    async fn put(&self, request: &mut Request, token: Option<&Secret>) -> Result<(), BoxError> {
        let nonce = self.0.nonces.of(request.url());
        let claims = proof::Claims {
            method: request.method().as_str(),
            url: request.url(),
            nonce: nonce.as_deref(),
            token,
            time: self.0.clock.now(),
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

    async fn authorize(&self, request: &mut Request) -> Result<(), BoxError> {
        let text = zeroize::Zeroizing::new(format!("DPoP {}", self.token.expose()));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| "the token cannot stand in a header: it has a control character in it")?;
        value.set_sensitive(true);
        self.dpop.put(request, Some(&self.token)).await?;
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
        Ok(Observed::Resign)
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
