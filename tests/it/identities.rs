//! Identities stay apart while logins, logouts, renewals and 401s overlap.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{
    ChallengeMiddleware, Credential, Error, Forbidden, Refresh, RefreshContext, RefreshError, RefreshErrorKind,
    RefreshReason, Session, StepUpKind, Unauthorized, UnauthorizedReason,
};
use reqwest_challenge_testing::Gate;

use crate::sessions::{auth, refresh_kind, with_t0};
use crate::support::fake::{Fake, ManualClock, until};
use crate::support::script::{API, Script, challenged, challenged_with, respond, status};
use crate::support::two_users::TwoUsers;

fn log_in(session: Session) -> tokio::task::JoinHandle<Result<Credential, Error>> {
    tokio::spawn(async move { session.login().await })
}

#[tokio::test]
async fn a_request_that_was_signed_before_a_login_ended_is_not_replayed_as_the_new_identity() {
    let (users, answer) = (TwoUsers::new(), Gate::closed());
    let held = answer.clone();
    let server = Script::new(move |arrived, number| match (number, arrived.token()) {
        (0, _) => status(200),
        (_, token) if token.starts_with('B') => status(200),
        _ => challenged().hold_until(&held),
    });
    let auth = ChallengeMiddleware::new(API, users.clone()).unwrap();
    let client = server.client(&auth);
    client.get(API).send().await.unwrap();
    let login = users.log_in(auth.session()).await;
    // The request is sent as A while the login is pending.
    let transfer = tokio::spawn(client.post(format!("{API}/transfer")).send());
    until(|| server.sends() == 2).await;
    users.open();
    login.await.unwrap().unwrap();
    answer.open();
    let error = transfer.await.unwrap().unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::SessionChanged);
    assert_eq!(server.tokens(), ["A0", "A0"]);
}

#[tokio::test]
async fn the_held_identity_is_renewed_while_a_login_is_pending_and_keeps_its_epoch() {
    let users = TwoUsers::new();
    let server = Script::new(|arrived, _| if arrived.token() == "A0" { challenged() } else { status(200) });
    let auth = ChallengeMiddleware::new(API, users.clone()).unwrap();
    let client = server.client(&auth);
    // The renewal starts before the login ends; the login is for another identity.
    let first = client.get(API).send().await.unwrap();
    let epoch = reqwest_challenge::AuthReport::of(&first).epoch();
    assert!(auth.session().invalidate(&reqwest_challenge::AuthReport::of(&first)));
    let login = users.log_in(auth.session()).await;
    let second = client.get(API).send().await.unwrap();
    assert_eq!(reqwest_challenge::AuthReport::of(&second).epoch(), epoch);
    assert_eq!(server.tokens().last().map(String::as_str), Some("A2"));
    users.open();
    login.await.unwrap().unwrap();
    let third = client.get(API).send().await.unwrap();
    assert!(reqwest_challenge::AuthReport::of(&third).epoch() > epoch);
    assert_eq!(server.tokens().last().map(String::as_str), Some("B1"));
}

#[tokio::test]
async fn a_failed_login_does_not_change_the_held_identity() {
    let users = TwoUsers::failing();
    let server = Script::new(|arrived, _| if arrived.token() == "A0" { challenged() } else { status(200) });
    let auth = ChallengeMiddleware::new(API, users.clone()).unwrap();
    let client = server.client(&auth);
    client.get(format!("{API}/first")).send().await.unwrap();
    let login = users.log_in(auth.session()).await;
    users.open();
    let error = login.await.unwrap().unwrap_err();
    assert_eq!(refresh_kind(&error), RefreshErrorKind::CredentialRevoked { code: "access_denied".to_owned() });
    // The session remembers neither a failure nor a change of identity.
    let expired = Script::new(|arrived, _| if arrived.token() == "A1" { challenged() } else { status(200) });
    assert_eq!(expired.client(&auth).get(API).send().await.unwrap().status(), 200);
    assert_eq!(expired.tokens(), ["A1", "A2"]);
}

#[tokio::test]
async fn a_403_of_one_identity_cannot_step_up_another() {
    let users = TwoUsers::new();
    let server = Script::new(|arrived, number| match (number, arrived.path()) {
        (_, "/write") => respond(403, &[("www-authenticate", "Bearer scope=\"write\"")], ""),
        _ => status(200),
    });
    let auth = ChallengeMiddleware::new(API, users.clone()).unwrap();
    let client = server.client(&auth);
    client.get(API).send().await.unwrap();
    let login = users.log_in(auth.session()).await;
    let error = client.get(format!("{API}/write")).send().await.unwrap_err();
    let denied = Forbidden::find(&error).unwrap();
    users.open();
    login.await.unwrap().unwrap();
    match auth.session().step_up(denied).await {
        Err(Error::StepUp(refused)) => assert_eq!(refused.kind(), StepUpKind::EarlierLogin),
        other => panic!("{other:?}"),
    }
    assert!(!auth.session().invalidate(denied));
    assert_eq!(users.renewals(), 0);
}

#[tokio::test]
async fn a_failed_first_login_keeps_the_initial_credential() {
    let kept = Credential::bearer("t0");
    let failing = || Fake::failing(RefreshError::login_required("run `app login`"));
    let given = ChallengeMiddleware::builder(API, failing()).initial_credential(kept.clone()).build().unwrap();
    assert_eq!(given.session().credential(), Some(kept.clone()), "the session holds it before the first request");
    let from_call = ChallengeMiddleware::new(API, failing().with_initial(Ok(Some(kept.clone())))).unwrap();
    for auth in [given, from_call] {
        auth.session().login().await.unwrap_err();
        let server = Script::accepting("t0");
        assert_eq!(server.client(&auth).get(API).send().await.unwrap().status(), 200);
        assert_eq!((server.sends(), auth.session().credential()), (1, Some(kept.clone())));
    }
}

