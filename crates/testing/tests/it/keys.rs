//! The mock servers check keys: proofs, bound tokens, clients that sign assertions.

use std::time::{Duration, SystemTime};

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use reqwest_challenge::dpop::{Dpop, Es256Key, ProofKey};
use reqwest_challenge::{ChallengeMiddleware, Clock, Credential, Forbidden, RefreshError, Unauthorized};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, ClientCredentials, Grant, Issuer, OAuth};
use reqwest_challenge_testing::{ManualClock, MockApi, MockIdentityProvider, Protection};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::Value;

use crate::support::oauth::{browser, client_by, why};

fn key() -> Es256Key {
    Es256Key::generate().unwrap()
}

/// A provider and an API that accepts its bound tokens at `/`, with a clock that the test moves.
async fn servers() -> (MockIdentityProvider, MockApi, ManualClock) {
    let clock = ManualClock::new();
    let provider = MockIdentityProvider::start_with_clock(clock.clone()).await.unwrap();
    let api = MockApi::trusting(&provider).await.unwrap();
    api.at("/").accepts(Protection::dpop()).requires("read");
    (provider, api, clock)
}

fn oauth(provider: &MockIdentityProvider, client: Client, grant: impl Grant) -> OAuth {
    OAuth::new(Issuer::new(provider.issuer()).unwrap(), client, grant).unwrap().scopes(["read"])
}

fn client_of(api: &MockApi, credential: Credential, clock: impl Clock) -> ClientWithMiddleware {
    let auth = ChallengeMiddleware::builder(api.origin(), credential).clock(clock).build().unwrap();
    ClientBuilder::new(reqwest::Client::new()).with(auth).build()
}

#[tokio::test]
async fn a_provider_binds_tokens_to_the_key_of_the_proof() {
    let (provider, api, clock) = servers().await;
    let dpop = Dpop::new(key());
    let (browser, seen) = browser();
    let oauth = oauth(&provider, Client::public("tool"), AuthorizationCode::new(browser));
    let (client, session) = client_by(clock.clone(), &api.origin(), oauth.dpop(dpop.clone()));
    session.login().await.unwrap();
    assert_eq!(seen.param(0, "dpop_jkt"), Some(dpop.thumbprint()));
    for path in ["/a", "/b?c=d"] {
        assert_eq!(client.get(api.url(path)).send().await.unwrap().status(), 200);
    }
    assert_eq!((api.requests_with("mock-token-000001"), provider.grants("authorization_code")), (2, 1));
    // After the lifetime, the token is renewed with the same key.
    clock.forward(Duration::from_secs(3601));
    assert_eq!(client.get(api.url("/a")).send().await.unwrap().status(), 200);
    assert_eq!(provider.grants("refresh_token"), 1);
}

#[tokio::test]
async fn the_api_and_the_provider_require_nonces_and_send_them() {
    let (provider, api, clock) = servers().await;
    provider.require_nonce("of-the-provider");
    api.at("/").accepts(Protection::dpop_with_nonce("one")).requires("read");
    let dpop = Dpop::new(key());
    let oauth = oauth(&provider, Client::secret_basic("s", "secret"), ClientCredentials);
    let (client, _) = client_by(clock, &api.origin(), oauth.dpop(dpop));
    assert_eq!(client.get(api.url("/")).send().await.unwrap().status(), 200);
    assert_eq!((provider.token_requests(), api.requests_to("/")), (2, 2));
    api.at("/").accepts(Protection::dpop_with_nonce("two")).requires("read");
    let answer = client.get(api.url("/")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["dpop-nonce"]), (200, &"two".parse().unwrap()));
    assert_eq!((provider.token_requests(), api.requests_to("/")), (2, 4));
}

/// The status and the challenge of the API for a request with that token and that proof.
async fn judged(api: &MockApi, token: &str, proof: Option<&str>) -> String {
    let request = reqwest::Client::new().get(api.url("/x")).header(AUTHORIZATION, token);
    let request = proof.into_iter().fold(request, |request, proof| request.header("dpop", proof));
    let answer = request.send().await.unwrap();
    let challenge = answer.headers().get("www-authenticate").map(|line| line.to_str().unwrap().to_owned());
    format!("{} {}", answer.status().as_u16(), challenge.unwrap_or_default())
}

