//! What one session knows, and what a caller does next: decisions alone, made under one lock, without waiting for
//! anything. It knows no HTTP, no runtime and no clock.

use std::time::{Duration, SystemTime};

use super::flight::{Flight, Wait};
use super::sync::Arc;

/// A credential of one generation, as every request sees it.
#[derive(Clone, Debug)]
pub(crate) struct Held<C, D> {
    /// Numbers the identities: a login and a logout begin a new one.
    pub(crate) epoch: u64,
    /// Numbers the credentials of this session, through all epochs.
    pub(crate) generation: u64,
    pub(crate) stage: Stage,
    pub(crate) credential: Option<C>,
    /// From when on it is renewed before it is sent.
    pub(crate) renew_at: Option<SystemTime>,
    /// From when on it is renewed in the background, where that was asked for.
    pub(crate) ahead_at: Option<SystemTime>,
    /// What was asked for beyond a fresh credential when this one came.
    pub(crate) met: D,
    /// How many flights had failed when this was published: who saw fewer was signed before the last failure.
    pub(crate) failures: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nobody has asked yet what there is to begin with.
    New,
    Open,
    /// The credential is known to be of no use: renewed before anything is sent.
    Stale,
    /// Nothing is asked for until the next login.
    LoggedOut,
}

/// Why a flight ended without a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended<E> {
    Declined,
    Failed(E),
    /// A login began while it was up.
    SessionChanged,
    LoggedOut,
}

pub(crate) type Outcome<C, E, D> = Result<Arc<Held<C, D>>, Ended<E>>;

/// What somebody wants, and what he had seen when he was refused.
#[derive(Clone, Debug)]
pub(crate) struct Ask<D> {
    pub(crate) purpose: Purpose,
    pub(crate) epoch: u64,
    pub(crate) generation: u64,
    pub(crate) failures: u64,
    pub(crate) demand: D,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// What there is before the server has refused anything.
    Initial,
    Renew,
}

/// What to do about an ask.
pub(crate) enum Step<C, E, D> {
    /// There is one already.
    Take(Arc<Held<C, D>>),
    /// A flight for the same is up: its outcome is the answer.
    Join(u64, Wait<Outcome<C, E, D>>),
    /// Another flight is up: wait for its end, then ask again.
    Await(u64, Wait<Outcome<C, E, D>>),
    /// Nothing is up: the caller starts the flight of this number, and waits for it.
    Start(Start<C, E, D>),
    /// The answer is known.
    End(Ended<E>),
}

/// A flight that is to be started.
pub(crate) struct Start<C, E, D> {
    pub(crate) number: u64,
    pub(crate) wait: Wait<Outcome<C, E, D>>,
    /// What is held while it is up.
    pub(crate) held: Arc<Held<C, D>>,
}

/// What became of a result.
pub(crate) enum Landed<C> {
    Kept,
    /// It came too late, and this is to be forgotten at its source.
    Forget(C),
    /// It came too late.
    Dropped,
}

struct Up<C, E, D> {
    number: u64,
    purpose: Purpose,
    demand: D,
    /// Whether somebody asked for a login: that it failed says nothing of what is held.
    asked: bool,
    flight: Arc<Flight<Outcome<C, E, D>>>,
}

struct Failure<E, D> {
    purpose: Purpose,
    generation: u64,
    demand: D,
    number: u64,
    ended: Ended<E>,
    since: SystemTime,
    /// How long from then on the answer to the same question is known.
    rest: Duration,
}

/// How long a failure is shared with whoever was signed before it: longer than requests that belong together are apart.
const SHARED: Duration = Duration::from_secs(60);

pub(crate) struct State<C, E, D> {
    held: Arc<Held<C, D>>,
    up: Option<Up<C, E, D>>,
    failure: Option<Failure<E, D>>,
    flights: u64,
    /// The epoch that the last logout began: what was asked for in an earlier one is forgotten when it comes.
    logout: u64,
    /// Whether another is held than was published last.
    changed: bool,
    /// A flight that has ended and whose waiters are still to be told, which is done when the state is published and free. One
    /// at most is up, so one change ends one at most.
    ended: Option<Landing<C, E, D>>,
}

