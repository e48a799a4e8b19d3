//! The search from a challenge to the authorization server.

use std::time::Duration;

use reqwest_challenge::{Forbidden, RefreshErrorKind};
use reqwest_challenge_login::oauth::{
    AuthorizationCode, Client, ClientCredentials, Issuer, JwtBearer, OAuth, RefreshToken, Registration,
};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, MockIdentityProvider};
use serde_json::json;

use crate::support::oauth::{Seen, browser, client, client_by, line, names, protected, registering, why};

/// A refresher that prompts the user after a 401.
fn prompting() -> (OAuth, Seen) {
    let (oauth, seen) = registering();
    (oauth.prompting(), seen)
}

/// The code and the text of the refusal of a request to `/api`.
async fn refusal(api: &MockApi, oauth: OAuth) -> String {
    let (client, _) = client(&api.origin(), oauth);
    let error = client.get(api.url("/api")).send().await.unwrap_err();
    let why = why(&error);
    match why.kind() {
        RefreshErrorKind::Denied { code, .. } => format!("{code}: {}", line(&why)),
        other => panic!("{other:?}: {}", line(&why)),
    }
}

fn paths(provider: &MockIdentityProvider) -> Vec<String> {
    let exchanges = provider.journal().exchanges();
    exchanges.iter().map(|one| format!("{} {}", one.request().server(), one.request().path())).collect()
}

#[tokio::test]
async fn a_401_that_names_resource_metadata_leads_to_a_login_and_a_200() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (oauth, seen) = prompting();
    let (client, session) = client(&api.origin(), oauth);
    assert_eq!(client.get(api.url("/api/reports")).send().await.unwrap().status(), 200);
    assert_eq!(
        paths(&provider),
        [
            "api /api/reports",
            "api /.well-known/oauth-protected-resource/api",
            "identity /.well-known/oauth-authorization-server",
            "identity /register",
            "identity /authorize",
            "identity /token",
            "api /api/reports",
        ]
    );
    assert_eq!(seen.param(0, "resource"), Some(api.url("/api")));
    assert_eq!(seen.param(0, "scope").as_deref(), Some("api:read"));
    // The refresh token renews the credential, without a prompt and without a metadata request.
    api.tokens().expire_all();
    assert_eq!(client.get(api.url("/api/reports")).send().await.unwrap().status(), 200);
    assert_eq!((seen.count(), provider.grants("refresh_token"), paths(&provider).len()), (1, 1, 10));
    let last = provider.journal().exchanges();
    let renewal = last.iter().rev().find(|one| one.request().path() == "/token").unwrap();
    assert_eq!(renewal.request().form("resource"), Some(api.url("/api")));
    assert_eq!(session.credential().unwrap().scopes().unwrap(), ["api:read"]);
}

#[tokio::test]
async fn if_the_challenge_names_no_metadata_the_well_known_urls_are_tried_with_and_without_the_path() {
    let provider = MockIdentityProvider::start().await.unwrap();
    for (place, resource) in [("/api/deep", "/api/deep"), ("", "")] {
        let api = MockApi::trusting(&provider).await.unwrap();
        api.at("/api").requires("api:read").challenges_with_nothing();
        api.at("/.well-known").open().answers(Answer::new(404));
        let document = json!({
            "resource": api.url(resource), "authorization_servers": [provider.issuer()],
            "scopes_supported": ["api:read", "api:write"],
        });
        let here = format!("/.well-known/oauth-protected-resource{place}");
        api.at("/.well-known/oauth-protected-resource").answers_with(move |arrived| {
            if arrived.path() == here { Answer::json(&document) } else { Answer::new(404) }
        });
        let (oauth, seen) = prompting();
        let (client, _) = client(&api.origin(), oauth);
        assert_eq!(client.get(api.url("/api/deep")).send().await.unwrap().status(), 200, "{place}");
        assert_eq!(seen.param(0, "scope").as_deref(), Some("api:read api:write"), "all supported scopes");
    }
}

