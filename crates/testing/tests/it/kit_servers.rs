//! The mocks of the kit do what they say, by the credential that is presented.

use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Credential, Forbidden, Unauthorized, UnauthorizedReason, hardened};
use reqwest_challenge_testing::{
    Answer, Failure, Gate, Journal, Judgement, ManualClock, MockApi, MockIdentityProvider, Protection, ReceivedRequest,
    RecordingRefresher, Tokens, until,
};
use reqwest_middleware::ClientBuilder;

async fn get(api: &MockApi, path: &str, credential: Option<(&str, &str)>) -> reqwest::Response {
    let request = reqwest::Client::new().get(api.url(path));
    let request = credential.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    request.send().await.unwrap()
}

fn challenges(response: &reqwest::Response) -> Vec<&str> {
    response.headers().get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_path_takes_what_it_was_told_to_and_refuses_the_rest_by_the_rfcs() {
    let api = MockApi::start().await.unwrap();
    let signed = |arrived: &ReceivedRequest| match arrived.header("signature") {
        Some("good") => Judgement::Accepted,
        Some(_) => Judgement::Unknown,
        None => Judgement::NoCredential,
    };
    api.at("/bearer").accepts(Protection::bearer());
    api.at("/basic").accepts(Protection::basic("alice", "pw:é"));
    api.at("/key").accepts(Protection::api_key("x-api-key".parse().unwrap(), "k1"));
    api.at("/signed").accepts(Protection::custom("Sign realm=\"a\"", signed));
    api.tokens().accept_with("t1", ["read"], None);
    for (path, good, bad, challenge) in [
        ("/bearer", ("authorization", "bearer t1"), ("authorization", "Bearer t9"), "Bearer realm=\"mock\""),
        (
            "/basic",
            ("authorization", "Basic YWxpY2U6cHc6w6k="),
            ("authorization", "Basic eA=="),
            "Basic realm=\"mock\"",
        ),
        ("/key", ("x-api-key", "k1"), ("x-api-key", "k2"), "ApiKey realm=\"mock\""),
        ("/signed/below", ("signature", "good"), ("signature", "forged"), "Sign realm=\"a\""),
    ] {
        assert_eq!(get(&api, path, Some(good)).await.status(), 200, "{path}");
        for credential in [None, Some(bad)] {
            let response = get(&api, path, credential).await;
            assert_eq!(response.status(), 401, "{path}");
            assert!(challenges(&response)[0].starts_with(challenge), "{path}: {:?}", challenges(&response));
        }
    }
    // RFC 6750 §3.1: no error for whoever presented nothing.
    assert_eq!(challenges(&get(&api, "/bearer", None).await), ["Bearer realm=\"mock\""]);
    assert_eq!(get(&api, "/bearers", None).await.status(), 200, "another path");
    assert_eq!(api.requests_with("k1"), 1);
    assert_eq!((api.requests_with("t1"), api.requests_to("/bearer")), (1, 4));
}

#[tokio::test]
async fn tokens_expire_are_revoked_and_lack_scopes() {
    let clock = ManualClock::new();
    let api = MockApi::start_with("api", Tokens::with_clock(clock.clone()), &Journal::new()).await.unwrap();
    api.at("/").accepts(Protection::bearer());
    api.forbid("/admin", "admin");
    let token = api.tokens().issue(["read"], Some(Duration::from_secs(60)));
    let bearer = format!("Bearer {token}");
    let with = Some(("authorization", &*bearer));
    assert_eq!(get(&api, "/", with).await.status(), 200);
    let denied = get(&api, "/admin", with).await;
    assert_eq!(denied.status(), 403);
    assert_eq!(challenges(&denied), ["Bearer realm=\"mock\", error=\"insufficient_scope\", scope=\"admin\""]);
    clock.forward(Duration::from_secs(60));
    let expired = get(&api, "/", with).await;
    assert!(challenges(&expired)[0].contains("error=\"invalid_token\", error_description=\"the token expired\""));
    clock.back(Duration::from_secs(60));
    api.tokens().revoke(&token);
    assert!(challenges(&get(&api, "/", with).await)[0].contains("revoked"));
    assert_eq!(api.tokens().judge("", None), Judgement::NoCredential);
}

#[tokio::test]
async fn servers_faults_are_a_word_each() {
    let api = MockApi::start().await.unwrap();
    for path in ["/bare", "/broken", "/one-line", "/two-lines", "/403", "/echo"] {
        api.at(path).accepts(Protection::bearer());
    }
    api.at("/bare").challenges_with_nothing();
    api.at("/broken").challenges_with(["Bearer realm=\"cut"]);
    api.at("/one-line").challenges_with(["Basic realm=\"a\", Bearer"]);
    api.at("/two-lines").challenges_with(["Basic realm=\"a\"", "Bearer"]);
    api.at("/403").forbids_invalid_tokens();
    api.at("/echo").echoes();
    let stale = Some(("authorization", "Bearer old"));
    for (path, lines) in [("/bare", 0), ("/broken", 1), ("/one-line", 1), ("/two-lines", 2)] {
        let response = get(&api, path, stale).await;
        assert_eq!((response.status().as_u16(), challenges(&response).len()), (401, lines), "{path}");
    }
    assert_eq!(get(&api, "/403", stale).await.status(), 403);
    assert_eq!(get(&api, "/403", None).await.status(), 401);
    assert!(get(&api, "/echo", stale).await.text().await.unwrap().contains("authorization: Bearer old"));
}

#[tokio::test]
async fn bodies_of_any_size_without_an_end_or_stalled_are_read_within_bounds() {
    let api = MockApi::start().await.unwrap();
    api.at("/large").answers(Answer::new(200).body_of_size(3 << 20));
    api.at("/endless").answers(Answer::new(403).endless_body());
    api.at("/stalled").answers(Answer::new(403).body("begun").stall_body());
    assert_eq!(get(&api, "/large", None).await.bytes().await.unwrap().len(), 3 << 20);
    let auth = ChallengeMiddleware::builder(api.origin(), RecordingRefresher::new()).body_limit(1_000);
    let auth = auth.body_timeout(Duration::from_millis(50)).build().unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    for (path, length) in [("/endless", 1_000), ("/stalled", 5)] {
        let error = client.get(api.url(path)).send().await.unwrap_err();
        let denied = Forbidden::find(&error).unwrap();
        assert_eq!((denied.body().len(), denied.is_body_whole()), (length, false), "{path}");
    }
}

#[tokio::test]
async fn a_gate_holds_an_answer_and_connections_are_counted_and_cut() {
    let (api, gate) = (MockApi::start().await.unwrap(), Gate::closed());
    api.at("/held").hold_until(&gate);
    api.at("/cut").answers(Answer::cut());
    api.at("/slow").delay(Duration::from_millis(1));
    let held = tokio::spawn(reqwest::get(api.url("/held")));
    gate.reached_by(1).await;
    assert!(!held.is_finished());
    gate.let_one_through();
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    assert!(reqwest::get(api.url("/cut")).await.is_err());
    let client = reqwest::Client::new();
    let before = api.connections();
    for _ in 0..3 {
        client.get(api.url("/slow")).send().await.unwrap().bytes().await.unwrap();
    }
    assert_eq!(api.connections() - before, 1);
    assert_eq!((gate.arrived(), gate.passed()), (1, 1));
}

#[tokio::test]
async fn a_second_server_sees_no_credential_after_a_redirect() {
    let api = MockApi::start().await.unwrap();
    let evil = api.another("evil").await.unwrap();
    api.at("/").accepts(Protection::bearer()).redirects_to(evil.url("/x"));
    api.tokens().accept("t1");
    evil.at("/").accepts(Protection::bearer());
    let auth = ChallengeMiddleware::new(api.origin(), RecordingRefresher::new()).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth.clone()).build();
    let error = client.get(api.url("/")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::ForeignOrigin);
    api.journal().assert_no_credential_reached("evil");
    assert_eq!(evil.requests().len(), 1);
    let client = hardened(reqwest::Client::builder(), auth).unwrap();
    // It is called like any API, and its 401 is its own.
    assert_eq!(client.get(api.url("/")).send().await.unwrap().status(), 401);
    api.journal().assert_no_credential_reached("evil");
    assert_eq!(evil.requests().len(), 2);
}