/// A flight that has ended, and how.
type Landing<C, E, D> = (Arc<Flight<Outcome<C, E, D>>>, Outcome<C, E, D>);

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default> State<C, E, D> {
    pub(crate) fn new() -> Self {
        let held = Held {
            epoch: 0,
            generation: 0,
            stage: Stage::New,
            credential: None,
            renew_at: None,
            ahead_at: None,
            met: D::default(),
            failures: 0,
        };
        Self { held: Arc::new(held), up: None, failure: None, flights: 0, logout: 0, changed: false, ended: None }
    }

    /// What is held, if that has changed since this was last asked.
    pub(crate) fn changed(&mut self) -> Option<&Arc<Held<C, D>>> {
        std::mem::take(&mut self.changed).then_some(&self.held)
    }

    /// The flight that has ended since this was last asked.
    pub(crate) fn ended(&mut self) -> Option<Landing<C, E, D>> {
        self.ended.take()
    }

    pub(crate) fn held(&self) -> &Arc<Held<C, D>> {
        &self.held
    }

    pub(crate) fn next(&mut self, ask: &Ask<D>, now: impl FnOnce() -> SystemTime) -> Step<C, E, D> {
        if self.held.stage == Stage::LoggedOut {
            return Step::End(Ended::LoggedOut);
        }
        if self.held.epoch != ask.epoch {
            return Step::End(Ended::SessionChanged);
        }
        if self.answers(ask) {
            return Step::Take(self.held.clone());
        }
        if let Some(up) = &self.up {
            let same = up.purpose == ask.purpose && up.demand == ask.demand;
            let wait = up.flight.wait();
            return if same { Step::Join(up.number, wait) } else { Step::Await(up.number, wait) };
        }
        if let Some(ended) = self.remembered(ask, now) {
            return Step::End(ended);
        }
        Step::Start(self.start(ask.purpose, ask.demand.clone()))
    }

    /// Whether what is held now is what is asked for.
    fn answers(&self, ask: &Ask<D>) -> bool {
        match ask.purpose {
            Purpose::Initial => self.held.stage != Stage::New,
            Purpose::Renew => {
                self.held.stage == Stage::Open
                    && self.held.generation > ask.generation
                    && (ask.demand == D::default() || ask.demand == self.held.met)
            }
        }
    }

    fn remembered(&self, ask: &Ask<D>, now: impl FnOnce() -> SystemTime) -> Option<Ended<E>> {
        let failure = self.failure.as_ref()?;
        let same = failure.purpose == ask.purpose
            && failure.generation == self.held.generation
            && failure.demand == ask.demand;
        // Who was signed before the failure shares it, as if he had come in time to wait for it.
        let shared = if ask.failures < failure.number { SHARED } else { Duration::ZERO };
        // A clock that was set back ends both: no failure may last for as long as a clock is wrong.
        let age = now().duration_since(failure.since).unwrap_or(Duration::MAX);
        (same && age < failure.rest.max(shared)).then(|| failure.ended.clone())
    }

    fn start(&mut self, purpose: Purpose, demand: D) -> Start<C, E, D> {
        self.flights += 1;
        let flight = Flight::new();
        let wait = flight.wait();
        self.up = Some(Up { number: self.flights, purpose, demand, asked: false, flight });
        Start { number: self.flights, wait, held: self.held.clone() }
    }

    /// How many wait for the flight of that number, if it is still up.
    pub(crate) fn waiting(&self, number: u64) -> usize {
        self.up.as_ref().filter(|up| up.number == number).map_or(0, |up| up.flight.waiting())
    }

    fn take(&mut self, number: u64) -> Option<Up<C, E, D>> {
        self.up.take_if(|up| up.number == number)
    }

    /// Ends the flight of that number and epoch with what its refresher gave: a credential, and from when on it is renewed, before a
    /// send and in the background.
    pub(crate) fn land(&mut self, number: u64, epoch: u64, credential: C, due: [Option<SystemTime>; 2]) -> Landed<C> {
        let Some(up) = self.take(number) else {
            return if epoch < self.logout { Landed::Forget(credential) } else { Landed::Dropped };
        };
        self.failure = None;
        self.hold(|held| {
            held.generation += 1;
            held.stage = Stage::Open;
            held.credential = Some(credential);
            [held.renew_at, held.ahead_at] = due;
            held.met = up.demand;
        });
        self.ended = Some((up.flight, Ok(self.held.clone())));
        Landed::Kept
    }

    /// Ends the first flight of an epoch, whose refresher has nothing to begin with.
    pub(crate) fn land_empty(&mut self, number: u64) {
        if let Some(up) = self.take(number) {
            self.hold(|held| held.stage = Stage::Open);
            self.ended = Some((up.flight, Ok(self.held.clone())));
        }
    }

    /// Ends the flight of that number with a failure, which is remembered for that long.
    pub(crate) fn fail(&mut self, number: u64, ended: Ended<E>, since: SystemTime, rest: Duration) {
        let Some(up) = self.take(number) else { return };
        self.hold(|held| held.failures += 1);
        let remembered = Failure {
            purpose: up.purpose,
            generation: self.held.generation,
            demand: up.demand,
            number: self.held.failures,
            ended: ended.clone(),
            since,
            rest,
        };
        self.failure = (!up.asked).then_some(remembered);
        self.ended = Some((up.flight, Err(ended)));
    }

    /// Ends the flight of that number without an outcome that anybody shares: who waits asks again.
    pub(crate) fn lose(&mut self, number: u64, ended: Ended<E>) {
        if let Some(up) = self.take(number) {
            self.ended = Some((up.flight, Err(ended)));
        }
    }

    /// Begins a new epoch and a flight for its first credential; the one that is held stays until there is another.
    pub(crate) fn login(&mut self) -> Start<C, E, D> {
        self.end_epoch(&Ended::SessionChanged);
        self.hold(|held| {
            held.epoch += 1;
            held.stage = if held.credential.is_some() { held.stage } else { Stage::Open };
        });
        let start = self.start(Purpose::Renew, D::default());
        if let Some(up) = &mut self.up {
            up.asked = self.held.credential.is_some();
        }
        start
    }

    /// Begins a new epoch in which nothing is held and nothing asked for. Returns what was held, or `None` if that is so
    /// already.
    pub(crate) fn logout(&mut self) -> Option<Option<C>> {
        if self.held.stage == Stage::LoggedOut {
            return None;
        }
        self.end_epoch(&Ended::LoggedOut);
        let held = self.held.credential.clone();
        self.hold(|held| {
            held.epoch += 1;
            held.stage = Stage::LoggedOut;
            held.credential = None;
            (held.renew_at, held.ahead_at) = (None, None);
            held.met = D::default();
        });
        self.logout = self.held.epoch;
        Some(held)
    }

    /// Marks the credential of that generation as of no use, if it is still the one that is held.
    pub(crate) fn invalidate(&mut self, epoch: u64, generation: u64) -> bool {
        let held = &self.held;
        let is_it = held.epoch == epoch && held.generation == generation && held.stage == Stage::Open;
        let clears = is_it && held.credential.is_some();
        if clears {
            self.failure = None;
            self.hold(|held| held.stage = Stage::Stale);
        }
        clears
    }

    fn end_epoch(&mut self, ended: &Ended<E>) {
        self.failure = None;
        if let Some(up) = self.up.take() {
            self.ended = Some((up.flight, Err(ended.clone())));
        }
    }

    fn hold(&mut self, change: impl FnOnce(&mut Held<C, D>)) {
        let mut held = Held::clone(&self.held);
        change(&mut held);
        self.held = Arc::new(held);
        self.changed = true;
    }
}
