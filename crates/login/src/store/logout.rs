//! A logout removes the stored credential and revokes it. Each step is done even if the other fails.

use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshReason};

use super::error::StoreError;
use super::saved::Saved;
use super::stored::Stored;

/// How often a logout looks again if other processes change the stored text.
const MAX_CONFLICTS: usize = 8;

impl<R: Refresh> Stored<R> {
    pub(super) async fn log_out(&self, context: RefreshContext) -> Result<(), RefreshError> {
        let credential = context.credential().cloned();
        let logins_before = self.logins.load(Ordering::SeqCst);
        // Continues even without the lock: `remove` removes the text only if no other process has changed it
        // meanwhile.
        let _lock = self.entry.lock_briefly().await;
        let stored = self.entry.load().await;
        let newest = self.newest(stored.as_ref().ok().and_then(Option::as_ref)).await;
        let newest = newest.and_then(|newest| self.entry.credential(&newest));
        // A login that was saved while the logout waited for the lock, or before a late credential arrived, stays.
        let is_late = context.reason() == RefreshReason::Discarded;
        let is_other = match (&credential, &newest) {
            (Some(credential), Some(newest)) => newest != credential,
            _ => true,
        };
        if is_other && (is_late || logins_before != self.logins.load(Ordering::SeqCst)) {
            return self.refresher.forget(context).await;
        }
        *self.unsaved.lock().await = None;
        let swept = self.entry.sweep().await;
        let removed = match stored {
            Ok(_) => self.remove().await,
            Err(error) => Err(error),
        };
        let problem = [removed.as_ref().err(), swept.as_ref().err()].into_iter().flatten().next().cloned();
        let others = removed.into_iter().flatten().chain(swept.into_iter().flatten());
        let others: Vec<_> = others.filter_map(|saved| self.entry.credential(&saved)).collect();
        if let Some(problem) = &problem {
            context.report_save_failed(problem);
        }
        let revoked = self.revoke(context.clone(), newest.or(credential), others).await;
        match problem {
            None => {
                self.set_save_error(&context, None);
                revoked
            }
            Some(source) => {
                Err(RefreshError::other(NotRemoved { place: self.entry.name(), revocation: revoked.err(), source }))
            }
        }
    }

    /// Removes the stored text and returns it. A renewal that another process saves meanwhile is removed too.
    async fn remove(&self) -> Result<Option<Saved>, StoreError> {
        for _ in 0..MAX_CONFLICTS {
            let Some(now) = self.entry.load().await? else { return Ok(None) };
            if self.entry.clear(&now).await? {
                return Ok(Some(now));
            }
        }
        Err(StoreError::Locked { waited: Duration::ZERO })
    }

    /// Makes the refresher forget the credential, and then those that were found elsewhere. Returns the first failure.
    async fn revoke(
        &self,
        context: RefreshContext,
        credential: Option<Credential>,
        others: Vec<Credential>,
    ) -> Result<(), RefreshError> {
        let mut revoked = vec![credential.as_ref().and_then(Credential::attachment).cloned()];
        let first = match credential {
            Some(credential) => context.clone().with_credential(credential),
            None => context.clone().without_credential(),
        };
        let mut outcome = self.refresher.forget(first).await;
        for other in others {
            let attachment = other.attachment().cloned();
            if revoked.contains(&attachment) {
                continue;
            }
            revoked.push(attachment);
            outcome = outcome.and(self.refresher.forget(context.clone().with_credential(other)).await);
        }
        outcome
    }
}

/// A logout that could not remove the stored credential.
#[derive(Debug)]
struct NotRemoved {
    place: String,
    /// Why the server did not revoke the credential.
    revocation: Option<RefreshError>,
    source: StoreError,
}

impl fmt::Display for NotRemoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the credential could not be removed from {}: remove it by hand", self.place)?;
        match &self.revocation {
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
