//! A token that was issued.

use std::fmt;
use std::time::Duration;

use crate::oauth::client::{Identity, Proof};
use crate::oauth::token::TokenResponse;
use reqwest_challenge::Secret;

/// A token that was issued, for [`Grant::obtain`](super::Grant::obtain) to return. [`TokenRequest::send`](super::TokenRequest::send)
/// returns it. [`new`](Self::new) makes one without a token request: for a test, or for a grant that gets its token in
/// another way.
pub struct IssuedToken {
    pub(in crate::oauth) response: TokenResponse,
    /// The client that it was issued to.
    pub(in crate::oauth) identity: Identity,
}

impl IssuedToken {
    /// Makes a bearer token that was issued to the client with this identifier. The token has no refresh token, and its
    /// expiry is not known.
    ///
    /// A refresh token is used only if the client of `OAuth` has this identifier.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use reqwest_challenge_login::oauth::IssuedToken;
    ///
    /// let issued = IssuedToken::new("tool", "t1").with_expires_in(Duration::from_secs(3600)).with_scopes(["api:read"]);
    /// assert_eq!(issued.access_token().expose(), "t1");
    /// assert_eq!(issued.scopes().unwrap(), ["api:read"]);
    /// ```
    #[must_use]
    pub fn new(client_id: impl Into<String>, access_token: impl Into<Secret>) -> Self {
        let response = TokenResponse {
            access_token: access_token.into(),
            token_type: None,
            expires_in: None,
            refresh_token: None,
            scopes: None,
        };
        Self { response, identity: Identity { id: client_id.into(), proof: Proof::None } }
    }

    /// Sets the type of the token, such as `DPoP`. The default is `Bearer`.
    #[must_use]
    pub fn with_token_type(mut self, token_type: impl Into<String>) -> Self {
        self.response.token_type = Some(token_type.into());
        self
    }

    /// Sets how long the token is valid from now on.
    #[must_use]
    pub fn with_expires_in(mut self, span: Duration) -> Self {
        self.response.expires_in = Some(span);
        self
    }

    /// Sets the refresh token.
    #[must_use]
    pub fn with_refresh_token(mut self, token: impl Into<Secret>) -> Self {
        self.response.refresh_token = Some(token.into());
        self
    }

    /// Sets the granted scopes. By default they are the [scopes that were asked for](super::GrantContext::scopes).
    #[must_use]
    pub fn with_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.response.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// The access token.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        &self.response.access_token
    }

    /// The type of the token. `None` if the server names none, which means `Bearer`.
    #[must_use]
    pub fn token_type(&self) -> Option<&str> {
        self.response.token_type.as_deref()
    }

    /// How long the token is valid, if the server says so.
    #[must_use]
    pub fn expires_in(&self) -> Option<Duration> {
        self.response.expires_in
    }

    /// The refresh token, if there is one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.response.refresh_token.as_ref()
    }

    /// The granted scopes. `None` if the server names none: then they are those that were asked for (RFC 6749 §5.1).
    #[must_use]
    pub fn scopes(&self) -> Option<&[String]> {
        self.response.scopes.as_deref()
    }
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The server wrote the scopes, and may have repeated a secret in them.
        let scopes = self.response.scopes.as_ref().map(Vec::len);
        f.debug_struct("IssuedToken").field("scopes", &scopes).finish_non_exhaustive()
    }
}
