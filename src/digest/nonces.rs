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
    /// With a challenge, which begins a new `-sess` key.
    Challenge(String),
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
}

impl Nonces {
    pub(super) fn new(nonce: String) -> Self {
        let (fresh, asked) = Default::default();
        Self(Mutex::new(State { nonce, client: String::new(), count: 0, first: None, fresh, asked }))
    }

    /// Counts one use up. No count of a nonce is given twice, however many ask at once.
    pub(super) fn used(&self, uri: &str) -> Result<Arc<Used>, BoxError> {
        let mut state = self.lock();
        match state.fresh.pop_front() {
            Some(Fresh::Challenge(nonce)) => (state.nonce, state.count, state.first) = (nonce, 0, None),
            Some(Fresh::Next(nonce)) => (state.nonce, state.count) = (nonce, 0),
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
        let used = Arc::new(Used { nonce, client, count, first, uri: uri.to_owned() });
        if state.asked.len() == ASKED {
            state.asked.pop_front();
        }
        state.asked.push_back(used.clone());
        Ok(used)
    }

    /// The nonce of a challenge.
    pub(super) fn challenged(&self, nonce: String) {
        self.keep(Fresh::Challenge(nonce));
    }

    /// The nonce that came with a success.
    pub(super) fn next(&self, nonce: String) {
        self.keep(Fresh::Next(nonce));
    }

    fn keep(&self, fresh: Fresh) {
        let mut state = self.lock();
        if state.fresh.len() == FRESH {
            state.fresh.pop_front();
        }
        state.fresh.push_back(fresh);
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
