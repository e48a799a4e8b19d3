//! The methods of a session: login, logout, invalidate and step up.

use std::time::Duration;

use http::header::WWW_AUTHENTICATE;
use reqwest_challenge::{
    ChallengeMiddleware, Credential, Error, Forbidden, RefreshError, RefreshErrorKind, RefreshReason, StepUpKind,
    Unauthorized, UnauthorizedReason,
};

use crate::support::fake::{Fake, until};
use crate::support::script::{API, Answer, Script, challenged, respond, status};

pub(crate) fn auth(fake: &Fake) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, fake.clone()).unwrap()
}

pub(crate) fn with_t0() -> Fake {
    Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))))
}

#[track_caller]
pub(crate) fn refresh_kind(error: &Error) -> RefreshErrorKind {
    match error {
        Error::Refresh(error) => error.kind().clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_login_without_a_held_credential_calls_the_refresher_and_its_result_is_sent() {
    let (server, fake) = (Script::accepting("t1"), Fake::new());
    let auth = auth(&fake);
    assert_eq!(auth.session().login().await.unwrap(), Credential::bearer("t1"));
    assert_eq!(fake.reasons(), [RefreshReason::Login]);
    assert!(fake.contexts()[0].url().is_none() && fake.contexts()[0].origin().to_string() == API);
    assert_eq!(server.client(&auth).get(API).send().await.unwrap().status(), 200);
    assert_eq!((server.sends(), fake.calls(), fake.initial_calls()), (1, 1, 0));
}

#[tokio::test]
async fn a_login_replaces_the_held_credential_only_if_it_succeeds() {
    let (server, fake) = (
        Script::accepting("t0"),
        Fake::failing(RefreshError::login_required("run `app login`")).with_initial(Ok(Some(Credential::bearer("t0")))),
    );
    let auth = auth(&fake);
    let client = server.client(&auth);
    client.get(API).send().await.unwrap();
    let error = auth.session().login().await.unwrap_err();
    assert_eq!(refresh_kind(&error), RefreshErrorKind::LoginRequired { hint: "run `app login`".into() });
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_login_does_not_join_a_flight_and_discards_its_result() {
    let (server, fake) = (Script::accepting("t2"), Fake::new().gated());
    let auth = auth(&fake);
    let waiting = tokio::spawn(server.client(&auth).get(API).send());
    fake.wait_for_calls(1).await;
    let login = tokio::spawn({
        let session = auth.session();
        async move { session.login().await }
    });
    fake.wait_for_calls(2).await;
    // A caller that waited for the old identity does not get the new one.
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::SessionChanged);
    fake.let_one_through();
    fake.let_one_through();
    assert_eq!(login.await.unwrap().unwrap(), Credential::bearer("t2"));
    assert!(auth.session().wait_until_saved(Duration::from_secs(5)).await);
    assert_eq!(auth.session().credential(), Some(Credential::bearer("t2")));
    assert_eq!((server.sends(), fake.calls(), fake.forgotten().len()), (1, 2, 0));
}

#[tokio::test]
async fn a_login_clears_a_remembered_failure() {
    let fake = Fake::answering(|number, _| match number {
        1 => Err(RefreshError::credential_revoked("invalid_grant")),
        _ => Ok(Some(Credential::bearer("t2"))),
    });
    let (server, auth) = (Script::accepting("t2"), auth(&fake));
    let client = server.client(&auth);
    for _ in 0..3 {
        client.get(API).send().await.unwrap_err();
    }
    assert_eq!(fake.calls(), 1, "the remembered failure is returned");
    auth.session().login().await.unwrap();
    assert_eq!((client.get(API).send().await.unwrap().status().as_u16(), fake.calls()), (200, 2));
}

#[tokio::test]
async fn a_logout_forgets_the_credential_and_a_401_is_an_error_until_the_next_login() {
    let (server, fake) =
        (Script::new(|arrived, _| if arrived.token().is_empty() { challenged() } else { status(200) }), with_t0());
    let auth = auth(&fake);
    let client = server.client(&auth);
    client.get(API).send().await.unwrap();
    auth.session().logout().await.unwrap();
    auth.session().logout().await.unwrap();
    assert_eq!(fake.forgotten(), [Some(Credential::bearer("t0"))]);
    assert_eq!(auth.session().credential(), None);
    let error = client.get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::LoggedOut);
    assert_eq!((server.tokens(), fake.calls()), (vec!["t0".to_owned(), String::new()], 0));
    auth.session().login().await.unwrap();
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_logout_without_a_held_credential_calls_the_refresher() {
    let fake = Fake::new();
    auth(&fake).session().logout().await.unwrap();
    assert_eq!(fake.forgotten(), [None]);
}

#[tokio::test]
async fn a_logout_ends_a_flight_and_forgets_its_result() {
    let (server, fake) = (Script::accepting("t1"), Fake::new().gated());
    let auth = auth(&fake);
    let waiting: Vec<_> = (0..5).map(|_| tokio::spawn(server.client(&auth).get(API).send())).collect();
    until(|| server.sends() == 5).await;
    fake.wait_for_calls(1).await;
    auth.session().logout().await.unwrap();
    for call in waiting {
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::LoggedOut);
    }
    fake.let_one_through();
    assert!(auth.session().wait_until_saved(Duration::from_secs(5)).await);
    assert_eq!(fake.forgotten(), [None, Some(Credential::bearer("t1"))]);
    assert_eq!((server.sends(), fake.calls(), auth.session().credential()), (5, 1, None));
}

#[tokio::test]
async fn a_request_that_was_signed_before_a_logout_and_a_login_is_not_replayed() {
    let fake = with_t0();
    let server = Script::accepting("never");
    let auth = auth(&fake);
    let session = auth.session();
    let script = {
        let session = session.clone();
        Script::new(move |_, _| {
            let session = session.clone();
            // Logs out and in while the request is in progress.
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    session.logout().await.unwrap();
                    session.login().await.unwrap()
                });
            })
            .join()
            .unwrap();
            challenged()
        })
    };
    drop(server);
    let error = script.client(&auth).get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::SessionChanged);
    assert_eq!((script.tokens(), fake.calls()), (vec!["t0".to_owned()], 1));
}

