//! A mock identity provider that a test configures and observes.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::Clock;

use super::custom_grants::CustomGrant;
use super::failure::Failure;
use super::issued::Issued;
use super::state::{KnownClient, State};
use crate::journal::Journal;
use crate::message::ReceivedRequest;
use crate::protection::Tokens;
use crate::server::Listener;

/// A mock of an OAuth 2 authorization server on loopback. It stops when it is dropped.
///
/// - The token endpoint is at `/token`. It rotates refresh tokens. The reuse of a rotated refresh token revokes all tokens of
///   the same login (RFC 9700 §4.14.2). The revocation endpoint is at `/revoke` (RFC 7009).
/// - It serves metadata (RFC 8414), registration (RFC 7591), an authorization page with PKCE and device codes (RFC 8628).
///   The user confirms each login at once, unless the test calls [`refuse_logins`](Self::refuse_logins).
/// - A grant type that it does not know is refused, unless the test adds it by [`accept_grant`](Self::accept_grant).
/// - It checks the codes that it gave out. It accepts each other code, assertion and password without a check.
/// - With the feature `dpop`, it checks the DPoP proof of a token request, and binds the tokens to the key of the proof
///   (RFC 9449 §5).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use reqwest_challenge_testing::{Failure, MockIdentityProvider};
///
/// let provider = MockIdentityProvider::start().await?;
/// let login = provider.log_in(["reports:read"]);
/// provider.fail_next(Failure::InvalidGrant);
///
/// let form = format!("grant_type=refresh_token&refresh_token={}", login.refresh_token);
/// let request = reqwest::Client::new().post(provider.token_url()).body(form);
/// let response = request.header("content-type", "application/x-www-form-urlencoded").send().await?;
/// assert_eq!(response.status(), 400);
/// # Ok(()) }
/// ```
pub struct MockIdentityProvider {
    server: Listener,
    state: Arc<State>,
}

