//! A client that sends a credential only to the origins of its middleware.

use reqwest::redirect::Policy;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use super::middleware::ChallengeMiddleware;
use crate::redirect::FollowRedirects;

/// Builds a client with this middleware that follows redirects through [`FollowRedirects`]. Each hop is signed for its
/// own URL, and no credential goes to another server.
///
/// The client does not follow redirects itself and sends no `Referer`, whatever the given builder says. To add more
/// middlewares, build the client by hand and add [`FollowRedirects`] first.
///
/// # Errors
/// Returns reqwest's error if the builder cannot build a client.
///
/// ```
/// use reqwest_challenge::{ChallengeMiddleware, Credential, hardened};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = ChallengeMiddleware::new("https://api.example.com", Credential::bearer("s3cret"))?;
/// let client = hardened(reqwest::Client::builder(), auth)?;
/// # let _ = client; Ok(()) }
/// # example().unwrap();
/// ```
pub fn hardened(builder: reqwest::ClientBuilder, auth: ChallengeMiddleware) -> reqwest::Result<ClientWithMiddleware> {
    let client = builder.referer(false).redirect(Policy::none()).build()?;
    Ok(ClientBuilder::new(client).with(FollowRedirects::new()).with(auth).build())
}
