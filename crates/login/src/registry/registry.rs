//! The refresher.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use reqwest::Request;

use super::account::Account;
use super::cache::Cache;
use super::fetch::{self, TokenRequest};
use super::partition::Partition;
use super::{scope, token_server};
use reqwest_challenge::{
    Authorize, BoxError, Credential, Origin, OriginError, Refresh, RefreshContext, RefreshError, Secret,
};

/// Fetches the tokens of a container registry: a [`Refresh`] for a middleware that is built with
/// [`partition_by`](reqwest_challenge::Builder::partition_by)`(registry::partition)`.
///
/// It sends requests to the registry's own origin and to the token servers that the caller named. If a challenge names
/// another server, the refresh fails and nothing is sent there. A clone shares the fetched tokens.
///
/// ```
/// use reqwest_challenge::ChallengeMiddleware;
/// use reqwest_challenge_login::registry::{Registry, partition};
///
/// let registry = Registry::new().token_server("https://auth.docker.io")?.password("alice", "s3cret");
/// let auth = ChallengeMiddleware::builder("https://registry-1.docker.io", registry).partition_by(partition).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Registry {
    account: Arc<Account>,
    token_servers: Vec<Origin>,
    client_id: String,
    cache: Arc<Cache>,
}

impl Registry {
    /// Fetches tokens without an account. Public repositories can be pulled.
    #[must_use]
    pub fn new() -> Self {
        Self {
            account: Arc::new(Account::Anonymous),
            token_servers: Vec::new(),
            client_id: "reqwest-challenge".to_owned(),
            cache: Arc::default(),
        }
    }

    /// Fetches tokens for this account. Its password is sent to the token server by Basic (RFC 7617), and to no other
    /// server.
    #[must_use]
    pub fn password(self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.with_account(Account::Password { user: user.into(), password: password.into() })
    }

    /// Fetches tokens with an identity token, which is posted as a refresh token (RFC 6749 §6).
    #[must_use]
    pub fn identity_token(self, token: impl Into<Secret>) -> Self {
        self.with_account(Account::IdentityToken(token.into()))
    }

    /// Trusts a token server of another origin than the registry's, such as `https://auth.docker.io` for
    /// `registry-1.docker.io`.
    ///
    /// # Errors
    /// [`OriginError`] if the text is not an origin.
    pub fn token_server(mut self, origin: impl AsRef<str>) -> Result<Self, OriginError> {
        self.token_servers.push(Origin::new(origin)?);
        Ok(self)
    }

    /// Sets the `client_id` that is sent to the token server. The default is `reqwest-challenge`.
    #[must_use]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// Tokens of one account are not used for another.
    fn with_account(self, account: Account) -> Self {
        Self { account: Arc::new(account), cache: Arc::default(), ..self }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("token_servers", &self.token_servers).finish_non_exhaustive()
    }
}

#[async_trait]
impl Refresh for Registry {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let Some(challenge) = context.challenges().iter().find_map(|challenge| challenge.registry()) else {
            return Ok(None);
        };
        let (Some(method), Some(url)) = (context.method(), context.url()) else { return Ok(None) };
        // Final: a later attempt would meet the same challenge.
        let realm = token_server::checked(&challenge.realm(), context.origin(), &self.token_servers)
            .map_err(|error| RefreshError::denied("realm").caused_by(error))?;
        let mut scopes: Vec<String> = challenge.scopes().into_iter().map(Cow::into_owned).collect();
        if scopes.is_empty() {
            scopes = scope::of(method, url);
        }
        scopes.sort_unstable();
        scopes.dedup();
        let service = Some(challenge.service().into_owned()).filter(|service| !service.is_empty());
        let wanted = TokenRequest { realm, service, scopes, client_id: &self.client_id };
        let token = fetch::token(&context, &self.account, &wanted).await?;
        self.cache.insert(Partition::of(method, url), wanted.into_key(), token, context.now());
        Ok(Some(Credential::custom(CachedTokens { cache: self.cache.clone() })))
    }

    fn needs_challenge(&self) -> bool {
        true
    }

    async fn forget(&self, _: RefreshContext) -> Result<(), RefreshError> {
        self.cache.clear();
        Ok(())
    }
}

/// Signs each request with the token of its repository.
struct CachedTokens {
    cache: Arc<Cache>,
}

#[async_trait]
impl Authorize for CachedTokens {
    fn scheme(&self) -> &str {
        "Bearer"
    }

    async fn authorize(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError> {
        let partition = Partition::of(request.method(), request.url());
        // Without a token, the registry answers with a challenge that says which one it needs.
        let Some(token) = self.cache.token(&partition, now) else { return Ok(()) };
        let credential = Credential::bearer(token.expose());
        credential.check()?;
        if let Some(value) = credential.header_value() {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        Ok(())
    }
}
