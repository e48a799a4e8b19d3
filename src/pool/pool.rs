//! The pool, and how a request finds its tenant.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next};

use super::shared::Inner;
use crate::call::CallOptions;
use crate::error::{Error, TenantError, TenantErrorKind};
use crate::middleware::ChallengeMiddleware;
use crate::session::Session;
use crate::util::lock;

/// One session for each tenant: a [`ChallengeMiddleware`] for each key, which a factory makes when the key is first used.
///
/// The pool is a middleware. A request names its tenant by [`CallOptions::tenant`], or is sent through a
/// [`handle`](Self::handle). Clones share the sessions.
///
/// - Callers that use a new key at the same time share one call of the factory.
/// - At most [`capacity`](crate::PoolBuilder::capacity) sessions are kept. The one that was used least recently is dropped first, and
///   so is one that was not used for the [`idle_timeout`](crate::PoolBuilder::idle_timeout). A session stays while a call, a refresh, a
///   logout or a [`Session`] handle uses it, and while its refresher
///   [holds a credential that is not saved](crate::Refresh::holds_unsaved). So two calls of one tenant never use two sessions.
/// - A dropped session loses its credential, unless its refresher stores it. The factory makes the session again.
/// - The factory must return a middleware with a new session: one of a builder, or of
///   [`with_refresher`](ChallengeMiddleware::with_refresher). A clone shares its session, so all tenants would have the same one.
/// - A session that is logged out can be dropped too. The next use of the key then makes a session that is not logged out.
///   To keep a tenant logged out, let the factory return an error for it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), reqwest_challenge::BoxError> {
/// use reqwest_challenge::{BoxError, CallOptions, ChallengeMiddleware, Credential, RefreshContext, SessionPool};
/// use reqwest_middleware::ClientBuilder;
///
/// async fn token_of(tenant: String) -> Result<Credential, BoxError> {
///     Ok(Credential::bearer(format!("token-of-{tenant}")))
/// }
///
/// // All tenants share the settings of this middleware.
/// let settings = ChallengeMiddleware::builder("https://api.example.com", Credential::bearer("unused")).build()?;
/// let pool = SessionPool::builder(move |tenant: String| {
///     let auth = settings.with_refresher(move |_: RefreshContext| token_of(tenant.clone()));
///     async { Ok::<_, BoxError>(auth) }
/// })
/// .capacity(10_000)
/// .build();
///
/// let client = ClientBuilder::new(reqwest::Client::new()).with(pool.clone()).build();
/// let request = client.get("https://api.example.com/reports").with_extension(CallOptions::new().tenant("acme".to_owned()));
/// # drop(request);
/// pool.session(&"acme".to_owned()).await?.login().await?;
/// assert_eq!(pool.len(), 1);
/// # Ok(()) }
/// ```
pub struct SessionPool<K>(pub(super) Arc<Inner<K>>);

impl<K: Eq + Hash + Clone + Send + Sync + 'static> SessionPool<K> {
    /// Returns the middleware of a tenant. The factory makes it if there is none.
    ///
    /// The session of the tenant stays in the pool while the result exists.
    ///
    /// # Errors
    /// [`Error::Tenant`] if the factory fails or panics, or if there is no tokio runtime.
    pub async fn middleware(&self, key: &K) -> Result<ChallengeMiddleware, Error> {
        self.0.middleware(key).await.map_err(Error::Tenant)
    }

    /// Returns the session of a tenant, for a login, a logout or a [fresh](Session::fresh) credential. The factory makes it if
    /// there is none.
    ///
    /// The session stays in the pool while the result exists.
    ///
    /// # Errors
    /// [`Error::Tenant`] if the factory fails or panics, or if there is no tokio runtime.
    pub async fn session(&self, key: &K) -> Result<Session, Error> {
        self.middleware(key).await.map(|middleware| middleware.session())
    }

    /// Drops the session of a tenant, so that the next use of the key calls the factory. Returns `false`, and keeps the
    /// session, if there is none or if it is in use. To log a tenant out, call [`Session::logout`] first.
    pub fn remove(&self, key: &K) -> bool {
        let removed = lock(&self.0.entries).remove_idle(key, ChallengeMiddleware::is_in_use);
        removed.is_some()
    }

    /// Drops every session that was idle for longer than the [`idle_timeout`](crate::PoolBuilder::idle_timeout), and returns their
    /// number. Each use of the pool looks at a few sessions itself, so this is needed only if the pool is not used for a
    /// while.
    pub fn remove_idle(&self) -> usize {
        let now = self.0.clock.now();
        let removed = lock(&self.0.entries).evict(now, ChallengeMiddleware::is_in_use, true);
        removed.len()
    }

    /// Returns how many tenants have a session now.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.0.entries).len()
    }

    /// Whether no tenant has a session now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends a request with the session of this tenant.
    pub(super) async fn send(
        &self,
        key: &K,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let middleware = self.middleware(key).await.map_err(Error::into_middleware)?;
        middleware.handle(request, extensions, next).await
    }
}

#[async_trait]
impl<K: Eq + Hash + Clone + Send + Sync + 'static> Middleware for SessionPool<K> {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let options = extensions.get::<CallOptions>();
        if options.is_some_and(CallOptions::skips) {
            return next.run(request, extensions).await;
        }
        let key = options.and_then(CallOptions::tenant_key::<K>).cloned();
        match key {
            Some(key) => self.send(&key, request, extensions, next).await,
            None => {
                let has_other = options.is_some_and(CallOptions::has_tenant);
                let kind = if has_other { TenantErrorKind::OtherType } else { TenantErrorKind::Missing };
                Err(Error::Tenant(TenantError::new(kind)).into_middleware())
            }
        }
    }
}

impl<K> Clone for SessionPool<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> fmt::Debug for SessionPool<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key may be a secret, so keys are not shown.
        f.debug_struct("SessionPool").finish_non_exhaustive()
    }
}
