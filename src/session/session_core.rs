//! The state that all clones of one middleware share, and what every operation on it needs: refresher, clock, timing.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use smallvec::SmallVec;

use super::accepted_generations::AcceptedGenerations;
use super::budget::Spent;
use super::event::Event;
use super::flight_request::Purpose;
use super::listeners::Listeners;
use super::skew::Skew;
use super::state::State;
use super::sync::lock;
use super::task_list::{FlightTasks, TaskCount};
use super::types::{Current, SessionState};
use crate::credential::{Credential, SlotKey};
use crate::error::{RefreshError, Signed};
use crate::origin::{Origin, Origins};
use crate::refresh::{Clock, Refresh, RefreshReason, RefreshSession, refresh_client};
use crate::util::{ClockSkew, clamped, timeout};

/// The spans of time and the limit of a session. The builder sets them and documents their defaults.
#[derive(Clone, Debug)]
pub(crate) struct Timing {
    /// How long before its expiry a credential is renewed, at most a tenth of its lifetime.
    pub(crate) expiry_margin: Duration,
    /// How long a temporary failure is remembered. Calls get it during that time, and no refresh starts.
    pub(crate) transient_backoff: Duration,
    /// How long a final failure is remembered. Calls get it during that time, and no refresh starts.
    pub(crate) failure_cooldown: Duration,
    /// The span before a renewal is due in which a credential is renewed in the background.
    pub(crate) background_span: Option<Duration>,
    /// How many partitions and resources have a slot.
    pub(crate) max_slots: usize,
    /// How long a refresh may take. `None` for the refresher's own timeout.
    pub(crate) refresh_timeout: Option<Duration>,
}

/// What a session is built from.
pub(crate) struct SessionConfig {
    pub(crate) refresher: Arc<dyn Refresh>,
    pub(crate) initial_credential: Option<Credential>,
    /// At least one.
    pub(crate) origins: Origins,
    pub(crate) timing: Arc<Timing>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether the session learns from the dates of responses how wrong its clock is.
    pub(crate) reads_dates: bool,
    pub(crate) refresh_client: Option<reqwest::Client>,
    pub(crate) listeners: Listeners,
}

/// The numbers of sessions.
pub(super) type SessionIds = SmallVec<[usize; 4]>;

tokio::task_local! {
    /// The sessions whose refreshers run above this task, the outermost first.
    pub(super) static REFRESHING_SESSIONS: SessionIds;
}

/// How many sessions were created. Each session gets a new number, also after another session was dropped.
static SESSIONS: AtomicUsize = AtomicUsize::new(0);

/// The state that all clones of one middleware share.
pub(crate) struct SessionCore {
    pub(super) id: usize,
    pub(super) state: Mutex<SessionState>,
    /// A copy of what the main slot holds, which is read without a lock.
    pub(super) current: ArcSwap<Current>,
    pub(super) flight_tasks: Mutex<FlightTasks>,
    pub(super) task_count: Arc<TaskCount>,
    pub(super) refresher: Arc<dyn Refresh>,
    accepted: AcceptedGenerations,
    /// At least one.
    pub(super) origins: Origins,
    pub(super) timing: Arc<Timing>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) skew: Skew,
    pub(super) listeners: Listeners,
    refresh_client: OnceLock<reqwest::Client>,
}

impl SessionCore {
    pub(crate) fn new(config: SessionConfig) -> Arc<Self> {
        let SessionConfig {
            refresher,
            initial_credential,
            origins,
            timing,
            clock,
            reads_dates,
            refresh_client,
            listeners,
        } = config;
        let state = State::new(timing.max_slots);
        let core = Arc::new(Self {
            id: SESSIONS.fetch_add(1, Ordering::Relaxed),
            current: ArcSwap::new(state.held().clone()),
            state: Mutex::new(state),
            accepted: AcceptedGenerations::default(),
            flight_tasks: Mutex::default(),
            task_count: Arc::default(),
            refresher,
            origins,
            timing,
            clock,
            skew: if reads_dates { Skew::default() } else { Skew::off() },
            listeners,
            refresh_client: refresh_client.map(OnceLock::from).unwrap_or_default(),
        });
        if let Some(credential) = initial_credential {
            let renew_at = core.renewal_times(Purpose::Initial, &credential);
            core.change(|state| state.begin(credential, renew_at));
        }
        core
    }

