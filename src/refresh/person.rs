//! When a person is asked: who makes way for that, and when nobody needs the answer any more.

use std::sync::Weak;
#[cfg(any(feature = "oauth", feature = "store"))]
use std::time::Duration;

use async_trait::async_trait;

use super::error::RefreshError;
use super::rejection::Rejection;
use crate::credential::Credential;
use crate::secret::Secret;

/// Holds something that others wait for, and lets it go before a person is asked.
#[async_trait]
pub(crate) trait MakesWay: Send + Sync {
    /// Lets it go. A credential is one that came from elsewhere meanwhile, so that nobody need be asked.
    async fn before_asking(&self, rejection: &Rejection) -> Result<Option<Credential>, RefreshError>;

    /// Fails where what replaces a credential could not be kept, or where another process is replacing it.
    async fn before_spending(&self) -> Result<(), RefreshError>;

    /// Keeps what a server gave in the place of what is attached, though the refresh fails.
    fn keep_attachment(&self, attachment: Secret);
}

impl Rejection {
    /// For whoever is about to ask a person, who takes minutes: a store lets its lock go, so that no other process waits for the person.
    ///
    /// Where another process had the person log in meanwhile, its credential is the answer, and nobody need be asked. A second call
    /// changes nothing.
    ///
    /// # Errors
    /// [`RefreshErrorKind::Other`](super::RefreshErrorKind::Other): nobody waits for the answer any more, or the store cannot keep one.
    pub async fn before_asking(&self) -> Result<Option<Credential>, RefreshError> {
        match self.makes_way.as_ref().and_then(Weak::upgrade) {
            Some(holder) => holder.before_asking(self).await,
            None => Ok(None),
        }
    }

    /// For a refresher that is about to present a token which serves once, such as a rotating refresh token: a store shows that it can
    /// save what comes in its place. A second call changes nothing.
    ///
    /// # Errors
    /// [`RefreshErrorKind::Other`](super::RefreshErrorKind::Other) if the store cannot save it, and
    /// [`RefreshErrorKind::Transient`](super::RefreshErrorKind::Transient) if another process is renewing. Then the token is not
    /// presented.
    pub async fn before_spending(&self) -> Result<(), RefreshError> {
        match self.makes_way.as_ref().and_then(Weak::upgrade) {
            Some(holder) => holder.before_spending().await,
            None => Ok(()),
        }
    }

    /// For a refresher that returns an error though the server has replaced what is [attached](Credential::attachment), such as an
    /// answer with a new refresh token and no usable access token. A store saves the attachment, so that the next renewal does not
    /// present the old one. Only the first call counts. Without a store it does nothing.
    pub fn keep_attachment(&self, attachment: impl Into<Secret>) {
        if let Some(holder) = self.makes_way.as_ref().and_then(Weak::upgrade) {
            holder.keep_attachment(attachment.into());
        }
    }
}

/// Comes to its end when nobody waits for the answer any more, so that a person is not asked for nobody.
#[cfg(any(feature = "oauth", feature = "store"))]
pub(crate) async fn abandoned(rejection: Option<&Rejection>) {
    // By chance somebody else comes to wait in between: a moment is not the end.
    const LOOK: Duration = Duration::from_millis(100);
    let mut alone = 0;
    while alone < 2 {
        tokio::time::sleep(LOOK).await;
        alone = if rejection.is_some_and(Rejection::is_awaited) { 0 } else { alone + 1 };
    }
}

#[cfg(any(feature = "oauth", feature = "store"))]
pub(crate) fn nobody_waits() -> RefreshError {
    RefreshError::other("nobody waits for the login any more")
}
