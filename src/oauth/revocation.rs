//! Takes back what was granted (RFC 7009).

use std::sync::PoisonError;

use super::answer::Kept;
use super::builder::OAuth;
use super::form::Form;
use super::reply::Reply;
use super::words::{Meaning, meaning};
use crate::credential::Credential;
use crate::origin::Origin;
use crate::refresh::{RefreshError, RefreshErrorKind, bare_client};
use crate::retry_after::passes;
use crate::secret::Secret;

impl OAuth {
    /// Takes a credential back that is forgotten here.
    pub(super) async fn take_back(&self, credential: Option<Credential>) -> Result<(), RefreshError> {
        let Some(mut kept) = Kept::of_credential(credential.as_ref()) else { return Ok(()) };
        // A renewal that nobody took has left another token behind.
        let mut chain = self.setup.rotations.lock().await;
        kept.refresh_token = kept.refresh_token.map(|token| chain.latest_of(&token).clone());
        chain.forget();
        drop(chain);
        let access = credential.as_ref().and_then(Credential::token);
        self.revoke(&kept, access).await.map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            let line = format!("it is forgotten here, and was not taken back at the server: {why}");
            let is_passing = matches!(error.kind(), RefreshErrorKind::Transient { .. });
            if is_passing { error.caused_by(line) } else { RefreshError::other(line) }
        })
    }

    /// Takes a token back (RFC 7009), where the server has a place for that.
    async fn revoke(&self, kept: &Kept, access: Option<Secret>) -> Result<(), RefreshError> {
        // With the refresh token goes all that it gave (RFC 7009 §2.1).
        let token = match (&kept.refresh_token, access) {
            (Some(token), _) => Some((token.clone(), "refresh_token")),
            (None, access) => access.map(|token| (token, "access_token")),
        };
        let Some((token, hint)) = token.filter(|_| self.may_go_to(kept)) else { return Ok(()) };
        let last = self.setup.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (api, plain) = match last {
            Some(last) => last,
            // It was stored, and nobody was asked since. An issuer that only a challenge named is not trusted for being asked.
            None => {
                let known = if self.issuer.pinned.is_some() { Some(&kept.issuer) } else { kept.resource.as_ref() };
                let origin = known.and_then(|text| url::Url::parse(text).ok()).and_then(|url| Origin::of(&url));
                let Some(origin) = origin else { return Ok(()) };
                (origin, bare_client()?)
            }
        };
        let dialer = self.dialer(api, plain);
        let server = self.server(&dialer, &kept.issuer, None).await?;
        if !server.endpoints.contains_key("revocation_endpoint") {
            return Ok(());
        }
        let desk = self.desk_at(dialer, server, None);
        let mut form = Form::default();
        form.add_secret("token", token);
        form.add("token_type_hint", hint);
        let (reply, sent) = desk.ask("revocation_endpoint", &self.identity_of(kept), form).await?;
        if !reply.is_error() || is_over(&reply) { Ok(()) } else { Err(reply.refusal("the revocation endpoint", &sent)) }
    }
}

/// Whether the error means that nothing is left to revoke: the access token expires by itself (RFC 7009 §2.2.1), or the
/// server no longer knows the token, which RFC 7009 §2.2 calls a success.
fn is_over(reply: &Reply) -> bool {
    let Some(code) = reply.code().filter(|_| !passes(reply.status)) else { return false };
    code == "unsupported_token_type" || matches!(meaning(&code), Some(Meaning::Grant | Meaning::Ended))
}
