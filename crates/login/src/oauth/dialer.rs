//! Sends what may be sent, where it may be sent: each URL is looked at when it is dialled, each redirect too.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, HeaderMap, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Request, Response};
use url::Url;
use zeroize::Zeroizing;

use super::reply::Reply;
use crate::transport::{Trust, Undialled, Why, is_public, read, send_once};
use reqwest_challenge::Origin;
use reqwest_challenge::{Clock, RefreshError};

/// How many redirects of a metadata document are followed.
const HOPS: usize = 3;

/// The clients that dial.
#[derive(Default)]
pub(super) struct Lines {
    /// The caller's own, for everything.
    pub(super) given: Option<Client>,
    /// How names are resolved for hosts that the caller did not name.
    pub(super) resolver: Option<Arc<dyn Resolve>>,
    /// For those hosts: it connects to no address inside.
    guarded: OnceLock<Client>,
}

impl Lines {
    fn guarded(&self) -> Result<Client, RefreshError> {
        if let Some(client) = self.guarded.get() {
            return Ok(client.clone());
        }
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A proxy would resolve the name, and nobody would look at what it found.
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            .dns_resolver(Guard(self.resolver.clone()))
            .build()
            .map_err(RefreshError::other)?;
        Ok(self.guarded.get_or_init(|| client).clone())
    }
}

/// Resolves, and gives no address inside.
struct Guard(Option<Arc<dyn Resolve>>);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let inner = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = match inner {
                Some(inner) => inner.resolve(name).await?.collect(),
                None => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
            };
            if found.iter().all(|address| is_public(address.ip())) {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            // One of them is enough: whoever mixes them does so with a purpose.
            let error = Undialled { why: Why::Inside, origin: None };
            Err(Box::new(io::Error::other(format!("the host's name {error}"))) as _)
        })
    }
}

/// Dials on behalf of one refresh.
pub(super) struct Dialer<'d> {
    pub(super) lines: &'d Lines,
    pub(super) api: Origin,
    pub(super) named: Vec<Origin>,
    /// Whether the caller named the issuer. Then the other places that the caller named are for the issuer, and the API
    /// cannot choose among them.
    pub(super) pinned: bool,
    /// For the hosts that the caller chose.
    pub(super) plain: Client,
    /// The session's clock.
    pub(super) clock: Arc<dyn Clock>,
}

impl Dialer<'_> {
    /// The dialer for URLs that the API names.
    pub(super) fn by_api(&self) -> Trust<'_> {
        Trust { by: &self.api, api: &self.api, named: if self.pinned { &[] } else { &self.named } }
    }

    /// The dialer for URLs that this server names.
    pub(super) fn by<'t>(&'t self, by: &'t Origin) -> Trust<'t> {
        Trust { by, api: &self.api, named: &self.named }
    }

    /// Whether the caller chose the host.
    fn is_chosen(&self, url: &Url) -> bool {
        let is_loopback = || Origin::of(url).is_some_and(|origin| origin.is_loopback());
        self.api.is_host_of(url) || self.named.iter().any(|origin| origin.is_host_of(url)) || is_loopback()
    }

    fn client(&self, is_chosen: bool) -> Result<Client, RefreshError> {
        if let Some(given) = &self.lines.given {
            return Ok(given.clone());
        }
        if is_chosen { Ok(self.plain.clone()) } else { self.lines.guarded() }
    }

    /// A document; a few redirects are followed, and each is looked at. What an authorization server says of itself, it says at its own
    /// origin, or at one that the caller named: whoever answers elsewhere would say where secrets go.
    pub(super) async fn get_own(&self, what: &str, url: Url) -> Result<Reply, RefreshError> {
        let home = Origin::of(&url);
        let is_own = |next: &Url| home.iter().chain(&self.named).any(|origin| origin.contains(next));
        self.follow(what, url, false, is_own).await
    }

    /// Gets a document that the API names, and that itself names the API.
    pub(super) async fn get(&self, what: &str, url: Url) -> Result<Reply, RefreshError> {
        self.follow(what, url, true, |_| true).await
    }

    async fn follow(
        &self,
        what: &str,
        mut url: Url,
        is_by_api: bool,
        may_lead: impl Fn(&Url) -> bool,
    ) -> Result<Reply, RefreshError> {
        let named = if is_by_api { self.by_api().named } else { &self.named };
        for _ in 0..=HOPS {
            let mut request = Request::new(Method::GET, url.clone());
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
            let is_chosen = if is_by_api { self.by_api().knows(&url) } else { self.is_chosen(&url) };
            let reply = self.send(request, None, is_chosen).await?;
            let location = reply.headers.get(LOCATION).filter(|_| reply.status.is_redirection());
            let Some(location) = location else { return Ok(reply) };
            let next = location.to_str().ok().and_then(|text| url.join(text).ok());
            let next = next.ok_or_else(|| refused(what, "redirects to what is no URL"))?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(refused(what, "redirects from https to http"));
            }
            // The caller's own client connects to whatever address a name resolves to.
            let stays = self.lines.given.is_none() || next.origin() == url.origin();
            if !may_lead(&next) || !stays {
                return Err(refused(what, "redirects to another server"));
            }
            // The redirecting server names the next URL.
            let by = Origin::of(&url).unwrap_or_else(|| self.api.clone());
            let trust = Trust { by: &by, api: &self.api, named };
            url = trust.url(next.as_str()).map_err(|error| untrusted(what, &error))?;
        }
        Err(refused(what, "redirects too often"))
    }

    /// What is posted goes to that very URL, or nowhere.
    pub(super) async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Reply, RefreshError> {
        let mut request = Request::new(Method::POST, url.clone());
        *request.headers_mut() = headers;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let reply = self.send(request, Some(body), self.is_chosen(url)).await?;
        // The caller's own client would have followed the redirect if it could.
        if self.lines.given.is_some() && reply.status.is_redirection() && reply.headers.contains_key(LOCATION) {
            return Err(refused("the authorization server", "redirects the POST request"));
        }
        Ok(reply)
    }

    async fn send(&self, request: Request, body: Option<Bytes>, is_chosen: bool) -> Result<Reply, RefreshError> {
        let asked = Origin::of(request.url());
        let client = self.client(is_chosen)?;
        let sent = send_once(&client, request, body)
            .await
            .map_err(|error| network(error, asked.as_ref(), "does not answer"))?;
        // A client of the caller's own may follow redirects.
        let redirected = || refused("the authorization server", "answered from another URL, after a redirect");
        reply(sent.ok_or_else(redirected)?, self.clock.now()).await
    }
}

