//! A login by whatever way reaches the person.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::builder::{LoginBuilder, Plan};
use super::prompt;
use super::show::Screen;
use super::surroundings::Surroundings;
use crate::credential::Credential;
use crate::oauth::{Client, Issuer, OAuth};
use crate::refresh::{Cause, Refresh, RefreshError, RefreshErrorKind, Rejection};

/// A login by whatever way reaches the person: a [`Refresh`] for a command-line tool.
///
/// A person is asked where somebody asked for a login, or, where [`prompting`](LoginBuilder::prompting) is said, by a 401 too; and only
/// where there is a terminal, and nobody said that there is none to ask. Else it is
/// [`LoginRequired`](crate::RefreshErrorKind::LoginRequired) at once, with the command that helps.
pub struct Login {
    pub(super) kind: Kind,
    pub(super) around: Surroundings,
    pub(super) screen: Screen,
    pub(super) hint: String,
    pub(super) prompts: bool,
}

pub(super) enum Kind {
    /// And where a token is made, for whom the server has no way.
    OAuth(Box<OAuth>, Option<String>),
    Token(String),
    Password(Option<String>),
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

    /// A secret of the person, if there is one who wants to be asked.
    async fn prompted(&self, rejection: &Rejection) -> Result<Credential, RefreshError> {
        let asked = self.prompts || rejection.cause() == Cause::Asked;
        if !asked || !self.around.reaches_person() {
            let required = RefreshError::login_required(&*self.hint);
            let was_typed = !matches!(self.kind, Kind::OAuth(..));
            // What was typed wrong is not sent again in every run to come: a store clears it. What a server of tokens gave may be
            // good for a renewal still.
            return Err(match (rejection.cause(), rejection.credential()) {
                (Cause::Challenged, Some(_)) if was_typed => {
                    RefreshError::rejected("refused_by_server").caused_by(required)
                }
                _ => required,
            });
        }
        // It is the host's real name that is shown, whatever a challenge says of itself.
        let host = rejection.origin().host();
        let credential = match &self.kind {
            Kind::Password(user) => {
                let user = match user {
                    Some(user) => user.clone(),
                    None => prompt::line(rejection, format!("User name for {host}")).await?,
                };
                let password = prompt::secret(rejection, format!("Password of {user} for {host}")).await?;
                Credential::basic(user, password.expose())
            }
            Kind::Token(made_at) | Kind::OAuth(_, Some(made_at)) => {
                self.screen.say(&format!("A token for {host} is made at {made_at}"));
                Credential::bearer(prompt::secret(rejection, format!("Token for {host}")).await?.expose().trim())
            }
            Kind::OAuth(_, None) => return Err(RefreshError::login_required(&*self.hint)),
        };
        credential.check().map_err(RefreshError::other)?;
        Ok(credential.source("prompt"))
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
    async fn refresh(&self, rejection: Rejection) -> Result<Option<Credential>, RefreshError> {
        let _waiting = self.screen.while_waiting();
        match &self.kind {
            Kind::OAuth(oauth, made_at) => match oauth.refresh(rejection.clone()).await {
                Err(error) if made_at.is_some() && matches!(error.kind(), RefreshErrorKind::LoginRequired { .. }) => {
                    self.prompted(&rejection).await.map(Some)
                }
                answer => answer,
            },
            Kind::Token(_) | Kind::Password(_) => self.prompted(&rejection).await.map(Some),
        }
    }

    async fn forget(&self, credential: Option<Credential>) -> Result<(), RefreshError> {
        match &self.kind {
            Kind::OAuth(oauth, _) => oauth.forget(credential).await,
            _ => Ok(()),
        }
    }

    fn timeout(&self) -> Duration {
        match &self.kind {
            Kind::OAuth(oauth, _) => oauth.timeout() + prompt::LONGEST,
            // Two prompts, and a moment.
            _ => prompt::LONGEST.saturating_mul(2) + Duration::from_secs(10),
        }
    }
}
