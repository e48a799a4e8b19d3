//! What happened, in order, and what is claimed of it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use http::header::{COOKIE, HeaderMap, WWW_AUTHENTICATE};

use super::answer::Answer;
use super::arrived::Arrived;
use crate::refresh::Cause;

/// What happened at the servers and refreshers of a test, in order. Clones are the same journal.
///
/// What is claimed by an `assert_…` and is not so panics with the whole of it as a timeline, which names credentials by
/// numbers and prints none.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

#[derive(Clone)]
enum Entry {
    Request(Box<Exchanged>),
    Refresh(Cause),
}

/// A request and what was answered.
#[derive(Clone, Debug)]
pub struct Exchanged {
    arrived: Arrived,
    answer: Option<Answer>,
    renews: bool,
}

impl Exchanged {
    /// The request.
    #[must_use]
    pub fn request(&self) -> &Arrived {
        &self.arrived
    }

    /// The status of the answer; `None` as long as there is none, and where the connection was cut.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.answer.as_ref().filter(|answer| !answer.cut).map(|answer| answer.status)
    }

    /// The header of the answer.
    #[must_use]
    pub fn response_headers(&self) -> Option<&HeaderMap> {
        self.answer.as_ref().map(|answer| &answer.headers)
    }

    /// The body of the answer, as far as it was there before it went out.
    #[must_use]
    pub fn response_body(&self) -> &[u8] {
        self.answer.as_ref().map_or(&[], |answer| &answer.payload.bytes)
    }
}

impl Journal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a request, and returns its place.
    pub(super) fn arrived(&self, arrived: Arrived, renews: bool) -> usize {
        let mut entries = self.lock();
        entries.push(Entry::Request(Box::new(Exchanged { arrived, answer: None, renews })));
        entries.len() - 1
    }

    pub(super) fn answered(&self, place: usize, answer: &Answer) {
        if let Some(Entry::Request(exchanged)) = self.lock().get_mut(place) {
            exchanged.answer = Some(answer.clone());
        }
    }

    pub(super) fn refreshed(&self, cause: Cause) {
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

    /// How often a new credential was asked for: at an identity provider, or of a recording refresher.
    #[must_use]
    pub fn refreshes(&self) -> usize {
        let renews = |entry: &&Entry| match entry {
            Entry::Request(exchanged) => exchanged.renews,
            Entry::Refresh(_) => true,
        };
        self.lock().iter().filter(renews).count()
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
        let renews = |entry: &Entry| match entry {
            Entry::Request(exchanged) => exchanged.renews,
            Entry::Refresh(_) => true,
        };
        self.lock().iter().skip(place).position(renews).map(|after| place + after)
    }

    /// The exchanges with APIs: all but those with an identity provider.
    fn calls(&self) -> Vec<Exchanged> {
        self.exchanges().into_iter().filter(|exchanged| !exchanged.renews).collect()
    }

    /// There was one refresh, and that many callers got what they asked for, with two sends each at most.
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

    /// That path was asked for exactly that often.
    ///
    /// # Panics
    /// If it was not so.
    #[track_caller]
    pub fn assert_sends(&self, path: &str, times: usize) {
        let sends = self.calls().iter().filter(|call| call.arrived.path() == path).count();
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

    /// No credential reached that server: it saw neither a header that carries one, nor anywhere a credential that another
    /// server saw.
    ///
    /// # Panics
    /// If it was not so.
    #[track_caller]
    pub fn assert_no_credential_reached(&self, server: &str) {
        let all = self.exchanges();
        let (theirs, others): (Vec<_>, Vec<_>) = all.iter().partition(|call| &*call.arrived.server == server);
        let secrets = secrets(others);
        let carries = |arrived: &Arrived| {
            arrived.credential().is_some()
                || arrived.headers.contains_key(COOKIE)
                || arrived.headers.contains_key("dpop")
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
        let calls = self.calls();
        let same = |one: &Arrived, other: &Arrived| {
            (&one.server, &one.method, &one.url, one.credential())
                == (&other.server, &other.method, &other.url, other.credential())
        };
        let again = calls.iter().enumerate().find(|(number, call)| {
            call.status() == Some(StatusCode::FORBIDDEN)
                && calls[number + 1..].iter().any(|later| same(&call.arrived, &later.arrived))
        });
        let path = again.map(|(_, call)| call.arrived.path().to_owned()).unwrap_or_default();
        self.claim(again.is_none(), format_args!("no 403 was sent again; {path} was"));
    }

    /// No server saw that text: in a URL, in a header, in a body.
    ///
    /// # Panics
    /// If one did.
    #[track_caller]
    pub fn assert_nobody_saw(&self, text: &str) {
        let seen = self.exchanges().into_iter().find(|call| call.arrived.contains(text));
        let server = seen.map(|call| call.arrived.server).unwrap_or_default();
        self.claim(server.is_empty(), format_args!("nobody saw that text; {server} did"));
    }

    #[track_caller]
    pub(super) fn claim(&self, so: bool, claim: fmt::Arguments<'_>) {
        assert!(so, "claimed: {claim}\n{self}");
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was presented, without its scheme.
fn secrets<'e>(exchanges: impl IntoIterator<Item = &'e Exchanged>) -> Vec<String> {
    let presented = exchanges.into_iter().filter_map(|call| call.arrived.credential());
    let bare = |secret: &str| secret.split_once(' ').map_or(secret, |(_, token)| token).to_owned();
    presented.map(bare).filter(|secret| !secret.is_empty()).collect()
}

/// The timeline. Credentials are numbered in the order in which they came up; none is printed.
impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.lock().clone();
        let secrets = secrets(&self.exchanges());
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
            let with = arrived.credential().map_or_else(
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
            write!(
                f,
                "{:>4}  {:<10} {:<7} {}  {with}",
                number + 1,
                arrived.server,
                arrived.method.as_str(),
                arrived.path()
            )?;
            match (&call.answer, call.status()) {
                (None, _) => f.write_str("  → not answered yet")?,
                (Some(_), None) => f.write_str("  → cut")?,
                (Some(answer), Some(status)) => {
                    write!(f, "  → {}", status.as_u16())?;
                    for line in answer.headers.get_all(WWW_AUTHENTICATE) {
                        // A server that echoes a credential does not bring it into the timeline.
                        let line = String::from_utf8_lossy(line.as_bytes());
                        let line = secrets.iter().fold(line.into_owned(), |line, secret| line.replace(secret, "***"));
                        write!(f, "  {}", line.replace(char::is_control, "."))?;
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
