//! What is asked for when, and of whom.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use reqwest::dns::Resolve;

use super::answer::{Answer, Kept};
use super::client::{Client, Identity, Kind};
use super::desk::Desk;
use super::dialer::{Dialer, Lines};
use super::form::Form;
use super::grant::{Grant, renew};
use super::issuer::{Issuer, SetupError};
use super::resource;
use super::server::{Server, Servers};
use super::setup::Setup;
use crate::credential::Credential;
use crate::dpop::Dpop;
use crate::origin::Origin;
use crate::refresh::{Cause, Clock, Refresh, RefreshError, RefreshErrorKind, Rejection, bare_client};

/// Tokens of an OAuth 2 authorization server: a [`Refresh`].
///
/// Nothing is asked before an API has refused something. A token is renewed by its refresh token, where it has one; else, and where
/// that is finished, the grant asks anew. A grant that needs a person asks only where somebody asked for it, by
/// [`Session::login`](crate::Session::login) or [`step_up`](crate::Session::step_up): a 401 alone is
/// [`LoginRequired`](RefreshErrorKind::LoginRequired), unless [`prompting`](Self::prompting) is said.
pub struct OAuth {
    issuer: Issuer,
    client: Client,
    grant: Grant,
    setup: Setup,
    servers: Servers,
}

impl OAuth {
    /// Tokens of that issuer, for that client, by that grant.
    ///
    /// # Errors
    /// [`SetupError`]: a client's secret, an assertion or a refresh token, for an issuer that only a challenge names.
    pub fn new(issuer: Issuer, client: Client, grant: impl Into<Grant>) -> Result<Self, SetupError> {
        let grant = grant.into();
        if issuer.pinned.is_none() && (client.has_secret() || grant.0.has_secret()) {
            let line = "a secret goes to an issuer that is named by you, not by a challenge: say `Issuer::new(…)`";
            return Err(SetupError(line.to_owned()));
        }
        let setup = Setup {
            scopes: Vec::new(),
            resource: None,
            extra: Vec::new(),
            dpop: None,
            clock: Arc::new(SystemTime::now),
            lines: Lines::default(),
            prompts: false,
            hint: "log in".to_owned(),
        };
        Ok(Self { issuer, client, grant, setup, servers: Servers::default() })
    }

