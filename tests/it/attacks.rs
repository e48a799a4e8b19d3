//! What somebody tried who wanted to break it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_challenge::{
    Authorize, BoxError, ChallengeMiddleware, Credential, Error, Forbidden, Observed, RefreshContext, RefreshError,
    RefreshErrorKind, ResponseHead, Unauthorized, UnauthorizedReason,
};

use crate::support::fake::{Fake, Hands, until};
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
async fn whoever_is_told_of_a_login_sees_it() {
    let auth = auth(&Fake::new());
    let session = auth.session();
    for _ in 0..2_000 {
        let credential = session.login().await.unwrap();
        assert_eq!(session.credential(), Some(credential));
    }
}

/// A 401 whose body never comes.
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
async fn a_refresher_with_anyhow_errors_keeps_their_kind_and_shows_no_url() {
    async fn rejected(_: RefreshContext) -> anyhow::Result<Credential> {
        Err(RefreshError::credential_revoked("invalid_grant").into())
    }
    async fn network(_: RefreshContext) -> anyhow::Result<Credential> {
        use anyhow::Context;
        let url = "http://127.0.0.1:1/?client_secret=hunter2";
        reqwest::get(url).await.context("asking for a token")?;
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
    assert!(shown.contains("asking for a token") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn the_callers_own_header_is_never_overwritten() {
    let key = |value: &str| Credential::header("x-api-key".parse().unwrap(), value);
    let server = Script::always(status(200));
    let client = server.client(&ChallengeMiddleware::new(API, key("ours")).unwrap());
    for _ in 0..2 {
        client.get(API).header("x-api-key", "theirs").send().await.unwrap();
    }
    // The credential comes from a 401, so that its header is not known before.
    let server = Script::always(challenged());
    let fake = Fake::answering(move |_, _| Ok(Some(Credential::header("x-api-key".parse().unwrap(), "ours"))));
    let error = server.client(&auth(&fake)).get(API).header("x-api-key", "theirs").send().await.unwrap_err();
    assert_eq!((refused(&error).reason(), server.sends()), (UnauthorizedReason::CallerCredential, 1));
    assert!(server.requests().iter().all(|arrived| arrived.headers()["x-api-key"] == "theirs"));
}

#[tokio::test]
async fn every_echo_of_every_credential_is_masked() {
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
async fn an_old_failure_is_not_shared_with_a_slow_request() {
    let (fake, clock) = (Fake::failing(RefreshError::transient(None)), Hands::new());
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
async fn forty_different_demands_are_met_one_after_the_other() {
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
async fn a_scheme_looks_at_every_response_that_it_signed_and_at_no_other() {
    #[derive(Clone, Default)]
    struct Looks(Arc<std::sync::Mutex<Vec<u16>>>);
    #[async_trait::async_trait]
    impl Authorize for Looks {
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
    let looks = Looks::default();
    let auth = ChallengeMiddleware::new(API, Credential::custom(looks.clone())).unwrap();
    let server = Script::new(|arrived, _| status(arrived.path().trim_start_matches('/').parse().unwrap()));
    let client = server.client(&auth);
    client.get(format!("{API}/200")).bearer_auth("mine").send().await.unwrap();
    for code in [200, 403, 401, 404] {
        let _ = client.get(format!("{API}/{code}")).send().await;
    }
    assert_eq!(*looks.0.lock().unwrap(), [200, 403, 401, 404]);
    let error = client.get(format!("{API}/202")).send().await.unwrap_err();
    assert_eq!(error.to_string(), "the Looks scheme refuses the response");
    assert!(matches!(Error::find(&error), Some(Error::Authorize(error)) if error.was_sent()));
}

#[tokio::test]
async fn a_renewal_that_failed_before_the_send_is_told_by_the_401() {
    let (clock, fake) = (Hands::new(), Fake::failing(RefreshError::transient(None)));
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
async fn a_late_credential_is_forgotten_even_if_somebody_is_logged_in_again() {
    let fake = Fake::new().gated();
    let auth = auth(&fake);
    let session = auth.session();
    let login = || {
        let session = session.clone();
        tokio::spawn(async move { session.login().await })
    };
    let first = login();
    fake.begun(1).await;
    session.logout().await.unwrap();
    let second = login();
    fake.begun(2).await;
    fake.open();
    fake.open();
    assert!(session.wait_until_saved(Duration::from_secs(5)).await);
    assert!(first.await.unwrap().is_err());
    assert_eq!(second.await.unwrap().unwrap(), Credential::bearer("t2"));
    assert_eq!(fake.forgotten(), [None, Some(Credential::bearer("t1"))]);
}

#[test]
fn a_session_without_a_runtime_gives_an_error() {
    let auth = auth(&Fake::new());
    let mut login = Box::pin(async { auth.session().login().await.unwrap_err() });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match login.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Error::Refresh(error)) => assert_eq!(*error.kind(), RefreshErrorKind::Gone),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_body_may_be_read_for_ever_and_may_be_as_long_as_the_cap() {
    let server = Script::always(respond(403, &[], "12345"));
    let auth =
        ChallengeMiddleware::builder(API, Fake::new()).body_timeout(Duration::MAX).body_limit(5).build().unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    let denied = Forbidden::find(&error).unwrap();
    assert_eq!((denied.body().as_ref(), denied.is_body_whole()), (&b"12345"[..], true));
}

#[tokio::test]
async fn a_login_while_the_first_request_asks_what_there_is_does_not_fail_it() {
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

/// A scheme that answers every 401 by itself.
struct Resigns;
#[async_trait::async_trait]
impl Authorize for Resigns {
    fn scheme(&self) -> &str {
        "Resigns"
    }
    async fn authorize(&self, _: &mut reqwest::Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
        Ok(())
    }
    fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        Ok(if head.status() == 401 { Observed::Retry } else { Observed::Nothing })
    }
}

#[tokio::test]
async fn a_logout_while_a_scheme_is_about_to_answer_stops_the_replay() {
    let (server, auth) =
        (Script::always(endless_401()), ChallengeMiddleware::new(API, Credential::custom(Resigns)).unwrap());
    let call = tokio::spawn(server.client(&auth).get(API).send());
    until(|| server.sends() == 1).await;
    auth.session().logout().await.unwrap();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((refused(&error).reason(), server.sends()), (UnauthorizedReason::LoggedOut, 1));
}

#[tokio::test]
async fn a_scheme_that_answers_for_a_stream_keeps_the_401s_body() {
    let (server, auth) =
        (Script::always(challenged()), ChallengeMiddleware::new(API, Credential::custom(Resigns)).unwrap());
    let error = server.client(&auth).post(API).body(stream("once")).send().await.unwrap_err();
    assert_eq!(
        (refused(&error).reason(), refused(&error).body().as_ref()),
        (UnauthorizedReason::NotReplayable, &b"who are you?"[..])
    );
}
