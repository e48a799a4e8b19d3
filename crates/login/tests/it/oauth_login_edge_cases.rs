//! Edge cases of a login: the demand of an earlier 401, the resource, failures of each endpoint, redirected metadata, device codes that
//! expire, and pages that are too long.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_challenge::ChallengeMiddleware;
use reqwest_challenge_login::oauth::{
    AuthorizationCode, Client, ClientCredentials, DeviceCode, Issuer, OAuth, Registration,
};
use reqwest_challenge_login::store::{Key, MemoryStore, Store, Stored};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, MockIdentityProvider, until};
use serde_json::{Value, json};

use crate::oauth_robustness::settled;
use crate::support::oauth::{browser, client, client_by, device_server, line, protected};

const SERVER: &str = "/.well-known/oauth-authorization-server";

#[tokio::test]
async fn an_explicit_login_after_a_401_meets_the_demand_of_that_401_once() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let place = "/.well-known/oauth-protected-resource/api";
    let demanding = format!(
        "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold\", max_age=60, scope=\"api:read\", \
         resource_metadata=\"{}\"",
        api.url(place)
    );
    api.at("/api").requires("api:read").challenges_with([&*demanding]);
    api.at(place).open().answers(Answer::json(json!({
        "resource": api.url("/api"), "authorization_servers": [provider.issuer()], "scopes_supported": ["api:admin"],
    })));
    let (show, seen) = browser();
    let oauth = OAuth::new(Issuer::from_challenge(), Client::public("c"), AuthorizationCode::new(show)).unwrap();
    let (client, session) = client(&api.origin(), oauth);
    client.get(api.url("/api")).send().await.unwrap_err();
    session.login().await.unwrap();
    let asked = |number, name| seen.param(number, name);
    assert_eq!((asked(0, "acr_values"), asked(0, "max_age")), (Some("gold".to_owned()), Some("60".to_owned())));
    assert_eq!(asked(0, "scope").as_deref(), Some("api:read"));
    // The login met the demand, so the next login does not repeat it.
    session.login().await.unwrap();
    assert_eq!((asked(1, "acr_values"), asked(1, "max_age")), (None, None));
}

/// The resource that the token request names, and the resource of the API. The caller names the provider; the API's metadata name
/// `servers`.
async fn resource_asked(servers: impl Fn(&MockIdentityProvider) -> Value) -> (Option<String>, String) {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let place = "/.well-known/oauth-protected-resource";
    let document = json!({ "resource": api.url("/api"), "authorization_servers": servers(&provider) });
    api.at(place).open().answers(Answer::json(document));
    let issuer = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(issuer, Client::secret_basic("c", "s"), ClientCredentials).unwrap().scopes(["api:read"]);
    let (client, _) = client(&api.origin(), oauth);
    assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
    let exchanges = provider.journal().exchanges();
    let asked = exchanges.iter().find(|one| one.request().path() == "/token").unwrap();
    (asked.request().form("resource"), api.url("/api"))
}

#[tokio::test]
async fn the_token_request_names_the_resource_if_the_api_names_the_callers_issuer() {
    let (asked, resource) = resource_asked(|provider| json!([provider.issuer()])).await;
    assert_eq!(asked, Some(resource));
    assert_eq!(resource_asked(|_| json!(["https://another.example"])).await.0, None);
}

#[tokio::test]
async fn an_invalid_grant_of_the_device_or_registration_endpoint_deletes_no_stored_login() {
    for fails in ["/device", "/register"] {
        let server = MockApi::start().await.unwrap();
        server.at(SERVER).answers(Answer::json(json!({
            "issuer": server.origin(), "token_endpoint": server.url("/token"),
            "device_authorization_endpoint": server.url("/device"), "registration_endpoint": server.url("/register"),
        })));
        let device = json!({
            "device_code": "d", "user_code": "A", "interval": 1, "expires_in": 60, "verification_uri": server.url("/v"),
        });
        for (path, answer) in [("/device", device), ("/register", json!({ "client_id": "c" }))] {
            let asked = AtomicUsize::new(0);
            server.at(path).answers_with(move |_| {
                let again = asked.fetch_add(1, Ordering::SeqCst) > 0;
                let ended = Answer::new(400).json_body(json!({ "error": "invalid_grant" }));
                if again && path == fails { ended } else { Answer::json(answer.clone()) }
            });
        }
        let token = json!({ "access_token": "t", "token_type": "Bearer", "refresh_token": "r" });
        server.at("/token").answers(Answer::json(token));
        let (store, key, clock) = (MemoryStore::new(), Key::new("k"), ManualClock::new());
        let registered = Client::registered(Registration::named("tool"));
        let issuer = Issuer::new(server.origin()).unwrap();
        let oauth = OAuth::new(issuer, registered, DeviceCode::new(|_| Ok(()))).unwrap();
        let stored = Stored::new(oauth, store.clone(), key.clone());
        let auth = ChallengeMiddleware::builder(server.origin(), stored).clock(clock.clone()).build().unwrap();
        let session = auth.session();
        let first = session.clone();
        let first = tokio::spawn(async move { first.login().await });
        until(|| clock.waiting() == 1).await;
        clock.forward(Duration::from_secs(1));
        first.await.unwrap().unwrap();
        assert!(line(&session.login().await.unwrap_err()).contains("invalid_grant"), "{fails}");
        assert!(store.load(&key).await.unwrap().is_some(), "{fails}");
    }
}

