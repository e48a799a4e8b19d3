//! Changes of the saved credential.

use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshReason, Secret};
use reqwest_challenge_login::store::{Saved, StoreError, to_saved};

use super::SavedRefresher;

impl<R: Refresh> SavedRefresher<R> {
    /// Saves a credential in place of `old`, and returns the credential to use. If the save fails, that is `new`.
    pub(super) async fn save(
        &self,
        new: Credential,
        old: Option<Saved>,
        logouts: u64,
        context: RefreshContext,
    ) -> Result<Option<Credential>, RefreshError> {
        let replaced = self.replace(&new, old.as_ref()).await;
        // `forget` counts before it removes, so either it finds this text or this comparison finds the logout.
        let is_logged_out = self.state().logouts != logouts;
        match replaced {
            Ok(Some(text)) if is_logged_out => {
                let removed = self.place.clear(&text).await;
                self.state().save_error = removed.err();
            }
            // The session discards the credential, and calls `forget` with it.
            Ok(None) if is_logged_out => {}
            Ok(Some(text)) => {
                let mut state = self.state();
                (state.known, state.save_error) = (Some(text), None);
            }
            Ok(None) => return self.give_way(new, context).await,
            Err(error) => {
                let mut state = self.state();
                (state.known, state.save_error) = (old, Some(error));
            }
        }
        Ok(Some(new))
    }

    /// Returns the new text if it is saved, or `None` if another text than `old` is there.
    async fn replace(&self, new: &Credential, old: Option<&Saved>) -> Result<Option<Saved>, StoreError> {
        let not_storable = || StoreError::NotStorable { scheme: new.scheme().to_owned() };
        let text = to_saved(new).ok_or_else(not_storable)?;
        let is_saved = self.place.store.replace(&self.place.key, old, &text).await?;
        Ok(is_saved.then_some(text))
    }

    /// Another process has logged in or out meanwhile. Its credential is used, and `new` is forgotten.
    async fn give_way(&self, new: Credential, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let look = self.place.load().await?;
        let forgotten = match look.credential.as_ref() == Some(&new) {
            true => Ok(()),
            false => self.inner.forget(context.clone().to_forget(RefreshReason::Discarded, Some(new))).await,
        };
        let usable = look.usable(&context);
        if usable.is_some() {
            self.state().known = look.text;
            return Ok(usable);
        }
        let error = match look.text {
            None => RefreshError::login_required("log in: another process has logged out"),
            Some(_) => RefreshError::transient(None),
        };
        Err(forgotten.err().map_or(error.clone(), |cause| error.caused_by(cause)))
    }

    /// Deletes the saved text after `CredentialRevoked`, or saves a new attachment.
    pub(super) async fn after_error(
        &self,
        error: &RefreshError,
        old: Option<Saved>,
        held: Option<&Credential>,
        attachment: Option<Secret>,
    ) {
        let changed = match (old, held, attachment) {
            (Some(old), _, _) if error.is_credential_revoked() => self.place.clear(&old).await.map(|_was_there| ()),
            (old, Some(held), Some(attachment)) => {
                let new = held.clone().with_attachment(attachment);
                self.replace(&new, old.as_ref()).await.map(|_text| ())
            }
            _ => return,
        };
        self.state().save_error = changed.err();
    }

    /// Removes the saved credential, and lets the refresher inside forget it. Each happens even if the other fails.
    pub(super) async fn forget_all(&self, context: RefreshContext) -> Result<(), RefreshError> {
        let mut found = Vec::new();
        let mut result = self.remove(&context, &mut found).await.map_err(RefreshError::from);
        let held = context.credential().filter(|held| !found.contains(held)).cloned();
        let is_empty = found.is_empty() && held.is_none();
        for credential in found.into_iter().chain(held).map(Some).chain(is_empty.then_some(None)) {
            let inner = context.clone().to_forget(context.reason(), credential);
            result = result.and(self.inner.forget(inner).await);
        }
        result
    }

    /// After a logout, removes each text that is there. Otherwise removes the text of the discarded credential only.
    async fn remove(&self, context: &RefreshContext, found: &mut Vec<Credential>) -> Result<(), StoreError> {
        let is_logout = context.reason() == RefreshReason::Logout;
        loop {
            let look = self.place.load().await?;
            let Some(text) = look.text else { break };
            if !is_logout && look.credential.as_ref() != context.credential() {
                break;
            }
            found.extend(look.credential);
            self.place.clear(&text).await?;
        }
        if is_logout {
            let left = self.place.store.sweep(&self.place.key).await?;
            found.extend(left.iter().filter_map(|text| self.place.read(text)));
            self.state().known = None;
        }
        Ok(())
    }
}
