//! A decorator that keeps the credential of another refresher in a store.

mod place;
mod renewal;
mod saving;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshReason, Secret, async_trait};
use reqwest_challenge_login::store::{Key, Saved, Store, StoreError};

use place::Place;
use renewal::Renewal;

/// How long a renewal waits while another process renews.
const WAIT: Duration = Duration::from_secs(30);

/// A refresher that begins with the saved credential, and saves each new credential before a request uses it.
///
/// A credential of a partition, or of another resource than the first, is neither loaded nor saved.
///
/// ```
/// use reqwest_challenge::{BoxError, Credential, RefreshContext};
/// use reqwest_challenge_login::store::{Key, MemoryStore};
/// use third_party::saved_refresher::SavedRefresher;
///
/// async fn log_in(_context: RefreshContext) -> Result<Credential, BoxError> {
///     Ok(Credential::bearer("t1"))
/// }
///
/// let saved = SavedRefresher::new(log_in, MemoryStore::new(), Key::new("https://auth.example.com"));
/// ```
pub struct SavedRefresher<R> {
    inner: R,
    place: Arc<Place>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The text of the last credential that the session got from this refresher, or an older text.
    known: Option<Saved>,
    /// How many logouts there were.
    logouts: u64,
    save_error: Option<StoreError>,
}

impl<R: Refresh> SavedRefresher<R> {
    /// Keeps the credential of that refresher in that store, under that key.
    pub fn new(inner: R, store: impl Store, key: Key) -> Self {
        Self::restored_by(inner, store, key, |_scheme, _exported| None)
    }

    /// Keeps the credentials of a custom scheme too: `restore` receives the scheme and the exported text, and makes
    /// the credential.
    pub fn restored_by(
        inner: R,
        store: impl Store,
        key: Key,
        restore: impl Fn(&str, Secret) -> Option<Credential> + Send + Sync + 'static,
    ) -> Self {
        let place = Place { store: Box::new(store), key, restore: Box::new(restore) };
        Self { inner, place: Arc::new(place), state: Mutex::default() }
    }

    /// Why the last change is not saved. `None` if it is saved.
    pub fn save_error(&self) -> Option<StoreError> {
        self.state().save_error.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<R: Refresh> Refresh for SavedRefresher<R> {
    async fn initial(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        if !is_saved(&context) {
            return self.inner.initial(context).await;
        }
        let logouts = self.state().logouts;
        let look = self.place.load().await?;
        if look.credential.is_some() {
            self.state().known = look.text;
            return Ok(look.credential);
        }
        match self.inner.initial(context.clone()).await? {
            Some(new) => self.save(new, look.text, logouts, context).await,
            None => Ok(None),
        }
    }

    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        if !is_saved(&context) {
            return self.inner.refresh(context).await;
        }
        let logouts = self.state().logouts;
        let lock = self.place.lock(WAIT).await;
        let look = self.place.load().await?;
        let known = self.state().known.clone();
        // A login gets a separate credential.
        let is_answer = context.reason() != RefreshReason::Login && look.is_newer(&context, known.as_ref());
        if is_answer && let Some(newer) = look.usable(&context) {
            self.state().known = look.text;
            return Ok(Some(newer));
        }
        let renewal = Arc::new(Renewal::new(self.place.clone(), lock?, look.text.clone()));
        let context = look.pass_on(context, known.as_ref()).with_renewal_lock(&renewal);
        match self.inner.refresh(context.clone()).await {
            Ok(Some(new)) => self.save(new, renewal.saved(), logouts, context).await,
            Ok(None) => Ok(None),
            Err(error) => {
                self.after_error(&error, renewal.saved(), context.credential(), renewal.attachment()).await;
                Err(error)
            }
        }
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        if !is_saved(&context) {
            return self.inner.forget(context).await;
        }
        if context.reason() == RefreshReason::Logout {
            self.state().logouts += 1;
        }
        self.forget_all(context).await
    }

    fn needs_challenge(&self) -> bool {
        self.inner.needs_challenge()
    }

    fn timeout(&self) -> Duration {
        self.inner.timeout().saturating_add(WAIT)
    }

    fn holds_unsaved(&self) -> bool {
        self.inner.holds_unsaved()
    }
}

/// Whether the credential of this context is saved.
fn is_saved(context: &RefreshContext) -> bool {
    context.resource().is_none() && context.partition().is_none()
}

impl<R> fmt::Debug for SavedRefresher<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedRefresher").field("store", &self.place.store.name()).finish_non_exhaustive()
    }
}
