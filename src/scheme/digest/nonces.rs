//! The nonces of one protection space, and the counts of their uses.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard};

use super::hash::Hex;
use crate::BoxError;
use crate::util::{BoundedList, lock, quick_hash};

/// How many unused nonces are kept: as many as requests are refused at the same time.
const MAX_UNUSED: usize = 256;
/// How many URLs are remembered with their nonces, and how many earlier nonces with their counts.
const MAX_KNOWN: usize = 256;

/// The nonces that a server sent, and how often each was used.
///
/// Most servers accept a nonce at every URL. Some (cameras) bind a nonce to the URL whose 401 brought it, and refuse it
/// elsewhere without `stale`. Until a server accepts a nonce at another URL, each URL is answered with its own nonce.
pub(super) struct Nonces {
    state: Mutex<State>,
    /// The random key of the hashes.
    key: u64,
}

struct State {
    current: CountedNonce,
    /// The nonces that were used before. A server may return to one.
    earlier: BoundedList<CountedNonce, MAX_KNOWN>,
    /// The nonces that are not used yet. Each came with a 401 or a success, and serves at least one request.
    unused: BoundedList<UnusedNonce, MAX_UNUSED>,
    /// The nonces that came with a 401, each with the URL of that 401.
    by_url: BoundedList<UrlNonce, MAX_KNOWN>,
    /// Whether the server accepted a nonce at another URL than that of the 401 that brought it.
    is_shared: bool,
    /// Whether the server refused a nonce at the very URL whose 401 brought it, and did not call it stale. Then the
    /// password is wrong.
    is_rejected: bool,
}

/// The hash of a request target.
type TargetHash = u64;

/// A nonce, and how often it was used.
struct CountedNonce {
    nonce: Arc<str>,
    opaque: Option<Arc<str>>,
    /// The nonce of the client, made at the first use. Together with the count it distinguishes the uses.
    client: Arc<str>,
    count: u32,
    /// The nonces in the `-sess` key.
    session: Option<Arc<SessionNonces>>,
}

/// The nonces in the `-sess` key: those of the first request after a challenge (RFC 7616 §3.4.2).
pub(super) struct SessionNonces {
    pub(super) server: Arc<str>,
    pub(super) client: Arc<str>,
}

struct UnusedNonce {
    nonce: String,
    source: NonceSource,
    /// The URL whose 401 brought the nonce. `None` if it is not known, or if a success brought the nonce.
    target: Option<TargetHash>,
}

enum NonceSource {
    /// A challenge, which begins a new `-sess` key.
    Challenge { opaque: Option<String> },
    /// A success, which continues the key and the `opaque`.
    Success,
}

struct UrlNonce {
    target: TargetHash,
    nonce: String,
}

/// One use of a nonce.
pub(super) struct NonceUse {
    pub(super) nonce: Arc<str>,
    pub(super) client: Arc<str>,
    /// Eight hexadecimal digits.
    pub(super) count: Hex,
    pub(super) session: Arc<SessionNonces>,
    pub(super) opaque: Option<Arc<str>>,
}

/// The nonce of a challenge.
pub(super) struct ChallengeNonce<'u> {
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    /// The target of the request that got the challenge, if it is known.
    pub(super) uri: Option<&'u str>,
}

impl State {
    /// Keeps a nonce if it is new. Several responses at once may name the same one.
    fn add_unused(&mut self, unused: UnusedNonce) {
        if *unused.nonce != *self.current.nonce && !self.unused.iter().any(|other| other.nonce == unused.nonce) {
            self.unused.push(unused);
        }
    }

    /// Keeps a nonce that came with a 401.
    fn add_challenge_nonce(&mut self, target: Option<TargetHash>, nonce: String, opaque: Option<String>) {
        if let Some(target) = target.filter(|target| !self.has_given(*target, &nonce)) {
            self.by_url.push(UrlNonce { target, nonce: nonce.clone() });
        }
        self.add_unused(UnusedNonce { nonce, source: NonceSource::Challenge { opaque }, target });
    }

    /// Whether a 401 of this URL brought this nonce.
    fn has_given(&self, target: TargetHash, nonce: &str) -> bool {
        self.by_url.iter().any(|given| given.target == target && given.nonce == nonce)
    }

    /// Chooses the nonce for the next request to this URL: an unused one of the URL, an unused one that any URL may use, or
    /// the last one of the URL.
    fn choose(&mut self, target: TargetHash) {
        let is_shared = self.is_shared;
        let own = self.unused.take(|unused| unused.target == Some(target));
        let unused = own.or_else(|| self.unused.take(|unused| is_shared || unused.target.is_none()));
        if let Some(unused) = unused {
            self.use_unused(unused);
        } else if !is_shared
            && let Some(given) = self.by_url.iter().rev().find(|given| given.target == target)
            && *given.nonce != *self.current.nonce
        {
            self.switch_to(given.nonce.clone());
        }
    }

    fn use_unused(&mut self, unused: UnusedNonce) {
        let (opaque, session) = match unused.source {
            NonceSource::Challenge { opaque } => (opaque.map(Arc::from), None),
            NonceSource::Success => (self.current.opaque.clone(), self.current.session.clone()),
        };
        self.switch_to(unused.nonce);
        (self.current.opaque, self.current.session) = (opaque, session);
    }

