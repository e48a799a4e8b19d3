//! A grant that exchanges a ticket for a token.

use reqwest_challenge::{BoxError, RefreshError, Secret, async_trait};
use reqwest_challenge_login::oauth::{Grant, GrantContext, IssuedToken};

/// The value of the parameter `grant_type`.
pub const GRANT_TYPE: &str = "urn:example:params:oauth:grant-type:ticket";

/// Exchanges a ticket for a token: an extension grant (RFC 6749 4.5).
///
/// ```
/// use reqwest_challenge::{ChallengeMiddleware, Secret};
/// use reqwest_challenge_login::oauth::{Client, Issuer, OAuth};
/// use third_party::ticket_grant::TicketGrant;
///
/// # fn main() -> Result<(), reqwest_challenge::BoxError> {
/// let grant = TicketGrant::new("north gate", || Ok(Secret::new(std::fs::read_to_string("/run/ticket")?)));
/// let oauth = OAuth::new(Issuer::new("https://auth.example.com")?, Client::public("turnstile"), grant)?;
/// let auth = ChallengeMiddleware::new("https://api.example.com", oauth)?;
/// # Ok(())
/// # }
/// ```
pub struct TicketGrant<F> {
    gate: String,
    ticket: F,
}

impl<F: Fn() -> Result<Secret, BoxError> + Send + Sync + 'static> TicketGrant<F> {
    /// Exchanges the ticket that the function returns, at that gate. It is called for each exchange.
    pub fn new(gate: impl Into<String>, ticket: F) -> Self {
        Self { gate: gate.into(), ticket }
    }
}

#[async_trait]
impl<F: Fn() -> Result<Secret, BoxError> + Send + Sync + 'static> Grant for TicketGrant<F> {
    fn grant_type(&self) -> &str {
        GRANT_TYPE
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        let ticket = (self.ticket)()?;
        let request = context.token_request(self.grant_type()).parameter("gate", &self.gate);
        request.secret_parameter("ticket", ticket).send().await
    }
}
