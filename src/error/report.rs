//! The report of what was done about authentication in one call.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::header::HeaderValue;
use reqwest::Url;

use super::findings::Findings;
use crate::credential::Credential;
use crate::credential::Masker;
use crate::credential::SlotKey;

/// The report of what was done about authentication in one call. Both refusals contain it, and [`of`](Self::of) returns it
/// for every response.
#[derive(Clone, Default)]
pub struct AuthReport {
    pub(crate) attempts: u8,
    /// The epoch and the generation that the last send was signed with.
    pub(crate) signed: Option<(u64, u64)>,
    /// The slot that the call was for.
    pub(crate) slot: SlotKey,
    pub(crate) renewal: Option<Renewed>,
    pub(crate) waited: Duration,
    /// The credentials that were on the request, for masking what a server echoes.
    pub(crate) sent: [Option<Credential>; 2],
    /// Values that the caller set and that custom schemes made, for the same purpose.
    pub(crate) echoes: Vec<Credential>,
    /// What the lint found.
    pub(crate) findings: Findings,
}

/// The epoch and the generation with which a successful first send was signed.
#[derive(Clone, Copy)]
pub(crate) struct Signed(pub(crate) u64, pub(crate) u64);

/// How a call came to its second credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewed {
    /// It started the refresh.
    ByUs,
    /// It waited for a refresh that another call had started.
    Joined,
    /// Another call had refreshed already.
    TakenOver,
    /// The scheme answered by itself.
    ByScheme,
}

impl AuthReport {
    /// Returns the report of a response. Every response of the middleware has one.
    #[must_use]
    pub fn of(response: &reqwest::Response) -> Self {
        let stored = response.extensions().get::<Self>().cloned();
        // A success of the first send stores only these numbers.
        let signed = || response.extensions().get::<Signed>().map(|Signed(epoch, generation)| (*epoch, *generation));
        stored.unwrap_or_else(|| Self { attempts: 1, signed: signed(), ..Self::default() })
    }

    /// How often the request was sent.
    #[must_use]
    pub fn attempts(&self) -> u8 {
        self.attempts
    }

    /// The number of the identity. `None` if the credential was the caller's own.
    #[must_use]
    pub fn epoch(&self) -> Option<u64> {
        self.signed.map(|(epoch, _)| epoch)
    }

    /// The number of the credential that was sent last, zero if none was sent. `None` if the credential was the caller's own.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        self.signed.map(|(_, generation)| generation)
    }

    /// How the call came to a new credential, if it did.
    #[must_use]
    pub fn renewed(&self) -> Option<Renewed> {
        self.renewal
    }

    /// How long the call waited for a new credential.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// What is wrong with the server's answers to this call.
    #[cfg(feature = "lint")]
    #[must_use]
    pub fn findings(&self) -> &[crate::lint::Finding] {
        self.findings.as_slice()
    }

    /// Whether the report contains more than the numbers of a successful first send.
    pub(crate) fn tells_more(&self) -> bool {
        self.attempts > 1 || self.renewal.is_some() || !self.waited.is_zero() || !self.findings.is_empty()
    }

    /// Masks secrets in the request's URL as well: a server may echo the whole URL.
    pub(crate) fn hide_in(&mut self, url: &Url) {
        const WORDS: [&str; 7] = ["key", "token", "auth", "sig", "secret", "pass", "code"];
        let is_secret = |name: &str| WORDS.iter().any(|word| name.to_ascii_lowercase().contains(word));
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
            .finish_non_exhaustive()
    }
}

impl AsRef<AuthReport> for AuthReport {
    fn as_ref(&self) -> &AuthReport {
        self
    }
}
