//! Whose turn it is: to renew, and then, where that takes a person, to ask.

use crate::util::abandoned;
use crate::util::lock;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use async_trait::async_trait;

use super::error::StoreError;
use super::stored_entry::StoredEntry;
use super::{Lock, Prepared, Saved};
use crate::util::unless;
use reqwest_challenge::Credential;
use reqwest_challenge::RenewalLock;
use reqwest_challenge::Secret;
use reqwest_challenge::{RefreshContext, RefreshError, RefreshReason};

/// The locks of one renewal. Others wait for the first, which is held for as long as a server takes; a person takes minutes, so that it
/// is let go before one is asked, and only who would ask, too, waits for the second.
pub(super) struct StoreRenewalLock {
    shelf: StoredEntry,
    /// What was stored when it began.
    stored: Option<Saved>,
    stage: Mutex<Stage>,
    /// What another process's person had logged in by.
    given: OnceLock<Credential>,
    /// The new attachment that came without a usable credential.
    replaced: OnceLock<Secret>,
}

enum Stage {
    /// Nobody else renews.
    Renewing { _lock: Lock, prepared: Option<Prepared> },
    /// There is no lock: nothing can be stored, or another process renews and a login does not wait for it.
    Unlocked(StoreError),
    /// A person is asked: by nobody else, if there is a lock.
    Asking { _lock: Option<Lock> },
}

impl StoreRenewalLock {
    /// With the renewal's lock, or why there is none.
    pub(super) fn new(shelf: StoredEntry, stored: Option<Saved>, lock: Result<Lock, StoreError>) -> Self {
        let stage = lock.map_or_else(Stage::Unlocked, |lock| Stage::Renewing { _lock: lock, prepared: None });
        Self { shelf, stored, stage: Mutex::new(stage), given: OnceLock::new(), replaced: OnceLock::new() }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        lock(&self.stage)
    }

    /// Whether a person was asked, who gets that login, whatever came in between.
    pub(super) fn has_asked(&self) -> bool {
        matches!(*self.stage(), Stage::Asking { .. })
    }

    /// Whether that is what another process's person has logged in by, and not the refresher's own.
    pub(super) fn gave(&self, credential: &Credential) -> bool {
        self.given.get() == Some(credential)
    }

    /// The attachment that the refresher kept from a response without a credential.
    pub(super) fn replaced(&self) -> Option<Secret> {
        self.replaced.get().cloned()
    }

    /// Lets the renewal's lock go; says whether that was to do.
    fn make_way(&self) -> Result<bool, StoreError> {
        let mut stage = self.stage();
        match &*stage {
            Stage::Unlocked(StoreError::Locked { .. }) => *stage = Stage::Asking { _lock: None },
            Stage::Unlocked(error) => return Err(error.clone()),
            Stage::Asking { .. } => return Ok(false),
            Stage::Renewing { .. } => *stage = Stage::Asking { _lock: None },
        }
        Ok(true)
    }

    /// Checks that the replacement of a single-use token can be saved, and reserves the space for it.
    pub(super) async fn secure(&self) -> Result<(), StoreError> {
        match &*self.stage() {
            Stage::Unlocked(error) => return Err(error.clone()),
            Stage::Renewing { prepared: Some(_), .. } => return Ok(()),
            Stage::Renewing { .. } | Stage::Asking { .. } => {}
        }
        let room = self.shelf.prepare(self.stored.as_ref()).await?;
        if let Stage::Renewing { prepared, .. } = &mut *self.stage() {
            *prepared = Some(room);
        }
        Ok(())
    }

    /// The lock of those who ask. Whoever was asked to ask waits for nobody, and neither does who has waited for long enough.
    async fn to_ask(&self, context: &RefreshContext) -> Result<Option<Lock>, RefreshError> {
        let StoredEntry { store, key, patience, waiting, .. } = &self.shelf;
        let key = key.of_logins();
        let mut lock = store.lock(&key, Duration::ZERO).await;
        if matches!(lock, Err(StoreError::Locked { .. })) && context.reason() != RefreshReason::Login {
            waiting();
            let waits = unless(pin!(context.abandoned()), pin!(store.lock(&key, *patience))).await;
            lock = waits.map_err(|()| abandoned())?;
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
        if !self.make_way()? {
            return Ok(None);
        }
        // The user is not asked for a login that cannot be saved.
        drop(self.shelf.prepare(self.stored.as_ref()).await?);
        let lock = self.to_ask(context).await?;
        *self.stage() = Stage::Asking { _lock: lock };
        // Whoever asked meanwhile has an answer by now.
        let now = self.shelf.load().await?.filter(|now| Some(now) != self.stored.as_ref());
        let theirs = now.and_then(|now| self.shelf.credential(&now));
        let theirs = theirs.filter(|theirs| self.shelf.answers(theirs, context));
        Ok(theirs.map(|theirs| self.given.get_or_init(|| theirs).clone()))
    }

    async fn before_spending(&self) -> Result<(), RefreshError> {
        Ok(self.secure().await?)
    }

    fn keep_attachment(&self, attachment: Secret) {
        // One call of a refresher presents one token.
        let _ = self.replaced.set(attachment);
    }
}
