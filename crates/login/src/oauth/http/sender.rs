//! Sends the requests of one refresh. Each URL is checked before it is used, and each redirect too.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, HeaderMap, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use reqwest::{Client, Request, Response};
use url::Url;
use zeroize::Zeroizing;

use super::clients::HttpClients;
use super::response::ServerResponse;
use crate::transport::{RefusedUrl, UrlPolicy, read_body, send_once};
use reqwest_challenge::support::find_error;
use reqwest_challenge::{Clock, Origin, RefreshError};

/// How many redirects of a metadata document are followed.
const MAX_REDIRECTS: usize = 3;

/// Sends the requests of one refresh.
pub(in crate::oauth) struct Sender<'s> {
    pub(in crate::oauth) clients: &'s HttpClients,
    pub(in crate::oauth) api: Origin,
    /// The origins that the caller named.
    pub(in crate::oauth) trusted: Vec<Origin>,
    /// Whether the caller named the issuer. Then the other trusted origins are for the issuer, and the API cannot choose
    /// among them.
    pub(in crate::oauth) is_issuer_named: bool,
    /// The middleware's client, for hosts that the caller named.
    pub(in crate::oauth) client: Client,
    /// The session's clock.
    pub(in crate::oauth) clock: Arc<dyn Clock>,
}

impl Sender<'_> {
    /// The policy for URLs that the API names.
    pub(in crate::oauth) fn policy_for_api(&self) -> UrlPolicy<'_> {
        UrlPolicy {
            named_by: &self.api,
            api: &self.api,
            trusted: if self.is_issuer_named { &[] } else { &self.trusted },
        }
    }

    /// The policy for URLs that this server names.
    pub(in crate::oauth) fn policy_for<'p>(&'p self, named_by: &'p Origin) -> UrlPolicy<'p> {
        UrlPolicy { named_by, api: &self.api, trusted: &self.trusted }
    }

    /// Gets the metadata of an authorization server. Redirects must stay at the server's own origin, or lead to one
    /// that the caller named. Otherwise another server would decide where secrets are sent.
    pub(in crate::oauth) async fn get_server_metadata(
        &self,
        what: &str,
        url: Url,
    ) -> Result<ServerResponse, RefreshError> {
        let own = Origin::of(&url);
        let may_lead_to = |next: &Url| own.iter().chain(&self.trusted).any(|origin| origin.contains(next));
        self.get(what, url, false, may_lead_to).await
    }

    /// Gets the metadata of the API. A redirect may lead to any server whose URL the policy allows, because the
    /// metadata name the resource that they are about.
    pub(in crate::oauth) async fn get_resource_metadata(
        &self,
        what: &str,
        url: Url,
    ) -> Result<ServerResponse, RefreshError> {
        self.get(what, url, true, |_| true).await
    }

    /// Posts a body to this URL. A redirect is not followed.
    pub(in crate::oauth) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<ServerResponse, RefreshError> {
        let mut request = Request::new(Method::POST, url.clone());
        *request.headers_mut() = headers;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let response = self.send(request, Some(body), self.is_known_host(url)).await?;
        // The caller's client may follow redirects. It returns this response only because it cannot send the body again.
        let redirects = response.status.is_redirection() && response.headers.contains_key(LOCATION);
        if self.clients.given.is_some() && redirects {
            return Err(refused("the authorization server", "redirects the POST request"));
        }
        Ok(response)
    }

    async fn get(
        &self,
        what: &str,
        mut url: Url,
        is_named_by_api: bool,
        may_lead_to: impl Fn(&Url) -> bool,
    ) -> Result<ServerResponse, RefreshError> {
        let trusted = if is_named_by_api { self.policy_for_api().trusted } else { &self.trusted };
        for _ in 0..=MAX_REDIRECTS {
            let mut request = Request::new(Method::GET, url.clone());
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
            let is_known = if is_named_by_api { self.policy_for_api().knows(&url) } else { self.is_known_host(&url) };
            let response = self.send(request, None, is_known).await?;
            let location = response.headers.get(LOCATION).filter(|_| response.status.is_redirection());
            let Some(location) = location else { return Ok(response) };
            let next = location.to_str().ok().and_then(|text| url.join(text).ok());
            let next = next.ok_or_else(|| refused(what, "redirects to an invalid URL"))?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(refused(what, "redirects from https to http"));
            }
            // The caller's client does not check the addresses of a name, so its requests stay on one origin.
            let is_checked_client = self.clients.given.is_none() || next.origin() == url.origin();
            if !may_lead_to(&next) || !is_checked_client {
                return Err(refused(what, "redirects to another server"));
            }
            // The redirecting server names the next URL.
            let named_by = Origin::of(&url).unwrap_or_else(|| self.api.clone());
            let policy = UrlPolicy { named_by: &named_by, api: &self.api, trusted };
            url = policy.check(next.as_str()).map_err(|error| untrusted(what, error))?;
        }
        Err(refused(what, "redirects too often"))
    }

    async fn send(
        &self,
        request: Request,
        body: Option<Bytes>,
        is_known: bool,
    ) -> Result<ServerResponse, RefreshError> {
        let server = Origin::of(request.url());
        let client = self.client(is_known)?;
        let sent = send_once(&client, request, body)
            .await
            .map_err(|error| network_error(error, server.as_ref(), Interruption::NoResponse))?;
        let redirected = || refused("the authorization server", "answered from another URL, after a redirect");
        self.read(sent.ok_or_else(redirected)?).await
    }

    async fn read(&self, mut response: Response) -> Result<ServerResponse, RefreshError> {
        let (status, headers, url) = (response.status(), response.headers().clone(), response.url().clone());
        // A response without a body may keep its connection open.
        let body = match status {
            StatusCode::NO_CONTENT => Some(Zeroizing::default()),
            _ => read_body(&mut response)
                .await
                .map_err(|error| network_error(error, Origin::of(&url).as_ref(), Interruption::CutResponse))?,
        };
        let too_long = || RefreshError::transient(None).caused_by("the response of the server has more than 1 MiB");
        Ok(ServerResponse { status, headers, url, body: body.ok_or_else(too_long)?, received: self.clock.now() })
    }

    /// The client for a host that the caller named, or for another host.
    fn client(&self, is_known: bool) -> Result<Client, RefreshError> {
        match &self.clients.given {
            Some(given) => Ok(given.clone()),
            None if is_known => Ok(self.client.clone()),
            None => self.clients.guarded(),
        }
    }

    /// Whether the caller named the host, or it is the API's.
    fn is_known_host(&self, url: &Url) -> bool {
        let is_loopback = || Origin::of(url).is_some_and(|origin| origin.is_loopback());
        self.api.is_host_of(url) || self.trusted.iter().any(|origin| origin.is_host_of(url)) || is_loopback()
    }
}

