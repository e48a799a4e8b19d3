//! What all clones of a pool share.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};

use super::entries::Entries;
use crate::BoxError;
use crate::error::TenantError;
use crate::middleware::ChallengeMiddleware;
use crate::refresh::{Clock, refresh_client};
use crate::session::Flight;

/// Makes the middleware of a key.
pub(super) type Factory<K> =
    dyn Fn(K) -> Pin<Box<dyn Future<Output = Result<ChallengeMiddleware, BoxError>> + Send>> + Send + Sync;

/// The outcome for all callers of a key.
pub(super) type Outcome = Result<ChallengeMiddleware, TenantError>;

/// What all clones of a pool share.
pub(super) struct Inner<K> {
    pub(super) entries: Mutex<Entries<K, ChallengeMiddleware, Arc<Flight<Outcome>>>>,
    pub(super) factory: Box<Factory<K>>,
    pub(super) clock: Arc<dyn Clock>,
    /// The client of all refreshers whose middleware has none.
    pub(super) refresh_client: OnceLock<reqwest::Client>,
}

impl<K> Inner<K> {
    /// Lends the shared client to a new session, unless its builder has set one.
    pub(super) fn lend_client(&self, middleware: &ChallengeMiddleware) {
        if self.refresh_client.get().is_none()
            && let Ok(client) = refresh_client()
        {
            // Another task may have set it meanwhile.
            drop(self.refresh_client.set(client));
        }
        if let Some(client) = self.refresh_client.get() {
            middleware.lend_refresh_client(client);
        }
    }
}
