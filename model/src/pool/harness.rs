//! A pool on the scheduler of the model checker, and its callers.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::SystemTime;

use shuttle::future::{JoinHandle, spawn, yield_now};
use shuttle::sync::atomic::AtomicUsize;
use shuttle::sync::{Arc, Mutex};

use super::entries::{Entries, State, Taken};
use crate::session::flight::Flight;
use crate::session::sync::lock;

/// The middleware of a key, by the number of the factory's call that made it.
type Tenant = Arc<usize>;
/// What the callers of a new key get.
type Made = Result<Tenant, &'static str>;

/// Uses the entries like the pool of the crate, without the tasks of a runtime.
pub(crate) struct Pool {
    entries: Mutex<Entries<u8, Tenant, Arc<Flight<Made>>>>,
    /// How many factories run for each key.
    making: [AtomicUsize; 3],
    /// How many factories have begun.
    pub(crate) made: AtomicUsize,
    /// The session that each key uses now, and the number of its uses.
    used: Mutex<BTreeMap<u8, (usize, usize)>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    capacity: usize,
    fails: bool,
}

/// Something else than the pool holds it.
fn is_in_use(tenant: &Tenant) -> bool {
    Arc::strong_count(tenant) > 1
}

impl Pool {
    pub(crate) fn new(capacity: usize, fails: bool) -> Arc<Self> {
        let (making, made, used, tasks) = Default::default();
        let entries = Mutex::new(Entries::new(capacity, None));
        Arc::new(Self { entries, making, made, used, tasks, capacity, fails })
    }

    /// A call of this key. Its refresh is a task, which outlives the caller.
    pub(crate) fn caller(self: &Arc<Self>, key: u8) -> JoinHandle<bool> {
        let pool = self.clone();
        spawn(async move { pool.call(key).await })
    }

    /// A caller that polls its call twice and is dropped.
    pub(crate) fn leaving_caller(self: &Arc<Self>, key: u8) -> JoinHandle<()> {
        let pool = self.clone();
        spawn(async move {
            let mut call = pin!(pool.call(key));
            for _ in 0..2 {
                if poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await {
                    return;
                }
                yield_now().await;
            }
        })
    }

    /// Removes the session of this key, unless it is in use.
    pub(crate) fn remover(self: &Arc<Self>, key: u8) -> JoinHandle<()> {
        let pool = self.clone();
        spawn(async move { drop(lock(&pool.entries).remove_idle(&key, is_in_use)) })
    }

    /// Waits for all tasks. Then no session is in use, and a use of a pool without callers leaves no more than allowed.
    pub(crate) async fn check_the_end(&self) {
        loop {
            let tasks = std::mem::take(&mut *lock(&self.tasks));
            if tasks.is_empty() {
                break;
            }
            for task in tasks {
                task.await.expect("it ends");
            }
        }
        assert!(lock(&self.used).is_empty());
        let mut entries = lock(&self.entries);
        drop(entries.evict(SystemTime::UNIX_EPOCH, is_in_use, true));
        assert!(entries.len() <= self.capacity, "an idle session stays");
    }

    async fn call(self: &Arc<Self>, key: u8) -> bool {
        let Ok(tenant) = self.tenant(key).await else { return false };
        self.enter(key, &tenant);
        let used = Use { pool: self.clone(), key, tenant: tenant.clone() };
        let (pool, refreshing) = (self.clone(), Use { pool: self.clone(), key, tenant });
        pool.enter(key, &refreshing.tenant);
        let refresh = spawn(async move {
            yield_now().await;
            drop(refreshing);
        });
        lock(&self.tasks).push(refresh);
        yield_now().await;
        drop(used);
        true
    }

    /// The middleware of a key, as `src/pool/make.rs` finds or makes it.
    async fn tenant(self: &Arc<Self>, key: u8) -> Made {
        let Taken { state, added, removed } =
            lock(&self.entries).take(&key, Flight::new, SystemTime::UNIX_EPOCH, is_in_use);
        let flight = match state {
            State::Ready(tenant) => return Ok(tenant),
            State::Making(flight) => flight,
        };
        drop(removed);
        if added.is_some() {
            let (pool, flight) = (self.clone(), flight.clone());
            lock(&self.tasks).push(spawn(async move { pool.make(key, &flight).await }));
        }
        flight.wait().await
    }

    async fn make(&self, key: u8, flight: &Arc<Flight<Made>>) {
        let making = &self.making[usize::from(key)];
        assert_eq!(making.fetch_add(1, Ordering::SeqCst), 0, "two factories run for one key");
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        yield_now().await;
        making.fetch_sub(1, Ordering::SeqCst);
        let outcome = if self.fails && number == 0 { Err("down") } else { Ok(Arc::new(number)) };
        lock(&self.entries).finish(&key, outcome.as_ref().ok().cloned(), |task| Arc::ptr_eq(task, flight));
        flight.complete(outcome);
    }

    fn enter(&self, key: u8, tenant: &Tenant) {
        let mut used = lock(&self.used);
        let (number, uses) = used.entry(key).or_insert((**tenant, 0));
        assert_eq!(*number, **tenant, "two sessions of one key are in use");
        *uses += 1;
    }
}

/// A call or a refresh that uses a session.
struct Use {
    pool: Arc<Pool>,
    key: u8,
    tenant: Tenant,
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut used = lock(&self.pool.used);
        if let Some((number, uses)) = used.get_mut(&self.key) {
            assert_eq!(*number, *self.tenant);
            *uses -= 1;
            if *uses == 0 {
                used.remove(&self.key);
            }
        }
    }
}

/// Whether the call of this caller was sent.
pub(crate) async fn ends(caller: JoinHandle<bool>) -> bool {
    caller.await.expect("it ends")
}
