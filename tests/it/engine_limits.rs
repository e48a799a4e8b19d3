//! The limits of a session: shut down runtimes, panics, floods, cooldowns and dropped slots.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{
    AuthReport, Authorize, BoxError, ChallengeMiddleware, Credential, Observed, Refresh, RefreshContext, RefreshError,
    RefreshErrorKind, RefreshReason, ResponseHead, Unauthorized, UnauthorizedReason,
};
use reqwest_challenge_testing::Gate;

use crate::sessions::{auth, refresh_kind};
use crate::support::fake::{Fake, ManualClock, until};
use crate::support::script::{API, Script, challenged, challenged_with, status};

fn segment(path: &str) -> String {
    path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned()
}

/// Sends a message when it is dropped.
struct SendsOnDrop(std::sync::mpsc::Sender<()>);

impl Drop for SendsOnDrop {
    fn drop(&mut self) {
        // The receiver is gone if the test has ended.
        let _ = self.0.send(());
    }
}

#[test]
fn a_flight_that_starts_during_the_shutdown_of_its_runtime_does_not_deadlock() {
    const BOUND: Duration = Duration::from_secs(20);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ((closed, closes), (ended, end)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let (begun, begins) = std::sync::mpsc::channel();
    let closes = std::sync::Mutex::new(closes);
    let closes = Arc::new(closes);
    let refresher = move |_: RefreshContext| {
        let (begun, closes) = (begun.clone(), closes.clone());
        let mut is_first = true;
        std::future::poll_fn(move |_| {
            if std::mem::take(&mut is_first) {
                // The refresher blocks its thread until the runtime accepts no more tasks.
                begun.send(()).unwrap();
                closes.lock().unwrap().recv_timeout(BOUND).unwrap();
            }
            Poll::<Result<Credential, BoxError>>::Pending
        })
    };
    let auth = ChallengeMiddleware::new(API, refresher).unwrap();
    let server = Script::always(challenged());
    let (call, ends, closing) = (server.client(&auth).get(API).send(), SendsOnDrop(ended), SendsOnDrop(closed));
    runtime.spawn(async move {
        let _closing = closing;
        std::future::pending::<()>().await;
    });
    runtime.spawn(async move {
        let _ends = ends;
        drop(call.await);
    });
    begins.recv_timeout(BOUND).unwrap();
    runtime.shutdown_background();
    end.recv_timeout(BOUND).expect("the call ends");
}

#[tokio::test]
async fn a_server_that_names_a_new_resource_each_time_causes_a_bounded_number_of_failures() {
    let server = Script::new(|_, number| {
        challenged_with(&format!("Bearer resource_metadata=\"{API}/.well-known/oauth-protected-resource/{number}\""))
    });
    let fake = Fake::failing(RefreshError::denied("metadata"));
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new()).build().unwrap();
    let client = server.client(&auth);
    for path in 0..300 {
        client.get(format!("{API}/{path}")).send().await.unwrap_err();
    }
    assert!(fake.calls() <= 17, "{}", fake.calls());
}

#[tokio::test]
async fn a_password_that_is_rejected_in_many_partitions_causes_a_bounded_number_of_refreshes() {
    let fake = Fake::failing(RefreshError::credential_revoked("unauthorized"));
    let clock = ManualClock::new();
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone());
    let auth = auth.partition_by(|_, url| segment(url.path())).build().unwrap();
    let client = Script::always(challenged()).client(&auth);
    for partition in 0..200 {
        let error = client.get(format!("{API}/{partition}")).send().await.unwrap_err();
        let failure = Unauthorized::find(&error).unwrap().refresh_error().unwrap();
        assert!(matches!(failure.kind(), RefreshErrorKind::CredentialRevoked { .. }));
    }
    assert_eq!(fake.calls(), 16);
    clock.forward(Duration::from_secs(31));
    client.get(format!("{API}/later")).send().await.unwrap_err();
    let later = fake.calls();
    auth.session().login().await.unwrap_err();
    client.get(format!("{API}/latest")).send().await.unwrap_err();
    assert_eq!(fake.calls(), later + 2, "a login ends the cooldown");
}

