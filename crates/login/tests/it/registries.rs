//! Tokens of container registries: a token for each repository, and no request to a token server that the caller did not name.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, DeniedReason, RefreshErrorKind, Unauthorized};
use reqwest_challenge_login::registry::{self, Registry};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

/// A registry that requires a token for each repository, and names a token server.
async fn registry(realm: impl Fn(&MockApi) -> String) -> Arc<MockApi> {
    let api = Arc::new(MockApi::start().await.unwrap());
    let realm = realm(&api);
    api.at("/v2").answers_with(move |arrived| {
        let name = arrived.path().trim_start_matches("/v2/").split("/manifests").next().unwrap().to_owned();
        let action = if arrived.method() == "GET" { "pull" } else { "pull,push" };
        let scope = format!("repository:{name}:{action}");
        let good =
            arrived.token().strip_prefix("token-for-").is_some_and(|held| held.split('#').next() == Some(&*scope));
        if good {
            return Answer::ok("manifest");
        }
        Answer::unauthorized([&*format!("Bearer realm=\"{realm}\",service=\"registry\",scope=\"{scope}\"")])
    });
    api
}

/// Makes the server issue a token for the requested scope, with a lifetime in seconds.
fn gives_tokens(server: &MockApi, seconds: u64) {
    let number = AtomicUsize::new(0);
    server.at("/token").open().answers_with(move |arrived| {
        let query: Vec<_> = arrived.url().query_pairs().collect();
        let scope = query.iter().find(|(name, _)| name == "scope").map(|(_, scope)| scope.to_string());
        let scope = scope.or_else(|| arrived.form("scope")).unwrap_or_default();
        let number = number.fetch_add(1, Ordering::SeqCst);
        Answer::json(format_args!("{{\"token\":\"token-for-{scope}#{number}\",\"expires_in\":{seconds}}}"))
    });
}

fn client(api: &MockApi, registry: Registry) -> ClientWithMiddleware {
    let auth = ChallengeMiddleware::builder(api.origin(), registry).partition_by(registry::partition).build().unwrap();
    ClientBuilder::new(reqwest::Client::new()).with(auth).build()
}

