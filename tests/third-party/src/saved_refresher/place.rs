//! Where a credential is saved.

use std::time::Duration;

use reqwest_challenge::{Credential, RefreshContext, RefreshError, Secret};
use reqwest_challenge_login::store::{Key, Saved, Store, StoreError, StoreLock, from_saved};

/// Makes a credential of a custom scheme.
type Restore = dyn Fn(&str, Secret) -> Option<Credential> + Send + Sync;

/// Where one credential is saved.
pub(super) struct Place {
    pub(super) store: Box<dyn Store>,
    pub(super) key: Key,
    pub(super) restore: Box<Restore>,
}

impl Place {
    /// Loads the saved text, and the credential that it contains.
    pub(super) async fn load(&self) -> Result<Look, StoreError> {
        let text = self.store.load(&self.key).await?;
        let credential = text.as_ref().and_then(|text| self.read(text));
        Ok(Look { text, credential })
    }

    /// Reads the credential of a text. Returns `None` if the text is damaged or has an unknown scheme.
    pub(super) fn read(&self, text: &Saved) -> Option<Credential> {
        from_saved(text, &self.restore).map(|credential| credential.with_source(self.store.name()))
    }

    /// Removes that text, if it is still there.
    pub(super) async fn clear(&self, text: &Saved) -> Result<bool, StoreError> {
        self.store.clear(&self.key, text).await
    }

    /// Takes the lock. If another process holds it for longer than `wait`, the error is transient.
    pub(super) async fn lock(&self, wait: Duration) -> Result<StoreLock, RefreshError> {
        Ok(self.store.lock(&self.key, wait).await?)
    }
}

/// What one look into the store found.
pub(super) struct Look {
    pub(super) text: Option<Saved>,
    /// The credential of the text. `None` also if the text cannot be read.
    pub(super) credential: Option<Credential>,
}

impl Look {
    /// The credential, if it has not expired and meets the demand.
    pub(super) fn usable(&self, context: &RefreshContext) -> Option<Credential> {
        let credential = self.credential.as_ref()?;
        let is_valid = credential.expiry().is_none_or(|expiry| expiry > context.now());
        (is_valid && context.demand().is_met_by(credential)).then(|| credential.clone())
    }

    /// Whether the saved credential is newer than the refused one. `known` is the text of the last credential that
    /// the session got, or an older text if a save failed.
    pub(super) fn is_newer(&self, context: &RefreshContext, known: Option<&Saved>) -> bool {
        match (context.credential(), &self.credential) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(refused), Some(saved)) => refused != saved && known != self.text.as_ref(),
        }
    }

    /// The context for the refresher inside, with the newest credential.
    pub(super) fn pass_on(&self, context: RefreshContext, known: Option<&Saved>) -> RefreshContext {
        match &self.credential {
            // The saved attachment can be newer although the header is the same.
            Some(saved) if context.credential() == Some(saved) || self.is_newer(&context, known) => {
                context.with_credential(saved.clone())
            }
            // Another process has logged out.
            None if self.text.is_none() && known.is_some() => context.without_credential(),
            _ => context,
        }
    }
}
