//! `Session::fresh`: which credential it returns, when it renews, and who shares that refresh.

use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::dpop::{Dpop, Es256Key};
use reqwest_challenge::{
    ChallengeMiddleware, Credential, Error, Fresh, Password, Refresh, RefreshContext, RefreshError, RefreshErrorKind,
    RefreshReason, Session,
};
use reqwest_challenge_testing::{Answer, Script};

use crate::passwords::refusing;
use crate::sessions::{auth, refresh_kind, with_t0};
use crate::support::fake::{Fake, ManualClock, until};
use crate::support::script::{API, status};

pub(crate) fn token(fresh: &Fresh) -> String {
    fresh.credential().token().unwrap().expose().to_owned()
}

/// The error with its causes.
pub(crate) fn printed(error: &Error) -> String {
    reqwest_challenge::support::error_lines(error).join(": ")
}

/// A middleware that holds `t0` for an hour from now, with a clock that the test moves.
fn for_an_hour(fake: &Fake) -> (ChallengeMiddleware, ManualClock) {
    let clock = ManualClock::new();
    let held = Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600)));
    let builder = ChallengeMiddleware::builder(API, fake.clone()).initial_credential(held);
    (builder.clock(clock.clone()).build().unwrap(), clock)
}

fn spawned(session: &Session) -> tokio::task::JoinHandle<Result<Fresh, Error>> {
    let session = session.clone();
    tokio::spawn(async move { session.fresh().await })
}

#[tokio::test]
async fn a_thousand_callers_beside_rest_calls_share_one_refresh() {
    let (server, fake) = (Script::accepting("t1"), Fake::new().gated());
    let auth = auth(&fake);
    let session = auth.session();
    let client = server.client(&auth);
    let callers: Vec<_> = (0..1000).map(|_| spawned(&session)).collect();
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(client.get(API).send())).collect();
    fake.wait_for_calls(1).await;
    until(|| server.sends() == 100).await;
    fake.let_one_through();
    for caller in callers {
        let fresh = caller.await.unwrap().unwrap();
        assert_eq!((token(&fresh).as_str(), fresh.generation()), ("t1", 1));
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!((fake.calls(), fake.initial_calls(), server.sends()), (1, 1, 200));
}

#[tokio::test]
async fn a_held_credential_is_returned_without_a_refresh() {
    let fake = with_t0();
    let auth = auth(&fake);
    for _ in 0..3 {
        let fresh = auth.session().fresh().await.unwrap();
        let (name, value) = fresh.header().unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("authorization", "Bearer t0"));
        assert!(value.is_sensitive());
        assert_eq!((fresh.generation(), fresh.expiry()), (1, None));
    }
    assert_eq!((fake.initial_calls(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn an_api_key_has_the_header_of_its_name() {
    let key = Credential::header("x-api-key".parse().unwrap(), "k1");
    let session = ChallengeMiddleware::new(API, key).unwrap().session();
    let fresh = session.fresh().await.unwrap();
    let (name, value) = fresh.header().unwrap();
    assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-api-key", "k1"));
}

#[tokio::test]
async fn a_credential_that_is_due_is_renewed_first() {
    let fake = Fake::new();
    let (auth, clock) = for_an_hour(&fake);
    let session = auth.session();
    let fresh = session.fresh().await.unwrap();
    assert_eq!((token(&fresh).as_str(), fresh.expiry()), ("t0", Some(clock.time_in(Duration::from_secs(3600)))));
    clock.forward(Duration::from_secs(3575));
    let fresh = session.fresh().await.unwrap();
    assert_eq!((token(&fresh).as_str(), fresh.generation()), ("t1", 2));
    assert_eq!(fake.reasons(), [RefreshReason::Expired]);
}

#[tokio::test]
async fn a_failed_renewal_returns_the_held_credential_until_it_expires() {
    let fake = Fake::failing(RefreshError::transient(None));
    let (auth, clock) = for_an_hour(&fake);
    let session = auth.session();
    clock.forward(Duration::from_secs(3575));
    for _ in 0..10 {
        assert_eq!(token(&session.fresh().await.unwrap()), "t0");
    }
    assert_eq!(fake.calls(), 1, "the failure is remembered");
    clock.forward(Duration::from_secs(25));
    let error = session.fresh().await.unwrap_err();
    assert!(matches!(refresh_kind(&error), RefreshErrorKind::Transient { .. }), "{error}");
    assert_eq!(fake.calls(), 2);
}

#[tokio::test]
async fn a_renewal_in_the_background_delays_no_caller() {
    let (fake, clock) = (Fake::new().gated(), ManualClock::new());
    let held = Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600)));
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .initial_credential(held)
        .renew_ahead(Duration::from_secs(600))
        .clock(clock.clone())
        .build()
        .unwrap();
    clock.forward(Duration::from_millis(3_569_999));
    assert_eq!(token(&auth.session().fresh().await.unwrap()), "t0");
    fake.wait_for_calls(1).await;
    fake.let_one_through();
    assert!(auth.session().wait_until_saved(Duration::from_secs(5)).await);
    assert_eq!(token(&auth.session().fresh().await.unwrap()), "t1");
}

