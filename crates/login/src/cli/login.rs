//! A login that reaches the user in the way that works where the tool runs.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::support::OneLine;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason};

use super::environment::Environment;
use super::prompt::{self, Ask};
use super::show::Screen;
use crate::oauth::OAuth;

/// The time for everything in a login except its prompts.
const TIMEOUT_MARGIN: Duration = Duration::from_secs(10);

/// A login for a command-line tool: a [`Refresh`] that reaches the user in the way that works where the tool runs.
///
/// The tool asks the user when the caller calls [`Session::login`](reqwest_challenge::Session::login). If
/// [`prompting`](super::LoginBuilder::prompting) is set, it asks after a 401 too. If the tool cannot ask the user,
/// the login fails at once with [`LoginRequired`](reqwest_challenge::RefreshErrorKind::LoginRequired) and names the
/// command that logs in: see [`Environment::no_prompt_reason`].
///
/// ```
/// use reqwest_challenge_login::cli::Login;
/// use reqwest_challenge_login::oauth::{Client, Issuer};
///
/// let login = Login::oauth(Issuer::new("https://auth.example.com")?, Client::public("tool"))
///     .command("tool login")
///     .configure_oauth(|oauth| oauth.scopes(["api:read"]))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Login {
    pub(super) kind: Kind,
    pub(super) environment: Environment,
    pub(super) screen: Screen,
    pub(super) ask: Ask,
    pub(super) hint: String,
    pub(super) prompts: bool,
}

pub(super) enum Kind {
    OAuth(Box<OAuth>, Alternatives),
    /// A token that the user creates on the page with this URL.
    Token(String),
    /// The password of the user. If it is `None`, the tool asks for the user name too.
    Password(Option<String>),
}

/// What to ask for if OAuth cannot be used.
#[derive(Default)]
pub(super) struct Alternatives {
    /// A token that the user creates on the page with this URL, if no OAuth login reaches the user.
    pub(super) token_page: Option<String>,
    /// A password, if the API offers Basic and no Bearer.
    pub(super) password: Option<PasswordOf>,
}

/// Whose password to ask for.
pub(super) enum PasswordOf {
    User(String),
    /// The password of a user whose name the tool asks for too.
    AnyUser,
}

/// A secret that the user types.
enum Typed<'l> {
    Token { page: &'l str },
    Password { user: Option<&'l str> },
}

impl Login {
    async fn by_oauth(
        &self,
        oauth: &OAuth,
        alternatives: &Alternatives,
        context: RefreshContext,
    ) -> Result<Option<Credential>, RefreshError> {
        let offers = |scheme| context.challenges().get(scheme).is_some();
        if let Some(password) = alternatives.password.as_ref().filter(|_| offers("Basic") && !offers("Bearer")) {
            let user = match password {
                PasswordOf::User(user) => Some(user.as_str()),
                PasswordOf::AnyUser => None,
            };
            return self.prompt(&context, Typed::Password { user }).await.map(Some);
        }
        match (oauth.refresh(context.clone()).await, &alternatives.token_page) {
            (Err(error), Some(page)) if matches!(error.kind(), RefreshErrorKind::LoginRequired { .. }) => {
                self.prompt(&context, Typed::Token { page }).await.map(Some)
            }
            (result, _) => result,
        }
    }

    /// Asks the user for a secret, if the caller allows it and the tool can ask.
    async fn prompt(&self, context: &RefreshContext, typed: Typed<'_>) -> Result<Credential, RefreshError> {
        let is_allowed = self.prompts || context.reason() == RefreshReason::Login;
        if !is_allowed || !self.environment.can_prompt() {
            // A 401 does not prove that a typed secret is wrong: another path, or a proxy, may have refused it. Only a
            // refused refresh token ends a login.
            return Err(RefreshError::login_required(&*self.hint));
        }
        if let Some(credential) = context.before_prompt().await? {
            return Ok(credential);
        }
        let credential = match typed {
            Typed::Token { page } => self.ask_for_token(context, page).await?,
            Typed::Password { user } => self.ask_for_password(context, user).await?,
        };
        credential.check().map_err(RefreshError::other)?;
        Ok(credential.with_source("prompt"))
    }

    // The questions name the host of the request, and no text of the challenge, which the server chose.

    async fn ask_for_token(&self, context: &RefreshContext, page: &str) -> Result<Credential, RefreshError> {
        let host = context.origin().host();
        self.screen.say(&format!("Create a token for {host} at {page}"));
        let token = prompt::secret(context, &self.ask, format!("Token for {host}")).await?;
        Ok(Credential::bearer(token.expose().trim()))
    }

    async fn ask_for_password(&self, context: &RefreshContext, user: Option<&str>) -> Result<Credential, RefreshError> {
        let host = context.origin().host();
        let user = match user {
            Some(user) => user.to_owned(),
            None => prompt::line(context, &self.ask, format!("User name for {host}")).await?,
        };
        // Refuses a user name that Basic cannot send before the user types the password.
        Credential::basic(&user, "").check().map_err(RefreshError::other)?;
        let question = format!("Password of {} for {host}", OneLine::new(&user));
        let password = prompt::secret(context, &self.ask, question).await?;
        Ok(Credential::basic(user, password.expose()))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::OAuth(..) => "oauth",
            Kind::Token(_) => "token",
            Kind::Password(_) => "password",
        };
        f.debug_struct("Login").field("kind", &kind).field("environment", &self.environment).finish_non_exhaustive()
    }
}

#[async_trait]
impl Refresh for Login {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let _progress = self.screen.progress();
        match &self.kind {
            Kind::OAuth(oauth, alternatives) => self.by_oauth(oauth, alternatives, context).await,
            Kind::Token(page) => self.prompt(&context, Typed::Token { page }).await.map(Some),
            Kind::Password(user) => self.prompt(&context, Typed::Password { user: user.as_deref() }).await.map(Some),
        }
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        match &self.kind {
            Kind::OAuth(oauth, _) => oauth.forget(context).await,
            _ => Ok(()),
        }
    }

    fn timeout(&self) -> Duration {
        // A login by password has two prompts: one for the user name and one for the password.
        let prompts = prompt::ANSWER_TIMEOUT.saturating_mul(2);
        match &self.kind {
            Kind::OAuth(oauth, _) => oauth.timeout().saturating_add(prompts),
            _ => prompts.saturating_add(TIMEOUT_MARGIN),
        }
    }
}
