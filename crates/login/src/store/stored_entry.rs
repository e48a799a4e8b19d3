//! What is stored under one key, as credentials.

use super::stored_form::from_saved;
use std::sync::Arc;
use std::time::Duration;

use super::error::StoreError;
use super::key::Key;
use super::{Lock, Prepared, Saved, Store};
use reqwest_challenge::Credential;
use reqwest_challenge::Secret;
use reqwest_challenge::{RefreshContext, RefreshReason};

/// Makes a credential again, of its scheme and what it exported.
pub(super) type Restore = Arc<dyn Fn(&str, Secret) -> Option<Credential> + Send + Sync>;

/// How long a login or a logout waits for another process's renewal: longer than a token endpoint usually takes.
const BRIEF: Duration = Duration::from_secs(2);

/// A store, a key, and how what is under it is read.
#[derive(Clone)]
pub(super) struct StoredEntry {
    pub(super) store: Arc<dyn Store>,
    pub(super) key: Key,
    /// How long another process is waited for.
    pub(super) patience: Duration,
    pub(super) restore: Restore,
    /// Hears that another process's login is waited for.
    pub(super) waiting: Arc<dyn Fn() + Send + Sync>,
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

    /// The lock of those who renew.
    pub(super) async fn lock(&self) -> Result<Lock, StoreError> {
        self.store.lock(&self.key, self.patience).await
    }

    /// The same lock, for a login, a logout, or a renewal before the expiry. A process that was stopped during a renewal must not
    /// keep the user waiting. A login and a logout go on without the lock, and what they write is compared with what is stored.
    pub(super) async fn lock_briefly(&self) -> Result<Lock, StoreError> {
        self.store.lock(&self.key, self.patience.min(BRIEF)).await
    }

    /// Checks that the replacement of `old` can be saved.
    pub(super) async fn prepare(&self, old: Option<&Saved>) -> Result<Prepared, StoreError> {
        let size = old.map_or(0, |old| old.expose().len());
        // A new token may be longer than the old one, and a quote in it takes two octets in a file.
        self.store.prepare(&self.key, size + (size / 2).max(4 << 10)).await
    }

    pub(super) async fn sweep(&self) -> Result<Vec<Saved>, StoreError> {
        self.store.sweep(&self.key).await
    }

    /// What is stored, as a credential, where it can be made again.
    pub(super) fn credential(&self, saved: &Saved) -> Option<Credential> {
        let credential = from_saved(saved, &*self.restore)?;
        Some(credential.with_source(self.name()))
    }

    /// Whether the credential of the context has an expiry in the future.
    pub(super) fn is_good(&self, context: &RefreshContext) -> bool {
        context.credential().and_then(Credential::expiry).is_some_and(|expiry| expiry > context.now())
    }

    /// Whether what is stored answers the rejection, because somebody else has renewed.
    pub(super) fn answers(&self, stored: &Credential, context: &RefreshContext) -> bool {
        let wants_another = match context.reason() {
            RefreshReason::Challenged | RefreshReason::Expired => !context.demand().is_plain(),
            RefreshReason::StepUp => {
                let has = |scope| stored.scopes().is_some_and(|granted| granted.contains(scope));
                !context.demand().scopes().iter().all(has)
            }
            _ => true,
        };
        // What another process has saved may have run out since.
        let is_over = stored.expiry().is_some_and(|expiry| expiry <= context.now());
        !wants_another && !is_over && !context.credential().is_some_and(|refused| refused == stored)
    }
}
