//! What is asked for when, and of whom.

use crate::util::masker_of;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::answer::{Answer, Kept};
use super::builder::OAuth;
use super::client::{Identity, Kind};
use super::dialer::Dialer;
use super::grant::renew;
use super::grant_context::GrantContext;
use super::reply::printed;
use super::resource::Resource;
use super::server::Server;
use crate::oauth::resource;
use crate::util::unless;
use reqwest_challenge::Credential;
use reqwest_challenge::Origin;
use reqwest_challenge::support::url_without_secrets;
use reqwest_challenge::{Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason};

/// How long a renewal may take where no person is waited for.
const SILENT: Duration = Duration::from_secs(60);
/// How long reading the API's metadata may take if the grant does not need them.
const METADATA: Duration = Duration::from_secs(5);

/// What it comes to that an API's metadata are nowhere.
fn no_metadata(context: &RefreshContext) -> RefreshError {
    if context.reason() != RefreshReason::Challenged {
        // Not a no that is remembered: a 401 to come may say where they are.
        let line = "the API's well-known places name no authorization server; send it a request, for its challenge may";
        return RefreshError::other(line);
    }
    let line = match resource::named(context) {
        Some(place) => format!("there are no metadata of the API where its challenge says: {}", bare(&place)),
        None => "the API names no authorization server: neither its challenge nor the well-known places do".to_owned(),
    };
    RefreshError::denied("no_metadata").caused_by(line)
}

/// A URL that a server wrote, without the parts that may hold a secret, for a terminal.
fn bare(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => printed(url_without_secrets(&url).as_str()),
        Err(_) => printed(text.split(['?', '#']).next().unwrap_or_default()),
    }
}

