//! What a grant works with: the server, the client, and what the token is for.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::Request;
use url::Url;

use crate::oauth::client::{Client, Identity, Kind, Proof};
use crate::oauth::http::{Form, Sender, ServerResponse};
use crate::oauth::server::ServerMetadata;
use crate::oauth::settings::{Memory, Settings};
use crate::oauth::token::{Attachment, TokenResponse};
use reqwest_challenge::{RefreshContext, RefreshError, Secret};

/// The name of the token endpoint in errors.
const TOKEN_ENDPOINT: &str = "the token endpoint";

/// What a [`Grant`](super::Grant) works with: the authorization server, and what the token is for. A test makes one by
/// [`OAuth::grant_context`](super::super::OAuth::grant_context).
pub struct GrantContext<'r> {
    pub(in crate::oauth) settings: &'r Settings,
    pub(in crate::oauth) memory: &'r Memory,
    pub(in crate::oauth) client: &'r Client,
    pub(in crate::oauth) sender: Sender<'r>,
    pub(in crate::oauth) refresh_context: &'r RefreshContext,
    pub(in crate::oauth) server: Arc<ServerMetadata>,
    pub(in crate::oauth) scopes: Vec<String>,
    pub(in crate::oauth) resource: Option<String>,
}

/// The outcome of presenting a refresh token.
pub(in crate::oauth) struct Renewal {
    pub(in crate::oauth) response: Result<TokenResponse, RefreshError>,
    /// The new refresh token. The server has replaced the old one even if the rest of the response is unusable.
    pub(in crate::oauth) new_token: Option<Secret>,
}

