//! The lock of a renewal.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest_challenge::{Credential, RefreshContext, RefreshError, RenewalLock, Secret, async_trait};
use reqwest_challenge_login::store::{Prepared, Saved, StoreLock};

use super::place::Place;

/// How many octets a new text may be longer than the saved one.
const GROWTH: usize = 8 * 1024;

/// A renewal in progress. When it is dropped, the lock is released.
pub(super) struct Renewal {
    place: Arc<Place>,
    state: Mutex<State>,
}

struct State {
    lock: Option<StoreLock>,
    prepared: Option<Prepared>,
    saved: Option<Saved>,
    attachment: Option<Secret>,
}

impl Renewal {
    /// A renewal that holds that lock and has found that text.
    pub(super) fn new(place: Arc<Place>, lock: StoreLock, saved: Option<Saved>) -> Self {
        let state = State { lock: Some(lock), prepared: None, saved, attachment: None };
        Self { place, state: Mutex::new(state) }
    }

    /// The text that a save replaces.
    pub(super) fn saved(&self) -> Option<Saved> {
        self.state().saved.clone()
    }

    /// The attachment that came without a credential.
    pub(super) fn attachment(&self) -> Option<Secret> {
        self.state().attachment.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RenewalLock for Renewal {
    /// Releases the lock, and looks whether a login of another process, which holds no lock, has ended meanwhile.
    async fn before_prompt(&self, context: &RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let released = {
            let mut state = self.state();
            (state.lock.take(), state.prepared.take())
        };
        drop(released);
        let look = self.place.load().await?;
        let before = mem::replace(&mut self.state().saved, look.text.clone());
        if look.text == before { Ok(None) } else { Ok(look.usable(context)) }
    }

    /// Makes sure that the lock is held, that the saved text is still the same, and that another can be saved.
    async fn before_spending(&self) -> Result<(), RefreshError> {
        let is_held = self.state().lock.is_some();
        if !is_held {
            let lock = self.place.lock(Duration::ZERO).await?;
            self.state().lock = Some(lock);
        }
        let before = self.saved();
        if self.place.load().await?.text != before {
            return Err(RefreshError::transient(None).caused_by("another process has changed the saved credential"));
        }
        let size = before.map_or(0, |text| text.expose().len()) + GROWTH;
        let prepared = self.place.store.prepare(&self.place.key, size).await?;
        self.state().prepared = Some(prepared);
        Ok(())
    }

    fn keep_attachment(&self, attachment: Secret) {
        self.state().attachment = Some(attachment);
    }
}
