//! Several refreshers, of which the one for the strongest challenge is asked.

use crate::util::lock;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use crate::challenge::Challenge;
use crate::credential::Credential;
use crate::error::RefreshError;
use crate::refresh::{Refresh, RefreshContext};

/// The strongest first: a key that never leaves its owner, a token, a hash of a password, the password itself.
const ORDER: [&str; 6] = ["DPoP", "Bearer", "Digest SHA-512-256", "Digest SHA-256", "Digest MD5", "Basic"];

/// Several refreshers, each with the schemes that it answers, as one [`Refresh`]: the strongest challenge that there is somebody
/// for wins, wherever it stands (RFC 9110 §11.3).
///
/// One that declines passes on to the next. One that fails does not: its error is the answer, and says whose it is.
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
    /// Whose the last credentials were.
    owners: Mutex<VecDeque<(usize, Credential)>>,
}

struct Choice {
    schemes: Vec<String>,
    refresher: Arc<dyn Refresh>,
}

impl FirstOf {
    /// Nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self { choices: Vec::new(), order: ORDER.map(Cow::Borrowed).to_vec(), owners: Mutex::default() }
    }

    /// With one more refresher, for these schemes. Of several for one scheme the one that was named first is asked first; where a 401
    /// has no challenge, and where nobody was refused, all are asked in that order.
    #[must_use]
    pub fn answering<'s>(mut self, schemes: impl IntoIterator<Item = &'s str>, refresher: impl Refresh) -> Self {
        let schemes = schemes.into_iter().map(str::to_owned).collect();
        self.choices.push(Choice { schemes, refresher: Arc::new(refresher) });
        self
    }

    /// With another order of schemes, the strongest first; `Digest SHA-256` names one by its algorithm. What is not named comes
    /// after, as the server ordered it. Unless it is told otherwise: DPoP, Bearer, Digest by SHA-512/256, SHA-256 and MD5, Basic.
    #[must_use]
    pub fn in_order<'s>(mut self, order: impl IntoIterator<Item = &'s str>) -> Self {
        self.order = order.into_iter().map(|name| Cow::Owned(name.to_owned())).collect();
        self
    }

    fn owned(&self, number: usize, credential: &Credential) {
        /// The one that is held, and those that came too late to be.
        const ROOM: usize = 8;
        let mut owners = lock(&self.owners);
        if owners.len() == ROOM {
            owners.pop_front();
        }
        owners.push_back((number, credential.clone()));
    }

    fn owner(&self, credential: &Credential) -> Option<usize> {
        let owners = lock(&self.owners);
        owners.iter().rev().find(|(_, other)| other == credential).map(|(number, _)| *number)
    }

    /// The place of a challenge in the order.
    fn rank(&self, challenge: &Challenge<'_>) -> usize {
        // Without a name it is MD5, and `-sess` is as strong.
        let algorithm = challenge.param("algorithm").unwrap_or(Cow::Borrowed("MD5")).to_ascii_uppercase();
        let algorithm = algorithm.trim_end_matches("-SESS");
        let named = |name: &str| match name.split_once(' ') {
            Some((scheme, wanted)) => challenge.is(scheme) && wanted.eq_ignore_ascii_case(algorithm),
            None => challenge.is(name),
        };
        self.order.iter().position(|name| named(name)).unwrap_or(self.order.len())
    }

    /// Whom to ask, in order, and for which scheme.
    fn asked(&self, rejection: &RefreshContext) -> Vec<(usize, String)> {
        let challenges = rejection.challenges();
        if challenges.is_empty() {
            let name = |choice: &Choice| choice.schemes.first().cloned().unwrap_or_default();
            let mut all: Vec<_> = self.choices.iter().map(name).enumerate().collect();
            // Whose credential it is renews it.
            let owner = rejection.credential().and_then(|credential| self.owner(credential));
            all.sort_by_key(|(number, _)| Some(*number) != owner);
            return all;
        }
        let mut ranked: Vec<_> = challenges.iter().map(|challenge| (self.rank(&challenge), challenge)).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let mut asked: Vec<(usize, String)> = Vec::new();
        for (_, challenge) in ranked {
            for (number, choice) in self.choices.iter().enumerate() {
                let known = choice.schemes.iter().find(|scheme| challenge.is(scheme));
                if let Some(scheme) = known.filter(|_| !asked.iter().any(|(other, _)| *other == number)) {
                    asked.push((number, scheme.clone()));
                }
            }
        }
        asked
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
    async fn refresh(&self, rejection: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        for (number, scheme) in self.asked(&rejection) {
            let Choice { schemes, refresher } = &self.choices[number];
            let answer = refresher.as_ref().refresh(rejection.clone().with_schemes(schemes)).await;
            if let Some(credential) = answer.map_err(|error| error.of_scheme(&scheme))? {
                self.owned(number, &credential);
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }

    async fn initial(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        for (number, choice) in self.choices.iter().enumerate() {
            let whose = choice.schemes.first().map_or("", String::as_str);
            if let Some(credential) =
                choice.refresher.as_ref().initial(context.clone()).await.map_err(|error| error.of_scheme(whose))?
            {
                self.owned(number, &credential);
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }

    /// Tells all of them: the one whose credential it is, and the others to forget what they have.
    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        let owner = context.credential().and_then(|credential| self.owner(credential));
        let mut outcome = Ok(());
        for (number, choice) in self.choices.iter().enumerate() {
            let context = context.clone();
            let theirs = if owner == Some(number) { context } else { context.without_credential() };
            let whose = choice.schemes.first().map_or("", String::as_str);
            let told = choice.refresher.as_ref().forget(theirs).await.map_err(|error| error.of_scheme(whose));
            // The first that failed is told of, after all were told.
            outcome = outcome.and(told);
        }
        outcome
    }

    fn needs_challenge(&self) -> bool {
        self.choices.iter().all(|choice| choice.refresher.as_ref().needs_challenge())
    }

    /// The longest of theirs: whoever declines does so at once.
    fn timeout(&self) -> Duration {
        self.choices.iter().map(|choice| choice.refresher.as_ref().timeout()).max().unwrap_or(Duration::from_secs(30))
    }
}
