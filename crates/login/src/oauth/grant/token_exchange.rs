//! A token in exchange for another (RFC 8693).

use std::fmt;

use async_trait::async_trait;

use super::grant::Grant;
use super::grant_context::GrantContext;
use super::issued_token::IssuedToken;
use reqwest_challenge::{BoxError, RefreshError, Secret};

/// A token in exchange for another token (RFC 8693): the token of a workload, or of the user for whom a service acts.
///
/// ```
/// use reqwest_challenge::Secret;
/// use reqwest_challenge_login::oauth::TokenExchange;
///
/// let workload = TokenExchange::new(
///     || Ok(Secret::new(std::fs::read_to_string("/var/run/secrets/tokens/api")?)),
///     "urn:ietf:params:oauth:token-type:jwt",
/// );
/// ```
pub struct TokenExchange {
    subject: GivenToken,
    actor: Option<GivenToken>,
    requested_type: Option<String>,
    audiences: Vec<String>,
}

/// A token that is read for each exchange.
struct GivenToken {
    read: Box<dyn Fn() -> Result<Secret, BoxError> + Send + Sync>,
    token_type: String,
}

impl TokenExchange {
    /// Exchanges the token that the function returns. It is called for each exchange, for example to read a file.
    /// `token_type` is one of RFC 8693 §3, such as `urn:ietf:params:oauth:token-type:jwt`.
    #[must_use]
    pub fn new(
        subject: impl Fn() -> Result<Secret, BoxError> + Send + Sync + 'static,
        token_type: impl Into<String>,
    ) -> Self {
        let subject = GivenToken { read: Box::new(subject), token_type: token_type.into() };
        Self { subject, actor: None, requested_type: None, audiences: Vec::new() }
    }

    /// Sets the token of the party that acts for the subject.
    #[must_use]
    pub fn actor(
        mut self,
        actor: impl Fn() -> Result<Secret, BoxError> + Send + Sync + 'static,
        token_type: impl Into<String>,
    ) -> Self {
        self.actor = Some(GivenToken { read: Box::new(actor), token_type: token_type.into() });
        self
    }

    /// Sets the type of the requested token. If it is not set, the server chooses.
    #[must_use]
    pub fn requesting(mut self, token_type: impl Into<String>) -> Self {
        self.requested_type = Some(token_type.into());
        self
    }

    /// Adds the name of a service that the token is for.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }
}

impl fmt::Debug for TokenExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExchange").field("subject_token_type", &self.subject.token_type).finish_non_exhaustive()
    }
}

#[async_trait]
impl Grant for TokenExchange {
    fn grant_type(&self) -> &str {
        "urn:ietf:params:oauth:grant-type:token-exchange"
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        let subject = (self.subject.read)().map_err(RefreshError::from)?;
        let mut request = context
            .token_request(self.grant_type())
            .secret_parameter("subject_token", subject)
            .parameter("subject_token_type", &self.subject.token_type);
        if let Some(actor) = &self.actor {
            let token = (actor.read)().map_err(RefreshError::from)?;
            request = request.secret_parameter("actor_token", token).parameter("actor_token_type", &actor.token_type);
        }
        if let Some(requested) = &self.requested_type {
            request = request.parameter("requested_token_type", requested);
        }
        for audience in &self.audiences {
            request = request.parameter("audience", audience);
        }
        request.send().await
    }
}
