//! Takes back what was granted (RFC 7009).

use reqwest_challenge::{Origin, RefreshContext};
use url::Url;

use super::answer::Kept;
use super::builder::OAuth;
use super::form::Form;
use super::reply::Reply;
use super::words::{Meaning, meaning};
use reqwest_challenge::Credential;
use reqwest_challenge::Secret;
use reqwest_challenge::support::is_transient_status;
use reqwest_challenge::{RefreshError, RefreshErrorKind};

impl OAuth {
    /// Takes a credential back that is forgotten here.
    pub(super) async fn take_back(&self, context: &RefreshContext) -> Result<(), RefreshError> {
        let Some(mut kept) = Kept::of_credential(context.credential()) else { return Ok(()) };
        // A renewal that nobody took has left another token behind.
        let mut chain = self.setup.rotations.lock().await;
        kept.refresh_token = kept.refresh_token.map(|token| chain.latest_of(&token).clone());
        chain.forget();
        drop(chain);
        let access = context.credential().and_then(Credential::token);
        self.revoke(context, &kept, access).await.map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            let line = format!("it is forgotten here, and was not taken back at the server: {why}");
            let is_passing = matches!(error.kind(), RefreshErrorKind::Transient { .. });
            if is_passing { error.caused_by(line) } else { RefreshError::other(line) }
        })
    }

    /// Takes a token back (RFC 7009), where the server has a place for that.
    async fn revoke(&self, context: &RefreshContext, kept: &Kept, access: Option<Secret>) -> Result<(), RefreshError> {
        // With the refresh token goes all that it gave (RFC 7009 §2.1).
        let token = match (&kept.refresh_token, access) {
            (Some(token), _) => Some((token.clone(), "refresh_token")),
            (None, access) => access.map(|token| (token, "access_token")),
        };
        let Some((token, hint)) = token.filter(|_| self.may_go_to(kept)) else { return Ok(()) };
        let Some(api) = self.api_of(kept) else { return Ok(()) };
        let dialer = self.dialer_for(api, context)?;
        let server = self.server(&dialer, &kept.issuer, None).await?;
        if !server.endpoints.contains_key("revocation_endpoint") {
            return Ok(());
        }
        let grant = self.grant_at(dialer, server, context);
        let mut form = Form::default();
        form.add_secret("token", token);
        form.add("token_type_hint", hint);
        let (reply, sent) = grant.ask("revocation_endpoint", &self.identity_of(kept), form).await?;
        if !reply.is_error() || is_over(&reply) { Ok(()) } else { Err(reply.refusal("the revocation endpoint", &sent)) }
    }

    /// The API that names the issuer. The context of a logout contains the first origin of the middleware, which need not
    /// be that API.
    fn api_of(&self, kept: &Kept) -> Option<Origin> {
        let stored = || {
            // The login was stored, and nothing was refreshed since. An issuer that only a challenge named is trusted as
            // far as the API that named it, and not at all if that API is not known.
            let known = if self.issuer.pinned.is_some() { Some(&kept.issuer) } else { kept.resource.as_ref() };
            known.and_then(|text| Url::parse(text).ok()).and_then(|url| Origin::of(&url))
        };
        self.setup.seen.api().or_else(stored)
    }
}

/// Whether the error means that nothing is left to revoke: the access token expires by itself (RFC 7009 §2.2.1), or the
/// server no longer knows the token, which RFC 7009 §2.2 calls a success.
fn is_over(reply: &Reply) -> bool {
    let Some(code) = reply.code().filter(|_| !is_transient_status(reply.status)) else { return false };
    code == "unsupported_token_type" || matches!(meaning(&code), Some(Meaning::Grant | Meaning::Ended))
}
