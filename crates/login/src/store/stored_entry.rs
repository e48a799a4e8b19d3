//! The stored text under one key, as a credential.

use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::{Credential, RefreshContext, RefreshReason, Secret};

use super::error::StoreError;
use super::guards::{Prepared, StoreLock};
use super::key::Key;
use super::saved::{Saved, from_saved};
use super::store::Store;

/// Makes a credential of a custom scheme, from its name and its exported text.
pub(super) type Restore = Arc<dyn Fn(&str, Secret) -> Option<Credential> + Send + Sync>;

/// How long a login or a logout waits for the renewal of another process: longer than a token endpoint usually takes.
const MAX_BRIEF_WAIT: Duration = Duration::from_secs(2);

/// The smallest space, in octets, that is reserved in addition to the size of the stored credential, because a new
/// credential may be larger.
const MIN_GROWTH: usize = 4 << 10;

/// One key of a store, and how to read the text under it.
#[derive(Clone)]
pub(super) struct StoredEntry {
    pub(super) store: Arc<dyn Store>,
    pub(super) key: Key,
    /// How long to wait for the lock.
    pub(super) lock_timeout: Duration,
    pub(super) restore: Restore,
    /// Called when this process begins to wait for the login of another process.
    pub(super) on_waiting: Arc<dyn Fn() + Send + Sync>,
}

impl StoredEntry {
    pub(super) fn name(&self) -> String {
        self.store.name()
    }

    pub(super) async fn load(&self) -> Result<Option<Saved>, StoreError> {
        self.store.load(&self.key).await
    }

    pub(super) async fn replace(&self, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        self.store.replace(&self.key, old, new).await
    }

    pub(super) async fn clear(&self, old: &Saved) -> Result<bool, StoreError> {
        self.store.clear(&self.key, old).await
    }

    /// The lock of a renewal.
    pub(super) async fn lock(&self) -> Result<StoreLock, StoreError> {
        self.store.lock(&self.key, self.lock_timeout).await
    }

    /// The lock of a renewal, for a login, a logout, or a renewal before the expiry, which wait for it only briefly.
    /// A process that was stopped during a renewal must not keep the user waiting. A login and a logout continue
    /// without the lock, because each change first checks that the stored text is the expected one.
    pub(super) async fn lock_briefly(&self) -> Result<StoreLock, StoreError> {
        self.store.lock(&self.key, self.lock_timeout.min(MAX_BRIEF_WAIT)).await
    }

    /// Checks that the replacement of `old` can be saved.
    pub(super) async fn prepare(&self, old: Option<&Saved>) -> Result<Prepared, StoreError> {
        let size = old.map_or(0, |old| old.expose().len());
        // A new token may be longer than the old one, and a quote in it takes two octets in a file.
        self.store.prepare(&self.key, size + (size / 2).max(MIN_GROWTH)).await
    }

    pub(super) async fn sweep(&self) -> Result<Vec<Saved>, StoreError> {
        self.store.sweep(&self.key).await
    }

    /// The credential of a stored text, if it can be restored.
    pub(super) fn credential(&self, saved: &Saved) -> Option<Credential> {
        let credential = from_saved(saved, &*self.restore)?;
        Some(credential.with_source(self.name()))
    }

    /// Whether a refresh with this context can return the stored credential, because another process has renewed it.
    pub(super) fn answers(&self, stored: &Credential, context: &RefreshContext) -> bool {
        // A login gets a separate credential.
        let may_answer =
            matches!(context.reason(), RefreshReason::Challenged | RefreshReason::Expired | RefreshReason::StepUp);
        // A credential that another process has saved may have expired since.
        let is_expired = stored.expiry().is_some_and(|expiry| expiry <= context.now());
        may_answer
            && context.demand().is_met_by(stored)
            && !is_expired
            && !context.credential().is_some_and(|refused| refused == stored)
    }
}

/// Whether the credential of the context has an expiry in the future.
pub(super) fn is_unexpired(context: &RefreshContext) -> bool {
    context.credential().and_then(Credential::expiry).is_some_and(|expiry| expiry > context.now())
}
