//! A refresh token that the server no longer accepts, with the error codes and formats of many servers.

use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Refresh, RefreshError, RefreshErrorKind, Session};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth, RefreshToken};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value, json};

use crate::support::oauth::{back, browser, endpoint, line, why};

fn json_answer(status: u16, body: Value) -> Answer {
    Answer::new(status).json_body(body)
}

/// A user who has logged in. The server sends one response to each renewal.
struct LoggedIn {
    server: MockApi,
    api: MockApi,
    client: ClientWithMiddleware,
    session: Session,
    clock: ManualClock,
}

async fn logged_in(answer: Answer) -> LoggedIn {
    logged_in_by(answer, |oauth| oauth).await
}

async fn logged_in_by<R: Refresh>(answer: Answer, by: impl FnOnce(OAuth) -> R) -> LoggedIn {
    let server = endpoint(move |asked| match asked.form("grant_type").as_deref() {
        Some("authorization_code") => {
            Answer::json(json!({ "access_token": "t", "token_type": "Bearer", "refresh_token": "hunter2-refresh" }))
        }
        _ => answer.clone(),
    })
    .await;
    server.at("/authorize").open().answers_with(|asked| back(asked, "code=abc"));
    let api = MockApi::start().await.unwrap();
    api.at("/api").requires("read");
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let issuer = issuer.authorization_endpoint(server.url("/authorize")).unwrap();
    let clock = ManualClock::new();
    let oauth = OAuth::new(issuer, Client::public("c"), AuthorizationCode::new(browser().0)).unwrap();
    let auth = ChallengeMiddleware::builder(api.origin(), by(oauth.hint("run it")));
    let auth = auth.clock(clock.clone()).build().unwrap();
    let session = auth.session();
    session.login().await.unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    LoggedIn { server, api, client, session, clock }
}

impl LoggedIn {
    async fn call(&self) -> RefreshError {
        why(&self.client.get(self.api.url("/api")).send().await.unwrap_err())
    }

    /// How often the refresh token was presented.
    fn renewals(&self) -> usize {
        self.server.requests_to("/token") - 1
    }
}

#[tokio::test]
async fn the_error_codes_of_many_servers_for_a_revoked_refresh_token_are_recognized() {
    let nested = json!({ "error": { "message": "Your session has ended.", "code": "refresh_token_expired" } });
    let firebase =
        json!({ "error": { "code": 400, "message": "INVALID_REFRESH_TOKEN", "status": "INVALID_ARGUMENT" } });
    let fitbit =
        json!({ "errors": [{ "errorType": "invalid_grant", "message": "Refresh token invalid" }], "success": false });
    let hubspot = json!({ "status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token" });
    let atlassian = json!({ "error": "unauthorized_client", "error_description": "refresh_token is invalid" });
    let supabase = json!({ "code": 400, "error_code": "refresh_token_not_found", "msg": "Not Found" });
    let form = "error=bad_refresh_token&error_description=The+refresh+token+is+wrong";
    for (answer, code) in [
        (json_answer(400, json!({ "error": "invalid_grant" })), "invalid_grant"),
        (json_answer(200, json!({ "error": "bad_refresh_token" })), "bad_refresh_token"),
        (json_answer(200, json!({ "ok": false, "error": "invalid_refresh_token" })), "invalid_refresh_token"),
        (json_answer(400, fitbit.clone()), "invalid_grant"),
        (json_answer(200, fitbit), "invalid_grant"),
        (json_answer(400, hubspot.clone()), "BAD_REFRESH_TOKEN"),
        (json_answer(200, hubspot), "BAD_REFRESH_TOKEN"),
        (json_answer(401, nested), "refresh_token_expired"),
        (json_answer(400, firebase), "invalid_refresh_token"),
        (json_answer(403, atlassian), "refresh_token_is_invalid"),
        (json_answer(400, supabase), "refresh_token_not_found"),
        (json_answer(400, json!({ "status": 400, "message": "Invalid refresh token" })), "invalid_refresh_token"),
        (json_answer(400, json!({ "error": "Invalid refresh token" })), "Invalid refresh token"),
        (json_answer(403, json!(["invalid_grant"])), "invalid_grant"),
        (Answer::ok(form).header("content-type", "application/x-www-form-urlencoded"), "bad_refresh_token"),
        (Answer::new(400).body("\u{feff}{\"error\":\"invalid_grant\"}"), "invalid_grant"),
        (Answer::new(401).body("invalid refresh token"), "invalid_refresh_token"),
    ] {
        let user = logged_in(answer).await;
        let found = user.call().await;
        assert_eq!(found.kind(), &RefreshErrorKind::CredentialRevoked { code: code.to_owned() }, "{}", line(&found));
        for _ in 0..5 {
            user.call().await;
        }
        assert_eq!(user.renewals(), 1, "{code}");
    }
}