impl GrantContext<'_> {
    /// The identifier of the authorization server, as the server writes it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.server.issuer
    }

    /// The scopes to ask for. [`token_request`](Self::token_request) adds them.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The resource that the token is for (RFC 8707), if it is known. [`token_request`](Self::token_request) adds it.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// Why the refresher is called, and for which request.
    #[must_use]
    pub fn refresh_context(&self) -> &RefreshContext {
        self.refresh_context
    }

    /// The time of the session's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.refresh_context.now()
    }

    /// The time of the server, for an assertion or a proof that the server checks. It differs from [`now`](Self::now)
    /// if the session knows that the two clocks differ.
    #[must_use]
    pub fn server_now(&self) -> SystemTime {
        self.refresh_context.server_now()
    }

    /// The client that requests the token: the one that the caller gave, the one of its metadata document, or a new
    /// registration for this grant.
    pub(in crate::oauth) async fn identity(
        &self,
        grant_type: &str,
        redirect_uri: Option<&str>,
    ) -> Result<Identity, RefreshError> {
        let registration = match &self.client.0 {
            Kind::Known(identity) => return Ok(identity.clone()),
            Kind::Document(url, _) if self.uses_document(redirect_uri.is_some()) => {
                return Ok(Identity { id: url.clone(), proof: Proof::None });
            }
            Kind::Document(_, Some(registration)) | Kind::Registered(registration) => registration,
            Kind::Document(_, None) => {
                let line = format!("{} accepts no client metadata document", self.server.issuer);
                return Err(RefreshError::denied("invalid_client").caused_by(line));
            }
        };
        registration.register(&self.sender, &self.server, grant_type, redirect_uri).await
    }

    /// Whether the client can tell which server sent an authorization response, although other servers know the same
    /// redirect URI: the server names itself in the response (RFC 9207), or the caller named the issuer.
    pub(in crate::oauth) fn can_match_response(&self) -> bool {
        self.sender.is_issuer_named || self.server.sends_issuer
    }

    /// Whether the client uses the URL of its metadata document as its identifier. `has_redirect_uri` says whether the
    /// request has the redirect URI that the document lists.
    fn uses_document(&self, has_redirect_uri: bool) -> bool {
        let cannot_register = matches!(self.client.0, Kind::Document(_, None));
        self.server.accepts_client_documents && (cannot_register || !has_redirect_uri || self.can_match_response())
    }

    /// Whether the client registers at the login, with its redirect URI.
    pub(in crate::oauth) fn registers(&self) -> bool {
        match &self.client.0 {
            Kind::Known(_) | Kind::Document(_, None) => false,
            Kind::Document(_, Some(_)) => !self.uses_document(true),
            Kind::Registered(_) => true,
        }
    }

    /// Adds the parameters of every request that leads to a token: the resource (RFC 8707), the demanded claims and the
    /// caller's own parameters.
    pub(in crate::oauth) fn add_common_parameters(&self, form: &mut Form) {
        if let Some(resource) = self.sent_resource() {
            form.add("resource", resource);
        }
        for (name, value) in self.parameters() {
            form.add(name, value);
        }
    }

    /// The resource to send. `None` if the caller leaves it out.
    pub(in crate::oauth) fn sent_resource(&self) -> Option<&str> {
        self.resource.as_deref().filter(|_| self.settings.sends_resource)
    }

    /// The attachment of a credential of this server.
    pub(in crate::oauth) fn attachment(&self, identity: Identity, refresh_token: Option<Secret>) -> Attachment {
        let is_registered = match &self.client.0 {
            Kind::Known(_) => false,
            Kind::Document(url, _) => *url != identity.id,
            Kind::Registered(_) => true,
        };
        let (issuer, resource) = (self.server.issuer.clone(), self.resource.clone());
        Attachment { issuer, identity, is_registered, resource, refresh_token }
    }

    /// Sends a token request of this client.
    pub(in crate::oauth) async fn request_token(
        &self,
        identity: &Identity,
        form: Form,
    ) -> Result<TokenResponse, RefreshError> {
        let (response, sent) = self.post("token_endpoint", identity, form).await?;
        read_token(&response, &sent)
    }

    /// Presents a refresh token.
    pub(in crate::oauth) async fn request_renewal(&self, identity: &Identity, form: Form) -> Renewal {
        let (response, sent) = match self.post("token_endpoint", identity, form).await {
            Ok(answered) => answered,
            Err(error) => return Renewal { response: Err(error), new_token: None },
        };
        let new_token = if response.is_error() { None } else { TokenResponse::refresh_token_of(&response) };
        if response.is_error() || new_token.is_none() && response.is_error_without_token() {
            let error = response.to_renewal_error(TOKEN_ENDPOINT, &sent, &self.settings.hint);
            return Renewal { response: Err(self.settings.as_login_required(error)), new_token: None };
        }
        let token = TokenResponse::read(&response, &sent);
        let dpop = self.settings.dpop.as_ref();
        Renewal { response: token.and_then(|token| token.check_type(dpop).map(|()| token)), new_token }
    }

    /// Posts a form with the client's proof. Returns the response, and the form with the secrets that were added. If the
    /// server asks for its nonce in the DPoP proof (RFC 9449 §8), the form is posted once more.
    pub(in crate::oauth) async fn post(
        &self,
        endpoint: &'static str,
        identity: &Identity,
        form: Form,
    ) -> Result<(ServerResponse, Form), RefreshError> {
        let url = self.server.endpoint(&self.sender, endpoint)?;
        let (response, sent) = self.post_once(&url, identity, form.clone()).await?;
        if self.settings.dpop.is_some() && response.wants_nonce() {
            return self.post_once(&url, identity, form).await;
        }
        Ok((response, sent))
    }

    async fn post_once(
        &self,
        url: &Url,
        identity: &Identity,
        mut form: Form,
    ) -> Result<(ServerResponse, Form), RefreshError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        identity.prove(&mut form, &mut headers, &self.server.issuer, self.server_now()).await?;
        if let Some(dpop) = &self.settings.dpop {
            let mut request = Request::new(http::Method::POST, url.clone());
            dpop.prove(&mut request, self.server_now()).await.map_err(RefreshError::from)?;
            headers.extend(std::mem::take(request.headers_mut()));
        }
        let response = self.sender.post(url, headers, form.encode()).await?;
        if let Some(dpop) = &self.settings.dpop {
            dpop.learn(&response.url, &response.headers);
        }
        Ok((response, form))
    }
}

/// The token in a response, or the error in it.
pub(super) fn read_token(response: &ServerResponse, sent: &Form) -> Result<TokenResponse, RefreshError> {
    if response.is_error() { Err(response.to_error(TOKEN_ENDPOINT, sent)) } else { TokenResponse::read(response, sent) }
}

impl fmt::Debug for GrantContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantContext")
            .field("issuer", &self.server.issuer)
            .field("scopes", &self.scopes)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}
