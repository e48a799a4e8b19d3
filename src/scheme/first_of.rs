//! Several refreshers as one: the refresher for the strongest challenge is asked first.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use crate::challenge::Challenge;
use crate::credential::Credential;
use crate::error::RefreshError;
use crate::refresh::{Refresh, RefreshContext, RefreshReason};
use crate::util::{BoundedList, lock};

/// The default order, the strongest scheme first: a signature by a key that is never sent, a token, a hash of the password,
/// the password itself.
const DEFAULT_ORDER: [&str; 6] = ["DPoP", "Bearer", "Digest SHA-512-256", "Digest SHA-256", "Digest MD5", "Basic"];

/// How many credentials are remembered with their refreshers: the held one, and those that arrived too late.
const MAX_OWNED: usize = 8;

/// Several refreshers, each with the schemes that it answers, as one [`Refresh`]. The strongest challenge that has a
/// refresher wins, in any position (RFC 9110 §11.3).
///
/// If a refresher declines, the next one is asked. If a refresher fails, its error is the result, and the error names the
/// scheme.
///
/// ```
/// use reqwest_challenge::{ChallengeMiddleware, Credential, FirstOf, Password, RefreshContext};
///
/// async fn log_in(_: RefreshContext) -> Result<Credential, std::io::Error> {
///     Ok(Credential::bearer("t1"))
/// }
///
/// let first = FirstOf::new().answering(["Bearer"], log_in).answering(["Digest", "Basic"], Password::new("alice", "s3cret"));
/// let auth = ChallengeMiddleware::new("https://api.example.com", first)?;
/// # Ok::<(), reqwest_challenge::BuildError>(())
/// ```
pub struct FirstOf {
    choices: Vec<Choice>,
    order: Vec<Cow<'static, str>>,
    /// The last credentials, with the refreshers that made them.
    owned: Mutex<BoundedList<Owned, MAX_OWNED>>,
}

/// A credential, and the index of the refresher that made it.
struct Owned {
    index: usize,
    credential: Credential,
}

struct Choice {
    schemes: Vec<String>,
    refresher: Arc<dyn Refresh>,
}

impl FirstOf {
    /// Returns a refresher without any choices. It declines everything.
    #[must_use]
    pub fn new() -> Self {
        Self { choices: Vec::new(), order: DEFAULT_ORDER.map(Cow::Borrowed).to_vec(), owned: Mutex::default() }
    }

    /// Adds a refresher for these schemes. If several refreshers answer the same scheme, the first one that was added is
    /// asked first. If a 401 has no challenge, or if no request was refused, all refreshers are asked in the order in which
    /// they were added.
    #[must_use]
    pub fn answering<'s>(mut self, schemes: impl IntoIterator<Item = &'s str>, refresher: impl Refresh) -> Self {
        let schemes = schemes.into_iter().map(str::to_owned).collect();
        self.choices.push(Choice { schemes, refresher: Arc::new(refresher) });
        self
    }

    /// Sets the order of the schemes, the strongest one first. `Digest SHA-256` names a scheme and its algorithm. Schemes
    /// that are not named come last, in the order of the server. The default is DPoP, Bearer, Digest with SHA-512/256,
    /// SHA-256 and MD5, Basic.
    #[must_use]
    pub fn in_order<'s>(mut self, order: impl IntoIterator<Item = &'s str>) -> Self {
        self.order = order.into_iter().map(|name| Cow::Owned(name.to_owned())).collect();
        self
    }

    /// Remembers which refresher made a credential.
    fn remember(&self, index: usize, credential: &Credential) {
        lock(&self.owned).push(Owned { index, credential: credential.clone() });
    }

    /// The index of the refresher that made a credential.
    fn owner(&self, credential: &Credential) -> Option<usize> {
        let owned = lock(&self.owned);
        owned.iter().rev().find(|owned| owned.credential == *credential).map(|owned| owned.index)
    }

    /// The position of a challenge in the order.
    fn rank(&self, challenge: &Challenge<'_>) -> usize {
        // A Digest challenge without an algorithm uses MD5 (RFC 7616 §3.3). A `-sess` variant is as strong as its algorithm.
        let algorithm = challenge.param("algorithm").unwrap_or(Cow::Borrowed("MD5")).to_ascii_uppercase();
        let algorithm = algorithm.trim_end_matches("-SESS");
        let is_named = |name: &str| match name.split_once(' ') {
            Some((scheme, wanted)) => challenge.is(scheme) && wanted.eq_ignore_ascii_case(algorithm),
            None => challenge.is(name),
        };
        self.order.iter().position(|name| is_named(name)).unwrap_or(self.order.len())
    }

    /// The refreshers to ask, in order.
    fn candidates(&self, context: &RefreshContext) -> Vec<Candidate<'_>> {
        let challenges = context.challenges();
        if challenges.is_empty() {
            let mut all: Vec<_> =
                self.choices.iter().enumerate().map(|(index, choice)| choice.candidate(index)).collect();
            // The refresher that made the credential renews it.
            let owner = context.credential().and_then(|credential| self.owner(credential));
            all.sort_by_key(|candidate| Some(candidate.index) != owner);
            return all;
        }
        let mut ranked: Vec<_> = challenges.iter().map(|challenge| (self.rank(&challenge), challenge)).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let mut candidates: Vec<Candidate<'_>> = Vec::new();
        for (_, challenge) in ranked {
            for (index, choice) in self.choices.iter().enumerate() {
                let scheme = choice.schemes.iter().find(|scheme| challenge.is(scheme));
                if let Some(scheme) = scheme.filter(|_| !candidates.iter().any(|other| other.index == index)) {
                    candidates.push(Candidate { index, choice, scheme });
                }
            }
        }
        candidates
    }
}