async fn pull(client: &ClientWithMiddleware, api: &MockApi, name: &str) -> u16 {
    client.get(api.url(&format!("/v2/{name}/manifests/latest"))).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn two_repositories_each_keep_their_own_token() {
    let api = registry(|api| api.url("/token")).await;
    gives_tokens(&api, 300);
    let client = client(&api, Registry::new());
    for _ in 0..5 {
        assert_eq!(pull(&client, &api, "library/alpine").await, 200);
        assert_eq!(pull(&client, &api, "library/manifests/debian").await, 200);
    }
    assert_eq!(api.requests_to("/token"), 2);
    // Another action has its own token.
    let pushed = client.put(api.url("/v2/library/alpine/manifests/latest")).body("x").send().await.unwrap();
    assert_eq!((pushed.status().as_u16(), api.requests_to("/token")), (200, 3));
    assert_eq!(api.requests_to("/v2/library/alpine/manifests/latest"), 8);
    let asked = api.requests().into_iter().find(|arrived| arrived.path() == "/token").unwrap();
    assert_eq!(
        asked.url().query(),
        Some("service=registry&scope=repository%3Alibrary%2Falpine%3Apull&client_id=reqwest-challenge")
    );
    assert_eq!(asked.credential(), None);
}

#[tokio::test]
async fn concurrent_requests_to_two_repositories_share_the_token_requests() {
    let api = registry(|api| api.url("/token")).await;
    gives_tokens(&api, 300);
    let client = client(&api, Registry::new());
    let calls: Vec<_> = (0..40)
        .map(|number| {
            let name = if number % 2 == 0 { "a" } else { "b" };
            tokio::spawn(client.get(api.url(&format!("/v2/{name}/manifests/latest"))).send())
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    // A request whose 401 arrives late may fetch one more token. There is never one fetch for each request.
    assert!((2..=6).contains(&api.requests_to("/token")), "{}\n{}", api.requests_to("/token"), api.journal());
}

#[tokio::test]
async fn an_expired_token_is_not_sent() {
    let api = registry(|api| api.url("/token")).await;
    gives_tokens(&api, 300);
    let clock = ManualClock::new();
    let auth = ChallengeMiddleware::builder(api.origin(), Registry::new()).partition_by(registry::partition);
    let auth = auth.clock(clock.clone()).build().unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    for _ in 0..2 {
        pull(&client, &api, "a").await;
    }
    clock.forward(Duration::from_secs(299));
    pull(&client, &api, "a").await;
    assert_eq!(api.requests_to("/token"), 2);
    assert_eq!(api.requests().iter().filter(|arrived| arrived.token().ends_with("#0")).count(), 2);
}

#[tokio::test]
async fn an_account_is_sent_only_to_the_token_server() {
    let api = registry(|api| api.url("/token")).await;
    gives_tokens(&api, 300);
    pull(&client(&api, Registry::new().password("alice", "hunter2")), &api, "a").await;
    let with: Vec<_> = api.requests().into_iter().filter(|arrived| arrived.header("authorization").is_some()).collect();
    assert_eq!(
        with.iter().map(|arrived| arrived.path().to_owned()).collect::<Vec<_>>(),
        ["/token", "/v2/a/manifests/latest"]
    );
    assert_eq!(with[0].credential(), Some("Basic YWxpY2U6aHVudGVyMg=="));
    assert!(with[0].url().query().unwrap().ends_with("account=alice"));
    pull(&client(&api, Registry::new().identity_token("hunter3").client_id("me")), &api, "a").await;
    let posted = api.requests().into_iter().rfind(|arrived| arrived.path() == "/token").unwrap();
    assert_eq!((posted.method().as_str(), posted.form("refresh_token").as_deref()), ("POST", Some("hunter3")));
    assert_eq!(
        (posted.form("client_id").as_deref(), posted.form("scope").as_deref()),
        (Some("me"), Some("repository:a:pull"))
    );
    let shown = format!("{:?}", Registry::new().password("a", "hunter2"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_token_server_that_the_caller_did_not_name_gets_no_request() {
    let other = MockApi::start().await.unwrap();
    gives_tokens(&other, 300);
    let url = other.url("/token");
    let api = registry(move |_| url.clone()).await;
    let refused = client(&api, Registry::new().password("alice", "hunter2"));
    let error = refused.get(api.url("/v2/a/manifests/latest")).send().await.unwrap_err();
    let kind = RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "realm".to_owned() };
    assert_eq!(Unauthorized::find(&error).unwrap().refresh_error().unwrap().kind(), &kind);
    let shown = format!("{:#}", anyhow::Error::from(error));
    assert!(
        shown.contains(&format!("call `token_server(\"{}\")`", other.origin())) && !shown.contains("hunter2"),
        "{shown}"
    );
    assert_eq!(other.requests().len(), 0);
    let allowed = Registry::new().password("alice", "hunter2").token_server(other.origin()).unwrap();
    assert_eq!(pull(&client(&api, allowed), &api, "a").await, 200);
    assert_eq!(other.requests().len(), 1);
}

#[tokio::test]
async fn an_untrusted_realm_is_not_called() {
    for realm in [
        "http://example.com/token",
        "http://alice@127.0.0.1/token",
        "ftp://127.0.0.1/token",
        "/token",
        "http://169.254.169.254/latest",
        "http://0x7f000001:1/token",
        "https://example.com.evil.example/token",
    ] {
        let api = registry(move |_| realm.to_owned()).await;
        let client = client(&api, Registry::new().token_server("https://example.com").unwrap());
        let error = client.get(api.url("/v2/a/manifests/latest")).send().await.unwrap_err();
        let refused = Unauthorized::find(&error).unwrap();
        let kind = RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "realm".to_owned() };
        assert_eq!(refused.refresh_error().unwrap().kind(), &kind, "{realm}");
    }
}

#[tokio::test]
async fn each_failure_of_a_token_server_has_its_error_kind_and_shows_no_secret() {
    for (answer, wanted) in [
        (Answer::new(401), RefreshErrorKind::CredentialRevoked { code: "unauthorized".to_owned() }),
        (Answer::new(400), RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "token_server".to_owned() }),
        (Answer::new(503), RefreshErrorKind::Transient { retry_after: None }),
        (
            Answer::new(429).header("retry-after", "7"),
            RefreshErrorKind::Transient { retry_after: Some(Duration::from_secs(7)) },
        ),
        (Answer::ok("hunter2 is no JSON"), RefreshErrorKind::Other),
        // These JSON objects end too early, and the responses have no length that could show it.
        (Answer::json("{\"token\":\"hunter2"), RefreshErrorKind::Transient { retry_after: None }),
        (Answer::json("{\"token\":\"hunter2\""), RefreshErrorKind::Transient { retry_after: None }),
        (Answer::json("{"), RefreshErrorKind::Transient { retry_after: None }),
        (Answer::json("{\"token\": \"\", \"x\": \"hunter2\"}"), RefreshErrorKind::Other),
        (Answer::new(200).endless_body(), RefreshErrorKind::Other),
    ] {
        let api = registry(|api| api.url("/token")).await;
        api.at("/token").answers(answer);
        let error = client(&api, Registry::new()).get(api.url("/v2/a/manifests/x")).send().await.unwrap_err();
        assert_eq!(Unauthorized::find(&error).unwrap().refresh_error().unwrap().kind(), &wanted);
        let shown = format!("{:#}", anyhow::Error::from(error));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn concurrent_reads_and_writes_of_one_repository_all_succeed() {
    // The challenge names no scope, so only the request tells reads and writes apart.
    let api = Arc::new(MockApi::start().await.unwrap());
    let realm = api.url("/token");
    api.at("/v2").answers_with(move |arrived| match arrived.token() {
        "" => Answer::unauthorized([&*format!("Bearer realm=\"{realm}\",service=\"registry\"")]),
        _ => Answer::ok("in"),
    });
    gives_tokens(&api, 300);
    let client = client(&api, Registry::new());
    let calls: Vec<_> = (0..20)
        .map(|number| {
            let url = api.url(&format!("/v2/{}/manifests/latest", if number % 4 < 2 { "a" } else { "b" }));
            let method = if number % 2 == 0 { reqwest::Method::GET } else { reqwest::Method::PUT };
            tokio::spawn(client.request(method, url).send())
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_token_is_not_sent_to_another_origin_and_a_denied_repository_costs_one_token_request() {
    let (api, other) = (registry(|api| api.url("/token")).await, MockApi::start().await.unwrap());
    gives_tokens(&api, 300);
    let auth = ChallengeMiddleware::builder(api.origin(), Registry::new()).origin(other.origin());
    let auth = auth.partition_by(registry::partition).build().unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    pull(&client, &api, "a").await;
    client.get(other.url("/v2/a/manifests/latest")).send().await.unwrap();
    assert_eq!(other.requests()[0].credential(), None);

    let realm = api.url("/token");
    api.at("/v2/denied")
        .answers(Answer::unauthorized([&*format!("Bearer realm=\"{realm}\",service=\"r\",scope=\"x\"")]));
    let before = api.requests_to("/token");
    for _ in 0..5 {
        client.get(api.url("/v2/denied/manifests/x")).send().await.unwrap_err();
    }
    assert_eq!(api.requests_to("/token") - before, 1);
}

#[tokio::test]
async fn several_scopes_are_requested_together_and_the_cache_is_bounded() {
    let api = Arc::new(MockApi::start().await.unwrap());
    let realm = api.url("/token");
    // A mount needs two repositories, in one `scope` parameter or in two.
    api.at("/v2").answers_with(move |arrived| match arrived.token() {
        "" => {
            let name = arrived.path().split('/').nth(2).unwrap().to_owned();
            let scopes = format!("scope=\"repository:{name}:push repository:b:pull\",scope=\"repository:b:pull\"");
            Answer::unauthorized([&*format!("Bearer realm=\"{realm}\",service=\"registry\",{scopes}")])
        }
        _ => Answer::ok("in"),
    });
    gives_tokens(&api, 300);
    let client = client(&api, Registry::new());
    pull(&client, &api, "a0").await;
    let asked = api.requests().into_iter().find(|arrived| arrived.path() == "/token").unwrap();
    let scopes: Vec<_> =
        asked.url().query_pairs().filter(|(name, _)| name == "scope").map(|(_, scope)| scope.into_owned()).collect();
    assert_eq!(scopes, ["repository:a0:push", "repository:b:pull"]);
    // The cache holds 256 tokens. With one more, the first token is requested again, and the last one is still there.
    for number in 1..=256 {
        pull(&client, &api, &format!("a{number}")).await;
    }
    let before = api.requests_to("/token");
    pull(&client, &api, "a256").await;
    assert_eq!(api.requests_to("/token"), before);
    pull(&client, &api, "a0").await;
    assert_eq!(api.requests_to("/token"), before + 1);
}
