//! The mock API decides by the credential of a request.

use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Credential, Forbidden, Unauthorized, UnauthorizedReason, hardened};
use reqwest_challenge_testing::{
    Answer, Gate, Journal, Judgement, ManualClock, MockApi, Protection, ReceivedRequest, RecordingRefresher, Tokens,
    until,
};
use reqwest_middleware::ClientBuilder;

pub(crate) async fn get(api: &MockApi, path: &str, credential: Option<(&str, &str)>) -> reqwest::Response {
    let request = reqwest::Client::new().get(api.url(path));
    let request = credential.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    request.send().await.unwrap()
}

pub(crate) fn challenges(response: &reqwest::Response) -> Vec<&str> {
    response.headers().get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_path_accepts_its_credential_and_refuses_others_as_the_rfcs_require() {
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
    // RFC 6750 §3.1: a request without a credential gets no error code.
    assert_eq!(challenges(&get(&api, "/bearer", None).await), ["Bearer realm=\"mock\""]);
    assert_eq!(get(&api, "/bearers", None).await.status(), 200, "another path");
    assert_eq!(api.requests_with("k1"), 1);
    assert_eq!((api.requests_with("t1"), api.requests_to("/bearer")), (1, 4));
}

#[tokio::test]
async fn a_token_can_expire_be_revoked_and_lack_a_scope() {
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
async fn a_path_can_have_the_faults_of_real_servers() {
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
async fn large_endless_and_stalled_bodies_are_read_up_to_the_limit() {
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
async fn an_api_holds_answers_counts_connections_and_cuts_them() {
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
async fn a_second_server_receives_no_credential_after_a_redirect() {
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
    // The hardened client follows the redirect. The 401 is that of the second server.
    assert_eq!(client.get(api.url("/")).send().await.unwrap().status(), 401);
    api.journal().assert_no_credential_reached("evil");
    assert_eq!(evil.requests().len(), 2);
}

#[tokio::test]
async fn the_configuration_of_a_path_applies_below_it() {
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
fn debug_output_contains_no_secret() {
    let tokens = Tokens::new();
    tokens.accept("hunter2");
    let credential = Protection::basic("alice", "hunter2");
    let shown = format!("{tokens:?} {credential:?} {:?}", Answer::ok("hunter2").header("x-token", "hunter2"));
    assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVy"), "{shown}");
    assert_eq!(Credential::bearer("x"), Credential::bearer("x"));
}
