//! A 401 that stayed one.

use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, StatusCode};
use reqwest::Url;

use super::facts::{Facts, Problem};
use super::refusal::refusal_getters;
use crate::challenge::{Challenge, Challenges, FEW_LINES, Printed};
use crate::refresh::RefreshError;
use crate::report::AuthReport;

/// A 401, and why it stayed one (RFC 9110 §15.5.2).
///
/// `Display` is one line for a terminal; `Debug` shows no values. Where a refresh failed, its [`RefreshError`] is the source.
pub struct Unauthorized(Box<Inner>);

struct Inner {
    facts: Facts,
    reason: Reason,
    refresh: Option<RefreshError>,
    /// Whether the credential that was refused last had just been made.
    fresh: bool,
}

/// Why a 401 stayed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody has a credential for these challenges.
    Declined,
    /// The second answer was a 401 too.
    StillRejected,
    /// The request's body cannot be sent twice. A new credential is there for the next call.
    NotReplayable,
    /// An unsafe request was redirected before it was refused: sending it again would do its work twice.
    Redirected,
    /// Another origin than the request's refused it, after a redirect.
    ForeignOrigin,
    /// Somebody logged in anew after this request was signed.
    SessionChanged,
    /// Somebody logged out after this request was signed.
    LoggedOut,
    /// The caller set the credential himself.
    CallerCredential,
    /// The request, or the client, is not to be sent twice.
    NoRetry,
    /// The refresh failed.
    RefreshFailed,
}

impl Unauthorized {
    pub(crate) fn new(facts: Facts, reason: Reason, refresh: Option<RefreshError>, fresh: bool) -> Self {
        let refresh = refresh.map(|error| error.masked(&facts.report.masker()));
        Self(Box::new(Inner { facts, reason, refresh, fresh }))
    }

    refusal_getters!();

    /// Why it stayed a 401.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// Why the refresh failed, where it did.
    #[must_use]
    pub fn refresh_error(&self) -> Option<&RefreshError> {
        self.0.refresh.as_ref()
    }

    /// A sentence for whoever looks into it, where there is one to say.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        if self.0.reason != Reason::StillRejected {
            return None;
        }
        // A token first, and then a nonce: that would be three sends, and the next call needs one (RFC 9449 §9).
        let wants_nonce = |one: Challenge<'_>| one.param("error").is_some_and(|error| error == "use_dpop_nonce");
        if self.0.facts.challenges.iter().any(wants_nonce) {
            return Some("the server wants a nonce in the proof, which it has given now: call again");
        }
        self.0.fresh.then_some("the credential was fresh: the server may be saying 401 where it means 403")
    }
}

impl AsRef<AuthReport> for Unauthorized {
    fn as_ref(&self) -> &AuthReport {
        self.report()
    }
}

impl fmt::Display for Unauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Printed(&self.0.facts.line(), FEW_LINES))?;
        let once = self.report().attempts() < 2;
        f.write_str(match self.0.reason {
            Reason::Declined => " (there is no credential for it)",
            Reason::StillRejected if once => " (refused, and there is no other credential to try)",
            Reason::StillRejected => " (refused again with a credential that should do)",
            Reason::NotReplayable => " (its body cannot be sent twice; call again)",
            Reason::Redirected => " (it was redirected, and is not safe to send again)",
            Reason::ForeignOrigin => " (another server refused it)",
            Reason::SessionChanged => " (somebody logged in meanwhile; call again)",
            Reason::LoggedOut => " (logged out)",
            Reason::CallerCredential => " (the caller's own credential)",
            Reason::NoRetry => " (it is not to be sent twice)",
            Reason::RefreshFailed => " (no new credential)",
        })?;
        self.hint().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl fmt::Debug for Unauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.0.reason)?;
        self.0.facts.debug("Unauthorized", f)
    }
}

impl StdError for Unauthorized {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.refresh.as_ref().map(|error| error as _)
    }
}
