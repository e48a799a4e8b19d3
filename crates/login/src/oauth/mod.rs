//! OAuth 2: from a challenge to a token. Feature `oauth`.
//!
//! [`OAuth`] is a [`Refresh`](reqwest_challenge::Refresh). It is built from an [`Issuer`], a [`Client`] and a [`Grant`].
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
//! # How a login works
//! 1. The session calls `refresh` with the 401 (`refresh`). If there is a refresh token, it renews the credential: only the
//!    metadata of its authorization server are read, and step 3 is left out. Otherwise the grant runs.
//! 2. The API's metadata say which resource refused the request and which authorization server issues tokens for it. The
//!    metadata of that server name its endpoints (`prepare`, `server`). The scopes are chosen (`prepare`).
//! 3. The grant obtains a token (`grant`). If it needs the user, it shows a page and waits for the answer.
//! 4. The client adds its proof to the token request (`client`). The request is sent to a URL that has been checked, and its
//!    response is read: a token, or an error whose code says what it means (`http`).
//! 5. The token becomes a credential. The issuer, the client and the refresh token are attached to it (`token`).
//!
//! # Which server receives what
//! - A client's secret, an assertion, and a refresh token that the caller gives are sent only to an issuer that the caller
//!   named.
//! - A refresh token is sent to the issuer that issued it, for the API that it was issued for.
//! - A URL that a server names is used if it is `https`, or `http` on this machine if that server is on this machine too. It
//!   must have no userinfo. It must not lead to an address of this machine or its network, unless it is on the host of the
//!   API or of that server, or on one that the caller named. Each redirect of metadata is checked. A request with a body is
//!   sent once.
//! - The API's metadata are optional if the caller names the issuer: if they cannot be read, the grant goes on without
//!   them.
//! - A user's login asks for the scopes that the API names. Other grants ask for none of them, unless
//!   [`OAuth::challenge_scopes`] allows it.
//! - Claims that a 401 demands (continuous access evaluation) are part of the token request of every grant, also of a
//!   renewal.
//! - A page for the user is on the issuer's host, or on a host that the caller named.
//!
//! # Errors of a refresh token
//! - `invalid_grant`, and the codes that vendors use for it, mean that the refresh token is no longer valid. The error is
//!   [`CredentialRevoked`](reqwest_challenge::RefreshErrorKind::CredentialRevoked), and a store deletes the credential.
//! - Every other final response (4xx, or an error with status 200) is
//!   [`LoginRequired`](reqwest_challenge::RefreshErrorKind::LoginRequired) with the server's text. Nothing is deleted, and
//!   the token is not presented again for 30 s.
//! - In every grant, an error that requires the user, such as `interaction_required`, is `LoginRequired` too.
//!
//! # Scope
//! ID tokens are not read: the API identifies the user. The password grant and the implicit grant are not supported (RFC
//! 9700 §2.1.2, §2.4).

mod setup_error;
mod random;
mod http;
mod server;
mod client;
mod token;
mod challenge_scopes;
mod last_challenge;
mod settings;
mod grant;
mod oauth;
mod prepare;
mod refresh;
mod revocation;

pub use challenge_scopes::ChallengeScopes;
pub use client::{Client, Registration};
pub use grant::{
    AuthorizationCode, AuthorizationPrompt, ClientCredentials, DeviceCode, Grant, GrantContext, Interactive,
    IssuedToken, JwtBearer, LoginMethod, LoginMethods, RefreshToken, TokenExchange, TokenRequest,
};
pub use oauth::OAuth;
pub use server::Issuer;
pub use setup_error::{SetupError, SetupErrorKind};
