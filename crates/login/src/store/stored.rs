//! A refresher whose credentials are stored.

use super::stored_form::scheme_of;
use crate::util::clamped;
use crate::util::lock;
use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::error::StoreError;
use super::key::Key;
use super::renewal_lock::StoreRenewalLock;
use super::stored_entry::StoredEntry;
use super::unsaved::{Looked, Unsaved};
use super::{Saved, Store};
use crate::secret_json::SecretJson;
use reqwest_challenge::Credential;
use reqwest_challenge::Secret;
use reqwest_challenge::{Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason};

type Report = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// A refresher whose credentials are stored: it begins with what is stored, and what it renews is saved before anybody uses it.
///
/// A renewal holds the store's lock, and looks first: what another process has renewed meanwhile is taken as it is. Whoever asks a
/// person lets it go ([`RefreshContext::before_prompt`]); another who would ask, too, waits for the person's answer. A credential whose refresh token is finished is cleared, unless somebody has put another in its place.
pub struct Stored<R> {
    pub(super) refresher: R,
    pub(super) shelf: StoredEntry,
    pub(super) report: Report,
    /// What could not be saved, and what is stored in its place.
    pub(super) unsaved: tokio::sync::Mutex<Option<Unsaved>>,
    pub(super) problem: Mutex<Option<StoreError>>,
    /// How many logins were saved.
    pub(super) logins: AtomicUsize,
}

/// How long a renewal waits for another process's.
const PATIENCE: Duration = Duration::from_secs(30);

impl<R: Refresh> Stored<R> {
    /// That refresher's credentials, in that store, under that key.
    #[must_use]
    pub fn new(refresher: R, store: impl Store, key: Key) -> Self {
        Self {
            refresher,
            shelf: StoredEntry {
                store: Arc::new(store),
                key,
                patience: PATIENCE,
                restore: Arc::new(|_, _| None),
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
        self.shelf.patience = clamped(span);
        self
    }

    /// Makes a credential of a scheme of one's own again, of its name and what [`Authorize::export`](crate::Authorize::export) gave:
    /// `|scheme, token| (scheme == "DPoP").then(|| dpop.restored(token))`.
    #[must_use]
    pub fn restored_by(mut self, restore: impl Fn(&str, Secret) -> Option<Credential> + Send + Sync + 'static) -> Self {
        self.shelf.restore = Arc::new(restore);
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
        lock(&self.problem).clone()
    }

    /// Where it is stored, for a person.
    #[must_use]
    pub fn place(&self) -> String {
        self.shelf.name()
    }

    /// Renews, and saves before anybody uses it.
    async fn renew(
        &self,
        context: RefreshContext,
        stored: Option<Saved>,
        turn: Arc<StoreRenewalLock>,
    ) -> Result<Option<Credential>, RefreshError> {
        let cause = context.reason();
        match self.refresher.refresh(context.clone().with_renewal_lock(&turn)).await {
            Ok(Some(new)) if turn.gave(&new) => Ok(Some(new)),
            Ok(Some(new)) => {
                self.keep(&context, new, stored, cause == RefreshReason::Login || turn.has_asked()).await.map(Some)
            }
            // A failed login says nothing about the stored credential.
            Err(error)
                if is_rejected(&error) && matches!(cause, RefreshReason::Challenged | RefreshReason::Expired) =>
            {
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
            other => {
                if let Some(attachment) = turn.replaced() {
                    self.keep_attachment(attachment, stored).await;
                }
                other
            }
        }
    }
}

/// Whether a renewal may use up the attachment of the credential. Only the refresher knows for certain. An attachment
/// of `OAuth` without a refresh token cannot be used up.
fn renews_once(credential: &Credential) -> bool {
    let Some(attachment) = credential.attachment() else { return false };
    let members = SecretJson::of(attachment.expose().as_bytes());
    members.is_none_or(|members| members.value("oauth").is_none() || members.value("refresh_token").is_some())
}

fn is_rejected(error: &RefreshError) -> bool {
    matches!(error.kind(), RefreshErrorKind::CredentialRevoked { .. })
}

#[async_trait]
impl<R: Refresh> Refresh for Stored<R> {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        // The stored credential is for the first resource. A credential for another resource is neither read from the
        // store nor saved there.
        if context.resource().is_some() {
            return self.refresher.refresh(context).await;
        }
        // The user waits for a login or a step-up, and must not wait for a process that was stopped.
        let asked = matches!(context.reason(), RefreshReason::Login | RefreshReason::StepUp);
        // Neither must a request whose credential is still valid.
        let is_early = context.reason() == RefreshReason::Expired && self.shelf.is_good(&context);
        let lock = if asked || is_early { self.shelf.lock_briefly().await } else { self.shelf.lock().await };
        let is_locked = matches!(lock, Err(StoreError::Locked { .. }));
        if let (Err(error), true) = (&lock, is_locked && !asked) {
            return Err(error.clone().into());
        }
        let Looked { stored, held } = self.look().await?;
        let turn = Arc::new(StoreRenewalLock::new(self.shelf.clone(), stored.clone(), lock));
        let Some(credential) = held.as_ref().and_then(|held| self.shelf.credential(held)) else {
            // What was stored here and is no more was logged out, and nothing of it is renewed.
            let was_ours = |refused: &Credential| refused.source() == Some(&*self.shelf.name());
            let context =
                if context.credential().is_some_and(was_ours) { context.without_credential() } else { context };
            return self.renew(context, stored, turn).await;
        };
        // The credential that was stored last may belong to another partition.
        if context.partition().is_none() && self.shelf.answers(&credential, &context) {
            return Ok(Some(credential));
        }
        // A single-use token is presented only if its replacement can be saved. For a login that goes on without the
        // lock, the refresher decides: it calls `before_spending`, which then fails.
        if renews_once(&credential) && !is_locked {
            turn.secure().await?;
        }
        // What is stored renews, whatever it was that was refused; and nobody else renews it meanwhile.
        self.renew(context.with_credential(credential), stored, turn).await
    }

    async fn initial(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let stored = self.look().await?.held;
        if let Some(credential) = stored.as_ref().and_then(|stored| self.shelf.credential(stored)) {
            return Ok(Some(credential));
        }
        if let Some(scheme) = stored.as_ref().and_then(scheme_of) {
            // It is there, and might as well not be.
            self.tell(Some(StoreError::NotStorable { scheme }));
        }
        self.refresher.initial(context).await
    }

    /// Forgets what is stored, which another process may have renewed since.
    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        self.log_out(context).await
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
