//! `Session::fresh_after`, `accepted` and `invalidate`: what a refusal costs that only the caller sees.

use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Credential, Error, RefreshError, RefreshErrorKind, RefreshReason};

use crate::fresh::{printed, token};
use crate::sessions::{auth, refresh_kind, with_t0};
use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Script, challenged};

fn with_clock(fake: &Fake) -> (ChallengeMiddleware, ManualClock) {
    let clock = ManualClock::new();
    (ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap(), clock)
}

#[tokio::test]
async fn a_refused_credential_is_renewed_once_for_all_callers() {
    let fake = with_t0().gated();
    let session = auth(&fake).session();
    let refused = session.fresh().await.unwrap();
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let (session, refused) = (session.clone(), refused.clone());
            tokio::spawn(async move { session.fresh_after(&refused).await })
        })
        .collect();
    fake.wait_for_calls(1).await;
    fake.let_one_through();
    for caller in callers {
        assert_eq!(token(&caller.await.unwrap().unwrap()), "t1");
    }
    assert_eq!(fake.reasons(), [RefreshReason::Expired]);
    assert_eq!(fake.contexts()[0].credential(), Some(&Credential::bearer("t0")));
}

#[tokio::test]
async fn a_caller_whose_refused_credential_was_renewed_meanwhile_starts_no_refresh() {
    let (server, fake) = (Script::accepting("t1"), with_t0());
    let auth = auth(&fake);
    let session = auth.session();
    let refused = session.fresh().await.unwrap();
    // A REST call renews it.
    server.client(&auth).get(API).send().await.unwrap();
    let newer = session.fresh_after(&refused).await.unwrap();
    assert_eq!((token(&newer).as_str(), newer.generation()), ("t1", 2));
    assert_eq!(token(&session.fresh_after(&refused).await.unwrap()), "t1");
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn a_loop_against_a_server_that_refuses_everything_costs_three_refreshes() {
    let fake = with_t0();
    let (auth, clock) = with_clock(&fake);
    let session = auth.session();
    let mut refused = session.fresh().await.unwrap();
    for number in 1..=3 {
        refused = session.fresh_after(&refused).await.unwrap();
        assert_eq!(token(&refused), format!("t{number}"));
    }
    for _ in 0..100 {
        let error = session.fresh_after(&refused).await.unwrap_err();
        assert!(printed(&error).contains("several new credentials in a row"), "{error}");
        // The held credential is still returned, because another server may accept it.
        assert_eq!(token(&session.fresh().await.unwrap()), "t3");
    }
    assert_eq!(fake.calls(), 3);
    // One more refresh starts after each cooldown.
    clock.forward(Duration::from_secs(30));
    refused = session.fresh_after(&refused).await.unwrap();
    session.fresh_after(&refused).await.unwrap_err();
    assert_eq!(fake.calls(), 4);
}

#[tokio::test]
async fn a_loop_with_invalidate_costs_three_refreshes_too() {
    let fake = with_t0();
    let (auth, _) = with_clock(&fake);
    let session = auth.session();
    let mut given = Vec::new();
    for _ in 0..100 {
        let Ok(fresh) = session.fresh().await else { continue };
        given.push(token(&fresh));
        session.invalidate(&fresh);
    }
    assert_eq!(given, ["t0", "t1", "t2", "t3"]);
    assert_eq!(fake.calls(), 3);
}

#[tokio::test]
async fn refusals_of_a_fresh_and_of_rest_calls_share_the_budget() {
    let (server, fake) = (Script::always(challenged()), with_t0());
    let (auth, _) = with_clock(&fake);
    let (session, client) = (auth.session(), server.client(&auth));
    let refused = session.fresh_after(&session.fresh().await.unwrap()).await.unwrap();
    session.fresh_after(&refused).await.unwrap();
    client.get(format!("{API}/1")).send().await.unwrap_err();
    client.get(format!("{API}/2")).send().await.unwrap_err();
    session.fresh_after(&session.fresh().await.unwrap()).await.unwrap_err();
    assert_eq!(fake.calls(), 3);
}

#[tokio::test]
async fn accepted_credentials_do_not_use_up_the_budget() {
    let fake = with_t0();
    let (auth, _) = with_clock(&fake);
    let session = auth.session();
    for _ in 0..20 {
        let fresh = session.fresh().await.unwrap();
        session.accepted(&fresh);
        session.fresh_after(&fresh).await.unwrap();
    }
    assert_eq!(fake.calls(), 20);
}

#[tokio::test]
async fn an_invalidated_credential_is_renewed_before_the_next_use() {
    let fake = with_t0();
    let auth = auth(&fake);
    let session = auth.session();
    let refused = session.fresh().await.unwrap();
    assert!(session.invalidate(&refused));
    assert!(!session.invalidate(&refused), "it is not held any more");
    let server = Script::accepting("t1");
    server.client(&auth).get(API).send().await.unwrap();
    assert_eq!((server.tokens(), fake.reasons()), (vec!["t1".to_owned()], vec![RefreshReason::Expired]));
    // A newer credential is not affected by a late report.
    assert!(!session.invalidate(&refused));
    assert_eq!(token(&session.fresh().await.unwrap()), "t1");
}

#[tokio::test]
async fn an_invalidated_credential_is_not_returned_if_the_renewal_fails() {
    let fake = Fake::failing(RefreshError::transient(None)).with_initial(Ok(Some(Credential::bearer("t0"))));
    let session = auth(&fake).session();
    let refused = session.fresh().await.unwrap();
    session.invalidate(&refused);
    for _ in 0..3 {
        let error = session.fresh().await.unwrap_err();
        assert!(matches!(refresh_kind(&error), RefreshErrorKind::Transient { .. }), "{error}");
    }
    assert_eq!(fake.calls(), 1, "the failure is remembered");
}

#[tokio::test]
async fn a_refused_credential_that_the_refresher_returns_is_an_error() {
    let (clock, held) = (ManualClock::new(), Credential::bearer("t0"));
    let longer = held.clone().with_expiry(clock.time_in(Duration::from_secs(3600)));
    for answer in [held.clone(), longer] {
        let fake = Fake::answering(move |_, _| Ok(Some(answer.clone()))).with_initial(Ok(Some(held.clone())));
        let session = auth(&fake).session();
        let refused = session.fresh().await.unwrap();
        let error = session.fresh_after(&refused).await.unwrap_err();
        assert!(printed(&error).contains("returned the credential that is known to be invalid"), "{error}");
        assert_eq!(fake.calls(), 1);
    }
}

#[tokio::test]
async fn a_credential_of_an_earlier_login_is_not_replaced_by_that_of_another_identity() {
    let fake = with_t0();
    let session = auth(&fake).session();
    let refused = session.fresh().await.unwrap();
    session.login().await.unwrap();
    let error = session.fresh_after(&refused).await.unwrap_err();
    assert!(matches!(error, Error::SessionEnded(ended) if !ended.is_logged_out()), "{error}");
    assert_eq!(token(&session.fresh().await.unwrap()), "t1");
    assert_eq!(fake.calls(), 1);
}