#[tokio::test]
async fn metadata_that_redirect_to_another_server_are_refused_before_a_secret_is_sent() {
    let (named, other) = (MockApi::start().await.unwrap(), MockApi::start().await.unwrap());
    let document = json!({ "issuer": named.origin(), "token_endpoint": other.url("/token") });
    other.at("/metadata").answers(Answer::json(document));
    let asks = async |to: String| {
        named.at(SERVER).redirects_to(to);
        let issuer = Issuer::new(named.origin()).unwrap();
        let oauth = OAuth::new(issuer, Client::secret_post("c", "hunter2-secret"), ClientCredentials).unwrap();
        line(&client(&named.origin(), oauth).1.login().await.unwrap_err())
    };
    let error = asks(other.url("/metadata")).await;
    assert!(error.contains("untrusted_url") && error.contains("redirects to another server"), "{error}");
    assert_eq!(other.requests().len(), 0);
    // A redirect within the same server is followed.
    named.at("/moved").answers(Answer::json(json!({ "issuer": named.origin() })));
    assert!(asks(named.url("/moved")).await.contains("no_endpoint"));
}

/// The seconds that a device login takes, its outcome, and the number of its polls.
async fn device_login(device: Value, answer: Answer) -> (u64, String, usize) {
    let (server, issuer) = device_server(device, move |_, _| answer.clone()).await;
    let clock = ManualClock::new();
    let oauth = OAuth::new(issuer, Client::public("c"), DeviceCode::new(|_| Ok(()))).unwrap();
    let (_, session) = client_by(clock.clone(), &server.origin(), oauth);
    let login = tokio::spawn(async move { session.login().await.map(drop) });
    let (mut seconds, mut asked) = (0, 0);
    loop {
        until(|| login.is_finished() || clock.waiting() == 1 && server.requests_to("/token") == asked).await;
        if login.is_finished() {
            let ended = login.await.unwrap();
            return (seconds, ended.map_or_else(|error| line(&error), |()| "logged in".to_owned()), asked);
        }
        seconds += 5;
        clock.forward(Duration::from_secs(5));
        settled().await;
        until(|| login.is_finished() || clock.waiting() == 1).await;
        asked = server.requests_to("/token");
    }
}

#[tokio::test]
async fn the_polling_ends_when_the_device_code_expires() {
    let pending = || Answer::new(400).json_body(json!({ "error": "authorization_pending" }));
    let (seconds, error, asked) = device_login(json!({ "interval": 900, "expires_in": 30 }), pending()).await;
    assert!(seconds == 30 && error.contains("expired_token") && asked == 0, "{seconds} {error} {asked}");
    let busy = Answer::new(503).header("retry-after", "900");
    let (seconds, error, asked) = device_login(json!({ "interval": 5, "expires_in": 30 }), busy).await;
    assert!(seconds == 30 && error.contains("expired_token") && asked == 1, "{seconds} {error} {asked}");
    // If the code expires after one interval, the client polls once.
    let token = Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }));
    assert_eq!(device_login(json!({ "interval": 10, "expires_in": 10 }), token).await.1, "logged in");
}

#[tokio::test]
async fn a_verification_url_that_is_too_long_is_not_shown() {
    for name in ["verification_uri", "verification_uri_complete"] {
        let device = json!({ name: format!("HERE/{}", "x".repeat(4 << 10)) });
        let (server, issuer) = device_server(device, |_, _| Answer::new(400)).await;
        let shown = DeviceCode::new(|_| Err("shown".into()));
        let (_, session) = client(&server.origin(), OAuth::new(issuer, Client::public("c"), shown).unwrap());
        let error = line(&session.login().await.unwrap_err());
        assert!(error.contains("too long") && !error.contains("shown"), "{error}");
    }
}
