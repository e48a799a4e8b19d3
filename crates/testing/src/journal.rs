//! What happened, in order, and what is claimed of it.

use crate::util::lock;
use reqwest_challenge::Secret;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use http::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Method, StatusCode};

use crate::answer::Answer;
use crate::arrived::Arrived;
use crate::exchanged::Exchanged;
use crate::purpose::Purpose;
use reqwest_challenge::RefreshReason;
use reqwest_challenge::support::Masker;
use reqwest_challenge::support::OneLine;

/// What happened at the servers and refreshers of a test, in order. Clones are the same journal.
///
/// What is claimed by an `assert_…` and is not so panics with the whole of it as a timeline, which names credentials by
/// numbers and prints none.
#[derive(Clone, Default)]
pub struct Journal(Arc<Inner>);

#[derive(Default)]
struct Inner {
    entries: Mutex<Vec<Entry>>,
    /// The names of the servers that write into it.
    servers: Mutex<HashSet<String>>,
}

#[derive(Clone)]
enum Entry {
    Request(Box<Exchanged>),
    Refresh(RefreshReason),
}

impl Entry {
    fn renews(&self) -> bool {
        match self {
            Self::Request(exchanged) => exchanged.renews(),
            Self::Refresh(_) => true,
        }
    }
}

impl Journal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of a server, which may get no request at all.
    pub(super) fn server(&self, name: &str) {
        lock(&self.0.servers).insert(name.to_owned());
    }

    /// Remembers a request, and returns its place.
    pub(super) fn arrived(&self, arrived: Arrived, purpose: Purpose) -> usize {
        let mut entries = self.lock();
        entries.push(Entry::Request(Box::new(Exchanged::of(arrived, purpose))));
        entries.len() - 1
    }

    pub(super) fn answered(&self, place: usize, answer: &Answer) {
        let mut entries = self.lock();
        let now = entries.len();
        if let Some(Entry::Request(exchanged)) = entries.get_mut(place) {
            (exchanged.answer, exchanged.answered) = (Some(answer.clone()), now);
        }
    }

    pub(super) fn refreshed(&self, cause: RefreshReason) {
        self.lock().push(Entry::Refresh(cause));
    }

    /// All requests of all servers, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchanged> {
        let requests = |entry: &Entry| match entry {
            Entry::Request(exchanged) => Some(Exchanged::clone(exchanged)),
            Entry::Refresh(_) => None,
        };
        self.lock().iter().filter_map(requests).collect()
    }

    /// How often a new credential was asked for: by a token request, or from a recording refresher. Polls for a device
    /// code that only wait for the user do not count. A request that is repeated with the server's nonce counts once.
    #[must_use]
    pub fn refreshes(&self) -> usize {
        self.lock().iter().filter(|entry| entry.renews()).count()
    }

    /// The requests with their places among all entries.
    #[cfg(feature = "lint")]
    pub(super) fn numbered(&self) -> Vec<(usize, Exchanged)> {
        let entries = self.lock();
        let requests = entries.iter().enumerate().filter_map(|(place, entry)| match entry {
            Entry::Request(exchanged) => Some((place, Exchanged::clone(exchanged))),
            Entry::Refresh(_) => None,
        });
        requests.collect()
    }

    /// The place of the first refresh from there on.
    #[cfg(feature = "lint")]
    pub(super) fn refresh_from(&self, place: usize) -> Option<usize> {
        // A provider that failed has renewed nothing.
        let renewed = |entry: &Entry| match entry {
            Entry::Request(exchanged) => {
                exchanged.renews() && exchanged.status().is_some_and(|status| status.is_success())
            }
            Entry::Refresh(_) => true,
        };
        self.lock().iter().skip(place).position(renewed).map(|after| place + after)
    }

    /// The exchanges between callers and APIs.
    fn calls(&self) -> Vec<Exchanged> {
        self.exchanges().into_iter().filter(Exchanged::is_call).collect()
    }

    /// Asserts that there was one refresh, and that this many callers succeeded with at most two sends each. Requests
    /// for a credential do not count as sends of a caller: metadata, a registration, a login, a revocation.
    ///
    /// # Panics
    /// If it was not so.
    #[track_caller]
    pub fn assert_one_refresh_for(&self, callers: usize) {
        let calls = self.calls();
        let good = calls.iter().filter(|call| call.status().is_some_and(|status| status.is_success())).count();
        let (refreshes, sends) = (self.refreshes(), calls.len());
        self.claim(
            (refreshes, good) == (1, callers) && sends <= 2 * callers,
            format_args!(
                "one refresh for {callers} callers, and {callers} successes in {} sends at most; \
                 there were {refreshes} refresh(es), {good} success(es) and {sends} send(s)",
                2 * callers
            ),
        );
    }

    /// That path was asked for exactly that often, at all servers together.
    ///
    /// # Panics
    /// If it was not so.
    #[track_caller]
    pub fn assert_sends(&self, path: &str, times: usize) {
        let sends = self.exchanges().iter().filter(|call| call.arrived.path() == path).count();
        self.claim(sends == times, format_args!("{times} send(s) to {path}; there were {sends}"));
    }

    /// No new credential was asked for, or exactly that often.
    ///
    /// # Panics
    /// If it was not so.
    #[track_caller]
    pub fn assert_refreshes(&self, times: usize) {
        let refreshes = self.refreshes();
        self.claim(refreshes == times, format_args!("{times} refresh(es); there were {refreshes}"));
    }

    /// No credential reached that server: it saw neither a header or a query that carries one, nor anywhere a secret that another
    /// server saw: a credential, or what was posted to a provider.
    ///
    /// # Panics
    /// If it was not so, and if there is no server of that name.
    #[track_caller]
    pub fn assert_no_credential_reached(&self, server: &str) {
        let known = lock(&self.0.servers).contains(server);
        self.claim(known, format_args!("there is a server of the name {server}; there is none"));
        let all = self.exchanges();
        let (theirs, others): (Vec<_>, Vec<_>) = all.iter().partition(|call| &*call.arrived.server == server);
        let secrets = secrets(others.iter().copied());
        let keys: HashSet<_> = others.iter().filter_map(|call| call.arrived.key.clone()).collect();
        let carries = |arrived: &Arrived| {
            let named = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, HeaderName::from_static("dpop")];
            named.iter().chain(&keys).any(|name| arrived.headers.contains_key(name))
                || arrived.url.query_pairs().any(|(name, _)| name == "access_token")
                || secrets.iter().any(|secret| arrived.contains(secret))
        };
        let reached = theirs.iter().find(|call| carries(&call.arrived));
        self.claim(reached.is_none(), format_args!("no credential reached {server}; one did"));
    }

    /// No request that was answered with 403 was sent again with the same credential.
    ///
    /// # Panics
    /// If it was not so.
    #[track_caller]
    pub fn assert_no_403_was_resent(&self) {
        let entries = self.lock().clone();
        let requests = |from: usize| {
            let later = entries.iter().enumerate().skip(from);
            later.filter_map(|(_, entry)| match entry {
                Entry::Request(call) => Some(call).filter(|call| call.is_call()),
                Entry::Refresh(_) => None,
            })
        };
        let same = |one: &Arrived, other: &Arrived| {
            (&one.server, &one.method, &one.url, one.credential())
                == (&other.server, &other.method, &other.url, other.credential())
        };
        // Who was on the way already did not know of it.
        let again = requests(0).find(|call| {
            call.status() == Some(StatusCode::FORBIDDEN)
                && requests(call.answered).any(|later| same(&call.arrived, &later.arrived))
        });
        let path = again.map(|call| call.arrived.path().to_owned()).unwrap_or_default();
        self.claim(again.is_none(), format_args!("no 403 was sent again; {path} was"));
    }

    /// No server saw that text: in a URL, in a header, in a body.
    ///
    /// # Panics
    /// If one did.
    #[track_caller]
    pub fn assert_no_server_saw(&self, text: &str) {
        let seen = self.exchanges().into_iter().find(|call| call.arrived.contains(text));
        let server = seen.map(|call| call.arrived.server).unwrap_or_default();
        self.claim(server.is_empty(), format_args!("no server saw that text; {server} did"));
    }

    #[track_caller]
    pub(super) fn claim(&self, so: bool, claim: fmt::Arguments<'_>) {
        assert!(so, "claimed: {claim}\n{self}");
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        lock(&self.0.entries)
    }
}

