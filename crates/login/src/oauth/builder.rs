//! How tokens are set up: of whom, for whom, by what.

use std::fmt;
use std::sync::Arc;

use reqwest::dns::Resolve;

use super::client::{Client, Kind};
use super::dialer::Lines;
use super::issuer::{Issuer, SetupError, client_id};
use super::rests::Rests;
use super::rotations::Rotations;
use super::scopes::ChallengeScopes;
use super::seen::Seen;
use super::server::Servers;
use super::setup::Setup;
use crate::oauth::grant::Grant;
use reqwest_challenge::dpop::Dpop;

/// Tokens of an OAuth 2 authorization server: a [`Refresh`](crate::Refresh).
///
/// It asks for no token before the API has refused something. It renews a token with its refresh token. If there is none, or if it is no
/// longer valid, it runs the grant again. A grant that needs the user runs only if the caller calls
/// [`Session::login`](crate::Session::login) or [`step_up`](crate::Session::step_up). A 401 alone is
/// [`LoginRequired`](crate::RefreshErrorKind::LoginRequired), unless [`prompting`](Self::prompting) is set.
///
/// Do not use it with [`partitioned_by`](crate::Builder::partition_by): the partitions would share one refresh token.
pub struct OAuth {
    pub(super) issuer: Issuer,
    pub(super) client: Client,
    pub(super) grant: Grant,
    pub(super) setup: Setup,
    pub(super) servers: Servers,
}

impl OAuth {
    /// Tokens of that issuer, for that client, by that grant.
    ///
    /// # Errors
    /// [`SetupError`]: a client's secret, an assertion or a refresh token, for an issuer that only a challenge names; a client that
    /// registers or is known by a document, for a grant that needs no person or an issuer whose token endpoint is given; a document
    /// whose URL is not by `https`, or has no path.
    pub fn new(issuer: Issuer, client: Client, grant: impl Into<Grant>) -> Result<Self, SetupError> {
        let grant = grant.into();
        if issuer.pinned.is_none() && (client.has_secret() || grant.0.has_secret()) {
            let line = "what proves itself without a person goes to an issuer that is named by you, not by a challenge: say `Issuer::new(…)`";
            return Err(SetupError(line.to_owned()));
        }
        if let Kind::Document(url, _) = &client.0 {
            client_id(url)?;
        }
        if !matches!(client.0, Kind::Given(_)) {
            // Nobody registers by night, and what is given is asked of nobody.
            let why = if !grant.0.needs_person() {
                Some("a client that registers, or is known by a document, is for a person's login")
            } else if issuer.given().is_some() {
                Some(
                    "a client that registers, or is known by a document, wants the server's metadata: leave `token_endpoint` out",
                )
            } else {
                None
            };
            if let Some(why) = why {
                return Err(SetupError(why.to_owned()));
            }
        }
        let setup = Setup {
            scopes: Vec::new(),
            challenge_scopes: ChallengeScopes::none(),
            resource: None,
            names_resource: true,
            extra: Vec::new(),
            dpop: None,
            lines: Lines::default(),
            prompts: false,
            hint: "log in".to_owned(),
            rotations: Rotations::default(),
            rests: Rests::default(),
            seen: Seen::default(),
        };
        Ok(Self { issuer, client, grant, setup, servers: Servers::default() })
    }

    /// Sets the scopes to ask for. If none are set, a user's login asks for the scopes of the challenge, or else for
    /// those that the API's metadata name. A grant without a user asks for no scopes, unless
    /// [`challenge_scopes`](Self::challenge_scopes) allows some.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.setup.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Lets a grant without a user ask for scopes that the API names in its challenge or in its metadata. By default it
    /// asks for none of them: the API would decide what the client's secret is used for. Scopes that are set by
    /// [`scopes`](Self::scopes) take precedence.
    ///
    /// A user's login needs no such permission, because the user sees the scopes.
    /// [`Session::step_up`](crate::Session::step_up) needs none either, because the caller asks for it.
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
        self.setup.challenge_scopes = allowed;
        self
    }

    /// Leaves the `resource` parameter (RFC 8707) out of every request, for servers that refuse it, such as Microsoft
    /// Entra. The resource is still compared with the API's metadata.
    #[must_use]
    pub fn without_resource(mut self) -> Self {
        self.setup.names_resource = false;
        self
    }

    /// Sets the resource that the token is for (RFC 8707), in the API's own spelling. If the API names the issuer, but
    /// its metadata name another resource, the grant fails.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.setup.resource = Some(resource.into());
        self
    }

    /// With one more parameter, such as `audience`, at every endpoint that grants. It stands in the URL that a browser opens, too, and
    /// is no place for a secret.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.setup.extra.push((name.into(), value.into()));
        self
    }

    /// With tokens that are bound to that key (RFC 9449); others are refused.
    #[must_use]
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.setup.dpop = Some(dpop);
        self
    }

    /// Asks a person also where nobody asked for a login: a 401 is enough. Off by default: a program that runs by night would wait.
    #[must_use]
    pub fn prompting(mut self) -> Self {
        self.setup.prompts = true;
        self
    }

    /// What a person does who must log in, such as a command to run: `log in` unless it is told otherwise.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.setup.hint = hint.into();
        self
    }

    /// Sets the client for all requests of this refresher, with its proxy and its certificates. The client connects to
    /// whatever address a name resolves to. Metadata that redirect to another origin are refused. Build the client with
    /// `redirect(Policy::none())`: with another policy, too, no secret goes to a second server and no response from there is
    /// accepted, but after a 303 the client sends a GET there.
    ///
    /// If no client is set, the middleware's client connects to hosts that the caller named. A separate client connects to
    /// other hosts; it uses no proxy and connects to no address of this machine or its network.
    #[must_use]
    pub fn http(mut self, client: reqwest::Client) -> Self {
        self.setup.lines.given = Some(client);
        self
    }

    /// How the names of hosts are resolved that the caller did not name. Not given, by the system.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.setup.lines.resolver = Some(Arc::new(resolver));
        self
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("issuer", &self.issuer)
            .field("client", &self.client)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}
