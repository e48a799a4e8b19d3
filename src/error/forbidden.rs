//! A 403.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, StatusCode};
use reqwest::Url;

use super::facts::Facts;
use super::problem::Problem;
use super::refusal_getters::refusal_getters;
use super::report::AuthReport;
use super::seek;
use crate::challenge::Challenges;
use crate::util::OneLine;

/// A 403: the server understood the request and refuses it (RFC 9110 §15.5.4). The middleware never sends
/// such a request again.
///
/// Some servers also send 403 to a request without a credential. [`is_authenticated`](Self::is_authenticated) tells the two
/// cases apart, and `Display` says that no credential was sent. [`Builder::login_first`](crate::Builder::login_first) is for
/// such servers.
///
/// `Display` is one line for a terminal. `Debug` shows no values.
#[derive(Clone)]
pub struct Forbidden(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) facts: Facts,
}

impl Forbidden {
    pub(crate) fn new(facts: Facts) -> Self {
        Self(Arc::new(Inner { facts }))
    }

    refusal_getters!();

    /// Returns the scopes that the request needs, in the order of the challenges (RFC 6750 §3.1), whether or not a
    /// challenge has an `error`. If the challenges name none, those of [`Problem::required_scopes`]. A credential that
    /// the server echoes there is shown as `***`.
    #[must_use]
    pub fn required_scopes(&self) -> Vec<String> {
        let (facts, of_problem) = (&self.0.facts, &self.0.facts.problem().required_scopes);
        if facts.is_of_caller() && !of_problem.is_empty() {
            return of_problem.clone();
        }
        let scopes = Self::masked_scopes(&facts.challenges, self.report());
        if scopes.is_empty() { of_problem.clone() } else { scopes }
    }

    /// The scopes to request, unmasked. An echo of the credential is left out, so that it is not sent in a URL.
    pub(crate) fn scopes_to_request(&self) -> Vec<String> {
        let (facts, masker) = (&self.0.facts, self.report().masker());
        let of_problem = || {
            let scopes = facts.problem().required_scopes.iter();
            scopes.filter(|scope| !scope.contains("***")).cloned().collect()
        };
        if facts.is_of_caller() && !facts.problem().required_scopes.is_empty() {
            return of_problem();
        }
        let mut scopes = Self::scopes_of(&facts.challenges);
        scopes.retain(|scope| !masker.has_certain(scope));
        if scopes.is_empty() { of_problem() } else { scopes }
    }

    /// The scopes that the challenges name, without the credentials that were sent.
    pub(crate) fn masked_scopes(challenges: &Challenges, report: &AuthReport) -> Vec<String> {
        let masker = report.masker();
        Self::scopes_of(challenges).into_iter().map(|scope| masker.mask_word(scope)).collect()
    }

    /// The scopes that the challenges name, for a refresher.
    pub(crate) fn scopes_of(challenges: &Challenges) -> Vec<String> {
        let scopes = challenges.iter().filter_map(|challenge| {
            let bearer = challenge.bearer().map(|bearer| bearer.scopes());
            bearer.or_else(|| challenge.dpop().map(|dpop| dpop.scopes()))
        });
        scopes.flatten().map(Cow::into_owned).fold(Vec::new(), |mut all, scope| {
            if !all.contains(&scope) {
                all.push(scope);
            }
            all
        })
    }

    /// Returns how long the server asks the client to wait, counted from the arrival of the response (RFC 9110 §10.2.3). Some
    /// servers send 403 for a rate limit. The value is at most a year.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.facts.problem().retry_after
    }
}

impl AsRef<AuthReport> for Forbidden {
    fn as_ref(&self) -> &AuthReport {
        self.report()
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", OneLine::new(&self.0.facts.line()))?;
        let scopes = self.required_scopes().join(" ");
        let needed = (!scopes.is_empty()).then(|| format!("needs scope {}", OneLine::new(&scopes)));
        let unsent = self.0.facts.is_unsigned().then(|| "no credential was sent".to_owned());
        let notes: Vec<_> = needed.into_iter().chain(unsent).collect();
        if notes.is_empty() { Ok(()) } else { write!(f, " ({})", notes.join("; ")) }
    }
}

impl fmt::Debug for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.facts.debug("Forbidden", f)
    }
}

impl StdError for Forbidden {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        seek::itself(self)
    }
}