/// A network's failure passes, but for a name that leads inside.
fn network(error: reqwest::Error, asked: Option<&Origin>, what: &'static str) -> RefreshError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(next) = cause {
        if next.to_string().contains("leads to an address inside") {
            return refused("the host", "leads to an address inside of this machine or its network");
        }
        cause = next.source();
    }
    let whom = asked.map_or_else(String::new, ToString::to_string);
    let error = RefreshError::from(error);
    let unreached = Unreached { whom, what, source: error.clone() };
    error.caused_by(unreached)
}

/// Which server it was that did not answer: what the network says names none.
#[derive(Debug)]
struct Unreached {
    whom: String,
    what: &'static str,
    source: RefreshError,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.whom, self.what)
    }
}

impl std::error::Error for Unreached {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // What the network says, and not a second time what it means.
        std::error::Error::source(&self.source)
    }
}

pub(super) fn untrusted(what: &str, error: &Undialled) -> RefreshError {
    RefreshError::denied("untrusted_url").caused_by(format!("{what} {error}"))
}

fn refused(what: &str, why: &str) -> RefreshError {
    RefreshError::denied("untrusted_url").caused_by(format!("{what} {why}"))
}

async fn reply(mut response: Response, now: SystemTime) -> Result<Reply, RefreshError> {
    let (status, headers, url) = (response.status(), response.headers().clone(), response.url().clone());
    // What has no body is not waited for.
    let body = match status {
        StatusCode::NO_CONTENT => Some(Zeroizing::default()),
        _ => read(&mut response)
            .await
            .map_err(|error| network(error, Origin::of(&url).as_ref(), "cut its answer short"))?,
    };
    let body =
        body.ok_or_else(|| RefreshError::transient(None).caused_by("the server's answer has more than 1 MiB"))?;
    Ok(Reply { status, headers, url, body, now })
}

// By https nobody gets there without a TLS stack, which this crate forces on nobody, so that it is tried by http and in here.
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use reqwest_challenge::{DeniedReason, RefreshErrorKind};

    fn clock() -> Arc<dyn Clock> {
        Arc::new(SystemTime::now)
    }

    /// Every name leads there.
    struct LeadsTo(Vec<SocketAddr>);

    impl Resolve for LeadsTo {
        fn resolve(&self, _: Name) -> Resolving {
            let found = self.0.clone();
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_dialled() {
        let inside = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = inside.local_addr().unwrap().port();
        let public: SocketAddr = "93.184.215.14:0".parse().unwrap();
        for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"] {
            let found = SocketAddr::new(address.parse().unwrap(), 0);
            // One of several is enough: which one is dialled is a matter of chance.
            for all in [vec![found], vec![public, found], vec![found, public]] {
                let lines = Lines { resolver: Some(Arc::new(LeadsTo(all))), ..Lines::default() };
                let (api, plain) = (Origin::new("https://api.example.com").unwrap(), Client::new());
                let dialer = Dialer { lines: &lines, api, named: Vec::new(), pinned: false, plain, clock: clock() };
                let url = Url::parse(&format!("http://rebinding.example:{port}/")).unwrap();
                let error = dialer.get("it", url).await.err().unwrap();
                let refused =
                    RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "untrusted_url".to_owned() };
                assert_eq!(error.kind(), &refused, "{error:?}");
            }
        }
        let nobody = tokio::time::timeout(Duration::ZERO, inside.accept()).await;
        assert!(nobody.is_err(), "somebody connected");
    }

    #[tokio::test]
    async fn a_host_that_is_named_for_a_pinned_issuer_is_not_the_apis_to_choose() {
        let lines = Lines::default();
        let inside = "https://10.0.0.5/metadata";
        let dialer = |pinned| Dialer {
            lines: &lines,
            api: Origin::new("https://api.example.com").unwrap(),
            named: vec![Origin::new("https://10.0.0.5").unwrap()],
            pinned,
            plain: Client::new(),
            clock: clock(),
        };
        assert!(dialer(true).by_api().url(inside).is_err());
        assert!(dialer(false).by_api().url(inside).is_ok());
        let issuer = Origin::new("https://auth.example.com").unwrap();
        assert!(dialer(true).by(&issuer).url(inside).is_ok());
    }
}
