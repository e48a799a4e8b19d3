//! Tokens of container registries (the distribution specification's token authentication), with the feature `registry`.
//!
//! A registry's 401 names a token server, a service and scopes. Some registries leave out the service or the scopes.
//! Missing scopes are derived from the method and path of the request. The refresher fetches a token from the token server,
//! with an account or without, and keeps it for its repository and kind of access. Two repositories do not share a
//! credential.
//!
//! ```
//! use reqwest_challenge::ChallengeMiddleware;
//! use reqwest_challenge_login::registry::{Registry, partition};
//!
//! let docker = Registry::new().token_server("https://auth.docker.io")?;
//! let auth = ChallengeMiddleware::builder("https://registry-1.docker.io", docker).partition_by(partition).build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod dial;
mod fetch;
mod refusal;
mod scope;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use http::Method;
use http::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, Url};

use cache::{Cache, Partition};
use fetch::Asked;
use reqwest_challenge::BoxError;
use reqwest_challenge::Secret;
use reqwest_challenge::{Authorize, Credential};
use reqwest_challenge::{Origin, OriginError};
use reqwest_challenge::{Refresh, RefreshContext, RefreshError};

/// Which token a request needs: of its repository and its kind of access, for
/// [`partitioned_by`](crate::Builder::partition_by).
#[must_use]
pub fn partition(method: &Method, url: &Url) -> String {
    Partition::of(method, url).to_string()
}

/// Fetches a registry's tokens: a [`Refresh`] for a middleware that is built with
/// [`partitioned_by`](crate::Builder::partition_by)`(registry::partition)`.
///
/// It dials the registry's own origin, and the token servers that it was told of; a challenge that names another is an error, and
/// nothing is sent there.
pub struct Registry {
    account: Account,
    servers: Vec<Origin>,
    client_id: String,
    cache: Arc<Cache>,
}

/// Who asks for a token.
pub(crate) enum Account {
    /// Nobody: what is public can be pulled.
    Anonymous,
    Password(String, Secret),
    /// A refresh token, which registries call an identity token.
    Identity(Secret),
}

impl Registry {
    /// For nobody in particular: what is public can be pulled.
    #[must_use]
    pub fn new() -> Self {
        Self {
            account: Account::Anonymous,
            servers: Vec::new(),
            client_id: "reqwest-challenge".to_owned(),
            cache: Arc::default(),
        }
    }

    /// For that account: its password goes to the token server by Basic, and nowhere else.
    #[must_use]
    pub fn password(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.account = Account::Password(user.into(), password.into());
        self
    }

    /// For the account of that identity token, which is posted as a refresh token (RFC 6749 §6).
    #[must_use]
    pub fn identity_token(mut self, token: impl Into<Secret>) -> Self {
        self.account = Account::Identity(token.into());
        self
    }

    /// Trusts a token server of another origin than the registry's: `https://auth.docker.io` for `registry-1.docker.io`.
    ///
    /// # Errors
    /// [`OriginError`]: text that is no origin.
    pub fn token_server(mut self, origin: impl AsRef<str>) -> Result<Self, OriginError> {
        self.servers.push(Origin::new(origin)?);
        Ok(self)
    }

    /// Its name for itself, where a token server asks for one. `reqwest-challenge` unless it is told otherwise.
    #[must_use]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("servers", &self.servers).finish_non_exhaustive()
    }
}

#[async_trait]
impl Refresh for Registry {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let Some(challenge) = context.challenges().iter().find_map(|challenge| challenge.registry()) else {
            return Ok(None);
        };
        let (Some(method), Some(url)) = (context.method(), context.url()) else { return Ok(None) };
        let realm = dial::checked(&challenge.realm(), context.origin(), &self.servers).map_err(|error| {
            // Nothing that may go better later.
            RefreshError::denied("realm").caused_by(error)
        })?;
        let mut scopes: Vec<String> = challenge.scopes().into_iter().map(Cow::into_owned).collect();
        if scopes.is_empty() {
            scopes = scope::of(method, url);
        }
        scopes.sort_unstable();
        scopes.dedup();
        let service = Some(challenge.service().into_owned()).filter(|service| !service.is_empty());
        let asked = Asked { realm, service, scopes, client_id: &self.client_id };
        let partition = Partition::of(method, url);
        let token = fetch::token(&context, &self.account, &asked).await?;
        // A token is for what was asked, of whom.
        let Asked { realm, service, scopes, .. } = asked;
        let key = [realm.to_string(), service.unwrap_or_default()].into_iter().chain(scopes).collect();
        self.cache.keep(partition, key, token, context.now());
        Ok(Some(Credential::custom(Tokens { cache: self.cache.clone() })))
    }

    fn needs_challenge(&self) -> bool {
        true
    }

    async fn forget(&self, _: RefreshContext) -> Result<(), RefreshError> {
        self.cache.clear();
        Ok(())
    }
}

/// The tokens that were fetched, of which a request gets the one for its repository.
struct Tokens {
    cache: Arc<Cache>,
}

#[async_trait]
impl Authorize for Tokens {
    fn scheme(&self) -> &str {
        "Bearer"
    }

    async fn authorize(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError> {
        let partition = Partition::of(request.method(), request.url());
        // Without one the registry says which it wants.
        let Some(token) = self.cache.token(&partition, now) else { return Ok(()) };
        let text = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
        let value = HeaderValue::from_str(&text);
        let mut value = value.map_err(|_| "the token server's token cannot stand in a header")?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }
}