const FORM: &str = "application/x-www-form-urlencoded";

async fn token(provider: &MockIdentityProvider, form: &str) -> (u16, serde_json::Value) {
    let request = reqwest::Client::new().post(provider.token_url()).header("content-type", FORM).body(form.to_owned());
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_refresh_token_is_rotated_and_its_reuse_revokes_all_of_the_login() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let (login, other) = (provider.log_in(["read"]), provider.log_in(["read"]));
    let renew = |token: &str| format!("grant_type=refresh_token&refresh_token={token}");
    let (status, first) = token(&provider, &renew(&login.refresh_token)).await;
    assert_eq!((status, first["token_type"].as_str(), first["expires_in"].as_u64()), (200, Some("Bearer"), Some(3600)));
    let access = first["access_token"].as_str().unwrap();
    assert_eq!(provider.tokens().judge(access, Some("read")), Judgement::Accepted);
    let (status, error) = token(&provider, &renew(&login.refresh_token)).await;
    assert_eq!((status, error["error"].as_str(), provider.reuses()), (400, Some("invalid_grant"), 1));
    assert_eq!(provider.tokens().judge(access, None), Judgement::Revoked);
    assert_eq!(token(&provider, &renew(first["refresh_token"].as_str().unwrap())).await.0, 400);
    assert_eq!(provider.tokens().judge(&other.access_token, None), Judgement::Accepted, "another login");
    provider.rotate_refresh_tokens(false);
    for _ in 0..2 {
        let (status, again) = token(&provider, &renew(&other.refresh_token)).await;
        assert_eq!((status, again["refresh_token"].as_str()), (200, Some(&*other.refresh_token)));
    }
    let body = format!("token={}", other.refresh_token);
    let revoked = reqwest::Client::new()
        .post(provider.revocation_url())
        .header("content-type", FORM)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!((revoked.status().as_u16(), token(&provider, &renew(&other.refresh_token)).await.0), (200, 400));
    assert_eq!((provider.grants("refresh_token"), provider.token_requests()), (3, 6));
}

