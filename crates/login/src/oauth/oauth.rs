//! The refresher, and what the caller sets on it.

use std::fmt;
use std::sync::Arc;

use reqwest::dns::Resolve;

use super::challenge_scopes::ChallengeScopes;
use super::client::{Client, Kind};
use super::grant::Grant;
use super::server::{Issuer, check_document_url};
use super::settings::{Memory, Settings};
use super::setup_error::{SetupError, SetupErrorKind};
use reqwest_challenge::dpop::Dpop;

/// Gets the tokens of an OAuth 2 authorization server: a [`Refresh`](reqwest_challenge::Refresh).
///
/// It asks for no token before the API has refused a request. It renews a token with its refresh token if there is one;
/// otherwise, or if the refresh token is no longer valid, it runs the grant again. A grant that needs the user runs only if
/// the caller calls [`Session::login`](reqwest_challenge::Session::login) or
/// [`step_up`](reqwest_challenge::Session::step_up). A 401 alone leads to
/// [`LoginRequired`](reqwest_challenge::RefreshErrorKind::LoginRequired), unless [`prompting`](Self::prompting) is set.
///
/// Do not use it with [`partition_by`](reqwest_challenge::Builder::partition_by), because all partitions would share one
/// refresh token. For many tenants, build one `OAuth` for each tenant from clones of one [`Issuer`]: they share its
/// metadata.
///
/// ```
/// use reqwest_challenge::ChallengeMiddleware;
/// use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth};
///
/// let browser = AuthorizationCode::new(|prompt| Ok(eprintln!("open {}", prompt.url())));
/// let login = OAuth::new(Issuer::new("https://auth.example.com")?, Client::public("tool"), browser)?
///     .scopes(["api:read"])
///     .hint("run `tool login`");
/// let auth = ChallengeMiddleware::new("https://api.example.com", login)?;
/// let session = auth.session();
/// // `session.login().await` opens the browser.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OAuth {
    pub(super) issuer: Issuer,
    pub(super) client: Client,
    pub(super) grant: Box<dyn Grant>,
    pub(super) settings: Settings,
    pub(super) memory: Memory,
}

impl OAuth {
    /// Gets the tokens of this issuer for this client by this grant.
    ///
    /// # Errors
    /// - [`IssuerRequired`](SetupErrorKind::IssuerRequired) if the client or the grant has a secret, and the issuer is
    ///   [`Issuer::from_challenge`].
    /// - [`ClientNotSupported`](SetupErrorKind::ClientNotSupported) if the client registers or has a metadata document, and
    ///   the grant needs no user or the token endpoint of the issuer is set.
    /// - [`InvalidUrl`](SetupErrorKind::InvalidUrl) if the URL of the metadata document is not `https` or has no path.
    pub fn new(issuer: Issuer, client: Client, grant: impl Grant) -> Result<Self, SetupError> {
        if issuer.named.is_none() && (client.has_secret() || grant.has_secret()) {
            let text = "a client or a grant with a secret needs an issuer that you name, not one that a challenge names: \
                        use `Issuer::new(…)`";
            return Err(SetupError::new(SetupErrorKind::IssuerRequired, text));
        }
        if let Kind::Document(url, _) = &client.0 {
            check_document_url(url)?;
        }
        if !matches!(client.0, Kind::Known(_)) {
            let problem = if !grant.needs_user() {
                Some("is for the login of a user: use `Client::public` or a client with a secret for this grant")
            } else if issuer.without_discovery().is_some() {
                Some("needs the metadata of the server: do not set `token_endpoint`")
            } else {
                None
            };
            if let Some(problem) = problem {
                let text = format!("a client that registers, or that has a metadata document, {problem}");
                return Err(SetupError::new(SetupErrorKind::ClientNotSupported, text));
            }
        }
        Ok(Self { issuer, client, grant: Box::new(grant), settings: Settings::default(), memory: Memory::default() })
    }

    /// Sets the scopes to ask for. If none are set, a user's login asks for the scopes of the challenge, or else for
    /// those that the API's metadata name. A grant without a user asks for no scopes, unless
    /// [`challenge_scopes`](Self::challenge_scopes) allows some.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.settings.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Lets a grant without a user ask for scopes that the API names in its challenge or in its metadata. By default it
    /// asks for none of them: the API would decide what the client's secret is used for. Scopes that are set by
    /// [`scopes`](Self::scopes) take precedence.
    ///
    /// A user's login needs no such permission, because the user sees the scopes.
    /// [`Session::step_up`](reqwest_challenge::Session::step_up) needs none either, because the caller asks for it.
    ///
    /// ```
    /// use reqwest_challenge_login::oauth::{ChallengeScopes, Client, ClientCredentials, Issuer, OAuth};
    ///
    /// let issuer = Issuer::new("https://auth.example.com")?;
    /// // The Model Context Protocol requires this of its clients.
    /// let service = OAuth::new(issuer, Client::secret_basic("service", "s3cret"), ClientCredentials)?
    ///     .challenge_scopes(ChallengeScopes::any());
    /// # Ok::<(), reqwest_challenge_login::oauth::SetupError>(())
    /// ```
    #[must_use]
    pub fn challenge_scopes(mut self, allowed: ChallengeScopes) -> Self {
        self.settings.challenge_scopes = allowed;
        self
    }

    /// Leaves the `resource` parameter (RFC 8707) out of every request, for servers that refuse it, such as Microsoft
    /// Entra. The resource is still compared with the API's metadata.
    #[must_use]
    pub fn without_resource(mut self) -> Self {
        self.settings.sends_resource = false;
        self
    }

    /// Sets the resource that the token is for (RFC 8707), exactly as the API writes it. If the API names the issuer, but
    /// its metadata name another resource, the grant fails.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.settings.resource = Some(resource.into());
        self
    }

    /// Adds a parameter, such as `audience`, to every request that leads to a token. It also appears in the URL that a
    /// browser opens, so it must not be a secret.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.parameters.push((name.into(), value.into()));
        self
    }

    /// Binds the tokens to this key (RFC 9449). A token that is not bound is refused.
    #[must_use]
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.settings.dpop = Some(dpop);
        self
    }

    /// Lets a 401 alone ask the user to log in. Off by default, so a login never starts unexpectedly: a service without a
    /// user would wait for one.
    #[must_use]
    pub fn prompting(mut self) -> Self {
        self.settings.prompts_on_401 = true;
        self
    }

    /// Sets what the user must do to log in, such as a command to run. It appears in the error. The default is `log in`.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.settings.hint = hint.into();
        self
    }

    /// Sets the HTTP client for all requests of this refresher, with its proxy and its certificates. The client does not
    /// check the address that a name resolves to. Metadata that redirect to another origin are refused.
    ///
    /// Build the client with `redirect(Policy::none())`. If the client has another policy, it sends a GET without a secret
    /// to a second server after a 303. It sends no secret there, and the response of the second server is refused.
    ///
    /// If no client is set, the middleware's client connects to hosts that the caller named. A separate client connects to
    /// other hosts; it uses no proxy and connects to no address of this machine or its network.
    #[must_use]
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.settings.clients.given = Some(client);
        self
    }

    /// Sets the resolver for the names of hosts that the caller did not name. The default is the resolver of the system.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.settings.clients.resolver = Some(Arc::new(resolver));
        self
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("issuer", &self.issuer)
            .field("client", &self.client)
            .field("grant_type", &self.grant.grant_type())
            .finish_non_exhaustive()
    }
}
