//! A login in a browser on this machine (RFC 6749 §4.1, RFC 7636, RFC 8252).

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::grant::Grant;
use super::grant_context::GrantContext;
use super::issued_token::IssuedToken;
use super::loopback::{AuthorizationResponse, Loopback};
use super::prompt::{AuthorizationPrompt, Show};
use crate::oauth::client::Identity;
use crate::oauth::http::{Form, Meaning, is_code, is_known, meaning, one_line};
use crate::oauth::random::{random, sha256};
use crate::util::{abandoned, unless};
use reqwest_challenge::{BoxError, RefreshError, Secret};

/// How long a user may take: for a password, a second factor and a consent.
const MAX_LOGIN: Duration = Duration::from_secs(5 * 60);
/// How long the requests before and after the login may take.
const REQUESTS: Duration = Duration::from_secs(60);
const DEFAULT_PATH: &str = "/callback";

/// A login in a browser on this machine, which returns to a port of this machine (RFC 6749 §4.1 with RFC 7636 and RFC 8252).
///
/// ```
/// use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth};
///
/// let browser = AuthorizationCode::new(|prompt| Ok(eprintln!("open {}", prompt.url())));
/// let login = OAuth::new(Issuer::new("https://auth.example.com")?, Client::public("tool"), browser)?;
/// # Ok::<(), reqwest_challenge_login::oauth::SetupError>(())
/// ```
#[derive(Clone)]
pub struct AuthorizationCode {
    show: Show,
    path: String,
}

/// An authorization request that is shown to the user, and what its response must match.
struct AuthorizationRequest {
    identity: Identity,
    redirect_uri: String,
    state: Secret,
    verifier: Secret,
}

impl AuthorizationCode {
    /// `show` shows the page to the user: it opens a browser, and prints the URL in case that none opens.
    #[must_use]
    pub fn new(show: impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static) -> Self {
        Self { show: Arc::new(show), path: DEFAULT_PATH.to_owned() }
    }

    /// Sets the path of the redirect URI, as it is registered at the server. The default is `/callback`. The port is any free
    /// port (RFC 8252 §7.3).
    #[must_use]
    pub fn redirect_path(mut self, path: impl AsRef<str>) -> Self {
        // Parsed, so that it is written as a browser writes it.
        self.path = Url::parse("http://127.0.0.1/").map_or_else(
            |_| DEFAULT_PATH.to_owned(),
            |mut url| {
                url.set_path(path.as_ref());
                url.path().to_owned()
            },
        );
        self
    }

    /// Fails if it is not certain that the server checks the code verifier (RFC 7636).
    fn check_code_challenge(context: &GrantContext<'_>) -> Result<(), RefreshError> {
        let supports_s256 = match &context.server.code_challenge_methods {
            Some(methods) => methods.iter().any(|method| method == "S256"),
            // If the caller chose the server, the metadata may omit the list. A server that the API names must list S256.
            None => context.sender.is_issuer_named,
        };
        if supports_s256 {
            return Ok(());
        }
        let line =
            format!("the metadata of {} do not list the code challenge method S256 (RFC 7636)", context.issuer());
        Err(RefreshError::denied("pkce").caused_by(line))
    }

    /// Fails if the client cannot distinguish the response of another server from the response of this server. In
    /// that case the client could send the code of the other server to this server (RFC 9700 §4.4).
    fn check_mix_up(context: &GrantContext<'_>) -> Result<(), RefreshError> {
        if context.can_match_response() || context.registers() {
            return Ok(());
        }
        let line = format!(
            "{} does not name itself in its responses (RFC 9207), and only the API names it: if you trust this server, name \
             it with `Issuer::new`, or let the client register",
            context.issuer()
        );
        Err(RefreshError::denied("mix_up").caused_by(line))
    }

    /// The path of the redirect URI. If the server does not name itself in its responses, the path is different for each
    /// server, so that the response of another server does not match (RFC 9700 §4.4).
    fn path_for(&self, context: &GrantContext<'_>) -> String {
        if context.can_match_response() {
            self.path.clone()
        } else {
            format!("{}/{}", self.path.trim_end_matches('/'), &sha256(context.issuer())[..16])
        }
    }

