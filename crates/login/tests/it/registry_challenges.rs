//! Incomplete challenges of registries, errors of their token servers, and redirects of those servers.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest_challenge::{ChallengeMiddleware, DeniedReason, Refresh, RefreshContext, RefreshError, RefreshErrorKind};
use reqwest_challenge_login::registry::{self, Registry};
use reqwest_challenge_testing::{Answer, MockApi};
use reqwest_middleware::ClientBuilder;

use crate::support::redirects::{FollowsWhere, builder, elsewhere, is_untouched};

/// A token server that issues the token `t`.
async fn token_server() -> MockApi {
    let server = MockApi::start().await.unwrap();
    server.at("/").open().answers(Answer::json("{\"token\":\"t\",\"expires_in\":300}"));
    server
}

/// Refreshes after a challenge, for a request with a method and a path.
async fn refresh(
    registry: Registry,
    server: &MockApi,
    request: (Method, &str),
    challenge: &str,
) -> Result<(), RefreshError> {
    let challenge = challenge.replace("HERE", &server.origin());
    let context =
        RefreshContext::builder(server.url(request.1)).method(request.0).challenge(&challenge).build().unwrap();
    registry.refresh(context).await.map(|credential| assert!(credential.is_some()))
}

/// Each source repository needs its own token, also if the challenges name no scope.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_mounts_from_several_repositories_have_a_token_each() {
    for names_scopes in [true, false] {
        let server = Arc::new(token_server().await);
        let realm = server.url("/token");
        server.at("/token").answers_with(|arrived| {
            let scopes = arrived.url().query_pairs().filter(|(name, _)| name == "scope").map(|(_, scope)| scope);
            let token = scopes.collect::<Vec<_>>().join("+");
            Answer::json(serde_json::json!({ "token": token }))
        });
        server.at("/v2").answers_with(move |arrived| {
            let from = arrived.url().query_pairs().find(|(name, _)| name == "from").unwrap().1.into_owned();
            let needs = ["repository:a:pull,push".to_owned(), format!("repository:{from}:pull")];
            if needs.iter().all(|scope| arrived.token().split('+').any(|one| one == scope)) {
                return Answer::new(201);
            }
            let scope = if names_scopes { format!(",scope=\"{}\"", needs.join(" ")) } else { String::new() };
            Answer::unauthorized([&*format!("Bearer realm=\"{realm}\",service=\"r\"{scope}")])
        });
        let builder = ChallengeMiddleware::builder(server.origin(), Registry::new());
        let auth = builder.partition_by(registry::partition).build().unwrap();
        let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
        for _ in 0..2 {
            let calls: Vec<_> = (0..10)
                .map(|number| server.url(&format!("/v2/a/blobs/uploads/?mount=sha256:00&from=b{number}")))
                .map(|url| tokio::spawn(client.post(url).send()))
                .collect();
            for call in calls {
                assert_eq!(call.await.unwrap().unwrap().status(), 201, "{names_scopes}");
            }
        }
        assert_eq!(server.requests_to("/token"), 10, "{names_scopes}");
    }
}

/// The values of a parameter in the last token request, in its query or its form.
fn asked(server: &MockApi, name: &str) -> Vec<String> {
    let requests = server.requests();
    let last = requests.last().unwrap();
    let query = last.url().query_pairs().filter(|(other, _)| other == name).map(|(_, value)| value.into_owned());
    query.chain(last.form(name)).collect()
}

#[tokio::test]
async fn a_challenge_without_a_service_leads_to_a_token_request_without_one() {
    for registry in [Registry::new(), Registry::new().password("a", "b"), Registry::new().identity_token("c")] {
        let server = token_server().await;
        let challenge = "Bearer realm=\"HERE/proxy_auth\",scope=\"repository:nvidia/cuda:pull\"";
        refresh(registry, &server, (Method::GET, "/v2/nvidia/cuda/manifests/x"), challenge).await.unwrap();
        assert!(asked(&server, "service").is_empty());
        assert_eq!(asked(&server, "scope"), ["repository:nvidia/cuda:pull"]);
    }
}

