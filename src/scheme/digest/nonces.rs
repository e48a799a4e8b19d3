//! The nonces of one protection space, counted.

use crate::util::lock;
use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard};

use super::hash::encode;
use crate::BoxError;

/// How many nonces are kept that came and were not used: as many as requests are refused at once.
const FRESH: usize = 256;
/// How many answers are remembered until the server proves itself.
const ASKED: usize = 256;
/// How many URLs are remembered with their nonces, and how many nonces with their counts.
const GIVEN: usize = 256;

/// The nonces that a server gave, and how often each was used.
///
/// Most servers accept a nonce at every URL. Some (cameras) bind a nonce to the URL whose 401 brought it, and refuse it
/// elsewhere without `stale`. Until a server accepts a nonce at another URL, each URL is answered with its own nonce.
pub(super) struct Nonces {
    state: Mutex<State>,
    hasher: RandomState,
}

struct State {
    now: Counted,
    /// Nonces of earlier challenges: a server may return to one.
    before: VecDeque<Counted>,
    /// Each came with a 401 or a success, and serves at least one request.
    fresh: VecDeque<Fresh>,
    /// Which URL got which nonce with a 401, newest last.
    given: VecDeque<(Place, String)>,
    /// Whether the server accepted a nonce at another URL than the one that got it.
    shared: bool,
    /// Whether the server refused an answer at the URL that got its nonce. Then the password is wrong.
    rejected: bool,
    asked: VecDeque<Arc<Used>>,
}

/// The hash of a request target.
type Place = u64;

/// A nonce and how often it was used.
struct Counted {
    nonce: String,
    opaque: Option<String>,
    /// The client's own, made for each of the server's: the count tells the uses of both apart.
    client: String,
    count: u32,
    /// The nonces in the `-sess` key: those of the first request after a challenge.
    first: Option<Arc<(String, String)>>,
}

struct Fresh {
    nonce: String,
    /// With a challenge, which begins a new `-sess` key and may have another `opaque`.
    challenge: Option<Option<String>>,
    /// The URL that got the nonce, if it is known.
    place: Option<Place>,
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

/// The nonce of a challenge, its `opaque`, and the target of the request that got it, if it is known.
pub(super) struct Given<'u> {
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    pub(super) uri: Option<&'u str>,
}

impl State {
    /// Keeps what is new: many answers at once may name the same.
    fn keep(&mut self, fresh: Fresh) {
        if fresh.nonce == self.now.nonce || self.fresh.iter().any(|other| other.nonce == fresh.nonce) {
            return;
        }
        if self.fresh.len() == FRESH {
            self.fresh.pop_front();
        }
        self.fresh.push_back(fresh);
    }

    /// Stores a nonce that came with a 401.
    fn keep_given(&mut self, place: Option<Place>, nonce: String, opaque: Option<String>) {
        if let Some(place) = place.filter(|place| !self.was_given(*place, &nonce)) {
            if self.given.len() == GIVEN {
                self.given.pop_front();
            }
            self.given.push_back((place, nonce.clone()));
        }
        self.keep(Fresh { nonce, challenge: Some(opaque), place });
    }

    fn was_given(&self, place: Place, nonce: &str) -> bool {
        self.given.iter().any(|(other, given)| *other == place && given == nonce)
    }

    /// Chooses the nonce for the next request to that URL.
    fn choose(&mut self, place: Place) {
        let fit = |fresh: &Fresh| self.shared || fresh.place.is_none();
        let own = self.fresh.iter().position(|fresh| fresh.place == Some(place));
        if let Some(at) = own.or_else(|| self.fresh.iter().position(fit)) {
            if let Some(fresh) = self.fresh.remove(at) {
                self.take(fresh);
            }
        } else if !self.shared
            && let Some((_, nonce)) = self.given.iter().rev().find(|(other, _)| *other == place)
            && *nonce != self.now.nonce
        {
            self.turn_to(nonce.clone());
        }
    }

    fn take(&mut self, fresh: Fresh) {
        let (opaque, first) = match fresh.challenge {
            Some(opaque) => (opaque, None),
            None => (self.now.opaque.clone(), self.now.first.clone()),
        };
        self.turn_to(fresh.nonce);
        (self.now.opaque, self.now.first) = (opaque, first);
    }

    /// Uses that nonce from now on, and continues its count if it was used before.
    fn turn_to(&mut self, nonce: String) {
        if nonce == self.now.nonce {
            return;
        }
        let known = self.before.iter().position(|other| other.nonce == nonce).and_then(|at| self.before.remove(at));
        let opaque = self.now.opaque.clone();
        let next = known.unwrap_or_else(|| Counted::new(nonce, opaque));
        let old = std::mem::replace(&mut self.now, next);
        if self.before.len() == GIVEN {
            self.before.pop_front();
        }
        self.before.push_back(old);
    }
}

