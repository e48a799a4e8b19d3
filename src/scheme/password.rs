//! A refresher with a user name and a password: for Basic, and with the feature `digest` for Digest.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::BoxError;
use crate::challenge::{Challenge, Challenges};
use crate::credential::{Credential, Secret};
use crate::error::RefreshError;
use crate::refresh::{Refresh, RefreshContext};
use crate::util::clamped;

/// How well a scheme protects a password, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strength {
    /// Basic: the request contains the password (RFC 7617 §4).
    Basic,
    /// Digest with MD5. MD5 is broken, and protects only against a passive listener.
    DigestMd5,
    /// Digest with SHA-256.
    DigestSha256,
    /// Digest with SHA-512/256.
    DigestSha512,
}

/// A user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct UserPassword {
    user: String,
    password: Secret,
}

impl UserPassword {
    /// Returns a user name with its password.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { user: user.into(), password: password.into() }
    }

    /// Returns the user name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the password.
    #[must_use]
    pub fn password(&self) -> &Secret {
        &self.password
    }
}

impl fmt::Debug for UserPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPassword").field("user", &self.user).finish_non_exhaustive()
    }
}

/// The source of a user name and a password.
#[async_trait]
trait PasswordSource: Send + Sync {
    async fn get(&self, context: RefreshContext) -> Result<Option<UserPassword>, RefreshError>;
}

/// A [`Refresh`] with a user name and a password (RFC 7617, RFC 7616). It answers the strongest challenge that it can:
/// Basic, and Digest with the feature `digest`.
///
/// After a server offered Digest, Basic is not answered any more, at any of the middleware's origins. An attacker on the
/// network path could otherwise remove the Digest challenge and read the password.
///
/// ```
/// use reqwest_challenge::{ChallengeMiddleware, Password};
///
/// let auth = ChallengeMiddleware::new("https://api.example.com", Password::new("alice", "s3cret"))?;
/// # Ok::<(), reqwest_challenge::BuildError>(())
/// ```
pub struct Password {
    source: Arc<dyn PasswordSource>,
    at_least: Strength,
    allows_rfc_2069: bool,
    timeout: Duration,
    /// Whether a server offered Digest. This counts for all origins of the middleware, because they get the same
    /// credential.
    was_digest_offered: AtomicBool,
}

impl Password {
    /// Returns a refresher with this user name and password. Basic cannot send a user name with a colon, or a user
    /// name or password with a control character: if the server asks for Basic, the call ends with an error.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        struct Fixed(UserPassword);
        #[async_trait]
        impl PasswordSource for Fixed {
            async fn get(&self, _: RefreshContext) -> Result<Option<UserPassword>, RefreshError> {
                Ok(Some(self.0.clone()))
            }
        }
        Self::with_source(Fixed(UserPassword::new(user, password)))
    }

    /// Returns a refresher that gets the user name and the password from a function, such as a keyring or a prompt. The
    /// function is called when there is a challenge that can be answered. If it returns `None`, the refresher declines.
    ///
    /// A user needs more time than the default timeout of 30 s. Set it with [`with_timeout`](Self::with_timeout).
    ///
    /// ```
    /// use reqwest_challenge::{Password, RefreshContext, UserPassword};
    ///
    /// let password = Password::from_fn(async |_: RefreshContext| {
    ///     Ok::<_, std::io::Error>(Some(UserPassword::new("alice", "s3cret")))
    /// });
    /// # drop(password);
    /// ```
    #[must_use]
    pub fn from_fn<F, Fut, E>(get: F) -> Self
    where
        F: Fn(RefreshContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<UserPassword>, E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        struct FromFn<F>(F);
        #[async_trait]
        impl<F, Fut, E> PasswordSource for FromFn<F>
        where
            F: Fn(RefreshContext) -> Fut + Send + Sync,
            Fut: Future<Output = Result<Option<UserPassword>, E>> + Send,
            E: Into<BoxError> + Send + 'static,
        {
            async fn get(&self, context: RefreshContext) -> Result<Option<UserPassword>, RefreshError> {
                (self.0)(context).await.map_err(RefreshError::from_refresher)
            }
        }
        Self::with_source(FromFn(get))
    }

    fn with_source(source: impl PasswordSource + 'static) -> Self {
        Self {
            source: Arc::new(source),
            at_least: Strength::Basic,
            allows_rfc_2069: false,
            timeout: Duration::from_secs(30),
            was_digest_offered: AtomicBool::new(false),
        }
    }

    /// Sets the weakest scheme that the refresher answers. The default is [`Strength::Basic`], because most servers
    /// offer only Basic over TLS.
    #[must_use]
    pub fn at_least(mut self, strength: Strength) -> Self {
        self.at_least = strength;
        self
    }

    /// Also answers Digest without `qop`, as in RFC 2069. RFC 7616 removed it, because such an answer can be replayed.
    #[cfg(feature = "digest")]
    #[must_use]
    pub fn allow_rfc_2069(mut self) -> Self {
        self.allows_rfc_2069 = true;
        self
    }

    /// Sets how long a refresh may take. The default is 30 s. A prompt for a user needs minutes.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = clamped(timeout);
        self
    }

    /// The strength of an answer to a challenge. `None` if the challenge cannot be answered.
    fn strength(&self, challenge: &Challenge<'_>) -> Option<Strength> {
        if challenge.is("Basic") {
            return Some(Strength::Basic);
        }
        answer::strength(challenge, self.allows_rfc_2069)
    }

    /// The strongest challenge that this refresher can answer.
    fn strongest<'c>(&self, challenges: &'c Challenges) -> Option<(Strength, Challenge<'c>)> {
        let answered = challenges.iter().filter_map(|challenge| Some((self.strength(&challenge)?, challenge)));
        // Of equal challenges the first one wins, because servers put the preferred one first.
        let better = |best: Option<(Strength, Challenge<'c>)>, next: (Strength, Challenge<'c>)| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        };
        answered.filter(|(strength, _)| *strength >= self.at_least).fold(None, better)
    }

    /// Records whether the server offers Digest. Returns whether a server offered it, now or before.
    fn record_digest_offer(&self, context: &RefreshContext) -> bool {
        let mut challenges = context.challenges().iter();
        let is_offered = challenges.any(|challenge| answer::strength(&challenge, self.allows_rfc_2069).is_some());
        is_offered | self.was_digest_offered.fetch_or(is_offered, Ordering::SeqCst)
    }
}