#[tokio::test]
async fn if_the_challenge_names_no_scope_the_request_determines_it() {
    for (method, path, scopes) in [
        (Method::GET, "/v2/library/alpine/manifests/latest", vec!["repository:library/alpine:pull"]),
        (Method::HEAD, "/v2/a/blobs/sha256:00", vec!["repository:a:pull"]),
        (Method::GET, "/v2/a/b/c/tags/list?n=5", vec!["repository:a/b/c:pull"]),
        (Method::GET, "/v2/a/referrers/sha256:00", vec!["repository:a:pull"]),
        (Method::GET, "/v2/a/manifests/b/manifests/c", vec!["repository:a/manifests/b:pull"]),
        (Method::PUT, "/v2/a/manifests/latest", vec!["repository:a:pull,push"]),
        (Method::POST, "/v2/a/blobs/uploads/", vec!["repository:a:pull,push"]),
        (Method::PATCH, "/v2/a/blobs/uploads/1", vec!["repository:a:pull,push"]),
        (
            Method::POST,
            "/v2/a/blobs/uploads/?mount=sha256:00&from=library/b",
            vec!["repository:a:pull,push", "repository:library/b:pull"],
        ),
        (Method::POST, "/v2/a/blobs/uploads/?mount=sha256:00&from=b:push%20x", vec!["repository:a:pull,push"]),
        (Method::DELETE, "/v2/a/manifests/sha256:00", vec!["repository:a:delete"]),
        (Method::GET, "/v2/_catalog?n=100", vec!["registry:catalog:*"]),
        (Method::GET, "/v2/", vec![]),
        (Method::GET, "/other", vec![]),
    ] {
        let server = token_server().await;
        for challenge in ["Bearer realm=\"HERE/token\",service=\"r\"", "Bearer realm=\"HERE/token\""] {
            refresh(Registry::new(), &server, (method.clone(), path), challenge).await.unwrap();
            assert_eq!(asked(&server, "scope"), scopes, "{method} {path}");
            refresh(Registry::new().identity_token("c"), &server, (method.clone(), path), challenge).await.unwrap();
            let posted: Vec<_> =
                asked(&server, "scope").iter().flat_map(|all| all.split(' ')).map(str::to_owned).collect();
            assert_eq!(posted, scopes, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn repositories_without_scopes_in_their_challenges_have_a_token_each() {
    let server = Arc::new(token_server().await);
    let realm = server.url("/token");
    server.at("/token").answers_with(|arrived| {
        let scope = arrived.url().query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned();
        Answer::json(format_args!("{{\"token\":\"{scope}\"}}"))
    });
    server.at("/v2").answers_with(move |arrived| {
        let name = arrived.path().split('/').nth(2).unwrap();
        let action = if arrived.method() == "GET" { "pull" } else { "pull,push" };
        if arrived.token() == format!("repository:{name}:{action}") {
            return Answer::ok("in");
        }
        Answer::unauthorized([&*format!("Bearer realm=\"{realm}\"")])
    });
    let auth = ChallengeMiddleware::builder(server.origin(), Registry::new()).partition_by(registry::partition);
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth.build().unwrap()).build();
    for _ in 0..3 {
        for (method, name) in [(Method::GET, "a"), (Method::GET, "b"), (Method::PUT, "a")] {
            let url = server.url(&format!("/v2/{name}/manifests/x"));
            assert_eq!(client.request(method, url).send().await.unwrap().status(), 200);
        }
    }
    assert_eq!(server.requests_to("/token"), 3);
}

/// The kind and the text of the error for a response of the token server.
async fn outcome(registry: Registry, answer: Answer) -> (RefreshErrorKind, String) {
    let server = token_server().await;
    server.at("/token").answers(answer);
    let challenge = "Bearer realm=\"HERE/token\",service=\"r\"";
    let error = refresh(registry, &server, (Method::GET, "/v2/a/manifests/x"), challenge).await.unwrap_err();
    (error.kind().clone(), error.source().unwrap().to_string())
}

#[tokio::test]
async fn the_token_servers_own_error_reaches_the_caller() {
    let rejected = |code: &str| RefreshErrorKind::CredentialRevoked { code: code.to_owned() };
    let refused = |code: &str| RefreshError::denied(code).kind().clone();
    let json = |status, body: &str| Answer::new(status).json_body(body);
    for (answer, kind, text) in [
        (
            json(400, r#"{"error":"invalid_grant","error_description":"the refresh token is revoked"}"#),
            rejected("invalid_grant"),
            "the token server says 400: the refresh token is revoked",
        ),
        (
            json(401, r#"{"error":"invalid_grant"}"#),
            rejected("invalid_grant"),
            "the token server says 401: invalid_grant",
        ),
        (
            json(200, r#"{"error":"invalid_grant"}"#),
            rejected("invalid_grant"),
            "the token server says 200: invalid_grant",
        ),
        (
            json(200, r#"{"errors":[{"code":"DENIED","message":"access is denied"}]}"#),
            refused("token_server"),
            "the token server says 200: DENIED: access is denied",
        ),
        (json(200, r#"{"details":"no access"}"#), refused("token_server"), "the token server says 200: no access"),
        (
            json(401, r#"{"error":"invalid_client"}"#),
            refused("invalid_client"),
            "the token server says 401: invalid_client",
        ),
        (
            json(401, r#"{"details":"incorrect username or password"}"#),
            rejected("unauthorized"),
            "the token server says 401: incorrect username or password",
        ),
        (
            json(403, r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#),
            rejected("unauthorized"),
            "the token server says 403: DENIED: requested access to the resource is denied",
        ),
        (
            json(404, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#),
            refused("token_server"),
            "the token server says 404: NAME_UNKNOWN",
        ),
        (
            json(401, r#"{"error":"Invalid Username or Password"}"#),
            rejected("unauthorized"),
            "the token server says 401: Invalid Username or Password",
        ),
        (
            json(400, r#"{"error":{"message":"a message"}}"#),
            refused("token_server"),
            "the token server says 400: a message",
        ),
        (
            json(503, r#"{"message":"down"}"#).header("retry-after", "7"),
            RefreshErrorKind::Transient { retry_after: Some(Duration::from_secs(7)) },
            "the token server says 503: down",
        ),
        (Answer::new(400).body("<html>"), refused("token_server"), "the token server says 400"),
    ] {
        assert_eq!(outcome(Registry::new(), answer).await, (kind, text.to_owned()));
    }
}

#[tokio::test]
async fn the_token_is_read_from_either_of_its_two_members() {
    for body in [
        r#"{"token":"","access_token":"t"}"#,
        r#"{"token":null,"access_token":"t"}"#,
        r#"{"token":"t","access_token":""}"#,
        r#"{"access_token":"t","errors":[],"message":"welcome"}"#,
    ] {
        let server = token_server().await;
        server.at("/token").answers(Answer::json(body));
        let challenge = "Bearer realm=\"HERE/token\",service=\"r\"";
        refresh(Registry::new(), &server, (Method::GET, "/v2/a/manifests/x"), challenge).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_servers_text_is_bounded_printable_and_without_the_secret() {
    let (secret, quoted) = ("hunter2/+ü\"x", "hunter2/+ü\\\"x");
    let odd = |text: &str| {
        let body = serde_json::json!({ "error": text.get(..8).unwrap_or(text), "errors": [{ "code": text, "message": text }] });
        Answer::new(400).json_body(body)
    };
    for text in [secret, quoted, "hunter2%2F%2B%C3%BC%22x", "\u{1b}[31m\u{202e}", &*"x".repeat(1 << 19)] {
        for registry in [Registry::new().password("alice", secret), Registry::new().identity_token(secret)] {
            let (_, shown) = outcome(registry, odd(&format!("told {text}"))).await;
            assert!(shown.len() < 1_000 && !shown.contains("hunter2"), "{shown}");
            assert!(!shown.contains(|character: char| character.is_control() || character == '\u{202e}'), "{shown:?}");
        }
    }
    let (_, shown) = outcome(Registry::new().password("alice", secret), odd("YWxpY2U6aHVudGVyMi8rw7wieA==")).await;
    assert!(!shown.contains("YWxpY2U6"), "{shown}");
}

#[tokio::test]
async fn a_redirect_sends_no_account_to_a_second_server_and_its_token_is_not_accepted() {
    let gives = |_: &MockApi| Answer::json("{\"token\":\"evil\"}");
    for (follows, status) in FollowsWhere::each() {
        if follows == FollowsWhere::InOAuth {
            continue;
        }
        for (registry, method) in [
            (Registry::new().password("alice", "hunter2"), "GET"),
            (Registry::new().identity_token("hunter2"), "POST"),
            (Registry::new(), "GET"),
        ] {
            let (server, other) = (token_server().await, elsewhere(gives).await);
            let realm = server.url("/token");
            server.at("/token").answers(Answer::new(status).header("location", other.url("/token")));
            server.at("/v2").answers(Answer::unauthorized([&*format!("Bearer realm=\"{realm}\",service=\"r\"")]));
            let auth = builder(&server, registry, follows).partition_by(registry::partition).build().unwrap();
            let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
            let error = client.get(server.url("/v2/a/manifests/x")).send().await.unwrap_err();
            let kind = RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "token_server".to_owned() };
            assert_eq!(RefreshError::find(&error).unwrap().kind(), &kind, "{status} {method}");
            let text = format!("{:#}", anyhow::Error::from(error));
            assert!(text.contains("redirects") && !text.contains("hunter2"), "{text}");
            is_untouched(&other, status, method);
            assert_eq!(server.requests_with("evil"), 0);
        }
    }
}
