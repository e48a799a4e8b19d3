//! The second half of the table "What happens when": bodies, expiry, redirects.

use std::time::Duration;

use reqwest_challenge::{
    AuthReport, ChallengeMiddleware, Credential, Error, RefreshError, RefreshReason, UnauthorizedReason,
};

use crate::cases::{auth, get, reason};
use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Script, challenged, status, stream};

#[tokio::test]
async fn a_stream_that_the_server_accepts_is_sent_once() {
    let (server, fake) = (Script::always(status(200)), Fake::new());
    let response = server.client(&auth(&fake)).post(API).body(stream("once")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), server.sends(), fake.calls()), (200, 1, 0));
}

#[tokio::test]
async fn a_stream_that_gets_a_401_is_not_replayable_and_the_next_call_succeeds() {
    let (server, fake) = (Script::accepting("t1"), Fake::new());
    let client = server.client(&auth(&fake));
    let error = client.post(API).body(stream("once")).send().await.unwrap_err();
    assert_eq!(reason(&error), UnauthorizedReason::NotReplayable);
    assert_eq!((server.sends(), fake.calls()), (1, 1));
    assert_eq!(client.post(API).body(stream("once")).send().await.unwrap().status(), 200);
    assert_eq!((server.sends(), fake.calls()), (2, 1));
}

#[tokio::test]
async fn an_expired_credential_is_renewed_before_the_body_is_sent() {
    let clock = ManualClock::new();
    let fake = Fake::new()
        .with_initial(Ok(Some(Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600))))));
    let server =
        Script::new(|arrived, number| if number == 0 || arrived.token() == "t1" { status(200) } else { challenged() });
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
    get(&server, &auth).await.unwrap();
    clock.forward(Duration::from_secs(3580));
    let response = server.client(&auth).post(API).body(stream("once")).send().await.unwrap();
    assert_eq!(AuthReport::of(&response).attempts(), 1);
    assert_eq!((server.tokens(), fake.reasons()), (vec!["t0".into(), "t1".into()], vec![RefreshReason::Expired]));
}

#[tokio::test]
async fn refresh_before_streams_gets_a_credential_before_a_stream_is_sent() {
    let (server, fake) = (Script::accepting("t1"), Fake::new());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).refresh_before_streams().build().unwrap();
    let response = server.client(&auth).post(API).body(stream("once")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), server.sends(), fake.calls()), (200, 1, 1));
}

/// A session whose credential `t0` was accepted once and has expired.
async fn expired(fake: &Fake, server: &Script, clock: &ManualClock) -> ChallengeMiddleware {
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .initial_credential(Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600))))
        .clock(clock.clone())
        .build()
        .unwrap();
    get(server, &auth).await.unwrap();
    clock.forward(Duration::from_secs(3700));
    auth
}

#[tokio::test]
async fn a_transient_failure_of_a_renewal_sends_the_old_credential() {
    let (server, clock) = (Script::accepting("t0"), ManualClock::new());
    let fake = Fake::failing(RefreshError::transient(None));
    let auth = expired(&fake, &server, &clock).await;
    assert_eq!(get(&server, &auth).await.unwrap(), 200);
    assert_eq!((server.tokens(), fake.calls()), (vec!["t0".to_owned(); 2], 1));
}

#[tokio::test]
async fn a_final_failure_of_a_renewal_is_an_error_before_the_send() {
    let (server, clock) = (Script::accepting("t0"), ManualClock::new());
    let fake = Fake::failing(RefreshError::credential_revoked("invalid_grant"));
    let auth = expired(&fake, &server, &clock).await;
    let error = get(&server, &auth).await.unwrap_err();
    assert!(matches!(Error::find(&error), Some(Error::Refresh(_))), "{error:?}");
    assert_eq!((server.sends(), fake.calls()), (1, 1));
    get(&server, &auth).await.unwrap_err();
    assert_eq!((server.sends(), fake.calls()), (1, 1), "the remembered failure is returned before the send");
}

#[tokio::test]
async fn a_renewal_before_the_send_is_the_only_refresh_of_its_request() {
    let (clock, fake) = (ManualClock::new(), Fake::new());
    let server = Script::new(|_, number| if number == 0 { status(200) } else { challenged() });
    let auth = expired(&fake, &server, &clock).await;
    assert_eq!(reason(&get(&server, &auth).await.unwrap_err()), UnauthorizedReason::StillRejected);
    assert_eq!((server.sends(), fake.calls()), (2, 1));
}

