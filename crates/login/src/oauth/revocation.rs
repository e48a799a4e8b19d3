//! Revokes tokens (RFC 7009).

use url::Url;

use super::http::{Form, Meaning, ServerResponse, meaning};
use super::oauth::OAuth;
use super::token::Attachment;
use reqwest_challenge::support::is_transient_status;
use reqwest_challenge::{Credential, Origin, RefreshContext, RefreshError, RefreshErrorKind, Secret};

impl OAuth {
    /// Revokes the credential of the context, which is always forgotten on this machine.
    pub(super) async fn revoke(&self, context: &RefreshContext) -> Result<(), RefreshError> {
        let Some(mut attachment) = Attachment::of(context.credential()) else { return Ok(()) };
        // An earlier renewal may have replaced the refresh token although its result was dropped.
        let mut replacements = self.memory.rotation.lock().await;
        attachment.refresh_token = attachment.refresh_token.map(|token| replacements.latest_of(&token).clone());
        replacements.clear();
        drop(replacements);
        let access_token = context.credential().and_then(Credential::token);
        self.revoke_at_server(context, &attachment, access_token).await.map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            let line = format!("the credential was removed from this machine but not revoked at the server: {why}");
            let is_transient = matches!(error.kind(), RefreshErrorKind::Transient { .. });
            if is_transient { error.caused_by(line) } else { RefreshError::other(line) }
        })
    }

    /// Revokes the refresh token, or else the access token, if the server has a revocation endpoint.
    async fn revoke_at_server(
        &self,
        context: &RefreshContext,
        attachment: &Attachment,
        access_token: Option<Secret>,
    ) -> Result<(), RefreshError> {
        // The server revokes the access tokens of a refresh token together with it (RFC 7009 §2.1).
        let (token, token_type) = match (&attachment.refresh_token, access_token) {
            (Some(token), _) => (token.clone(), "refresh_token"),
            (None, Some(token)) => (token, "access_token"),
            (None, None) => return Ok(()),
        };
        if !self.accepts(attachment) {
            return Ok(());
        }
        let Some(api) = self.api_of(attachment) else { return Ok(()) };
        let sender = self.sender_for(api, context)?;
        let server = self.server(&sender, &attachment.issuer, None).await?;
        if !server.has_endpoint("revocation_endpoint") {
            return Ok(());
        }
        let mut form = Form::default();
        form.add_secret("token", token);
        form.add("token_type_hint", token_type);
        let grant_context = self.plain_context(sender, server, context);
        let (response, sent) = grant_context.post("revocation_endpoint", &self.identity_of(attachment), form).await?;
        if !response.is_error() || is_already_revoked(&response) {
            Ok(())
        } else {
            Err(response.to_error("the revocation endpoint", &sent))
        }
    }

    /// The API that names the issuer. The context of a logout contains the first origin of the middleware, which need not
    /// be that API.
    fn api_of(&self, attachment: &Attachment) -> Option<Origin> {
        let stored = || {
            // An earlier process stored the login, and this process has refreshed nothing. If only a challenge named
            // the issuer, the API of the stored resource counts as the API that named it. If no resource is stored, the
            // issuer is not trusted.
            let is_named = self.issuer.named.is_some();
            let url = if is_named { Some(&attachment.issuer) } else { attachment.resource.as_ref() };
            url.and_then(|text| Url::parse(text).ok()).and_then(|url| Origin::of(&url))
        };
        self.memory.last_challenge.api().or_else(stored)
    }
}

/// Whether the error means that nothing is left to revoke: the access token expires by itself (RFC 7009 §2.2.1), or the
/// server no longer knows the token, which RFC 7009 §2.2 calls a success.
fn is_already_revoked(response: &ServerResponse) -> bool {
    let Some(code) = response.error_code().filter(|_| !is_transient_status(response.status)) else { return false };
    code == "unsupported_token_type"
        || matches!(meaning(&code), Some(Meaning::InvalidGrant | Meaning::InvalidRefreshToken))
}
