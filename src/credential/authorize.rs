//! What a scheme of its own does: signs each request, and looks at each response.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Request, Url};

use super::secret::Secret;
use crate::BoxError;
use crate::challenge::Challenges;

/// A scheme that signs requests: what stands behind [`Credential::custom`](crate::Credential::custom).
///
/// The plain kinds (a bearer token, a password, a header) do not pass through here.
#[async_trait]
pub trait Authorize: Send + Sync + 'static {
    /// The scheme's name, such as `DPoP`.
    fn scheme(&self) -> &str;

    /// The header that it sets, if it is a single one: a request that has it already is the caller's own business.
    fn header_name(&self) -> Option<&HeaderName> {
        Some(&http::header::AUTHORIZATION)
    }

    /// Signs the request, which is about to be sent. `now` is the time of the session's clock. Called anew for each send. A buffered body can be read; whoever
    /// sets a header with a secret in it marks it as sensitive.
    ///
    /// # Errors
    /// Whatever keeps it from signing: nothing is sent then.
    async fn authorize(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError>;

    /// What a store keeps of it, so that it can be made again in another process. Not said, it cannot be stored.
    fn export(&self) -> Option<Secret> {
        None
    }

    /// Looks at the head of a response to a request that it signed.
    ///
    /// # Errors
    /// Whatever is wrong with the response, such as a server's proof that does not hold.
    fn observe(&self, _head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        Ok(Observed::Nothing)
    }

    /// Learns from the head of the 401 that a request got before there was this credential, with which it is about to be sent once
    /// more: a nonce may have come with it.
    fn learn(&self, _head: &ResponseHead<'_>) {}
}

/// What a scheme makes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observed {
    /// Nothing that concerns it.
    Nothing,
    /// It can answer this 401 itself: sign once more, and nobody needs to be asked.
    Retry,
}

/// The head of a response, as a scheme sees it. `Debug` prints no values.
pub struct ResponseHead<'a> {
    pub(crate) status: StatusCode,
    pub(crate) url: &'a Url,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) challenges: &'a Challenges,
    /// The header that the scheme made for the request, if it is known.
    #[cfg_attr(not(feature = "digest"), expect(dead_code, reason = "only Digest reads it"))]
    pub(crate) sent: Option<&'a HeaderValue>,
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

impl ResponseHead<'_> {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The URL that answered.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.url
    }

    /// The header.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.headers
    }

    /// The header that the scheme made for the request.
    #[cfg(feature = "digest")]
    pub(crate) fn sent(&self) -> Option<&HeaderValue> {
        self.sent
    }

    /// The challenges; none but on a 401.
    #[must_use]
    pub fn challenges(&self) -> &Challenges {
        self.challenges
    }
}
