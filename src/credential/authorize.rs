//! The trait of schemes that sign requests.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Request, Url};

use super::secret::Secret;
use crate::BoxError;
use crate::challenge::Challenges;

/// A scheme that signs requests. [`Credential::custom`](crate::Credential::custom) makes a credential of it.
///
/// The plain credentials (a bearer token, a password, a header) need no scheme.
///
/// This scheme sends a key together with the time:
///
/// ```
/// use std::time::SystemTime;
///
/// use reqwest_challenge::reqwest::Request;
/// use reqwest_challenge::reqwest::header::{AUTHORIZATION, HeaderValue};
/// use reqwest_challenge::{Authorize, BoxError, Credential, Secret, async_trait};
///
/// struct Timed(Secret);
///
/// #[async_trait]
/// impl Authorize for Timed {
///     fn scheme(&self) -> &str {
///         "Timed"
///     }
///
///     async fn authorize(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError> {
///         let seconds = now.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
///         let mut value = HeaderValue::try_from(format!("Timed key={}, time={seconds}", self.0.expose()))?;
///         value.set_sensitive(true);
///         request.headers_mut().insert(AUTHORIZATION, value);
///         Ok(())
///     }
///
///     fn export(&self) -> Option<Secret> {
///         Some(self.0.clone())
///     }
/// }
///
/// let credential = Credential::custom(Timed(Secret::new("s3cret")));
/// assert_eq!(credential.scheme(), "Timed");
/// ```
#[async_trait]
pub trait Authorize: Send + Sync + 'static {
    /// The name of the scheme, such as `DPoP`.
    fn scheme(&self) -> &str;

    /// The header that the scheme sets, or `None` if it sets none or several. If the caller already set this header on a
    /// request, the middleware does not call the scheme for the request.
    ///
    /// The middleware asks for the name in each send, so the scheme keeps it. If the name is computed or configured, a field
    /// holds it:
    ///
    /// ```
    /// use std::time::SystemTime;
    ///
    /// use reqwest_challenge::reqwest::Request;
    /// use reqwest_challenge::reqwest::header::{HeaderName, HeaderValue};
    /// use reqwest_challenge::{Authorize, BoxError, Credential, async_trait};
    ///
    /// struct Tenant {
    ///     header: HeaderName,
    ///     name: HeaderValue,
    /// }
    ///
    /// #[async_trait]
    /// impl Authorize for Tenant {
    ///     fn scheme(&self) -> &str {
    ///         "Tenant"
    ///     }
    ///
    ///     fn header_name(&self) -> Option<&HeaderName> {
    ///         Some(&self.header)
    ///     }
    ///
    ///     async fn authorize(&self, request: &mut Request, _now: SystemTime) -> Result<(), BoxError> {
    ///         request.headers_mut().insert(&self.header, self.name.clone());
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let product = "billing";
    /// let header = HeaderName::try_from(format!("x-{product}-tenant"))?;
    /// let credential = Credential::custom(Tenant { header, name: HeaderValue::from_static("acme") });
    /// # Ok::<(), BoxError>(())
    /// ```
    fn header_name(&self) -> Option<&HeaderName> {
        Some(&http::header::AUTHORIZATION)
    }

    /// Signs the request before it is sent. `now` is the server's time: the session's clock, corrected by its
    /// [skew](crate::Session::clock_skew). The middleware calls this once for each send, so a replay is signed again. A buffered body can be read.
    ///
    /// If the scheme sets a header that contains a secret, it must mark the value as sensitive.
    ///
    /// # Errors
    /// Any error of the scheme. The request is not sent.
    async fn authorize(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError>;

    /// The text that a store keeps, from which the scheme can be made again in another process. `None`, the default, means
    /// that the credential cannot be stored.
    fn export(&self) -> Option<Secret> {
        None
    }

    /// Inspects the head of each response to a request that the scheme signed, whatever its status: of the first response
    /// and of the second one. By default, the scheme ignores it. The middleware does not call this
    /// - if another origin answered, after a redirect;
    /// - if the caller set the scheme's header on the request;
    /// - for the 401 of a call with [`CallOptions::no_retry`](crate::CallOptions::no_retry) or
    ///   [`CallOptions::identity`](crate::CallOptions::identity).
    ///
    /// [`Observed::Retry`] counts only for the first 401: the request is signed again and sent, without a refresh. If
    /// the second response is a 401 too, the call ends with
    /// [`StillRejected`](crate::UnauthorizedReason::StillRejected). A refresh then gets a credential for the next
    /// call.
    ///
    /// # Errors
    /// Any error of the scheme, for example because the server's proof is wrong. The call ends with
    /// [`Error::Authorize`](crate::Error::Authorize), and there is no second send. For a 403 the error has no effect: the
    /// call ends with [`Error::Forbidden`](crate::Error::Forbidden).
    fn observe(&self, _head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        Ok(Observed::Nothing)
    }

    /// Reads the head of the 401 that caused the refresh which gave this credential. The middleware calls this before it
    /// signs the replay, because the 401 may contain a nonce. [`ResponseHead::sent_header`] is the header of the refused
    /// credential. By default, the scheme ignores the 401.
    fn learn(&self, _head: &ResponseHead<'_>) {}
}

/// What the middleware does after [`Authorize::observe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observed {
    /// The response does not concern the scheme.
    Nothing,
    /// The scheme can answer this 401 itself. The middleware signs the request once more and sends it, without a refresh.
    Retry,
}

/// The head of a response, as a scheme sees it, or the function of
/// [`Builder::unauthenticated_when`](crate::Builder::unauthenticated_when). `Debug` prints no values of header fields.
pub struct ResponseHead<'a> {
    pub(crate) status: StatusCode,
    pub(crate) url: &'a Url,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) challenges: &'a Challenges,
    pub(crate) sent: Option<&'a HeaderValue>,
    pub(crate) clock: &'a (dyn Fn() -> SystemTime + Send + Sync),
}

impl ResponseHead<'_> {
    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The URL that answered. After a redirect, it differs from the URL of the request.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.url
    }

    /// The header fields of the response.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.headers
    }

    /// The challenges of a 401. Empty for any other status, except in
    /// [`Builder::unauthenticated_when`](crate::Builder::unauthenticated_when).
    #[must_use]
    pub fn challenges(&self) -> &Challenges {
        self.challenges
    }

    /// The value of the credential's [header](Authorize::header_name) in the request that got this response. In
    /// [`Authorize::learn`] it is the header of the refused credential. `None` if the request was sent without a credential,
    /// or if the scheme names no header.
    #[must_use]
    pub fn sent_header(&self) -> Option<&HeaderValue> {
        self.sent
    }

    /// The server's time, as [`Authorize::authorize`] receives it: the session's clock, corrected by its skew. A scheme uses it instead of
    /// [`SystemTime::now`], so that a test that moves the clock moves it for the scheme too.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        (self.clock)()
    }
}

impl fmt::Debug for ResponseHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead")
            .field("status", &self.status)
            .field("host", &self.url.host_str())
            .field("headers", &self.headers.len())
            .field("challenges", self.challenges)
            .finish_non_exhaustive()
    }
}