#[tokio::test]
async fn slots_are_bounded_again_after_a_burst() {
    let server = Script::new(|arrived, _| if arrived.token().is_empty() { challenged() } else { status(200) });
    let fake = Fake::new().gated();
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new());
    let auth = auth.partition_by(|_, url| segment(url.path())).max_partitions(256).build().unwrap();
    let client = server.client(&auth);
    let calls: Vec<_> = (0..1_000).map(|n| tokio::spawn(client.get(format!("{API}/{n}")).send())).collect();
    fake.wait_for_calls(1_000).await;
    for _ in 0..1_001 {
        fake.let_one_through();
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    client.get(format!("{API}/last")).send().await.unwrap();
    auth.session().logout().await.unwrap();
    assert!(fake.forgotten().len() <= 257, "{}", fake.forgotten().len());
}

#[tokio::test]
async fn a_kept_credential_is_dropped_after_the_server_revokes_it() {
    let revoked = Arc::new(AtomicUsize::new(0));
    let limit = revoked.clone();
    let server = Script::new(move |arrived, _| {
        let path = arrived.path().trim_start_matches('/').to_owned();
        let number = arrived.token().rsplit('-').next().and_then(|number| number.parse::<usize>().ok());
        let is_live = number.is_some_and(|number| number > limit.load(Ordering::SeqCst));
        let claims = format!("Bearer claims=\"{path}\"");
        if is_live && arrived.token().starts_with(&path) { status(200) } else { challenged_with(&claims) }
    });
    let fake = Fake::answering(|number, context| {
        let claims = context.demand().claims().unwrap_or_default();
        Ok(Some(Credential::bearer(format!("{claims}-{number}"))))
    });
    let client = server.client(&auth(&fake));
    for path in ["x", "y", "x"] {
        client.get(format!("{API}/{path}")).send().await.unwrap();
    }
    revoked.store(2, Ordering::SeqCst);
    // The kept credential may cost one failed call.
    drop(client.get(format!("{API}/x")).send().await);
    assert_eq!(client.get(format!("{API}/x")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_failed_renewal_before_the_send_does_not_hide_a_newer_credential() {
    for error in [Some(RefreshError::transient(None)), None] {
        let (clock, answer) = (ManualClock::new(), Gate::closed());
        let held = answer.clone();
        let server = Script::new(move |arrived, _| match (arrived.path(), arrived.token()) {
            (_, "t2") => status(200),
            ("/slow", _) => challenged().hold_until(&held),
            _ => challenged(),
        });
        let first = error.clone();
        let fake = Fake::answering(move |number, _| match (number, &first) {
            (1, Some(error)) => Err(error.clone()),
            (1, None) => Ok(None),
            _ => Ok(Some(Credential::bearer(format!("t{number}")))),
        });
        let auth = ChallengeMiddleware::builder(API, fake.clone())
            .initial_credential(Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600))))
            .clock(clock.clone())
            .build()
            .unwrap();
        let client = server.client(&auth);
        clock.forward(Duration::from_secs(3580));
        let slow = tokio::spawn(client.get(format!("{API}/slow")).send());
        until(|| server.sends() == 1).await;
        clock.forward(Duration::from_secs(2));
        client.get(format!("{API}/other")).send().await.unwrap();
        answer.open();
        assert_eq!(slow.await.unwrap().unwrap().status(), 200, "{error:?}");
        assert_eq!(fake.calls(), 2, "{error:?}");
    }
}

/// A refresher whose first `forget` panics.
struct PanicsOnce(AtomicUsize);

#[async_trait]
impl Refresh for PanicsOnce {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(context.url().map(|url| Credential::bearer(segment(url.path()))))
    }

    async fn forget(&self, _: RefreshContext) -> Result<(), RefreshError> {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            panic!("forget");
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_in_one_forget_call_does_not_stop_the_others() {
    let server = Script::new(|arrived, _| if arrived.token().is_empty() { challenged() } else { status(200) });
    let refresher = Arc::new(PanicsOnce(0.into()));
    let auth = ChallengeMiddleware::builder(API, refresher.clone());
    let auth = auth.partition_by(|_, url| segment(url.path())).build().unwrap();
    let client = server.client(&auth);
    for partition in ["a", "b"] {
        client.get(format!("{API}/{partition}")).send().await.unwrap();
    }
    let error = auth.session().logout().await.unwrap_err();
    assert_eq!(refresh_kind(&error), RefreshErrorKind::Panicked);
    // One call for the main slot, which holds no credential, and one for each partition.
    assert_eq!(refresher.0.load(Ordering::SeqCst), 3);
}

/// A scheme that answers a first 401 with a retry.
struct Nonces;

#[async_trait]
impl Authorize for Nonces {
    fn scheme(&self) -> &str {
        "Own"
    }

    async fn authorize(&self, request: &mut reqwest::Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
        request.headers_mut().insert("authorization", "Own x".parse()?);
        Ok(())
    }

    fn observe(&self, _: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        Ok(Observed::Retry)
    }
}

#[tokio::test]
async fn a_call_that_renews_before_its_send_does_not_refresh_for_the_next_call() {
    let (server, clock) = (Script::always(challenged_with("Own")), ManualClock::new());
    let fake = Fake::answering(|_, _| Ok(Some(Credential::custom(Nonces))));
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .initial_credential(Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600))))
        .clock(clock.clone())
        .build()
        .unwrap();
    clock.forward(Duration::from_secs(3580));
    server.client(&auth).get(API).send().await.unwrap_err();
    assert_eq!((fake.calls(), server.sends()), (1, 2));
}