    /// Shows the page, and waits for the browser to return.
    async fn authorize(
        &self,
        context: &GrantContext<'_>,
        request: &AuthorizationRequest,
        loopback: Loopback,
    ) -> Result<AuthorizationResponse, RefreshError> {
        let clock = context.refresh_context.clock();
        let prompt = AuthorizationPrompt {
            url: request.url(context)?,
            complete: None,
            user_code: None,
            issuer: context.issuer().to_owned(),
            api: context.sender.api.to_string(),
            expires_at: clock.now().checked_add(MAX_LOGIN),
        };
        (self.show)(&prompt).map_err(RefreshError::from)?;
        let response = async { unless(pin!(clock.sleep(MAX_LOGIN)), pin!(loopback.response(&request.state))).await };
        match unless(pin!(context.refresh_context.abandoned()), pin!(response)).await {
            Ok(Ok(response)) => Ok(response),
            // Final, so that the middleware does not show the next prompt at once.
            Ok(Err(())) => Err(RefreshError::denied("login_timed_out")
                .caused_by("the browser did not return from the login page in time")),
            Err(()) => Err(abandoned()),
        }
    }
}

impl AuthorizationRequest {
    /// The page to show (RFC 6749 §4.1.1).
    fn url(&self, context: &GrantContext<'_>) -> Result<Url, RefreshError> {
        let mut url = context.server.authorization_page(&context.sender)?;
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", &self.identity.id);
        query.append_pair("redirect_uri", &self.redirect_uri).append_pair("state", self.state.expose());
        let challenge = sha256(self.verifier.expose());
        query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        if !context.scopes.is_empty() {
            query.append_pair("scope", &context.scopes.join(" "));
        }
        if let Some(resource) = context.sent_resource() {
            query.append_pair("resource", resource);
        }
        if let Some(dpop) = &context.settings.dpop {
            query.append_pair("dpop_jkt", &dpop.thumbprint());
        }
        for (name, value) in context.authentication_parameters() {
            query.append_pair(name, &value);
        }
        for (name, value) in context.parameters() {
            query.append_pair(&name, &value);
        }
        drop(query);
        Ok(url)
    }
}

/// The code in the response, if the response is from this server.
fn code_of(context: &GrantContext<'_>, response: &AuthorizationResponse) -> Result<Secret, RefreshError> {
    // The issuer is checked before anything else in the response (RFC 9207 §2.4).
    let is_from_server = match response.all("iss")[..] {
        [issuer] => issuer.expose() == context.issuer(),
        [] => !context.server.sends_issuer,
        _ => false,
    };
    if !is_from_server {
        return Err(
            RefreshError::denied("issuer_mismatch").caused_by("the response to the login comes from another server")
        );
    }
    if let Some(error) = response.all("error").first().filter(|error| !error.is_empty()) {
        return Err(error_of(error.expose(), response));
    }
    match response.all("code")[..] {
        [code] if !code.is_empty() => Ok(code.clone()),
        _ => Err(RefreshError::denied("invalid_request").caused_by("the response to the login has no `code`")),
    }
}

/// The error of an authorization response (RFC 6749 §4.1.2.1).
fn error_of(code: &str, response: &AuthorizationResponse) -> RefreshError {
    let mut sent = Form::default();
    for secret in ["state", "code"].into_iter().flat_map(|name| response.all(name)) {
        sent.mask_also(secret.clone());
    }
    let code = if is_code(code) { code } else { "invalid_request" };
    let text = response.all("error_description").first().map(|text| one_line(&sent.mask(text.expose().to_owned())));
    let text = text.unwrap_or_else(|| "the server refused the login".to_owned());
    match meaning(code) {
        Some(Meaning::Temporary) => RefreshError::transient(None).caused_by(text),
        _ if is_known(code) => RefreshError::denied(code).caused_by(text),
        _ => RefreshError::denied(sent.mask(code.to_owned())).caused_by(text),
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationCode").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Grant for AuthorizationCode {
    fn grant_type(&self) -> &str {
        "authorization_code"
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        Self::check_code_challenge(context)?;
        let loopback = Loopback::listen(&self.path_for(context)).await.map_err(RefreshError::from)?;
        let redirect_uri = loopback.uri().map_err(RefreshError::from)?;
        let identity = context.identity(self.grant_type(), Some(&redirect_uri)).await?;
        Self::check_mix_up(context)?;
        let (state, verifier) = (Secret::new(random()?), Secret::new(random()?));
        let request = AuthorizationRequest { identity, redirect_uri, state, verifier };
        let response = self.authorize(context, &request, loopback).await?;
        let mut form = Form::for_grant(self.grant_type());
        form.add_secret("code", code_of(context, &response)?);
        form.add("redirect_uri", request.redirect_uri.as_str());
        form.add_secret("code_verifier", request.verifier);
        context.add_common_parameters(&mut form);
        let response = context.request_token(&request.identity, form).await.map_err(RefreshError::of_login)?;
        Ok(IssuedToken { response, identity: request.identity })
    }

    fn has_secret(&self) -> bool {
        false
    }

    fn needs_user(&self) -> bool {
        true
    }

    fn timeout(&self) -> Duration {
        MAX_LOGIN + REQUESTS
    }
}
