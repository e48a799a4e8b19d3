//! Logins while the session holds an initial credential, credentials of partitions, and credentials for demands: no call is
//! replayed as another identity.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest_challenge::{
    AuthReport, ChallengeMiddleware, Credential, Forbidden, RefreshContext, RefreshError, RefreshReason, Unauthorized,
    UnauthorizedReason,
};
use reqwest_challenge_testing::Gate;

use crate::support::fake::{Fake, until};
use crate::support::script::{API, Answer, ReceivedRequest, Script, challenged, challenged_with, respond, status};
use crate::support::two_users::TwoUsers;

fn segment(path: &str) -> String {
    path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned()
}

/// A server that accepts every token, except that it refuses `/transfer` for an `A`. That 401 waits at the gate.
fn slow_transfer(answer: &Gate) -> Script {
    let held = answer.clone();
    Script::new(move |arrived: &ReceivedRequest, _| -> Answer {
        match arrived.token() {
            "" => challenged(),
            token if arrived.path().ends_with("/transfer") && token.starts_with('A') => challenged().hold_until(&held),
            _ => status(200),
        }
    })
}

/// Sends a transfer while a login is pending, lets the login end, and then lets the server refuse the transfer.
async fn is_refused_after_the_login(users: &TwoUsers, auth: &ChallengeMiddleware, before: Option<&str>) {
    let answer = Gate::closed();
    let server = slow_transfer(&answer);
    let client = server.client(auth);
    let login = users.log_in(auth.session()).await;
    if let Some(path) = before {
        client.get(format!("{API}/{path}")).send().await.unwrap();
    }
    let sent = server.sends();
    let transfer = tokio::spawn(client.post(format!("{API}/p/transfer")).send());
    until(|| server.sends() == sent + 1).await;
    users.open();
    login.await.unwrap().unwrap();
    answer.open();
    let error = transfer.await.unwrap().unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::SessionChanged);
    assert_eq!(server.sends(), sent + 1, "it is not replayed as another identity");
    assert_eq!(client.get(format!("{API}/p/next")).send().await.unwrap().status(), 200);
    assert_eq!(server.tokens().last().map(String::as_str), Some("B1"));
}

#[tokio::test]
async fn the_initial_credential_is_not_the_identity_of_a_pending_login() {
    let users = TwoUsers::new();
    let auth = ChallengeMiddleware::new(API, users.clone()).unwrap();
    is_refused_after_the_login(&users, &auth, None).await;
}

#[tokio::test]
async fn a_partition_credential_that_arrives_during_a_login_is_not_the_identity_of_that_login() {
    let users = TwoUsers::without_initial();
    let auth = ChallengeMiddleware::builder(API, users.clone());
    let auth = auth.partition_by(|_, url| segment(url.path())).build().unwrap();
    is_refused_after_the_login(&users, &auth, Some("p/first")).await;
}

#[tokio::test]
async fn partition_credentials_are_sent_until_a_login_succeeds() {
    for ends_well in [true, false] {
        let users = TwoUsers::without_initial();
        let auth = ChallengeMiddleware::builder(API, users.clone());
        let auth = auth.partition_by(|_, url| segment(url.path())).build().unwrap();
        let server = slow_transfer(&Gate::closed());
        let client = server.client(&auth);
        client.get(format!("{API}/p/1")).send().await.unwrap();
        let login = users.log_in(auth.session()).await;
        client.get(format!("{API}/p/2")).send().await.unwrap();
        if ends_well {
            users.open();
            login.await.unwrap().unwrap();
        } else {
            login.abort();
        }
        client.get(format!("{API}/p/3")).send().await.unwrap();
        let last = if ends_well { "B1" } else { "A1" };
        assert_eq!(server.tokens(), ["", "A1", "A1", last]);
    }
}

