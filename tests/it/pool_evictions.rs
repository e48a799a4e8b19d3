//! A pool drops the sessions that were used least recently or were idle, and none that is in use.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshError, SessionPool};
use reqwest_challenge_testing::{Answer, Gate, ManualClock, RecordingRefresher, Script, until};

use crate::pools::{Counts, api, client_of, get};
use crate::support::script::{API, CHALLENGE};

#[tokio::test]
async fn the_session_that_was_used_least_recently_is_dropped_first() {
    let (counts, server) = (Counts::default(), api());
    let pool = counts.pool().capacity(2).build();
    let client = client_of(pool.clone(), &server);
    for tenant in [1, 2, 1, 3] {
        assert_eq!(get(&client, tenant).await, 200);
    }
    assert_eq!((pool.len(), counts.made()), (2, 3));
    // Tenant 1 is there, and tenant 2 is made again.
    get(&client, 1).await;
    assert_eq!(counts.made(), 3);
    get(&client, 2).await;
    assert_eq!(counts.made(), 4);
}

#[tokio::test]
async fn an_idle_session_is_dropped_after_the_timeout() {
    let (counts, server, clock) = (Counts::default(), api(), ManualClock::new());
    let pool = counts.pool().idle_timeout(Duration::from_secs(60)).clock(clock.clone()).build();
    let client = client_of(pool.clone(), &server);
    get(&client, 1).await;
    clock.forward(Duration::from_secs(59));
    get(&client, 2).await;
    assert_eq!((pool.remove_idle(), pool.len()), (0, 2));
    clock.forward(Duration::from_secs(1));
    get(&client, 2).await;
    assert_eq!(pool.len(), 1, "a use of another tenant drops the idle session");
    clock.forward(Duration::from_secs(60));
    assert_eq!((pool.remove_idle(), pool.len()), (1, 0));
}

/// A pool of one session, whose refreshers are this one.
fn pool_of(refresher: impl Refresh + Clone) -> SessionPool<u32> {
    SessionPool::builder(move |_: u32| {
        let made = ChallengeMiddleware::new(API, refresher.clone());
        async move { made }
    })
    .capacity(1)
    .build()
}

#[tokio::test]
async fn a_session_whose_refresh_runs_stays_after_its_callers_are_gone() {
    let gate = Gate::closed();
    let refresher = RecordingRefresher::new().hold_until(&gate);
    let (pool, server) = (pool_of(refresher.clone()), Script::always(Answer::unauthorized([CHALLENGE])));
    let client = client_of(pool.clone(), &server);
    let call = tokio::spawn(async move { get(&client, 1).await });
    gate.reached_by(1).await;
    call.abort();
    drop(call.await);
    pool.session(&2).await.map(drop).unwrap();
    assert_eq!((pool.len(), pool.remove(&1)), (2, false), "the refresh of tenant 1 runs");
    gate.open();
    until(|| pool.remove(&1)).await;
    assert_eq!(pool.len(), 1);
}

/// A refresher whose `forget` waits at the gate.
#[derive(Clone)]
struct SlowToForget(Gate);

#[async_trait]
impl Refresh for SlowToForget {
    async fn refresh(&self, _: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(Some(Credential::bearer("t")))
    }

    async fn forget(&self, _: RefreshContext) -> Result<(), RefreshError> {
        self.0.pass().await;
        Ok(())
    }
}

#[tokio::test]
async fn a_session_whose_logout_runs_stays_after_its_caller_is_gone() {
    let gate = Gate::closed();
    let pool = pool_of(SlowToForget(gate.clone()));
    let session = pool.session(&1).await.unwrap();
    session.login().await.unwrap();
    let logout = tokio::spawn(async move { session.logout().await });
    gate.reached_by(1).await;
    logout.abort();
    drop(logout.await);
    pool.session(&2).await.map(drop).unwrap();
    assert_eq!((pool.len(), pool.remove(&1)), (2, false), "the logout of tenant 1 runs");
    gate.open();
    until(|| pool.remove(&1)).await;
    assert_eq!(pool.len(), 1);
}

#[tokio::test]
async fn a_session_with_a_handle_stays_and_both_are_the_same_session() {
    let counts = Counts::default();
    let pool = counts.pool().capacity(1).build();
    let first = pool.session(&1).await.unwrap();
    first.login().await.unwrap();
    for tenant in 2..20 {
        pool.session(&tenant).await.map(drop).unwrap();
    }
    assert!(!pool.remove(&1));
    let made = counts.made();
    let second = pool.session(&1).await.unwrap();
    assert_eq!(counts.made(), made, "the factory is not called again");
    assert!(second.credential().is_some(), "the login of the first handle is seen");
    drop((first, second));
    assert!(pool.remove(&1));
    assert!(!pool.remove(&1), "it is gone");
}

/// A refresher that could not save its credential.
#[derive(Clone)]
struct Unsaved(Arc<Mutex<bool>>);

#[async_trait]
impl Refresh for Unsaved {
    async fn refresh(&self, _: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(None)
    }

    fn holds_unsaved(&self) -> bool {
        *self.0.lock().unwrap()
    }
}

#[tokio::test]
async fn a_session_with_an_unsaved_credential_stays_until_it_is_saved() {
    let unsaved = Unsaved(Arc::new(Mutex::new(true)));
    let pool = pool_of(unsaved.clone());
    for tenant in 1..5 {
        pool.session(&tenant).await.map(drop).unwrap();
    }
    assert_eq!((pool.len(), pool.remove(&1)), (4, false));
    *unsaved.0.lock().unwrap() = false;
    pool.session(&5).await.map(drop).unwrap();
    assert_eq!(pool.len(), 1);
}

#[tokio::test]
async fn calls_of_one_tenant_never_use_two_sessions_while_others_are_evicted() {
    let (counts, server) = (Counts::default(), api());
    let pool = counts.pool().capacity(1).build();
    let held = pool.middleware(&0).await.unwrap();
    let client = client_of(pool.clone(), &server);
    let tasks: Vec<_> = (0..8_u32)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                for round in 0..50 {
                    get(&client, (task + round) % 3).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // The clone of the session of tenant 0 is held, so its credential is never obtained again.
    let before = counts.refreshed();
    get(&client, 0).await;
    assert_eq!(counts.refreshed(), before);
    assert!(held.session().credential().is_some());
}
