//! A refresh: renews the token with its refresh token, or runs the grant.

use std::time::Duration;

use async_trait::async_trait;

use super::client::{Identity, Kind};
use super::grant::{GrantContext, renew};
use super::oauth::OAuth;
use super::prepare::is_for_another_resource;
use super::token::{Attachment, TokenResponse};
use reqwest_challenge::{
    Credential, DeniedReason, Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason,
};

/// How long a renewal may take. It does not wait for the user.
const MAX_RENEWAL: Duration = Duration::from_secs(60);

#[async_trait]
impl Refresh for OAuth {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let last_challenge = &self.memory.last_challenge;
        last_challenge.remember(&context);
        let context = if self.grant.needs_user() { last_challenge.add_to(context) } else { context };
        if let Some(attachment) = self.renewable(&context) {
            match self.renew(&context, &attachment).await {
                Err(error) if self.may_run_grant_after(&error) => {}
                renewed => return renewed.map(Some),
            }
        }
        let credential = self.obtain(&context).await?;
        last_challenge.clear_demand();
        Ok(Some(credential))
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        self.revoke(&context).await
    }

    fn timeout(&self) -> Duration {
        self.grant.timeout()
    }
}

impl OAuth {
    /// The attachment with the refresh token that renews the refused credential. `None` if a renewal is not possible or does
    /// not help.
    fn renewable(&self, context: &RefreshContext) -> Option<Attachment> {
        // A login or a step-up starts a new login, so it does not use the refresh token of the current one.
        let wants_login =
            matches!(context.reason(), RefreshReason::Login | RefreshReason::StepUp) && self.grant.is_repeatable();
        let attachment = Attachment::of(context.credential())?;
        let demand = context.demand();
        // Demanded claims are sent with the refresh token (continuous access evaluation). Another authentication needs the user.
        let access_token = context.credential().and_then(Credential::token);
        let needs_user = !demand.acr_values().is_empty() || demand.max_age().is_some() || demand.is_for_more();
        let is_useless = needs_user || self.memory.met_claims.contains(access_token.as_ref(), demand.claims());
        // A token for one resource is not valid for another (RFC 8707 §2), and a renewal would spend its refresh token.
        let is_for_resource = self.settings.resource.is_some() || !is_for_another_resource(context);
        let is_renewable = attachment.refresh_token.is_some() && !wants_login && !is_useless && is_for_resource;
        (is_renewable && self.accepts(&attachment)).then_some(attachment)
    }

    /// Whether the refresh token belongs to the issuer, the client and the resource that are set up now.
    pub(super) fn accepts(&self, attachment: &Attachment) -> bool {
        let is_issuer = self.issuer.named.as_ref().is_none_or(|server| server.issuer == attachment.issuer);
        let is_client = match &self.client.0 {
            Kind::Known(identity) => identity.id == attachment.identity.id,
            Kind::Document(url, _) => *url == attachment.identity.id || attachment.is_registered,
            Kind::Registered(_) => attachment.is_registered,
        };
        let is_resource = self.settings.resource.is_none() || self.settings.resource == attachment.resource;
        is_issuer && is_client && is_resource
    }

    /// The client that the token was issued to: with the secret that the caller gave, or the one of its registration.
    pub(super) fn identity_of(&self, attachment: &Attachment) -> Identity {
        match &self.client.0 {
            Kind::Known(identity) => identity.clone(),
            _ => attachment.identity.clone(),
        }
    }

    async fn renew(&self, context: &RefreshContext, attachment: &Attachment) -> Result<Credential, RefreshError> {
        let Some(token) = &attachment.refresh_token else {
            return Err(RefreshError::login_required(&*self.settings.hint));
        };
        let sender = self.sender(context)?;
        let server = self.server(&sender, &attachment.issuer, None).await?;
        let resource = attachment.resource.clone();
        let grant_context = GrantContext { resource, ..self.plain_context(sender, server, context) };
        let identity = self.identity_of(attachment);
        let response = tokio::time::timeout(MAX_RENEWAL, renew(&grant_context, &identity, token)).await;
        let response = response.unwrap_or_else(|_| Err(RefreshError::new(RefreshErrorKind::TimedOut)));
        let mut response = response.map_err(|error| error_of_renewal(error, attachment))?;
        // If the response names no scopes, they are those of the old token (RFC 6749 §5.1).
        let granted = || context.credential().and_then(Credential::scopes).map(<[String]>::to_vec);
        response.scopes = response.scopes.or_else(granted);
        self.credential(response, &grant_context, identity)
    }

    /// Whether the grant runs after this error of a renewal. The error must say that the refresh token is no longer valid or
    /// that a login is required. In both cases the grant must need no user, or must be allowed to ask the user.
    fn may_run_grant_after(&self, error: &RefreshError) -> bool {
        let is_over =
            matches!(error.kind(), RefreshErrorKind::CredentialRevoked { .. } | RefreshErrorKind::LoginRequired { .. });
        let may_prompt = self.settings.prompts_on_401 && self.grant.can_reach_user();
        is_over && (may_prompt || !self.grant.needs_user()) && self.grant.is_repeatable()
    }

    async fn obtain(&self, context: &RefreshContext) -> Result<Credential, RefreshError> {
        let needs_user = self.grant.needs_user();
        if needs_user {
            let is_login = matches!(context.reason(), RefreshReason::Login | RefreshReason::StepUp);
            let may_prompt = is_login || self.settings.prompts_on_401;
            if !(may_prompt && self.grant.can_reach_user()) {
                return Err(RefreshError::login_required(&*self.settings.hint));
            }
            if let Some(credential) = context.before_prompt().await? {
                return Ok(credential);
            }
        }
        let grant_context = self.grant_context(context).await?;
        let issued = self.grant.obtain(&grant_context).await.map_err(|error| self.settings.as_login_required(error));
        // A failed login does not show that the current credential is invalid, so its error must not revoke that
        // credential.
        let mut issued = if needs_user { issued.map_err(RefreshError::of_login)? } else { issued? };
        // If the response names no scopes, they are those of the request (RFC 6749 §5.1).
        if !grant_context.scopes.is_empty() {
            issued.response.scopes.get_or_insert_with(|| grant_context.scopes.clone());
        }
        self.credential(issued.response, &grant_context, issued.identity)
    }

    fn credential(
        &self,
        mut response: TokenResponse,
        grant_context: &GrantContext<'_>,
        identity: Identity,
    ) -> Result<Credential, RefreshError> {
        let attachment = grant_context.attachment(identity, response.refresh_token.take());
        let credential = response.into_credential(self.settings.dpop.as_ref(), grant_context.now())?;
        let source = format!("issuer:{}", attachment.issuer);
        Ok(credential.with_source(source).with_attachment(attachment.to_secret()))
    }
}

/// The error of a failed renewal. If the server no longer knows a registered client, all tokens of the client are lost.
fn error_of_renewal(error: RefreshError, attachment: &Attachment) -> RefreshError {
    match error.kind() {
        RefreshErrorKind::Denied { reason: DeniedReason::Client, code } if attachment.is_registered => {
            RefreshError::credential_revoked(code.clone()).caused_by(error)
        }
        _ => error,
    }
}
