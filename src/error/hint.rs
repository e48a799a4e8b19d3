//! What a caller can do about a 401, from its facts.

use super::facts::Facts;
use super::unauthorized_reason::UnauthorizedReason;
#[cfg(feature = "digest")]
use crate::challenge::Challenge;
use crate::challenge::Challenges;

const REDIRECTED_BELOW: &str = "the request was redirected below the middleware: put `FollowRedirects` above it, and give the \
                          client `redirect::Policy::none()`, as `hardened` does";
const REDIRECTED_BELOW_AND_BOUND: &str = "the request was redirected below the middleware, and an answer of this scheme is valid for one URL: put \
                     `FollowRedirects` above it, and give the client `redirect::Policy::none()`, as `hardened` does";
#[cfg(feature = "digest")]
const RFC_2069: &str = "the server offers Digest without `qop` (RFC 2069), whose answers can be replayed: \
                        `Password::allow_rfc_2069` allows them";

/// A hint about redirects or about the server's challenges, if one of them is the cause.
pub(super) fn of(facts: &Facts, reason: UnauthorizedReason) -> Option<&'static str> {
    if reason == UnauthorizedReason::ForeignOrigin || facts.foreign {
        return None;
    }
    let sent = facts.report.sent.iter().rev().flatten().next();
    // A response that a middleware created may have any URL. Only one of the same origin shows a redirect.
    if facts.final_url.as_ref().is_some_and(|answered| answered.origin() == facts.url.origin()) {
        let signs = sent.is_some_and(|credential| credential.authorizer().is_some());
        match sent.map_or_else(|| has_bound(&facts.challenges), |credential| is_bound(credential.scheme())) {
            true => return Some(REDIRECTED_BELOW_AND_BOUND),
            false if signs => return Some(REDIRECTED_BELOW),
            false => {}
        }
    }
    if reason == UnauthorizedReason::Redirected {
        return Some(REDIRECTED_BELOW);
    }
    legacy_digest(&facts.challenges, reason)
}

/// Whether an answer of this scheme is valid for one URL only.
fn is_bound(scheme: &str) -> bool {
    ["Digest", "DPoP"].iter().any(|bound| scheme.eq_ignore_ascii_case(bound))
}

/// Whether a challenge asks for such an answer.
fn has_bound(challenges: &Challenges) -> bool {
    challenges.iter().any(|challenge| is_bound(challenge.scheme()))
}

/// The hint about a Digest challenge that `Password` does not answer by default.
#[cfg(feature = "digest")]
fn legacy_digest(challenges: &Challenges, reason: UnauthorizedReason) -> Option<&'static str> {
    let is_legacy = |one: Challenge<'_>| one.digest().is_some_and(|digest| digest.qop().is_empty());
    (reason == UnauthorizedReason::Declined && challenges.iter().any(is_legacy)).then_some(RFC_2069)
}

#[cfg(not(feature = "digest"))]
fn legacy_digest(_: &Challenges, _: UnauthorizedReason) -> Option<&'static str> {
    None
}
