//! A logout removes the stored credential and revokes it. Each step is done even if the other fails.

use reqwest_challenge::RefreshContext;
use reqwest_challenge::RefreshReason;
use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::Ordering;

use super::Saved;
use super::error::StoreError;
use super::stored::Stored;
use reqwest_challenge::Credential;
use reqwest_challenge::{Refresh, RefreshError};

/// How often a logout looks again if other processes change what is stored.
const TRIES: usize = 8;

impl<R: Refresh> Stored<R> {
    pub(super) async fn log_out(&self, context: RefreshContext) -> Result<(), RefreshError> {
        let credential = context.credential().cloned();
        let before = self.logins.load(Ordering::SeqCst);
        // Goes on without the lock too: the removal is compared with what is stored.
        let _lock = self.shelf.lock_briefly().await;
        let stored = self.shelf.load().await;
        let held = self.newest(stored.as_ref().ok().and_then(Option::as_ref)).await;
        let held = held.and_then(|held| self.shelf.credential(&held));
        // A login that was saved while the logout waited for the lock, or before a late credential arrived, stays.
        let is_late = context.reason() == RefreshReason::Discarded;
        let is_anew = match (&credential, &held) {
            (Some(credential), Some(held)) => held != credential,
            _ => true,
        };
        if is_anew && (is_late || before != self.logins.load(Ordering::SeqCst)) {
            return self.refresher.forget(context).await;
        }
        *self.unsaved.lock().await = None;
        let left = self.shelf.sweep().await;
        let removed = match stored {
            Ok(_) => self.remove().await,
            Err(error) => Err(error),
        };
        let problem = [removed.as_ref().err(), left.as_ref().err()].into_iter().flatten().next().cloned();
        let others = removed.into_iter().flatten().chain(left.into_iter().flatten());
        let others: Vec<_> = others.filter_map(|saved| self.shelf.credential(&saved)).collect();
        let revoked = self.revoke(context, held.or(credential), others).await;
        match problem {
            None => {
                self.tell(None);
                revoked
            }
            Some(source) => {
                Err(RefreshError::other(NotRemoved { place: self.shelf.name(), server: revoked.err(), source }))
            }
        }
    }

    /// Removes the stored credential and returns it. A renewal that another process saves meanwhile is removed too.
    async fn remove(&self) -> Result<Option<Saved>, StoreError> {
        for _ in 0..TRIES {
            let Some(now) = self.shelf.load().await? else { return Ok(None) };
            if self.shelf.clear(&now).await? {
                return Ok(Some(now));
            }
        }
        Err(StoreError::Locked { waited: std::time::Duration::ZERO })
    }

    /// Makes the refresher forget the credential, and then those that were found elsewhere. Returns the first failure.
    async fn revoke(
        &self,
        context: RefreshContext,
        credential: Option<Credential>,
        others: Vec<Credential>,
    ) -> Result<(), RefreshError> {
        let mut seen = vec![credential.as_ref().and_then(Credential::attachment).cloned()];
        let of = |credential| context.clone().with_credential(credential);
        let first = credential.map_or_else(|| context.clone().without_credential(), of);
        let mut outcome = self.refresher.forget(first).await;
        for other in others {
            let attachment = other.attachment().cloned();
            if seen.contains(&attachment) {
                continue;
            }
            seen.push(attachment);
            outcome = outcome.and(self.refresher.forget(context.clone().with_credential(other)).await);
        }
        outcome
    }
}

/// What a logout could not do.
#[derive(Debug)]
struct NotRemoved {
    place: String,
    server: Option<RefreshError>,
    source: StoreError,
}

impl fmt::Display for NotRemoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the credential could not be removed from {}: remove it by hand", self.place)?;
        match &self.server {
            Some(error) => {
                let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
                write!(f, "; the server did not revoke it either: {why}")
            }
            None => Ok(()),
        }
    }
}

impl StdError for NotRemoved {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}
