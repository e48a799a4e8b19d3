//! The middleware: it obeys the judge, and knows no scheme.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::Extensions;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Middleware, Next};

use crate::call::Call;
use crate::call::CallOptions;
use crate::call::Shared;
use crate::error::{Error, InsecureUrl};
use crate::origin::{Origin, url_without_secrets};
use crate::redirect;
use crate::session::Event;
use crate::session::Session;

/// Answers the challenges of a 401, once, and makes a 403 an error.
///
/// Clones share one session: one credential, one refresh for all who wait. One middleware is one protection space and one
/// identity; a client of two APIs carries two.
#[derive(Clone)]
pub struct ChallengeMiddleware(Arc<Shared>);

impl ChallengeMiddleware {
    pub(crate) fn of(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The handle on what all clones share.
    #[must_use]
    pub fn session(&self) -> Session {
        Session(self.0.session.clone())
    }

    /// Reports a request that is outside the origins: `www.` before a host, or another port, is easily overlooked.
    #[cold]
    fn pass_through(&self, request: &Request) {
        self.0.session.listeners().notify(|| Event::PassedThrough {
            method: request.method().clone(),
            url: url_without_secrets(request.url()),
        });
    }

    /// Whether the URL is ours.
    ///
    /// # Errors
    /// If it is by plain `http` to a host that was given with `https`.
    fn is_ours(&self, url: &Url) -> Result<bool, Error> {
        if self.0.origins.iter().any(|origin| origin.contains(url)) {
            return Ok(true);
        }
        let meant = self.0.origins.iter().find(|origin| origin.is_https() && origin.is_host_of(url));
        match meant.filter(|_| url.scheme() == "http") {
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
    // What `async_trait` would write, by hand: what needs no waiting is done before there is a future, which is smaller by
    // that, and what is not ours costs no future at all.
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
        match self.is_ours(request.url()) {
            Ok(true) if !skip => {
                if let Some(error) = redirect::chosen_elsewhere(extensions, &request, &self.0.origins) {
                    return Box::pin(std::future::ready(Err(Error::Redirect(error).into_middleware())));
                }
            }
            Ok(ours) => {
                if !ours && !skip {
                    self.pass_through(&request);
                }
                return next.run(request, extensions);
            }
            Err(error) => return Box::pin(std::future::ready(Err(error.into_middleware()))),
        }
        Box::pin(async move {
            // What is rare is boxed, so that a call that is let in at once is small.
            let mut call = Call::new(&self.0, &mut request, extensions);
            match call.sign_now(&mut request) {
                Some(signed) => signed.map_err(Error::into_middleware)?,
                None => Box::pin(call.sign_first(&mut request)).await.map_err(Error::into_middleware)?,
            }
            let mut first = next.clone().run(request, extensions).await?;
            if call.is_passed_at_once(&mut first) {
                return Ok(first);
            }
            Box::pin(refused(&mut call, first, extensions, next)).await
        })
    }
}

/// What comes after a first answer that is not simply let through.
async fn refused(
    call: &mut Call<'_>,
    first: Response,
    extensions: &mut Extensions,
    next: Next<'_>,
) -> reqwest_middleware::Result<Response> {
    let second = match call.first_answer(first).await {
        Ok(second) => second,
        Err(end) => return end.into_result(),
    };
    let answer = next.run(second, extensions).await?;
    call.second_answer(answer).await.into_result()
}
