//! A session on the scheduler of the model checker, and its callers.

use std::future::{Future, poll_fn};
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use shuttle::future::{JoinHandle, spawn};
use shuttle::sync::atomic::AtomicUsize;
use shuttle::sync::{Arc, Mutex};

use crate::session::flight_request::{FailureMemory, FlightRequest, NoCredential, Purpose};
use crate::session::slot::{Held, RenewalTimes};
use crate::session::slots::Key;
use crate::session::state::State;
use crate::session::step::{Completion, FlightId, Outcome, Start, Step};
use crate::session::sync::lock;

/// The name of a slot. Zero is the main slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Name(pub(crate) u8);

impl Key for Name {
    fn inherits_main(&self) -> bool {
        true
    }

    fn budget_key(&self) -> Self {
        *self
    }
}

/// The name under which the refresher of a login is counted, because it runs beside that of a renewal.
pub(crate) const AT_LOGIN: Name = Name(3);
/// The time of the credential of a login. It distinguishes this credential from others.
pub(crate) fn at_login() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1)
}

type Model = State<u64, &'static str, u8, Name>;

/// Uses the state like the session of the crate, without the timers of a runtime.
pub(crate) struct Session {
    state: Mutex<Model>,
    refreshing: [AtomicUsize; 4],
    pub(crate) refreshes: AtomicUsize,
    /// Credentials that arrived after a logout.
    pub(crate) forgotten: AtomicUsize,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    fails: bool,
}

impl Session {
    pub(crate) fn new(fails: bool) -> Arc<Self> {
        Self::with_slots(8, fails)
    }

    /// A session with at most that many slots beside the main one.
    pub(crate) fn with_slots(max_slots: usize, fails: bool) -> Arc<Self> {
        let (refreshing, refreshes, forgotten) = Default::default();
        let (state, tasks) = (Mutex::new(State::new(max_slots)), Mutex::new(Vec::new()));
        Arc::new(Self { state, refreshing, refreshes, forgotten, tasks, fails })
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        let mut state = lock(&self.state);
        let done = change(&mut state);
        let ended = state.take_ended();
        drop(state);
        for flight in ended {
            flight.complete();
        }
        done
    }

    pub(crate) fn held(&self) -> Arc<Held<u64, u8>> {
        lock(&self.state).held().clone()
    }

    pub(crate) fn request(&self, demand: u8) -> FlightRequest<u8, Name> {
        self.request_in(0, demand)
    }

    /// The request of a caller in that slot whose held credential was refused.
    pub(crate) fn request_in(&self, slot: u8, demand: u8) -> FlightRequest<u8, Name> {
        let held = lock(&self.state).held_in(&Name(slot));
        FlightRequest {
            purpose: Purpose::Renew,
            slot: Name(slot),
            epoch: held.epoch,
            generation: held.generation,
            failures: held.failures,
            demand,
            question_id: 0,
            is_unsigned: held.credential.is_none() && slot == 0,
            is_early: false,
            may_start: true,
            min_age: None,
        }
    }

    pub(crate) async fn renew(self: &Arc<Self>, request: &FlightRequest<u8, Name>) -> Outcome<u64, &'static str, u8> {
        loop {
            match self.change(|state| state.next(request, || SystemTime::UNIX_EPOCH)) {
                Step::Use(held) => return Ok(held),
                Step::Refuse(ended) => return Err(ended),
                Step::Await(_, wait) => drop(wait.await),
                Step::Join(_, wait) => return wait.await,
                Step::Start(start) => return self.start(start, request.slot, request.epoch).await,
            }
        }
    }

    /// Logs in, or joins the login in progress.
    pub(crate) async fn login(self: &Arc<Self>) -> Outcome<u64, &'static str, u8> {
        match self.change(State::login) {
            Step::Start(start) => {
                let epoch = start.held.epoch;
                self.start(start, AT_LOGIN, epoch).await
            }
            Step::Join(_, wait) => wait.await,
            _ => panic!("a login starts or joins"),
        }
    }

    pub(crate) async fn start(
        self: &Arc<Self>,
        start: Start<u64, &'static str, u8>,
        slot: Name,
        epoch: u64,
    ) -> Outcome<u64, &'static str, u8> {
        let (session, number) = (self.clone(), start.number);
        let task = spawn(async move { session.refresh(number, slot, epoch).await });
        lock(&self.tasks).push(task);
        start.wait.await
    }

    /// Waits for all tasks, and checks that no caller still waits.
    pub(crate) async fn wait_until_saved(&self) {
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        for task in tasks {
            task.await.expect("it ends");
        }
        assert_eq!(lock(&self.state).waiting(1), 0);
    }

    async fn refresh(&self, number: u64, slot: Name, epoch: u64) {
        let refreshing = &self.refreshing[usize::from(slot.0)];
        let running = refreshing.fetch_add(1, Ordering::SeqCst);
        // A logout ends a flight, but its refresher goes on. Only then can a slot have two refreshers.
        assert!(running == 0 || self.held().epoch > epoch, "two refreshers run at once");
        let call = self.refreshes.fetch_add(1, Ordering::SeqCst) + 1;
        shuttle::future::yield_now().await;
        refreshing.fetch_sub(1, Ordering::SeqCst);
        if self.fails && call == 1 {
            let memory = FailureMemory { span: Duration::ZERO, early_span: Duration::ZERO, is_for_slot: false };
            return self
                .change(|state| state.fail(number, NoCredential::Failed("down"), SystemTime::UNIX_EPOCH, memory));
        }
        let completion = self.change(|state| {
            let since = if slot == AT_LOGIN { at_login() } else { SystemTime::UNIX_EPOCH };
            state.complete(FlightId { number, epoch }, credential_of(slot, call), RenewalTimes::default(), since)
        });
        if let Completion::Forget(_) = completion {
            self.forgotten.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// The credential that a refresh obtains for a slot.
fn credential_of(slot: Name, call: usize) -> u64 {
    (call as u64) << 8 | u64::from(slot.0)
}

/// The slot for which a credential was obtained.
pub(crate) fn slot_of(credential: u64) -> u8 {
    (credential & 0xff) as u8
}

pub(crate) type Caller = JoinHandle<Outcome<u64, &'static str, u8>>;

/// A caller that polls its renewal once and is dropped.
pub(crate) fn dropped_caller(session: &Arc<Session>, request: FlightRequest<u8, Name>) -> JoinHandle<()> {
    let session = session.clone();
    spawn(async move {
        let mut renewal = Box::pin(session.renew(&request));
        poll_fn(|context| Poll::Ready(drop(renewal.as_mut().poll(context)))).await;
    })
}

/// Callers that were all refused with the credential that is held now.
pub(crate) fn callers<const N: usize>(session: &Arc<Session>, requests: [FlightRequest<u8, Name>; N]) -> [Caller; N] {
    requests.map(|request| {
        let session = session.clone();
        spawn(async move { session.renew(&request).await })
    })
}