#[tokio::test]
async fn a_hundred_responses_for_one_expired_credential_invalidate_it_once() {
    let fake = with_t0();
    let server = Script::new(|arrived, _| if arrived.token() == "t1" { status(200) } else { status(403) });
    let auth = auth(&fake);
    let client = server.client(&auth);
    let mut errors = Vec::new();
    for _ in 0..100 {
        errors.push(client.get(API).send().await.unwrap_err());
    }
    let invalidated = errors.iter().filter(|error| auth.session().invalidate(Forbidden::find(*error).unwrap()));
    assert_eq!(invalidated.count(), 1);
    assert_eq!(auth.session().credential(), None);
    assert_eq!(
        (client.get(API).send().await.unwrap().status().as_u16(), fake.reasons()),
        (200, vec![RefreshReason::Expired])
    );
    assert!(!auth.session().invalidate(Forbidden::find(&errors[0]).unwrap()), "the session holds a newer credential");
}

fn insufficient(scopes: &str) -> Answer {
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scopes}\"");
    respond(403, &[(WWW_AUTHENTICATE.as_str(), &challenge)], "")
}

/// A refresher that grants the requested scopes.
fn generous() -> Fake {
    Fake::answering(|number, context| {
        Ok(Some(Credential::bearer(format!("t{number}")).with_scopes(context.demand().scopes().iter().cloned())))
    })
    .with_initial(Ok(Some(Credential::bearer("t0").with_scopes(["read"]))))
}

#[tokio::test]
async fn a_hundred_step_ups_start_one_flight_with_the_union_of_scopes() {
    let (server, fake) = (
        Script::new(|arrived, _| if arrived.token() == "t1" { status(200) } else { insufficient("write read") }),
        generous().gated(),
    );
    let auth = auth(&fake);
    let client = server.client(&auth);
    let mut steps = Vec::new();
    for _ in 0..100 {
        let error = client.get(API).send().await.unwrap_err();
        let session = auth.session();
        steps.push(tokio::spawn(async move { session.step_up(Forbidden::find(&error).unwrap()).await.unwrap() }));
    }
    fake.wait_for_calls(1).await;
    fake.let_one_through();
    for step in steps {
        assert_eq!(step.await.unwrap(), Credential::bearer("t1"));
    }
    assert_eq!((server.sends(), fake.reasons()), (100, vec![RefreshReason::StepUp]));
    assert_eq!(fake.contexts()[0].demand().scopes(), ["read", "write"]);
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
}

