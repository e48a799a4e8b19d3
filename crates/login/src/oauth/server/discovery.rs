//! Reads the metadata of authorization servers, and remembers them.

use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime};

use url::Url;

use super::metadata::{MAX_SHOWN_URL, ServerMetadata, TEMPLATE, is_template};
use super::well_known::{Failures, well_known};
use crate::oauth::http::{Sender, untrusted};
use crate::util::lock;
use reqwest_challenge::support::hides_text;
use reqwest_challenge::{Origin, RefreshError};

/// How long metadata are used.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// How many servers are remembered. An API usually has one.
const MAX_SERVERS: usize = 8;

/// The metadata that were read last. All clones of an [`Issuer`](super::Issuer) share one cache.
#[derive(Default)]
pub(in crate::oauth) struct MetadataCache(Mutex<State>);

#[derive(Default)]
struct State {
    known: Vec<Known>,
    pending: Vec<Pending>,
}

struct Known {
    since: SystemTime,
    server: Arc<ServerMetadata>,
}

/// A request for the metadata of one issuer.
struct Pending {
    issuer: String,
    request: Weak<Request>,
}

/// One request for all callers that need the same metadata. The caller that has the lock sends it. All others wait for the
/// lock and find the outcome, also if it is an error. If the sending caller is dropped, the next one sends the request.
#[derive(Default)]
struct Request(tokio::sync::Mutex<Option<Outcome>>);

type Outcome = Result<Arc<ServerMetadata>, RefreshError>;

impl MetadataCache {
    /// The metadata of this issuer. `named_by` is the server that names the issuer.
    pub(in crate::oauth) async fn get(&self, sender: &Sender<'_>, issuer: &str, named_by: &Origin) -> Outcome {
        // Each caller has its own policy, so the URL is checked before the cache is read.
        let url = checked(sender, issuer, named_by)?;
        let now = sender.clock.now();
        let request = match self.known_or_pending(issuer, now) {
            Ok(known) => return Ok(known),
            Err(request) => request,
        };
        let mut outcome = request.0.lock().await;
        if let Some(outcome) = &*outcome {
            return outcome.clone();
        }
        let read = read(sender, issuer, &url).await.map(Arc::new);
        self.finish(issuer, &read, now);
        outcome.insert(read).clone()
    }

    /// The metadata that are known, or else the request for them, which may be under way.
    fn known_or_pending(&self, issuer: &str, now: SystemTime) -> Result<Arc<ServerMetadata>, Arc<Request>> {
        let mut state = lock(&self.0);
        let is_fresh = |known: &&Known| now.duration_since(known.since).is_ok_and(|age| age < MAX_AGE);
        if let Some(known) = state.known.iter().find(|known| known.server.issuer == issuer).filter(is_fresh) {
            return Ok(known.server.clone());
        }
        // Drops the requests whose callers have all been dropped.
        state.pending.retain(|pending| pending.request.strong_count() > 0);
        let pending = state.pending.iter().find(|pending| pending.issuer == issuer);
        Err(pending.and_then(|pending| pending.request.upgrade()).unwrap_or_else(|| {
            let request = Arc::new(Request::default());
            state.pending.push(Pending { issuer: issuer.to_owned(), request: Arc::downgrade(&request) });
            request
        }))
    }

    fn finish(&self, issuer: &str, outcome: &Outcome, now: SystemTime) {
        let mut state = lock(&self.0);
        state.pending.retain(|pending| pending.issuer != issuer);
        let Ok(server) = outcome else { return };
        state.known.retain(|known| known.server.issuer != issuer);
        if state.known.len() == MAX_SERVERS {
            state.known.remove(0);
        }
        state.known.push(Known { since: now, server: server.clone() });
    }
}

/// The issuer's URL, if this server may name it.
fn checked(sender: &Sender<'_>, issuer: &str, named_by: &Origin) -> Result<Url, RefreshError> {
    let refused = |line: &str| Err(RefreshError::denied("issuer").caused_by(line));
    // The issuer is shown to the user.
    if issuer.len() > MAX_SHOWN_URL || issuer.contains(hides_text) {
        return refused("the issuer is too long, or contains invisible characters");
    }
    let url = sender.policy_for(named_by).check(issuer).map_err(|error| untrusted("the issuer", error))?;
    if url.query().is_some() {
        return refused("the issuer has a query");
    }
    if is_template(issuer) {
        return refused(&format!("the issuer {issuer} is a template: {TEMPLATE}"));
    }
    Ok(url)
}

/// Tries the well-known URLs of RFC 8414 §3 and §5, in this order, and then the URL of OpenID Connect. If one fails, the
/// next may succeed.
async fn read(sender: &Sender<'_>, issuer: &str, url: &Url) -> Result<ServerMetadata, RefreshError> {
    let mut failures = Failures::default();
    for url in well_known_urls(url) {
        match sender.get_server_metadata("the authorization server's metadata", url).await {
            Err(error) => failures.add_network(error)?,
            Ok(response) => match response.document().filter(|members| members.value("issuer").is_some()) {
                Some(members) => match ServerMetadata::read(issuer, &members) {
                    Ok(server) => return Ok(server),
                    Err(error) => failures.add(error),
                },
                None => failures.add_response("the authorization server", &response),
            },
        }
    }
    let status = failures.status.map_or(0, |status| status.as_u16());
    Err(failures.into_error().unwrap_or_else(|| {
        let line = format!("the well-known URLs have no metadata of {issuer} (the last one answered {status})");
        RefreshError::denied("no_metadata").caused_by(line)
    }))
}

fn well_known_urls(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let mut urls =
        vec![well_known(issuer, "oauth-authorization-server", path), well_known(issuer, "openid-configuration", path)];
    if !path.is_empty() {
        let mut url = issuer.clone();
        url.set_path(&format!("{path}/.well-known/openid-configuration"));
        urls.push(url);
    }
    urls
}