    /// Uses this nonce from now on. If it was used before, its count continues.
    fn switch_to(&mut self, nonce: String) {
        if *nonce == *self.current.nonce {
            return;
        }
        let known = self.earlier.take(|other| *other.nonce == *nonce);
        let opaque = self.current.opaque.clone();
        let next = known.unwrap_or_else(|| CountedNonce::new(nonce, opaque));
        let previous = std::mem::replace(&mut self.current, next);
        self.earlier.push(previous);
    }
}

impl CountedNonce {
    fn new(nonce: String, opaque: Option<Arc<str>>) -> Self {
        Self { nonce: nonce.into(), opaque, client: Arc::default(), count: 0, session: None }
    }
}

impl Nonces {
    pub(super) fn new(given: ChallengeNonce<'_>) -> Self {
        let key = RandomState::new().hash_one(0);
        let mut by_url = BoundedList::new();
        if let Some(uri) = given.uri {
            by_url.push(UrlNonce { target: quick_hash(key, uri.as_bytes()), nonce: given.nonce.clone() });
        }
        let state = State {
            current: CountedNonce::new(given.nonce, given.opaque.map(Arc::from)),
            earlier: BoundedList::new(),
            unused: BoundedList::new(),
            by_url,
            is_shared: false,
            is_rejected: false,
        };
        Self { state: Mutex::new(state), key }
    }

    /// Chooses a nonce for a request and counts its use. No count of a nonce is returned twice.
    pub(super) fn use_one(&self, uri: &str) -> Result<NonceUse, BoxError> {
        let target = quick_hash(self.key, uri.as_bytes());
        let mut state = self.lock();
        state.choose(target);
        let current = &mut state.current;
        if current.count == 0 {
            let mut random = [0; 16];
            getrandom::fill(&mut random)?;
            current.client = Hex::of(&random).to_text();
        }
        current.count = current.count.checked_add(1).ok_or("the nonce was used four billion times")?;
        let (nonce, client, opaque) = (current.nonce.clone(), current.client.clone(), current.opaque.clone());
        let first = || Arc::new(SessionNonces { server: nonce.clone(), client: client.clone() });
        let session = current.session.get_or_insert_with(first).clone();
        let count = Hex::of(&current.count.to_be_bytes());
        Ok(NonceUse { nonce, client, count, session, opaque })
    }

    /// Takes the nonce of a challenge with `stale=true`: the sent nonce is too old. Nonces that came with earlier successes
    /// are stale too.
    pub(super) fn replace_stale(&self, given: ChallengeNonce<'_>, sent: Option<&str>) {
        let target = self.target(&given);
        let mut state = self.lock();
        state.unused.retain(|unused| matches!(unused.source, NonceSource::Challenge { .. }));
        // If the nonce is stale at the URL whose 401 brought it, the nonces of other URLs are stale too.
        if target.zip(sent).is_some_and(|(target, sent)| state.has_given(target, sent)) {
            state.by_url.clear();
        }
        state.add_challenge_nonce(target, given.nonce, given.opaque);
    }

    /// Takes the nonce of a challenge without `stale`. Returns whether the sent nonce may be the reason: it belongs to
    /// another URL, and the server has accepted no nonce elsewhere. Otherwise the server refuses the password.
    pub(super) fn replace_refused(&self, given: ChallengeNonce<'_>, sent: Option<&str>) -> bool {
        let Some((target, sent)) = self.target(&given).zip(sent) else { return false };
        let mut state = self.lock();
        if state.has_given(target, sent) {
            state.is_rejected = true;
            return false;
        }
        let is_bound = !state.is_rejected && !state.is_shared && given.nonce != sent;
        if is_bound {
            state.add_challenge_nonce(Some(target), given.nonce, given.opaque);
        }
        is_bound
    }

    /// Takes the nonce of the 401 to a request that was sent before this credential existed.
    pub(super) fn add_earlier(&self, given: ChallengeNonce<'_>) {
        let target = self.target(&given);
        self.lock().add_challenge_nonce(target, given.nonce, given.opaque);
    }

    /// Records that the server accepted an answer for this URL.
    pub(super) fn record_accepted(&self, uri: &str) {
        let target = quick_hash(self.key, uri.as_bytes());
        let mut state = self.lock();
        // If no 401 of this URL brought a nonce, the answer had the nonce of another URL.
        state.is_shared |= !state.by_url.iter().any(|given| given.target == target);
    }

    /// Takes the nonce that came with a success. It serves the whole protection space (RFC 7615 §3).
    pub(super) fn add_next(&self, nonce: String) {
        let mut state = self.lock();
        state.is_shared = true;
        state.add_unused(UnusedNonce { nonce, source: NonceSource::Success, target: None });
    }

    /// The nonces in the `-sess` key of a nonce that was used.
    pub(super) fn session_of(&self, nonce: &str) -> Option<Arc<SessionNonces>> {
        let state = self.lock();
        let mut known = std::iter::once(&state.current).chain(state.earlier.iter());
        known.find(|known| *known.nonce == *nonce)?.session.clone()
    }

    fn target(&self, given: &ChallengeNonce<'_>) -> Option<TargetHash> {
        given.uri.map(|uri| quick_hash(self.key, uri.as_bytes()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}