impl Counted {
    fn new(nonce: String, opaque: Option<String>) -> Self {
        Self { nonce, opaque, client: String::new(), count: 0, first: None }
    }
}

impl Nonces {
    pub(super) fn new(given: Given<'_>) -> Self {
        let (before, fresh, asked) = Default::default();
        let hasher = RandomState::new();
        let first = given.uri.map(|uri| (hasher.hash_one(uri), given.nonce.clone()));
        let now = Counted::new(given.nonce, given.opaque);
        let (shared, rejected) = (false, false);
        let state = State { now, before, fresh, given: first.into_iter().collect(), shared, rejected, asked };
        Self { state: Mutex::new(state), hasher }
    }

    /// Counts one use up. No count of a nonce is given twice, however many ask at once.
    pub(super) fn used(&self, uri: &str) -> Result<Arc<Used>, BoxError> {
        let place = self.hasher.hash_one(uri);
        let mut state = self.lock();
        state.choose(place);
        let now = &mut state.now;
        if now.count == 0 {
            let mut random = [0; 16];
            getrandom::fill(&mut random)?;
            now.client = encode(&random);
        }
        now.count = now.count.checked_add(1).ok_or("the nonce was used four billion times")?;
        let (nonce, client, opaque) = (now.nonce.clone(), now.client.clone(), now.opaque.clone());
        let first = now.first.get_or_insert_with(|| Arc::new((nonce.clone(), client.clone()))).clone();
        let count = encode(&now.count.to_be_bytes());
        let used = Arc::new(Used { nonce, client, count, first, uri: uri.to_owned(), opaque });
        if state.asked.len() == ASKED {
            state.asked.pop_front();
        }
        state.asked.push_back(used.clone());
        Ok(used)
    }

    /// Takes the nonce of a challenge that says that the sent nonce is stale. Nonces that came with earlier successes
    /// are stale too.
    pub(super) fn stale(&self, given: Given<'_>, sent: Option<&str>) {
        let place = self.place(&given);
        let mut state = self.lock();
        state.fresh.retain(|fresh| fresh.challenge.is_some());
        // If the nonce is stale at the URL that got it, the nonces of other URLs are stale too.
        if place.zip(sent).is_some_and(|(place, sent)| state.was_given(place, sent)) {
            state.given.clear();
        }
        state.keep_given(place, given.nonce, given.opaque);
    }

    /// Takes the nonce of a challenge without `stale`. Returns whether the sent nonce may be the reason: it belongs to
    /// another URL, and no server has accepted a nonce elsewhere. Otherwise the server refuses the password.
    pub(super) fn refused(&self, given: Given<'_>, sent: Option<&str>) -> bool {
        let Some((place, sent)) = self.place(&given).zip(sent) else { return false };
        let mut state = self.lock();
        if state.was_given(place, sent) {
            state.rejected = true;
            return false;
        }
        let bound = !state.rejected && !state.shared && given.nonce != sent;
        if bound {
            state.keep_given(Some(place), given.nonce, given.opaque);
        }
        bound
    }

    /// Takes the nonce of the 401 to a request that was sent before this credential existed.
    pub(super) fn learnt(&self, given: Given<'_>) {
        let place = self.place(&given);
        self.lock().keep_given(place, given.nonce, given.opaque);
    }

    /// Records that the server accepted an answer for that URL.
    pub(super) fn accepted(&self, uri: &str) {
        let place = self.hasher.hash_one(uri);
        let mut state = self.lock();
        // A URL that never got a nonce used one of another URL.
        state.shared |= !state.given.iter().any(|(other, _)| *other == place);
    }

    /// Takes the nonce that came with a success. It serves the whole protection space (RFC 7615 §3).
    pub(super) fn next(&self, nonce: String) {
        let mut state = self.lock();
        state.shared = true;
        state.keep(Fresh { nonce, challenge: None, place: None });
    }

    /// The use that a server's proof is about, which is looked at once.
    pub(super) fn answered(&self, client: &str, count: &str) -> Option<Arc<Used>> {
        let mut state = self.lock();
        let place =
            state.asked.iter().position(|asked| asked.client == client && asked.count.eq_ignore_ascii_case(count))?;
        state.asked.remove(place)
    }

    fn place(&self, given: &Given<'_>) -> Option<Place> {
        given.uri.map(|uri| self.hasher.hash_one(uri))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}
