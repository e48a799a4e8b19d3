//! Prepares a grant: finds the authorization server and the resource, and chooses the scopes.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::grant::GrantContext;
use super::http::{Sender, one_line};
use super::oauth::OAuth;
use super::server::{ResourceMetadata, ServerMetadata, WantedResource, is_about_another, metadata_url};
use super::token::Attachment;
use crate::util::{masker_of, unless};
use reqwest_challenge::support::url_without_secrets;
use reqwest_challenge::{Credential, Origin, RefreshContext, RefreshError, RefreshReason};

/// How long reading the API's metadata may take if the grant can do without them.
const MAX_OPTIONAL_METADATA: Duration = Duration::from_secs(5);

impl OAuth {
    /// Makes the context that the grant gets in a refresh with this context. Used to test a [`Grant`](super::Grant).
    ///
    /// It finds the server and the resource, and chooses the scopes, as a refresh does. If the issuer is named with its
    /// [`token_endpoint`](super::Issuer::token_endpoint) and the context has no challenge, it sends no request.
    ///
    /// # Errors
    /// - [`Denied`](reqwest_challenge::RefreshErrorKind::Denied) if the API names no authorization server, or if the metadata
    ///   are those of another issuer or name a URL that must not be used.
    /// - [`Transient`](reqwest_challenge::RefreshErrorKind::Transient) if metadata cannot be read.
    /// - [`Other`](reqwest_challenge::RefreshErrorKind::Other) if the HTTP client cannot be built, or if the challenge of the
    ///   API is not known.
    pub async fn grant_context<'r>(&'r self, context: &'r RefreshContext) -> Result<GrantContext<'r>, RefreshError> {
        let sender = self.sender(context)?;
        let (issuer, metadata) = match &self.issuer.named {
            Some(server) => (server.issuer.clone(), self.optional_resource(&sender, context, &server.issuer).await),
            None => {
                let found = self.required_resource(&sender, context).await?;
                let issuer = found.authorization_servers.first().cloned();
                let no_issuer =
                    || RefreshError::denied("no_metadata").caused_by("the API names no authorization server");
                (issuer.ok_or_else(no_issuer)?, Some(found))
            }
        };
        let server = self.server(&sender, &issuer, metadata.as_ref().map(|found| &found.published_by)).await?;
        let (resource, supported) = metadata.map_or((None, Vec::new()), |found| (Some(found.resource), found.scopes));
        let resource = self.settings.resource.clone().or(resource);
        let scopes = self.scopes_for(context, supported);
        Ok(GrantContext { scopes, resource, ..self.plain_context(sender, server, context) })
    }

