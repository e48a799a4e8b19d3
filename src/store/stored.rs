//! A refresher whose credentials are stored.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::{Key, Saved, Store, StoreError};
use crate::credential::Credential;
use crate::refresh::{Cause, Clock, Refresh, RefreshError, RefreshErrorKind, Rejection};
use crate::secret::Secret;

type Restore = Arc<dyn Fn(&str, Secret) -> Option<Credential> + Send + Sync>;
type Report = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// A refresher whose credentials are stored: it begins with what is stored, and what it renews is saved before anybody uses it.
///
/// A renewal holds the store's lock, and looks first: what another process has renewed meanwhile is taken as it is. A credential
/// whose refresh token is finished is cleared, unless somebody has put another in its place.
pub struct Stored<R> {
    refresher: R,
    store: Arc<dyn Store>,
    key: Key,
    patience: Duration,
    restore: Restore,
    report: Report,
    clock: Arc<dyn Clock>,
    /// What could not be saved, and what is stored in its place.
    unsaved: tokio::sync::Mutex<Option<Unsaved>>,
    problem: Mutex<Option<StoreError>>,
    /// How many logins were saved.
    logins: AtomicUsize,
}

#[derive(Clone)]
struct Unsaved {
    old: Option<Saved>,
    new: Saved,
    /// Whether somebody asked for it.
    asked: bool,
}

/// What is there.
struct Looked {
    /// In the store.
    stored: Option<Saved>,
    /// And, where what is newer could not be saved, that.
    held: Option<Saved>,
}

/// How long a renewal waits for another process's.
const PATIENCE: Duration = Duration::from_secs(30);

impl<R: Refresh> Stored<R> {
    /// That refresher's credentials, in that store, under that key.
    #[must_use]
    pub fn new(refresher: R, store: impl Store, key: Key) -> Self {
        Self {
            refresher,
            store: Arc::new(store),
            key,
            patience: PATIENCE,
            restore: Arc::new(|_, _| None),
            report: Arc::new(|_| ()),
            clock: Arc::new(SystemTime::now),
            unsaved: tokio::sync::Mutex::new(None),
            problem: Mutex::new(None),
            logins: AtomicUsize::new(0),
        }
    }

    /// How long it waits while another process renews: 30 s by default, as a refresh takes.
    #[must_use]
    pub fn patience(mut self, span: Duration) -> Self {
        self.patience = span;
        self
    }

    /// Makes a credential of a scheme of one's own again, of its name and what [`Authorize::export`](crate::Authorize::export) gave:
    /// `|scheme, token| (scheme == "DPoP").then(|| dpop.restored(token))`.
    #[must_use]
    pub fn restored_by(mut self, restore: impl Fn(&str, Secret) -> Option<Credential> + Send + Sync + 'static) -> Self {
        self.restore = Arc::new(restore);
        self
    }

    /// By that clock, which says whether what another process has saved has expired.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Hears of a credential that could not be saved: it serves all the same, and is saved with the next renewal or logout.
    #[must_use]
    pub fn on_unsaved(mut self, report: impl Fn(&StoreError) + Send + Sync + 'static) -> Self {
        self.report = Arc::new(report);
        self
    }

    /// Why the last credential is not stored, if it is not: a login that nothing remains of is none.
    #[must_use]
    pub fn unsaved(&self) -> Option<StoreError> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where it is stored, for a person.
    #[must_use]
    pub fn place(&self) -> String {
        self.store.name()
    }

    fn credential(&self, saved: &Saved) -> Option<Credential> {
        let credential = Credential::of_saved(saved, &*self.restore)?;
        Some(credential.source(self.store.name()))
    }

    /// What is there, after what could not be saved the last time has been, if it can be now.
    async fn look(&self) -> Result<Looked, StoreError> {
        let mut unsaved = self.unsaved.lock().await;
        if let Some(pending) = unsaved.clone() {
            let result = self.save(&pending).await;
            if result.is_ok() {
                *unsaved = None;
            }
            self.tell(result.err());
        }
        let stored = self.store.load(&self.key).await?;
        // What is still not saved is newer than what is stored, if that is what it was.
        let newer = unsaved.as_ref().filter(|pending| pending.old == stored).map(|pending| pending.new.clone());
        Ok(Looked { held: newer.or_else(|| stored.clone()), stored })
    }

