//! `login_first`: a credential before the first request, for servers that refuse a request without one by 403.

use std::time::Duration;

use reqwest_challenge::{
    CallOptions, ChallengeMiddleware, Credential, Error, Forbidden, Password, RefreshError, RefreshReason,
    Unauthorized, UnauthorizedReason,
};

use crate::support::fake::Fake;
use crate::support::script::{API, Script, challenged, respond, status, stream};
use crate::support::two_users::TwoUsers;

fn auth(fake: &Fake) -> ChallengeMiddleware {
    ChallengeMiddleware::builder(API, fake.clone()).login_first().build().unwrap()
}

/// A server that sends 403, and no challenge, to a request without a credential.
fn hiding() -> Script {
    Script::new(|arrived, _| if arrived.token().is_empty() { respond(403, &[], "go away") } else { status(200) })
}

#[tokio::test]
async fn the_first_request_of_all_carries_the_credential_of_a_login() {
    let (server, fake) = (hiding(), Fake::new());
    let client = server.client(&auth(&fake));
    for _ in 0..2 {
        assert_eq!(client.get(format!("{API}/x")).send().await.unwrap().status(), 200);
    }
    assert_eq!((server.tokens().join(" "), fake.reasons()), ("t1 t1".into(), vec![RefreshReason::Login]));
    assert_eq!((fake.initial_calls(), fake.contexts()[0].url().unwrap().path()), (1, "/x"));
}

#[tokio::test]
async fn without_the_setting_the_error_says_that_no_credential_was_sent() {
    let fake = Fake::new();
    let scoped = Script::always(challenged_403("Bearer scope=\"a\""));
    for (server, wanted) in [
        (hiding(), format!("403 to GET {API}/: go away (no credential was sent)")),
        (scoped, format!("403 to GET {API}/ (needs scope a; no credential was sent)")),
    ] {
        let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
        let error = server.client(&auth).get(API).send().await.unwrap_err();
        let forbidden = Forbidden::find(&error).unwrap();
        assert_eq!((forbidden.to_string(), forbidden.is_authenticated(), fake.calls()), (wanted, false, 0));
    }
    // A credential was sent, of the middleware or of the caller.
    for case in ["held", "header", "identity"] {
        let fake =
            if case == "held" { Fake::new().with_initial(Ok(Some(Credential::bearer("t0")))) } else { Fake::new() };
        let request = Script::always(status(403)).client(&auth(&fake)).get(API);
        let request = match case {
            "header" => request.bearer_auth("mine"),
            "identity" => request.with_extension(CallOptions::new().identity(Credential::bearer("theirs"))),
            _ => request,
        };
        let error = request.send().await.unwrap_err();
        assert!(!error.to_string().contains("no credential was sent"), "{case}: {error}");
    }
}

fn challenged_403(challenge: &str) -> crate::support::script::Answer {
    respond(403, &[("www-authenticate", challenge)], "")
}

#[tokio::test]
async fn a_hundred_first_calls_share_one_login() {
    let (server, fake) = (hiding(), Fake::new().gated());
    let auth = auth(&fake);
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(server.client(&auth).get(API).send())).collect();
    fake.wait_for_calls(1).await;
    assert_eq!(server.sends(), 0);
    fake.let_one_through();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!((server.sends(), fake.calls()), (100, 1));
}

#[tokio::test]
async fn a_login_that_fails_is_the_error_of_the_call_and_nothing_is_sent() {
    for error in [
        RefreshError::transient(Some(Duration::from_secs(60))),
        RefreshError::credential_revoked("invalid_grant"),
        RefreshError::login_required("run `app login`"),
    ] {
        let (server, fake) = (hiding(), Fake::failing(error.clone()));
        let client = server.client(&auth(&fake));
        for _ in 0..3 {
            let failed = client.get(API).send().await.unwrap_err();
            assert!(matches!(Error::find(&failed), Some(Error::Refresh(found)) if found.kind() == error.kind()));
        }
        let is_remembered = error.is_transient() || fake.calls() == 1;
        assert_eq!((server.sends(), fake.calls()), (0, if is_remembered { 1 } else { 3 }), "{error}");
    }
}

#[tokio::test]
async fn a_refresher_that_declines_is_called_once_for_each_call_and_the_request_is_sent() {
    let (server, fake) = (Script::always(challenged()), Fake::answering(|_, _| Ok(None)));
    let error = server.client(&auth(&fake)).get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::Declined);
    assert_eq!((server.tokens(), fake.reasons()), (vec![String::new()], vec![RefreshReason::Login]));
}

