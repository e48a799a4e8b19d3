//! Unusual and hostile situations: races, echoes, floods, slow responses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_challenge::{
    Authorize, BoxError, ChallengeMiddleware, Credential, Error, Forbidden, Observed, RefreshContext, RefreshError,
    RefreshErrorKind, ResponseHead, Unauthorized, UnauthorizedReason,
};

use crate::support::fake::{Fake, ManualClock, until};
use crate::support::script::{
    API, Answer, Gate, Script, challenged, challenged_with, respond, slow_client, status, stream,
};

fn auth(fake: &Fake) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, fake.clone()).unwrap()
}

#[track_caller]
fn refused(error: &reqwest_middleware::Error) -> &Unauthorized {
    Unauthorized::find(error).unwrap_or_else(|| panic!("{error:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_publishes_its_credential_before_it_returns() {
    let auth = auth(&Fake::new());
    let session = auth.session();
    for _ in 0..2_000 {
        let credential = session.login().await.unwrap();
        assert_eq!(session.credential(), Some(credential));
    }
}

/// A 401 whose body never arrives.
fn endless_401() -> Answer {
    Answer::new(401).stall_body()
}

#[tokio::test]
async fn a_logout_while_a_401_is_read_stops_the_replay() {
    for again in [false, true] {
        let (server, fake) = (Script::always(endless_401()), Fake::new());
        let auth = auth(&fake);
        let call = tokio::spawn(server.client(&auth).get(API).send());
        until(|| auth.session().credential().is_some()).await;
        auth.session().logout().await.unwrap();
        if again {
            auth.session().login().await.unwrap();
        }
        let error = call.await.unwrap().unwrap_err();
        let wanted = if again { UnauthorizedReason::SessionChanged } else { UnauthorizedReason::LoggedOut };
        assert_eq!((refused(&error).reason(), server.sends()), (wanted, 1));
    }
}

#[tokio::test]
async fn an_anyhow_error_of_a_refresher_keeps_its_kind_and_shows_no_url() {
    async fn rejected(_: RefreshContext) -> anyhow::Result<Credential> {
        Err(RefreshError::credential_revoked("invalid_grant").into())
    }
    async fn network(_: RefreshContext) -> anyhow::Result<Credential> {
        use anyhow::Context;
        let url = "http://127.0.0.1:1/?client_secret=hunter2";
        reqwest::get(url).await.context("requesting a token")?;
        Ok(Credential::bearer("t"))
    }
    let server = Script::accepting("never");
    let auth = ChallengeMiddleware::new(API, rejected).unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    assert_eq!(refused(&error).refresh_error(), Some(&RefreshError::credential_revoked("invalid_grant")));

    let auth = ChallengeMiddleware::new(API, network).unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    assert!(refused(&error).refresh_error().unwrap().is_transient(), "{error:?}");
    let shown = [format!("{error:?}"), format!("{:#}", anyhow::Error::from(error))].concat();
    assert!(shown.contains("requesting a token") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn the_middleware_does_not_overwrite_a_header_of_the_caller() {
    let key = |value: &str| Credential::header("x-api-key".parse().unwrap(), value);
    let server = Script::always(status(200));
    let client = server.client(&ChallengeMiddleware::new(API, key("ours")).unwrap());
    for _ in 0..2 {
        client.get(API).header("x-api-key", "theirs").send().await.unwrap();
    }
    // The credential arrives after a 401, so its header is not known before the first send.
    let server = Script::always(challenged());
    let fake = Fake::answering(move |_, _| Ok(Some(Credential::header("x-api-key".parse().unwrap(), "ours"))));
    let error = server.client(&auth(&fake)).get(API).header("x-api-key", "theirs").send().await.unwrap_err();
    assert_eq!((refused(&error).reason(), server.sends()), (UnauthorizedReason::CallerCredential, 1));
    assert!(server.requests().iter().all(|arrived| arrived.headers()["x-api-key"] == "theirs"));
}

#[tokio::test]
async fn errors_mask_the_echo_of_each_kind_of_credential() {
    struct Signed;
    #[async_trait::async_trait]
    impl Authorize for Signed {
        fn scheme(&self) -> &str {
            "Signed"
        }
        async fn authorize(&self, request: &mut reqwest::Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
            request.headers_mut().insert("authorization", "Signed hunter2".parse()?);
            Ok(())
        }
    }
    let echo = || {
        Script::new(|arrived, _| {
            let sent = arrived.header("authorization").unwrap_or_default().to_owned();
            let token = sent.rsplit(' ').next().unwrap_or_default();
            let challenge =
                format!("Bearer scope=\"{token}\", error_description=\"no {sent}\", {token}, {token} {token}=x");
            respond(
                403,
                &[("www-authenticate", &challenge), ("content-type", "application/json")],
                "{\"detail\": \"no user alice:hunter2\"}",
            )
        })
    };
    for credential in [Credential::bearer("hunter2"), Credential::basic("alice", "hunter2"), Credential::custom(Signed)]
    {
        let server = echo();
        let auth = ChallengeMiddleware::new(API, credential).unwrap();
        let error = server.client(&auth).get(API).send().await.unwrap_err();
        let denied = Forbidden::find(&error).unwrap();
        let shown = format!("{error} {error:?} {denied:?} {:?}", denied.challenges());
        assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"), "{shown}");
    }
}

#[tokio::test]
async fn a_slow_request_does_not_share_an_old_failure() {
    let (fake, clock) = (Fake::failing(RefreshError::transient(None)), ManualClock::new());
    let late = Gate::closed();
    let slow = Script::always(challenged());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
    let held = slow_client(&slow, &auth, &late);
    let call = tokio::spawn(held.get(API).send());
    until(|| fake.initial_calls() == 1).await;
    slow.client(&auth).get(API).send().await.unwrap_err();
    clock.forward(Duration::from_secs(3600));
    late.let_one_through();
    call.await.unwrap().unwrap_err();
    assert_eq!(fake.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn forty_concurrent_requests_with_different_demands_succeed() {
    struct Slow(AtomicUsize);
    #[async_trait::async_trait]
    impl reqwest_challenge::Refresh for Slow {
        async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            tokio::time::advance(Duration::from_millis(30)).await;
            Ok(Some(Credential::bearer(context.demand().claims().unwrap().to_owned())))
        }
    }
    let server = Script::new(|arrived, _| {
        let claims = arrived.path().trim_start_matches('/');
        if arrived.token() == claims { status(200) } else { challenged_with(&format!("Bearer claims=\"{claims}\"")) }
    });
    let slow = Arc::new(Slow(AtomicUsize::new(0)));
    let client = server.client(&ChallengeMiddleware::new(API, slow.clone()).unwrap());
    let calls: Vec<_> = (0..40).map(|number| tokio::spawn(client.get(format!("{API}/c{number}")).send())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(slow.0.load(Ordering::SeqCst), 40);
}

#[tokio::test]
async fn a_scheme_observes_only_the_responses_to_requests_that_it_signed() {
    #[derive(Clone, Default)]
    struct Observer(Arc<std::sync::Mutex<Vec<u16>>>);
    #[async_trait::async_trait]
    impl Authorize for Observer {
        fn scheme(&self) -> &str {
            "Looks"
        }
        async fn authorize(&self, request: &mut reqwest::Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
            request.headers_mut().insert("authorization", "Looks x".parse()?);
            Ok(())
        }
        fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
            self.0.lock().unwrap().push(head.status().as_u16());
            if head.status() == 202 { Err("the proof does not hold".into()) } else { Ok(Observed::Nothing) }
        }
    }
    let observer = Observer::default();
    let auth = ChallengeMiddleware::new(API, Credential::custom(observer.clone())).unwrap();
    let server = Script::new(|arrived, _| status(arrived.path().trim_start_matches('/').parse().unwrap()));
    let client = server.client(&auth);
    client.get(format!("{API}/200")).bearer_auth("mine").send().await.unwrap();
    for code in [200, 403, 401, 404] {
        let _ = client.get(format!("{API}/{code}")).send().await;
    }
    assert_eq!(*observer.0.lock().unwrap(), [200, 403, 401, 404]);
    let error = client.get(format!("{API}/202")).send().await.unwrap_err();
    assert_eq!(error.to_string(), "the Looks scheme refuses the response");
    assert!(matches!(Error::find(&error), Some(Error::Authorize(error)) if error.was_sent()));
}

#[tokio::test]
async fn a_401_after_a_failed_renewal_reports_that_failure() {
    let (clock, fake) = (ManualClock::new(), Fake::failing(RefreshError::transient(None)));
    let server = Script::new(|_, number| if number == 0 { status(200) } else { challenged() });
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .initial_credential(Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600))))
        .clock(clock.clone())
        .build()
        .unwrap();
    let client = server.client(&auth);
    client.get(API).send().await.unwrap();
    clock.forward(Duration::from_secs(3700));
    let error = client.get(API).send().await.unwrap_err();
    assert_eq!((refused(&error).reason(), fake.calls()), (UnauthorizedReason::RefreshFailed, 1));
    assert!(refused(&error).refresh_error().unwrap().is_transient());
}

#[tokio::test]
async fn a_credential_that_arrives_after_a_logout_is_forgotten_even_after_a_new_login() {
    let fake = Fake::new().gated();
    let auth = auth(&fake);
    let session = auth.session();
    let login = || {
        let session = session.clone();
        tokio::spawn(async move { session.login().await })
    };
    let first = login();
    fake.wait_for_calls(1).await;
    session.logout().await.unwrap();
    let second = login();
    fake.wait_for_calls(2).await;
    fake.let_one_through();
    fake.let_one_through();
    assert!(session.wait_until_saved(Duration::from_secs(5)).await);
    assert!(first.await.unwrap().is_err());
    assert_eq!(second.await.unwrap().unwrap(), Credential::bearer("t2"));
    assert_eq!(fake.forgotten(), [None, Some(Credential::bearer("t1"))]);
}

#[test]
fn a_login_without_a_runtime_is_an_error() {
    let auth = auth(&Fake::new());
    let mut login = Box::pin(async { auth.session().login().await.unwrap_err() });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match login.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Error::Refresh(error)) => assert_eq!(*error.kind(), RefreshErrorKind::Gone),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_body_timeout_can_be_unlimited_and_a_body_of_exactly_the_limit_is_whole() {
    let server = Script::always(respond(403, &[], "12345"));
    let auth =
        ChallengeMiddleware::builder(API, Fake::new()).body_timeout(Duration::MAX).body_limit(5).build().unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    let denied = Forbidden::find(&error).unwrap();
    assert_eq!((denied.body().as_ref(), denied.is_body_whole()), (&b"12345"[..], true));
}

#[tokio::test]
async fn a_login_during_the_initial_call_does_not_fail_the_first_request() {
    struct Waits(Gate);
    #[async_trait::async_trait]
    impl reqwest_challenge::Refresh for Waits {
        async fn refresh(&self, _: RefreshContext) -> Result<Option<Credential>, RefreshError> {
            Ok(Some(Credential::bearer("t1")))
        }
        async fn initial(&self, _context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
            self.0.pass().await;
            Ok(Some(Credential::bearer("t0")))
        }
    }
    let gate = Gate::closed();
    let (server, auth) = (Script::accepting("t1"), ChallengeMiddleware::new(API, Waits(gate.clone())).unwrap());
    let call = tokio::spawn(server.client(&auth).get(API).send());
    tokio::task::yield_now().await;
    auth.session().login().await.unwrap();
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
    gate.let_one_through();
    assert!(auth.session().wait_until_saved(Duration::from_secs(5)).await);
    assert_eq!(server.tokens().last().map(String::as_str), Some("t1"));
    assert_eq!(auth.session().credential(), Some(Credential::bearer("t1")));
}

/// A scheme that answers every 401 with a retry.
struct AlwaysRetries;
#[async_trait::async_trait]
impl Authorize for AlwaysRetries {
    fn scheme(&self) -> &str {
        "AlwaysRetries"
    }
    async fn authorize(&self, _: &mut reqwest::Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
        Ok(())
    }
    fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        Ok(if head.status() == 401 { Observed::Retry } else { Observed::Nothing })
    }
}

#[tokio::test]
async fn a_logout_before_the_retry_of_a_scheme_stops_the_replay() {
    let (server, auth) =
        (Script::always(endless_401()), ChallengeMiddleware::new(API, Credential::custom(AlwaysRetries)).unwrap());
    let call = tokio::spawn(server.client(&auth).get(API).send());
    until(|| server.sends() == 1).await;
    auth.session().logout().await.unwrap();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((refused(&error).reason(), server.sends()), (UnauthorizedReason::LoggedOut, 1));
}

#[tokio::test]
async fn a_stream_that_a_scheme_would_retry_keeps_the_body_of_the_401() {
    let (server, auth) =
        (Script::always(challenged()), ChallengeMiddleware::new(API, Credential::custom(AlwaysRetries)).unwrap());
    let error = server.client(&auth).post(API).body(stream("once")).send().await.unwrap_err();
    assert_eq!(
        (refused(&error).reason(), refused(&error).body().as_ref()),
        (UnauthorizedReason::NotReplayable, &b"who are you?"[..])
    );
}