#[tokio::test]
async fn a_provider_asks_for_its_client_by_basic_or_in_the_body() {
    let provider = MockIdentityProvider::start().await.unwrap();
    provider.require_client("web", "se cret:%");
    let form = "grant_type=client_credentials";
    assert_eq!(token(&provider, form).await.0, 401);
    assert_eq!(token(&provider, &format!("{form}&client_id=web&client_secret=se+cret%3A%25")).await.0, 200);
    // Another way to encode the same: `%20` for a blank.
    let basic = reqwest::Client::new().post(provider.token_url()).basic_auth("web", Some("se%20cret%3a%25"));
    let answer: serde_json::Value =
        basic.header("content-type", FORM).body(form).send().await.unwrap().json().await.unwrap();
    assert!(answer["refresh_token"].is_null() && answer["access_token"].is_string());
}

#[tokio::test]
async fn a_token_request_that_is_none_is_refused_by_rfc_6749() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let refresh_token = provider.log_in(["a"]).refresh_token;
    for (form, code) in [
        ("", "invalid_request"),
        ("grant_type=refresh-token", "unsupported_grant_type"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=authorization_code", "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=x", "invalid_grant"),
        (&format!("grant_type=refresh_token&refresh_token={refresh_token}&scope=admin"), "invalid_scope"),
    ] {
        let (status, answer) = token(&provider, form).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some(code)), "{form}");
    }
    let no_form = reqwest::Client::new().post(provider.token_url()).body("grant_type=client_credentials");
    assert_eq!(no_form.send().await.unwrap().status(), 400);
    assert_eq!(provider.grants("client_credentials"), 0);
}

#[tokio::test]
async fn what_is_said_of_a_path_holds_below_it() {
    let api = MockApi::start().await.unwrap();
    api.at("/").accepts(Protection::bearer());
    api.at("/slow").delay(Duration::from_millis(1));
    api.at("/open").open();
    api.at("/a b").answers(Answer::new(204));
    api.tokens().accept("t1");
    let with = Some(("authorization", "Bearer t1"));
    for (path, credential, status) in [
        ("/slow", None, 401),
        ("/slow/x", with, 200),
        ("/open/x", None, 200),
        ("/a%20b", with, 204),
        ("/a%20b", None, 401),
    ] {
        assert_eq!(get(&api, path, credential).await.status(), status, "{path}");
    }
    let (scoped, bare) = (MockApi::start().await.unwrap(), MockApi::start().await.unwrap());
    scoped.at("/x").requires("admin");
    bare.at("/x").challenges_with_nothing();
    assert_eq!([get(&scoped, "/x", None).await.status(), get(&bare, "/x", None).await.status()], [401, 401]);
    let client = reqwest::Client::new().get(api.url("/")).header("authorization", "Bearer t1");
    assert_eq!(client.header("authorization", "Bearer x").send().await.unwrap().status(), 400);
    for path in ["reports", "/q?x=1"] {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| api.at(path).open())).is_err(), "{path}");
    }
}