#[tokio::test]
async fn metadata_of_another_resource_end_the_login_before_the_issuer_is_called() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let other = MockApi::start().await.unwrap();
    for resource in [
        other.url("/api"),
        api.url("/ap"),
        api.url("/api/reports/"),
        api.url("/apis"),
        api.url("/api").replace("127.0.0.1", "user@127.0.0.1"),
        api.url("/api").replace("http:", "https:"),
        "nonsense".to_owned(),
        String::new(),
    ] {
        names(&api, &resource, &provider.issuer());
        let refused = refusal(&api, prompting().0).await;
        assert!(refused.starts_with("resource_mismatch"), "{resource}: {refused}");
    }
    // The caller's resource is compared octet for octet.
    names(&api, &api.url("/api/"), &provider.issuer());
    let refused = refusal(&api, prompting().0.resource(api.url("/api"))).await;
    assert!(refused.starts_with("resource_mismatch"), "{refused}");
    assert_eq!(
        (provider.token_requests(), paths(&provider).iter().filter(|path| path.starts_with("id")).count()),
        (0, 0)
    );
    for resource in ["/api", "/api/", "/", ""] {
        names(&api, &api.url(resource), &provider.issuer());
        let (client, _) = client(&api.origin(), prompting().0);
        assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200, "{resource}");
    }
}

/// A server and its issuer, whose metadata are at one path only.
async fn with_metadata_at(path: &str, place: &str) -> (MockApi, String) {
    let server = MockApi::start().await.unwrap();
    let issuer = server.url(path);
    server.at("/").answers(Answer::new(404));
    let document = json!({ "issuer": issuer, "token_endpoint": server.url("/token") });
    server.at(place).answers(Answer::json(document));
    server.at("/token").answers(Answer::json(json!({ "access_token": "t", "token_type": "Bearer" })));
    (server, issuer)
}

async fn opens_with_any_token() -> MockApi {
    let api = MockApi::start().await.unwrap();
    api.at("/api").answers_with(|arrived| match arrived.credential() {
        Some(_) => Answer::ok("welcome"),
        None => Answer::unauthorized(["Bearer"]),
    });
    api
}

#[tokio::test]
async fn the_issuers_metadata_are_found_at_each_well_known_url() {
    let api = opens_with_any_token().await;
    for (path, place) in [
        ("", "/.well-known/oauth-authorization-server"),
        ("", "/.well-known/openid-configuration"),
        ("/tenant/1", "/.well-known/oauth-authorization-server/tenant/1"),
        ("/tenant/1", "/.well-known/openid-configuration/tenant/1"),
        ("/tenant/1", "/tenant/1/.well-known/openid-configuration"),
        ("/", "/.well-known/oauth-authorization-server"),
    ] {
        let (server, issuer) = with_metadata_at(path, place).await;
        let oauth = OAuth::new(Issuer::new(&issuer).unwrap(), Client::secret_basic("c", "s"), ClientCredentials);
        let (client, _) = client(&api.origin(), oauth.unwrap());
        assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200, "{place}");
        assert_eq!(server.requests_to("/token"), 1);
    }
}

#[tokio::test]
async fn an_issuer_is_compared_octet_for_octet() {
    let api = opens_with_any_token().await;
    for (said, asked) in [("", "/"), ("/", ""), ("/a", "/A"), ("/a/", "/a")] {
        let server = MockApi::start().await.unwrap();
        let document = json!({ "issuer": server.url(said), "token_endpoint": server.url("/token") });
        server.at("/").answers(Answer::json(document));
        let issuer = Issuer::new(server.url(asked)).unwrap();
        let oauth = OAuth::new(issuer, Client::secret_basic("c", "s"), ClientCredentials).unwrap();
        let refused = refusal(&api, oauth).await;
        assert!(refused.starts_with("issuer_mismatch"), "{said} {asked}: {refused}");
        assert_eq!(server.requests_to("/token"), 0);
    }
}