#[tokio::test]
async fn an_unknown_final_error_requires_a_login_and_is_not_retried_for_a_while() {
    let text = format!("\u{1b}[2Jno more {}", "x".repeat(5000));
    for (answer, told) in [
        (Answer::new(400), "says 400"),
        (Answer::new(401), "says 401"),
        (Answer::new(403), "says 403"),
        (Answer::new(404), "says 404"),
        (Answer::new(403).body("no more tokens for you"), "says 403: no more tokens for you"),
        (Answer::new(403).body("<html>hunter2-refresh</html>").header("content-type", "text/html"), "says 403"),
        (json_answer(400, json!({ "error": "odd_word", "error_description": "no more" })), "odd_word: no more"),
        (json_answer(200, json!({ "error": "odd_word" })), "says 200: odd_word"),
        (json_answer(200, json!({ "ok": false })), "says 200"),
        (json_answer(200, json!({ "errcode": 40030, "errmsg": "not good" })), "40030: not good"),
        (json_answer(400, json!({ "error": "a\u{1b}[31mb" })), "a\\u{1b}[31mb"),
        (json_answer(400, json!({ "error": { "message": "gone", "type": "OAuthException", "code": 190 } })), "gone"),
        (json_answer(400, json!({ "error": 17, "message": "gone" })), "17: gone"),
        (json_answer(400, json!({ "error": "invalid_request", "error_description": text })), "\\u{1b}[2Jno more xxx"),
        (json_answer(400, json!({ "error": "odd", "error_description": "of hunter2-refresh" })), "odd: of ***"),
        (json_answer(400, json!([{ "message": "gone" }])), "says 400: gone"),
        (json_answer(403, json!({ "type": "about:blank", "title": "gone", "status": 403 })), "says 403: gone"),
        (json_answer(400, json!({ "status": "error", "message": "gone" })), "says 400: gone"),
        // Feishu and TikTok send status 200 and no `error`.
        (json_answer(200, json!({ "code": 20026, "msg": "refresh_token is gone" })), "20026: refresh_token is gone"),
        (json_answer(200, json!({ "data": { "error_code": 10010 }, "message": "error" })), "says 200: 10010: error"),
        (json_answer(200, json!({ "result": "fail", "message": "gone" })), "says 200: gone"),
    ] {
        let user = logged_in(answer).await;
        let held = user.session.credential().unwrap();
        for _ in 0..6 {
            let found = user.call().await;
            assert_eq!(
                found.kind(),
                &RefreshErrorKind::LoginRequired { hint: "run it".to_owned() },
                "{}",
                line(&found)
            );
            let shown = line(&found);
            assert!(shown.contains(told) && shown.len() < 700 && !shown.contains("hunter2"), "{told}: {shown}");
        }
        assert_eq!(user.renewals(), 1, "{told}");
        let still = user.session.credential().unwrap();
        assert_eq!(still.attachment(), held.attachment(), "nothing is deleted");
        user.clock.forward(Duration::from_secs(31));
        user.call().await;
        user.call().await;
        assert_eq!(user.renewals(), 2, "after the cooldown: {told}");
    }
}