#[tokio::test]
async fn a_credential_elsewhere_is_noticed_wherever_it_stands() {
    for (header, path) in [
        (Some(("authorization", "Bearer t\u{f6}k")), "/"),
        (Some(("proxy-authorization", "Basic eA==")), "/"),
        (Some(("x-api-key", "another")), "/"),
        (None, "/?access_token=x"),
        (None, "/mock-refresh-000001"),
    ] {
        let provider = MockIdentityProvider::start().await.unwrap();
        let (api, login) = (MockApi::trusting(&provider).await.unwrap(), provider.log_in(["a"]));
        let cdn = api.another("cdn").await.unwrap();
        api.at("/").accepts(Protection::api_key("x-api-key".parse().unwrap(), "k1"));
        get(&api, "/", Some(("x-api-key", "k1"))).await;
        token(&provider, &format!("grant_type=refresh_token&refresh_token={}", login.refresh_token)).await;
        get(&cdn, "/part2", None).await;
        api.journal().assert_no_credential_reached("cdn");
        get(&cdn, path, header).await;
        let journal = api.journal().clone();
        let claim = std::panic::AssertUnwindSafe(|| journal.assert_no_credential_reached("cdn"));
        assert!(std::panic::catch_unwind(claim).is_err(), "{header:?} {path}");
    }
}

#[tokio::test]
async fn a_provider_fails_as_it_is_told_to() {
    let (provider, gate) = (MockIdentityProvider::start().await.unwrap(), Gate::closed());
    for failure in [
        Failure::InvalidGrant,
        Failure::InvalidClient,
        Failure::TooManyRequests(7),
        Failure::ServerError,
        Failure::NotJson,
        Failure::Cut,
        Failure::Hang(gate.clone()),
    ] {
        provider.fail_next(failure);
    }
    let ask = || {
        let request = reqwest::Client::new().post(provider.token_url()).header("content-type", FORM);
        request.body("grant_type=client_credentials").send()
    };
    assert_eq!(ask().await.unwrap().text().await.unwrap(), "{\"error\":\"invalid_grant\"}");
    assert_eq!(challenges(&ask().await.unwrap()), ["Basic realm=\"identity\""]);
    let busy = ask().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(ask().await.unwrap().status(), 500);
    assert!(ask().await.unwrap().text().await.unwrap().contains("who knows"));
    assert!(ask().await.is_err());
    let hanging = tokio::spawn(ask());
    gate.reached_by(1).await;
    gate.open();
    assert_eq!(hanging.await.unwrap().unwrap().status(), 200);
    provider.begin_outage(Failure::ServerError);
    assert_eq!([ask().await.unwrap().status().as_u16(), ask().await.unwrap().status().as_u16()], [500, 500]);
    provider.end_outage();
    assert_eq!(ask().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_server_stops_when_it_is_dropped() {
    let api = MockApi::start().await.unwrap();
    let (url, gate) = (api.url("/held"), Gate::closed());
    api.at("/held").hold_until(&gate);
    let held = tokio::spawn(reqwest::get(url.clone()));
    gate.reached_by(1).await;
    drop(api);
    assert!(held.await.unwrap().is_err());
    until(|| std::net::TcpStream::connect(url[7..].trim_end_matches("/held")).is_err()).await;
}

#[test]
fn what_holds_a_secret_of_a_test_prints_none() {
    let tokens = Tokens::new();
    tokens.accept("hunter2");
    let credential = Protection::basic("alice", "hunter2");
    let shown = format!("{tokens:?} {credential:?} {:?}", Answer::ok("hunter2").header("x-token", "hunter2"));
    assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVy"), "{shown}");
    assert_eq!(Credential::bearer("x"), Credential::bearer("x"));
}
