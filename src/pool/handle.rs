//! A middleware for the requests of one tenant.

use std::fmt;
use std::hash::Hash;

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next};

use super::pool::SessionPool;
use crate::call::CallOptions;
use crate::error::Error;
use crate::session::Session;

/// A middleware for the requests of one tenant of a [`SessionPool`]. A tenant in the [`CallOptions`] of a request is
/// ignored.
///
/// ```
/// # fn example(pool: &reqwest_challenge::SessionPool<u64>) {
/// use reqwest_middleware::ClientBuilder;
///
/// let client = ClientBuilder::new(reqwest::Client::new()).with(pool.handle(42)).build();
/// # drop(client); }
/// ```
pub struct TenantHandle<K> {
    pub(super) pool: SessionPool<K>,
    pub(super) key: K,
}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> SessionPool<K> {
    /// Returns a middleware for the requests of one tenant. The session is made when the first request needs it, and can be
    /// dropped between two requests.
    #[must_use]
    pub fn handle(&self, key: K) -> TenantHandle<K> {
        TenantHandle { pool: self.clone(), key }
    }
}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> TenantHandle<K> {
    /// Returns the session of the tenant. See [`SessionPool::session`].
    ///
    /// # Errors
    /// [`Error::Tenant`] if the factory fails or panics, or if there is no tokio runtime.
    pub async fn session(&self) -> Result<Session, Error> {
        self.pool.session(&self.key).await
    }
}

#[async_trait]
impl<K: Eq + Hash + Clone + Send + Sync + 'static> Middleware for TenantHandle<K> {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        if extensions.get::<CallOptions>().is_some_and(CallOptions::skips) {
            return next.run(request, extensions).await;
        }
        self.pool.send(&self.key, request, extensions, next).await
    }
}

impl<K: Clone> Clone for TenantHandle<K> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), key: self.key.clone() }
    }
}

impl<K> fmt::Debug for TenantHandle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantHandle").finish_non_exhaustive()
    }
}
