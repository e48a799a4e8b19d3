//! OAuth 2, with the feature `oauth`: from a challenge to a token.
//!
//! [`OAuth`] is a [`Refresh`](crate::Refresh): of an [`Issuer`], a [`Client`] and a grant. What it is given beside a token, it renews by;
//! what it cannot renew, the grant asks for anew; and where a person must act, nobody is asked who did not ask for it.
//!
//! ```
//! use reqwest_challenge::ChallengeMiddleware;
//! use reqwest_challenge_login::oauth::{Client, ClientCredentials, Issuer, OAuth};
//!
//! let issuer = Issuer::new("https://auth.example.com")?;
//! let service = OAuth::new(issuer, Client::secret_basic("service", "s3cret"), ClientCredentials)?.scopes(["api:read"]);
//! let auth = ChallengeMiddleware::new("https://api.example.com", service)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Who gets what
//! - A client's secret, an assertion, a refresh token from elsewhere go to an issuer that the caller named, and to no other.
//! - A refresh token goes to the issuer that gave it, for the API that it was given for.
//! - A URL that a server names is dialled by `https`, or by `http` on this machine if that server is on this machine
//!   too; without userinfo; and not at an address of this machine or its network, unless it is the API's own host, that
//!   server's host, or one that the caller named. Each redirect of metadata is checked. A request with a body is sent
//!   once.
//! - The API's metadata are optional if the caller names the issuer: if they cannot be read, the grant goes on without
//!   them.
//! - A user's login asks for the scopes that the API names. Other grants ask for none of them, unless
//!   [`OAuth::challenge_scopes`] allows it.
//! - Claims that a 401 demands (continuous access evaluation) are part of the token request of every grant, also of a
//!   renewal.
//! - A page for the user is on the issuer's host, or on a host that the caller named.
//!
//! # Errors of a refresh token
//! - `invalid_grant`, and the words that vendors use for it, mean that the refresh token is no longer valid. The error is
//!   [`Rejected`](crate::RefreshErrorKind::CredentialRevoked), and a store deletes the credential.
//! - Every other final response (4xx, or an error with status 200) is
//!   [`LoginRequired`](crate::RefreshErrorKind::LoginRequired) with the server's text. Nothing is deleted, and the token is
//!   not presented again for 30 s.
//! - In every grant, an error that requires the user, such as `interaction_required`, is `LoginRequired` too.
//!
//! # Scope
//! ID tokens are not looked at: who the person is, is the API's business. The password grant and the implicit one are not there
//! (RFC 9700 §2.1.2, §2.4).

mod answer;
mod builder;
mod claims;
mod client;
mod grant_context;
mod dialer;
mod failures;
mod fault;
mod flow;
mod form;
mod grant;
mod authorization_prompt;
mod issuer;
mod jwt;
mod registration;
mod reply;
mod resource;
mod rests;
mod revocation;
mod rotations;
mod scopes;
mod seen;
mod server;
mod setup;
mod words;

pub use crate::oauth::grant::Grant;
pub use authorization_prompt::AuthorizationPrompt;
pub use builder::OAuth;
pub use client::Client;
pub use grant::AuthorizationCode;
pub use grant::ClientCredentials;
pub use grant::DeviceCode;
pub use grant::JwtBearer;
pub use grant::RefreshToken;
pub use grant::TokenExchange;
pub use grant::{Interactive, Offers, Way};
pub use issuer::{Issuer, SetupError};
pub use registration::Registration;
pub use scopes::ChallengeScopes;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use reqwest_challenge::RefreshError;

/// 32 octets by chance, in base64url: a `state`, a code verifier (RFC 7636 §4.1), a `jti`.
fn random() -> Result<String, RefreshError> {
    let mut octets = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *octets).map_err(|error| RefreshError::other(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(*octets))
}

fn hashed(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}
