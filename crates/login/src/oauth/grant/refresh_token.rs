//! A refresh token (RFC 6749 §6).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::Obtain;
use crate::oauth::answer::Answer;
use crate::oauth::client::Identity;
use crate::oauth::form::Form;
use crate::oauth::grant_context::{GrantContext, Granted};
use reqwest_challenge::Secret;
use reqwest_challenge::{RefreshError, RefreshErrorKind, RefreshReason};

/// A refresh token that the caller has from elsewhere (RFC 6749 §6). It is used until the server gives another in its place, and
/// never after that: a server that sees it again ends the whole login.
pub struct RefreshToken {
    token: Secret,
    spent: AtomicBool,
}

impl RefreshToken {
    /// That token.
    #[must_use]
    pub fn new(token: impl Into<Secret>) -> Self {
        Self { token: token.into(), spent: AtomicBool::new(false) }
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(_)")
    }
}

/// Asks for another token by a refresh token; where the server gives no new one, this one is kept (RFC 6749 §6).
pub(in crate::oauth) async fn renew(
    grant: &GrantContext<'_>,
    identity: &Identity,
    token: &Secret,
) -> Result<Answer, RefreshError> {
    grant.refresh.before_spending().await?;
    // Without scopes: the same as before. More than that is for a login to ask for.
    let mut chain = grant.setup.rotations.lock().await;
    let token = chain.latest_of(token).clone();
    let (rests, claims, now) = (&grant.setup.rests, grant.claims_demanded(), grant.clock().now());
    // A login that the caller asks for ignores the waiting time.
    let is_asked = grant.refresh.reason() == RefreshReason::Login && grant.refresh.url().is_none();
    if let Some(error) = rests.answer(&token, claims, now).filter(|_| !is_asked) {
        return Err(error);
    }
    let mut form = Form::of_grant("refresh_token");
    form.add_secret("refresh_token", token.clone());
    grant.describe(&mut form);
    let (renewed, new) = grant.renewed(identity, form).await;
    // The old refresh token is used up, even if the access token is unusable.
    if let Some(new) = new.as_ref().filter(|new| **new != token) {
        chain.replaced(&token, new);
        if renewed.is_err() {
            grant.refresh.keep_attachment(grant.kept(identity.clone(), Some(new.clone())).to_secret());
        }
    }
    let mut answer = renewed.inspect_err(|error| rests.hear(&token, claims, now, error))?;
    answer.refresh_token.get_or_insert(token);
    rests.met(&answer.access_token, claims);
    Ok(answer)
}

#[async_trait]
impl Obtain for RefreshToken {
    fn name(&self) -> &'static str {
        "refresh_token"
    }

    async fn obtain(&self, grant: &GrantContext<'_>) -> Result<Granted, RefreshError> {
        if self.spent.load(Ordering::SeqCst) && !grant.setup.rotations.lock().await.knows(&self.token) {
            return Err(RefreshError::login_required(&*grant.setup.hint));
        }
        let identity = grant.identity(self.name(), None).await?;
        let answer = renew(grant, &identity, &self.token).await;
        let is_spent = match &answer {
            Ok(answer) => answer.refresh_token.as_ref() != Some(&self.token),
            Err(error) => matches!(error.kind(), RefreshErrorKind::CredentialRevoked { .. }),
        };
        self.spent.fetch_or(is_spent, Ordering::SeqCst);
        Ok(Granted { answer: answer?, identity })
    }

    fn has_secret(&self) -> bool {
        true
    }

    fn gives_again(&self) -> bool {
        false
    }
}