/// A refresher to ask, and the scheme that it is asked for.
struct Candidate<'f> {
    index: usize,
    choice: &'f Choice,
    scheme: &'f str,
}

impl Choice {
    /// The candidate for the first scheme of this refresher. `index` is the place of the refresher in the list.
    fn candidate(&self, index: usize) -> Candidate<'_> {
        Candidate { index, choice: self, scheme: self.schemes.first().map_or("", String::as_str) }
    }
}

impl Default for FirstOf {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FirstOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes: Vec<_> = self.choices.iter().map(|choice| &choice.schemes).collect();
        f.debug_struct("FirstOf").field("schemes", &schemes).finish_non_exhaustive()
    }
}

#[async_trait]
impl Refresh for FirstOf {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        for Candidate { index, choice, scheme } in self.candidates(&context) {
            let refreshed = choice.refresher.as_ref().refresh(context.clone().with_schemes(&choice.schemes)).await;
            if let Some(credential) = refreshed.map_err(|error| error.of_scheme(scheme))? {
                self.remember(index, &credential);
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }

    async fn initial(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        for (index, choice) in self.choices.iter().enumerate() {
            let initial = choice.refresher.as_ref().initial(context.clone()).await;
            if let Some(credential) = initial.map_err(|error| error.of_scheme(choice.candidate(index).scheme))? {
                self.remember(index, &credential);
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }

    /// Calls all refreshers. The one that made the credential forgets it; the others forget what they hold. Returns the
    /// first error after all were called. If the reason is [`Discarded`](RefreshReason::Discarded), only the refresher that
    /// made the credential is called: what the others hold may belong to a later login.
    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        let owner = context.credential().and_then(|credential| self.owner(credential));
        let is_late = context.reason() == RefreshReason::Discarded;
        let mut outcome = Ok(());
        for (index, choice) in self.choices.iter().enumerate() {
            if is_late && owner != Some(index) {
                continue;
            }
            let context = context.clone();
            let context = if owner == Some(index) { context } else { context.without_credential() };
            let forgotten = choice.refresher.as_ref().forget(context).await;
            outcome = outcome.and(forgotten.map_err(|error| error.of_scheme(choice.candidate(index).scheme)));
        }
        outcome
    }

    fn needs_challenge(&self) -> bool {
        self.choices.iter().all(|choice| choice.refresher.as_ref().needs_challenge())
    }

    fn holds_unsaved(&self) -> bool {
        self.choices.iter().any(|choice| choice.refresher.as_ref().holds_unsaved())
    }

    /// The longest timeout of all refreshers. A refresher that declines does so at once.
    fn timeout(&self) -> Duration {
        self.choices.iter().map(|choice| choice.refresher.as_ref().timeout()).max().unwrap_or(Duration::from_secs(30))
    }
}