    /// The context of a request at this server, without scopes and without a resource.
    pub(super) fn plain_context<'r>(
        &'r self,
        sender: Sender<'r>,
        server: Arc<ServerMetadata>,
        refresh_context: &'r RefreshContext,
    ) -> GrantContext<'r> {
        GrantContext {
            settings: &self.settings,
            memory: &self.memory,
            client: &self.client,
            sender,
            refresh_context,
            server,
            scopes: Vec::new(),
            resource: None,
        }
    }

    /// The sender of the requests of one refresh.
    pub(super) fn sender(&self, context: &RefreshContext) -> Result<Sender<'_>, RefreshError> {
        self.memory.last_challenge.set_api(context.origin());
        self.sender_for(context.origin().clone(), context)
    }

    /// The sender of requests on behalf of this API.
    pub(super) fn sender_for(&self, api: Origin, context: &RefreshContext) -> Result<Sender<'_>, RefreshError> {
        let client = match &self.settings.clients.given {
            Some(client) => client.clone(),
            None => context.http_client()?,
        };
        Ok(Sender {
            clients: &self.settings.clients,
            api,
            trusted: self.issuer.trusted.clone(),
            is_issuer_named: self.issuer.named.is_some(),
            client,
            clock: context.clock(),
        })
    }

    /// The metadata of this issuer. `named_by` is the server that names the issuer, if it is not the caller.
    pub(super) async fn server(
        &self,
        sender: &Sender<'_>,
        issuer: &str,
        named_by: Option<&Origin>,
    ) -> Result<Arc<ServerMetadata>, RefreshError> {
        if let Some(server) = self.issuer.without_discovery().filter(|server| server.issuer == issuer) {
            return Ok(Arc::new(server.clone()));
        }
        // If the caller named the issuer, the issuer itself counts as the server that names it.
        let own = self.issuer.named.as_ref().and_then(|server| Url::parse(&server.issuer).ok());
        let own = own.as_ref().and_then(Origin::of);
        let named_by = own.as_ref().or(named_by).unwrap_or(&sender.api);
        let found = self.issuer.cache.get(sender, issuer, named_by).await?;
        Ok(match &self.issuer.named {
            Some(given) if given.has_endpoints_of_caller() => {
                Arc::new(ServerMetadata::clone(&found).with_endpoints_of(given))
            }
            _ => found,
        })
    }

    /// The resource as the API writes it, if its challenge names metadata, and the metadata name that issuer. Otherwise, or
    /// if the metadata cannot be read, the grant goes on without them.
    async fn optional_resource(
        &self,
        sender: &Sender<'_>,
        context: &RefreshContext,
        issuer: &str,
    ) -> Option<ResourceMetadata> {
        let known_url = self.memory.last_challenge.metadata_url(context);
        let is_useful = self.settings.sends_resource || self.settings.scopes.is_empty();
        let is_named = known_url.is_some() || metadata_url(context).is_some();
        if self.settings.resource.is_some() || !is_useful || !is_named {
            return None;
        }
        let wanted = WantedResource { resource: None, metadata_url: known_url };
        let find = ResourceMetadata::find(sender, context, wanted);
        let timeout = context.clock().sleep(MAX_OPTIONAL_METADATA);
        let found = unless(pin!(timeout), pin!(find)).await.ok()?.ok()?;
        found.filter(|found| found.authorization_servers.iter().any(|server| server == issuer))
    }

    /// The resource that the token is for, and the authorization servers that issue tokens for it.
    async fn required_resource(
        &self,
        sender: &Sender<'_>,
        context: &RefreshContext,
    ) -> Result<ResourceMetadata, RefreshError> {
        // Without a request, the token is for the resource of the current credential.
        let attachment = Attachment::of(context.credential()).filter(|_| context.url().is_none());
        let known = attachment.filter(|attachment| self.accepts(attachment)).and_then(|attachment| {
            Some(ResourceMetadata {
                resource: attachment.resource?,
                authorization_servers: vec![attachment.issuer],
                scopes: Vec::new(),
                published_by: sender.api.clone(),
            })
        });
        let resource = self.settings.resource.clone().or_else(|| known.as_ref().map(|known| known.resource.clone()));
        let metadata_url = self.memory.last_challenge.metadata_url(context);
        let wanted = WantedResource { resource: resource.as_deref(), metadata_url };
        let found = ResourceMetadata::find(sender, context, wanted).await?;
        found.or(known).ok_or_else(|| no_metadata(context))
    }

    /// The scopes to ask for: for a step-up the missing ones; otherwise the caller's, the challenge's or the API's, and those
    /// that were granted before.
    fn scopes_for(&self, context: &RefreshContext, supported: Vec<String>) -> Vec<String> {
        let demanded = context.demand().scopes();
        if context.reason() == RefreshReason::StepUp && !demanded.is_empty() {
            return demanded.to_vec();
        }
        let mut scopes = self.basic_scopes(context, supported);
        // The missing scope that the server names is added to the caller's scopes.
        if context.demand().is_for_more() {
            let missing = demanded.iter().filter(|scope| !scopes.contains(scope)).cloned().collect();
            scopes.extend(self.allowed_scopes(context, missing));
        }
        // A renewal keeps the scopes of an earlier step-up.
        let replaces_token = matches!(context.reason(), RefreshReason::Challenged | RefreshReason::Expired)
            && !is_for_another_resource(context);
        if replaces_token && !scopes.is_empty() {
            let granted = context.credential().and_then(Credential::scopes).unwrap_or_default();
            let more: Vec<_> = granted.iter().filter(|scope| !scopes.contains(scope)).cloned().collect();
            scopes.extend(more);
        }
        scopes
    }

    /// The caller's scopes, or those of the challenge, or those that the API supports.
    fn basic_scopes(&self, context: &RefreshContext, supported: Vec<String>) -> Vec<String> {
        if !self.settings.scopes.is_empty() {
            return self.settings.scopes.clone();
        }
        let named = context.challenges().iter().filter_map(|challenge| challenge.param("scope")).next();
        let masker = masker_of(context.credential());
        let is_scope = |scope: &&str| !scope.is_empty() && !masker.has_certain(scope);
        let named = named.iter().flat_map(|scope| scope.split(' ')).filter(is_scope);
        let named: Vec<String> = named.map(str::to_owned).collect();
        self.allowed_scopes(context, if named.is_empty() { supported } else { named })
    }

    /// The scopes of the API that this grant asks for. A user sees the scopes. Without a user, the API would decide what the
    /// client's secret is used for.
    fn allowed_scopes(&self, context: &RefreshContext, mut scopes: Vec<String>) -> Vec<String> {
        let masker = masker_of(context.credential());
        let is_allowed = |scope: &str| self.grant.needs_user() || self.settings.challenge_scopes.allows(scope);
        scopes.retain(|scope| is_allowed(scope) && !masker.has_certain(scope));
        scopes
    }
}

/// Whether the refused credential is for another resource than the one that refused it.
pub(super) fn is_for_another_resource(context: &RefreshContext) -> bool {
    let attachment = Attachment::of(context.credential());
    let resource = attachment.and_then(|attachment| attachment.resource);
    resource.is_some_and(|resource| is_about_another(&resource, context))
}

/// The error if the API has no metadata.
fn no_metadata(context: &RefreshContext) -> RefreshError {
    if context.reason() != RefreshReason::Challenged {
        // Not a final refusal, because the next 401 may name the metadata.
        let line = "the API's well-known URLs name no authorization server; send a request to the API, because its challenge may name one";
        return RefreshError::other(line);
    }
    let line = match metadata_url(context) {
        Some(url) => {
            format!("there are no metadata of the API at the URL in its challenge: {}", shown_url(&url))
        }
        None => "neither the API's challenge nor its well-known URLs name an authorization server".to_owned(),
    };
    RefreshError::denied("no_metadata").caused_by(line)
}

/// A URL that a server wrote, without the parts that may hold a secret, for a terminal.
fn shown_url(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => one_line(url_without_secrets(&url).as_str()),
        Err(_) => one_line(text.split(['?', '#']).next().unwrap_or_default()),
    }
}
