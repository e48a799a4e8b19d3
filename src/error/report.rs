//! The report of what the middleware did in one call.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::header::HeaderValue;
use reqwest::Url;

use super::findings::Findings;
use crate::credential::{Credential, Masker, SlotKey};
use crate::util::ClockSkew;

/// The report of what the middleware did in one call. [`Unauthorized`](crate::Unauthorized) and
/// [`Forbidden`](crate::Forbidden) contain it, and [`of`](Self::of) returns it for every response.
#[derive(Clone, Default)]
pub struct AuthReport {
    pub(crate) attempts: u8,
    /// What the last send was signed with. `None` if the caller set the credential.
    pub(crate) signed: Option<Signed>,
    /// How far the server's clock was from the session's clock, if that was known.
    pub(crate) skew: Option<ClockSkew>,
    /// The slot that the call was for.
    pub(crate) slot: SlotKey,
    pub(crate) renewal: Option<Renewed>,
    pub(crate) waited: Duration,
    /// The credentials that the request carried: of the first send, then of the second. They are masked in the server's
    /// text.
    pub(crate) sent: [Option<Credential>; 2],
    /// Secret values that the caller set or a scheme made. They are masked in the server's text too.
    pub(crate) echoes: Vec<Credential>,
    /// What the lint found.
    pub(crate) findings: Findings,
}

/// The epoch and the generation of the credential that a send was signed with.
#[derive(Clone, Copy)]
pub(crate) struct Signed {
    pub(crate) epoch: u64,
    pub(crate) generation: u64,
}

/// How a call got the credential of its second send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewed {
    /// The call started the refresh.
    Started,
    /// The call waited for a refresh that another call had started.
    Joined,
    /// The session held a newer credential already, because another call had refreshed.
    Reused,
    /// The scheme answered the challenge without a refresh, for example with the server's nonce.
    ByScheme,
}

impl AuthReport {
    /// Returns the report of a response of the middleware.
    #[must_use]
    pub fn of(response: &reqwest::Response) -> Self {
        let stored = response.extensions().get::<Self>().cloned();
        // A success of the first send stores only these.
        let signed = || response.extensions().get::<Signed>().copied();
        let skew = || response.extensions().get::<ClockSkew>().copied();
        stored.unwrap_or_else(|| Self { attempts: 1, signed: signed(), skew: skew(), ..Self::default() })
    }

    /// Returns how often the request was sent: 1 or 2, or 0 if nothing was sent.
    #[must_use]
    pub fn attempts(&self) -> u8 {
        self.attempts
    }

    /// Returns how often the request was sent again: 0 or 1. OpenTelemetry calls it `http.request.resend_count`.
    #[must_use]
    pub fn resend_count(&self) -> u8 {
        self.attempts.saturating_sub(1)
    }

    /// Returns the number of the identity that was logged in. `None` if the caller set the credential.
    #[must_use]
    pub fn epoch(&self) -> Option<u64> {
        self.signed.map(|signed| signed.epoch)
    }

    /// Returns the number of the credential that was sent last, zero if none was sent. `None` if the caller set the credential.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        self.signed.map(|signed| signed.generation)
    }

    /// Returns how the call got another credential, if it did.
    #[must_use]
    pub fn renewed(&self) -> Option<Renewed> {
        self.renewal
    }

    /// Returns how long the call waited for a new credential.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Returns how far the server's clock was from the session's clock after the response, as
    /// [`Session::clock_skew`](crate::Session::clock_skew) does.
    #[must_use]
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.skew
    }

    /// Returns what the lint found in the server's responses to this call.
    #[cfg(feature = "lint")]
    #[must_use]
    pub fn findings(&self) -> &[crate::lint::Finding] {
        self.findings.as_slice()
    }

    /// Whether the report contains more than the numbers of a successful first send.
    pub(crate) fn has_more_than_numbers(&self) -> bool {
        self.attempts > 1 || self.renewal.is_some() || !self.waited.is_zero() || !self.findings.is_empty()
    }

    /// Masks the values of the URL's query whose names suggest a secret, because a server may echo the whole URL.
    pub(crate) fn mask_url_values(&mut self, url: &Url) {
        const SECRET_NAMES: [&str; 7] = ["key", "token", "auth", "sig", "secret", "pass", "code"];
        let is_secret = |name: &str| SECRET_NAMES.iter().any(|part| name.to_ascii_lowercase().contains(part));
        let query = url.query_pairs().filter(|(name, _)| is_secret(name)).map(|(_, value)| value);
        let all = query.chain(url.password().map(Cow::Borrowed));
        let values = all.filter_map(|value| HeaderValue::from_str(&value).ok());
        self.echoes.extend(values.map(Credential::of_caller));
    }

    /// A masker for the credentials that were sent.
    pub(crate) fn masker(&self) -> Masker {
        Credential::masker_of(self.sent.iter().flatten().chain(&self.echoes))
    }

    /// The server's text without the credentials that were sent.
    pub(crate) fn mask(&self, text: String) -> String {
        self.masker().mask(text)
    }
}

impl fmt::Debug for AuthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthReport")
            .field("attempts", &self.attempts)
            .field("epoch", &self.epoch())
            .field("generation", &self.generation())
            .field("renewed", &self.renewal)
            .field("waited", &self.waited)
            .field("clock_skew", &self.skew)
            .finish_non_exhaustive()
    }
}

impl AsRef<AuthReport> for AuthReport {
    fn as_ref(&self) -> &AuthReport {
        self
    }
}
