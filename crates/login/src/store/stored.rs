//! A refresher whose credentials are stored.

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason, Secret};

use super::error::StoreError;
use super::guards::StoreLock;
use super::key::Key;
use super::renewal_lock::StoreRenewalLock;
use super::saved::{Saved, scheme_of};
use super::store::Store;
use super::stored_entry::{StoredEntry, is_unexpired};
use super::unsaved::{Known, Unsaved};
use crate::secret_json::SecretJson;
use crate::util::{clamped, lock};

type Report = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// A refresher whose credentials are stored. It begins with the stored credential, and it saves each new credential before a
/// request uses it.
///
/// A renewal holds the store's lock and loads the stored credential first. If another process has renewed meanwhile,
/// that credential is returned. A refresher that asks the user releases the lock first
/// ([`RefreshContext::before_prompt`]); other processes that would ask the user wait for that login. If the server
/// has revoked the credential, the stored one is removed, unless another process has replaced it.
///
/// Only the credential of the first resource is stored: a credential for
/// [another resource](RefreshContext::resource) is neither loaded nor saved. Do not use it with
/// [`partition_by`](reqwest_challenge::Builder::partition_by), because all partitions would share one stored credential.
///
/// Its [`timeout`](Refresh::timeout) is the timeout of the refresher inside plus the [`lock_timeout`](Self::lock_timeout).
///
/// ```
/// use std::time::Duration;
///
/// use reqwest_challenge::{ChallengeMiddleware, Credential, RefreshContext};
/// use reqwest_challenge_login::store::{FileStore, Key, Stored};
///
/// async fn log_in(_context: RefreshContext) -> Result<Credential, std::io::Error> {
///     Ok(Credential::bearer("t1"))
/// }
///
/// let file = FileStore::new("/home/alice/.config/tool/credentials.json");
/// let stored = Stored::new(log_in, file, Key::new("https://api.example.com"))
///     .lock_timeout(Duration::from_secs(10))
///     .on_save_error(|error| eprintln!("warning: the credential is not saved: {error}"));
/// let auth = ChallengeMiddleware::new("https://api.example.com", stored)?;
/// # Ok::<(), reqwest_challenge::BuildError>(())
/// ```
pub struct Stored<R> {
    pub(super) refresher: R,
    pub(super) entry: StoredEntry,
    pub(super) report: Report,
    /// The credential that could not be saved.
    pub(super) unsaved: tokio::sync::Mutex<Option<Unsaved>>,
    pub(super) save_error: Mutex<Option<StoreError>>,
    /// How many logins were saved.
    pub(super) logins: AtomicUsize,
}

/// How long a renewal waits for the renewal of another process: as long as a refresh may take.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

impl<R: Refresh> Stored<R> {
    /// Stores the credentials of this refresher in this store, under this key.
    #[must_use]
    pub fn new(refresher: R, store: impl Store, key: Key) -> Self {
        Self {
            refresher,
            entry: StoredEntry {
                store: Arc::new(store),
                key,
                lock_timeout: LOCK_TIMEOUT,
                restore: Arc::new(|_, _| None),
                on_waiting: Arc::new(|| ()),
            },
            report: Arc::new(|_| ()),
            unsaved: tokio::sync::Mutex::new(None),
            save_error: Mutex::new(None),
            logins: AtomicUsize::new(0),
        }
    }

    /// Sets how long a renewal waits while another process renews, and how long a login waits while another process asks the
    /// user. The default is 30 s. [`timeout`](Refresh::timeout) grows by this time. A login, a step-up, a logout and a renewal
    /// before the expiry wait for a renewal for 2 s at most.
    #[must_use]
    pub fn lock_timeout(mut self, span: Duration) -> Self {
        self.entry.lock_timeout = clamped(span);
        self
    }

    /// Sets a function that makes a credential of a custom scheme. It receives the name of the scheme, and the text that
    /// [`Authorize::export`](reqwest_challenge::Authorize::export) returned. For DPoP:
    /// `|scheme, token| (scheme == "DPoP").then(|| dpop.restored(token))`. Without this call, such a credential is not stored.
    #[must_use]
    pub fn restored_by(mut self, restore: impl Fn(&str, Secret) -> Option<Credential> + Send + Sync + 'static) -> Self {
        self.entry.restore = Arc::new(restore);
        self
    }

    /// Sets a function that is called when another process asks the user for a login and this one begins to wait for it, for
    /// at most the [`lock_timeout`](Self::lock_timeout). A tool can tell the user then.
    #[must_use]
    pub fn on_waiting(mut self, report: impl Fn() + Send + Sync + 'static) -> Self {
        self.entry.on_waiting = Arc::new(report);
        self
    }

    /// Sets a function that receives the error if a credential could not be saved. Requests use the credential anyway. The
    /// next renewal or logout saves it.
    #[must_use]
    pub fn on_save_error(mut self, report: impl Fn(&StoreError) + Send + Sync + 'static) -> Self {
        self.report = Arc::new(report);
        self
    }

    /// Why the last credential is not saved. `None` if it is saved. A tool whose `login` command ends without a saved
    /// credential should fail.
    #[must_use]
    pub fn save_error(&self) -> Option<StoreError> {
        lock(&self.save_error).clone()
    }

    /// The [name](Store::name) of the store: where the credentials are, for the user.
    #[must_use]
    pub fn store_name(&self) -> String {
        self.entry.name()
    }

