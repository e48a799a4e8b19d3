//! Saves new credentials, and keeps in memory those that could not be saved.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshReason, Secret};

use super::error::StoreError;
use super::saved::{Saved, to_saved};
use super::stored::Stored;
use super::unsaved::{Known, Unsaved, newest};
use crate::util::lock;

/// How often a save is tried again if other processes change the entry. Users do not log in and out as often as that.
const MAX_CONFLICTS: usize = 8;

/// The token of a credential of which only the attachment is known. A request sends it only if the renewal fails.
const UNKNOWN_TOKEN: &str = "none";

impl<R: Refresh> Stored<R> {
    /// Loads the credential, after another attempt to save the one that could not be saved.
    pub(super) async fn look(&self, context: &RefreshContext) -> Result<Known, StoreError> {
        let mut unsaved = self.unsaved.lock().await;
        if let Some(pending) = unsaved.clone() {
            let result = self.save(&pending).await;
            if result.is_ok() {
                *unsaved = None;
            }
            self.set_save_error(context, result.err());
        }
        let stored = self.entry.load().await?;
        Ok(Known { newest: newest(unsaved.as_ref(), stored.as_ref()), stored })
    }

    /// The text that could not be saved, if it is newer than the stored one; otherwise the stored one.
    pub(super) async fn newest(&self, stored: Option<&Saved>) -> Option<Saved> {
        newest(self.unsaved.lock().await.as_ref(), stored)
    }

    /// Returns whether the text is saved. `false` means that another process changed the entry. A login is always saved.
    async fn save(&self, pending: &Unsaved) -> Result<bool, StoreError> {
        let mut is_saved = self.entry.replace(pending.old.as_ref(), &pending.new).await?;
        for _ in 0..MAX_CONFLICTS {
            if is_saved || !pending.is_login {
                break;
            }
            let now = self.entry.load().await?;
            is_saved = self.entry.replace(now.as_ref(), &pending.new).await?;
        }
        Ok(is_saved)
    }

    /// Saves the text. If that fails, keeps the text for the next attempt, and reports the error. Returns `false` if another
    /// process changed the entry.
    async fn put(&self, context: &RefreshContext, pending: Unsaved) -> bool {
        let mut unsaved = self.unsaved.lock().await;
        // Kept before the save, because the runtime may end meanwhile, and before the report, because that function may panic.
        *unsaved = Some(pending.clone());
        let mut result = self.save(&pending).await;
        if result.is_err() {
            // The cause may have passed: a full disk, or a scanner that held the file.
            result = self.save(&pending).await;
        }
        if result.is_ok() {
            *unsaved = None;
        }
        drop(unsaved);
        let is_saved = *result.as_ref().unwrap_or(&true);
        self.set_save_error(context, result.err());
        is_saved
    }

    /// Keeps and reports why the newest credential is not saved. `None` means that it is saved.
    pub(super) fn set_save_error(&self, context: &RefreshContext, error: Option<StoreError>) {
        (*lock(&self.save_error)).clone_from(&error);
        if let Some(error) = &error {
            context.report_save_failed(error);
            (self.report)(error);
        }
    }

    /// Saves a new credential. Returns it, or a credential that another process has saved meanwhile.
    pub(super) async fn keep(
        &self,
        context: &RefreshContext,
        new: Credential,
        old: Option<Saved>,
        is_login: bool,
    ) -> Result<Credential, RefreshError> {
        // A credential that cannot be restored from its text counts as not stored, and is reported now.
        let saved = to_saved(&new).filter(|saved| self.entry.credential(saved).is_some());
        let Some(saved) = saved else {
            self.keep_attachment_of(context, &new, old, is_login).await;
            if new.check().is_ok() {
                let scheme = new.scheme().to_owned();
                self.set_save_error(context, Some(StoreError::NotStorable { scheme }));
            }
            return Ok(new);
        };
        let mut old = old;
        for _ in 0..MAX_CONFLICTS {
            if self.put(context, Unsaved { old: old.clone(), new: saved.clone(), is_login }).await {
                self.logins.fetch_add(usize::from(is_login), Ordering::SeqCst);
                // A credential that is not saved has no source.
                return Ok(if self.save_error().is_none() { new.with_source(self.entry.name()) } else { new });
            }
            // Another process changed the entry without the lock: a login or a logout.
            let now = self.entry.load().await?;
            match now.as_ref().and_then(|now| self.entry.credential(now)) {
                // A login replaces the other credential. A renewal does not.
                Some(newer) if !is_login => return Ok(newer),
                None if !is_login && old.is_some() && now.is_none() => {
                    // The login is over, whatever the server answers.
                    let discarded = context.clone().to_forget(RefreshReason::Discarded, Some(new));
                    let _ = self.refresher.forget(discarded).await;
                    return Err(RefreshError::login_required("log in again, because another process logged out"));
                }
                _ => old = now,
            }
        }
        Ok(new)
    }

    /// Saves only the attachment of a credential that cannot be sent or cannot be restored. Its new refresh token is needed,
    /// because the server does not accept the old one again. The access token is saved as expired, so that the next request
    /// renews first.
    async fn keep_attachment_of(&self, context: &RefreshContext, new: &Credential, old: Option<Saved>, is_login: bool) {
        let Some(attachment) = new.attachment() else { return };
        let before = old.as_ref().filter(|_| !is_login).and_then(|old| self.entry.credential(old));
        let before = before.or_else(|| new.check().is_err().then(|| Credential::bearer(UNKNOWN_TOKEN)));
        let scopes = new.scopes().map(<[String]>::to_vec);
        let kept = before.map(|before| scopes.into_iter().fold(before, Credential::with_scopes));
        self.put_expired(context, kept.map(|kept| kept.with_attachment(attachment.clone())), old, is_login).await;
    }

    /// Saves a new attachment that came without a usable credential.
    pub(super) async fn keep_attachment(&self, context: &RefreshContext, attachment: Secret, old: Option<Saved>) {
        let before = old.as_ref().and_then(|old| self.entry.credential(old));
        let before = before.unwrap_or_else(|| Credential::bearer(UNKNOWN_TOKEN));
        self.put_expired(context, Some(before.with_attachment(attachment)), old, false).await;
    }

    async fn put_expired(
        &self,
        context: &RefreshContext,
        kept: Option<Credential>,
        old: Option<Saved>,
        is_login: bool,
    ) {
        let kept = kept.map(|kept| kept.with_expiry(SystemTime::UNIX_EPOCH));
        if let Some(new) = kept.and_then(|kept| to_saved(&kept)) {
            self.put(context, Unsaved { old, new, is_login }).await;
        }
    }
}