/// A proof for a request without a token, made at that time.
async fn proof(dpop: &Dpop, method: Method, url: &str, now: SystemTime) -> String {
    let mut request = reqwest::Request::new(method, url.parse().unwrap());
    dpop.prove(&mut request, now).await.unwrap();
    request.headers()["dpop"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_api_accepts_a_bound_token_only_with_a_fresh_proof_of_its_key() {
    let (provider, api, clock) = servers().await;
    let dpop = Dpop::new(key());
    let token = provider.log_in(["read"]).access_token;
    let by_dpop = format!("DPoP {token}");
    let credential = |dpop: &Dpop| dpop.credential(token.clone(), "DPoP").unwrap();
    let once = |dpop: &Dpop| client_of(&api, credential(dpop), clock.clone());
    let proof = async |method: Method, path: &str| proof(&dpop, method, &api.url(path), clock.time()).await;
    let refused = |error: reqwest_middleware::Error| Unauthorized::find(&error).unwrap().challenges().to_string();
    let error = once(&dpop).get(api.url("/x")).send().await.unwrap_err();
    assert!(refused(error).contains("invalid_token"), "the token is bound to no key");
    provider.tokens().bind(&token, &dpop.thumbprint());
    assert_eq!(once(&dpop).get(api.url("/x")).send().await.unwrap().status(), 200);
    let sent = api.requests().pop().unwrap();
    let used = sent.header("dpop").unwrap();
    for (wrong, why) in [
        (judged(&api, &by_dpop, Some(used)).await, "was used before"),
        (judged(&api, &by_dpop, None).await, "not have exactly one proof"),
        (judged(&api, &by_dpop, Some("x.y.z")).await, "not a JWT"),
        (judged(&api, &by_dpop, Some(&used.replace('.', ".A"))).await, "signature"),
        (judged(&api, &by_dpop, Some(&used[..used.len() - 4])).await, "signature"),
        (judged(&api, &by_dpop, Some(&proof(Method::POST, "/x").await)).await, "another request"),
        (judged(&api, &by_dpop, Some(&proof(Method::GET, "/y").await)).await, "another request"),
        (judged(&api, &by_dpop, Some(&proof(Method::GET, "/x").await)).await, "another token"),
        (judged(&api, &format!("Bearer {token}"), Some(used)).await, "invalid_token"),
    ] {
        assert!(wrong.starts_with("401 DPoP realm=\"mock\", algs=\"ES256\", error=") && wrong.contains(why), "{wrong}");
    }
    let anonymous = reqwest::get(api.url("/x")).await.unwrap();
    assert_eq!(anonymous.headers()["www-authenticate"], "DPoP realm=\"mock\", algs=\"ES256\"");
    // A proof of another key for the right token, and a proof from another time.
    let error = once(&Dpop::new(key())).get(api.url("/x")).send().await.unwrap_err();
    assert!(refused(error).contains("invalid_token"), "another key");
    let early = client_of(&api, credential(&Dpop::new(key())), || SystemTime::UNIX_EPOCH);
    let error = early.get(api.url("/x")).send().await.unwrap_err();
    assert!(refused(error).contains("another time"));
    // A path that requires bearer tokens does not accept a bound token (RFC 9449 §7.2).
    api.at("/bearer").accepts(Protection::bearer());
    let answer = reqwest::Client::new().get(api.url("/bearer")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    api.forbid("/x", "write");
    let error = once(&dpop).get(api.url("/x")).send().await.unwrap_err();
    assert_eq!(Forbidden::find(&error).unwrap().required_scopes(), ["write"]);
}

#[tokio::test]
async fn a_bound_refresh_token_cannot_be_used_with_another_key() {
    let (provider, _, clock) = servers().await;
    let ask_at = async |form: &str, dpop: &Dpop, now: SystemTime| {
        let proof = proof(dpop, Method::POST, &provider.token_url(), now).await;
        let form = form.to_owned();
        let request = reqwest::Client::new().post(provider.token_url()).header("dpop", proof).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let ask = async |form: &str, dpop: &Dpop| ask_at(form, dpop, clock.time()).await;
    let (dpop, other) = (Dpop::new(key()), Dpop::new(key()));
    let first = ask("grant_type=password&username=a&password=b", &dpop).await;
    assert_eq!(first["token_type"], "DPoP");
    let form = format!("grant_type=refresh_token&refresh_token={}", first["refresh_token"].as_str().unwrap());
    assert_eq!(ask(&form, &other).await["error"], "invalid_grant");
    assert_eq!(ask(&form, &dpop).await["token_type"], "DPoP");
    let early = ask_at("grant_type=client_credentials", &Dpop::new(key()), SystemTime::UNIX_EPOCH).await;
    assert_eq!(early["error"], "invalid_dpop_proof");
    provider.require_nonce("n");
    assert_eq!(ask("grant_type=client_credentials", &dpop).await["error"], "use_dpop_nonce");
}

#[tokio::test]
async fn a_provider_requires_the_assertion_of_its_client() {
    let (provider, _, clock) = servers().await;
    let api = MockApi::trusting(&provider).await.unwrap();
    api.at("/").requires("read");
    let (right, another) = (key(), key());
    provider.require_signed_client("service", &right.public_jwk());
    let ask = async |id: &str, key: Es256Key| {
        let oauth = oauth(&provider, Client::private_key_jwt(id, key, None), ClientCredentials);
        client_by(clock.clone(), &api.origin(), oauth).0.get(api.url("/")).send().await
    };
    for error in [ask("service", another).await.unwrap_err(), ask("other", key()).await.unwrap_err()] {
        assert_eq!(why(&error).kind(), RefreshError::denied("invalid_client").kind());
    }
    assert_eq!(ask("service", right).await.unwrap().status(), 200);
    // An assertion is valid once.
    let sent = api.journal().exchanges().into_iter().rfind(|one| one.request().path() == "/token").unwrap();
    let body = sent.request().body().to_vec();
    let form = "application/x-www-form-urlencoded";
    let again = reqwest::Client::new().post(provider.token_url()).header("content-type", form).body(body);
    assert_eq!(again.send().await.unwrap().status(), 401);
}
