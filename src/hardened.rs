//! A client whose redirects stay where the credential belongs.

use http::StatusCode;
use reqwest::ClientBuilder;
use reqwest::redirect::{Action, Attempt, Policy};

/// How many redirects are followed: as many as reqwest follows by itself.
const MOST: usize = 10;

/// The builder of a client whose redirects stay where the credential belongs: for whoever sends a header of his own, a
/// proof or a signature, because on a redirect to another server reqwest takes away `Authorization` and cookies alone.
///
/// It follows at most 10 redirects, none to another origin, and none by 307 and 308, which send the request's method and
/// body again: what stops is given as the redirect's own response. No `Referer` is sent.
///
/// ```
/// let client = reqwest_challenge::hardened(reqwest::Client::builder()).build()?;
/// # Ok::<(), reqwest::Error>(())
/// ```
pub fn hardened(builder: ClientBuilder) -> ClientBuilder {
    builder.referer(false).redirect(Policy::custom(follow))
}

fn follow(attempt: Attempt<'_>) -> Action {
    let Some(last) = attempt.previous().last() else { return attempt.stop() };
    // A policy is not told the method: a GET by 307 is stopped with the POST.
    let resends = matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    if attempt.url().origin() != last.origin() || resends {
        attempt.stop()
    } else if attempt.previous().len() > MOST {
        attempt.error("more than 10 redirects")
    } else {
        attempt.follow()
    }
}
