//! An assertion in place of a login (RFC 7523 §2.1).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::grant::Grant;
use super::grant_context::GrantContext;
use super::issued_token::IssuedToken;
use crate::oauth::client::jwt::{Assertion, Signer};
use reqwest_challenge::RefreshError;
use reqwest_challenge::dpop::ProofKey;

/// A token for a signed assertion about a subject (RFC 7523 §2.1), as for a service account. Each request has a new
/// assertion, for the issuer only.
///
/// ```
/// use reqwest_challenge::dpop::Es256Key;
/// use reqwest_challenge_login::oauth::{Client, Issuer, JwtBearer, OAuth};
///
/// let key = Es256Key::generate()?;
/// let account = JwtBearer::new("robot@example.com", "robot@example.com", key).key_id("key-1");
/// let issuer = Issuer::new("https://auth.example.com")?;
/// let service = OAuth::new(issuer, Client::public("robot"), account)?;
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Clone)]
pub struct JwtBearer {
    signer: Signer,
    issuer: String,
    subject: String,
    claims: Vec<(String, String)>,
}

impl JwtBearer {
    /// An assertion about `subject`, signed with this key by `issuer`. This issuer is the signer of the assertion, not the
    /// authorization server.
    #[must_use]
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>, key: impl ProofKey) -> Self {
        let signer = Signer { key: Arc::new(key), key_id: None };
        Self { signer, issuer: issuer.into(), subject: subject.into(), claims: Vec::new() }
    }

    /// Sets the identifier by which the server knows the key.
    #[must_use]
    pub fn key_id(mut self, id: impl Into<String>) -> Self {
        self.signer.key_id = Some(id.into());
        self
    }

    /// Adds a text claim. It does not replace a claim of RFC 7523 §3.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.claims.push((name.into(), value.into()));
        self
    }
}

impl fmt::Debug for JwtBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBearer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[async_trait]
impl Grant for JwtBearer {
    fn grant_type(&self) -> &str {
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        let assertion = Assertion {
            issuer: &self.issuer,
            subject: &self.subject,
            audience: context.issuer(),
            claims: &self.claims,
            now: context.server_now(),
        };
        let assertion = self.signer.sign(&assertion).await?;
        context.token_request(self.grant_type()).secret_parameter("assertion", assertion).send().await
    }
}