#[tokio::test]
async fn a_credential_that_arrives_expired_or_short_lived_is_sent_until_a_401() {
    let span = Duration::from_secs;
    for expiry in
        [ManualClock::new().time() - span(7200), ManualClock::new().time(), ManualClock::new().time() + span(20)]
    {
        let clock = ManualClock::new();
        let server = Script::new(|arrived, _| if arrived.token() == "t1" { status(200) } else { challenged() });
        let fake = Fake::answering(move |_, _| Ok(Some(Credential::bearer("t1").with_expiry(expiry))));
        let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
        for _ in 0..3 {
            get(&server, &auth).await.unwrap();
            clock.forward(span(60));
        }
        assert_eq!((server.sends(), fake.calls()), (4, 1), "{expiry:?}");
    }
}

#[tokio::test]
async fn a_clock_that_is_two_hours_off_causes_one_refresh() {
    for back in [false, true] {
        let (clock, server) = (
            ManualClock::new(),
            Script::new(|arrived, _| if arrived.token().is_empty() { challenged() } else { status(200) }),
        );
        let skewed = clock.time();
        if back {
            clock.back(Duration::from_secs(7200));
        } else {
            clock.forward(Duration::from_secs(7200));
        }
        // The expiry of the server is correct; the clock of the session is two hours off.
        let fake = Fake::answering(move |number, _| {
            Ok(Some(Credential::bearer(format!("t{number}")).with_expiry(skewed + Duration::from_secs(3600))))
        });
        let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
        for _ in 0..5 {
            assert_eq!(get(&server, &auth).await.unwrap(), 200);
        }
        assert_eq!((server.sends(), fake.calls()), (6, 1), "back: {back}");
    }
}

#[tokio::test]
async fn a_401_of_another_origin_after_a_redirect_starts_no_refresh() {
    let (server, fake) = (Script::always(challenged().url("https://evil.example/")), Fake::new());
    assert_eq!(reason(&get(&server, &auth(&fake)).await.unwrap_err()), UnauthorizedReason::ForeignOrigin);
    assert_eq!((server.sends(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn a_401_of_another_listed_origin_after_a_redirect_starts_no_refresh() {
    let (server, fake) = (Script::always(challenged().url("https://two.example.com/")), Fake::new());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).origin("https://two.example.com").build().unwrap();
    assert_eq!(reason(&get(&server, &auth).await.unwrap_err()), UnauthorizedReason::ForeignOrigin);
    assert_eq!((server.sends(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn a_post_that_is_redirected_and_refused_is_not_sent_again() {
    let server = Script::always(challenged().url(&format!("{API}/done")));
    let fake = Fake::new();
    let error = server.client(&auth(&fake)).post(API).body("work").send().await.unwrap_err();
    assert_eq!(reason(&error), UnauthorizedReason::Redirected);
    assert_eq!((server.sends(), fake.calls()), (1, 1));
}

#[tokio::test]
async fn other_statuses_are_returned_unchanged() {
    for other in [200, 204, 302, 404, 407, 419, 500, 503] {
        let (server, fake) = (Script::always(status(other)), Fake::new());
        assert_eq!(get(&server, &auth(&fake)).await.unwrap(), other);
        assert_eq!((server.sends(), fake.calls()), (1, 0));
    }
}

#[tokio::test]
async fn a_thousand_requests_with_a_valid_credential_cost_a_thousand_sends() {
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let (server, auth) = (Script::accepting("t0"), auth(&fake));
    for _ in 0..1_000 {
        get(&server, &auth).await.unwrap();
    }
    assert_eq!((server.sends(), fake.calls(), fake.initial_calls()), (1_000, 0, 1));
}

#[tokio::test]
async fn an_expired_initial_credential_is_renewed_before_the_first_send() {
    let (server, clock) = (Script::accepting("t1"), ManualClock::new());
    let stored = Credential::bearer("t0").with_expiry(clock.time() - Duration::from_secs(60));
    let fake = Fake::new().with_initial(Ok(Some(stored)));
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock).build().unwrap();
    assert_eq!(get(&server, &auth).await.unwrap(), 200);
    assert_eq!((server.tokens(), fake.reasons()), (vec!["t1".to_owned()], vec![RefreshReason::Expired]));
}