    /// Calls the refresher, and saves the new credential.
    async fn renew(
        &self,
        context: RefreshContext,
        stored: Option<Saved>,
        lock: Arc<StoreRenewalLock>,
    ) -> Result<Option<Credential>, RefreshError> {
        let reason = context.reason();
        match self.refresher.refresh(context.clone().with_renewal_lock(&lock)).await {
            Ok(Some(new)) if lock.is_login_elsewhere(&new) => Ok(Some(new)),
            Ok(Some(new)) => {
                let is_login = reason == RefreshReason::Login || lock.has_prompted();
                self.keep(&context, new, stored, is_login).await.map(Some)
            }
            // A failed login says nothing about the stored credential.
            Err(error)
                if is_revoked(&error) && matches!(reason, RefreshReason::Challenged | RefreshReason::Expired) =>
            {
                self.remove_revoked(&context, stored, error).await
            }
            other => {
                if let Some(attachment) = lock.kept_attachment() {
                    self.keep_attachment(&context, attachment, stored).await;
                }
                other
            }
        }
    }

    /// Removes the stored credential that the server has revoked. Returns the credential of another process, if one has
    /// replaced it meanwhile.
    async fn remove_revoked(
        &self,
        context: &RefreshContext,
        stored: Option<Saved>,
        error: RefreshError,
    ) -> Result<Option<Credential>, RefreshError> {
        let now = self.entry.load().await?;
        if now != stored
            && let Some(credential) = now.as_ref().and_then(|now| self.entry.credential(now))
        {
            return Ok(Some(credential));
        }
        *self.unsaved.lock().await = None;
        if let Some(stored) = &stored
            && let Err(problem) = self.entry.clear(stored).await
        {
            // The call returns the error of the server. The error of the store is only kept for `save_error`.
            self.set_save_error(context, Some(problem));
        }
        Err(error)
    }

    /// The lock for this context. A user who waits for a login or a step-up must not wait for a stopped process, and neither
    /// must a request whose credential is still valid.
    async fn lock_for(&self, context: &RefreshContext) -> Result<StoreLock, StoreError> {
        let is_early = context.reason() == RefreshReason::Expired && is_unexpired(context);
        if is_asked_for(context) || is_early { self.entry.lock_briefly().await } else { self.entry.lock().await }
    }
}

/// Whether the caller asked for a login or a step-up.
fn is_asked_for(context: &RefreshContext) -> bool {
    matches!(context.reason(), RefreshReason::Login | RefreshReason::StepUp)
}

/// Whether a renewal may use up the attachment of the credential. Only the refresher knows for certain. An attachment
/// of `OAuth` without a refresh token cannot be used up.
fn renews_once(credential: &Credential) -> bool {
    let Some(attachment) = credential.attachment() else { return false };
    let members = SecretJson::of(attachment.expose().as_bytes());
    members.is_none_or(|members| members.value("oauth").is_none() || members.value("refresh_token").is_some())
}

fn is_revoked(error: &RefreshError) -> bool {
    matches!(error.kind(), RefreshErrorKind::CredentialRevoked { .. })
}

#[async_trait]
impl<R: Refresh> Refresh for Stored<R> {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        // The stored credential is for the first resource.
        if context.resource().is_some() {
            return self.refresher.refresh(context).await;
        }
        let lock = self.lock_for(&context).await;
        let is_locked = lock.as_ref().is_err_and(StoreError::is_locked);
        if let Err(error) = &lock
            && is_locked
            && !is_asked_for(&context)
        {
            return Err(error.clone().into());
        }
        let Known { stored, newest } = self.look(&context).await?;
        let lock = Arc::new(StoreRenewalLock::new(self.entry.clone(), stored.clone(), lock));
        let Some(credential) = newest.as_ref().and_then(|newest| self.entry.credential(newest)) else {
            // The credential of the context was stored here, so a logout has removed it, and it must not be renewed.
            let was_stored = |refused: &Credential| refused.source() == Some(&*self.entry.name());
            let context =
                if context.credential().is_some_and(was_stored) { context.without_credential() } else { context };
            return self.renew(context, stored, lock).await;
        };
        // The credential that was stored last may belong to another partition.
        if context.partition().is_none() && self.entry.answers(&credential, &context) {
            return Ok(Some(credential));
        }
        // A single-use token is sent only if its replacement can be saved. For a login that continues without the lock, the
        // refresher decides: it calls `before_spending`, which then fails.
        if renews_once(&credential) && !is_locked {
            lock.prepare_save().await?;
        }
        // The stored credential is renewed, whichever credential was refused: it is the newest, and the lock protects it.
        self.renew(context.with_credential(credential), stored, lock).await
    }

    async fn initial(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let newest = self.look(&context).await?.newest;
        if let Some(credential) = newest.as_ref().and_then(|newest| self.entry.credential(newest)) {
            return Ok(Some(credential));
        }
        if let Some(scheme) = newest.as_ref().and_then(scheme_of) {
            // There is a stored text, but it cannot be restored.
            self.set_save_error(&context, Some(StoreError::NotStorable { scheme }));
        }
        self.refresher.initial(context).await
    }

    /// Forgets the stored credential. Another process may have renewed it since.
    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        self.log_out(context).await
    }

    fn needs_challenge(&self) -> bool {
        self.refresher.needs_challenge()
    }

    fn timeout(&self) -> Duration {
        self.refresher.timeout().saturating_add(self.entry.lock_timeout)
    }

    fn holds_unsaved(&self) -> bool {
        // A lock that is held means that a credential is being saved.
        self.unsaved.try_lock().map_or(true, |unsaved| unsaved.is_some()) || self.refresher.holds_unsaved()
    }
}

impl<R> fmt::Debug for Stored<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("store", &self.entry.name())
            .field("key", &self.entry.key)
            .finish_non_exhaustive()
    }
}
