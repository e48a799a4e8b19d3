//! A token in exchange for another (RFC 8693).

use std::fmt;

use async_trait::async_trait;

use super::Obtain;
use crate::oauth::grant_context::{GrantContext, Granted};
use reqwest_challenge::BoxError;
use reqwest_challenge::RefreshError;
use reqwest_challenge::Secret;

type Supply = Box<dyn Fn() -> Result<Secret, BoxError> + Send + Sync>;

/// A token in exchange for another (RFC 8693): that of a workload, or of the user on whose behalf a service asks.
pub struct TokenExchange {
    subject: (Supply, String),
    actor: Option<(Supply, String)>,
    requested: Option<String>,
    audiences: Vec<String>,
}

impl TokenExchange {
    /// In exchange for the token that is read each time, such as a file's content, of that type (RFC 8693 §3):
    /// `urn:ietf:params:oauth:token-type:jwt`.
    #[must_use]
    pub fn new(
        subject: impl Fn() -> Result<Secret, BoxError> + Send + Sync + 'static,
        token_type: impl Into<String>,
    ) -> Self {
        let subject = (Box::new(subject) as Supply, token_type.into());
        Self { subject, actor: None, requested: None, audiences: Vec::new() }
    }

    /// On whose part it is asked for.
    #[must_use]
    pub fn actor(
        mut self,
        actor: impl Fn() -> Result<Secret, BoxError> + Send + Sync + 'static,
        token_type: impl Into<String>,
    ) -> Self {
        self.actor = Some((Box::new(actor), token_type.into()));
        self
    }

    /// The type of the token that is wanted. Not said, the server chooses.
    #[must_use]
    pub fn requesting(mut self, token_type: impl Into<String>) -> Self {
        self.requested = Some(token_type.into());
        self
    }

    /// One more service by name that the token is for.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }
}

impl fmt::Debug for TokenExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExchange").field("subject_token_type", &self.subject.1).finish_non_exhaustive()
    }
}

#[async_trait]
impl Obtain for TokenExchange {
    fn name(&self) -> &'static str {
        "urn:ietf:params:oauth:grant-type:token-exchange"
    }

    async fn obtain(&self, grant: &GrantContext<'_>) -> Result<Granted, RefreshError> {
        let identity = grant.identity(self.name(), None).await?;
        let mut form = grant.form(self.name());
        form.add_secret("subject_token", self.subject.0().map_err(RefreshError::from)?);
        form.add("subject_token_type", self.subject.1.as_str());
        if let Some((actor, token_type)) = &self.actor {
            form.add_secret("actor_token", actor().map_err(RefreshError::from)?);
            form.add("actor_token_type", token_type.as_str());
        }
        if let Some(requested) = &self.requested {
            form.add("requested_token_type", requested.as_str());
        }
        for audience in &self.audiences {
            form.add("audience", audience.as_str());
        }
        let answer = grant.token(&identity, form).await?;
        Ok(Granted { answer, identity })
    }

    fn has_secret(&self) -> bool {
        true
    }
}
