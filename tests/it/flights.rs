//! One refresh for all waiters: concurrent 401s, cancelled callers, hangs, panics, recursion, runtimes that end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_challenge::{
    BoxError, ChallengeMiddleware, Credential, Error, RefreshContext, RefreshError, RefreshErrorKind, Unauthorized,
    UnauthorizedReason,
};

use crate::support::fake::{Fake, ManualClock, until};
use crate::support::script::{API, Script, challenged, status};

fn auth(fake: &Fake) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, fake.clone()).unwrap()
}

#[track_caller]
fn failure(error: &reqwest_middleware::Error) -> RefreshErrorKind {
    let refused = Unauthorized::find(error).unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!(refused.reason(), UnauthorizedReason::RefreshFailed);
    refused.refresh_error().unwrap().kind().clone()
}

async fn concurrent_401s(callers: usize) {
    let (server, fake) = (Script::accepting("t1"), Fake::new().gated());
    let auth = auth(&fake);
    // Each call has its own client with a clone of the middleware.
    let calls: Vec<_> = (0..callers).map(|_| tokio::spawn(server.client(&auth.clone()).get(API).send())).collect();
    until(|| server.sends() == callers).await;
    fake.let_one_through();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!((server.sends(), fake.calls()), (2 * callers, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_concurrent_401s_start_one_flight() {
    concurrent_401s(100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_concurrent_401s_start_one_flight() {
    concurrent_401s(10_000).await;
}

#[tokio::test]
async fn a_refresh_outlives_its_caller_and_serves_the_next() {
    let (server, fake) = (Script::accepting("t1"), Fake::new().gated());
    let auth = auth(&fake);
    let caller = tokio::spawn(server.client(&auth).get(API).send());
    fake.wait_for_calls(1).await;
    assert!(fake.contexts()[0].is_awaited());
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert!(!fake.contexts()[0].is_awaited());
    fake.let_one_through();
    assert!(auth.session().wait_until_saved(Duration::from_secs(5)).await);
    assert_eq!(server.client(&auth).get(API).send().await.unwrap().status(), 200);
    assert_eq!((server.tokens(), fake.calls()), (vec![String::new(), "t1".into()], 1));
}

#[tokio::test]
async fn three_cancelled_callers_share_one_failing_refresh() {
    let (server, fake) = (Script::accepting("t1"), Fake::failing("down".into()).gated());
    let auth = auth(&fake);
    for _ in 0..3 {
        let caller = tokio::spawn(server.client(&auth).get(API).send());
        let sends = server.sends();
        until(|| server.sends() > sends).await;
        fake.wait_for_calls(1).await;
        tokio::task::yield_now().await;
        caller.abort();
        let _ = caller.await;
    }
    assert_eq!((server.sends(), fake.calls()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refresher_that_hangs_times_out_for_all_callers_and_frees_the_slot() {
    let (server, fake) = (Script::accepting("t2"), Fake::new().gated().with_timeout(Duration::from_secs(30)));
    let auth = auth(&fake);
    let calls: Vec<_> = (0..10).map(|_| tokio::spawn(server.client(&auth).get(API).send())).collect();
    for call in calls {
        assert_eq!(failure(&call.await.unwrap().unwrap_err()), RefreshErrorKind::TimedOut);
    }
    assert_eq!(fake.calls(), 1);
    fake.let_one_through();
    assert_eq!(server.client(&auth).get(API).send().await.unwrap().status(), 200);
    assert_eq!(fake.calls(), 2);
}

#[tokio::test]
async fn fifty_waiters_share_one_failure_and_a_later_request_starts_a_new_refresh() {
    let (server, fake) = (
        Script::accepting("t2"),
        Fake::answering(|number, _| match number {
            1 => Err("down".into()),
            _ => Ok(Some(Credential::bearer("t2"))),
        })
        .gated(),
    );
    let auth = auth(&fake);
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(server.client(&auth).get(API).send())).collect();
    until(|| server.sends() == 50).await;
    fake.let_one_through();
    let mut errors = Vec::new();
    for call in calls {
        errors.push(call.await.unwrap().unwrap_err());
    }
    let first = Unauthorized::find(&errors[0]).unwrap().refresh_error().cloned();
    assert!(errors.iter().all(|error| Unauthorized::find(error).unwrap().refresh_error() == first.as_ref()));
    assert_eq!((server.sends(), fake.calls()), (50, 1));
    fake.let_one_through();
    assert_eq!(server.client(&auth).get(API).send().await.unwrap().status(), 200);
    assert_eq!(fake.calls(), 2);
}

#[tokio::test]
async fn a_transient_failure_lasts_for_its_retry_after_and_a_final_one_for_the_cooldown() {
    let span = Duration::from_secs;
    for (error, cooldown) in [
        (RefreshError::transient(Some(span(20))), 20),
        (RefreshError::transient(None), 1),
        (RefreshError::transient(Some(span(1_000_000))), 300),
        (RefreshError::credential_revoked("invalid_grant"), 30),
        (RefreshError::denied("invalid_client"), 30),
    ] {
        let (server, fake, clock) = (Script::accepting("t1"), Fake::failing(error.clone()), ManualClock::new());
        let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
        let client = server.client(&auth);
        for _ in 0..3 {
            assert_eq!(&failure(&client.get(API).send().await.unwrap_err()), error.kind());
        }
        clock.forward(span(cooldown - 1));
        client.get(API).send().await.unwrap_err();
        assert_eq!(fake.calls(), 1, "{error:?}");
        clock.forward(span(1));
        client.get(API).send().await.unwrap_err();
        assert_eq!(fake.calls(), 2, "{error:?}");
        // A clock that is set back ends the cooldown.
        clock.back(span(7200));
        client.get(API).send().await.unwrap_err();
        assert_eq!(fake.calls(), 3, "{error:?}");
    }
}

#[tokio::test]
async fn a_panic_of_the_refresher_is_an_error_for_all_callers_and_the_next_401_refreshes() {
    let (server, fake) = (
        Script::accepting("t2"),
        Fake::answering(|number, _| {
            assert!(number > 1, "the refresher panics");
            Ok(Some(Credential::bearer("t2")))
        })
        .gated(),
    );
    let auth = auth(&fake);
    let calls: Vec<_> = (0..5).map(|_| tokio::spawn(server.client(&auth).get(API).send())).collect();
    until(|| server.sends() == 5).await;
    fake.let_one_through();
    for call in calls {
        assert_eq!(failure(&call.await.unwrap().unwrap_err()), RefreshErrorKind::Panicked);
    }
    fake.let_one_through();
    assert_eq!(server.client(&auth).get(API).send().await.unwrap().status(), 200);
    assert_eq!(fake.calls(), 2);
}

#[tokio::test]
async fn a_refresher_that_calls_through_its_own_client_gets_an_error_at_once() {
    let server = Script::accepting("never");
    let client: Arc<std::sync::OnceLock<reqwest_middleware::ClientWithMiddleware>> = Arc::default();
    let inner = client.clone();
    let refresher = move |_: RefreshContext| {
        let client = inner.get().unwrap().clone();
        async move {
            client.get(API).send().await?;
            Ok::<_, BoxError>(Credential::bearer("t1"))
        }
    };
    client.set(server.client(&ChallengeMiddleware::new(API, refresher).unwrap())).unwrap();
    let error = client.get().unwrap().get(API).send().await.unwrap_err();
    assert_eq!(failure(&error), RefreshErrorKind::Recursive);
    assert_eq!(server.sends(), 2);
}

#[tokio::test]
async fn two_clients_whose_refreshers_call_each_other_get_an_error_at_once() {
    const OTHER: &str = "https://other.example.com";
    type Slot = Arc<std::sync::OnceLock<reqwest_middleware::ClientWithMiddleware>>;
    let (server, clients): (_, [Slot; 2]) = (Script::accepting("never"), Default::default());
    for (mine, (origin, other)) in [(API, OTHER), (OTHER, API)].into_iter().enumerate() {
        let slot = clients[1 - mine].clone();
        let refresher = move |_: RefreshContext| {
            let client = slot.get().unwrap().clone();
            async move {
                client.get(other).send().await?;
                Ok::<_, BoxError>(Credential::bearer("t1"))
            }
        };
        clients[mine].set(server.client(&ChallengeMiddleware::new(origin, refresher).unwrap())).unwrap();
    }
    let error = clients[0].get().unwrap().get(API).send().await.unwrap_err();
    assert_eq!(failure(&error), RefreshErrorKind::Recursive);
}

#[tokio::test]
async fn a_session_call_from_inside_its_refresher_is_an_error_at_once() {
    let session: Arc<std::sync::OnceLock<reqwest_challenge::Session>> = Arc::default();
    let inner = session.clone();
    let refresher = move |_: RefreshContext| {
        let session = inner.get().unwrap().clone();
        async move { session.login().await.map(Some) }
    };
    let auth = ChallengeMiddleware::new(API, refresher).unwrap();
    session.set(auth.session()).unwrap();
    let error = auth.session().login().await.unwrap_err();
    assert!(matches!(&error, Error::Refresh(error) if *error.kind() == RefreshErrorKind::Recursive), "{error:?}");
}

#[tokio::test]
async fn the_held_credential_is_sent_while_a_refresh_is_blocked() {
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0")))).gated();
    let server =
        Script::new(
            |arrived, _| if arrived.path() == "/good" || arrived.token() == "t1" { status(200) } else { challenged() },
        );
    let auth = auth(&fake);
    let blocked = tokio::spawn(server.client(&auth).get(API).send());
    fake.wait_for_calls(1).await;
    assert_eq!(server.client(&auth).get(format!("{API}/good")).send().await.unwrap().status(), 200);
    fake.let_one_through();
    assert_eq!(blocked.await.unwrap().unwrap().status(), 200);
}

#[test]
fn the_shutdown_of_the_runtime_of_a_flight_does_not_block_other_callers() {
    let (server, fake) = (Script::accepting("t2"), Fake::new().gated());
    let auth = auth(&fake);
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    first.spawn(server.client(&auth).get(API).send());
    second.block_on(fake.wait_for_calls(1));
    let waiting = second.spawn(server.client(&auth).get(API).send());
    second.block_on(until(|| server.sends() == 2));
    first.shutdown_timeout(Duration::from_secs(5));
    second.block_on(fake.wait_for_calls(2));
    fake.let_one_through();
    assert_eq!(second.block_on(waiting).unwrap().unwrap().status(), 200);
    assert_eq!(fake.calls(), 2);
}

#[test]
fn a_caller_on_another_runtime_does_not_wait_for_a_flight_on_a_parked_runtime() {
    let (server, fake) = (Script::accepting("t2"), Fake::new().gated().with_timeout(Duration::from_millis(50)));
    let auth = auth(&fake);
    let parked = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = server.client(&auth).get(API).send();
    parked.block_on(async {
        let call = tokio::spawn(first);
        fake.wait_for_calls(1).await;
        drop(call);
    });
    // Nothing runs on the parked runtime any more, not even its timers.
    let other = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let error = other.block_on(server.client(&auth).get(API).send()).unwrap_err();
    assert_eq!(failure(&error), RefreshErrorKind::TimedOut);
    // The refresh of the parked runtime still waits at the gate, so the gate lets one task more through.
    fake.let_one_through();
    fake.let_one_through();
    assert_eq!(other.block_on(server.client(&auth).get(API).send()).unwrap().status(), 200);
    drop(parked);
}

#[tokio::test]
async fn a_renewal_in_the_background_delays_no_request() {
    let (server, clock) = (Script::always(status(200)), ManualClock::new());
    let fake = Fake::new().gated();
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .initial_credential(Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600))))
        .clock(clock.clone())
        .renew_ahead(Duration::from_secs(600))
        .build()
        .unwrap();
    let client = server.client(&auth);
    client.get(API).send().await.unwrap();
    // The time is within `renew_ahead`, whose exact moment is random, and before the renewal is due.
    clock.forward(Duration::from_secs(3569));
    for _ in 0..3 {
        client.get(API).send().await.unwrap();
    }
    fake.wait_for_calls(1).await;
    fake.let_one_through();
    assert!(auth.session().wait_until_saved(Duration::from_secs(5)).await);
    client.get(API).send().await.unwrap();
    assert_eq!((server.tokens().last().map(String::as_str), fake.calls()), (Some("t1"), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresher_that_blocks_its_thread_past_the_timeout_is_dropped_when_it_yields() {
    struct CountsDrops(Arc<AtomicUsize>);
    impl Drop for CountsDrops {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (ended, held) = (Arc::new(AtomicUsize::new(0)), Arc::new(std::sync::Mutex::new(held)));
    let (count, begun, polls) = (ended.clone(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (begins, polled) = (begun.clone(), polls.clone());
    let blocks = move |_: RefreshContext| {
        begins.fetch_add(1, Ordering::SeqCst);
        let (held, ends, count) = (held.clone(), CountsDrops(count.clone()), polled.clone());
        async move {
            let _ends = ends;
            // Blocks the thread of the caller, like a keyring that prompts the user.
            held.lock().unwrap().recv().unwrap();
            std::future::poll_fn(|_| {
                count.fetch_add(1, Ordering::SeqCst);
                std::task::Poll::<Result<Credential, BoxError>>::Pending
            })
            .await
        }
    };
    let server = Script::accepting("t1");
    let auth = ChallengeMiddleware::builder(API, blocks).refresh_timeout(Duration::from_millis(10)).build().unwrap();
    let (one, two) = (server.client(&auth), server.client(&auth));
    let first = tokio::spawn(one.get(API).send());
    until(|| begun.load(Ordering::SeqCst) == 1).await;
    let error = tokio::spawn(two.get(API).send()).await.unwrap().unwrap_err();
    assert_eq!((failure(&error), ended.load(Ordering::SeqCst)), (RefreshErrorKind::TimedOut, 0));
    release.send(()).unwrap();
    first.await.unwrap().unwrap_err();
    until(|| ended.load(Ordering::SeqCst) == 1).await;
    // The refresher got no task, in which it would have run beside the next flight.
    assert_eq!(polls.load(Ordering::SeqCst), 1);
}
