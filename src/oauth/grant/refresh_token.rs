//! A refresh token (RFC 6749 §6).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::Obtain;
use crate::oauth::answer::Answer;
use crate::oauth::client::Identity;
use crate::oauth::desk::{Desk, Granted};
use crate::oauth::form::Form;
use crate::refresh::{Cause, RefreshError, RefreshErrorKind};
use crate::secret::Secret;

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
    desk: &Desk<'_>,
    identity: &Identity,
    token: &Secret,
) -> Result<Answer, RefreshError> {
    if let Some(rejection) = desk.rejection {
        rejection.before_spending().await?;
    }
    // Without scopes: the same as before. More than that is for a login to ask for.
    let mut chain = desk.setup.rotations.lock().await;
    let token = chain.latest_of(token).clone();
    let (rests, claims, now) = (&desk.setup.rests, desk.claims_demanded(), desk.setup.clock.now());
    // A login that the caller asks for ignores the waiting time.
    let is_asked = desk.rejection.is_some_and(|one| one.cause() == Cause::Asked && one.url().is_none());
    if let Some(error) = rests.answer(&token, claims, now).filter(|_| !is_asked) {
        return Err(error);
    }
    let mut form = Form::of_grant("refresh_token");
    form.add_secret("refresh_token", token.clone());
    desk.describe(&mut form);
    let (renewed, new) = desk.renewed(identity, form).await;
    // The old refresh token is used up, even if the access token is unusable.
    if let Some(new) = new.as_ref().filter(|new| **new != token) {
        chain.replaced(&token, new);
        if let (Err(_), Some(rejection)) = (&renewed, desk.rejection) {
            rejection.keep_attachment(desk.kept(identity.clone(), Some(new.clone())).to_secret());
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

    async fn obtain(&self, desk: &Desk<'_>) -> Result<Granted, RefreshError> {
        if self.spent.load(Ordering::SeqCst) && !desk.setup.rotations.lock().await.knows(&self.token) {
            return Err(RefreshError::login_required(&*desk.setup.hint));
        }
        let identity = desk.identity(self.name(), None).await?;
        let answer = renew(desk, &identity, &self.token).await;
        let is_spent = match &answer {
            Ok(answer) => answer.refresh_token.as_ref() != Some(&self.token),
            Err(error) => matches!(error.kind(), RefreshErrorKind::Rejected { .. }),
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