#[tokio::test]
async fn without_a_credential_the_refresher_is_asked_to_log_in() {
    let fake = Fake::new();
    let session = auth(&fake).session();
    assert_eq!(token(&session.fresh().await.unwrap()), "t1");
    assert_eq!((fake.reasons(), fake.initial_calls()), (vec![RefreshReason::Login], 1));
}

#[tokio::test]
async fn a_caller_without_a_credential_waits_for_the_pending_login() {
    let fake = Fake::new().gated();
    let session = auth(&fake).session();
    let login = tokio::spawn({
        let session = session.clone();
        async move { session.login().await }
    });
    fake.wait_for_calls(1).await;
    let caller = spawned(&session);
    // The initial call shows that the task of the caller runs.
    until(|| fake.initial_calls() == 1).await;
    fake.let_one_through();
    login.await.unwrap().unwrap();
    assert_eq!((token(&caller.await.unwrap().unwrap()).as_str(), fake.calls()), ("t1", 1));
}

#[tokio::test]
async fn a_refresher_that_fails_or_declines_is_an_error() {
    let failing = Fake::failing(RefreshError::login_required("run `app login`"));
    let error = auth(&failing).session().fresh().await.unwrap_err();
    assert_eq!(refresh_kind(&error), RefreshErrorKind::LoginRequired { hint: "run `app login`".into() });
    let declining = Fake::answering(|_, _| Ok(None));
    let error = auth(&declining).session().fresh().await.unwrap_err();
    assert!(printed(&error).contains("the refresher has no credential for this request"), "{error}");
    let initial = Fake::new().with_initial(Err(RefreshError::denied("invalid_client")));
    let error = auth(&initial).session().fresh().await.unwrap_err();
    assert!(matches!(refresh_kind(&error), RefreshErrorKind::Denied { .. }), "{error}");
    assert_eq!(initial.calls(), 0);
}

#[tokio::test]
async fn a_session_that_is_logged_out_gives_no_credential() {
    let fake = with_t0();
    let session = auth(&fake).session();
    let before = session.fresh().await.unwrap();
    session.logout().await.unwrap();
    for result in [session.fresh().await, session.fresh_in("a").await, session.fresh_after(&before).await] {
        assert!(matches!(result, Err(Error::SessionEnded(ended)) if ended.is_logged_out()));
    }
    assert_eq!(fake.calls(), 0);
    session.login().await.unwrap();
    assert_eq!(token(&session.fresh().await.unwrap()), "t1");
}

#[tokio::test]
async fn a_logout_ends_the_wait_for_a_credential() {
    let fake = Fake::new().gated();
    let session = auth(&fake).session();
    let caller = spawned(&session);
    fake.wait_for_calls(1).await;
    session.logout().await.unwrap();
    assert!(matches!(caller.await.unwrap(), Err(Error::SessionEnded(ended)) if ended.is_logged_out()));
}

#[tokio::test]
async fn a_password_needs_the_challenge_of_a_rest_call_first() {
    let server = refusing(&["Basic realm=\"a\""]);
    let auth = ChallengeMiddleware::new(API, Password::new("alice", "hunter2")).unwrap();
    let session = auth.session();
    let error = session.fresh().await.unwrap_err();
    assert!(printed(&error).contains("the refresher needs a challenge of the server"), "{error}");
    server.client(&auth).get(API).send().await.unwrap();
    let fresh = session.fresh().await.unwrap();
    assert_eq!(fresh.header().unwrap().1.to_str().unwrap(), "Basic YWxpY2U6aHVudGVyMg==");
    // A newer credential needs another challenge.
    let error = session.fresh_after(&fresh).await.unwrap_err();
    assert!(printed(&error).contains("the refresher needs a challenge of the server"), "{error}");
}

/// A refresher that needs a challenge, like a password, and whose credential expires.
struct NeedsChallenge(Fake);