    /// Whether nobody else came in between. Whoever asked for a login gets it, whatever came in between.
    async fn save(&self, pending: &Unsaved) -> Result<bool, StoreError> {
        let mut is_saved = self.store.replace(&self.key, pending.old.as_ref(), &pending.new).await?;
        for _ in 0..8 {
            if is_saved || !pending.asked {
                break;
            }
            let now = self.store.load(&self.key).await?;
            is_saved = self.store.replace(&self.key, now.as_ref(), &pending.new).await?;
        }
        Ok(is_saved)
    }

    /// Saves; what cannot be saved is kept for the next time, and reported. Says whether nobody else came in between.
    async fn put(&self, pending: Unsaved) -> bool {
        let mut unsaved = self.unsaved.lock().await;
        // Kept before it is tried, for a runtime may end meanwhile, and before anybody hears of it, who may panic.
        *unsaved = Some(pending.clone());
        let mut result = self.save(&pending).await;
        if result.is_err() {
            // Once more at once: a disk that was full, a file that a scanner held.
            result = self.save(&pending).await;
        }
        if result.is_ok() {
            *unsaved = None;
        }
        drop(unsaved);
        let is_saved = *result.as_ref().unwrap_or(&true);
        self.tell(result.err());
        is_saved
    }

    /// Keeps, and reports, why what is new is not stored; or that it is.
    fn tell(&self, error: Option<StoreError>) {
        (*self.problem.lock().unwrap_or_else(PoisonError::into_inner)).clone_from(&error);
        if let Some(error) = &error {
            (self.report)(error);
        }
    }

    /// Whether what is stored answers the rejection, because somebody else has renewed.
    fn answers(&self, stored: &Credential, rejection: &Rejection) -> bool {
        let wants_another = match rejection.cause() {
            Cause::Challenged | Cause::Expired => !rejection.demand().is_plain(),
            Cause::SteppingUp => {
                let has = |scope| stored.granted_scopes().is_some_and(|granted| granted.contains(scope));
                !rejection.demand().scopes().iter().all(has)
            }
            Cause::Asked => true,
        };
        // What another process has saved may have run out since.
        let is_over = stored.expiry().is_some_and(|expiry| expiry <= self.clock.now());
        !wants_another && !is_over && !rejection.credential().is_some_and(|refused| refused.is_same_as(stored))
    }

    /// Whether it takes longer than another process waits, because a person logs in: such a login uses nothing of what is stored, and is
    /// saved in its place, so that nobody need wait for it.
    fn waits_for_person(&self, rejection: &Rejection) -> bool {
        rejection.cause() == Cause::Asked && self.refresher.timeout() > self.patience
    }

    /// Renews, and saves before anybody uses it.
    async fn renew(&self, rejection: Rejection, stored: Option<Saved>) -> Result<Option<Credential>, RefreshError> {
        let cause = rejection.cause();
        match self.refresher.refresh(rejection).await {
            Ok(Some(new)) => self.keep(new, stored, cause).await.map(Some),
            Err(error) if matches!(error.kind(), RefreshErrorKind::Rejected { .. }) => {
                // Somebody without our lock may have put another there.
                let now = self.store.load(&self.key).await?;
                if now != stored
                    && let Some(credential) = now.as_ref().and_then(|now| self.credential(now))
                {
                    return Ok(Some(credential));
                }
                *self.unsaved.lock().await = None;
                if let Some(stored) = &stored
                    && let Err(problem) = self.store.clear(&self.key, stored).await
                {
                    // That the login has ended is what matters more.
                    self.tell(Some(problem));
                }
                Err(error)
            }
            other => other,
        }
    }

