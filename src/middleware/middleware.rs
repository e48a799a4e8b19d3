//! The middleware: it sends the requests of a call, and knows no scheme.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::Extensions;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Middleware, Next};

use crate::call::{Call, CallOptions, Shared};
use crate::error::{Error, InsecureUrl};
use crate::origin::{Origin, url_without_secrets};
use crate::redirect;
use crate::refresh::Refresh;
use crate::session::{Event, Session, SessionCore};

/// A middleware that answers the challenges of a 401 once, and turns a 403 into an error (RFC 9110 §11.4).
///
/// Clones share one session: one credential, and one refresh for all calls that wait for it. A middleware has one
/// protection space and one identity. A client of two APIs needs two middlewares.
#[derive(Clone)]
pub struct ChallengeMiddleware(Arc<Shared>);

impl ChallengeMiddleware {
    pub(crate) fn of(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Returns the session that all clones share.
    #[must_use]
    pub fn session(&self) -> Session {
        Session(self.0.session.clone())
    }

    /// Returns a middleware with the same settings, another refresher, and a separate session without a credential.
    /// The two middlewares share the memory of the settings. Use this method in the factory of a
    /// [`SessionPool`](crate::SessionPool).
    ///
    /// ```
    /// use reqwest_challenge::{ChallengeMiddleware, Credential};
    ///
    /// let first = ChallengeMiddleware::builder("https://api.example.com", Credential::bearer("t1")).strict().build()?;
    /// let second = first.with_refresher(Credential::bearer("t2"));
    /// # drop(second);
    /// # Ok::<(), reqwest_challenge::BuildError>(())
    /// ```
    #[must_use]
    pub fn with_refresher(&self, refresher: impl Refresh) -> Self {
        let session = SessionCore::new(self.0.session.config_with(Arc::new(refresher)));
        Self::of(Shared::new(session, self.0.origins.clone(), self.0.settings.clone()))
    }

    /// Whether a call, a clone, a session handle, a refresh or unsaved state uses the session. A pool keeps such a session.
    pub(crate) fn is_in_use(&self) -> bool {
        // The pool holds one clone. A refresh, a logout and a handle hold the session.
        Arc::strong_count(&self.0) > 1 || Arc::strong_count(&self.0.session) > 1 || self.0.session.holds_unsaved()
    }

    /// Lends this client to refreshers, unless the builder has set one.
    pub(crate) fn lend_refresh_client(&self, client: &reqwest::Client) {
        self.0.session.lend_refresh_client(client);
    }

    /// Reports a request outside the origins as an event. A different port, or `www.` before the host, is easily
    /// overlooked.
    #[cold]
    fn report_passed_through(&self, request: &Request) {
        self.0.session.listeners().notify(|| Event::PassedThrough {
            method: request.method().clone(),
            url: url_without_secrets(request.url()),
        });
    }

    /// Whether the URL is inside the origins.
    ///
    /// # Errors
    /// Returns an error if the URL is plain `http` and its host is an origin with `https`.
    fn has_origin_of(&self, url: &Url) -> Result<bool, Error> {
        if self.0.origins.containing(url).is_some() {
            return Ok(true);
        }
        let secure = || self.0.origins.secure_host_of(url);
        match (url.scheme() == "http").then(secure).flatten() {
            Some(origin) => Err(Error::Insecure(InsecureUrl { origin: origin.to_string() })),
            None => Ok(false),
        }
    }
}

impl fmt::Debug for ChallengeMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins: Vec<_> = self.0.origins.iter().map(Origin::to_string).collect();
        f.debug_struct("ChallengeMiddleware").field("origins", &origins).field("session", &self.session()).finish()
    }
}

impl Middleware for ChallengeMiddleware {
    // Written by hand instead of with `async_trait`, for the rows `GET` and `POST` of the benchmark `engine`: the steps that
    // do not wait run before there is a future, which makes the future smaller, and a request outside the origins has no
    // future of this middleware.
    fn handle<'s, 'e, 'n, 'f>(
        &'s self,
        mut request: Request,
        extensions: &'e mut Extensions,
        next: Next<'n>,
    ) -> Pin<Box<dyn Future<Output = reqwest_middleware::Result<Response>> + Send + 'f>>
    where
        's: 'f,
        'e: 'f,
        'n: 'f,
        Self: 'f,
    {
        let skip = extensions.get::<CallOptions>().is_some_and(|options| options.skip);
        match self.has_origin_of(request.url()) {
            Ok(true) if !skip => {
                if let Some(error) = redirect::chosen_elsewhere(extensions, &request, &self.0.origins) {
                    let error = self.0.forbid(&request, Error::Redirect(error));
                    return Box::pin(std::future::ready(Err(error)));
                }
            }
            Ok(has_origin) => {
                if !has_origin && !skip {
                    self.report_passed_through(&request);
                }
                return next.run(request, extensions);
            }
            Err(error) => return Box::pin(std::future::ready(Err(self.0.forbid(&request, error)))),
        }
        Box::pin(async move {
            let mut call = Call::new(&self.0, &mut request, extensions);
            // The rare steps are boxed, so that the future of a plain call is small: the row `peak memory` of the benchmark
            // `engine`.
            match call.sign_at_once(&mut request) {
                Some(signed) => signed.map_err(|error| call.fail(error))?,
                None => Box::pin(call.sign_first(&mut request)).await.map_err(|error| call.fail(error))?,
            }
            let sent = next.clone().run(request, extensions).await;
            let mut response = sent.map_err(|error| call.fail_send(error))?;
            if call.pass_at_once(&mut response) {
                return Ok(response);
            }
            Box::pin(send_again(&mut call, &mut response, extensions, next)).await?;
            Ok(response)
        })
    }
}

/// Ends the call, or sends its second request and replaces the response. The send consumes `next`, so that a third send does not
/// compile.
async fn send_again(
    call: &mut Call<'_>,
    response: &mut Response,
    extensions: &mut Extensions,
    next: Next<'_>,
) -> reqwest_middleware::Result<()> {
    let request = match call.after_first_send(response).await {
        Ok(request) => request,
        Err(end) => return call.end(end, response),
    };
    *response = next.run(request, extensions).await.map_err(|error| call.fail_send(error))?;
    let end = call.after_second_send(response).await;
    call.end(end, response)
}
