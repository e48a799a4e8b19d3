//! Asking the user: which locks are released for that, and when no caller waits for the answer any more.

use std::sync::Weak;
#[cfg(any(feature = "oauth", feature = "store"))]
use std::time::Duration;

use async_trait::async_trait;

use super::error::RefreshError;
use super::rejection::Rejection;
use crate::credential::Credential;
use crate::secret::Secret;

/// Holds a lock that others wait for, and releases it before the user is asked.
#[async_trait]
pub(crate) trait MakesWay: Send + Sync {
    /// Releases the lock. Returns a credential if another process obtained one meanwhile; then the user need not be asked.
    async fn before_asking(&self, rejection: &Rejection) -> Result<Option<Credential>, RefreshError>;

    /// Fails if the replacement of a credential cannot be saved, or if another process is replacing it.
    async fn before_spending(&self) -> Result<(), RefreshError>;

    /// Keeps the new attachment although the refresh fails.
    fn keep_attachment(&self, attachment: Secret);
}

impl Rejection {
    /// For a refresher that is about to ask the user, which can take minutes. A store releases its lock, so that no other process
    /// waits for the user.
    ///
    /// If the user has logged in through another process meanwhile, the returned credential is the answer, and the user need not
    /// be asked. A second call does nothing.
    ///
    /// # Errors
    /// [`RefreshErrorKind::Other`](super::RefreshErrorKind::Other) if no caller waits for the answer any more, or if the store
    /// cannot save a credential.
    pub async fn before_asking(&self) -> Result<Option<Credential>, RefreshError> {
        match self.makes_way.as_ref().and_then(Weak::upgrade) {
            Some(holder) => holder.before_asking(self).await,
            None => Ok(None),
        }
    }

    /// For a refresher that is about to present a single-use token, such as a rotating refresh token. A store first
    /// checks that it can save the replacement. A second call does nothing.
    ///
    /// # Errors
    /// [`RefreshErrorKind::Other`](super::RefreshErrorKind::Other) if the store cannot save the replacement, and
    /// [`RefreshErrorKind::Transient`](super::RefreshErrorKind::Transient) if another process is renewing. In both
    /// cases the refresher must not present the token.
    pub async fn before_spending(&self) -> Result<(), RefreshError> {
        match self.makes_way.as_ref().and_then(Weak::upgrade) {
            Some(holder) => holder.before_spending().await,
            None => Ok(()),
        }
    }

    /// For a refresher that returns an error although the server has replaced the [attachment](Credential::attachment), for
    /// example by a response with a new refresh token but no usable access token. A store saves the new attachment, so that the
    /// next renewal does not present the old one. Only the first call counts. Without a store it does nothing.
    pub fn keep_attachment(&self, attachment: impl Into<Secret>) {
        if let Some(holder) = self.makes_way.as_ref().and_then(Weak::upgrade) {
            holder.keep_attachment(attachment.into());
        }
    }
}

/// Ends when no caller waits for the answer any more, so that the user is not asked in vain.
#[cfg(any(feature = "oauth", feature = "store"))]
pub(crate) async fn abandoned(rejection: Option<&Rejection>) {
    // Looks twice, because another caller may begin to wait in between.
    const LOOK: Duration = Duration::from_millis(100);
    let mut alone = 0;
    while alone < 2 {
        tokio::time::sleep(LOOK).await;
        alone = if rejection.is_some_and(Rejection::is_awaited) { 0 } else { alone + 1 };
    }
}

#[cfg(any(feature = "oauth", feature = "store"))]
pub(crate) fn nobody_waits() -> RefreshError {
    RefreshError::other("no caller waits for the login any more")
}
