//! A model checker runs the flight and the state machine: the crate's own files, on a scheduler that tries the orders in
//! which threads can run.
//!
//! `cargo run --release --manifest-path model/Cargo.toml` prints a table. If a schedule breaks an assertion or blocks a
//! caller for ever, the program ends with that schedule.

#[allow(dead_code, reason = "the crate uses what the model does not")]
mod session;

use std::future::{Future, poll_fn};
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use session::flight_request::{FailureMemory, FlightRequest, NoCredential, Purpose};
use session::slot::{Held, RenewalTimes, Stage};
use session::slots::Key;
use session::state::State;
use session::step::{Completion, FlightId, Outcome, Start, Step};
use session::sync::lock;
use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::sync::atomic::AtomicUsize;
use shuttle::sync::{Arc, Mutex};

/// Names a slot: zero is the main one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Name(u8);

impl Key for Name {
    fn inherits_main(&self) -> bool {
        true
    }

    fn budget_key(&self) -> Self {
        *self
    }
}

/// Where a login's refresher is counted: it works beside a renewal's.
const AT_LOGIN: Name = Name(3);
/// When the credential of a login came, by which it is told from others.
fn at_login() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1)
}

type Model = State<u64, &'static str, u8, Name>;

/// What the crate's own session does with the state, without a runtime's timers.
struct Session {
    state: Mutex<Model>,
    refreshing: [AtomicUsize; 4],
    refreshes: AtomicUsize,
    forgotten: AtomicUsize,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    fails: bool,
}

impl Session {
    fn new(fails: bool) -> Arc<Self> {
        let (refreshing, refreshes, forgotten) = Default::default();
        let (state, tasks) = (Mutex::new(State::new(8)), Mutex::new(Vec::new()));
        Arc::new(Self { state, refreshing, refreshes, forgotten, tasks, fails })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        let mut state = lock(&self.state);
        let done = change(&mut state);
        let ended = state.take_ended();
        drop(state);
        for flight in ended {
            flight.complete();
        }
        done
    }

    fn held(&self) -> Arc<Held<u64, u8>> {
        lock(&self.state).held().clone()
    }

    fn ask(&self, demand: u8) -> FlightRequest<u8, Name> {
        self.ask_in(0, demand)
    }

    /// The demand of a slot's requests for which the held credential was refused.
    fn ask_in(&self, slot: u8, demand: u8) -> FlightRequest<u8, Name> {
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

    async fn renew(self: &Arc<Self>, ask: &FlightRequest<u8, Name>) -> Outcome<u64, &'static str, u8> {
        loop {
            match self.change(|state| state.next(ask, || SystemTime::UNIX_EPOCH)) {
                Step::Use(held) => return Ok(held),
                Step::Refuse(ended) => return Err(ended),
                Step::Await(_, wait) => drop(wait.await),
                Step::Join(_, wait) => return wait.await,
                Step::Start(start) => return self.start(start, ask.slot, ask.epoch).await,
            }
        }
    }

