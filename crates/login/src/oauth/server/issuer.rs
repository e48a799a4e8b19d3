//! The authorization server, as the caller names it.

use std::fmt;
use std::sync::Arc;

use url::Url;

use super::discovery::MetadataCache;
use super::metadata::ServerMetadata;
use crate::oauth::setup_error::{SetupError, SetupErrorKind};
use crate::transport::UrlPolicy;
use reqwest_challenge::Origin;

/// The authorization server: one that the caller names, or the one that the API names in its challenge.
///
/// Clones share the metadata that were read. If 300 [`OAuth`](super::super::OAuth) values are built from clones of one
/// issuer, they read its metadata with one request. Each method that changes the issuer gives it a new cache.
///
/// ```
/// use reqwest_challenge_login::oauth::Issuer;
///
/// // The endpoints are read from the server's metadata (RFC 8414).
/// let named = Issuer::new("https://auth.example.com")?;
/// // The endpoints are given, so no metadata are read.
/// let given = Issuer::new("https://auth.example.com")?.token_endpoint("https://auth.example.com/token")?;
/// // The API names the server (RFC 9728).
/// let any = Issuer::from_challenge();
/// # Ok::<(), reqwest_challenge_login::oauth::SetupError>(())
/// ```
#[derive(Clone)]
pub struct Issuer {
    /// What the caller says about the server. `None` if the challenge names it.
    pub(in crate::oauth) named: Option<ServerMetadata>,
    pub(in crate::oauth) trusted: Vec<Origin>,
    pub(in crate::oauth) cache: Arc<MetadataCache>,
}

impl Issuer {
    /// The server with this issuer identifier, written exactly as the server writes it. Its endpoints are read from its
    /// metadata (RFC 8414), unless they are set. Secrets are sent to this server only.
    ///
    /// # Errors
    /// [`SetupError`] if the text is not an `https` URL (or `http` on this machine), or if it has a user name, a query or a
    /// fragment.
    pub fn new(issuer: impl Into<String>) -> Result<Self, SetupError> {
        let issuer = issuer.into();
        let origin = checked("the issuer", &issuer)?;
        if issuer.contains('?') {
            return Err(SetupError::invalid_url("the issuer has a query"));
        }
        Ok(Self { named: Some(ServerMetadata::of_issuer(issuer)), trusted: vec![origin], cache: Arc::default() })
    }

    /// The server that the API names, by the `resource_metadata` of its challenge or at the well-known URLs (RFC 9728). No
    /// secret of the caller is sent there, because the API chooses the server.
    ///
    /// If such a server does not name itself in its responses (RFC 9207), the client cannot distinguish its response
    /// from the response of another server. So a client that registers uses another redirect URI for each server. A
    /// client with a fixed redirect URI (a given identifier, or a metadata document) cannot log in there by a browser;
    /// name the issuer instead.
    #[must_use]
    pub fn from_challenge() -> Self {
        Self { named: None, trusted: Vec::new(), cache: Arc::default() }
    }

    /// Trusts a further origin. The endpoints of the server, and its pages for the user, may be there too.
    ///
    /// # Errors
    /// [`SetupError`] if the text is not an origin.
    pub fn also(mut self, origin: impl AsRef<str>) -> Result<Self, SetupError> {
        let origin = Origin::new(origin).map_err(|error| SetupError::invalid_url(error.to_string()))?;
        self.trusted.push(origin);
        Ok(self.with_own_cache())
    }

    /// Sets the token endpoint. Then no metadata are read.
    ///
    /// # Errors
    /// [`SetupError`] if the text is not an `https` URL (or `http` on this machine), or if it has a user name or a fragment,
    /// or if this issuer is [`from_challenge`](Self::from_challenge).
    pub fn token_endpoint(self, url: impl Into<String>) -> Result<Self, SetupError> {
        self.endpoint("token_endpoint", url.into())
    }

    /// Sets the page on which a user logs in.
    ///
    /// # Errors
    /// As for [`token_endpoint`](Self::token_endpoint).
    pub fn authorization_endpoint(self, url: impl Into<String>) -> Result<Self, SetupError> {
        self.endpoint("authorization_endpoint", url.into())
    }

    /// Sets the endpoint that issues device codes (RFC 8628).
    ///
    /// # Errors
    /// As for [`token_endpoint`](Self::token_endpoint).
    pub fn device_authorization_endpoint(self, url: impl Into<String>) -> Result<Self, SetupError> {
        self.endpoint("device_authorization_endpoint", url.into())
    }

    /// Sets the endpoint that revokes tokens (RFC 7009).
    ///
    /// # Errors
    /// As for [`token_endpoint`](Self::token_endpoint).
    pub fn revocation_endpoint(self, url: impl Into<String>) -> Result<Self, SetupError> {
        self.endpoint("revocation_endpoint", url.into())
    }

    fn endpoint(mut self, name: &'static str, url: String) -> Result<Self, SetupError> {
        let origin = checked(name, &url)?;
        let Some(server) = &mut self.named else {
            let text = format!("`{name}` needs a named issuer: use `Issuer::new(…)`");
            return Err(SetupError::new(SetupErrorKind::IssuerRequired, text));
        };
        server.set_endpoint(name, url);
        self.trusted.push(origin);
        Ok(self.with_own_cache())
    }

    /// The same issuer with an empty cache, because metadata that were read when other origins were trusted must not
    /// be used.
    fn with_own_cache(self) -> Self {
        Self { cache: Arc::default(), ..self }
    }

    /// The server, if the caller set its token endpoint. Then no metadata are read.
    pub(in crate::oauth) fn without_discovery(&self) -> Option<&ServerMetadata> {
        self.named.as_ref().filter(|server| server.has_endpoint("token_endpoint"))
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("named", &self.named).field("trusted", &self.trusted).finish_non_exhaustive()
    }
}

/// Checks the URL of a document that describes a client (OAuth Client ID Metadata Document §3).
pub(in crate::oauth) fn check_document_url(text: &str) -> Result<(), SetupError> {
    let what = "the client's metadata document";
    checked(what, text)?;
    let has_no_path = Url::parse(text).is_ok_and(|url| url.path() == "/");
    if has_no_path { Err(SetupError::invalid_url(format!("{what} must have a path in its URL"))) } else { Ok(()) }
}

/// The origin of a URL that the caller names. The caller may name any host, but only by https.
fn checked(what: &str, text: &str) -> Result<Origin, SetupError> {
    let not_https = || SetupError::invalid_url(format!("{what} is not an https URL"));
    let origin = Url::parse(text).ok().as_ref().and_then(Origin::of).ok_or_else(not_https)?;
    let policy = UrlPolicy { named_by: &origin, api: &origin, trusted: &[] };
    policy.check(text).map_err(|error| SetupError::invalid_url(format!("{what} {error}")))?;
    Ok(origin)
}
