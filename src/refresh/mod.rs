//! Renewal: the one thing that a user plugs in, and who calls it.

mod ask;
mod budget;
mod epochs;
mod error;
mod flight;
mod heard;
mod landing;
mod masked;
mod network;
mod person;
mod question;
mod rejection;
mod session;
mod slot;
mod slots;
mod state;
mod streak;
mod sync;
mod tasks;
mod waiting;
mod waits;
mod want;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub(crate) use ask::Ended;
pub use error::{RefreshError, RefreshErrorKind};
#[cfg(feature = "cli")]
pub(crate) use network::is_passing;
#[cfg(feature = "store")]
pub(crate) use person::MakesWay;
#[cfg(any(feature = "oauth", feature = "store"))]
pub(crate) use person::{abandoned, nobody_waits};
pub(crate) use question::Question;
pub(crate) use rejection::Occasion;
#[cfg(feature = "testing")]
pub(crate) use rejection::Surroundings;
pub use rejection::{Cause, Demand, Rejection};
pub use session::Clock;
#[cfg(any(feature = "oauth", feature = "testing"))]
pub(crate) use session::bare_client;
pub(crate) use session::{Bounds, Core, Current};
pub(crate) use slot::Stage;
pub(crate) use want::{How, Renewal, SlotKey, Want};

use crate::BoxError;
use crate::credential::Credential;

/// Answers a rejection with a credential. This is the trait that a caller implements.
///
/// An `async fn(Rejection) -> Result<Credential, E>` implements it, and so does a fixed [`Credential`]. A store is a `Refresh`
/// around another `Refresh`; such a wrapper must forward all five methods.
#[async_trait]
pub trait Refresh: Send + Sync + 'static {
    /// Returns a new credential. `Ok(None)` declines: these challenges are not for this refresher.
    ///
    /// However many requests wait for the credential, it is called once, on a task that outlives them. Partitions and resources
    /// each have their own call, side by side.
    ///
    /// # Errors
    /// Why there is no credential. All waiters share the error.
    async fn refresh(&self, rejection: Rejection) -> Result<Option<Credential>, RefreshError>;

    /// Returns the credential to send before the server has refused anything. It is called once an epoch.
    ///
    /// # Errors
    /// Why the initial credential is not known. Then nothing is sent.
    async fn initial(&self) -> Result<Option<Credential>, RefreshError> {
        Ok(None)
    }

    /// Forgets this credential after a logout: removes it where it is stored, and revokes it where it was issued.
    ///
    /// # Errors
    /// Why it could not be forgotten.
    async fn forget(&self, _credential: Option<Credential>) -> Result<(), RefreshError> {
        Ok(())
    }

    /// Whether this refresher only answers challenges. If so, it is not asked before a server has refused something. An
    /// example is a password, whose scheme the server chooses. The default is `false`.
    ///
    /// If it is `true`, a credential that is known to be invalid is not renewed before the next request. The request is
    /// sent without one, and its 401 starts the refresh.
    fn needs_challenge(&self) -> bool {
        false
    }

    /// How long one refresh may take. 30 s: a token endpoint answers in one, and a caller does not wait for longer. Whoever
    /// asks a person says minutes.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }
}

#[async_trait]
impl<F, Fut, C, E> Refresh for F
where
    F: Fn(Rejection) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<C, E>> + Send + 'static,
    C: Into<Option<Credential>> + Send + 'static,
    E: Into<BoxError> + Send + 'static,
{
    async fn refresh(&self, rejection: Rejection) -> Result<Option<Credential>, RefreshError> {
        self(rejection).await.map(Into::into).map_err(RefreshError::of_any)
    }
}

/// A fixed credential: sent from the first request on, and declined to be renewed.
#[async_trait]
impl Refresh for Credential {
    async fn refresh(&self, _rejection: Rejection) -> Result<Option<Credential>, RefreshError> {
        Ok(None)
    }

    async fn initial(&self) -> Result<Option<Credential>, RefreshError> {
        Ok(Some(self.clone()))
    }
}

macro_rules! forward {
    ($([$($generic:tt)*] $pointer:ty;)*) => {$(
        #[async_trait]
        impl<$($generic)*> Refresh for $pointer {
            async fn refresh(&self, rejection: Rejection) -> Result<Option<Credential>, RefreshError> {
                (**self).refresh(rejection).await
            }

            async fn initial(&self) -> Result<Option<Credential>, RefreshError> {
                (**self).initial().await
            }

            async fn forget(&self, credential: Option<Credential>) -> Result<(), RefreshError> {
                (**self).forget(credential).await
            }

            fn needs_challenge(&self) -> bool {
                (**self).needs_challenge()
            }

            fn timeout(&self) -> Duration {
                (**self).timeout()
            }
        }
    )*};
}

// A generic `Box<R>` could be a function too, as far as the compiler knows.
forward! {
    [R: Refresh + ?Sized] Arc<R>;
    [] Box<dyn Refresh>;
}