impl MockIdentityProvider {
    /// Starts a provider with the system's clock. Its name in the journal is `identity`.
    ///
    /// # Errors
    /// If no loopback port is free.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Tokens::new(), &Journal::new()).await
    }

    /// Starts a provider with this clock, for example a [`ManualClock`](crate::ManualClock) that the test moves past the
    /// lifetime of a token.
    ///
    /// # Errors
    /// If no loopback port is free.
    pub async fn start_with_clock(clock: impl Clock) -> io::Result<Self> {
        Self::start_with(Tokens::with_clock(clock), &Journal::new()).await
    }

    /// Starts a provider that issues into this table and records into this journal.
    ///
    /// # Errors
    /// If no loopback port is free.
    pub async fn start_with(tokens: Tokens, journal: &Journal) -> io::Result<Self> {
        let state = Arc::new(State::new(tokens));
        let server = Listener::start("identity", journal.clone(), state.clone()).await?;
        Ok(Self { server, state })
    }

    /// The issuer identifier, the base of its metadata URL (RFC 8414).
    #[must_use]
    pub fn issuer(&self) -> String {
        self.server.url("")
    }

    /// The URL of the token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        self.server.url("/token")
    }

    /// The URL of the revocation endpoint.
    #[must_use]
    pub fn revocation_url(&self) -> String {
        self.server.url("/revoke")
    }

    /// The access tokens that the provider issued. An API that trusts the provider accepts them.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.state.tokens
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        self.server.journal()
    }

    /// Issues the tokens of a login that happened before the test, with these scopes.
    #[must_use]
    pub fn log_in<S: Into<String>>(&self, scopes: impl IntoIterator<Item = S>) -> Issued {
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.state.issue_login(&mut self.state.lock(), scopes, None)
    }

    /// Sets whether each refresh returns a new refresh token and ends the old one. True by default.
    pub fn rotate_refresh_tokens(&self, rotates: bool) {
        self.state.lock().rotates = rotates;
    }

    /// Sets the lifetime of the tokens that are issued from now on. One hour by default.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.state.lock().lifetime = lifetime;
    }

    /// Sets whether the user refuses each login. False by default.
    pub fn refuse_logins(&self, refuses: bool) {
        self.state.lock().logins.refuses = refuses;
    }

    /// Sets the `interval` between polls for a device code, which is sent in whole seconds. Not sent by default.
    pub fn set_device_interval(&self, interval: Duration) {
        self.state.lock().logins.interval = Some(interval);
    }

    /// Confirms or refuses the device login with this code, as the user does. Returns whether there is such a code.
    #[must_use]
    pub fn decide_login(&self, user_code: &str, confirms: bool) -> bool {
        self.state.lock().logins.decide(user_code, confirms)
    }

    /// The codes of device logins that the user has not confirmed or refused yet.
    #[must_use]
    pub fn user_codes(&self) -> Vec<String> {
        let inner = self.state.lock();
        let open = inner.logins.devices.values().filter(|device| device.is_confirmed.is_none());
        open.map(|device| device.user_code.clone()).collect()
    }

    /// From now on, token requests must come from this client, with this secret by Basic or in the body (RFC 6749 §2.3.1).
    pub fn require_client(&self, id: &str, secret: &str) {
        self.state.lock().client = Some(KnownClient::Secret { id: id.to_owned(), secret: secret.to_owned() });
    }

    /// From now on, token requests must come from this client. Each must have an assertion that is signed by ES256 with the
    /// key of `public_jwk` (`private_key_jwt`, RFC 7523 §3).
    ///
    /// # Panics
    /// If the text is not JSON.
    #[cfg(feature = "dpop")]
    #[track_caller]
    pub fn require_signed_client(&self, id: &str, public_jwk: &str) {
        let jwk = serde_json::from_str(public_jwk).unwrap_or_else(|error| panic!("the JWK is not JSON: {error}"));
        self.state.lock().client = Some(KnownClient::Key { id: id.to_owned(), jwk });
    }

    /// From now on, each proof at the token endpoint must have this nonce (RFC 9449 §8).
    ///
    /// # Panics
    /// If the nonce contains a control character.
    #[cfg(feature = "dpop")]
    #[track_caller]
    pub fn require_nonce(&self, nonce: &str) {
        let is_valid = http::HeaderValue::from_str(nonce).is_ok();
        assert!(is_valid, "`{}` is not a nonce: it contains a control character", nonce.escape_debug());
        self.state.lock().nonce = Some(nonce.to_owned());
    }

    /// From now on, the token endpoint accepts this `grant_type` (RFC 6749 §4.5) too, if the request has these parameters and
    /// the function returns `Ok`. The token has the requested scopes, or all scopes if none are requested, and a refresh
    /// token comes with it. [`grants`](Self::grants) counts it.
    ///
    /// - If a parameter is missing or empty, the answer is 400 `invalid_request`, and its text names the missing parameters.
    /// - If the function returns an error code, the answer is 400 with that code. `invalid_grant` refuses what the client
    ///   presents (RFC 6749 §5.2).
    ///
    /// A second call for the same `grant_type` replaces the first. A call for a grant type that the provider already knows
    /// adds these checks to its own ones, and replaces the parameters that it requires.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use reqwest_challenge_testing::MockIdentityProvider;
    ///
    /// let provider = MockIdentityProvider::start().await?;
    /// provider.accept_grant("urn:example:ticket", ["gate", "ticket"], |request| {
    ///     if request.form("ticket").as_deref() == Some("ticket-1") { Ok(()) } else { Err("invalid_grant") }
    /// });
    ///
    /// let ask = |form: &'static str| {
    ///     let request = reqwest::Client::new().post(provider.token_url()).body(form);
    ///     request.header("content-type", "application/x-www-form-urlencoded").send()
    /// };
    /// assert_eq!(ask("grant_type=urn:example:ticket&gate=north&ticket=ticket-1").await?.status(), 200);
    /// let refused = ask("grant_type=urn:example:ticket&gate=north").await?.text().await?;
    /// assert!(refused.contains("missing parameters: ticket"));
    /// assert_eq!(provider.grants("urn:example:ticket"), 1);
    /// # Ok(()) }
    /// ```
    pub fn accept_grant<S: Into<String>>(
        &self,
        grant_type: &str,
        required: impl IntoIterator<Item = S>,
        decide: impl Fn(&ReceivedRequest) -> Result<(), &'static str> + Send + Sync + 'static,
    ) {
        let required = required.into_iter().map(Into::into).collect();
        self.state.lock().custom_grants.add(grant_type, CustomGrant { required, decide: Arc::new(decide) });
    }

    /// Makes the next request to the token endpoint fail like this. Further calls make later requests fail. Requests
    /// for metadata, a registration, a page, a code or a revocation are answered as before.
    pub fn fail_next(&self, failure: Failure) {
        self.state.lock().next_failures.push_back(failure);
    }

    /// Makes every request fail like this until [`end_outage`](Self::end_outage). [`InvalidGrant`](Failure::InvalidGrant) and
    /// [`InvalidClient`](Failure::InvalidClient) are errors of the token endpoint and do not affect other requests.
    pub fn begin_outage(&self, failure: Failure) {
        self.state.lock().outage = Some(failure);
    }

    /// Ends the outage.
    pub fn end_outage(&self) {
        self.state.lock().outage = None;
    }

    /// How many token requests arrived, including polls for a device code.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        self.journal().exchanges().iter().filter(|exchange| exchange.is_token_request()).count()
    }

    /// How many token requests with that `grant_type` succeeded.
    #[must_use]
    pub fn grants(&self, grant_type: &str) -> usize {
        self.state.lock().counts.get(grant_type).copied().unwrap_or(0)
    }

    /// How often a refresh token was used again after its rotation or revocation.
    #[must_use]
    pub fn reuses(&self) -> usize {
        self.state.lock().reuses
    }
}

impl fmt::Debug for MockIdentityProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockIdentityProvider").field("server", &self.server).finish_non_exhaustive()
    }
}