    async fn start(
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
    async fn wait_until_saved(&self) {
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        for task in tasks {
            task.await.expect("it ends");
        }
        assert_eq!(lock(&self.state).waiting(1), 0);
    }

    async fn refresh(&self, number: u64, slot: Name, epoch: u64) {
        let at_work = &self.refreshing[usize::from(slot.0)];
        let others = at_work.fetch_add(1, Ordering::SeqCst);
        // A logout ends a flight, but its refresher goes on. Only then can a slot have two refreshers.
        assert!(others == 0 || self.held().epoch > epoch, "two refreshers at work");
        let call = self.refreshes.fetch_add(1, Ordering::SeqCst) + 1;
        shuttle::future::yield_now().await;
        at_work.fetch_sub(1, Ordering::SeqCst);
        if self.fails && call == 1 {
            let rest = FailureMemory { span: Duration::ZERO, early_span: Duration::ZERO, is_for_slot: false };
            return self.change(|state| state.fail(number, NoCredential::Failed("down"), SystemTime::UNIX_EPOCH, rest));
        }
        let landed = self.change(|state| {
            let since = if slot == AT_LOGIN { at_login() } else { SystemTime::UNIX_EPOCH };
            state.complete(FlightId { number, epoch }, call as u64, RenewalTimes::default(), since)
        });
        if let Completion::Forget(_) = landed {
            self.forgotten.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Three callers of one generation.
fn herd() {
    block_on(async {
        let session = Session::new(false);
        let callers = callers(&session, [0; 3].map(|demand| session.ask(demand)));
        for caller in callers {
            assert!(caller.await.expect("it ends").is_ok());
        }
        session.wait_until_saved().await;
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 1);
    });
}

/// Three callers, of whom one goes away.
fn leaver() {
    block_on(async {
        let session = Session::new(false);
        let ask = session.ask(0);
        let (leaves, stay) = (leaver_of(&session, ask.clone()), callers(&session, [ask.clone(), ask]));
        for caller in stay {
            assert!(caller.await.expect("it ends").is_ok());
        }
        leaves.await.expect("it ends");
        session.wait_until_saved().await;
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 1);
    });
}

/// Three callers who were signed before a failure share it.
fn failure() {
    block_on(async {
        let session = Session::new(true);
        let callers = callers(&session, [0; 3].map(|demand| session.ask(demand)));
        for caller in callers {
            assert_eq!(caller.await.expect("it ends").err(), Some(NoCredential::Failed("down")));
        }
        session.wait_until_saved().await;
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 1);
    });
}

/// A caller, another with a demand, and a third with the same demand: never two at work, two in all.
fn demands() {
    block_on(async {
        let session = Session::new(false);
        let callers = callers(&session, [0, 1, 1].map(|demand| session.ask(demand)));
        for caller in callers {
            assert!(caller.await.expect("it ends").is_ok());
        }
        session.wait_until_saved().await;
        assert!(session.refreshes.load(Ordering::SeqCst) <= 2);
    });
}

/// Three callers and a logout. A caller that comes too late gets an error, and no credential is held after the logout.
fn logout() {
    block_on(async {
        let session = Session::new(false);
        let callers = callers(&session, [0; 3].map(|demand| session.ask(demand)));
        let leaves = session.clone();
        let logout = spawn(async move { leaves.change(State::logout) });
        let mut held = 0;
        for caller in callers {
            match caller.await.expect("it ends") {
                Ok(_) => held += 1,
                Err(ended) => assert_eq!(ended, NoCredential::LoggedOut),
            }
        }
        session.wait_until_saved().await;
        let forgotten = logout.await.expect("it ends").is_some_and(|held| held.iter().any(|(_, credential)| credential.is_some()));
        assert_eq!((session.held().credential, session.held().stage), (None, Stage::LoggedOut));
        assert!(session.refreshes.load(Ordering::SeqCst) <= 1);
        assert!(held == 0 || forgotten, "the logout forgets a credential that a caller had");
    });
}

/// Callers of two partitions. Each partition has its own flight and does not wait for the other.
fn partitions() {
    block_on(async {
        let session = Session::new(false);
        let asks = [session.ask_in(1, 0), session.ask_in(1, 0), session.ask_in(2, 0)];
        let mut credentials = Vec::new();
        for caller in callers(&session, asks) {
            let held = caller.await.expect("it ends").expect("there is one");
            credentials.push(held.credential);
        }
        session.wait_until_saved().await;
        assert_eq!(credentials[0], credentials[1]);
        assert_ne!(credentials[0], credentials[2]);
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 2);
    });
}

/// A login beside a renewal of the held identity. The callers of the renewal get the old identity's credential, or
/// learn that the session changed. No call of the old epoch gets the new identity's credential.
fn login() {
    block_on(async {
        let session = Session::new(false);
        session.change(|state| state.begin(100, RenewalTimes::default()));
        let asks = [session.ask(0), session.ask(0)];
        let old = session.held().epoch;
        let callers = callers(&session, asks);
        let logs_in = session.clone();
        let login = spawn(async move {
            match logs_in.change(State::login) {
                Step::Start(start) => logs_in.start(start, AT_LOGIN, old).await,
                Step::Join(_, wait) => wait.await,
                _ => panic!("a login starts or joins"),
            }
        });
        for caller in callers {
            match caller.await.expect("it ends") {
                Ok(held) => assert_eq!(held.epoch, old),
                Err(ended) => assert_eq!(ended, NoCredential::SessionChanged),
            }
        }
        let new = login.await.expect("it ends").expect("it is logged in");
        session.wait_until_saved().await;
        assert_eq!((new.epoch, session.held().generation), (old + 1, new.generation));
    });
}