#[tokio::test]
async fn a_failed_login_after_a_logout_leaves_the_session_logged_out() {
    let fake = Fake::failing(RefreshError::login_required("run `app login`"));
    let (server, auth) = (Script::always(challenged()), auth(&fake));
    auth.session().logout().await.unwrap();
    auth.session().login().await.unwrap_err();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::LoggedOut);
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn a_thousand_concurrent_logins_cost_one_login() {
    let fake = Fake::new().gated();
    let auth = auth(&fake);
    let logins: Vec<_> = (0..1_000).map(|_| log_in(auth.session())).collect();
    fake.wait_for_calls(1).await;
    // All callers wait for the login in progress.
    let context = fake.contexts()[0].clone();
    until(|| context.is_awaited()).await;
    tokio::task::yield_now().await;
    fake.let_one_through();
    for login in logins {
        assert_eq!(login.await.unwrap().unwrap(), Credential::bearer("t1"));
    }
    assert_eq!(fake.calls(), 1);
}

/// A refresher that calls logout.
struct Nested(std::sync::OnceLock<Session>);

#[async_trait]
impl Refresh for Nested {
    async fn refresh(&self, _: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let session = self.0.get().unwrap();
        let error = session.logout().await.unwrap_err();
        assert_eq!(refresh_kind(&error), RefreshErrorKind::Recursive);
        assert_eq!(session.credential(), None);
        Ok(Some(Credential::bearer("t1")))
    }
}

#[tokio::test]
async fn a_logout_from_inside_the_refresher_forgets_locally_and_is_an_error() {
    let nested = Arc::new(Nested(std::sync::OnceLock::new()));
    let auth =
        ChallengeMiddleware::builder(API, nested.clone()).initial_credential(Credential::bearer("t0")).build().unwrap();
    assert!(nested.0.set(auth.session()).is_ok());
    let error = Script::always(challenged()).client(&auth).get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::LoggedOut);
    assert_eq!(auth.session().credential(), None);
}

#[test]
fn a_logout_without_a_runtime_forgets_locally_and_is_an_error() {
    let fake = with_t0();
    let auth =
        ChallengeMiddleware::builder(API, fake.clone()).initial_credential(Credential::bearer("t0")).build().unwrap();
    let session = auth.session();
    assert!(session.credential().is_some());
    let mut logout = std::pin::pin!(session.logout());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match logout.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(error)) => assert_eq!(refresh_kind(&error), RefreshErrorKind::Gone),
        other => panic!("{other:?}"),
    }
    assert_eq!(session.credential(), None);
}

use std::future::Future as _;

/// The user of a token: `u7-3` belongs to user 7.
fn user(token: &str) -> &str {
    token.split('-').next().unwrap_or_default()
}

/// A refresher whose logins return a new user each time. A renewal is for the user whose credential was refused.
struct Users(AtomicUsize);

#[async_trait]
impl Refresh for Users {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let held = context.credential().and_then(|held| held.source().map(str::to_owned));
        let user = match (context.reason(), held) {
            (RefreshReason::Login, _) | (_, None) => format!("u{number}"),
            (_, Some(user)) => user,
        };
        Ok(Some(Credential::bearer(format!("{user}-{number}")).with_source(&user)))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_logins_logouts_and_401s_never_replay_a_call_as_another_user() {
    let server = Script::new(|arrived, number| match number % 5 {
        _ if arrived.token().is_empty() => challenged(),
        0 | 1 => challenged(),
        2 => respond(403, &[("www-authenticate", "Bearer scope=\"more\"")], ""),
        3 => challenged_with("Bearer claims=\"e30=\""),
        _ => status(200),
    });
    // One caller advances the clock, so that the budget is exhausted only for a short time.
    let clock = ManualClock::new();
    let auth = ChallengeMiddleware::builder(API, Users(0.into())).clock(clock.clone()).build().unwrap();
    let client = server.client(&auth);
    let callers = (0..8).map(|caller| {
        let (client, session, clock) = (client.clone(), auth.session(), clock.clone());
        tokio::spawn(async move {
            for call in 0..400 {
                match (caller, call % 20) {
                    (0, 3) => drop(session.login().await),
                    (1, 11) => drop(session.logout().await),
                    (1, 12) => drop(session.login().await),
                    (2, 5) => clock.forward(Duration::from_secs(400)),
                    _ => {
                        let url = format!("{API}/{caller}/{call}");
                        if let Err(error) = client.post(url).send().await
                            && let Some(denied) = Forbidden::find(&error).filter(|_| caller == 3)
                        {
                            drop(session.step_up(denied).await);
                        }
                    }
                }
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let mut of = std::collections::HashMap::<String, Vec<String>>::new();
    for arrived in server.requests() {
        of.entry(arrived.path().to_owned()).or_default().push(arrived.token().to_owned());
    }
    let mut replays = 0;
    for (path, tokens) in &of {
        assert!(tokens.len() <= 2, "{path}: {tokens:?}");
        if let [first, second] = &tokens[..] {
            replays += 1;
            assert!(first.is_empty() || user(first) == user(second), "{path}: {tokens:?}");
        }
    }
    assert!(replays > 100, "{replays}");
}