    async fn keep(&self, new: Credential, old: Option<Saved>, cause: Cause) -> Result<Credential, RefreshError> {
        // What nobody could make again is as good as not stored, and had better be said now.
        let saved = new.to_saved().filter(|saved| self.credential(saved).is_some());
        let Some(saved) = saved else {
            self.tell(Some(StoreError::NotStorable { scheme: new.scheme().to_owned() }));
            return Ok(new);
        };
        let mut old = old;
        // Nobody logs in and out in other processes as often as that.
        for _ in 0..8 {
            let asked = cause == Cause::Asked;
            if self.put(Unsaved { old: old.clone(), new: saved.clone(), asked }).await {
                self.logins.fetch_add(usize::from(cause == Cause::Asked), Ordering::SeqCst);
                // What is not saved has no place.
                return Ok(if self.unsaved().is_none() { new.source(self.store.name()) } else { new });
            }
            // Somebody without our lock was there: a login, a logout.
            let now = self.store.load(&self.key).await?;
            match now.as_ref().and_then(|now| self.credential(now)) {
                // Whoever asked for a login gets it; a renewal gives way to what is newer.
                Some(winner) if cause != Cause::Asked => return Ok(winner),
                None if cause != Cause::Asked && old.is_some() && now.is_none() => {
                    // Best done, and no more: the login is over, whatever the server says to that.
                    let _ = self.refresher.forget(Some(new)).await;
                    return Err(RefreshError::login_required("log in: somebody logged out in another process"));
                }
                _ => old = now,
            }
        }
        Ok(new)
    }
}

#[async_trait]
impl<R: Refresh> Refresh for Stored<R> {
    async fn refresh(&self, rejection: Rejection) -> Result<Option<Credential>, RefreshError> {
        let _lock = if self.waits_for_person(&rejection) {
            // Where nothing can be stored, nobody is asked for anything.
            match self.store.lock(&self.key, Duration::ZERO).await {
                Ok(_) | Err(StoreError::Locked { .. }) => None,
                Err(error) => return Err(error.into()),
            }
        } else {
            Some(self.store.lock(&self.key, self.patience).await?)
        };
        let Looked { stored, held } = self.look().await?;
        let Some(credential) = held.as_ref().and_then(|held| self.credential(held)) else {
            // What was stored here and is no more was logged out, and nothing of it is renewed.
            let was_ours = |refused: &Credential| refused.provenance() == Some(&*self.store.name());
            let refused = rejection.refused.clone().filter(|refused| !was_ours(refused));
            return self.renew(Rejection { refused, ..rejection }, stored).await;
        };
        if self.answers(&credential, &rejection) {
            return Ok(Some(credential));
        }
        // What is stored renews, whatever it was that was refused.
        let rejection = Rejection { refused: Some(credential), ..rejection };
        self.renew(rejection, stored).await
    }

    async fn initial(&self) -> Result<Option<Credential>, RefreshError> {
        let stored = self.look().await?.held;
        if let Some(credential) = stored.as_ref().and_then(|stored| self.credential(stored)) {
            return Ok(Some(credential));
        }
        if let Some(scheme) = stored.as_ref().and_then(Credential::scheme_of_saved) {
            // It is there, and might as well not be.
            self.tell(Some(StoreError::NotStorable { scheme }));
        }
        self.refresher.initial().await
    }

    /// Forgets what is stored, which another process may have renewed since.
    async fn forget(&self, credential: Option<Credential>) -> Result<(), RefreshError> {
        let before = self.logins.load(Ordering::SeqCst);
        let _lock = self.store.lock(&self.key, self.patience).await?;
        let stored = self.look().await?.held;
        let held = stored.as_ref().and_then(|stored| self.credential(stored));
        // Whoever logged in anew while the lock was waited for, or while a credential came late, has nothing to do with it.
        let is_late = credential.as_ref().is_some_and(Credential::came_late);
        let is_anew = match (&credential, &held) {
            (Some(credential), Some(held)) => !held.is_same_as(credential),
            _ => true,
        };
        if is_anew && (is_late || before != self.logins.load(Ordering::SeqCst)) {
            return self.refresher.forget(credential).await;
        }
        *self.unsaved.lock().await = None;
        if let Some(stored) = self.store.load(&self.key).await? {
            self.store.clear(&self.key, &stored).await?;
        }
        // Here it is forgotten, whatever the server says to that.
        self.refresher.forget(held.or(credential)).await
    }

    fn timeout(&self) -> Duration {
        self.refresher.timeout().saturating_add(self.patience)
    }
}

impl<R> fmt::Debug for Stored<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("store", &self.store.name()).field("key", &self.key).finish_non_exhaustive()
    }
}
