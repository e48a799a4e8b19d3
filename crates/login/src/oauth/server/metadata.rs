//! The metadata of an authorization server (RFC 8414).

use std::collections::HashMap;

use url::Url;

use crate::oauth::http::{Sender, one_line, untrusted};
use crate::secret_json::SecretJson;
use crate::transport::{RefusedUrl, UrlProblem};
use reqwest_challenge::{Origin, RefreshError};

/// The longest issuer identifier, and the longest URL of a page. Both are shown to the user.
pub(super) const MAX_SHOWN_URL: usize = 2 << 10;

/// The endpoints that this crate uses.
const ENDPOINTS: [&str; 5] = [
    "token_endpoint",
    "authorization_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "registration_endpoint",
];

/// What is known about an authorization server: from its metadata, or from the caller.
#[derive(Clone, Debug, Default)]
pub(in crate::oauth) struct ServerMetadata {
    /// The identifier as the caller or the server wrote it. It is compared octet for octet, because parsing a URL changes
    /// its text.
    pub(in crate::oauth) issuer: String,
    endpoints: HashMap<&'static str, String>,
    /// The endpoints that the caller set.
    set_by_caller: Vec<&'static str>,
    /// Whether the server names itself in authorization responses (RFC 9207 §3).
    pub(in crate::oauth) sends_issuer: bool,
    /// Whether the server accepts the URL of a metadata document as a client identifier.
    pub(in crate::oauth) accepts_client_documents: bool,
    /// The supported code challenge methods (RFC 7636). `None` if the metadata do not list them.
    pub(in crate::oauth) code_challenge_methods: Option<Vec<String>>,
}

impl ServerMetadata {
    /// A server of which only the identifier is known.
    pub(super) fn of_issuer(issuer: String) -> Self {
        Self { issuer, ..Self::default() }
    }

    /// Reads the metadata of this issuer.
    ///
    /// # Errors
    /// Returns a refusal if they are the metadata of another issuer.
    pub(super) fn read(issuer: &str, members: &SecretJson) -> Result<Self, RefreshError> {
        let named = members.text("issuer").unwrap_or_default();
        if named != issuer {
            return Err(mismatch(issuer, named));
        }
        let endpoints = ENDPOINTS.into_iter().filter_map(|name| Some((name, members.text(name)?.to_owned())));
        Ok(Self {
            issuer: issuer.to_owned(),
            endpoints: endpoints.collect(),
            set_by_caller: Vec::new(),
            sends_issuer: members.is_true("authorization_response_iss_parameter_supported"),
            accepts_client_documents: members.is_true("client_id_metadata_document_supported"),
            code_challenge_methods: members.texts("code_challenge_methods_supported"),
        })
    }

    /// Sets an endpoint that the caller gave.
    pub(super) fn set_endpoint(&mut self, name: &'static str, url: String) {
        self.endpoints.insert(name, url);
        self.set_by_caller.push(name);
    }

    pub(in crate::oauth) fn has_endpoint(&self, name: &str) -> bool {
        self.endpoints.contains_key(name)
    }

    /// Whether the caller set an endpoint.
    pub(in crate::oauth) fn has_endpoints_of_caller(&self) -> bool {
        !self.set_by_caller.is_empty()
    }

    /// The same metadata with the endpoints that the caller set for this server. They replace those of the metadata.
    pub(in crate::oauth) fn with_endpoints_of(mut self, given: &Self) -> Self {
        self.endpoints.extend(given.endpoints.clone());
        self.set_by_caller.clone_from(&given.set_by_caller);
        self
    }

    /// The URL of an endpoint, if it may be used.
    pub(in crate::oauth) fn endpoint(&self, sender: &Sender<'_>, name: &'static str) -> Result<Url, RefreshError> {
        let Some(text) = self.endpoints.get(name) else {
            let line = format!("the authorization server {} has no `{name}`", self.issuer);
            return Err(RefreshError::denied("no_endpoint").caused_by(line));
        };
        self.checked(sender, name, text)
    }

    /// The URL of the page on which the user logs in.
    pub(in crate::oauth) fn authorization_page(&self, sender: &Sender<'_>) -> Result<Url, RefreshError> {
        let name = "authorization_endpoint";
        let text = self.endpoints.get(name).ok_or_else(|| {
            let line = format!("the authorization server {} has no `{name}`", self.issuer);
            RefreshError::denied("no_endpoint").caused_by(line)
        })?;
        self.page(sender, name, text)
    }

    /// The URL of a page for the user. It must be on the issuer's host, or on a host that the caller named.
    pub(in crate::oauth) fn page(&self, sender: &Sender<'_>, name: &str, text: &str) -> Result<Url, RefreshError> {
        if text.len() > MAX_SHOWN_URL {
            let line = format!("{} is too long", member(name));
            return Err(RefreshError::denied("untrusted_url").caused_by(line));
        }
        let url = self.checked(sender, name, text)?;
        let issuer = Url::parse(&self.issuer).ok().and_then(|issuer| Origin::of(&issuer));
        let is_known = sender.trusted.iter().chain(&issuer).any(|origin| origin.is_host_of(&url));
        if is_known {
            Ok(url)
        } else {
            let refused = RefusedUrl { problem: UrlProblem::UnknownHost, origin: Origin::of(&url) };
            Err(untrusted(&member(name), refused))
        }
    }

    fn checked(&self, sender: &Sender<'_>, name: &str, text: &str) -> Result<Url, RefreshError> {
        // If the caller set the endpoint, the endpoint itself counts as the server that names it. The issuer names all
        // others.
        let named_by = if self.set_by_caller.contains(&name) { text } else { &self.issuer };
        let named_by = Url::parse(named_by).ok().as_ref().and_then(Origin::of).unwrap_or_else(|| sender.api.clone());
        sender.policy_for(&named_by).check(text).map_err(|error| untrusted(&member(name), error))
    }
}

fn member(name: &str) -> String {
    format!("the authorization server's `{name}`")
}

/// The error for metadata of another issuer.
fn mismatch(issuer: &str, named: &str) -> RefreshError {
    let advice = if is_template(named) {
        TEMPLATE
    } else {
        "if that issuer is the right one, give `Issuer::new` exactly that text"
    };
    let line = format!("the metadata of {issuer} name the issuer `{}`: {advice}", one_line(named));
    RefreshError::denied("issuer_mismatch").caused_by(line)
}

/// Whether the issuer is a template for many issuers, such as `https://login.microsoftonline.com/{tenantid}/v2.0`.
pub(super) fn is_template(issuer: &str) -> bool {
    issuer.contains('{')
}

/// What to do about a template. No member of such metadata names an issuer that exists.
pub(super) const TEMPLATE: &str = "the braces stand for a tenant's identifier. Give `Issuer::new` the issuer of one tenant, or set \
                        each endpoint with `Issuer::token_endpoint` and the other setters of `Issuer`: then no metadata are read";
