//! Saves new credentials, and keeps in memory those that could not be saved.

use super::stored_form::to_saved;
use crate::util::lock;
use reqwest_challenge::RefreshContext;
use reqwest_challenge::RefreshReason;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use super::Saved;
use super::error::StoreError;
use super::stored::Stored;
use reqwest_challenge::Credential;
use reqwest_challenge::Secret;
use reqwest_challenge::{Refresh, RefreshError};

/// A credential that could not be saved.
#[derive(Clone)]
pub(super) struct Unsaved {
    pub(super) old: Option<Saved>,
    pub(super) new: Saved,
    /// Whether the caller asked for this login.
    pub(super) asked: bool,
}

/// The newest known credential.
pub(super) struct Looked {
    /// The stored one.
    pub(super) stored: Option<Saved>,
    /// The newer one that could not be saved, or else the stored one.
    pub(super) held: Option<Saved>,
}

impl<R: Refresh> Stored<R> {
    /// Loads the credential, after another attempt to save the one that could not be saved.
    pub(super) async fn look(&self) -> Result<Looked, StoreError> {
        let mut unsaved = self.unsaved.lock().await;
        if let Some(pending) = unsaved.clone() {
            let result = self.save(&pending).await;
            if result.is_ok() {
                *unsaved = None;
            }
            self.tell(result.err());
        }
        let stored = self.shelf.load().await?;
        Ok(Looked { held: newest(unsaved.as_ref(), stored.as_ref()), stored })
    }

    /// The credential that could not be saved, if it is newer than the stored one; else the stored one.
    pub(super) async fn newest(&self, stored: Option<&Saved>) -> Option<Saved> {
        newest(self.unsaved.lock().await.as_ref(), stored)
    }

    /// Returns whether no other process changed the entry in between. A login that was asked for is saved in any case.
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

    /// Saves. What cannot be saved is kept for the next time, and reported. Returns whether no other process changed the entry in
    /// between.
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
        (*lock(&self.problem)).clone_from(&error);
        if let Some(error) = &error {
            (self.report)(error);
        }
    }

    pub(super) async fn keep(
        &self,
        context: &RefreshContext,
        new: Credential,
        old: Option<Saved>,
        asked: bool,
    ) -> Result<Credential, RefreshError> {
        // A credential that cannot be made again from its saved form counts as not stored, and is reported now.
        let saved = to_saved(&new).filter(|saved| self.shelf.credential(saved).is_some());
        let Some(saved) = saved else {
            self.keep_attachment_of(&new, old, asked).await;
            if new.check().is_ok() {
                self.tell(Some(StoreError::NotStorable { scheme: new.scheme().to_owned() }));
            }
            return Ok(new);
        };
        let mut old = old;
        // Other processes do not log in and out as often as that.
        for _ in 0..8 {
            if self.put(Unsaved { old: old.clone(), new: saved.clone(), asked }).await {
                self.logins.fetch_add(usize::from(asked), Ordering::SeqCst);
                // What is not saved has no place.
                return Ok(if self.unsaved().is_none() { new.with_source(self.shelf.name()) } else { new });
            }
            // Another process changed the entry without our lock: a login or a logout.
            let now = self.shelf.load().await?;
            match now.as_ref().and_then(|now| self.shelf.credential(now)) {
                // A login that was asked for is kept. A renewal gives way to what is newer.
                Some(winner) if !asked => return Ok(winner),
                None if !asked && old.is_some() && now.is_none() => {
                    // Best done, and no more: the login is over, whatever the server says to that.
                    let discarded = context.clone().to_forget(RefreshReason::Discarded, Some(new));
                    let _ = self.refresher.forget(discarded).await;
                    return Err(RefreshError::login_required("log in: another process logged out"));
                }
                _ => old = now,
            }
        }
        Ok(new)
    }

    /// Saves the attachment of a credential that cannot be sent or cannot be restored, because the server has used up the old
    /// refresh token. It is saved with an access token that has expired, so that the next request renews first.
    async fn keep_attachment_of(&self, new: &Credential, old: Option<Saved>, asked: bool) {
        let Some(attachment) = new.attachment() else { return };
        let before = old.as_ref().filter(|_| !asked).and_then(|old| self.shelf.credential(old));
        // A request carries this text only if the renewal fails.
        let before = before.or_else(|| new.check().is_err().then(|| Credential::bearer("none")));
        let scopes = new.scopes().map(<[String]>::to_vec);
        let kept = before.map(|before| scopes.into_iter().fold(before, Credential::with_scopes));
        self.put_expired(kept, attachment.clone(), old, asked).await;
    }

    /// Saves a new attachment that came without a usable credential.
    pub(super) async fn keep_attachment(&self, attachment: Secret, old: Option<Saved>) {
        let before = old.as_ref().and_then(|old| self.shelf.credential(old));
        // A request carries this text only if the renewal fails.
        let before = before.unwrap_or_else(|| Credential::bearer("none"));
        self.put_expired(Some(before), attachment, old, false).await;
    }

    async fn put_expired(&self, kept: Option<Credential>, attachment: Secret, old: Option<Saved>, asked: bool) {
        let kept = kept.map(|kept| kept.with_attachment(attachment).with_expiry(SystemTime::UNIX_EPOCH));
        if let Some(new) = kept.and_then(|kept| to_saved(&kept)) {
            self.put(Unsaved { old, new, asked }).await;
        }
    }
}

fn newest(unsaved: Option<&Unsaved>, stored: Option<&Saved>) -> Option<Saved> {
    // A login that the caller asked for replaces whatever is stored.
    let pending = unsaved.filter(|pending| pending.asked || pending.old.as_ref() == stored);
    pending.map(|pending| &pending.new).or(stored).cloned()
}