/// A middleware whose first credential meets one demand and whose second meets another. It keeps the first one.
async fn with_a_kept_credential(fake: &Fake) -> (ChallengeMiddleware, Script) {
    let server = Script::new(|arrived, _| {
        let path = arrived.path().trim_start_matches('/').to_owned();
        if arrived.token().starts_with(&path) {
            return status(200);
        }
        challenged_with(&format!("Bearer claims=\"{path}\""))
    });
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let client = server.client(&auth);
    for path in ["x", "y"] {
        client.get(format!("{API}/{path}")).send().await.unwrap();
    }
    (auth, server)
}

/// A refresher that returns a token for the claims, or `login-…`.
fn claims() -> Fake {
    Fake::answering(|number, context| {
        let claims = context.demand().claims().unwrap_or("login");
        Ok(Some(Credential::bearer(format!("{claims}-{number}"))))
    })
}

#[tokio::test]
async fn a_credential_kept_for_a_demand_is_not_sent_after_a_login() {
    let fake = claims();
    let (auth, server) = with_a_kept_credential(&fake).await;
    auth.session().login().await.unwrap();
    let response = server.client(&auth).get(format!("{API}/x")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), fake.calls()), (200, 4));
    assert_eq!(server.tokens().last().map(String::as_str), Some("x-4"));
}

#[tokio::test]
async fn a_logout_forgets_the_credentials_kept_for_demands() {
    let fake = claims();
    let (auth, _) = with_a_kept_credential(&fake).await;
    auth.session().logout().await.unwrap();
    let forgotten = fake.forgotten();
    for token in ["x-1", "y-2"] {
        assert!(forgotten.contains(&Some(Credential::bearer(token))), "{token}: {forgotten:?}");
    }
}

#[tokio::test]
async fn a_waiting_request_is_refreshed_by_its_own_challenge_if_the_login_declines() {
    let gate = Gate::closed();
    let (held, logins) = (gate.clone(), Arc::new(AtomicUsize::new(0)));
    let begun = logins.clone();
    let refresher = move |context: RefreshContext| {
        let (held, begun) = (held.clone(), begun.clone());
        async move {
            if context.reason() == RefreshReason::Login {
                begun.fetch_add(1, Ordering::SeqCst);
                held.pass().await;
            }
            Ok::<_, RefreshError>((!context.challenges().is_empty()).then(|| Credential::bearer("t1")))
        }
    };
    let server = Script::accepting("t1");
    let auth = ChallengeMiddleware::new(API, refresher).unwrap();
    let session = auth.session();
    let login = tokio::spawn(async move { session.login().await });
    until(|| logins.load(Ordering::SeqCst) == 1).await;
    let call = tokio::spawn(server.client(&auth).get(API).send());
    until(|| server.sends() == 1).await;
    gate.open();
    login.await.unwrap().unwrap_err();
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_403_of_a_partition_steps_up_there_even_after_a_renewal() {
    let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
        (_, "") => challenged(),
        ("/p/denied", _) => respond(403, &[("www-authenticate", "Bearer scope=\"more\"")], ""),
        _ => status(200),
    });
    let fake = Fake::new();
    let auth = ChallengeMiddleware::builder(API, fake.clone());
    let auth = auth.partition_by(|_, url| segment(url.path())).build().unwrap();
    let client = server.client(&auth);
    let error = client.get(format!("{API}/p/denied")).send().await.unwrap_err();
    let denied = Forbidden::find(&error).unwrap();
    assert!(auth.session().invalidate(denied));
    client.get(format!("{API}/p/renewed")).send().await.unwrap();
    assert_eq!(auth.session().step_up(denied).await.unwrap(), Credential::bearer("t3"));
    let response = client.get(format!("{API}/p/now")).send().await.unwrap();
    assert_eq!((server.tokens().last().map(String::as_str), AuthReport::of(&response).attempts()), (Some("t3"), 1));
    assert_eq!(auth.session().credential(), None, "the credential belongs only to that partition");
}
