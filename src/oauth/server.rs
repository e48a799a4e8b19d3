//! What an authorization server says of itself (RFC 8414).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::StatusCode;
use url::Url;

use super::dialer::{Dialer, untrusted};
use super::reply::{Reply, printed};
use crate::challenge::hides;
use crate::dial::{Undialled, Why};
use crate::members::Members;
use crate::origin::Origin;
use crate::refresh::RefreshError;
use crate::retry_after::passes;

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
            return Err(RefreshError::refused("no_endpoint").caused_by(line));
        };
        dialer.url(&format!("the authorization server's `{name}`"), text)
    }

    /// The URL of a page for a person: on the issuer's host, or on one that the caller named.
    pub(super) fn page(&self, dialer: &Dialer<'_>, name: &str, text: &str) -> Result<Url, RefreshError> {
        let what = format!("the authorization server's `{name}`");
        // It is shown to people.
        if text.len() > LONGEST {
            return Err(RefreshError::refused("untrusted_url").caused_by(format!("{what} is too long")));
        }
        let url = dialer.url(&what, text)?;
        let issuer = Url::parse(&self.issuer).ok().and_then(|issuer| Origin::of(&issuer));
        let is_named = dialer.named.iter().chain(&issuer).any(|origin| origin.is_host_of(&url));
        if is_named {
            Ok(url)
        } else {
            Err(untrusted(&what, &Undialled { why: Why::Unnamed, origin: Origin::of(&url) }))
        }
    }

    fn read(issuer: &str, members: &Members) -> Result<Self, RefreshError> {
        let said = members.text("issuer").unwrap_or_default();
        if said != issuer {
            let line = format!(
                "the metadata of {issuer} are those of `{}`: write it as they do, if it is the one",
                printed(said)
            );
            return Err(RefreshError::refused("issuer_mismatch").caused_by(line));
        }
        let endpoints = ENDPOINTS.into_iter().filter_map(|name| Some((name, members.text(name)?.to_owned())));
        Ok(Self {
            issuer: issuer.to_owned(),
            endpoints: endpoints.collect(),
            names_itself: members.is_true("authorization_response_iss_parameter_supported"),
            takes_documents: members.is_true("client_id_metadata_document_supported"),
            challenge_methods: members.texts("code_challenge_methods_supported"),
        })
    }
}

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
        issuer: &str,
        now: SystemTime,
    ) -> Result<Arc<Server>, RefreshError> {
        if let Some(found) = self.known(issuer, now) {
            return Ok(found);
        }
        let server = Arc::new(discover(dialer, issuer).await?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, other)| other.issuer != issuer);
        if known.len() == ROOM {
            known.remove(0);
        }
        known.push((now, server.clone()));
        Ok(server)
    }

    fn known(&self, issuer: &str, now: SystemTime) -> Option<Arc<Server>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |since: SystemTime| now.duration_since(since).is_ok_and(|age| age < GOOD_FOR);
        known
            .iter()
            .find(|(since, server)| server.issuer == issuer && is_fresh(*since))
            .map(|(_, server)| server.clone())
    }
}

/// Asks at the well-known places, in the order of RFC 8414 §3 and §5, and then that of OpenID Connect.
async fn discover(dialer: &Dialer<'_>, issuer: &str) -> Result<Server, RefreshError> {
    // It is shown to people.
    if issuer.len() > LONGEST || issuer.contains(hides) {
        let line = "the issuer is too long, or has characters in it that cannot be seen";
        return Err(RefreshError::refused("issuer").caused_by(line));
    }
    let base = dialer.url("the issuer", issuer)?;
    if base.query().is_some() {
        return Err(RefreshError::refused("issuer").caused_by("the issuer has a query"));
    }
    let mut last = None;
    for url in places(&base) {
        let reply = dialer.get_own("the authorization server's metadata", url).await?;
        match document(&reply) {
            Some(members) => return Server::read(issuer, &members),
            None if passes(reply.status) => {
                return Err(reply.refusal("the authorization server", &super::form::Form::default()));
            }
            None => last = Some(reply.status),
        }
    }
    let status = last.map_or(0, |status| status.as_u16());
    let line = format!("no metadata of {issuer} are at the well-known places (the last says {status})");
    Err(RefreshError::refused("no_metadata").caused_by(line))
}

pub(super) fn document(reply: &Reply) -> Option<Members> {
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
