//! A token of the environment, before whatever else there is.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use reqwest_challenge::Credential;
use reqwest_challenge::Secret;
use reqwest_challenge::{Refresh, RefreshContext, RefreshError, RefreshReason};

/// A token of the environment, before whatever else there is. It is sent as it is: nobody renews it, stores it or takes it back, and
/// where a server refuses it, no other identity takes its place.
pub struct Env<R> {
    name: String,
    token: Option<Secret>,
    otherwise: R,
}

impl<R: Refresh> Env<R> {
    /// Of that variable; where it is not set, or empty, whatever follows. It is read once, here.
    #[must_use]
    pub fn new(name: impl Into<String>, otherwise: R) -> Self {
        let name = name.into();
        // What is no text is set all the same, and cannot be sent.
        let token = std::env::var_os(&name).map(|token| token.into_string().unwrap_or_else(|_| "\u{fffd}".to_owned()));
        Self::of(name, token, otherwise)
    }

    /// The same with the variable's text given.
    #[must_use]
    pub fn of(name: impl Into<String>, token: Option<String>, otherwise: R) -> Self {
        let token = token.map(|token| Secret::new(token.trim())).filter(|token| !token.is_empty());
        Self { name: name.into(), token, otherwise }
    }

    /// Whether the variable is set, so that nothing else is used.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.token.is_some()
    }

    fn refused(&self, why: &str) -> RefreshError {
        let hint = format!("the token in {} {why}: set another, or unset it", self.name);
        RefreshError::login_required(hint)
    }
}

impl<R> fmt::Debug for Env<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_set = self.token.is_some();
        f.debug_struct("Env").field("name", &self.name).field("is_set", &is_set).finish_non_exhaustive()
    }
}

#[async_trait]
impl<R: Refresh> Refresh for Env<R> {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        match &self.token {
            Some(_) if context.reason() == RefreshReason::Challenged => Err(self.refused("was refused")),
            Some(_) => Err(self.refused("is used in place of a login")),
            None => self.otherwise.refresh(context).await,
        }
    }

    async fn initial(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let Some(token) = &self.token else { return self.otherwise.initial(context).await };
        let credential = Credential::bearer(token.expose()).with_source(format!("env:{}", self.name));
        credential.check().map_err(|error| {
            let has_scheme = token.expose().starts_with("Bearer ");
            let why = if has_scheme { "has `Bearer` before it, which is not part of it" } else { "cannot be sent" };
            self.refused(why).caused_by(error)
        })?;
        Ok(Some(credential))
    }

    /// Forgets what is below it, and leaves the variable alone.
    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        let context = if self.token.is_none() { context } else { context.without_credential() };
        self.otherwise.forget(context).await
    }

    fn timeout(&self) -> Duration {
        self.otherwise.timeout()
    }
}
