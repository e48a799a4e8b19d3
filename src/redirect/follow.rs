//! The middleware that follows redirects.

use std::time::Duration;

use async_trait::async_trait;
use http::{Extensions, Method, StatusCode};
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Middleware, Next};

use super::history::{RedirectHistory, RedirectHop};
use super::hop::{self, HopRequest};
use crate::call::{CallOptions, read};
use crate::error::{AuthReport, Error, RedirectError, RedirectErrorKind, Refused};
use crate::origin::Origin;

/// How many redirects are followed by default, as in reqwest.
const MAX_REDIRECTS: usize = 10;

/// How much of a redirect's body is read, so that its connection can be used again.
const BODY_LIMITS: read::Limits = read::Limits { bytes: 64 << 10, keep: 0, time: Duration::from_secs(1) };

/// Follows redirects (RFC 9110 §15.4) above a [`ChallengeMiddleware`](crate::ChallengeMiddleware), so that each hop is
/// signed, renewed and checked separately.
///
/// A Digest answer and a DPoP proof are valid for one URL. reqwest follows redirects below all middlewares, and sends
/// the answer for the first URL to the second. Give the client `redirect::Policy::none()`, and add this middleware
/// before all others; [`hardened`](crate::hardened) does both.
///
/// - It follows 301, 302, 303, 307 and 308, up to ten times. 303 turns every method except HEAD into GET; 301 and 302
///   turn POST into GET. The body and the fields that describe it are then dropped. If `Location` is missing or cannot
///   be read, the caller gets the redirect response.
/// - If a hop leads to another origin, only fields without credentials are sent along (`Accept`, `Range`,
///   `Content-Type` and similar): no `Authorization`, no `Cookie`, no custom field, no value that is marked as
///   sensitive. A later hop back to the first origin does not restore them. If the caller set the identity, with
///   [`CallOptions::identity`] or an `Authorization` field, this hop and later ones carry no credential.
/// - If a hop leads to an origin of a `ChallengeMiddleware` and the method is safe (RFC 9110 §9.2.1), the middleware
///   signs it, even if a foreign server chose the URL. If the method is not safe, the redirect is refused with
///   [`RedirectErrorKind::ChosenElsewhere`], because a foreign server must not choose what a credential changes.
/// - It refuses with a [`RedirectError`]: a target with a user name or password; a scheme other than `http` and
///   `https`; a redirect from `https` to `http`; an eleventh redirect; and a stream that would be sent twice. If the
///   request has [`CallOptions::body`], the stream is made again.
/// - `Response::url` is the last URL. [`RedirectHistory`] in the response's extensions lists the earlier ones.
/// - The request's timeout starts again for each hop.
///
/// reqwest adds the client's default header fields (`ClientBuilder::default_headers`) below all middlewares, so they go
/// to every origin. Do not put a credential there.
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
    max_redirects: usize,
}

impl FollowRedirects {
    /// Returns a middleware that follows at most ten redirects.
    #[must_use]
    pub fn new() -> Self {
        Self { max_redirects: MAX_REDIRECTS }
    }

    /// Sets the largest number of redirects that are followed. With zero, every redirect is an error.
    #[must_use]
    pub fn at_most(mut self, redirects: usize) -> Self {
        self.max_redirects = redirects;
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
            let mut hop = HopRequest::of(&mut request);
            let mut response = next.clone().run(request, extensions).await?;
            let has_stayed = hop.update_url(&response);
            let Some(target) = hop.target(&response) else { return Ok(history.put_into(response)) };
            hop.add_secrets(&response, &mut echoes);
            let masker = echoes.masker();
            let chosen = ChosenBy {
                origin: Origin::of(&hop.url),
                status: response.status(),
                method: hop.method.clone(),
                url: hop::printable(&hop.url, &masker),
                location: hop::printable(&target, &masker),
            };
            let refuse = |kind| Error::Redirect(chosen.error(kind)).into_middleware();
            hop.check(&target).map_err(refuse)?;
            if history.hops().len() >= self.max_redirects {
                return Err(refuse(RedirectErrorKind::TooMany));
            }
            let stays = has_stayed && hop.is_same_origin(&target);
            if !stays {
                hide_identity(extensions, hop.has_credential());
            }
            request = hop.follow(chosen.status, target, stays, make.as_deref()).map_err(refuse)?;
            history.push(RedirectHop { status: chosen.status, url: chosen.url.clone() });
            extensions.insert(chosen);
            // If the rest is not read, the connection is closed, and nothing else is lost.
            let limits = read::unless_too_long(&mut response, Some(BODY_LIMITS));
            let _ = read::bounded(&mut response, limits).await;
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
        // An outer middleware may send the whole request again, with its original options.
        extensions.remove::<ChosenBy>();
        match options {
            Some(options) => drop(extensions.insert(options)),
            None => drop(extensions.remove::<CallOptions>()),
        }
        outcome
    }
}

/// Hides from the middlewares below an identity that is meant only for the first origin. `is_set_by_caller` says
/// whether the caller set `Authorization`.
fn hide_identity(extensions: &mut Extensions, is_set_by_caller: bool) {
    let mut options = extensions.get::<CallOptions>().cloned().unwrap_or_default();
    if options.identity.take().is_some() || is_set_by_caller {
        // The middleware's identity must not replace the one that the caller asked for.
        options.skip = true;
        extensions.insert(options);
    }
}

/// The redirect that chose the URL and the method of a request: an extension of the requests that follow a redirect.
#[derive(Clone)]
struct ChosenBy {
    /// The origin that redirected.
    origin: Option<Origin>,
    status: StatusCode,
    method: Method,
    /// The URL that redirected, safe to print.
    url: Url,
    /// The target, safe to print.
    location: Url,
}

impl ChosenBy {
    /// The error for this redirect.
    fn error(&self, kind: RedirectErrorKind) -> RedirectError {
        let Self { status, method, url, location, .. } = self.clone();
        Refused { kind, status, method, url, location }.into()
    }
}

/// The error if a request must not be signed: its method is not safe, and a server outside these origins chose its URL.
pub(crate) fn chosen_elsewhere(
    extensions: &Extensions,
    request: &Request,
    origins: &[Origin],
) -> Option<RedirectError> {
    let chosen = extensions.get::<ChosenBy>()?;
    if request.method().is_safe() || chosen.origin.as_ref().is_some_and(|origin| origins.contains(origin)) {
        return None;
    }
    Some(chosen.error(RedirectErrorKind::ChosenElsewhere))
}