    /// Asks for these scopes. Not said, those of the challenge are asked for, or else those that the API says it has.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.setup.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// For that resource (RFC 8707), as it writes itself. Metadata of another are an error.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.setup.resource = Some(resource.into());
        self
    }

    /// With one more parameter, such as `audience`, at every endpoint that grants.
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

    /// By that clock, which says when a token expires.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.setup.clock = Arc::new(clock);
        self
    }

    /// The client for all that is asked here, with its proxy and its certificates; it should follow no redirects. It dials what a
    /// name leads to, wherever that is. Not given, the middleware's is used for hosts that the caller named, and for others one of
    /// its own, which goes by no proxy and connects to no address inside.
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

    fn dialer(&self, api: Origin, plain: reqwest::Client) -> Dialer<'_> {
        let named = self.issuer.named.clone();
        let plain = self.setup.lines.given.clone().unwrap_or(plain);
        Dialer { lines: &self.setup.lines, api, named, plain }
    }

    async fn server(&self, dialer: &Dialer<'_>, issuer: &str) -> Result<Arc<Server>, RefreshError> {
        match self.issuer.given() {
            Some(server) if server.issuer == issuer => Ok(Arc::new(server.clone())),
            _ => self.servers.of(dialer, issuer, self.setup.clock.now()).await,
        }
    }

    /// A desk for whoever is asked for a first token.
    async fn desk<'d>(&'d self, rejection: &'d Rejection) -> Result<Desk<'d>, RefreshError> {
        let dialer = self.dialer(rejection.origin().clone(), rejection.http()?);
        // Where nobody's request is at hand, it is about what the credential at hand was for.
        let kept = Kept::of_credential(rejection.credential()).filter(|_| rejection.url().is_none());
        let wanted = self.setup.resource.clone().or(kept.and_then(|kept| kept.resource));
        let (issuer, found) = match &self.issuer.pinned {
            Some(server) => (server.issuer.clone(), None),
            None => {
                let found = resource::discover(&dialer, rejection, wanted.as_deref()).await?;
                let issuer = found.servers.first().cloned();
                let none = || RefreshError::refused("no_metadata").caused_by("the API names no authorization server");
                (issuer.ok_or_else(none)?, Some(found))
            }
        };
        let server = self.server(&dialer, &issuer).await?;
        let supported = found.as_ref().map(|found| found.scopes.clone()).unwrap_or_default();
        let resource = self.setup.resource.clone().or(found.map(|found| found.id));
        let scopes = self.scopes_for(rejection, supported);
        let pinned = self.issuer.pinned.is_some();
        let rejection = Some(rejection);
        Ok(Desk { setup: &self.setup, client: &self.client, dialer, rejection, server, pinned, scopes, resource })
    }

    /// What is missing, or the caller's choice, or the challenge's, or all that there are.
    fn scopes_for(&self, rejection: &Rejection, supported: Vec<String>) -> Vec<String> {
        let demanded = rejection.demand().scopes();
        if !demanded.is_empty() {
            return demanded.to_vec();
        }
        if !self.setup.scopes.is_empty() {
            return self.setup.scopes.clone();
        }
        let named = rejection.challenges().iter().filter_map(|challenge| challenge.param("scope")).next();
        let named: Vec<String> = named
            .iter()
            .flat_map(|scope| scope.split(' '))
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect();
        if named.is_empty() { supported } else { named }
    }

    /// What renews the credential that was refused, if there is something, and it may go to whom it came from.
    fn renewable(&self, rejection: &Rejection) -> Option<Kept> {
        // A person who asks for a login, or for more, wants another than the one that is there.
        let wants_login = matches!(rejection.cause(), Cause::Asked | Cause::SteppingUp) && self.grant.0.gives_again();
        let kept = Kept::of_credential(rejection.credential())?;
        let renews = kept.refresh_token.is_some() && !wants_login && rejection.demand().is_plain();
        (renews && self.may_go_to(&kept)).then_some(kept)
    }

    /// A refresh token goes to the issuer that the caller names now, and for the client that is set up now.
    fn may_go_to(&self, kept: &Kept) -> bool {
        let is_issuer = self.issuer.pinned.as_ref().is_none_or(|server| server.issuer == kept.issuer);
        let is_client = match &self.client.0 {
            Kind::Given(identity) => identity.id == kept.identity.id,
            Kind::Document(url, _) => *url == kept.identity.id || kept.registered,
            Kind::Registered(_) => kept.registered,
        };
        let is_resource = self.setup.resource.is_none() || self.setup.resource == kept.resource;
        is_issuer && is_client && is_resource
    }

    /// Who asks: with the secret that the caller gave, or the one that came with a registration.
    fn identity_of(&self, kept: &Kept) -> Identity {
        match &self.client.0 {
            Kind::Given(identity) => identity.clone(),
            _ => kept.identity.clone(),
        }
    }

    async fn renew(&self, rejection: &Rejection, kept: &Kept) -> Result<Credential, RefreshError> {
        let Some(token) = &kept.refresh_token else { return Err(RefreshError::login_required(&*self.setup.hint)) };
        let dialer = self.dialer(rejection.origin().clone(), rejection.http()?);
        let desk = Desk {
            setup: &self.setup,
            client: &self.client,
            server: self.server(&dialer, &kept.issuer).await?,
            dialer,
            rejection: Some(rejection),
            pinned: self.issuer.pinned.is_some(),
            scopes: Vec::new(),
            resource: kept.resource.clone(),
        };
        let identity = self.identity_of(kept);
        let mut answer = renew(&desk, &identity, token).await?;
        // What is not said is as before (RFC 6749 §5.1).
        let before = || rejection.credential().and_then(Credential::granted_scopes).map(<[String]>::to_vec);
        answer.scopes = answer.scopes.or_else(before);
        self.credential(answer, &desk, identity)
    }

    async fn obtain(&self, rejection: &Rejection) -> Result<Credential, RefreshError> {
        let asked = self.setup.prompts || matches!(rejection.cause(), Cause::Asked | Cause::SteppingUp);
        if self.grant.0.needs_person() && !(asked && self.grant.0.reaches_person()) {
            return Err(RefreshError::login_required(&*self.setup.hint));
        }
        let desk = self.desk(rejection).await?;
        let mut granted = self.grant.0.obtain(&desk).await?;
        // What is not said is what was asked for (RFC 6749 §5.1).
        if !desk.scopes.is_empty() {
            granted.answer.scopes.get_or_insert_with(|| desk.scopes.clone());
        }
        self.credential(granted.answer, &desk, granted.identity)
    }

    fn credential(&self, mut answer: Answer, desk: &Desk<'_>, identity: Identity) -> Result<Credential, RefreshError> {
        let registered = match &self.client.0 {
            Kind::Given(_) => false,
            Kind::Document(url, _) => *url != identity.id,
            Kind::Registered(_) => true,
        };
        let kept = Kept {
            issuer: desk.server.issuer.clone(),
            identity,
            registered,
            resource: desk.resource.clone(),
            refresh_token: answer.refresh_token.take(),
        };
        let credential = answer.into_credential(self.setup.dpop.as_ref(), self.setup.clock.now())?;
        Ok(credential.attach(kept.to_secret()))
    }

    /// Takes a token back (RFC 7009), where the server has a place for that.
    async fn revoke(&self, kept: &Kept) -> Result<(), RefreshError> {
        let Some(token) = kept.refresh_token.clone().filter(|_| self.may_go_to(kept)) else { return Ok(()) };
        let issuer = url::Url::parse(&kept.issuer).ok().and_then(|url| Origin::of(&url));
        let Some(issuer) = issuer else { return Ok(()) };
        let dialer = self.dialer(issuer, bare_client()?);
        let server = self.server(&dialer, &kept.issuer).await?;
        if !server.endpoints.contains_key("revocation_endpoint") {
            return Ok(());
        }
        let desk = Desk {
            setup: &self.setup,
            client: &self.client,
            server,
            dialer,
            rejection: None,
            pinned: self.issuer.pinned.is_some(),
            scopes: Vec::new(),
            resource: None,
        };
        let mut form = Form::default();
        form.add("token", token);
        form.add("token_type_hint", "refresh_token");
        let (reply, sent) = desk.ask("revocation_endpoint", &self.identity_of(kept), form).await?;
        if reply.status.is_success() { Ok(()) } else { Err(reply.refusal("the revocation endpoint", &sent)) }
    }
}

#[async_trait]
impl Refresh for OAuth {
    async fn refresh(&self, rejection: Rejection) -> Result<Option<Credential>, RefreshError> {
        if let Some(kept) = self.renewable(&rejection) {
            match self.renew(&rejection, &kept).await {
                // The login is finished. Whoever may ask anew does.
                Err(error) if matches!(error.kind(), RefreshErrorKind::Rejected { .. }) => {
                    let asks_nobody = !self.grant.0.needs_person() || self.setup.prompts;
                    if !(asks_nobody && self.grant.0.gives_again()) {
                        return Err(error);
                    }
                }
                other => return other.map(Some),
            }
        }
        self.obtain(&rejection).await.map(Some)
    }

    async fn forget(&self, credential: Option<Credential>) -> Result<(), RefreshError> {
        match Kept::of_credential(credential.as_ref()) {
            Some(kept) => self.revoke(&kept).await,
            None => Ok(()),
        }
    }

    fn timeout(&self) -> Duration {
        self.grant.0.timeout()
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
