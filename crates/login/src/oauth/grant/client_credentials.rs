//! The grant of a client that acts for itself and not for a user (RFC 6749 §4.4).

use async_trait::async_trait;

use super::grant::Grant;
use super::grant_context::GrantContext;
use super::issued_token::IssuedToken;
use reqwest_challenge::RefreshError;

/// A token for the client itself, which proves who it is (RFC 6749 §4.4).
///
/// ```
/// use reqwest_challenge_login::oauth::{Client, ClientCredentials, Issuer, OAuth};
///
/// let issuer = Issuer::new("https://auth.example.com")?;
/// let service = OAuth::new(issuer, Client::secret_basic("service", "s3cret"), ClientCredentials)?;
/// # Ok::<(), reqwest_challenge_login::oauth::SetupError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientCredentials;

#[async_trait]
impl Grant for ClientCredentials {
    fn grant_type(&self) -> &str {
        "client_credentials"
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        context.token_request(self.grant_type()).send().await
    }
}
