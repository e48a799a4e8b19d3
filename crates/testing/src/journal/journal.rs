//! The entries of a journal.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use reqwest_challenge::RefreshReason;

use crate::message::{Answer, Exchange, Purpose, ReceivedRequest};
use crate::util::lock;

/// Records the requests and refreshes of a test, in order. All clones share one journal.
///
/// If an `assert_…` method fails, it panics with all entries as a timeline. The timeline numbers the credentials and
/// prints none of them.
#[derive(Clone, Default)]
pub struct Journal(Arc<Inner>);

#[derive(Default)]
struct Inner {
    entries: Mutex<Vec<Entry>>,
    /// The names of the servers that write into the journal.
    servers: Mutex<HashSet<String>>,
}

#[derive(Clone)]
pub(super) enum Entry {
    Request(Box<Exchange>),
    Refresh(RefreshReason),
}

impl Entry {
    /// The exchange, if the entry is a request.
    pub(super) fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::Request(exchange) => Some(exchange),
            Self::Refresh(_) => None,
        }
    }

    fn is_refresh(&self) -> bool {
        self.exchange().is_none_or(Exchange::is_refresh)
    }

    /// Whether the entry is a refresh that succeeded, as far as a server can know.
    #[cfg(feature = "lint")]
    fn is_successful_refresh(&self) -> bool {
        self.is_refresh()
            && self.exchange().is_none_or(|exchange| exchange.status().is_some_and(|status| status.is_success()))
    }
}

impl Journal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All requests to all servers, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().iter().filter_map(Entry::exchange).cloned().collect()
    }

    /// How often a new credential was requested: by a token request, or from a recording refresher. A poll for a device
    /// code that the user has not confirmed yet does not count. A request that is repeated with the server's nonce counts
    /// once.
    #[must_use]
    pub fn refreshes(&self) -> usize {
        self.lock().iter().filter(|entry| entry.is_refresh()).count()
    }

    /// Records a server, which may receive no request at all.
    pub(crate) fn add_server(&self, name: &str) {
        lock(&self.0.servers).insert(name.to_owned());
    }

    /// Records a request, and returns the index of its entry.
    pub(crate) fn add_request(&self, request: ReceivedRequest, purpose: Purpose) -> usize {
        let mut entries = self.lock();
        entries.push(Entry::Request(Box::new(Exchange::new(request, purpose))));
        entries.len() - 1
    }

    /// Records the answer to the request of this entry.
    pub(crate) fn add_answer(&self, index: usize, answer: &Answer) {
        let mut entries = self.lock();
        let length = entries.len();
        if let Some(Entry::Request(exchange)) = entries.get_mut(index) {
            (exchange.answer, exchange.answered_at) = (Some(answer.clone()), length);
        }
    }

    /// Records a refresh.
    pub(crate) fn add_refresh(&self, reason: RefreshReason) {
        self.lock().push(Entry::Refresh(reason));
    }

    /// A copy of all entries.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    pub(super) fn has_server(&self, name: &str) -> bool {
        lock(&self.0.servers).contains(name)
    }

    /// The requests with the index of each entry.
    #[cfg(feature = "lint")]
    pub(super) fn indexed_exchanges(&self) -> Vec<(usize, Exchange)> {
        let entries = self.lock();
        let indexed = entries.iter().enumerate();
        indexed.filter_map(|(index, entry)| Some((index, entry.exchange()?.clone()))).collect()
    }

    /// The index of the first successful refresh from this index on.
    #[cfg(feature = "lint")]
    pub(super) fn refresh_from(&self, index: usize) -> Option<usize> {
        let position = self.lock().iter().skip(index).position(Entry::is_successful_refresh);
        position.map(|position| index + position)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        lock(&self.0.entries)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("entries", &self.lock().len()).finish_non_exhaustive()
    }
}