#[async_trait]
impl Refresh for NeedsChallenge {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        self.0.refresh(context).await
    }

    fn needs_challenge(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_refresher_that_needs_a_challenge_renews_a_credential_that_is_due_but_not_an_invalid_one() {
    let (fake, clock) = (Fake::new(), ManualClock::new());
    let held = Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600)));
    let builder = ChallengeMiddleware::builder(API, NeedsChallenge(fake.clone())).initial_credential(held);
    let session = builder.clock(clock.clone()).build().unwrap().session();
    clock.forward(Duration::from_secs(3575));
    let fresh = session.fresh().await.unwrap();
    assert_eq!((token(&fresh).as_str(), fake.calls()), ("t1", 1));
    session.invalidate(&fresh);
    let error = session.fresh().await.unwrap_err();
    assert!(printed(&error).contains("the refresher needs a challenge of the server"), "{error}");
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn a_scheme_that_signs_each_request_has_no_header() {
    let server = Script::new(|arrived, _| match arrived.credential() {
        Some(_) => status(200),
        None => Answer::unauthorized(["Digest realm=\"a\", nonce=\"n1\", qop=\"auth\", algorithm=sha-256"]),
    });
    let digest = ChallengeMiddleware::new(API, Password::new("alice", "hunter2")).unwrap();
    server.client(&digest).get(API).send().await.unwrap();
    let bound = Dpop::new(Es256Key::generate().unwrap()).credential("t0", "DPoP").unwrap();
    let dpop = ChallengeMiddleware::new(API, bound).unwrap();
    for (auth, scheme) in [(digest, "Digest"), (dpop, "DPoP")] {
        let fresh = auth.session().fresh().await.unwrap();
        assert_eq!((fresh.credential().scheme(), fresh.header()), (scheme, None));
    }
}

#[tokio::test]
async fn each_partition_has_its_own_credential() {
    let fake = Fake::answering(|number, context| {
        Ok(Some(Credential::bearer(format!("{}-{number}", context.partition().unwrap_or("main")))))
    });
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .partition_by(|_, url| url.path().trim_start_matches('/').to_owned())
        .build()
        .unwrap();
    let session = auth.session();
    assert_eq!(token(&session.fresh_in("a").await.unwrap()), "a-1");
    assert_eq!(token(&session.fresh_in("b").await.unwrap()), "b-2");
    let a = session.fresh_in("a").await.unwrap();
    assert_eq!(token(&a), "a-1");
    // The request of the middleware in the same partition carries the same credential.
    let server = Script::always(status(200));
    server.client(&auth).get(format!("{API}/a")).send().await.unwrap();
    assert_eq!(server.tokens(), ["a-1"]);
    assert_eq!(token(&session.fresh_after(&a).await.unwrap()), "a-3");
    assert_eq!(token(&session.fresh_in("b").await.unwrap()), "b-2");
    assert_eq!(fake.calls(), 3);
}

#[tokio::test]
async fn the_refresh_outlives_a_caller_that_is_cancelled() {
    let fake = Fake::new().gated();
    let session = auth(&fake).session();
    let caller = spawned(&session);
    fake.wait_for_calls(1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    fake.let_one_through();
    assert!(session.wait_until_saved(Duration::from_secs(5)).await);
    assert_eq!((token(&session.fresh().await.unwrap()).as_str(), fake.calls()), ("t1", 1));
}

#[test]
fn without_a_runtime_a_held_credential_is_returned_and_a_refresh_is_an_error() {
    fn ready<T>(future: impl Future<Output = T>) -> T {
        let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(future).poll(context) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("it waits"),
        }
    }
    let fake = Fake::new();
    let error = ready(auth(&fake).session().fresh()).unwrap_err();
    assert_eq!(refresh_kind(&error), RefreshErrorKind::Gone);
    let (auth, _) = for_an_hour(&fake);
    assert_eq!(token(&ready(auth.session().fresh()).unwrap()), "t0");
}

#[tokio::test]
async fn debug_prints_no_secret() {
    let held = Credential::bearer("hunter2").with_attachment("hunter3").with_scopes(["read"]);
    let session = ChallengeMiddleware::new(API, held).unwrap().session();
    let fresh = session.fresh().await.unwrap();
    let text = format!("{fresh:?} {fresh:#?} {:?}", fresh.as_ref());
    assert!(text.contains("Fresh") && text.contains("generation: 1") && text.contains("\"Bearer\""), "{text}");
    assert!(!text.contains("hunter"), "{text}");
}
