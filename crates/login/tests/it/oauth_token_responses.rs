//! The responses of a token endpoint, and the credential or the error of each.

use std::time::Duration;

use reqwest_challenge::{Credential, DeniedReason, RefreshError, RefreshErrorKind};
use reqwest_challenge_login::oauth::{Client, ClientCredentials, Issuer, OAuth, RefreshToken};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi};
use serde_json::{Value, json};

use crate::support::oauth::{client, client_by, endpoint, line, why};

async fn refused() -> MockApi {
    let api = MockApi::start().await.unwrap();
    api.at("/").answers_with(|arrived| match arrived.credential() {
        Some(_) => Answer::ok("welcome"),
        None => Answer::unauthorized(["Bearer"]),
    });
    api
}

/// The outcome of a refresh for which the token endpoint sends this response.
async fn outcome(answer: Answer, clock: &ManualClock) -> Result<Credential, RefreshError> {
    let (server, api) = (endpoint(move |_| answer.clone()).await, refused().await);
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(issuer, Client::secret_basic("c", "s3cret"), ClientCredentials).unwrap();
    let (client, session) = client_by(clock.clone(), &api.origin(), oauth);
    match client.get(api.url("/")).send().await {
        Ok(_) => Ok(session.credential().unwrap()),
        Err(error) => Err(why(&error)),
    }
}

fn error(status: u16, code: &str) -> Answer {
    Answer::new(status).json_body(json!({ "error": code }))
}

#[tokio::test]
async fn each_failure_of_the_token_endpoint_has_its_error_kind() {
    use RefreshErrorKind::{CredentialRevoked, LoginRequired, Transient};
    let denied = |code: &str| RefreshError::denied(code).kind().clone();
    let code = |code: &str| code.to_owned();
    let passing = |seconds: Option<u64>| Transient { retry_after: seconds.map(Duration::from_secs) };
    let cases = [
        (error(400, "invalid_grant"), CredentialRevoked { code: code("invalid_grant") }),
        (error(401, "invalid_client"), denied("invalid_client")),
        (error(400, "invalid_scope"), denied("invalid_scope")),
        (error(400, "unauthorized_client"), denied("unauthorized_client")),
        (error(400, "consent_required"), LoginRequired { hint: code("log in") }),
        (error(200, "access_denied"), denied("access_denied")),
        (error(400, "temporarily_unavailable").header("retry-after", "7"), passing(Some(7))),
        (error(503, "invalid_grant").header("retry-after", "9"), passing(Some(9))),
        (error(429, "invalid_grant"), passing(None)),
        (error(400, ""), passing(None)),
        (error(400, "a\u{1b}[31mb"), passing(None)),
        (Answer::new(500).body("out of order"), passing(None)),
        (Answer::new(429).header("retry-after", "3"), passing(Some(3))),
        (Answer::new(404).body("<html>"), passing(None)),
        (Answer::new(400).json_body("[1]"), passing(None)),
        (Answer::ok("<html>log in to this hotel</html>"), passing(None)),
        (Answer::json("{}"), passing(None)),
        (Answer::json("{\"access_token\":\"\"}"), passing(None)),
        (Answer::json("{\"access_token\":7}"), passing(None)),
        (Answer::ok("x").body_of_size(2 << 20), passing(None)),
        (Answer::cut(), passing(None)),
    ];
    for (number, (answer, kind)) in cases.into_iter().enumerate() {
        let found = outcome(answer, &ManualClock::new()).await.unwrap_err();
        assert_eq!(found.kind(), &kind, "case {number}: {}", line(&found));
    }
}

#[tokio::test]
async fn the_servers_error_text_is_escaped_and_shortened() {
    let description = format!("\u{1b}[2Jyou\u{202e} {}", "x".repeat(5000));
    let answer = Answer::new(400).json_body(json!({ "error": "invalid_scope", "error_description": description }));
    let shown = line(&outcome(answer, &ManualClock::new()).await.unwrap_err());
    assert!(shown.contains("\\u{1b}[2Jyou\\u{202e}") && shown.len() < 600, "{shown}");
}

#[tokio::test]
async fn the_lifetime_of_a_token_is_a_number_or_a_string_and_never_overflows() {
    let cases: [(Value, Option<u64>); 9] = [
        (json!(3600), Some(3600)),
        (json!("3600"), Some(3600)),
        (json!(" 60 "), Some(60)),
        (json!(1.5e3), Some(1500)),
        (json!("soon"), None),
        (json!(null), None),
        (json!(-5), Some(0)),
        (json!(1e300), None),
        (json!("99999999999999999999999999"), None),
    ];
    for (given, seconds) in cases {
        let clock = ManualClock::new();
        let answer = Answer::json(json!({ "access_token": "t", "token_type": "Bearer", "expires_in": given }));
        let credential = outcome(answer, &clock).await.unwrap();
        let expected = seconds.map(|seconds| clock.time_in(Duration::from_secs(seconds)));
        assert_eq!(credential.expiry(), expected, "{given}");
    }
}

#[tokio::test]
async fn an_unsupported_token_type_is_refused_and_a_missing_one_means_bearer() {
    let answer = |kind: Value| Answer::json(json!({ "access_token": "t", "token_type": kind, "scope": "a b" }));
    for kind in ["mac", "DPoP"] {
        let error = outcome(answer(kind.into()), &ManualClock::new()).await.unwrap_err();
        assert_eq!(
            error.kind(),
            &RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "token_type".to_owned() }
        );
    }
    for kind in [json!("bearer"), json!("BEARER"), json!(null)] {
        let credential = outcome(answer(kind), &ManualClock::new()).await.unwrap();
        assert_eq!(credential.scopes().unwrap(), ["a", "b"]);
    }
}

#[tokio::test]
async fn a_transient_failure_of_the_token_endpoint_keeps_the_refresh_token() {
    let server = endpoint(|_| Answer::new(503)).await;
    let api = refused().await;
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(issuer, Client::public("c"), RefreshToken::new("kept")).unwrap();
    let (client, session) = client(&api.origin(), oauth);
    assert!(client.get(api.url("/")).send().await.is_err());
    server.at("/token").answers(Answer::json(json!({ "access_token": "t", "token_type": "Bearer" })));
    session.login().await.unwrap();
    assert_eq!(server.requests()[1].form("refresh_token").as_deref(), Some("kept"));
}

#[tokio::test]
async fn a_redirect_of_a_token_request_is_not_followed() {
    let elsewhere = endpoint(|_| Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }))).await;
    let to = elsewhere.url("/token");
    let error = outcome(Answer::redirect(to), &ManualClock::new()).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(elsewhere.requests().len(), 0, "no secret is sent to the second server");
}
