//! The state that all clones of one middleware share, and the tasks that change it.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use smallvec::SmallVec;

use super::flight_request::Purpose;
use super::listeners::Listeners;
use super::state::State;
use super::sync::lock;
use super::task_list::{Aborts, Tasks};
use super::types::{Current, Known};
use crate::credential::Credential;
use crate::credential::SlotKey;
use crate::error::RefreshError;
use crate::origin::Origin;
use crate::refresh::Refresh;
use crate::refresh::{Clock, RefreshSession, refresh_client};
use crate::util::{clamped, timeout};

/// The spans of time that a session lives by; each default has its reason where the builder sets it.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// How long before its expiry a credential is renewed, at most a tenth of its lifetime.
    pub(crate) skew: Duration,
    /// How long a passing failure is answered from memory.
    pub(crate) back_off: Duration,
    /// How long a final failure is answered from memory.
    pub(crate) cool_down: Duration,
    /// How long before its renewal is due it is renewed in the background.
    pub(crate) ahead: Option<Duration>,
    /// How long a refresh may take, in place of the refresher's own word.
    pub(crate) refresh: Option<Duration>,
}

/// How many partitions and resources have a slot. A client uses fewer at the same time.
const PARTITIONS: usize = 256;

/// How many generations are remembered as accepted: with up to as many slots, a success needs no lock.
const ACCEPTED: usize = 64;

/// Sessions, by their numbers.
pub(super) type Ancestry = SmallVec<[usize; 4]>;

tokio::task_local! {
    /// The sessions whose refreshers are at work above the running task.
    pub(super) static ANCESTRY: Ancestry;
}

/// How many sessions there were: each has another number, also after a session is gone.
static SESSIONS: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct Core {
    pub(super) id: usize,
    pub(super) state: Mutex<Known>,
    /// What `state` holds, for those who only look.
    pub(super) current: ArcSwap<Current>,
    pub(super) aborts: Mutex<Aborts>,
    pub(super) tasks: Arc<Tasks>,
    pub(super) refresher: Arc<dyn Refresh>,
    /// The last generations that the server accepted.
    accepted: [AtomicU64; ACCEPTED],
    /// There is one at least.
    pub(super) origins: Box<[Origin]>,
    pub(super) bounds: Bounds,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) listeners: Listeners,
    http: OnceLock<reqwest::Client>,
}

impl Core {
    pub(crate) fn new(
        (refresher, initially): (Arc<dyn Refresh>, Option<Credential>),
        origins: Box<[Origin]>,
        bounds: Bounds,
        clock: Arc<dyn Clock>,
        http: Option<reqwest::Client>,
        listeners: Listeners,
    ) -> Arc<Self> {
        let state = State::new(PARTITIONS);
        let core = Arc::new(Self {
            id: SESSIONS.fetch_add(1, Ordering::Relaxed),
            current: ArcSwap::new(state.held().clone()),
            state: Mutex::new(state),
            accepted: [const { AtomicU64::new(0) }; ACCEPTED],
            aborts: Mutex::default(),
            tasks: Arc::default(),
            refresher,
            origins,
            bounds,
            clock,
            listeners,
            http: http.map(OnceLock::from).unwrap_or_default(),
        });
        if let Some(credential) = initially {
            let due = core.due(Purpose::Initial, &credential);
            core.change(|state| state.begin(credential, due));
        }
        core
    }

    /// What is held now, without a lock.
    pub(crate) fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }

    /// What a request of that slot carries now.
    pub(crate) fn current_in(&self, slot: &SlotKey) -> Arc<Current> {
        if *slot == SlotKey::Main { self.current() } else { lock(&self.state).held_in(slot) }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// How long a refresh may take.
    pub(super) fn bound(&self) -> Duration {
        self.bounds.refresh.unwrap_or_else(|| clamped(self.refresher.timeout()))
    }

    pub(crate) fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// Changes the state and shows the change to those who only look.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        let mut state = lock(&self.state);
        let done = change(&mut state);
        if let Some(held) = state.changed() {
            self.current.store(held.clone());
        }
        let ended = state.ended();
        drop(state);
        // A woken caller sees the change, and may make another one.
        for (flight, outcome) in ended {
            flight.land(outcome);
        }
        done
    }

    /// Marks the credential with which a call was signed as invalid. If the caller asks for that, remembered failures
    /// are cleared.
    pub(crate) fn invalidate(&self, signed: Option<(u64, u64)>, by_caller: bool) -> bool {
        signed.is_some_and(|(epoch, generation)| self.change(|state| state.invalidate(epoch, generation, by_caller)))
    }

    /// Records that the server refused the credential with which a call was signed.
    pub(crate) fn was_refused(&self, signed: Option<(u64, u64)>) {
        let Some((epoch, generation)) = signed else { return };
        // A credential that has worked shows that the refresh helped.
        let now = (!self.is_accepted(generation)).then(|| self.now());
        self.change(|state| match now {
            Some(now) => state.refused(epoch, generation, now),
            None => drop(state.drop_kept(generation)),
        });
    }

    /// Records that the server accepted the credential of that generation. Returns whether this is new.
    #[cold]
    pub(crate) fn was_accepted(&self, generation: u64) -> bool {
        let place = &self.accepted[generation as usize % ACCEPTED];
        let is_new = generation != 0 && place.swap(generation, Ordering::Relaxed) != generation;
        if is_new {
            self.change(|state| state.accepted(generation));
        }
        is_new
    }

    /// Whether the server is known to have accepted the credential of that generation.
    #[inline]
    pub(crate) fn is_accepted(&self, generation: u64) -> bool {
        self.accepted[generation as usize % ACCEPTED].load(Ordering::Relaxed) == generation
    }

    /// The slot that holds the credential with which a call was signed, if it is still held.
    pub(crate) fn slot_of(&self, signed: Option<(u64, u64)>) -> Option<SlotKey> {
        signed.and_then(|(_, generation)| lock(&self.state).holder(generation))
    }

    /// Whether the refresher is asked before a server has refused something.
    pub(crate) fn answers_without_challenge(&self) -> bool {
        !self.refresher.needs_challenge()
    }

    /// Waits until no task of this session is at work, for that long at most; returns whether it came to that.
    pub(crate) async fn wait_until_saved(&self, bound: Duration) -> bool {
        let none_left = async {
            loop {
                let ended = self.tasks.ended.notified();
                if self.tasks.count.load(Ordering::SeqCst) == 0 {
                    return;
                }
                ended.await;
            }
        };
        timeout(bound, pin!(none_left)).await.is_some()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origins[0]
    }
}

impl RefreshSession for Core {
    fn waiting(&self, flight: u64) -> usize {
        lock(&self.state).waiting(flight)
    }

    fn http_client(&self) -> Result<reqwest::Client, RefreshError> {
        if let Some(client) = self.http.get() {
            return Ok(client.clone());
        }
        let client = refresh_client()?;
        Ok(self.http.get_or_init(|| client).clone())
    }
}
