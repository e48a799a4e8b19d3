//! A refresh token (RFC 6749 §6).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::grant::Grant;
use super::grant_context::GrantContext;
use super::issued_token::IssuedToken;
use crate::oauth::client::Identity;
use crate::oauth::http::Form;
use crate::oauth::token::TokenResponse;
use reqwest_challenge::{RefreshError, RefreshErrorKind, RefreshReason, Secret};

/// A refresh token that the caller already has (RFC 6749 §6). After the server has replaced it, it is not presented again: a
/// server that sees a replaced token ends the whole login.
///
/// ```
/// use reqwest_challenge_login::oauth::{Client, Issuer, OAuth, RefreshToken};
///
/// let issuer = Issuer::new("https://auth.example.com")?;
/// let service = OAuth::new(issuer, Client::public("tool"), RefreshToken::new("refresh-1"))?;
/// # Ok::<(), reqwest_challenge_login::oauth::SetupError>(())
/// ```
pub struct RefreshToken {
    token: Secret,
    is_spent: AtomicBool,
}

impl RefreshToken {
    /// A grant with this refresh token.
    #[must_use]
    pub fn new(token: impl Into<Secret>) -> Self {
        Self { token: token.into(), is_spent: AtomicBool::new(false) }
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(_)")
    }
}

/// Presents a refresh token. If the server issues no new one, the response contains the presented one (RFC 6749 §6).
pub(in crate::oauth) async fn renew(
    context: &GrantContext<'_>,
    identity: &Identity,
    token: &Secret,
) -> Result<TokenResponse, RefreshError> {
    let refresh_context = context.refresh_context;
    refresh_context.before_spending().await?;
    let mut replacements = context.memory.rotation.lock().await;
    let token = replacements.latest_of(token).clone();
    let (refused_tokens, claims, now) = (&context.memory.refused_tokens, context.claims_demanded(), context.now());
    // A login that the caller asks for ignores the cooldown.
    let is_login = refresh_context.reason() == RefreshReason::Login && refresh_context.url().is_none();
    if let Some(error) = refused_tokens.error_for(&token, claims, now).filter(|_| !is_login) {
        return Err(error);
    }
    // Without scopes, the new token has the scopes of the old one. Only a login asks for more.
    let mut form = Form::for_grant("refresh_token");
    form.add_secret("refresh_token", token.clone());
    context.add_common_parameters(&mut form);
    let renewal = context.request_renewal(identity, form).await;
    // The old refresh token is used up, even if the access token is unusable.
    if let Some(new) = renewal.new_token.as_ref().filter(|new| **new != token) {
        replacements.replace(&token, new);
        if renewal.response.is_err() {
            refresh_context.keep_attachment(context.attachment(identity.clone(), Some(new.clone())).to_secret());
        }
    }
    let mut response = renewal.response.inspect_err(|error| refused_tokens.insert(&token, claims, now, error))?;
    response.refresh_token.get_or_insert(token);
    context.memory.met_claims.set(&response.access_token, claims);
    Ok(response)
}

#[async_trait]
impl Grant for RefreshToken {
    fn grant_type(&self) -> &str {
        "refresh_token"
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        if self.is_spent.load(Ordering::SeqCst) && !context.memory.rotation.lock().await.knows(&self.token) {
            return Err(RefreshError::login_required(&*context.settings.hint));
        }
        let identity = context.identity(self.grant_type(), None).await?;
        let response = renew(context, &identity, &self.token).await;
        let is_spent = match &response {
            Ok(response) => response.refresh_token.as_ref() != Some(&self.token),
            Err(error) => matches!(error.kind(), RefreshErrorKind::CredentialRevoked { .. }),
        };
        self.is_spent.fetch_or(is_spent, Ordering::SeqCst);
        Ok(IssuedToken { response: response?, identity })
    }

    fn is_repeatable(&self) -> bool {
        false
    }
}
