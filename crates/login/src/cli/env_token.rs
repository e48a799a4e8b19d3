//! A token in an environment variable.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshReason, Secret};

/// A token in an environment variable, which takes precedence over another refresher.
///
/// If the variable is set, its token is sent as a bearer token. It is never renewed, stored or revoked. If a server refuses it,
/// the call fails: the tool does not continue under another identity. If the variable is not set, the fallback is used.
///
/// ```no_run
/// use reqwest_challenge::ChallengeMiddleware;
/// use reqwest_challenge_login::cli::{EnvToken, Login};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let login = Login::token("https://example.com/settings/tokens").build()?;
/// let auth = ChallengeMiddleware::new("https://api.example.com", EnvToken::new("TOOL_TOKEN", login))?;
/// # Ok(()) }
/// ```
pub struct EnvToken<R> {
    name: String,
    token: Option<Secret>,
    fallback: R,
}

impl<R: Refresh> EnvToken<R> {
    /// Reads the variable of this name, once. If it is not set or is blank, `fallback` is used.
    #[must_use]
    pub fn new(name: impl Into<String>, fallback: R) -> Self {
        let name = name.into();
        // A value that is not UTF-8 counts as set. It cannot be sent, so the call fails.
        let value = std::env::var_os(&name).map(|value| value.into_string().unwrap_or_else(|_| "\u{fffd}".to_owned()));
        Self::from_value(name, value, fallback)
    }

    /// Takes the value of the variable as an argument and does not read it, for tests and for a tool that reads its
    /// variables itself.
    #[must_use]
    pub fn from_value(name: impl Into<String>, value: Option<String>, fallback: R) -> Self {
        let token = value.map(|value| Secret::new(value.trim())).filter(|token| !token.is_empty());
        Self { name: name.into(), token, fallback }
    }

    /// Whether the variable is set, so that the fallback is not used.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.token.is_some()
    }

    fn login_required(&self, why: &str) -> RefreshError {
        let hint = format!("the token in {} {why}: set another, or unset it", self.name);
        RefreshError::login_required(hint)
    }
}

impl<R> fmt::Debug for EnvToken<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_set = self.token.is_some();
        f.debug_struct("EnvToken").field("name", &self.name).field("is_set", &is_set).finish_non_exhaustive()
    }
}

#[async_trait]
impl<R: Refresh> Refresh for EnvToken<R> {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        match &self.token {
            Some(_) if context.reason() == RefreshReason::Challenged => Err(self.login_required("was refused")),
            Some(_) => Err(self.login_required("is used in place of a login")),
            None => self.fallback.refresh(context).await,
        }
    }

    async fn initial(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let Some(token) = &self.token else { return self.fallback.initial(context).await };
        let credential = Credential::bearer(token.expose()).with_source(format!("env:{}", self.name));
        credential.check().map_err(|error| {
            let has_scheme = token.expose().starts_with("Bearer ");
            let why = if has_scheme { "begins with `Bearer `, which is not part of a token" } else { "cannot be sent" };
            self.login_required(why).caused_by(error)
        })?;
        Ok(Some(credential))
    }

    /// Makes the fallback forget its credential. The variable stays.
    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        let context = if self.token.is_none() { context } else { context.without_credential() };
        self.fallback.forget(context).await
    }

    fn needs_challenge(&self) -> bool {
        self.token.is_none() && self.fallback.needs_challenge()
    }

    fn timeout(&self) -> Duration {
        self.fallback.timeout()
    }

    fn holds_unsaved(&self) -> bool {
        self.fallback.holds_unsaved()
    }
}
