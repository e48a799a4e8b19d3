//! What an authorization server says of itself (RFC 8414).

use crate::util::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::StatusCode;
use url::Url;

use super::dialer::{Dialer, untrusted};
use super::failures::Failures;
use super::reply::{Reply, printed};
use crate::secret_json::SecretJson;
use crate::transport::{Undialled, Why};
use reqwest_challenge::Origin;
use reqwest_challenge::RefreshError;
use reqwest_challenge::support::hides_text;

/// The endpoints that are of use here.
const ENDPOINTS: [&str; 5] = [
    "token_endpoint",
    "authorization_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "registration_endpoint",
];

/// An authorization server, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    /// As it was written: compared octet for octet, for a URL's text changes when it is read.
    pub(super) issuer: String,
    pub(super) endpoints: HashMap<&'static str, String>,
    /// The endpoints that the caller gave.
    pub(super) given: Vec<&'static str>,
    /// Whether it names itself when it answers an authorization request (RFC 9207 §3).
    pub(super) names_itself: bool,
    /// Whether it takes the URL of a document for a client's identifier.
    pub(super) takes_documents: bool,
    pub(super) challenge_methods: Option<Vec<String>>,
}

impl Server {
    /// The URL of an endpoint, looked at when it is dialled.
    pub(super) fn endpoint(&self, dialer: &Dialer<'_>, name: &'static str) -> Result<Url, RefreshError> {
        let Some(text) = self.endpoints.get(name) else {
            let line = format!("the authorization server {} has no `{name}`", self.issuer);
            return Err(RefreshError::denied("no_endpoint").caused_by(line));
        };
        let what = format!("the authorization server's `{name}`");
        dialer.by(&self.names(dialer, name, text)).url(text).map_err(|error| untrusted(&what, &error))
    }

    /// Who names an endpoint: the caller, whose endpoints need no further check, or the issuer.
    fn names(&self, dialer: &Dialer<'_>, name: &str, text: &str) -> Origin {
        let by = if self.given.contains(&name) { text } else { &self.issuer };
        Url::parse(by).ok().as_ref().and_then(Origin::of).unwrap_or_else(|| dialer.api.clone())
    }

    /// The URL of a page for a person: on the issuer's host, or on one that the caller named.
    pub(super) fn page(&self, dialer: &Dialer<'_>, name: &str, text: &str) -> Result<Url, RefreshError> {
        let what = format!("the authorization server's `{name}`");
        // It is shown to people.
        if text.len() > LONGEST {
            return Err(RefreshError::denied("untrusted_url").caused_by(format!("{what} is too long")));
        }
        let url = dialer.by(&self.names(dialer, name, text)).url(text).map_err(|error| untrusted(&what, &error))?;
        let issuer = Url::parse(&self.issuer).ok().and_then(|issuer| Origin::of(&issuer));
        let is_named = dialer.named.iter().chain(&issuer).any(|origin| origin.is_host_of(&url));
        if is_named {
            Ok(url)
        } else {
            Err(untrusted(&what, &Undialled { why: Why::Unnamed, origin: Origin::of(&url) }))
        }
    }

    fn read(issuer: &str, members: &SecretJson) -> Result<Self, RefreshError> {
        let said = members.text("issuer").unwrap_or_default();
        if said != issuer {
            return Err(mismatch(issuer, said));
        }
        let endpoints = ENDPOINTS.into_iter().filter_map(|name| Some((name, members.text(name)?.to_owned())));
        Ok(Self {
            issuer: issuer.to_owned(),
            endpoints: endpoints.collect(),
            given: Vec::new(),
            names_itself: members.is_true("authorization_response_iss_parameter_supported"),
            takes_documents: members.is_true("client_id_metadata_document_supported"),
            challenge_methods: members.texts("code_challenge_methods_supported"),
        })
    }
}

/// The error for metadata of another issuer.
fn mismatch(issuer: &str, said: &str) -> RefreshError {
    let advice = if is_template(said) { TEMPLATE } else { "if that is the issuer, write it like that" };
    let line = format!("the metadata of {issuer} name the issuer `{}`: {advice}", printed(said));
    RefreshError::denied("issuer_mismatch").caused_by(line)
}

/// Whether the issuer is a template for many issuers, such as `https://login.microsoftonline.com/{tenantid}/v2.0`.
fn is_template(issuer: &str) -> bool {
    issuer.contains('{')
}

