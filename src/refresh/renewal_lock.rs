//! How a refresher uses the lock of the decorator around it.

use std::sync::{Arc, Weak};

use super::context::{RefreshContext, RenewalLock};
use crate::credential::{Credential, Secret};
use crate::error::RefreshError;

impl RefreshContext {
    /// Returns the context with this lock, which replaces its present lock. The context holds a weak reference:
    /// the decorator keeps the lock for as long as the refresher inside it runs. Contexts that are made from this one have
    /// the same lock; [`to_forget`](Self::to_forget) removes it.
    #[must_use]
    pub fn with_renewal_lock<L: RenewalLock>(self, lock: &Arc<L>) -> Self {
        let lock: Weak<dyn RenewalLock> = Arc::<L>::downgrade(lock);
        Self { renewal_lock: Some(lock), ..self }
    }

    fn renewal_lock(&self) -> Option<Arc<dyn RenewalLock>> {
        self.renewal_lock.as_ref().and_then(Weak::upgrade)
    }

    /// A refresher calls it before it asks the user, which can take minutes. A store releases its lock, so that no other
    /// process waits for the user.
    ///
    /// If the user has logged in through another process meanwhile, the method returns that credential. The refresher
    /// then returns it too, and does not ask the user. A second call does nothing.
    ///
    /// # Errors
    /// [`RefreshErrorKind::Other`](crate::RefreshErrorKind::Other) if no caller waits for the result of the refresh
    /// any more, or if the store cannot save a credential.
    pub async fn before_prompt(&self) -> Result<Option<Credential>, RefreshError> {
        match self.renewal_lock() {
            Some(lock) => lock.before_prompt(self).await,
            None => Ok(None),
        }
    }

    /// A refresher calls it before it presents a single-use token, such as a rotating refresh token. A store checks that it
    /// can save the replacement. A second call does nothing.
    ///
    /// # Errors
    /// [`RefreshErrorKind::Other`](crate::RefreshErrorKind::Other) if the store cannot save the replacement, and
    /// [`RefreshErrorKind::Transient`](crate::RefreshErrorKind::Transient) if another process is renewing. In both
    /// cases the refresher must not present the token.
    pub async fn before_spending(&self) -> Result<(), RefreshError> {
        match self.renewal_lock() {
            Some(lock) => lock.before_spending().await,
            None => Ok(()),
        }
    }

    /// Keeps a new [attachment](Credential::attachment) when the refresh fails. For example, the response has a new refresh
    /// token but no usable access token. The refresher calls this before it returns the error. A store saves the new attachment, so
    /// that the next renewal does not present the old one. Only the first call counts. Without a store it does nothing.
    pub fn keep_attachment(&self, attachment: impl Into<Secret>) {
        if let Some(lock) = self.renewal_lock() {
            lock.keep_attachment(attachment.into());
        }
    }
}
