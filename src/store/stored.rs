//! A refresher whose credentials are stored.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::shelf::Shelf;
use super::turn::Turn;
use super::{Key, Saved, Store, StoreError};
use crate::credential::Credential;
use crate::members::Members;
use crate::refresh::{Cause, Clock, MakesWay, Refresh, RefreshError, RefreshErrorKind, Rejection, SlotKey};
use crate::secret::Secret;

type Report = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// A refresher whose credentials are stored: it begins with what is stored, and what it renews is saved before anybody uses it.
///
/// A renewal holds the store's lock, and looks first: what another process has renewed meanwhile is taken as it is. Whoever asks a
/// person lets it go ([`Rejection::before_asking`]); another who would ask, too, waits for the person's answer. A credential whose refresh token is finished is cleared, unless somebody has put another in its place.
pub struct Stored<R> {
    pub(super) refresher: R,
    pub(super) shelf: Shelf,
    report: Report,
    /// What could not be saved, and what is stored in its place.
    pub(super) unsaved: tokio::sync::Mutex<Option<Unsaved>>,
    problem: Mutex<Option<StoreError>>,
    /// How many logins were saved.
    pub(super) logins: AtomicUsize,
}

#[derive(Clone)]
pub(super) struct Unsaved {
    pub(super) old: Option<Saved>,
    pub(super) new: Saved,
    /// Whether somebody asked for it.
    pub(super) asked: bool,
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
            shelf: Shelf {
                store: Arc::new(store),
                key,
                patience: PATIENCE,
                restore: Arc::new(|_, _| None),
                clock: Arc::new(SystemTime::now),
                waiting: Arc::new(|| ()),
            },
            report: Arc::new(|_| ()),
            unsaved: tokio::sync::Mutex::new(None),
            problem: Mutex::new(None),
            logins: AtomicUsize::new(0),
        }
    }

    /// How long it waits while another process renews, or asks a person: 30 s by default, as a refresh takes.
    #[must_use]
    pub fn patience(mut self, span: Duration) -> Self {
        self.shelf.patience = span;
        self
    }

    /// Makes a credential of a scheme of one's own again, of its name and what [`Authorize::export`](crate::Authorize::export) gave:
    /// `|scheme, token| (scheme == "DPoP").then(|| dpop.restored(token))`.
    #[must_use]
    pub fn restored_by(mut self, restore: impl Fn(&str, Secret) -> Option<Credential> + Send + Sync + 'static) -> Self {
        self.shelf.restore = Arc::new(restore);
        self
    }

    /// By that clock, which says whether what another process has saved has expired.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.shelf.clock = Arc::new(clock);
        self
    }

    /// Hears that another process asks a person for a login, which is waited for, for as long as its patience is.
    #[must_use]
    pub fn on_waiting(mut self, report: impl Fn() + Send + Sync + 'static) -> Self {
        self.shelf.waiting = Arc::new(report);
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
        self.shelf.name()
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
        let stored = self.shelf.load().await?;
        // What is still not saved is newer than what is stored, if that is what it was.
        let newer = unsaved.as_ref().filter(|pending| pending.old == stored).map(|pending| pending.new.clone());
        Ok(Looked { held: newer.or_else(|| stored.clone()), stored })
    }

    /// Whether nobody else came in between. Whoever asked for a login gets it, whatever came in between.
    async fn save(&self, pending: &Unsaved) -> Result<bool, StoreError> {
        let mut is_saved = self.shelf.replace(pending.old.as_ref(), &pending.new).await?;
        for _ in 0..8 {
            if is_saved || !pending.asked {
                break;
            }
            let now = self.shelf.load().await?;
            is_saved = self.shelf.replace(now.as_ref(), &pending.new).await?;
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
    pub(super) fn tell(&self, error: Option<StoreError>) {
        (*self.problem.lock().unwrap_or_else(PoisonError::into_inner)).clone_from(&error);
        if let Some(error) = &error {
            (self.report)(error);
        }
    }

    /// Renews, and saves before anybody uses it.
    async fn renew(
        &self,
        rejection: Rejection,
        stored: Option<Saved>,
        turn: Arc<Turn>,
    ) -> Result<Option<Credential>, RefreshError> {
        let cause = rejection.cause();
        let makes_way: Weak<dyn MakesWay> = Arc::<Turn>::downgrade(&turn);
        match self.refresher.refresh(Rejection { makes_way: Some(makes_way), ..rejection }).await {
            Ok(Some(new)) if turn.gave(&new) => Ok(Some(new)),
            Ok(Some(new)) => self.keep(new, stored, cause == Cause::Asked || turn.has_asked()).await.map(Some),
            // A failed login says nothing about the stored credential.
            Err(error) if is_rejected(&error) && matches!(cause, Cause::Challenged | Cause::Expired) => {
                // Somebody without our lock may have put another there.
                let now = self.shelf.load().await?;
                if now != stored
                    && let Some(credential) = now.as_ref().and_then(|now| self.shelf.credential(now))
                {
                    return Ok(Some(credential));
                }
                *self.unsaved.lock().await = None;
                if let Some(stored) = &stored
                    && let Err(problem) = self.shelf.clear(stored).await
                {
                    // That the login has ended is what matters more.
                    self.tell(Some(problem));
                }
                Err(error)
            }
            other => other,
        }
    }

    async fn keep(&self, new: Credential, old: Option<Saved>, asked: bool) -> Result<Credential, RefreshError> {
        // What nobody could make again is as good as not stored, and had better be said now.
        let saved = new.to_saved().filter(|saved| self.shelf.credential(saved).is_some());
        let Some(saved) = saved else {
            self.keep_attachment(&new, old, asked).await;
            if new.check().is_ok() {
                self.tell(Some(StoreError::NotStorable { scheme: new.scheme().to_owned() }));
            }
            return Ok(new);
        };
        let mut old = old;
        // Nobody logs in and out in other processes as often as that.
        for _ in 0..8 {
            if self.put(Unsaved { old: old.clone(), new: saved.clone(), asked }).await {
                self.logins.fetch_add(usize::from(asked), Ordering::SeqCst);
                // What is not saved has no place.
                return Ok(if self.unsaved().is_none() { new.source(self.shelf.name()) } else { new });
            }
            // Somebody without our lock was there: a login, a logout.
            let now = self.shelf.load().await?;
            match now.as_ref().and_then(|now| self.shelf.credential(now)) {
                // Whoever asked for a login gets it; a renewal gives way to what is newer.
                Some(winner) if !asked => return Ok(winner),
                None if !asked && old.is_some() && now.is_none() => {
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

impl<R: Refresh> Stored<R> {
    /// Saves the attachment of a credential that cannot be sent or cannot be restored, because the server has used up
    /// the old refresh token. It is saved with an access token that has expired, so that the next request renews first.
    async fn keep_attachment(&self, new: &Credential, old: Option<Saved>, asked: bool) {
        let Some(attachment) = new.attachment() else { return };
        let before = old.as_ref().filter(|_| !asked).and_then(|old| self.shelf.credential(old));
        // A request carries this text only if the renewal fails.
        let before = before.or_else(|| new.check().is_err().then(|| Credential::bearer("none")));
        let kept = before.map(|before| before.attach(attachment.clone()).expires_at(SystemTime::UNIX_EPOCH));
        let kept = new
            .granted_scopes()
            .map(<[String]>::to_vec)
            .into_iter()
            .fold(kept, |kept, scopes| Some(kept?.scopes(scopes)));
        if let Some(new) = kept.and_then(|kept| kept.to_saved()) {
            self.put(Unsaved { old, new, asked }).await;
        }
    }
}

/// Whether a renewal may use up the attachment of the credential. Only the refresher knows for certain. An attachment
/// of `OAuth` without a refresh token cannot be used up.
fn renews_once(credential: &Credential) -> bool {
    let Some(attachment) = credential.attachment() else { return false };
    let members = Members::of(attachment.expose().as_bytes());
    members.is_none_or(|members| members.value("oauth").is_none() || members.value("refresh_token").is_some())
}

fn is_rejected(error: &RefreshError) -> bool {
    matches!(error.kind(), RefreshErrorKind::Rejected { .. })
}

#[async_trait]
impl<R: Refresh> Refresh for Stored<R> {
    async fn refresh(&self, rejection: Rejection) -> Result<Option<Credential>, RefreshError> {
        // The stored credential is for the first resource. A credential for another resource is neither read from the
        // store nor saved there.
        if rejection.resource().is_some() {
            return self.refresher.refresh(rejection).await;
        }
        let asked = rejection.cause() == Cause::Asked;
        let lock = if asked { self.shelf.lock_briefly().await } else { self.shelf.lock().await };
        let is_locked = matches!(lock, Err(StoreError::Locked { .. }));
        if let (Err(error), true) = (&lock, is_locked && !asked) {
            return Err(error.clone().into());
        }
        let Looked { stored, held } = self.look().await?;
        let turn = Arc::new(Turn::new(self.shelf.clone(), stored.clone(), lock));
        let Some(credential) = held.as_ref().and_then(|held| self.shelf.credential(held)) else {
            // What was stored here and is no more was logged out, and nothing of it is renewed.
            let was_ours = |refused: &Credential| refused.provenance() == Some(&*self.shelf.name());
            let refused = rejection.refused.clone().filter(|refused| !was_ours(refused));
            return self.renew(Rejection { refused, ..rejection }, stored, turn).await;
        };
        // The credential that was stored last may belong to another partition.
        let is_partition = matches!(rejection.slot, SlotKey::Partition(_));
        if !is_partition && self.shelf.answers(&credential, &rejection) {
            return Ok(Some(credential));
        }
        // A single-use token is presented only if its replacement can be saved. For a login that goes on without the
        // lock, the refresher decides: it calls `before_spending`, which then fails.
        if renews_once(&credential) && !is_locked {
            turn.secure().await?;
        }
        // What is stored renews, whatever it was that was refused; and nobody else renews it meanwhile.
        let rejection = Rejection { refused: Some(credential), ..rejection };
        self.renew(rejection, stored, turn).await
    }

    async fn initial(&self) -> Result<Option<Credential>, RefreshError> {
        let stored = self.look().await?.held;
        if let Some(credential) = stored.as_ref().and_then(|stored| self.shelf.credential(stored)) {
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
        self.log_out(credential).await
    }

    fn needs_challenge(&self) -> bool {
        self.refresher.needs_challenge()
    }

    fn timeout(&self) -> Duration {
        self.refresher.timeout().saturating_add(self.shelf.patience)
    }
}

impl<R> fmt::Debug for Stored<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("store", &self.shelf.name())
            .field("key", &self.shelf.key)
            .finish_non_exhaustive()
    }
}