#[async_trait]
impl Refresh for Password {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let was_digest_offered = self.record_digest_offer(&context);
        let Some((strength, _)) = self.strongest(context.challenges()) else { return Ok(None) };
        if strength == Strength::Basic && was_digest_offered {
            let why = "the server offered Digest before and offers only Basic now: the password is not sent";
            return Err(RefreshError::denied("downgrade").caused_by(why));
        }
        let Some(login) = self.source.get(context.clone()).await? else { return Ok(None) };
        // A view of the challenges cannot be held while the source is awaited, so the strongest challenge is searched
        // again.
        let Some((strength, challenge)) = self.strongest(context.challenges()) else { return Ok(None) };
        if strength == Strength::Basic {
            return Ok(Some(Credential::basic(login.user(), login.password().expose())));
        }
        Ok(answer::digest(&challenge, &context, &login, self.allows_rfc_2069))
    }

    fn needs_challenge(&self) -> bool {
        true
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").field("at_least", &self.at_least).finish_non_exhaustive()
    }
}

#[cfg(feature = "digest")]
mod answer {
    use super::super::digest::{DigestAuth, Hash, acceptable};
    use super::{Challenge, Credential, RefreshContext, Strength, UserPassword};

    pub(super) fn strength(challenge: &Challenge<'_>, allows_rfc_2069: bool) -> Option<Strength> {
        let (hash, _) = acceptable(&challenge.digest()?, allows_rfc_2069)?;
        Some(match hash {
            Hash::Md5 => Strength::DigestMd5,
            Hash::Sha256 => Strength::DigestSha256,
            Hash::Sha512_256 => Strength::DigestSha512,
        })
    }

    pub(super) fn digest(
        challenge: &Challenge<'_>,
        context: &RefreshContext,
        login: &UserPassword,
        allows_rfc_2069: bool,
    ) -> Option<Credential> {
        let (user, password) = (login.user(), login.password());
        let made = DigestAuth::new(&challenge.digest()?, context.url()?, user, password, allows_rfc_2069)?;
        Some(Credential::custom(made).with_password(password.clone()))
    }
}

#[cfg(not(feature = "digest"))]
mod answer {
    use super::{Challenge, Credential, RefreshContext, Strength, UserPassword};

    pub(super) fn strength(_: &Challenge<'_>, _: bool) -> Option<Strength> {
        None
    }

    pub(super) fn digest(_: &Challenge<'_>, _: &RefreshContext, _: &UserPassword, _: bool) -> Option<Credential> {
        None
    }
}
