//! The claims that a 401 demands reach the token request of every grant.

use std::sync::Mutex;

use reqwest_challenge::dpop::Es256Key;
use reqwest_challenge::{RefreshContext, RefreshErrorKind, Secret};
use reqwest_challenge_login::oauth::{
    AuthorizationCode, Client, ClientCredentials, DeviceCode, Grant, Issuer, JwtBearer, OAuth, RefreshToken,
    TokenExchange,
};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, ReceivedRequest, until};
use serde_json::{Value, json};

use crate::support::oauth::{back, browser, client, client_by, endpoint, line, why};

const CLAIMS: &str = "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1\"}}}";

/// An API that accepts only the token `good`. It answers every other request with a 401 that demands the claims.
async fn demanding(good: &'static str) -> MockApi {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(CLAIMS);
    let challenge = format!("Bearer error=\"insufficient_claims\", claims=\"{encoded}\"");
    let api = MockApi::start().await.unwrap();
    api.at("/api").answers_with(move |arrived| match arrived.header("authorization") {
        Some(held) if held == format!("Bearer {good}") => Answer::ok("welcome"),
        _ => Answer::unauthorized([&*challenge]),
    });
    api
}

/// A token endpoint that issues one token for requests with the claims, and another for requests without.
async fn giving() -> MockApi {
    let server = endpoint(|asked| {
        let token = if asked.form("claims").is_some() { "with" } else { "without" };
        Answer::json(json!({ "access_token": token, "token_type": "Bearer", "refresh_token": "r" }))
    })
    .await;
    server.at("/authorize").open().answers_with(|asked| back(asked, "code=abc"));
    server.at("/device").answers(Answer::json(json!({
        "device_code": "d", "user_code": "A", "verification_uri": server.url("/page"), "interval": 1, "expires_in": 60,
    })));
    server
}

fn issuer(server: &MockApi) -> Issuer {
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let issuer = issuer.authorization_endpoint(server.url("/authorize")).unwrap();
    issuer.device_authorization_endpoint(server.url("/device")).unwrap()
}

/// The claims in the requests to a path.
fn claims(server: &MockApi, path: &str) -> Vec<Option<String>> {
    let requests = server.requests();
    requests.iter().filter(|one| one.path() == path).map(|one: &ReceivedRequest| one.form("claims")).collect()
}

#[tokio::test]
async fn claims_of_a_401_reach_the_token_request_of_every_grant() {
    let grants: [(&str, Box<dyn Grant>); 6] = [
        ("client credentials", Box::new(ClientCredentials)),
        ("jwt bearer", Box::new(JwtBearer::new("i", "s", Es256Key::generate().unwrap()))),
        (
            "exchange",
            Box::new(TokenExchange::new(|| Ok(Secret::new("subject")), "urn:ietf:params:oauth:token-type:jwt")),
        ),
        ("refresh token", Box::new(RefreshToken::new("r0"))),
        ("code", Box::new(AuthorizationCode::new(browser().0))),
        ("device", Box::new(DeviceCode::new(|_| Ok(())))),
    ];
    for (name, grant) in grants {
        let (server, api, clock) = (giving().await, demanding("with").await, ManualClock::new());
        let oauth = OAuth::new(issuer(&server), Client::public("c"), grant).unwrap().prompting();
        let (client, _) = client_by(clock.clone(), &api.origin(), oauth);
        let url = api.url("/api");
        let call = tokio::spawn(async move { client.get(url).send().await.map(|response| response.status()) });
        if name == "device" {
            until(|| clock.waiting() == 1 || call.is_finished()).await;
            clock.forward(std::time::Duration::from_secs(1));
            assert_eq!(claims(&server, "/device"), [Some(CLAIMS.to_owned())]);
        }
        assert_eq!(call.await.unwrap().unwrap(), 200, "{name}");
        assert_eq!(claims(&server, "/token"), [Some(CLAIMS.to_owned())], "{name}");
    }
}

#[tokio::test]
async fn claims_are_sent_with_the_refresh_token_of_a_login() {
    let (server, api) = (giving().await, demanding("with").await);
    let oauth = OAuth::new(issuer(&server), Client::public("c"), AuthorizationCode::new(browser().0)).unwrap();
    let (client, session) = client(&api.origin(), oauth);
    session.login().await.unwrap();
    assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
    assert_eq!(claims(&server, "/token"), [None, Some(CLAIMS.to_owned())]);
}

#[tokio::test]
async fn if_a_renewal_does_not_meet_the_claims_a_login_is_required_and_later_requests_do_not_renew() {
    let (server, api) = (giving().await, demanding("none is good").await);
    let oauth = OAuth::new(issuer(&server), Client::public("c"), AuthorizationCode::new(browser().0)).unwrap();
    let (client, session) = client(&api.origin(), oauth.hint("run it"));
    session.login().await.unwrap();
    client.get(api.url("/api")).send().await.unwrap_err();
    for _ in 0..3 {
        let error = why(&client.get(api.url("/api")).send().await.unwrap_err());
        assert_eq!(error.kind(), &RefreshErrorKind::LoginRequired { hint: "run it".to_owned() }, "{}", line(&error));
    }
    assert_eq!(server.requests_to("/token"), 2, "the login and one renewal");
}

#[tokio::test]
async fn the_callers_claims_are_merged_with_the_demanded_claims() {
    let (server, api) = (giving().await, demanding("none is good").await);
    let capable = "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}";
    let oauth = OAuth::new(issuer(&server), Client::secret_basic("c", "s"), ClientCredentials).unwrap();
    let (client, session) = client(&api.origin(), oauth.parameter("claims", capable));
    session.login().await.unwrap();
    client.get(api.url("/api")).send().await.unwrap_err();
    let sent = server.requests();
    let bodies: Vec<_> =
        sent.iter().map(|one| String::from_utf8_lossy(one.body()).matches("claims=").count()).collect();
    assert!(bodies.iter().all(|count| *count == 1), "{bodies:?}");
    let last: Value = serde_json::from_str(&sent.last().unwrap().form("claims").unwrap()).unwrap();
    let demanded: Value = serde_json::from_str(CLAIMS).unwrap();
    assert_eq!(last["access_token"]["nbf"], demanded["access_token"]["nbf"]);
    assert_eq!(last["access_token"]["xms_cc"]["values"], json!(["cp1"]));
}

#[tokio::test]
async fn a_custom_refresher_reads_the_claims_from_the_demand() {
    let api = demanding("with").await;
    let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
    let put = seen.clone();
    let refresh = move |context: RefreshContext| {
        put.lock().unwrap().push(context.demand().claims().map(str::to_owned));
        async { Ok::<_, reqwest_challenge::RefreshError>(Some(reqwest_challenge::Credential::bearer("with"))) }
    };
    let auth = reqwest_challenge::ChallengeMiddleware::new(api.origin(), refresh).unwrap();
    let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    client.get(api.url("/api")).send().await.unwrap();
    assert!(seen.lock().unwrap()[0].is_some());
}
