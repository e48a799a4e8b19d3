//! One refresh: whom it asks, what for, and how.

use reqwest_challenge::Clock;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::Request;
use url::Url;

use super::answer::{Answer, Kept};
use super::client::{Client, Identity, Kind, Proof};
use super::dialer::Dialer;
use super::form::Form;
use super::reply::Reply;
use super::server::Server;
use super::setup::Setup;
use reqwest_challenge::Secret;
use reqwest_challenge::{RefreshContext, RefreshError};

/// The name of the token endpoint in errors.
pub(super) const TOKEN_ENDPOINT: &str = "the token endpoint";

/// What a grant works with.
pub(super) struct GrantContext<'d> {
    pub(super) setup: &'d Setup,
    pub(super) client: &'d Client,
    pub(super) dialer: Dialer<'d>,
    /// What the refresher was told.
    pub(super) refresh: &'d RefreshContext,
    pub(super) server: Arc<Server>,
    /// Whether the caller named the issuer, or only a challenge did.
    pub(super) pinned: bool,
    pub(super) scopes: Vec<String>,
    pub(super) resource: Option<String>,
}

/// A token, and the client that it was given to.
pub(super) struct Granted {
    pub(super) answer: Answer,
    pub(super) identity: Identity,
}

impl GrantContext<'_> {
    /// The session's clock.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.refresh.clock()
    }

    /// Who asks: given, or by the URL of a document, or registered for that grant.
    pub(super) async fn identity(&self, grant: &str, redirect: Option<&str>) -> Result<Identity, RefreshError> {
        let registration = match &self.client.0 {
            Kind::Given(identity) => return Ok(identity.clone()),
            Kind::Document(url, _) if self.knows_document(redirect.is_some()) => {
                return Ok(Identity { id: url.clone(), proof: Proof::None });
            }
            Kind::Document(_, Some(registration)) | Kind::Registered(registration) => registration,
            Kind::Document(_, None) => {
                let line = format!("{} takes no client metadata document", self.server.issuer);
                return Err(RefreshError::denied("invalid_client").caused_by(line));
            }
        };
        registration.register(&self.dialer, &self.server, (grant, redirect)).await
    }

    /// Whether an answer to a redirect URI that others have too is told from theirs: by its issuer (RFC 9207), or because the caller
    /// chose whom to ask.
    pub(super) fn is_told_apart(&self) -> bool {
        self.pinned || self.server.names_itself
    }

    /// Whether the client is the one of its document, with the redirect URI that stands there.
    fn knows_document(&self, redirects: bool) -> bool {
        let alone = matches!(self.client.0, Kind::Document(_, None));
        self.server.takes_documents && (alone || !redirects || self.is_told_apart())
    }

    /// Whether the server gets to know the client when it logs in, its redirect URI too.
    pub(super) fn registers(&self) -> bool {
        match &self.client.0 {
            Kind::Given(_) | Kind::Document(_, None) => false,
            Kind::Document(_, Some(_)) => !self.knows_document(true),
            Kind::Registered(_) => true,
        }
    }

    /// The form for that grant, with the parameters of every token request: scopes, the resource (RFC 8707), the
    /// demanded claims and the caller's own parameters.
    pub(super) fn form(&self, grant_type: &'static str) -> Form {
        let mut form = Form::of_grant(grant_type);
        form.add_scopes(&self.scopes);
        self.describe(&mut form);
        form
    }

    pub(super) fn describe(&self, form: &mut Form) {
        if let Some(resource) = self.named_resource() {
            form.add("resource", resource);
        }
        for (name, value) in self.parameters() {
            form.add(name, value);
        }
    }

    /// The resource to send, unless the caller leaves it out.
    pub(super) fn named_resource(&self) -> Option<&str> {
        self.resource.as_deref().filter(|_| self.setup.names_resource)
    }

    /// Asks the token endpoint.
    pub(super) async fn token(&self, identity: &Identity, form: Form) -> Result<Answer, RefreshError> {
        let (reply, sent) = self.ask("token_endpoint", identity, form).await?;
        if reply.is_error() { Err(reply.refusal(TOKEN_ENDPOINT, &sent)) } else { Answer::read(&reply, &sent) }
    }

    /// Presents a refresh token to the token endpoint. Also returns the new refresh token: the server has replaced the old one
    /// even if the rest of the response is unusable.
    pub(super) async fn renewed(
        &self,
        identity: &Identity,
        form: Form,
    ) -> (Result<Answer, RefreshError>, Option<Secret>) {
        let (reply, sent) = match self.ask("token_endpoint", identity, form).await {
            Ok(answered) => answered,
            Err(error) => return (Err(error), None),
        };
        let replaced = if reply.is_error() { None } else { Answer::refresh_token_of(&reply) };
        if reply.is_error() || replaced.is_none() && reply.gives_nothing() {
            let refusal = reply.refusal_of_renewal(TOKEN_ENDPOINT, &sent, &self.setup.hint);
            return (Err(self.setup.judged(refusal)), None);
        }
        let answer = Answer::read(&reply, &sent);
        (answer.and_then(|answer| answer.check_type(self.setup.dpop.as_ref()).map(|()| answer)), replaced)
    }

    /// The attachment of a credential of this server.
    pub(super) fn kept(&self, identity: Identity, refresh_token: Option<Secret>) -> Kept {
        let registered = match &self.client.0 {
            Kind::Given(_) => false,
            Kind::Document(url, _) => *url != identity.id,
            Kind::Registered(_) => true,
        };
        let (issuer, resource) = (self.server.issuer.clone(), self.resource.clone());
        Kept { issuer, identity, registered, resource, refresh_token }
    }

    /// Posts a form with the client's proof; once more where the server wants its nonce in the key's proof (RFC 9449 §8).
    pub(super) async fn ask(
        &self,
        endpoint: &'static str,
        identity: &Identity,
        form: Form,
    ) -> Result<(Reply, Form), RefreshError> {
        let url = self.server.endpoint(&self.dialer, endpoint)?;
        let (reply, sent) = self.post(&url, identity, form.clone()).await?;
        if self.setup.dpop.is_some() && reply.wants_nonce() {
            return self.post(&url, identity, form).await;
        }
        Ok((reply, sent))
    }

    async fn post(&self, url: &Url, identity: &Identity, mut form: Form) -> Result<(Reply, Form), RefreshError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        identity.prove(&mut form, &mut headers, &self.server.issuer, self.refresh.now()).await?;
        if let Some(dpop) = &self.setup.dpop {
            let mut request = Request::new(http::Method::POST, url.clone());
            dpop.prove(&mut request, self.refresh.now()).await.map_err(RefreshError::from)?;
            headers.extend(std::mem::take(request.headers_mut()));
        }
        let reply = self.dialer.post(url, headers, form.encode()).await?;
        if let Some(dpop) = &self.setup.dpop {
            dpop.learn(&reply.url, &reply.headers);
        }
        Ok((reply, form))
    }
}
