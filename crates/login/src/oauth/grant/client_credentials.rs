//! A client on its own behalf (RFC 6749 §4.4).

use async_trait::async_trait;

use super::Obtain;
use crate::oauth::grant_context::{GrantContext, Granted};
use reqwest_challenge::RefreshError;

/// A client on its own behalf, by what it proves itself with (RFC 6749 §4.4).
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientCredentials;

#[async_trait]
impl Obtain for ClientCredentials {
    fn name(&self) -> &'static str {
        "client_credentials"
    }

    async fn obtain(&self, grant: &GrantContext<'_>) -> Result<Granted, RefreshError> {
        let identity = grant.identity(self.name(), None).await?;
        let answer = grant.token(&identity, grant.form(self.name())).await?;
        Ok(Granted { answer, identity })
    }

    fn has_secret(&self) -> bool {
        true
    }
}