/// A login with nothing held, beside the first credential of another identity: no call that was signed with the one gets the other's.
fn beginning() {
    block_on(async {
        let session = Session::new(false);
        let logs_in = session.clone();
        let login = spawn(async move {
            match logs_in.change(State::login) {
                Step::Start(start) => {
                    let epoch = start.held.epoch;
                    logs_in.start(start, AT_LOGIN, epoch).await
                }
                _ => panic!("a login starts"),
            }
        });
        let begins = session.clone();
        let call = spawn(async move {
            let first = FlightRequest { purpose: Purpose::Initial, is_unsigned: false, ..begins.ask(0) };
            // Without it the request would go out bare, and be of no identity.
            let Ok(signed) = begins.renew(&first).await else { return };
            let refused = FlightRequest {
                epoch: signed.epoch,
                generation: signed.generation,
                is_unsigned: false,
                ..begins.ask(0)
            };
            if let Ok(again) = begins.renew(&refused).await {
                let logged_in = |held: &Held<u64, u8>| held.obtained_at == Some(at_login());
                assert!(logged_in(&signed) || !logged_in(&again), "{signed:?} {again:?}");
            }
        });
        assert!(login.await.expect("it ends").is_ok());
        call.await.expect("it ends");
        session.wait_until_saved().await;
    });
}

/// Callers who are refused with each new credential: no more refreshes start than the budget allows.
fn budget() {
    block_on(async {
        let session = Session::new(false);
        let calls = [(); 3].map(|()| {
            let session = session.clone();
            spawn(async move {
                for _ in 0..2 {
                    if let Ok(held) = session.renew(&session.ask(0)).await {
                        let (epoch, generation) = (held.epoch, held.generation);
                        session.change(|state| state.refused(epoch, generation, SystemTime::UNIX_EPOCH));
                    }
                }
            })
        });
        for call in calls {
            call.await.expect("it ends");
        }
        session.wait_until_saved().await;
        assert!(session.refreshes.load(Ordering::SeqCst) <= 3 + 1, "a refusal may be told after the next one starts");
    });
}

/// A failure, a caller who goes away and a logout at once.
fn all() {
    block_on(async {
        let session = Session::new(true);
        let (leaves, stay) = (leaver_of(&session, session.ask(0)), callers(&session, [session.ask(0), session.ask(1)]));
        let other = session.clone();
        let logout = spawn(async move { other.change(State::logout) });
        for caller in stay {
            let _ = caller.await.expect("it ends");
        }
        let _ = (logout.await.expect("it ends"), leaves.await.expect("it ends"));
        session.wait_until_saved().await;
        assert_eq!((session.held().credential, session.held().stage), (None, Stage::LoggedOut));
    });
}

type Caller = JoinHandle<Outcome<u64, &'static str, u8>>;

/// A caller who asks, looks once, and goes away.
fn leaver_of(session: &Arc<Session>, ask: FlightRequest<u8, Name>) -> JoinHandle<()> {
    let session = session.clone();
    spawn(async move {
        let mut renewal = Box::pin(session.renew(&ask));
        poll_fn(|context| Poll::Ready(drop(renewal.as_mut().poll(context)))).await;
    })
}

/// Callers who were all refused with what is held now.
fn callers<const N: usize>(session: &Arc<Session>, asks: [FlightRequest<u8, Name>; N]) -> [Caller; N] {
    asks.map(|ask| {
        let session = session.clone();
        spawn(async move { session.renew(&ask).await })
    })
}

fn main() {
    const SCHEDULES: usize = 300_000;
    println!("{:<10} {:>10} {:>12} {:>8}", "scenario", "schedules", "kind", "seconds");
    let scenarios: [(&str, fn()); 10] = [
        ("herd", herd),
        ("leaver", leaver),
        ("failure", failure),
        ("demands", demands),
        ("logout", logout),
        ("partitions", partitions),
        ("login", login),
        ("beginning", beginning),
        ("budget", budget),
        ("all", all),
    ];
    for (name, scenario) in scenarios {
        for kind in ["random", "PCT, depth 3"] {
            let start = Instant::now();
            match kind {
                "random" => shuttle::check_random(scenario, SCHEDULES),
                _ => shuttle::check_pct(scenario, SCHEDULES, 3),
            }
            println!("{name:<10} {SCHEDULES:>10} {kind:>12} {:>8.1}", start.elapsed().as_secs_f32());
        }
    }
}
