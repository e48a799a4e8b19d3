//! `Session::step_up_to`: more scopes where a 403 names none.

use reqwest_challenge::support::error_lines;
use reqwest_challenge::{
    ChallengeMiddleware, Credential, Error, Forbidden, RefreshError, RefreshErrorKind, RefreshReason, StepUpKind,
};

use crate::sessions::{auth, refresh_kind};
use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Script, status};

/// A refresher that grants the requested scopes.
fn generous() -> Fake {
    let granting = Fake::answering(|number, context| {
        Ok(Some(Credential::bearer(format!("t{number}")).with_scopes(context.demand().scopes().iter().cloned())))
    });
    granting.with_initial(Ok(Some(Credential::bearer("t0").with_scopes(["read"]))))
}

#[track_caller]
fn step_up_kind(result: Result<Credential, Error>) -> StepUpKind {
    match result.unwrap_err() {
        Error::StepUp(error) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_403_without_scopes_is_answered_by_the_scopes_of_the_caller() {
    let fake = generous();
    let server = Script::new(|arrived, _| if arrived.token() == "t1" { status(200) } else { status(403) });
    let auth = auth(&fake);
    let client = server.client(&auth);
    let error = client.get(API).send().await.unwrap_err();
    let kind = step_up_kind(auth.session().step_up(Forbidden::find(&error).unwrap()).await);
    assert_eq!((kind, fake.calls()), (StepUpKind::NoScopes, 0));
    let credential = auth.session().step_up_to(["write", "write", "", "read"]).await.unwrap();
    assert_eq!(credential, Credential::bearer("t1"));
    assert_eq!(fake.contexts()[0].demand().scopes(), ["read", "write"]);
    assert_eq!(
        (client.get(API).send().await.unwrap().status().as_u16(), fake.reasons()),
        (200, vec![RefreshReason::StepUp])
    );
}

#[tokio::test]
async fn a_hundred_callers_share_one_refresh() {
    let fake = generous().gated();
    let auth = auth(&fake);
    let session = auth.session();
    let steps: Vec<_> = (0..100)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.step_up_to(["write"]).await })
        })
        .collect();
    fake.wait_for_calls(1).await;
    fake.let_one_through();
    for step in steps {
        assert_eq!(step.await.unwrap().unwrap(), Credential::bearer("t1"));
    }
    assert_eq!((fake.calls(), fake.initial_calls()), (1, 1));
}

#[tokio::test]
async fn scopes_that_are_held_are_not_requested() {
    let fake = generous();
    let session = auth(&fake).session();
    assert_eq!(session.step_up_to(["read"]).await.unwrap(), Credential::bearer("t0"));
    assert_eq!(fake.calls(), 0);
    session.step_up_to(["write"]).await.unwrap();
    assert_eq!(session.step_up_to([String::from("write"), "read".into()]).await.unwrap(), Credential::bearer("t1"));
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn scopes_of_a_credential_that_names_none_count_as_granted_if_they_were_requested() {
    let fake = Fake::new();
    let session = auth(&fake).session();
    for _ in 0..2 {
        assert_eq!(session.step_up_to(["write"]).await.unwrap(), Credential::bearer("t1"));
    }
    assert_eq!(
        (fake.reasons(), fake.contexts()[0].demand().scopes()),
        (vec![RefreshReason::StepUp], &["write".to_owned()][..])
    );
}

#[tokio::test]
async fn scopes_that_are_not_granted_are_an_error_and_are_not_requested_again() {
    let fake = Fake::answering(|_, _| Ok(Some(Credential::bearer("t1").with_scopes(["read"]))));
    let session = auth(&fake).session();
    for _ in 0..3 {
        assert_eq!(step_up_kind(session.step_up_to(["admin"]).await), StepUpKind::NotGranted);
        assert_eq!(fake.calls(), 1);
    }
}

#[tokio::test]
async fn an_invalid_credential_is_replaced_although_it_has_the_scopes() {
    let fake = generous();
    let server = Script::always(status(200));
    let auth = auth(&fake);
    let response = server.client(&auth).get(API).send().await.unwrap();
    assert!(auth.session().invalidate(&reqwest_challenge::AuthReport::of(&response)));
    assert_eq!(auth.session().step_up_to(["read"]).await.unwrap(), Credential::bearer("t1"));
    assert_eq!(fake.reasons(), [RefreshReason::StepUp]);
}

#[tokio::test]
async fn scopes_that_were_not_granted_are_requested_again_after_the_credential_was_invalidated() {
    let fake = Fake::answering(|number, _| {
        let scopes: &[&str] = if number == 1 { &["read"] } else { &["read", "admin"] };
        Ok(Some(Credential::bearer(format!("t{number}")).with_scopes(scopes.iter().copied())))
    });
    let auth = auth(&fake);
    assert_eq!(step_up_kind(auth.session().step_up_to(["admin"]).await), StepUpKind::NotGranted);
    let response = Script::always(status(200)).client(&auth).get(API).send().await.unwrap();
    assert!(auth.session().invalidate(&reqwest_challenge::AuthReport::of(&response)));
    assert_eq!(auth.session().step_up_to(["admin"]).await.unwrap(), Credential::bearer("t2"));
    assert_eq!(fake.calls(), 2);
}

#[tokio::test]
async fn scopes_of_an_invalid_credential_are_requested_again() {
    let fake = Fake::new();
    let auth = auth(&fake);
    assert_eq!(auth.session().step_up_to(["write"]).await.unwrap(), Credential::bearer("t1"));
    let response = Script::always(status(200)).client(&auth).get(API).send().await.unwrap();
    assert!(auth.session().invalidate(&reqwest_challenge::AuthReport::of(&response)));
    assert_eq!(auth.session().step_up_to(["write"]).await.unwrap(), Credential::bearer("t2"));
}

#[tokio::test]
async fn no_scopes_and_a_session_that_is_logged_out_are_errors() {
    let fake = generous();
    let session = auth(&fake).session();
    assert_eq!(step_up_kind(session.step_up_to([""; 0]).await), StepUpKind::NoScopes);
    assert_eq!(step_up_kind(session.step_up_to([""]).await), StepUpKind::NoScopes);
    session.logout().await.unwrap();
    let error = session.step_up_to(["write"]).await.unwrap_err();
    assert!(matches!(error, Error::SessionEnded(ended) if ended.is_logged_out()));
    assert_eq!(fake.calls(), 0);
}

#[tokio::test]
async fn a_failure_of_the_refresher_is_the_error() {
    let fake = Fake::failing(RefreshError::login_required("run `app login`"));
    let error = auth(&fake).session().step_up_to(["write"]).await.unwrap_err();
    assert_eq!(refresh_kind(&error), RefreshErrorKind::LoginRequired { hint: "run `app login`".into() });
    let fake = Fake::answering(|_, _| Ok(None));
    let error = auth(&fake).session().step_up_to(["write"]).await.unwrap_err();
    let lines = error_lines(&error).join("\n");
    assert!(lines.contains("the refresher has no credential for this request"), "{lines}");
}

#[tokio::test]
async fn a_loop_against_a_server_that_refuses_each_credential_ends_with_the_budget() {
    let fake = generous();
    let server = Script::always(crate::support::script::challenged());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new()).build().unwrap();
    let client = server.client(&auth);
    for number in 0..50 {
        let _ = auth.session().step_up_to([format!("scope{number}")]).await;
        client.get(format!("{API}/{number}")).send().await.unwrap_err();
    }
    assert!(fake.calls() <= 4, "{}", fake.calls());
}
