//! The mark of a response that a test made by hand.

use std::sync::LazyLock;

use reqwest::{Response, Url};

/// The mark of a response that a mock made: an extension of the response.
///
/// The middleware compares the URL of a response with the URL of the request, because a redirect can lead to another
/// server. A response that is made by hand has no URL unless the mock sets one with `reqwest::ResponseBuilderExt::url`.
/// A response with this mark and without a URL counts as the API's own answer. If the mock sets a URL, the URL counts, with
/// or without the mark. A response with neither is treated as the answer of another server: a 401 then ends with
/// [`UnauthorizedReason::ForeignOrigin`](crate::UnauthorizedReason::ForeignOrigin).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http::Extensions;
/// use reqwest_challenge::reqwest::{self, Request, Response};
/// use reqwest_challenge::reqwest_middleware::{self, ClientBuilder, Middleware, Next};
/// use reqwest_challenge::{ChallengeMiddleware, Credential, MockResponse, async_trait};
///
/// /// Answers in place of a server.
/// struct Mock;
///
/// #[async_trait]
/// impl Middleware for Mock {
///     async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
///         let is_known = request.headers().get("authorization").is_some_and(|sent| sent == "Bearer t1");
///         let status = if is_known { 200 } else { 401 };
///         let response = http::Response::builder().status(status).extension(MockResponse).body("");
///         Ok(response.map_err(anyhow::Error::from)?.into())
///     }
/// }
///
/// let auth = ChallengeMiddleware::new("https://api.example.com", async |_| {
///     Ok::<_, std::io::Error>(Credential::bearer("t1"))
/// })?;
/// let client = ClientBuilder::new(reqwest::Client::new()).with(auth).with(Mock).build();
/// assert_eq!(client.get("https://api.example.com/reports").send().await?.status(), 200);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MockResponse;

/// Whether a mock made the response and set no URL. A response from the network never has the mark.
pub(crate) fn is_mock(response: &Response) -> bool {
    response.extensions().get::<MockResponse>().is_some() && lacks_url(response)
}

/// Whether the response has the placeholder that reqwest uses as the URL of a response without one. The placeholder
/// alone makes no response trusted, because a server can have its host name.
pub(super) fn lacks_url(response: &Response) -> bool {
    static PLACEHOLDER: LazyLock<Url> = LazyLock::new(|| Response::from(http::Response::new("")).url().clone());
    *response.url() == *PLACEHOLDER
}
