//! A 401, or a response that counts as one, against which no other credential helped.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, StatusCode};
use reqwest::Url;

use super::facts::Facts;
use super::hint;
use super::problem::Problem;
use super::refresh_error::RefreshError;
use super::refusal_getters::refusal_getters;
use super::report::AuthReport;
use super::seek;
use super::unauthorized_reason::UnauthorizedReason;
use crate::challenge::{Challenge, Challenges};
use crate::util::OneLine;

/// A 401 (RFC 9110 §15.5.2), and [why](Self::reason) no other credential helped.
///
/// The [status](Self::status) differs from 401 if the response counts as a 401 by
/// [`Builder::unauthenticated_when`](crate::Builder::unauthenticated_when).
///
/// `Display` is one line for a terminal. `Debug` shows no values. If a refresh failed, its [`RefreshError`] is the
/// [`source`](StdError::source).
#[derive(Clone)]
pub struct Unauthorized(Arc<Inner>);

struct Inner {
    facts: Facts,
    reason: UnauthorizedReason,
    refresh: Option<RefreshError>,
    /// Whether the server accepted a refused credential on another path of this origin.
    is_accepted_elsewhere: bool,
}

impl Unauthorized {
    pub(crate) fn new(
        facts: Facts,
        reason: UnauthorizedReason,
        refresh: Option<RefreshError>,
        is_accepted_elsewhere: bool,
    ) -> Self {
        let refresh = refresh.map(|error| error.masked(&facts.report.masker()));
        Self(Arc::new(Inner { facts, reason, refresh, is_accepted_elsewhere }))
    }

    refusal_getters!();

    /// Returns why no other credential helped.
    #[must_use]
    pub fn reason(&self) -> UnauthorizedReason {
        self.0.reason
    }

    /// Returns why the refresh failed, if it did.
    #[must_use]
    pub fn refresh_error(&self) -> Option<&RefreshError> {
        self.0.refresh.as_ref()
    }

    /// Returns a sentence about the likely cause or the remedy, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        if let Some(hint) = hint::of(&self.0.facts, self.0.reason) {
            return Some(hint);
        }
        if !matches!(
            self.0.reason,
            UnauthorizedReason::StillRejected | UnauthorizedReason::BudgetExhausted | UnauthorizedReason::Declined
        ) {
            return None;
        }
        // A new token and then a nonce would need three sends. The next call has both and needs one (RFC 9449 §9).
        let wants_nonce = |one: Challenge<'_>| one.param("error").is_some_and(|error| error == "use_dpop_nonce");
        if self.0.facts.challenges.iter().any(wants_nonce) {
            return Some("the server required a nonce in the proof and has sent one: call again");
        }
        // The server blames the token itself, so its path is not the cause.
        let is_invalid = |one: Challenge<'_>| one.param("error").is_some_and(|error| error == "invalid_token");
        let is_suspected = self.0.is_accepted_elsewhere && !self.0.facts.challenges.iter().any(is_invalid);
        is_suspected
            .then_some("the server accepts the credential on another path, so it may send 401 where it means 403")
    }

    /// What the server refused, for the message, for example `this token (from env:API_TOKEN)`. `None` if no
    /// credential was sent.
    fn refused(&self) -> Option<String> {
        let [first, second] = &self.report().sent;
        let last = second.as_ref().or(first.as_ref())?;
        let what = match last.scheme() {
            "Bearer" | "DPoP" => "token",
            "Basic" | "Digest" => "password",
            _ => "credential",
        };
        let which = if first.is_some() && second.is_some() { "the new" } else { "this" };
        let source = last.source().map(|source| format!(" (from {})", OneLine::new(source)));
        Some(format!("{which} {what}{}", source.unwrap_or_default()))
    }

    /// Writes why no other credential helped.
    fn outcome(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let once = self.report().attempts() < 2;
        f.write_str(match (self.0.reason, self.refused()) {
            (UnauthorizedReason::Declined | UnauthorizedReason::StillRejected, Some(refused)) => {
                let rest = if once { ", and there is no other to try" } else { "" };
                return write!(f, "the server refused {refused}{rest}");
            }
            (UnauthorizedReason::Declined, None) => "there is no credential for this request",
            (UnauthorizedReason::StillRejected, None) if once => "there is no credential to send",
            (UnauthorizedReason::StillRejected, None) => "refused again",
            (UnauthorizedReason::BudgetExhausted, _) => {
                "the server refused several new credentials in a row, so no new one is requested for a while"
            }
            (UnauthorizedReason::NotReplayable, _) => "its body cannot be sent twice; call again",
            (UnauthorizedReason::Redirected, _) => "it was redirected, and its method is not safe to send again",
            (UnauthorizedReason::ForeignOrigin, _) if self.0.facts.lacks_url => {
                "the response names no URL, so another server may have sent it; a middleware that makes a response must set \
                 its URL with `ResponseBuilderExt::url`, and a mock can mark it with `MockResponse`"
            }
            (UnauthorizedReason::ForeignOrigin, _) => "another server refused it",
            (UnauthorizedReason::SessionChanged, _) => "another login succeeded meanwhile; call again",
            (UnauthorizedReason::LoggedOut, _) => "logged out",
            (UnauthorizedReason::CallerCredential, _) => "the caller set the credential",
            (UnauthorizedReason::NoRetry, _) => "the caller allows only one send",
            (UnauthorizedReason::RefreshFailed, _) => "no new credential",
        })
    }
}

impl AsRef<AuthReport> for Unauthorized {
    fn as_ref(&self) -> &AuthReport {
        self.report()
    }
}

impl fmt::Display for Unauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", OneLine::new(&self.0.facts.line()))?;
        f.write_str(" (")?;
        self.outcome(f)?;
        f.write_str(")")?;
        if self.status() != StatusCode::UNAUTHORIZED {
            f.write_str("; it counts as a 401 by `unauthenticated_when`")?;
        }
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
        seek::itself(self).or_else(|| self.0.refresh.as_ref().map(|error| error as _))
    }
}
