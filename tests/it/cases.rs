//! The table "What happens when" of the design. Each test checks one row and counts the sends and the refreshes.

use std::time::Duration;

use http::header::WWW_AUTHENTICATE;
use reqwest_challenge::{
    AuthReport, Authorize, BoxError, ChallengeMiddleware, Credential, Error, Forbidden, Observed, RefreshReason,
    Renewed, ResponseHead, Unauthorized, UnauthorizedReason,
};
use reqwest_middleware::Error as MiddlewareError;

use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Gate, Script, challenged, challenged_with, respond, slow_client, status};

pub(crate) fn auth(fake: &Fake) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, fake.clone()).unwrap()
}

#[track_caller]
pub(crate) fn reason(error: &MiddlewareError) -> UnauthorizedReason {
    Unauthorized::find(error).unwrap_or_else(|| panic!("{error:?}")).reason()
}

/// Sends one GET and returns the status of its response.
pub(crate) async fn get(server: &Script, auth: &ChallengeMiddleware) -> Result<u16, MiddlewareError> {
    server.client(auth).get(API).send().await.map(|response| response.status().as_u16())
}

#[tokio::test]
async fn a_401_to_a_request_without_a_credential_is_refreshed_and_replayed() {
    let (server, fake) = (Script::accepting("t1"), Fake::new());
    assert_eq!(get(&server, &auth(&fake)).await.unwrap(), 200);
    assert_eq!((server.sends(), fake.calls()), (2, 1));
    assert_eq!(fake.reasons(), [RefreshReason::Challenged]);
}

#[tokio::test]
async fn a_401_for_the_current_credential_is_refreshed_and_replayed() {
    let (server, fake) = (Script::accepting("t1"), Fake::new().with_initial(Ok(Some(Credential::bearer("t0")))));
    let auth = auth(&fake);
    let response = server.client(&auth).get(API).send().await.unwrap();
    assert_eq!(server.tokens(), ["t0", "t1"]);
    let report = AuthReport::of(&response);
    assert_eq!((report.attempts(), report.generation(), report.renewed()), (2, Some(2), Some(Renewed::Started)));
    assert_eq!(fake.contexts()[0].credential(), Some(&Credential::bearer("t0")));
    assert_eq!((get(&server, &auth).await.unwrap(), server.sends(), fake.calls()), (200, 3, 1));
}

/// Sends two requests with `t0`. The server refuses the second one only after the first one has renewed the credential.
async fn late_401(server: Script) -> (Script, Fake, Result<reqwest::Response, MiddlewareError>) {
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let auth = auth(&fake);
    let (client, late) = (server.client(&auth), Gate::closed());
    let held = slow_client(&server, &auth, &late);
    let slow = tokio::spawn(held.get(format!("{API}/late")).send());
    tokio::task::yield_now().await;
    client.get(API).send().await.unwrap();
    late.open();
    (server, fake, slow.await.unwrap())
}

#[tokio::test]
async fn a_401_after_another_call_renewed_is_replayed_with_the_newer_credential() {
    let (server, fake, late) = late_401(Script::accepting("t1")).await;
    assert_eq!(AuthReport::of(&late.unwrap()).renewed(), Some(Renewed::Reused));
    assert_eq!((server.tokens(), fake.calls()), (["t0", "t1", "t0", "t1"].map(String::from).to_vec(), 1));
}

#[tokio::test]
async fn a_401_to_the_newer_credential_of_another_call_has_no_hint() {
    let server = Script::new(
        |arrived, _| {
            if arrived.path() == "/" && arrived.token() == "t1" { status(200) } else { challenged() }
        },
    );
    let (server, fake, late) = late_401(server).await;
    let error = late.unwrap_err();
    assert_eq!(reason(&error), UnauthorizedReason::StillRejected);
    assert_eq!(Unauthorized::find(&error).unwrap().hint(), None);
    assert_eq!((server.sends(), fake.calls()), (4, 1));
}

#[tokio::test]
async fn a_401_whose_demand_the_newer_credential_does_not_meet_starts_its_own_flight() {
    let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
        ("/", "t1") | ("/late", "t2") => status(200),
        ("/late", _) => challenged_with("Bearer error=\"insufficient_claims\", claims=\"e30=\""),
        _ => challenged(),
    });
    let (server, fake, late) = late_401(server).await;
    assert_eq!(late.unwrap().status(), 200);
    assert_eq!((server.sends(), fake.calls()), (4, 2));
    assert_eq!(fake.contexts()[1].demand().claims(), Some("e30="));
}

