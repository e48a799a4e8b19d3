//! A request to the token endpoint (RFC 6749 §3.2).

use std::fmt;

use super::grant_context::GrantContext;
use super::issued_token::IssuedToken;
use crate::oauth::http::Form;
use reqwest_challenge::{RefreshError, Secret};

/// A request to the token endpoint. It has the scopes, the resource, the demanded claims and the caller's parameters.
#[must_use = "a request does nothing until it is sent"]
pub struct TokenRequest<'c> {
    context: &'c GrantContext<'c>,
    grant_type: String,
    form: Form,
}

impl GrantContext<'_> {
    /// Begins a request with this `grant_type`. A grant that polls begins one for each poll. A client that registers, registers
    /// for each request.
    pub fn token_request(&self, grant_type: impl Into<String>) -> TokenRequest<'_> {
        let grant_type = grant_type.into();
        let mut form = Form::for_grant(&grant_type);
        form.add_scopes(&self.scopes);
        self.add_common_parameters(&mut form);
        TokenRequest { context: self, grant_type, form }
    }
}

impl TokenRequest<'_> {
    /// Adds a parameter.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.form.add(name.into(), value.into());
        self
    }

    /// Adds a parameter that is masked in errors: the server may repeat it.
    pub fn secret_parameter(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.form.add_secret(name.into(), value);
        self
    }

    /// Sends the request with the client's proof, and reads the token.
    ///
    /// # Errors
    /// Returns the error of the server: [`Denied`](reqwest_challenge::RefreshErrorKind::Denied) or
    /// [`CredentialRevoked`](reqwest_challenge::RefreshErrorKind::CredentialRevoked) with its code if it is final, and
    /// [`Transient`](reqwest_challenge::RefreshErrorKind::Transient) if the same request may succeed later, if the network
    /// failed, or if the response has no token.
    pub async fn send(self) -> Result<IssuedToken, RefreshError> {
        let identity = self.context.identity(&self.grant_type, None).await?;
        let response = self.context.request_token(&identity, self.form).await?;
        Ok(IssuedToken { response, identity })
    }
}

impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("grant_type", &self.grant_type).finish_non_exhaustive()
    }
}