    /// What the main slot holds now. Takes no lock.
    pub(crate) fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }

    /// What a request of this slot carries now.
    // Inlined for the row `Get` of the benchmark `engine`.
    #[inline]
    pub(crate) fn current_in(&self, slot: &SlotKey) -> Arc<Current> {
        if *slot == SlotKey::Main { self.current() } else { lock(&self.state).held_in(slot) }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// How long a refresh may take.
    pub(super) fn refresh_timeout(&self) -> Duration {
        self.timing.refresh_timeout.unwrap_or_else(|| clamped(self.refresher.timeout()))
    }

    pub(crate) fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// Changes the state, publishes what the main slot holds, and completes the flights that ended.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut SessionState) -> T) -> T {
        let mut state = lock(&self.state);
        let result = change(&mut state);
        if let Some(held) = state.take_changed() {
            self.current.store(held.clone());
        }
        let ended = state.take_ended();
        drop(state);
        // Outside of the lock: a waiter that is woken reads the state at once.
        for flight in ended {
            flight.complete();
        }
        result
    }

    /// Marks the credential with which a call was signed as invalid. If the caller requests it, remembered failures
    /// are cleared too.
    pub(crate) fn invalidate(&self, signed: Option<Signed>, by_caller: bool) -> bool {
        signed.is_some_and(|signed| self.change(|state| state.invalidate(signed.epoch, signed.generation, by_caller)))
    }

    /// Records that the server refused the credential with which a call was signed.
    pub(crate) fn was_refused(&self, signed: Option<Signed>) {
        let Some(Signed { epoch, generation }) = signed else { return };
        // A credential that has worked shows that the refresh helped.
        let now = (!self.is_accepted(generation)).then(|| self.now());
        let spent = self.change(|state| match now {
            Some(now) => state.refused(epoch, generation, now),
            None => {
                state.drop_kept(generation);
                None
            }
        });
        self.report_spent(spent);
    }

    /// Reports that a budget is spent, if it is.
    pub(super) fn report_spent(&self, spent: Option<Spent>) {
        if let Some(Spent { pause, is_of_session }) = spent {
            self.listeners.count(|| Event::BudgetExhausted { pause, whole_session: is_of_session });
        }
    }

    /// Records that the server accepted the credential of this generation. Returns whether this is new.
    #[cold]
    pub(crate) fn was_accepted(&self, generation: u64) -> bool {
        let is_new = generation != 0 && self.accepted.add(generation);
        if is_new {
            self.change(|state| state.accepted(generation));
        }
        is_new
    }

    /// Whether the server is known to have accepted the credential of this generation.
    #[inline]
    pub(crate) fn is_accepted(&self, generation: u64) -> bool {
        self.accepted.contains(generation)
    }

    /// The slot that holds the credential with which a call was signed, if it is still held.
    pub(crate) fn slot_of(&self, signed: Option<Signed>) -> Option<SlotKey> {
        signed.and_then(|signed| lock(&self.state).holder(signed.generation))
    }

    /// Whether the refresher holds a credential that is not saved.
    pub(crate) fn holds_unsaved(&self) -> bool {
        self.refresher.holds_unsaved()
    }

    /// The configuration of a session with the same settings and another refresher, without a credential.
    pub(crate) fn config_with(&self, refresher: Arc<dyn Refresh>) -> SessionConfig {
        SessionConfig {
            refresher,
            initial_credential: None,
            origins: self.origins.clone(),
            timing: self.timing.clone(),
            clock: self.clock.clone(),
            reads_dates: !self.skew.is_off(),
            refresh_client: self.refresh_client.get().cloned(),
            listeners: self.listeners.clone(),
        }
    }

    /// Lends this client to the refresher, unless it has one.
    pub(crate) fn lend_refresh_client(&self, client: &reqwest::Client) {
        self.refresh_client.get_or_init(|| client.clone());
    }

    /// Whether the refresher is called before a server has refused something.
    pub(crate) fn answers_without_challenge(&self) -> bool {
        !self.refresher.needs_challenge()
    }

    /// Waits until no task of this session runs, for `bound` at most. Returns whether all tasks have ended.
    pub(crate) async fn wait_until_saved(&self, bound: Duration) -> bool {
        timeout(bound, pin!(self.task_count.wait_for_none())).await.is_some()
    }

    /// The first origin of the middleware.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origins[0]
    }
}

impl RefreshSession for SessionCore {
    fn waiting(&self, flight: u64) -> usize {
        lock(&self.state).waiting(flight)
    }

    fn clock_skew(&self) -> Option<ClockSkew> {
        self.skew.current()
    }

    fn save_failed(&self, reason: RefreshReason, error: String) {
        self.listeners.count(|| Event::SaveFailed { reason, error });
    }

    fn http_client(&self) -> Result<reqwest::Client, RefreshError> {
        if let Some(client) = self.refresh_client.get() {
            return Ok(client.clone());
        }
        let client = refresh_client()?;
        Ok(self.refresh_client.get_or_init(|| client).clone())
    }
}