/// The error for a URL that a server names and that is not used. `what` names the member or the document.
pub(in crate::oauth) fn untrusted(what: &str, error: RefusedUrl) -> RefreshError {
    RefreshError::denied("untrusted_url").caused_by(Untrusted { what: what.to_owned(), source: error })
}

fn refused(what: &str, why: &str) -> RefreshError {
    RefreshError::denied("untrusted_url").caused_by(format!("{what} {why}"))
}

/// A failure of the network is temporary. A host name that leads to a private address is a final refusal.
fn network_error(error: reqwest::Error, server: Option<&Origin>, interruption: Interruption) -> RefreshError {
    if let Some(refused) = find_error::<RefusedUrl>(&error) {
        return untrusted("the host name", refused.clone());
    }
    let server = server.map_or_else(String::new, ToString::to_string);
    let error = RefreshError::from(error);
    let network = NetworkError { server, interruption, source: error.clone() };
    error.caused_by(network)
}

/// A URL that is not used, and where it stands.
#[derive(Debug)]
struct Untrusted {
    what: String,
    source: RefusedUrl,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.source)
    }
}

impl std::error::Error for Untrusted {}

/// When the network failed.
#[derive(Clone, Copy, Debug)]
enum Interruption {
    NoResponse,
    CutResponse,
}

/// A failure of the network, and the server that was asked. The error of the network names no server.
#[derive(Debug)]
struct NetworkError {
    server: String,
    interruption: Interruption,
    source: RefreshError,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.interruption {
            Interruption::NoResponse => "does not respond",
            Interruption::CutResponse => "ended its response too early",
        };
        write!(f, "{} {what}", self.server)
    }
}

impl std::error::Error for NetworkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // Skips the `RefreshError`, whose kind the caller already sees.
        std::error::Error::source(&self.source)
    }
}

// A test cannot connect by https without a TLS stack, which this crate does not choose. So the test uses http and calls the
// sender directly.
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::SocketAddr;
    use std::time::{Duration, SystemTime};

    use reqwest::dns::{Addrs, Name, Resolve, Resolving};

    use super::*;
    use reqwest_challenge::{DeniedReason, RefreshErrorKind};

    /// Resolves every name to these addresses.
    struct LeadsTo(Vec<SocketAddr>);

    impl Resolve for LeadsTo {
        fn resolve(&self, _: Name) -> Resolving {
            let found = self.0.clone();
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }

    fn sender(clients: &HttpClients, trusted: Vec<Origin>, is_issuer_named: bool) -> Sender<'_> {
        let api = Origin::new("https://api.example.com").unwrap();
        let clock = Arc::new(SystemTime::now);
        Sender { clients, api, trusted, is_issuer_named, client: Client::new(), clock }
    }

    #[tokio::test]
    async fn no_connection_is_made_to_a_name_that_leads_to_a_private_address() {
        let private = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = private.local_addr().unwrap().port();
        let public: SocketAddr = "93.184.215.14:0".parse().unwrap();
        for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"] {
            let found = SocketAddr::new(address.parse().unwrap(), 0);
            // One private address among several is enough, because the client may choose it.
            for all in [vec![found], vec![public, found], vec![found, public]] {
                let mut clients = HttpClients::default();
                clients.resolver = Some(Arc::new(LeadsTo(all)));
                let url = Url::parse(&format!("http://rebinding.example:{port}/")).unwrap();
                let sender = sender(&clients, Vec::new(), false);
                let error = sender.get_resource_metadata("the document", url).await.err().unwrap();
                let kind = RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "untrusted_url".to_owned() };
                assert_eq!(error.kind(), &kind, "{error:?}");
            }
        }
        let connection = tokio::time::timeout(Duration::ZERO, private.accept()).await;
        assert!(connection.is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn the_api_cannot_choose_a_host_that_the_caller_named_for_the_issuer() {
        let clients = HttpClients::default();
        let private = "https://10.0.0.5/metadata";
        let sender =
            |is_issuer_named| sender(&clients, vec![Origin::new("https://10.0.0.5").unwrap()], is_issuer_named);
        assert!(sender(true).policy_for_api().check(private).is_err());
        assert!(sender(false).policy_for_api().check(private).is_ok());
        let issuer = Origin::new("https://auth.example.com").unwrap();
        assert!(sender(true).policy_for(&issuer).check(private).is_ok());
    }
}