#[tokio::test]
async fn a_login_whose_credential_is_refused_is_the_one_refresh_of_its_call() {
    let (server, fake) = (Script::always(challenged()), Fake::new());
    let error = server.client(&auth(&fake)).get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::StillRejected);
    assert_eq!((server.tokens(), fake.calls()), (vec!["t1".to_owned()], 1));
}

#[tokio::test]
async fn the_refresher_is_not_asked_if_there_is_a_credential_or_after_a_logout() {
    for case in ["initial", "header", "identity", "skip", "logout", "outside"] {
        let fake =
            if case == "initial" { Fake::new().with_initial(Ok(Some(Credential::bearer("t0")))) } else { Fake::new() };
        let auth = auth(&fake);
        if case == "logout" {
            auth.session().logout().await.unwrap();
        }
        let client = Script::always(status(200)).client(&auth);
        let options = CallOptions::new();
        let request = match case {
            "header" => client.get(API).bearer_auth("mine"),
            "identity" => client.get(API).with_extension(options.identity(Credential::bearer("theirs"))),
            "skip" => client.get(API).with_extension(options.skip()),
            "outside" => client.get("https://other.example.com"),
            _ => client.get(API),
        };
        request.send().await.unwrap();
        assert_eq!(fake.calls(), 0, "{case}");
    }
}

#[tokio::test]
async fn a_call_joins_a_login_that_is_pending() {
    let users = TwoUsers::without_initial();
    let auth = ChallengeMiddleware::builder(API, users.clone()).login_first().build().unwrap();
    let login = users.log_in(auth.session()).await;
    let server = hiding();
    let call = tokio::spawn(server.client(&auth).get(API).send());
    // The call does not end before the login.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(!call.is_finished() && server.sends() == 0);
    users.open();
    login.await.unwrap().unwrap();
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
    assert_eq!((server.tokens(), users.logins(), users.renewals()), (vec!["B1".to_owned()], 1, 0));
}

#[tokio::test]
async fn a_call_shares_the_failure_of_a_login_that_is_pending() {
    let users = TwoUsers::failing_without_initial();
    let auth = ChallengeMiddleware::builder(API, users.clone()).login_first().build().unwrap();
    let login = users.log_in(auth.session()).await;
    let server = hiding();
    let call = tokio::spawn(server.client(&auth).get(API).send());
    // The call waits for the login.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(!call.is_finished());
    users.open();
    login.await.unwrap().unwrap_err();
    let failed = call.await.unwrap().unwrap_err();
    assert!(matches!(Error::find(&failed), Some(Error::Refresh(_))), "{failed}");
    assert_eq!((server.sends(), users.logins(), users.renewals()), (0, 1, 0));
}

#[tokio::test]
async fn without_the_setting_a_stream_is_sent_although_no_credential_could_be_obtained() {
    let fake = Fake::failing(RefreshError::transient(Some(Duration::from_secs(60))));
    let server = Script::always(status(200));
    let auth = ChallengeMiddleware::builder(API, fake.clone()).refresh_before_streams().build().unwrap();
    let response = server.client(&auth).post(API).body(stream("once")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), server.sends(), fake.calls()), (200, 1, 1));
}

#[tokio::test]
async fn a_refresher_that_needs_a_challenge_gets_the_401_first() {
    let server = Script::new(|arrived, _| match arrived.header("authorization") {
        Some(_) => status(200),
        None => respond(401, &[("www-authenticate", "Basic realm=\"a\"")], ""),
    });
    let auth = ChallengeMiddleware::builder(API, Password::new("u", "p")).login_first().build().unwrap();
    assert_eq!(server.client(&auth).get(API).send().await.unwrap().status(), 200);
    assert_eq!(server.sends(), 2);
}

#[tokio::test]
async fn each_partition_logs_in_before_its_first_request() {
    let (server, fake) = (hiding(), Fake::new());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).login_first();
    let auth = auth.partition_by(|_, url| url.path().to_owned()).build().unwrap();
    let client = server.client(&auth);
    for path in ["a", "b", "a", "b"] {
        assert_eq!(client.get(format!("{API}/{path}")).send().await.unwrap().status(), 200);
    }
    assert_eq!((server.tokens().join(" "), fake.calls()), ("t1 t2 t1 t2".into(), 2));
}
