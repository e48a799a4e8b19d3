//! The settings of a pool.

use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use super::entries::Entries;
use super::pool::SessionPool;
use super::shared::{Factory, Inner};
use crate::BoxError;
use crate::middleware::ChallengeMiddleware;
use crate::refresh::Clock;

/// How many sessions a pool keeps by default.
const DEFAULT_CAPACITY: usize = 10_000;

/// Builds a [`SessionPool`]. Each setting has a default.
#[must_use = "a builder does nothing until `build` is called"]
pub struct PoolBuilder<K> {
    factory: Box<Factory<K>>,
    capacity: usize,
    idle_timeout: Option<Duration>,
    clock: Option<Arc<dyn Clock>>,
    refresh_client: OnceLock<reqwest::Client>,
}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> SessionPool<K> {
    /// Returns a builder for a pool. The factory makes the middleware of a tenant.
    ///
    /// The factory runs on a separate task, so that a caller which stops waiting does not end it. If it fails or panics, the
    /// callers that wait get [`Error::Tenant`](crate::Error::Tenant), and the next use of the key calls it again.
    pub fn builder<F, Fut, E>(factory: F) -> PoolBuilder<K>
    where
        F: Fn(K) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ChallengeMiddleware, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        PoolBuilder::new(Box::new(move |key| {
            let made = factory(key);
            Box::pin(async move { made.await.map_err(Into::into) })
        }))
    }
}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> PoolBuilder<K> {
    pub(super) fn new(factory: Box<Factory<K>>) -> Self {
        Self { factory, capacity: DEFAULT_CAPACITY, idle_timeout: None, clock: None, refresh_client: OnceLock::new() }
    }

    /// Sets how many sessions are kept. The default is 10,000. If more are in use at the same time, there are more for that
    /// time.
    pub fn capacity(mut self, sessions: usize) -> Self {
        self.capacity = sessions;
        self
    }

    /// Drops a session that was not used for this time. By default only the capacity limits how long a session stays.
    pub fn idle_timeout(mut self, span: Duration) -> Self {
        self.idle_timeout = Some(span);
        self
    }

    /// Sets the clock of the idle timeout, for tests. The default is the system's clock. The sessions have the clock that
    /// the factory sets.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets the client that the refreshers of all tenants get for their own calls, unless the factory sets another one. See
    /// [`Builder::refresh_client`](crate::Builder::refresh_client). By default one client is built for all of them.
    pub fn refresh_client(mut self, client: reqwest::Client) -> Self {
        self.refresh_client = OnceLock::from(client);
        self
    }

    /// Builds the pool. It is empty.
    #[must_use]
    pub fn build(self) -> SessionPool<K> {
        SessionPool(Arc::new(Inner {
            entries: Mutex::new(Entries::new(self.capacity, self.idle_timeout)),
            factory: self.factory,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemTime::now)),
            refresh_client: self.refresh_client,
        }))
    }
}

impl<K> fmt::Debug for PoolBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("capacity", &self.capacity)
            .field("idle_timeout", &self.idle_timeout)
            .finish_non_exhaustive()
    }
}
