//! The trait of refreshers.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::context::RefreshContext;
use crate::BoxError;
use crate::credential::Credential;
use crate::error::RefreshError;

/// Gets credentials. A caller of this crate implements it.
///
/// An `async fn(RefreshContext) -> Result<Credential, E>` implements it, and so does a fixed [`Credential`]. Most callers
/// need no more than a function:
///
/// ```
/// use reqwest_challenge::{ChallengeMiddleware, Credential, RefreshContext};
///
/// async fn log_in(_context: RefreshContext) -> Result<Credential, std::io::Error> {
///     Ok(Credential::bearer("t1"))
/// }
///
/// let auth = ChallengeMiddleware::new("https://api.example.com", log_in)?;
/// # Ok::<(), reqwest_challenge::BuildError>(())
/// ```
///
/// A closure with state clones the state in each call, because it is called more than once:
///
/// ```
/// use std::sync::Arc;
///
/// use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext};
///
/// struct State {
///     token_url: String,
/// }
///
/// let state = Arc::new(State { token_url: "https://auth.example.com/token".to_owned() });
/// let log_in = move |context: RefreshContext| {
///     let state = state.clone();
///     async move {
///         let token = context.http_client()?.post(&state.token_url).send().await?.text().await?;
///         Ok::<_, BoxError>(Credential::bearer(token))
///     }
/// };
/// let auth = ChallengeMiddleware::new("https://api.example.com", log_in)?;
/// # Ok::<(), reqwest_challenge::BuildError>(())
/// ```
///
/// To give a credential before the first request, or to revoke one on logout, implement the trait for a type:
///
/// ```
/// use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, async_trait};
///
/// struct KeyFile(std::path::PathBuf);
///
/// #[async_trait]
/// impl Refresh for KeyFile {
///     async fn refresh(&self, _context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
///         let key = std::fs::read_to_string(&self.0)?;
///         Ok(Some(Credential::bearer(key.trim())))
///     }
///
///     async fn initial(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
///         self.refresh(context).await
///     }
/// }
/// ```
///
/// A decorator, such as a store, is a `Refresh` around another `Refresh`. It forwards all six methods. It can change the
/// context that the inner refresher sees, for example by [`RefreshContext::with_credential`]. `decorator_contract` in
/// `reqwest-challenge-testing` checks a decorator.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a refresher",
    label = "this type does not implement `Refresh`",
    note = "pass an `async fn(RefreshContext) -> Result<Credential, E>`, a fixed credential such as \
            `Credential::bearer(\"token\")`, or a type with `#[async_trait] impl Refresh`"
)]
pub trait Refresh: Send + Sync + 'static {
    /// Returns a new credential. `Ok(None)` declines: this refresher does not answer these challenges.
    ///
    /// However many requests wait for the credential, the session calls this method once, on a task that outlives them.
    /// Partitions and resources each have their own call, and these run side by side.
    ///
    /// # Errors
    /// Returns why there is no credential. All waiting requests share the error. Its
    /// [kind](crate::RefreshErrorKind) decides what happens next.
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError>;

    /// Returns the credential to send before the server has refused anything. The session calls it once in each epoch, also
    /// if [`needs_challenge`](Self::needs_challenge) is `true`. If the returned credential has expired, the session calls
    /// [`refresh`](Self::refresh) before the request. The default implementation returns `Ok(None)`.
    ///
    /// # Errors
    /// Returns why the initial credential is not known. Then nothing is sent.
    async fn initial(&self, _context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(None)
    }

    /// Forgets the [credential of the context](RefreshContext::credential): removes it where it is stored, and revokes it
    /// where it was issued. The default implementation does nothing.
    ///
    /// The [reason](RefreshContext::reason) is [`Logout`](crate::RefreshReason::Logout), or
    /// [`Discarded`](crate::RefreshReason::Discarded) for a credential that a refresh returned after a logout or a login.
    ///
    /// # Errors
    /// Returns why the credential could not be forgotten.
    async fn forget(&self, _context: RefreshContext) -> Result<(), RefreshError> {
        Ok(())
    }

    /// Whether [`refresh`](Self::refresh) can only answer challenges. An example is a password, whose scheme the server
    /// chooses. The default is `false`.
    ///
    /// If it is `true`, a credential that is known to be invalid is not renewed before the next request. The request is
    /// sent without a credential, and its 401 starts the refresh. For the same reason
    /// [`Builder::refresh_before_streams`](crate::Builder::refresh_before_streams) has no effect, and
    /// [`Session::fresh`](crate::Session::fresh) is an error until a 401 has brought a credential.
    ///
    /// All other calls are made: [`initial`](Self::initial), a login, a step-up, and the renewal of a credential whose expiry
    /// has passed. A decorator therefore returns the `needs_challenge` of the refresher inside. A store still returns the stored
    /// credential in `initial`.
    fn needs_challenge(&self) -> bool {
        false
    }

    /// Returns how long one call of [`refresh`](Self::refresh), [`initial`](Self::initial) or [`forget`](Self::forget) may
    /// take. A decorator that waits adds its own time. The default is 30 s: a token endpoint usually responds in one
    /// second, and a caller does not want to wait for longer. A refresher that asks the user returns several minutes.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Whether the refresher holds a credential in memory that it could not save. A [`SessionPool`](crate::SessionPool) does
    /// not drop the session of such a refresher. The default is `false`. A decorator returns `true` if it holds one itself, or
    /// if the refresher inside does.
    fn holds_unsaved(&self) -> bool {
        false
    }
}