#[tokio::test]
async fn a_401_without_a_challenge_is_refreshed_and_strict_mode_declines_it() {
    let bare = || Script::new(|arrived, _| status(if arrived.token() == "t1" { 200 } else { 401 }));
    let (server, fake) = (bare(), Fake::new());
    assert_eq!(get(&server, &auth(&fake)).await.unwrap(), 200);
    assert!(fake.contexts()[0].challenges().is_empty());
    assert_eq!((server.sends(), fake.calls()), (2, 1));

    let (server, fake) = (bare(), Fake::new());
    let strict = ChallengeMiddleware::builder(API, fake.clone()).strict().build().unwrap();
    assert_eq!(reason(&get(&server, &strict).await.unwrap_err()), UnauthorizedReason::Declined);
    assert_eq!((server.sends(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn a_401_with_a_malformed_challenge_gives_the_refresher_the_readable_parts() {
    let server = Script::new(|arrived, _| match arrived.token() {
        "t1" => status(200),
        _ => challenged_with("@@@, Bearer realm=\"api\", error=https://x, Basic realm=\"cut"),
    });
    let fake = Fake::new();
    assert_eq!(get(&server, &auth(&fake)).await.unwrap(), 200);
    let context = &fake.contexts()[0];
    assert_eq!((context.realm().as_deref(), context.challenges().defects().len()), (Some("api"), 3));
    assert_eq!((server.sends(), fake.calls()), (2, 1));
}

#[tokio::test]
async fn a_401_that_the_refresher_declines_is_an_error_with_the_body_of_that_401() {
    let (server, fake) = (Script::accepting("never"), Fake::answering(|_, _| Ok(None)));
    let error = get(&server, &auth(&fake)).await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.reason(), refused.body().as_ref()), (UnauthorizedReason::Declined, &b"who are you?"[..]));
    assert_eq!((server.sends(), fake.calls()), (1, 1));
}

#[tokio::test]
async fn a_401_without_a_configured_scheme_starts_no_refresh() {
    let (server, fake) = (Script::always(challenged_with("Negotiate, Digest nonce=\"n\"")), Fake::new());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).schemes(["bearer", "basic"]).build().unwrap();
    assert_eq!(reason(&get(&server, &auth).await.unwrap_err()), UnauthorizedReason::Declined);
    assert_eq!((server.sends(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn a_refused_credential_that_the_refresher_returns_is_not_sent_again() {
    let fake =
        Fake::answering(|_, _| Ok(Some(Credential::bearer("t0")))).with_initial(Ok(Some(Credential::bearer("t0"))));
    let server = Script::accepting("never");
    assert_eq!(reason(&get(&server, &auth(&fake)).await.unwrap_err()), UnauthorizedReason::StillRejected);
    assert_eq!((server.sends(), fake.calls()), (1, 1));
}

#[tokio::test]
async fn a_401_after_the_replay_is_an_error_with_the_body_of_the_second_response() {
    let server = Script::new(|_, number| respond(401, &[], if number == 0 { "first" } else { "second" }));
    let fake = Fake::new();
    let error = get(&server, &auth(&fake)).await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.reason(), refused.body().as_ref()), (UnauthorizedReason::StillRejected, &b"second"[..]));
    assert_eq!((server.sends(), fake.calls()), (2, 1));
}

#[tokio::test]
async fn a_path_that_refuses_a_fresh_credential_has_a_cooldown_until_it_succeeds() {
    let (fake, clock) = (Fake::new(), ManualClock::new());
    let server = Script::new(|arrived, number| match (arrived.path(), number) {
        ("/denied", 0..=7 | 9) => challenged(),
        _ => status(200),
    });
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
    let client = server.client(&auth);
    let denied = || client.get(format!("{API}/denied?page=2")).send();
    denied().await.unwrap_err();
    assert_eq!((server.sends(), fake.calls()), (2, 1));
    for _ in 0..3 {
        assert_eq!(reason(&denied().await.unwrap_err()), UnauthorizedReason::StillRejected);
    }
    assert_eq!((server.sends(), fake.calls()), (5, 1));
    clock.forward(Duration::from_secs(1));
    denied().await.unwrap_err();
    assert_eq!((server.sends(), fake.calls()), (7, 2));
    // The second cooldown is twice as long.
    clock.forward(Duration::from_secs(1));
    denied().await.unwrap_err();
    assert_eq!((server.sends(), fake.calls()), (8, 2));
    assert_eq!(denied().await.unwrap().status(), 200);
    assert_eq!((server.sends(), fake.calls()), (9, 2));
    // After the success, a 401 starts a refresh again.
    assert_eq!(denied().await.unwrap().status(), 200);
    assert_eq!((server.sends(), fake.calls()), (11, 3));
}

#[tokio::test]
async fn a_403_to_the_replay_is_forbidden() {
    let (server, fake) = (Script::new(|_, number| if number == 0 { challenged() } else { status(403) }), Fake::new());
    let error = get(&server, &auth(&fake)).await.unwrap_err();
    assert!(Forbidden::find(&error).unwrap().is_authenticated());
    assert_eq!((server.sends(), fake.calls()), (2, 1));
}

#[tokio::test]
async fn a_403_is_forbidden_and_keeps_the_credential() {
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let (server, auth) = (Script::always(status(403)), auth(&fake));
    let error = get(&server, &auth).await.unwrap_err();
    assert!(Forbidden::find(&error).is_some() && !error.to_string().contains("log"), "{error}");
    assert_eq!((server.sends(), fake.calls(), fake.forgotten().len()), (1, 0, 0));
    assert_eq!(auth.session().credential(), Some(Credential::bearer("t0")));
}

#[tokio::test]
async fn a_403_that_means_expired_ends_this_call_and_renews_before_the_next() {
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let server = Script::new(|arrived, _| match arrived.token() {
        "t1" => status(200),
        _ => respond(403, &[("content-type", "application/json")], r#"{"error":"token_expired"}"#),
    });
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .expired_when(|forbidden| forbidden.error_code().as_deref() == Some("token_expired"))
        .build()
        .unwrap();
    assert!(Forbidden::find(&get(&server, &auth).await.unwrap_err()).is_some());
    assert_eq!((server.sends(), fake.calls()), (1, 0));
    assert_eq!(get(&server, &auth).await.unwrap(), 200);
    assert_eq!((server.tokens(), fake.reasons()), (vec!["t0".into(), "t1".into()], vec![RefreshReason::Expired]));
}

#[tokio::test]
async fn a_403_of_another_origin_after_a_redirect_is_foreign() {
    let scopes = || respond(403, &[(WWW_AUTHENTICATE.as_str(), "Bearer scope=\"admin\"")], "");
    let server = Script::always(scopes().url("https://evil.example/"));
    let (fake, auth) = (Fake::new(), |fake: &Fake| auth(fake));
    let auth = auth(&fake);
    let error = get(&server, &auth).await.unwrap_err();
    let forbidden = Forbidden::find(&error).unwrap();
    assert!(forbidden.is_foreign() && error.to_string().contains("another server, https://evil.example/"), "{error}");
    assert!(matches!(auth.session().step_up(forbidden).await, Err(Error::StepUp(_))));
    assert_eq!((server.sends(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn a_demand_reaches_the_refresher() {
    let server = Script::new(|arrived, _| match arrived.token() {
        "t1" => status(200),
        _ => challenged_with(
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold silver\", max_age=\"5\"",
        ),
    });
    let fake = Fake::new();
    assert_eq!(get(&server, &auth(&fake)).await.unwrap(), 200);
    let contexts = fake.contexts();
    let demand = contexts[0].demand();
    assert_eq!(
        (demand.acr_values(), demand.max_age()),
        (&["gold".into(), "silver".into()][..], Some(Duration::from_secs(5)))
    );
    assert_eq!((server.sends(), fake.calls()), (2, 1));
}

/// A scheme that answers `use_nonce` without a refresh.
struct Nonce;

#[async_trait::async_trait]
impl Authorize for Nonce {
    fn scheme(&self) -> &str {
        "Nonce"
    }

    async fn authorize(&self, request: &mut reqwest::Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
        request.headers_mut().insert("authorization", "Bearer signed".parse()?);
        Ok(())
    }

    fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        let nonce = head.challenges().iter().any(|challenge| challenge.param("error").as_deref() == Some("use_nonce"));
        Ok(if nonce { Observed::Retry } else { Observed::Nothing })
    }
}

#[tokio::test]
async fn a_401_that_the_scheme_answers_is_sent_again_without_a_refresh() {
    let fake = Fake::new().with_initial(Ok(Some(Credential::custom(Nonce))));
    let server = Script::new(|_, number| match number {
        0 => challenged_with("Nonce error=\"use_nonce\""),
        _ => status(200),
    });
    let response = server.client(&auth(&fake)).get(API).send().await.unwrap();
    assert_eq!(AuthReport::of(&response).renewed(), Some(Renewed::ByScheme));
    assert_eq!((server.sends(), fake.calls()), (2, 0));
}

#[tokio::test]
async fn a_refused_retry_of_a_scheme_refreshes_for_the_next_call() {
    let fake = Fake::new().with_initial(Ok(Some(Credential::custom(Nonce))));
    let server = Script::new(|arrived, number| match (arrived.token(), number) {
        ("t1", _) => status(200),
        (_, 0) => challenged_with("Nonce error=\"use_nonce\""),
        _ => challenged(),
    });
    let auth = auth(&fake);
    assert_eq!(reason(&get(&server, &auth).await.unwrap_err()), UnauthorizedReason::StillRejected);
    assert_eq!((server.sends(), fake.calls()), (2, 1));
    assert_eq!((get(&server, &auth).await.unwrap(), server.sends(), fake.calls()), (200, 3, 1));
}

#[tokio::test]
async fn a_failed_authorize_names_the_scheme_and_sends_nothing() {
    struct Broken;
    #[async_trait::async_trait]
    impl Authorize for Broken {
        fn scheme(&self) -> &str {
            "Broken"
        }

        async fn authorize(&self, _: &mut reqwest::Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
            Err("the key is locked".into())
        }
    }
    let (server, fake) = (Script::accepting("t"), Fake::new().with_initial(Ok(Some(Credential::custom(Broken)))));
    let error = get(&server, &auth(&fake)).await.unwrap_err();
    assert_eq!(error.to_string(), "the Broken credential cannot be put on the request");
    assert!(format!("{:#}", anyhow::Error::from(error)).contains("the key is locked"));
    assert_eq!((server.sends(), fake.calls()), (0, 0));
}