/// What to do about a template. No member of such metadata names an issuer that exists.
const TEMPLATE: &str = "the braces stand for a tenant's identifier. Give `Issuer::new` the issuer of one tenant, or set \
                        each endpoint with `Issuer::token_endpoint` and the methods beside it: then no metadata are read";

/// How long metadata are taken at their word.
const GOOD_FOR: Duration = Duration::from_secs(3600);
/// How long an issuer's identifier may be.
const LONGEST: usize = 2 << 10;
/// How many servers are remembered: an API has one, and seldom two.
const ROOM: usize = 8;

/// The servers that were asked, the last few of them.
#[derive(Default)]
pub(super) struct Servers(Mutex<Vec<(SystemTime, Arc<Server>)>>);

impl Servers {
    /// The server of that issuer, asked where it is not remembered.
    pub(super) async fn of(
        &self,
        dialer: &Dialer<'_>,
        (issuer, by): (&str, &Origin),
        now: SystemTime,
    ) -> Result<Arc<Server>, RefreshError> {
        let base = checked(dialer, issuer, by)?;
        if let Some(found) = self.known(issuer, now) {
            return Ok(found);
        }
        let server = Arc::new(discover(dialer, issuer, &base).await?);
        let mut known = lock(&self.0);
        known.retain(|(_, other)| other.issuer != issuer);
        if known.len() == ROOM {
            known.remove(0);
        }
        known.push((now, server.clone()));
        Ok(server)
    }

    fn known(&self, issuer: &str, now: SystemTime) -> Option<Arc<Server>> {
        let known = lock(&self.0);
        let is_fresh = |since: SystemTime| now.duration_since(since).is_ok_and(|age| age < GOOD_FOR);
        known
            .iter()
            .find(|(since, server)| server.issuer == issuer && is_fresh(*since))
            .map(|(_, server)| server.clone())
    }
}

/// The issuer's URL, if the naming server may name it.
fn checked(dialer: &Dialer<'_>, issuer: &str, by: &Origin) -> Result<Url, RefreshError> {
    let refused = |line: &str| Err(RefreshError::denied("issuer").caused_by(line));
    // It is shown to people.
    if issuer.len() > LONGEST || issuer.contains(hides_text) {
        return refused("the issuer is too long, or contains invisible characters");
    }
    let base = dialer.by(by).url(issuer).map_err(|error| untrusted("the issuer", &error))?;
    if base.query().is_some() {
        return refused("the issuer has a query");
    }
    if is_template(issuer) {
        return refused(&format!("the issuer {issuer} is a template: {TEMPLATE}"));
    }
    Ok(base)
}

/// Tries the well-known places in the order of RFC 8414 §3 and §5, then that of OpenID Connect. If one fails, the next
/// may succeed.
async fn discover(dialer: &Dialer<'_>, issuer: &str, base: &Url) -> Result<Server, RefreshError> {
    let mut failures = Failures::default();
    for url in places(base) {
        match dialer.get_own("the authorization server's metadata", url).await {
            Err(error) => failures.add_network(error)?,
            Ok(reply) => match document(&reply).filter(|members| members.value("issuer").is_some()) {
                Some(members) => match Server::read(issuer, &members) {
                    Ok(server) => return Ok(server),
                    Err(error) => failures.add(error),
                },
                None => failures.add_reply("the authorization server", &reply),
            },
        }
    }
    let status = failures.status.map_or(0, |status| status.as_u16());
    Err(failures.worst().unwrap_or_else(|| {
        let line = format!("the well-known places have no metadata of {issuer} (the last one answered {status})");
        RefreshError::denied("no_metadata").caused_by(line)
    }))
}

pub(super) fn document(reply: &Reply) -> Option<SecretJson> {
    (reply.status == StatusCode::OK).then(|| reply.members()).flatten()
}

fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let mut places =
        vec![well_known(issuer, "oauth-authorization-server", path), well_known(issuer, "openid-configuration", path)];
    if !path.is_empty() {
        let mut url = issuer.clone();
        url.set_path(&format!("{path}/.well-known/openid-configuration"));
        places.push(url);
    }
    places
}

/// `/.well-known/name` before the path (RFC 8615 §3).
pub(super) fn well_known(url: &Url, name: &str, path: &str) -> Url {
    let mut url = url.clone();
    url.set_path(&format!("/.well-known/{name}{path}"));
    url.set_query(None);
    url.set_fragment(None);
    url
}