impl OAuth {
    /// What sends the requests for a refresh.
    fn dialer(&self, context: &RefreshContext) -> Result<Dialer<'_>, RefreshError> {
        self.setup.seen.refreshes(context.origin());
        self.dialer_for(context.origin().clone(), context)
    }

    /// What sends the requests for that API.
    pub(super) fn dialer_for(&self, api: Origin, context: &RefreshContext) -> Result<Dialer<'_>, RefreshError> {
        let named = self.issuer.named.clone();
        let plain = match &self.setup.lines.given {
            Some(client) => client.clone(),
            None => context.http_client()?,
        };
        let (pinned, clock) = (self.issuer.pinned.is_some(), context.clock());
        Ok(Dialer { lines: &self.setup.lines, api, named, pinned, plain, clock })
    }

    /// The server of an issuer that the caller or another server names.
    pub(super) async fn server(
        &self,
        dialer: &Dialer<'_>,
        issuer: &str,
        by: Option<&Origin>,
    ) -> Result<Arc<Server>, RefreshError> {
        if let Some(server) = self.issuer.given().filter(|server| server.issuer == issuer) {
            return Ok(Arc::new(server.clone()));
        }
        // The issuer that the caller chose names its own URLs.
        let own = self.issuer.pinned.as_ref().and_then(|server| Url::parse(&server.issuer).ok());
        let own = own.as_ref().and_then(Origin::of);
        let by = own.as_ref().or(by).unwrap_or(&dialer.api);
        let found = self.servers.of(dialer, (issuer, by), dialer.clock.now()).await?;
        match &self.issuer.pinned {
            // What the caller says goes before what the server says.
            Some(own) if !own.endpoints.is_empty() => {
                let mut server = Server::clone(&found);
                server.endpoints.extend(own.endpoints.clone());
                server.given.clone_from(&own.given);
                Ok(Arc::new(server))
            }
            _ => Ok(found),
        }
    }

    /// A desk for whoever is asked for a first token.
    async fn grant_for<'d>(&'d self, context: &'d RefreshContext) -> Result<GrantContext<'d>, RefreshError> {
        let dialer = self.dialer(context)?;
        let (issuer, found) = match &self.issuer.pinned {
            Some(server) => (server.issuer.clone(), self.resource_at(&dialer, context, &server.issuer).await),
            None => {
                let found = self.resource_of(&dialer, context).await?;
                let issuer = found.servers.first().cloned();
                let none = || RefreshError::denied("no_metadata").caused_by("the API names no authorization server");
                (issuer.ok_or_else(none)?, Some(found))
            }
        };
        let server = self.server(&dialer, &issuer, found.as_ref().map(|found| &found.by)).await?;
        let supported = found.as_ref().map(|found| found.scopes.clone()).unwrap_or_default();
        let resource = self.setup.resource.clone().or(found.map(|found| found.id));
        let scopes = self.scopes_for(context, supported);
        Ok(GrantContext { scopes, resource, ..self.grant_at(dialer, server, context) })
    }

    /// A desk where nothing in particular is asked for.
    pub(super) fn grant_at<'d>(
        &'d self,
        dialer: Dialer<'d>,
        server: Arc<Server>,
        refresh: &'d RefreshContext,
    ) -> GrantContext<'d> {
        GrantContext {
            setup: &self.setup,
            client: &self.client,
            dialer,
            refresh,
            server,
            pinned: self.issuer.pinned.is_some(),
            scopes: Vec::new(),
            resource: None,
        }
    }

    /// The resource in the API's spelling, if its challenge names metadata, and the metadata name that issuer. If not,
    /// or if the metadata cannot be read, the grant goes on with the caller's issuer.
    async fn resource_at(&self, dialer: &Dialer<'_>, context: &RefreshContext, issuer: &str) -> Option<Resource> {
        let seen = self.setup.seen.metadata(context);
        let is_of_use = self.setup.names_resource || self.setup.scopes.is_empty();
        if self.setup.resource.is_some() || !is_of_use || (seen.is_none() && resource::named(context).is_none()) {
            return None;
        }
        let found = resource::discover(dialer, context, (None, seen));
        let late = context.clock().sleep(METADATA);
        let found = unless(pin!(late), pin!(found)).await.ok()?.ok()?;
        found.filter(|found| found.servers.iter().any(|server| server == issuer))
    }

    /// The resource that a login is for, and who gives tokens for it.
    async fn resource_of(&self, dialer: &Dialer<'_>, context: &RefreshContext) -> Result<Resource, RefreshError> {
        // Where nobody's request is at hand, it is about what the credential at hand was for.
        let kept = Kept::of_credential(context.credential()).filter(|_| context.url().is_none());
        let kept = kept.filter(|kept| self.may_go_to(kept));
        let known = kept.and_then(|kept| {
            let by = dialer.api.clone();
            Some(Resource { id: kept.resource?, servers: vec![kept.issuer], scopes: Vec::new(), by })
        });
        let wanted = self.setup.resource.clone().or(known.as_ref().map(|known| known.id.clone()));
        let seen = self.setup.seen.metadata(context);
        let found = resource::discover(dialer, context, (wanted.as_deref(), seen)).await?;
        // No challenge is at hand either, which may be the only one to say where its metadata are.
        found.or(known).ok_or_else(|| no_metadata(context))
    }

    /// What is missing, or the caller's choice, or the challenge's, or all that there are; and what had been granted already.
    fn scopes_for(&self, context: &RefreshContext, supported: Vec<String>) -> Vec<String> {
        let demanded = context.demand().scopes();
        if context.reason() == RefreshReason::StepUp && !demanded.is_empty() {
            return demanded.to_vec();
        }
        let mut scopes = self.plain_scopes(context, supported);
        // The missing scope that the server names is added to the caller's scopes.
        if context.demand().is_for_more() {
            let more: Vec<_> = demanded.iter().filter(|scope| !scopes.contains(scope)).cloned().collect();
            scopes.extend(self.allowed(context, more));
        }
        // A step-up is not for the life of one token alone.
        let of_this = matches!(context.reason(), RefreshReason::Challenged | RefreshReason::Expired)
            && !Self::is_of_another(context);
        if of_this && !scopes.is_empty() {
            let before = context.credential().and_then(Credential::scopes).unwrap_or_default();
            let more: Vec<_> = before.iter().filter(|scope| !scopes.contains(scope)).cloned().collect();
            scopes.extend(more);
        }
        scopes
    }

    fn plain_scopes(&self, context: &RefreshContext, supported: Vec<String>) -> Vec<String> {
        if !self.setup.scopes.is_empty() {
            return self.setup.scopes.clone();
        }
        let named = context.challenges().iter().filter_map(|challenge| challenge.param("scope")).next();
        let masker = masker_of(context.credential());
        let is_scope = |scope: &&str| !scope.is_empty() && !masker.has_certain(scope);
        let named = named.iter().flat_map(|scope| scope.split(' ')).filter(is_scope);
        let named: Vec<String> = named.map(str::to_owned).collect();
        self.allowed(context, if named.is_empty() { supported } else { named })
    }

    /// The scopes of the API that this grant asks for. A user sees the scopes. Without a user, the API would decide what the
    /// client's secret is used for.
    fn allowed(&self, context: &RefreshContext, mut scopes: Vec<String>) -> Vec<String> {
        let masker = masker_of(context.credential());
        let may_ask = |scope: &str| self.grant.0.needs_person() || self.setup.challenge_scopes.allows(scope);
        scopes.retain(|scope| may_ask(scope) && !masker.has_certain(scope));
        scopes
    }

    /// Whether the refused credential is for another resource than the one that refused it.
    fn is_of_another(context: &RefreshContext) -> bool {
        let kept = Kept::of_credential(context.credential());
        kept.and_then(|kept| kept.resource).is_some_and(|resource| resource::is_another(&resource, context))
    }

    /// What renews the credential that was refused, if there is something, and it may go to whom it came from.
    fn renewable(&self, context: &RefreshContext) -> Option<Kept> {
        // A person who asks for a login, or for more, wants another than the one that is there.
        let wants_login =
            matches!(context.reason(), RefreshReason::Login | RefreshReason::StepUp) && self.grant.0.gives_again();
        let kept = Kept::of_credential(context.credential())?;
        let demand = context.demand();
        // Claims go along with a refresh token (continuous access evaluation). Another authentication needs the user.
        let access = context.credential().and_then(Credential::token);
        let needs_person = !demand.acr_values().is_empty() || demand.max_age().is_some() || demand.is_for_more();
        let is_vain = needs_person || self.setup.rests.has_met(access.as_ref(), demand.claims());
        // A token for one resource is not valid for another (RFC 8707 §2), and a renewal would spend its refresh token.
        let is_own = self.setup.resource.is_some() || !Self::is_of_another(context);
        let renews = kept.refresh_token.is_some() && !wants_login && !is_vain && is_own;
        (renews && self.may_go_to(&kept)).then_some(kept)
    }

    /// A refresh token goes to the issuer that the caller names now, and for the client that is set up now.
    pub(super) fn may_go_to(&self, kept: &Kept) -> bool {
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
    pub(super) fn identity_of(&self, kept: &Kept) -> Identity {
        match &self.client.0 {
            Kind::Given(identity) => identity.clone(),
            _ => kept.identity.clone(),
        }
    }

    async fn renew(&self, context: &RefreshContext, kept: &Kept) -> Result<Credential, RefreshError> {
        let Some(token) = &kept.refresh_token else { return Err(RefreshError::login_required(&*self.setup.hint)) };
        let dialer = self.dialer(context)?;
        let server = self.server(&dialer, &kept.issuer, None).await?;
        let grant = GrantContext { resource: kept.resource.clone(), ..self.grant_at(dialer, server, context) };
        let identity = self.identity_of(kept);
        // No person is waited for here.
        let answer = tokio::time::timeout(SILENT, renew(&grant, &identity, token)).await.ok();
        let late = || RefreshError::new(RefreshErrorKind::TimedOut);
        let mut answer = answer.unwrap_or_else(|| Err(late())).map_err(|error| Self::of_renewal(error, kept))?;
        // What is not said is as before (RFC 6749 §5.1).
        let before = || context.credential().and_then(Credential::scopes).map(<[String]>::to_vec);
        answer.scopes = answer.scopes.or_else(before);
        self.credential(answer, &grant, identity)
    }

    /// What a failed renewal means for the login. If the server no longer knows the client, all tokens of the client
    /// are lost.
    fn of_renewal(error: RefreshError, kept: &Kept) -> RefreshError {
        match error.kind() {
            RefreshErrorKind::Denied { code, .. }
                if kept.registered && matches!(code.as_str(), "invalid_client" | "unauthorized_client") =>
            {
                RefreshError::credential_revoked(code.clone()).caused_by(error)
            }
            _ => error,
        }
    }

    async fn obtain(&self, context: &RefreshContext) -> Result<Credential, RefreshError> {
        let asked = self.setup.prompts || matches!(context.reason(), RefreshReason::Login | RefreshReason::StepUp);
        if self.grant.0.needs_person() && !(asked && self.grant.0.reaches_person()) {
            return Err(RefreshError::login_required(&*self.setup.hint));
        }
        if self.grant.0.needs_person()
            && let Some(credential) = context.before_prompt().await?
        {
            return Ok(credential);
        }
        let grant = self.grant_for(context).await?;
        let granted = self.grant.0.obtain(&grant).await.map_err(|error| self.setup.judged(error));
        // What a login comes to says nothing of the credential that is held.
        let mut granted = if self.grant.0.needs_person() { granted.map_err(RefreshError::of_login)? } else { granted? };
        // What is not said is what was asked for (RFC 6749 §5.1).
        if !grant.scopes.is_empty() {
            granted.answer.scopes.get_or_insert_with(|| grant.scopes.clone());
        }
        self.credential(granted.answer, &grant, granted.identity)
    }

    fn credential(
        &self,
        mut answer: Answer,
        grant: &GrantContext<'_>,
        identity: Identity,
    ) -> Result<Credential, RefreshError> {
        let kept = grant.kept(identity, answer.refresh_token.take());
        let credential = answer.into_credential(self.setup.dpop.as_ref(), grant.refresh.now())?;
        Ok(credential.with_source(format!("issuer:{}", kept.issuer)).with_attachment(kept.to_secret()))
    }
}

#[async_trait]
impl Refresh for OAuth {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        self.setup.seen.hear(&context);
        let context = if self.grant.0.needs_person() { self.setup.seen.recall(context) } else { context };
        if let Some(kept) = self.renewable(&context) {
            match self.renew(&context, &kept).await {
                // The login is finished, or wants a person. Whoever may ask anew does.
                Err(error)
                    if matches!(
                        error.kind(),
                        RefreshErrorKind::CredentialRevoked { .. } | RefreshErrorKind::LoginRequired { .. }
                    ) =>
                {
                    let may_ask = self.setup.prompts && self.grant.0.reaches_person();
                    if !((may_ask || !self.grant.0.needs_person()) && self.grant.0.gives_again()) {
                        return Err(error);
                    }
                }
                other => return other.map(Some),
            }
        }
        let credential = self.obtain(&context).await?;
        self.setup.seen.met();
        Ok(Some(credential))
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        self.take_back(&context).await
    }

    fn timeout(&self) -> Duration {
        self.grant.0.timeout()
    }
}
