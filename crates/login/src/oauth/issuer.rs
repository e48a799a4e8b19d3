//! Which authorization server is asked.

use std::fmt;

use url::Url;

use super::server::Server;
use crate::transport::Trust;
use reqwest_challenge::Origin;

/// An authorization server that the caller chose, or the one that the API names in its challenge.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// `None`: whoever the challenge names.
    pub(super) pinned: Option<Server>,
    pub(super) named: Vec<Origin>,
}

/// A set-up that cannot work, or would give a secret to whoever asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError(pub(super) String);

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

impl Issuer {
    /// The server of that issuer identifier, as it writes it itself; where its endpoints are, it says at the well-known places
    /// (RFC 8414), unless they are given. Secrets go there and nowhere else.
    ///
    /// # Errors
    /// [`SetupError`]: text that is no `https` URL (or `http` on this machine), or has userinfo, a query or a fragment.
    pub fn new(issuer: impl Into<String>) -> Result<Self, SetupError> {
        let issuer = issuer.into();
        let origin = checked("the issuer", &issuer)?;
        if issuer.contains('?') {
            return Err(SetupError("the issuer has a query".to_owned()));
        }
        let server = Server { issuer, ..Server::default() };
        Ok(Self { pinned: Some(server), named: vec![origin] })
    }

    /// Whichever server the API names, by the `resource_metadata` of its challenge or at the well-known places (RFC 9728). Whoever
    /// answers for the API chooses it, so that no secret of the caller's ever goes there.
    ///
    /// Where such a server does not name itself in its answers (RFC 9207), another's answer could be taken for its own. A client that
    /// registers has a redirect URI for each then; one whose redirect URI stands fast, because its identifier is given or is a
    /// document's URL, does not log in there by a browser: where the issuer is known, name it.
    #[must_use]
    pub fn from_challenge() -> Self {
        Self { pinned: None, named: Vec::new() }
    }

    /// Trusts one more origin: its endpoints, and its pages for a person, may be there too.
    ///
    /// # Errors
    /// [`SetupError`]: text that is no origin.
    pub fn also(mut self, origin: impl AsRef<str>) -> Result<Self, SetupError> {
        let origin = Origin::new(origin).map_err(|error| SetupError(error.to_string()))?;
        self.named.push(origin);
        Ok(self)
    }

    /// Where its token endpoint is; with this it is not asked where its endpoints are.
    ///
    /// # Errors
    /// [`SetupError`]: text that is no `https` URL, or an issuer that is not known.
    pub fn token_endpoint(self, url: impl Into<String>) -> Result<Self, SetupError> {
        self.endpoint("token_endpoint", url.into())
    }

    /// Where its page for logins is.
    ///
    /// # Errors
    /// As for [`token_endpoint`](Self::token_endpoint).
    pub fn authorization_endpoint(self, url: impl Into<String>) -> Result<Self, SetupError> {
        self.endpoint("authorization_endpoint", url.into())
    }

    /// Where it gives out device codes (RFC 8628).
    ///
    /// # Errors
    /// As for [`token_endpoint`](Self::token_endpoint).
    pub fn device_authorization_endpoint(self, url: impl Into<String>) -> Result<Self, SetupError> {
        self.endpoint("device_authorization_endpoint", url.into())
    }

    /// Where it takes tokens back (RFC 7009).
    ///
    /// # Errors
    /// As for [`token_endpoint`](Self::token_endpoint).
    pub fn revocation_endpoint(self, url: impl Into<String>) -> Result<Self, SetupError> {
        self.endpoint("revocation_endpoint", url.into())
    }

    fn endpoint(mut self, name: &'static str, url: String) -> Result<Self, SetupError> {
        let origin = checked(name, &url)?;
        let Some(server) = &mut self.pinned else {
            return Err(SetupError(format!("`{name}` is for an issuer that is known by name")));
        };
        server.endpoints.insert(name, url);
        server.given.push(name);
        self.named.push(origin);
        Ok(self)
    }

    /// Whether it need not be asked where its endpoints are.
    pub(super) fn given(&self) -> Option<&Server> {
        self.pinned.as_ref().filter(|server| server.endpoints.contains_key("token_endpoint"))
    }
}

/// The URL of a document that says who a client is (OAuth Client ID Metadata Document §3).
pub(super) fn client_id(text: &str) -> Result<(), SetupError> {
    checked("the client's metadata document", text)?;
    let is_bare = Url::parse(text).is_ok_and(|url| url.path() == "/");
    if is_bare { Err(SetupError("the client's metadata document has no path".to_owned())) } else { Ok(()) }
}

/// What a caller names is trusted by its name, and by https all the same.
fn checked(what: &str, text: &str) -> Result<Origin, SetupError> {
    let no_url = || SetupError(format!("{what} is no URL by https"));
    let origin = Url::parse(text).ok().as_ref().and_then(Origin::of).ok_or_else(no_url)?;
    let trust = Trust { by: &origin, api: &origin, named: &[] };
    trust.url(text).map_err(|error| SetupError(format!("{what} {error}")))?;
    Ok(origin)
}
