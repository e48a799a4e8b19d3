//! Redirects, followed above the middleware that signs.
//!
//! `hop.rs` decides where a redirect leads and makes the request that follows it, `headers.rs` says what goes along, and
//! `history.rs` is what the caller reads afterwards. This file sends the requests, one whole call each.

mod headers;
mod history;
mod hop;

use std::time::Duration;

use async_trait::async_trait;
use http::{Extensions, Method, StatusCode};
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Middleware, Next};

use crate::error::{Error, RedirectError, RedirectErrorKind, envelope};
use crate::options::CallOptions;
use crate::origin::Origin;
use crate::read;
use crate::report::AuthReport;
use hop::Kept;

pub use history::{RedirectHistory, RedirectHop};

/// How many redirects are followed: as many as reqwest follows.
const MOST: usize = 10;

/// How much of a redirect's body is read, so that its connection can be used again.
const DRAIN: read::Limits = read::Limits { bytes: 64 << 10, keep: 0, time: Duration::from_secs(1) };

/// Follows redirects (RFC 9110 §15.4) above a [`ChallengeMiddleware`](crate::ChallengeMiddleware), so that each hop is
/// signed, renewed and judged by itself.
///
/// A Digest answer and a DPoP proof name one URL. reqwest follows redirects below all middleware, and sends the answer
/// for the first URL to the second. Give the client `redirect::Policy::none()`, and add this middleware before all
/// others; [`hardened`](crate::hardened) does both.
///
/// - It follows 301, 302, 303, 307 and 308, ten times at most. 303 turns every method but HEAD into GET, 301 and 302 turn
///   POST into GET; the body and the fields that describe it are dropped then. A redirect whose `Location` is missing or
///   cannot be read is given as it is.
/// - If a hop leads to another origin, only fields that carry no credential go along (`Accept`, `Range`, `Content-Type` and
///   the like): no `Authorization`, no `Cookie`, no custom field, no value that is marked as sensitive. They do not come back
///   with a later hop to the first origin. If the caller chose the identity, by [`CallOptions::identity`] or by an
///   `Authorization` of the request, this hop and the later ones go out without a credential.
/// - A hop to an origin of a `ChallengeMiddleware` is signed by it, also if a foreign server chose the URL, as long as the
///   method is safe (RFC 9110 §9.2.1). A request that is not safe is refused with
///   [`RedirectErrorKind::ChosenElsewhere`]: a foreign server must not choose what a credential changes.
/// - It refuses with a [`RedirectError`]: a target with a user name or password, a scheme other than `http` and `https`,
///   `https` to `http`, an eleventh redirect, and a stream that would be sent twice. If the request has
///   [`CallOptions::body`], the stream is made again.
/// - `Response::url` is the last URL, and [`RedirectHistory`] in the response's extensions lists the ones before.
/// - Each hop has the request's timeout anew.
///
/// Default header fields of the client (`ClientBuilder::default_headers`) go to every origin: reqwest adds them below all
/// middleware. Put no credential there.
///
/// ```
/// # fn example(auth: reqwest_challenge::ChallengeMiddleware) -> Result<(), reqwest::Error> {
/// use reqwest_challenge::FollowRedirects;
/// use reqwest_middleware::ClientBuilder;
///
/// let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
/// let client = ClientBuilder::new(http).with(FollowRedirects::new()).with(auth).build();
/// # let _ = client; Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct FollowRedirects {
    most: usize,
}

impl FollowRedirects {
    /// Follows ten redirects at most.
    #[must_use]
    pub fn new() -> Self {
        Self { most: MOST }
    }

    /// Follows that many redirects at most.
    #[must_use]
    pub fn at_most(mut self, redirects: usize) -> Self {
        self.most = redirects;
        self
    }

    async fn follow(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: &Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let make = extensions.get::<CallOptions>().and_then(|options| options.body.clone());
        let mut history = RedirectHistory::default();
        // The credentials that were sent: a server may write them into a URL.
        let mut echoes = AuthReport::default();
        loop {
            let mut kept = Kept::of(&mut request);
            let mut response = next.clone().run(request, extensions).await?;
            let stayed = kept.answered_by(&response);
            let Some(target) = kept.target(&response) else { return Ok(history.put_into(response)) };
            let (status, method, url) = (response.status(), kept.method.clone(), kept.url.clone());
            kept.add_secrets(&response, &mut echoes);
            let masker = echoes.masker();
            let (from, to) = (hop::shown(&url, &masker), hop::shown(&target, &masker));
            let refuse = |kind| envelope(Error::Redirect(hop::refused(kind, status, (&method, &from), &to)));
            kept.check(&target).map_err(refuse)?;
            if history.hops().len() >= self.most {
                return Err(refuse(RedirectErrorKind::TooMany));
            }
            let stays = stayed && kept.is_same_origin(&target);
            if !stays {
                leave(extensions, kept.has_credential());
            }
            request = kept.follow(status, target.clone(), stays, make.as_deref()).map_err(refuse)?;
            history.push(RedirectHop { status, url: from.clone() });
            extensions.insert(SentBy { origin: Origin::of(&url), status, method, url: from, location: to });
            // What is left open costs the connection, and nothing of it is needed.
            let _ = read::bounded(&mut response, Some(DRAIN)).await;
        }
    }
}

impl Default for FollowRedirects {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Middleware for FollowRedirects {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let options = extensions.get::<CallOptions>().cloned();
        let outcome = self.follow(request, extensions, &next).await;
        // An outer middleware may send the whole request again.
        extensions.remove::<SentBy>();
        match options {
            Some(options) => drop(extensions.insert(options)),
            None => drop(extensions.remove::<CallOptions>()),
        }
        outcome
    }
}

/// Takes an identity that is for the first origin alone out of what lower middlewares see. `own` says whether the caller
/// set `Authorization`.
fn leave(extensions: &mut Extensions, own: bool) {
    let mut options = extensions.get::<CallOptions>().cloned().unwrap_or_default();
    if options.identity.take().is_some() || own {
        // Another identity than the one that was asked for is no replacement.
        options.skip = true;
        extensions.insert(options);
    }
}

/// Which redirect chose the URL and the method of a request: an extension of the requests that follow one.
#[derive(Clone)]
struct SentBy {
    origin: Option<Origin>,
    status: StatusCode,
    method: Method,
    /// As it may be shown, and where it led.
    url: Url,
    location: Url,
}

/// Why a request must not be signed: it is not safe, and a server outside these origins chose its URL.
pub(crate) fn chosen_elsewhere(extensions: &Extensions, request: &Request, ours: &[Origin]) -> Option<RedirectError> {
    let by = extensions.get::<SentBy>()?;
    if request.method().is_safe() || by.origin.as_ref().is_some_and(|origin| ours.contains(origin)) {
        return None;
    }
    let from = (&by.method, &by.url);
    Some(hop::refused(RedirectErrorKind::ChosenElsewhere, by.status, from, &by.location))
}