#[tokio::test]
async fn the_report_of_a_request_sent_without_the_invalid_credential_names_no_generation() {
    /// A refresher that only answers challenges, like `Password`.
    struct AnswersChallenges(Fake);

    #[async_trait]
    impl Refresh for AnswersChallenges {
        async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
            self.0.refresh(context).await
        }

        fn needs_challenge(&self) -> bool {
            true
        }
    }

    let server = Script::new(|arrived, _| if arrived.path() == "/public" { status(200) } else { challenged() });
    let fake = Fake::new();
    let auth =
        ChallengeMiddleware::builder(API, AnswersChallenges(fake.clone())).clock(ManualClock::new()).build().unwrap();
    let client = server.client(&auth);
    let error = client.get(format!("{API}/private")).send().await.unwrap_err();
    assert!(auth.session().invalidate(Unauthorized::find(&error).unwrap()));
    let response = client.get(format!("{API}/public")).send().await.unwrap();
    let report = AuthReport::of(&response);
    assert_eq!((report.generation(), server.tokens().last().map(String::as_str)), (Some(0), Some("")));
}

#[tokio::test]
async fn each_kind_of_call_causes_at_most_three_refreshes() {
    for kind in ["stream", "safe methods only", "passed through", "without a second send", "at once"] {
        let (server, fake) = (Script::always(challenged()), Fake::new());
        let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new());
        let auth = match kind {
            "safe methods only" => auth.safe_methods_only(),
            "passed through" => auth.pass_through(),
            _ => auth,
        };
        let client = server.client(&auth.build().unwrap());
        for path in 0..100 {
            let request = client.post(format!("{API}/{path}"));
            let request = match kind {
                "stream" => request.body(crate::support::script::stream("once")),
                "without a second send" if path % 2 == 0 => {
                    request.with_extension(reqwest_challenge::CallOptions::new().no_retry())
                }
                _ => request,
            };
            let call = tokio::spawn(request.send());
            if kind != "at once" || path % 10 == 0 {
                drop(call.await.unwrap());
            }
        }
        assert!(fake.calls() <= 3, "{kind}: {}", fake.calls());
    }
}

#[tokio::test]
async fn the_report_includes_the_time_of_a_failed_renewal() {
    let (server, clock, gate) = (Script::always(status(200)), ManualClock::new(), Gate::closed());
    let held = gate.clone();
    let refresher = move |context: RefreshContext| {
        let held = held.clone();
        async move {
            assert_eq!(context.reason(), RefreshReason::Expired);
            held.pass().await;
            Err::<Credential, _>(RefreshError::transient(None))
        }
    };
    let auth = ChallengeMiddleware::builder(API, refresher)
        .initial_credential(Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600))))
        .clock(clock.clone())
        .build()
        .unwrap();
    clock.forward(Duration::from_secs(3580));
    let call = tokio::spawn(server.client(&auth).get(API).send());
    until(|| gate.arrived() == 1).await;
    gate.open();
    assert!(AuthReport::of(&call.await.unwrap().unwrap()).waited() > Duration::ZERO);
}

#[tokio::test]
async fn a_401_with_invalid_token_has_no_hint_of_a_403() {
    let server = Script::new(|arrived, number| match arrived.path() {
        "/works" if number == 0 => status(200),
        _ => challenged_with("Bearer error=\"invalid_token\""),
    });
    let client = server.client(&ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap());
    client.get(format!("{API}/works")).send().await.unwrap();
    let error = client.get(format!("{API}/other")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::Declined);
    assert!(!error.to_string().contains("401 where it means 403"), "{error}");
}