/// The credentials without their scheme, and the posted bodies.
fn secrets<'e>(exchanges: impl IntoIterator<Item = &'e Exchanged>) -> HashSet<String> {
    const POSTED: [&str; 7] =
        ["refresh_token", "client_secret", "password", "code", "token", "assertion", "client_assertion"];
    let mut all = HashSet::new();
    for call in exchanges {
        let presented = call.arrived.headers.get(AUTHORIZATION).into_iter().chain(call.arrived.presented());
        for value in presented {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            all.insert(value.split_once(' ').map_or(value.clone(), |(_, token)| token.trim().to_owned()));
        }
        if call.arrived.method == Method::POST {
            all.extend(POSTED.iter().filter_map(|name| call.arrived.form(name)));
        }
    }
    all.remove("");
    all
}

/// The timeline. Credentials are numbered in the order in which they came up; none is printed.
impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.lock().clone();
        let mut masker = Masker::default();
        secrets(&self.exchanges()).iter().for_each(|secret| masker.add_secret(&Secret::new(secret.as_str())));
        let mut credentials: HashMap<String, usize> = HashMap::new();
        writeln!(f, "timeline, {} entries:", entries.len())?;
        for (number, entry) in entries.iter().enumerate() {
            let call = match entry {
                Entry::Refresh(cause) => {
                    writeln!(f, "{:>4}  a refresher is asked ({cause:?})", number + 1)?;
                    continue;
                }
                Entry::Request(call) => call,
            };
            let arrived = &call.arrived;
            let unreadable = arrived.headers.contains_key(AUTHORIZATION).then_some("? ?");
            let with = arrived.credential().or(unreadable).map_or_else(
                || "no credential".to_owned(),
                |credential| {
                    let next = credentials.len() + 1;
                    let known = credentials.entry(credential.to_owned()).or_insert(next);
                    let scheme = credential.split_once(' ').map_or("key", |(scheme, _)| scheme);
                    // A scheme is shown only where it cannot be a secret itself.
                    let known_scheme = ["Bearer", "Basic", "Digest", "DPoP"].contains(&scheme);
                    format!("{} #{known}", if known_scheme { scheme } else { "credential" })
                },
            );
            // The test wrote it.
            let path = masker.mask_certain(arrived.path().to_owned());
            write!(f, "{:>4}  {:<10} {:<7} {path}  {with}", number + 1, arrived.server, arrived.method.as_str())?;
            match (&call.answer, call.status()) {
                (None, _) => f.write_str("  → not answered yet")?,
                (Some(_), None) => f.write_str("  → cut")?,
                (Some(answer), Some(status)) => {
                    write!(f, "  → {}", status.as_u16())?;
                    for line in answer.headers.get_all(WWW_AUTHENTICATE) {
                        // A server that echoes a credential does not bring it into the timeline.
                        let line = masker.mask(String::from_utf8_lossy(line.as_bytes()).into_owned());
                        write!(f, "  {}", OneLine::with_columns(&line, usize::MAX))?;
                    }
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("entries", &self.lock().len()).finish_non_exhaustive()
    }
}
