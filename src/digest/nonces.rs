//! The nonces of one protection space, counted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::hash::encode;
use crate::BoxError;

/// How many nonces are kept that came and were not used: as many as requests are refused at once.
const FRESH: usize = 256;
/// How many answers are remembered until the server proves itself.
const ASKED: usize = 256;

/// The nonces that a server gave, and how often each was used.
pub(super) struct Nonces(Mutex<State>);

struct State {
    nonce: String,
    opaque: Option<String>,
    /// What was used before, and how often: a server may come back to it.
    before: VecDeque<(String, String, u32)>,
    /// The client's own, made for each of the server's: the count tells the uses of both apart.
    client: String,
    count: u32,
    /// The nonces of this server's `-sess` key: of the first request after a challenge.
    first: Option<Arc<(String, String)>>,
    /// Each came with a 401 or a success of its own, and serves one request at least.
    fresh: VecDeque<Fresh>,
    asked: VecDeque<Arc<Used>>,
}

enum Fresh {
    /// With a challenge, which begins a new `-sess` key and may have another `opaque`.
    Challenge(String, Option<String>),
    /// With a success.
    Next(String),
}

/// One use of a nonce.
pub(super) struct Used {
    pub(super) nonce: String,
    pub(super) client: String,
    /// Eight hexadecimal digits.
    pub(super) count: String,
    /// The nonces of the `-sess` key.
    pub(super) first: Arc<(String, String)>,
    pub(super) uri: String,
    pub(super) opaque: Option<String>,
}

impl Fresh {
    fn nonce(&self) -> &str {
        match self {
            Self::Challenge(nonce, _) | Self::Next(nonce) => nonce,
        }
    }
}

impl State {
    /// Keeps what is new: many answers at once may name the same.
    fn keep(&mut self, fresh: Fresh) {
        if fresh.nonce() == self.nonce || self.fresh.iter().any(|other| other.nonce() == fresh.nonce()) {
            return;
        }
        if self.fresh.len() == FRESH {
            self.fresh.pop_front();
        }
        self.fresh.push_back(fresh);
    }

    fn use_from_now(&mut self, nonce: String) {
        /// As many as a server changes between, and more.
        const BEFORE: usize = 64;
        let known = self.before.iter().position(|(other, ..)| *other == nonce).and_then(|at| self.before.remove(at));
        let (client, count) = known.map_or_else(Default::default, |(_, client, count)| (client, count));
        let old = (std::mem::replace(&mut self.nonce, nonce), std::mem::replace(&mut self.client, client), self.count);
        self.count = count;
        if self.before.len() == BEFORE {
            self.before.pop_front();
        }
        self.before.push_back(old);
    }
}

impl Nonces {
    pub(super) fn new(nonce: String, opaque: Option<String>) -> Self {
        let (before, fresh, asked) = Default::default();
        Self(Mutex::new(State { nonce, opaque, before, client: String::new(), count: 0, first: None, fresh, asked }))
    }

    /// Counts one use up. No count of a nonce is given twice, however many ask at once.
    pub(super) fn used(&self, uri: &str) -> Result<Arc<Used>, BoxError> {
        let mut state = self.lock();
        match state.fresh.pop_front() {
            Some(Fresh::Challenge(nonce, opaque)) => {
                state.use_from_now(nonce);
                (state.opaque, state.first) = (opaque, None);
            }
            Some(Fresh::Next(nonce)) => state.use_from_now(nonce),
            None => {}
        }
        if state.count == 0 {
            let mut random = [0; 16];
            getrandom::fill(&mut random)?;
            state.client = encode(&random);
        }
        state.count = state.count.checked_add(1).ok_or("the nonce was used four billion times")?;
        let client = state.client.clone();
        let nonce = state.nonce.clone();
        let first = state.first.get_or_insert_with(|| Arc::new((nonce.clone(), client.clone()))).clone();
        let count = encode(&state.count.to_be_bytes());
        let used = Arc::new(Used { nonce, client, count, first, uri: uri.to_owned(), opaque: state.opaque.clone() });
        if state.asked.len() == ASKED {
            state.asked.pop_front();
        }
        state.asked.push_back(used.clone());
        Ok(used)
    }

    /// The nonce of a challenge, and its `opaque`. What came with successes before it is too old as well.
    pub(super) fn challenged(&self, nonce: String, opaque: Option<String>) {
        let mut state = self.lock();
        state.fresh.retain(|fresh| matches!(fresh, Fresh::Challenge(..)));
        state.keep(Fresh::Challenge(nonce, opaque));
    }

    /// The nonce that came with a success.
    pub(super) fn next(&self, nonce: String) {
        self.lock().keep(Fresh::Next(nonce));
    }

    /// The use that a server's proof is about, which is looked at once.
    pub(super) fn answered(&self, client: &str, count: &str) -> Option<Arc<Used>> {
        let mut state = self.lock();
        let place =
            state.asked.iter().position(|asked| asked.client == client && asked.count.eq_ignore_ascii_case(count))?;
        state.asked.remove(place)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
