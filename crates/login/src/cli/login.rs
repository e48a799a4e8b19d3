//! A login by whatever way reaches the person.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::builder::{LoginBuilder, Plan};
use super::environment::Environment;
use super::prompt::Ask;
use super::show::Screen;
use crate::cli::prompt;
use crate::oauth::{Client, Issuer, OAuth};
use reqwest_challenge::Credential;
use reqwest_challenge::support::OneLine;
use reqwest_challenge::{Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason};

/// A login by whatever way reaches the person: a [`Refresh`] for a command-line tool.
///
/// A person is asked where somebody asked for a login, or, where [`prompting`](LoginBuilder::prompting) is said, by a 401 too; and only
/// where there is a terminal, and nobody said that there is none to ask. Else it is
/// [`LoginRequired`](crate::RefreshErrorKind::LoginRequired) at once, with the command that helps.
pub struct Login {
    pub(super) kind: Kind,
    pub(super) around: Environment,
    pub(super) screen: Screen,
    pub(super) ask: Ask,
    pub(super) hint: String,
    pub(super) prompts: bool,
}

pub(super) enum Kind {
    OAuth(Box<OAuth>, Otherwise),
    Token(String),
    Password(Option<String>),
}

/// What is asked for where OAuth does not lead to the person.
#[derive(Default)]
pub(super) struct Otherwise {
    /// A token, which is made there.
    pub(super) made_at: Option<String>,
    /// A password, of that user or of one who is asked for, where the API takes nothing else.
    pub(super) password: Option<Option<String>>,
}

/// A secret of the person's.
enum Typed<'l> {
    Token(&'l str),
    Password(Option<&'l str>),
}

impl Login {
    /// By OAuth, in a browser or on another device.
    pub fn oauth(issuer: Issuer, client: Client) -> LoginBuilder {
        LoginBuilder::of(Plan::OAuth(issuer, client))
    }

    /// By a token that is pasted, sent as a bearer token. The text says where one is made: `https://example.com/settings/tokens`.
    pub fn token(made_at: impl Into<String>) -> LoginBuilder {
        LoginBuilder::of(Plan::Token(made_at.into()))
    }

    /// By a password that is typed, sent by Basic; of that user, or of one who is asked for.
    pub fn password(user: Option<&str>) -> LoginBuilder {
        LoginBuilder::of(Plan::Password(user.map(str::to_owned)))
    }

    async fn by_oauth(
        &self,
        oauth: &OAuth,
        otherwise: &Otherwise,
        context: RefreshContext,
    ) -> Result<Option<Credential>, RefreshError> {
        let offers = |scheme| context.challenges().get(scheme).is_some();
        if let Some(user) = otherwise.password.as_ref().filter(|_| offers("Basic") && !offers("Bearer")) {
            return self.prompted(&context, Typed::Password(user.as_deref())).await.map(Some);
        }
        match (oauth.refresh(context.clone()).await, &otherwise.made_at) {
            (Err(error), Some(made_at)) if matches!(error.kind(), RefreshErrorKind::LoginRequired { .. }) => {
                self.prompted(&context, Typed::Token(made_at)).await.map(Some)
            }
            (answer, _) => answer,
        }
    }

    /// A secret of the person, if there is one who wants to be asked.
    async fn prompted(&self, context: &RefreshContext, typed: Typed<'_>) -> Result<Credential, RefreshError> {
        let asked = self.prompts || context.reason() == RefreshReason::Login;
        if !asked || !self.around.reaches_person() {
            // A 401 does not prove that a typed secret is wrong: another path, or a proxy, may have refused it. Only a
            // refused refresh token ends a login.
            return Err(RefreshError::login_required(&*self.hint));
        }
        if let Some(credential) = context.before_prompt().await? {
            return Ok(credential);
        }
        // It is the host's real name that is shown, whatever a challenge says of itself.
        let host = context.origin().host();
        let credential = match typed {
            Typed::Password(user) => {
                let user = match user {
                    Some(user) => user.to_owned(),
                    None => prompt::line(context, &self.ask, format!("User name for {host}")).await?,
                };
                // Refuses a user name that Basic cannot send before the user types the password.
                Credential::basic(&user, "").check().map_err(RefreshError::other)?;
                let question = format!("Password of {} for {host}", OneLine::new(&user));
                let password = prompt::secret(context, &self.ask, question).await?;
                Credential::basic(user, password.expose())
            }
            Typed::Token(made_at) => {
                self.screen.say(&format!("A token for {host} is made at {made_at}"));
                let token = prompt::secret(context, &self.ask, format!("Token for {host}")).await?;
                Credential::bearer(token.expose().trim())
            }
        };
        credential.check().map_err(RefreshError::other)?;
        Ok(credential.with_source("prompt"))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::OAuth(..) => "oauth",
            Kind::Token(_) => "token",
            Kind::Password(_) => "password",
        };
        f.debug_struct("Login").field("kind", &kind).field("around", &self.around).finish_non_exhaustive()
    }
}

#[async_trait]
impl Refresh for Login {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let _waiting = self.screen.while_waiting();
        match &self.kind {
            Kind::OAuth(oauth, otherwise) => self.by_oauth(oauth, otherwise, context).await,
            Kind::Token(made_at) => self.prompted(&context, Typed::Token(made_at)).await.map(Some),
            Kind::Password(user) => self.prompted(&context, Typed::Password(user.as_deref())).await.map(Some),
        }
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        match &self.kind {
            Kind::OAuth(oauth, _) => oauth.forget(context).await,
            _ => Ok(()),
        }
    }

    fn timeout(&self) -> Duration {
        match &self.kind {
            Kind::OAuth(oauth, _) => oauth.timeout().saturating_add(prompt::LONGEST.saturating_mul(2)),
            // Two prompts, and a moment.
            _ => prompt::LONGEST.saturating_mul(2) + Duration::from_secs(10),
        }
    }
}
