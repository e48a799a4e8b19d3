//! Sends requests that a client cannot send a second time, whatever its redirect policy.
//!
//! A `reqwest::Client` does not reveal its policy. It follows a 307 or 308, and a 301 or 302 in response to a GET, only
//! with a copy of the body. It cannot copy a stream, so it returns such a redirect as the response. It follows a 303,
//! and a 301 or 302 in response to a POST, with a GET that has no body, and no `Authorization` at another origin. The
//! URL of that response differs from the URL of the request, so the response is not accepted. The cost: reqwest does
//! not repeat such a request after HTTP/2 refuses a stream.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::{Client, Request, Response};
use url::Url;

/// Sends a request with this body through a client that may follow redirects. Returns `Ok(None)` if the response came
/// from another URL.
///
/// # Errors
/// Returns the error of the network.
pub(crate) async fn send_once(
    client: &Client,
    mut request: Request,
    body: Option<Bytes>,
) -> reqwest::Result<Option<Response>> {
    let requested = without_fragment(request.url());
    *request.body_mut() = Some(reqwest::Body::wrap(SingleUseBody(body.filter(|octets| !octets.is_empty()))));
    let response = client.execute(request).await?;
    let is_same_url = without_fragment(response.url()) == requested;
    Ok(is_same_url.then_some(response))
}

fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

/// A body that can be read once.
struct SingleUseBody(Option<Bytes>);

impl Body for SingleUseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|octets| Ok(Frame::data(octets))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    /// An absent body reports no exact length, because reqwest copies a body whose length is exactly zero.
    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(SizeHint::default, |octets| SizeHint::with_exact(octets.len() as u64))
    }
}
