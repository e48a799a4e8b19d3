//! The locks of one renewal: one while the refresher renews, and another one while it asks the user.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, RefreshContext, RefreshError, RefreshReason, RenewalLock, Secret};

use super::error::StoreError;
use super::guards::{Prepared, StoreLock};
use super::saved::Saved;
use super::stored_entry::StoredEntry;
use crate::util::{abandoned, lock, unless};

/// The locks of one renewal.
///
/// The lock of a renewal is held for as long as a server takes to answer. All other processes wait for it. A user takes minutes,
/// so the lock is released before the user is asked. A second lock then makes only those processes wait that would ask the
/// user too.
pub(super) struct StoreRenewalLock {
    entry: StoredEntry,
    /// The text that was stored when the renewal began.
    stored: Option<Saved>,
    stage: Mutex<Stage>,
    /// The credential of a login that another process completed.
    login_elsewhere: OnceLock<Credential>,
    /// The new attachment that came without a usable credential.
    attachment: OnceLock<Secret>,
}

enum Stage {
    /// This process holds the lock, so no other process renews.
    Renewing { _lock: StoreLock, prepared: Option<Prepared> },
    /// There is no lock: nothing can be stored, or another process renews and a login does not wait for it.
    Unlocked(StoreError),
    /// The refresher asks the user. If it holds the lock of prompts, no other process asks the user.
    Prompting { _lock: Option<StoreLock> },
}

impl StoreRenewalLock {
    /// Holds the lock of a renewal, or the reason why there is none.
    pub(super) fn new(entry: StoredEntry, stored: Option<Saved>, lock: Result<StoreLock, StoreError>) -> Self {
        let stage = lock.map_or_else(Stage::Unlocked, |lock| Stage::Renewing { _lock: lock, prepared: None });
        Self { entry, stored, stage: Mutex::new(stage), login_elsewhere: OnceLock::new(), attachment: OnceLock::new() }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        lock(&self.stage)
    }

    /// Whether the user was asked. The login is then saved, also if another process has changed the entry.
    pub(super) fn has_prompted(&self) -> bool {
        matches!(*self.stage(), Stage::Prompting { .. })
    }

    /// Whether the credential comes from a login in another process, and not from the refresher.
    pub(super) fn is_login_elsewhere(&self, credential: &Credential) -> bool {
        self.login_elsewhere.get() == Some(credential)
    }

    /// The attachment that the refresher kept from a response without a usable credential.
    pub(super) fn kept_attachment(&self) -> Option<Secret> {
        self.attachment.get().cloned()
    }

    /// Releases the lock of the renewal. Returns `false` if it was released before.
    fn release(&self) -> Result<bool, StoreError> {
        let mut stage = self.stage();
        match &*stage {
            Stage::Unlocked(StoreError::Locked { .. }) | Stage::Renewing { .. } => {
                *stage = Stage::Prompting { _lock: None };
                Ok(true)
            }
            Stage::Unlocked(error) => Err(error.clone()),
            Stage::Prompting { .. } => Ok(false),
        }
    }

    /// Checks that the replacement of a single-use token can be saved, and reserves the space for it.
    pub(super) async fn prepare_save(&self) -> Result<(), StoreError> {
        match &*self.stage() {
            Stage::Unlocked(error) => return Err(error.clone()),
            Stage::Renewing { prepared: Some(_), .. } => return Ok(()),
            Stage::Renewing { .. } | Stage::Prompting { .. } => {}
        }
        let new = self.entry.prepare(self.stored.as_ref()).await?;
        if let Stage::Renewing { prepared, .. } = &mut *self.stage() {
            *prepared = Some(new);
        }
        Ok(())
    }

    /// The lock of a prompt. Returns `None` if another process holds it, and this one does not wait or has waited long enough.
    /// A login that the caller asked for does not wait.
    async fn lock_prompt(&self, context: &RefreshContext) -> Result<Option<StoreLock>, RefreshError> {
        let StoredEntry { store, key, lock_timeout, on_waiting, .. } = &self.entry;
        let key = key.of_prompts();
        let mut lock = store.lock(&key, Duration::ZERO).await;
        if lock.as_ref().is_err_and(StoreError::is_locked) && context.reason() != RefreshReason::Login {
            on_waiting();
            let waiting = unless(pin!(context.abandoned()), pin!(store.lock(&key, *lock_timeout))).await;
            lock = waiting.map_err(|()| abandoned())?;
        }
        match lock {
            Ok(lock) => Ok(Some(lock)),
            Err(StoreError::Locked { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl RenewalLock for StoreRenewalLock {
    async fn before_prompt(&self, context: &RefreshContext) -> Result<Option<Credential>, RefreshError> {
        if !self.release()? {
            return Ok(None);
        }
        // The user is not asked for a login that cannot be saved.
        drop(self.entry.prepare(self.stored.as_ref()).await?);
        let lock = self.lock_prompt(context).await?;
        *self.stage() = Stage::Prompting { _lock: lock };
        // Another process may have completed a login while this one waited.
        let changed = self.entry.load().await?.filter(|now| Some(now) != self.stored.as_ref());
        let login = changed.and_then(|changed| self.entry.credential(&changed));
        let login = login.filter(|login| self.entry.answers(login, context));
        Ok(login.map(|login| self.login_elsewhere.get_or_init(|| login).clone()))
    }

    async fn before_spending(&self) -> Result<(), RefreshError> {
        Ok(self.prepare_save().await?)
    }

    fn keep_attachment(&self, attachment: Secret) {
        // One call of a refresher sends one token, so only the first attachment counts.
        let _ = self.attachment.set(attachment);
    }
}