/// What the function of a refresher returns: a [`Credential`], or an `Option<Credential>` whose `None` declines. Only these
/// two types implement it.
#[diagnostic::on_unimplemented(
    message = "a refresher returns a `Credential` or an `Option<Credential>`, not `{Self}`",
    label = "the function of this refresher returns `{Self}`",
    note = "return `Credential::bearer(token)`"
)]
pub trait IntoCredential: sealed::Sealed {
    #[doc(hidden)]
    fn into_credential(self) -> Option<Credential>;
}

mod sealed {
    #[expect(unnameable_types, reason = "so that no other crate implements `IntoCredential`")]
    pub trait Sealed {}

    impl Sealed for crate::credential::Credential {}
    impl Sealed for Option<crate::credential::Credential> {}
}

impl IntoCredential for Credential {
    fn into_credential(self) -> Option<Credential> {
        Some(self)
    }
}

impl IntoCredential for Option<Credential> {
    fn into_credential(self) -> Option<Credential> {
        self
    }
}

#[async_trait]
impl<F, Fut, C, E> Refresh for F
where
    F: Fn(RefreshContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<C, E>> + Send + 'static,
    C: IntoCredential + Send + 'static,
    E: Into<BoxError> + Send + 'static,
{
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        self(context).await.map(IntoCredential::into_credential).map_err(RefreshError::from_refresher)
    }
}

/// A fixed credential. It is sent from the first request on, and is never renewed.
#[async_trait]
impl Refresh for Credential {
    async fn refresh(&self, _context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(None)
    }

    async fn initial(&self, _context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(Some(self.clone()))
    }
}

macro_rules! forward {
    ($([$($generic:tt)*] $pointer:ty;)*) => {$(
        #[async_trait]
        impl<$($generic)*> Refresh for $pointer {
            async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
                (**self).refresh(context).await
            }

            async fn initial(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
                (**self).initial(context).await
            }

            async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
                (**self).forget(context).await
            }

            fn needs_challenge(&self) -> bool {
                (**self).needs_challenge()
            }

            fn timeout(&self) -> Duration {
                (**self).timeout()
            }

            fn holds_unsaved(&self) -> bool {
                (**self).holds_unsaved()
            }
        }
    )*};
}

// A generic `Box<R>` would overlap with the implementation for functions.
forward! {
    [R: Refresh + ?Sized] Arc<R>;
    [] Box<dyn Refresh>;
}