#[tokio::test]
async fn a_temporary_error_or_a_client_error_does_not_require_a_login() {
    let transient =
        |retry_after: Option<u64>| RefreshErrorKind::Transient { retry_after: retry_after.map(Duration::from_secs) };
    let refused = |code: &str| RefreshError::denied(code).kind().clone();
    for (answer, kind) in [
        (json_answer(503, json!({ "error": "invalid_grant" })), transient(None)),
        (json_answer(429, json!({ "error": "bad_refresh_token" })), transient(None)),
        (json_answer(400, json!({ "error": "temporarily_unavailable" })), transient(None)),
        (json_answer(200, json!({ "ok": false, "error": "ratelimited" })), transient(None)),
        (json_answer(403, json!({ "error": { "code": 403, "status": "RESOURCE_EXHAUSTED" } })), transient(None)),
        (Answer::new(403).header("retry-after", "7"), transient(Some(7))),
        (Answer::new(407), transient(None)),
        (Answer::new(500), transient(None)),
        (Answer::ok("<html>the hotel &error=denied& asks you</html>"), transient(None)),
        (Answer::json("{}"), transient(None)),
        (json_answer(401, json!({ "error": "invalid_client" })), refused("invalid_client")),
        (json_answer(400, json!({ "status": "BAD_CLIENT_ID", "message": "no" })), refused("BAD_CLIENT_ID")),
    ] {
        let user = logged_in(answer).await;
        let found = user.call().await;
        assert_eq!(found.kind(), &kind, "{}", line(&found));
    }
}

#[tokio::test]
async fn errors_for_a_refresh_token_from_the_caller_are_handled_the_same_way() {
    for (answer, is_dead) in [
        (json_answer(200, json!({ "error": "bad_refresh_token" })), true),
        (Answer::new(403), false),
        (json_answer(400, json!({ "error": "interaction_required" })), false),
    ] {
        let server = endpoint(move |_| answer.clone()).await;
        let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
        let clock = ManualClock::new();
        let oauth = OAuth::new(issuer, Client::public("c"), RefreshToken::new("r")).unwrap();
        let auth = ChallengeMiddleware::builder(server.origin(), oauth).clock(clock).build().unwrap();
        let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
        server.at("/api").requires("read");
        for _ in 0..6 {
            let found = why(&client.get(server.url("/api")).send().await.unwrap_err());
            let kinds = (
                matches!(found.kind(), RefreshErrorKind::CredentialRevoked { .. }),
                matches!(found.kind(), RefreshErrorKind::LoginRequired { .. }),
            );
            assert_eq!(kinds, (is_dead, !is_dead), "{}", line(&found));
        }
        assert_eq!(server.requests_to("/token"), 1);
    }
}

#[tokio::test]
async fn a_store_deletes_a_login_only_for_known_error_codes() {
    use reqwest_challenge_login::store::{Key, MemoryStore, Store, Stored};
    for (answer, is_kept) in [
        (json_answer(200, json!({ "error": "bad_refresh_token" })), false),
        (json_answer(400, json!({ "status": "BAD_REFRESH_TOKEN" })), false),
        (json_answer(400, json!({ "error": "odd_word" })), true),
        (Answer::new(400), true),
        (Answer::new(403), true),
        (json_answer(400, json!({ "error": "interaction_required" })), true),
        (json_answer(401, json!({ "error": "invalid_client" })), true),
    ] {
        let (store, key) = (MemoryStore::new(), Key::new("k"));
        let user = logged_in_by(answer.clone(), |oauth| Stored::new(oauth, store.clone(), key.clone())).await;
        user.call().await;
        assert_eq!(store.load(&key).await.unwrap().is_some(), is_kept, "{answer:?}");
        assert_eq!(user.renewals(), 1, "{answer:?}");
    }
}
