//! A user name and a password, as a refresher: for Basic, and for Digest with the feature.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::BoxError;
use crate::challenge::{Challenge, Challenges};
use crate::credential::Credential;
use crate::credential::Secret;
use crate::error::RefreshError;
use crate::refresh::{Refresh, RefreshContext};
use crate::util::clamped;

/// How much of a password a scheme gives away, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strength {
    /// Basic: the password itself, to whoever reads the request (RFC 7617 §4).
    Basic,
    /// Digest with MD5, which is broken, and stands in the way of whoever only listens.
    DigestMd5,
    /// Digest with SHA-256.
    DigestSha256,
    /// Digest with SHA-512/256.
    DigestSha512,
}

type Login = (String, Secret);

/// Asks somebody, or something, for a user name and a password.
#[async_trait]
trait AskPassword: Send + Sync {
    async fn ask(&self, rejection: RefreshContext) -> Result<Option<Login>, RefreshError>;
}

/// A user name and a password (RFC 7617, 7616), as a [`Refresh`]: it answers the strongest challenge that it can, Basic, and Digest
/// with the feature `digest`.
///
/// Once a server offered Digest, Basic is not answered any more, by none of the middleware's origins: whoever is in between could
/// leave Digest out.
///
/// ```
/// use reqwest_challenge::{ChallengeMiddleware, Password};
///
/// let auth = ChallengeMiddleware::new("https://api.example.com", Password::new("alice", "s3cret"))?;
/// # Ok::<(), reqwest_challenge::BuildError>(())
/// ```
pub struct Password {
    ask: Arc<dyn AskPassword>,
    at_least: Strength,
    legacy: bool,
    timeout: Duration,
    /// Whether a server offered Digest: one identity has one credential for all of its origins.
    digest: AtomicBool,
}

impl Password {
    /// That user name and password. A user name with a colon, or either with a control character, is an error where it is
    /// answered with Basic, which cannot say it.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        struct Fixed(Login);
        #[async_trait]
        impl AskPassword for Fixed {
            async fn ask(&self, _: RefreshContext) -> Result<Option<Login>, RefreshError> {
                Ok(Some(self.0.clone()))
            }
        }
        Self::of(Fixed((user.into(), password.into())))
    }

    /// A user name and a password that are asked for once there is a challenge that can be answered: of a keyring, of a person.
    /// `None` declines.
    ///
    /// A person wants longer than the 30 s that a refresh may take unless [`within`](Self::within) says otherwise.
    #[must_use]
    pub fn asked<F, Fut, E>(ask: F) -> Self
    where
        F: Fn(RefreshContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<(String, Secret)>, E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        struct Asked<F>(F);
        #[async_trait]
        impl<F, Fut, E> AskPassword for Asked<F>
        where
            F: Fn(RefreshContext) -> Fut + Send + Sync,
            Fut: Future<Output = Result<Option<Login>, E>> + Send,
            E: Into<BoxError> + Send + 'static,
        {
            async fn ask(&self, rejection: RefreshContext) -> Result<Option<Login>, RefreshError> {
                (self.0)(rejection).await.map_err(RefreshError::from_refresher)
            }
        }
        Self::of(Asked(ask))
    }

    fn of(ask: impl AskPassword + 'static) -> Self {
        let (at_least, timeout) = (Strength::Basic, Duration::from_secs(30));
        Self { ask: Arc::new(ask), at_least, legacy: false, timeout, digest: AtomicBool::new(false) }
    }

    /// Answers nothing weaker. [`Strength::Basic`] unless it is told otherwise: over TLS most servers have nothing else.
    #[must_use]
    pub fn at_least(mut self, strength: Strength) -> Self {
        self.at_least = strength;
        self
    }

    /// Answers Digest without `qop` too, as of RFC 2069, which RFC 7616 took out: such an answer can be replayed.
    #[cfg(feature = "digest")]
    #[must_use]
    pub fn allow_rfc_2069(mut self) -> Self {
        self.legacy = true;
        self
    }

    /// How long asking may take: 30 s unless it is told otherwise; minutes where a person is asked.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = clamped(timeout);
        self
    }

    /// How strong an answer to that challenge would be; `None` where there is none.
    fn strength(&self, challenge: &Challenge<'_>) -> Option<Strength> {
        if challenge.is("Basic") {
            return Some(Strength::Basic);
        }
        answer::strength(challenge, self.legacy)
    }

    /// The strongest challenge that is answered.
    fn strongest<'c>(&self, challenges: &'c Challenges) -> Option<(Strength, Challenge<'c>)> {
        let answered = challenges.iter().filter_map(|challenge| Some((self.strength(&challenge)?, challenge)));
        // The first of equals, because servers put first what they like best.
        let better = |best: Option<(Strength, Challenge<'c>)>, next: (Strength, Challenge<'c>)| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        };
        answered.filter(|(strength, _)| *strength >= self.at_least).fold(None, better)
    }

    /// Whether a server offered Digest, now or before.
    fn offered_digest(&self, rejection: &RefreshContext) -> bool {
        let now = rejection.challenges().iter().any(|challenge| answer::strength(&challenge, self.legacy).is_some());
        now | self.digest.fetch_or(now, Ordering::SeqCst)
    }
}

#[async_trait]
impl Refresh for Password {
    async fn refresh(&self, rejection: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let digest = self.offered_digest(&rejection);
        let Some((strength, _)) = self.strongest(rejection.challenges()) else { return Ok(None) };
        if strength == Strength::Basic && digest {
            let why = "Digest was offered before: the password itself is not sent";
            return Err(RefreshError::denied("downgrade").caused_by(why));
        }
        let Some((user, password)) = self.ask.ask(rejection.clone()).await? else { return Ok(None) };
        // Looked up anew: a view of the challenges is not held while somebody is asked.
        let Some((strength, challenge)) = self.strongest(rejection.challenges()) else { return Ok(None) };
        if strength == Strength::Basic {
            return Ok(Some(Credential::basic(&user, password.expose())));
        }
        Ok(answer::digest(&challenge, &rejection, (&user, password), self.legacy))
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
    use super::{Challenge, Credential, RefreshContext, Secret, Strength};

    pub(super) fn strength(challenge: &Challenge<'_>, legacy: bool) -> Option<Strength> {
        let (hash, _) = acceptable(&challenge.digest()?, legacy)?;
        Some(match hash {
            Hash::Md5 => Strength::DigestMd5,
            Hash::Sha256 => Strength::DigestSha256,
            Hash::Sha512_256 => Strength::DigestSha512,
        })
    }

    pub(super) fn digest(
        challenge: &Challenge<'_>,
        rejection: &RefreshContext,
        login: (&str, Secret),
        legacy: bool,
    ) -> Option<Credential> {
        let password = login.1.clone();
        let made = DigestAuth::new(&challenge.digest()?, rejection.url()?, login, legacy)?;
        Some(Credential::custom(made).with_password(password))
    }
}

#[cfg(not(feature = "digest"))]
mod answer {
    use super::{Challenge, Credential, RefreshContext, Secret, Strength};

    pub(super) fn strength(_: &Challenge<'_>, _: bool) -> Option<Strength> {
        None
    }

    pub(super) fn digest(_: &Challenge<'_>, _: &RefreshContext, _: (&str, Secret), _: bool) -> Option<Credential> {
        None
    }
}