#[track_caller]
fn step_up_kind(result: Result<Credential, Error>) -> StepUpKind {
    match result.unwrap_err() {
        Error::StepUp(error) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_step_up_for_scopes_that_are_granted_and_still_refused_is_an_error() {
    let (server, fake) = (Script::always(insufficient("write")), generous());
    let auth = auth(&fake);
    let client = server.client(&auth);
    let first = client.get(API).send().await.unwrap_err();
    auth.session().step_up(Forbidden::find(&first).unwrap()).await.unwrap();
    let second = client.get(API).send().await.unwrap_err();
    let kind = step_up_kind(auth.session().step_up(Forbidden::find(&second).unwrap()).await);
    assert_eq!((kind, fake.calls()), (StepUpKind::GrantedAndRefused, 1));
    // The held credential has the scopes of the first 403, so no refresh starts.
    assert_eq!(auth.session().step_up(Forbidden::find(&first).unwrap()).await.unwrap(), Credential::bearer("t1"));
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn a_403_without_scopes_or_of_an_earlier_login_cannot_step_up() {
    let (server, fake) =
        (Script::new(|_, number| if number == 0 { status(403) } else { insufficient("write") }), generous());
    let auth = auth(&fake);
    let client = server.client(&auth);
    let none = client.get(API).send().await.unwrap_err();
    assert_eq!(step_up_kind(auth.session().step_up(Forbidden::find(&none).unwrap()).await), StepUpKind::NoScopes);
    let earlier = client.get(API).send().await.unwrap_err();
    auth.session().login().await.unwrap();
    let kind = step_up_kind(auth.session().step_up(Forbidden::find(&earlier).unwrap()).await);
    assert_eq!((kind, fake.calls()), (StepUpKind::EarlierLogin, 1));
    auth.session().logout().await.unwrap();
    let error = auth.session().step_up(Forbidden::find(&earlier).unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::SessionEnded(ended) if ended.is_logged_out()));
}

#[tokio::test]
async fn a_step_up_waits_for_another_flight_and_then_starts_its_own() {
    let fake = generous().gated();
    let server =
        Script::new(|arrived, _| if arrived.path() == "/scoped" { insufficient("write") } else { challenged() });
    let auth = auth(&fake);
    let client = server.client(&auth);
    let denied = client.get(format!("{API}/scoped")).send().await.unwrap_err();
    let other = tokio::spawn(client.get(API).send());
    fake.wait_for_calls(1).await;
    let step = tokio::spawn({
        let session = auth.session();
        async move { session.step_up(Forbidden::find(&denied).unwrap()).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(fake.calls(), 1);
    fake.let_one_through();
    fake.wait_for_calls(2).await;
    fake.let_one_through();
    assert_eq!(step.await.unwrap().unwrap(), Credential::bearer("t2"));
    drop(other.await);
    assert_eq!(fake.reasons(), [RefreshReason::Challenged, RefreshReason::StepUp]);
}

#[tokio::test]
async fn the_context_of_a_dropped_session_has_no_http_client() {
    let fake = Fake::new();
    let auth = auth(&fake);
    auth.session().login().await.unwrap();
    let context = fake.contexts().remove(0);
    assert!(!context.is_awaited() && context.http_client().is_ok());
    drop(auth);
    assert!(context.http_client().is_err());
}

#[tokio::test]
async fn a_logout_clears_a_remembered_failure() {
    let fake = Fake::answering(|number, _| match number {
        1 => Err(RefreshError::credential_revoked("invalid_grant")),
        _ => Ok(Some(Credential::bearer("t2"))),
    });
    let (server, auth) = (Script::accepting("t2"), auth(&fake));
    server.client(&auth).get(API).send().await.unwrap_err();
    auth.session().logout().await.unwrap();
    auth.session().login().await.unwrap();
    assert_eq!((server.client(&auth).get(API).send().await.unwrap().status().as_u16(), fake.calls()), (200, 2));
}

#[tokio::test]
async fn a_step_up_that_is_not_granted_is_an_error_and_is_not_repeated() {
    let server = Script::always(insufficient("admin"));
    let fake = Fake::answering(|_, _| Ok(Some(Credential::bearer("t1").with_scopes(["read"]))))
        .with_initial(Ok(Some(Credential::bearer("t0").with_scopes(["read"]))));
    let auth = auth(&fake);
    let client = server.client(&auth);
    for _ in 0..3 {
        let error = client.get(API).send().await.unwrap_err();
        let kind = step_up_kind(auth.session().step_up(Forbidden::find(&error).unwrap()).await);
        assert_eq!((kind, fake.calls()), (StepUpKind::NotGranted, 1));
    }
}