#[tokio::test]
async fn metadata_are_fetched_once_an_hour() {
    let (api, clock) = (opens_with_any_token().await, ManualClock::new());
    let (server, issuer) = with_metadata_at("", "/.well-known/oauth-authorization-server").await;
    let oauth = OAuth::new(Issuer::new(issuer).unwrap(), Client::secret_basic("c", "s"), ClientCredentials).unwrap();
    let (_, session) = client_by(clock.clone(), &api.origin(), oauth);
    for (minutes, asked) in [(0, 1), (59, 1), (2, 2), (10, 2)] {
        clock.forward(Duration::from_secs(60 * minutes));
        session.login().await.unwrap();
        assert_eq!(server.requests_to("/.well-known/oauth-authorization-server"), asked);
    }
    assert_eq!(server.requests_to("/token"), 4);
}

#[test]
fn a_client_secret_or_a_grant_without_a_user_needs_an_issuer_from_the_caller() {
    let at = Issuer::from_challenge;
    let key = || reqwest_challenge::dpop::Es256Key::generate().unwrap();
    let (show, _) = browser();
    let refused = [
        OAuth::new(at(), Client::public("c"), ClientCredentials),
        OAuth::new(at(), Client::public("c"), RefreshToken::new("r")),
        OAuth::new(at(), Client::public("c"), JwtBearer::new("i", "s", key())),
        OAuth::new(at(), Client::secret_basic("c", "s"), AuthorizationCode::new(show)),
        OAuth::new(at(), Client::private_key_jwt("c", key(), None), AuthorizationCode::new(|_| Ok(()))),
    ];
    for set_up in refused {
        let error = set_up.unwrap_err().to_string();
        assert!(error.contains("Issuer::new"), "{error}");
    }
    assert!(at().token_endpoint("https://auth.example.com/token").is_err());
    for text in
        ["auth.example.com", "http://auth.example.com", "https://u@auth.example.com", "https://a.example/?q", "ftp://a"]
    {
        assert!(Issuer::new(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn if_a_resource_names_a_new_issuer_no_token_of_the_old_issuer_is_sent_there() {
    let (old, new) = (MockIdentityProvider::start().await.unwrap(), MockIdentityProvider::start().await.unwrap());
    let api = protected(&old).await;
    let (oauth, seen) = prompting();
    let (client, session) = client(&api.origin(), oauth);
    client.get(api.url("/api")).send().await.unwrap();
    names(&api, &api.url("/api"), &new.issuer());
    // The old login ends, and a new one starts at the issuer that the API names now.
    old.fail_next(reqwest_challenge_testing::Failure::InvalidGrant);
    api.tokens().expire_all();
    let issued = client.get(api.url("/api")).send().await;
    assert!(issued.is_err(), "the test's API accepts only the old server's tokens");
    assert_eq!((seen.count(), new.grants("authorization_code"), new.grants("refresh_token")), (2, 1, 0));
    let at_new = new.journal().exchanges();
    assert!(at_new.iter().all(|one| !one.request().contains("mock-refresh-")), "{at_new:?}");
    let _ = session;
}

#[tokio::test]
async fn a_client_metadata_document_is_used_if_the_server_supports_it() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let document = || Client::metadata_document("https://tool.example/client.json");
    let (show, seen) = browser();
    let oauth = OAuth::new(Issuer::from_challenge(), document(), AuthorizationCode::new(show)).unwrap().prompting();
    let (client, _) = client(&api.origin(), oauth);
    client.get(api.url("/api")).send().await.unwrap();
    assert_eq!(seen.param(0, "client_id").as_deref(), Some("https://tool.example/client.json"));
    assert!(!paths(&provider).contains(&"identity /register".to_owned()));
    let (server, issuer) = with_metadata_at("", "/.well-known/oauth-authorization-server").await;
    server.at("/.well-known/oauth-authorization-server").answers(Answer::json(json!({
        "issuer": issuer, "token_endpoint": server.url("/token"), "registration_endpoint": server.url("/reg"),
        "code_challenge_methods_supported": ["S256"], "authorization_endpoint": server.url("/authorize"),
    })));
    names(&api, &api.url("/api"), &issuer);
    let at = || AuthorizationCode::new(|_| Err("no user is there".into()));
    let oauth = OAuth::new(Issuer::from_challenge(), document(), at()).unwrap().prompting();
    assert!(refusal(&api, oauth).await.contains("no client metadata document"));
    server.at("/reg").answers(Answer::new(400).json_body(json!({ "error": "invalid_client_metadata" })));
    let either = document().or_registered(Registration::named("tool"));
    let oauth = OAuth::new(Issuer::from_challenge(), either, at()).unwrap().prompting();
    assert!(refusal(&api, oauth).await.starts_with("invalid_client_metadata"));
    let sent: serde_json::Value =
        serde_json::from_slice(server.requests().iter().find(|one| one.path() == "/reg").unwrap().body()).unwrap();
    let redirect = sent["redirect_uris"][0].as_str().unwrap();
    // The server sends no `iss` in its responses, so it gets its own redirect URI.
    assert!(
        redirect.starts_with("http://127.0.0.1:") && redirect.rsplit('/').next().unwrap().len() == 16,
        "{redirect}"
    );
    assert_eq!(sent["token_endpoint_auth_method"], "none");
}

#[tokio::test]
async fn twenty_step_ups_request_the_granted_and_the_missing_scopes_once() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    api.at("/api/write").requires("api:write");
    let (oauth, seen) = prompting();
    let (client, session) = client(&api.origin(), oauth);
    client.get(api.url("/api")).send().await.unwrap();
    let error = client.get(api.url("/api/write")).send().await.unwrap_err();
    let denied = Forbidden::find(&error).unwrap();
    let all = (0..20).map(|_| session.step_up(denied));
    for granted in futures(all).await {
        assert_eq!(granted.unwrap().scopes().unwrap(), ["api:read", "api:write"]);
    }
    assert_eq!((seen.count(), seen.param(1, "scope").as_deref()), (2, Some("api:read api:write")));
    assert_eq!(provider.grants("refresh_token"), 0, "a refresh token does not widen a scope");
    assert_eq!(client.get(api.url("/api/write")).send().await.unwrap().status(), 200);
}

/// Polls all futures concurrently.
async fn futures<F: Future>(all: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in &mut all {
            if output.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if all.iter().all(|(_, output)| output.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    all.into_iter().map(|(_, output)| output.unwrap()).collect()
}

#[tokio::test]
async fn the_demand_of_a_401_reaches_the_authorization_request() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let metadata = api.url("/.well-known/oauth-protected-resource/api");
    let challenge = format!(
        "Bearer error=\"insufficient_user_authentication\", acr_values=\"urn:gold urn:silver\", max_age=60, \
         claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ\", resource_metadata=\"{metadata}\""
    );
    api.at("/api").requires("api:read").challenges_with([&*challenge]);
    let (oauth, seen) = prompting();
    let (client, _) = client(&api.origin(), oauth);
    client.get(api.url("/api")).send().await.unwrap();
    let asked = ["acr_values", "max_age", "claims"].map(|name| seen.param(0, name).unwrap());
    assert_eq!(asked, ["urn:gold urn:silver", "60", "{\"access_token\":{}}"]);
}

#[tokio::test]
async fn a_login_before_any_request_is_for_the_named_resource_or_for_the_whole_api() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    for named in [None, Some(api.url("/api"))] {
        let (oauth, seen) = prompting();
        let oauth = named.into_iter().fold(oauth, OAuth::resource);
        let (client, session) = client(&api.origin(), oauth);
        session.login().await.unwrap();
        assert_eq!(seen.param(0, "resource"), Some(api.url("/api")));
        assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
        assert_eq!(seen.count(), 1);
    }
    names(&api, "https://another.example/api", &provider.issuer());
    let (_, session) = client(&api.origin(), prompting().0);
    assert!(line(&session.login().await.unwrap_err()).contains("resource_mismatch"));
}
