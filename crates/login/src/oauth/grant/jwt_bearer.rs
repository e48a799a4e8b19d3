//! An assertion in place of a login (RFC 7523 §2.1).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::Obtain;
use crate::oauth::grant_context::{GrantContext, Granted};
use crate::oauth::jwt::{Claims, Signer};
use reqwest_challenge::RefreshError;
use reqwest_challenge::dpop::ProofKey;

/// An assertion that says who somebody is, in place of a login (RFC 7523 §2.1): a service account's. It is made anew each time,
/// for the issuer alone.
pub struct JwtBearer {
    signer: Signer,
    issuer: String,
    subject: String,
    claims: Vec<(String, String)>,
}

impl JwtBearer {
    /// An assertion that `issuer` signs of `subject`.
    #[must_use]
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>, key: impl ProofKey) -> Self {
        let signer = Signer { key: Arc::new(key), key_id: None };
        Self { signer, issuer: issuer.into(), subject: subject.into(), claims: Vec::new() }
    }

    /// The identifier by which the server knows the key.
    #[must_use]
    pub fn key_id(mut self, id: impl Into<String>) -> Self {
        self.signer.key_id = Some(id.into());
        self
    }

    /// One more claim of text. What the RFC asks for cannot be replaced by it.
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
impl Obtain for JwtBearer {
    fn name(&self) -> &'static str {
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    }

    async fn obtain(&self, grant: &GrantContext<'_>) -> Result<Granted, RefreshError> {
        let identity = grant.identity(self.name(), None).await?;
        let claims = Claims {
            issuer: &self.issuer,
            subject: &self.subject,
            audience: &grant.server.issuer,
            more: &self.claims,
            now: grant.clock().now(),
        };
        let mut form = grant.form(self.name());
        form.add_secret("assertion", self.signer.sign(&claims).await?);
        let answer = grant.token(&identity, form).await?;
        Ok(Granted { answer, identity })
    }

    fn has_secret(&self) -> bool {
        true
    }
}
