//! The token request of each grant and of each client authentication.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use reqwest_challenge::dpop::{Dpop, Es256Key, ProofKey};
use reqwest_challenge::{Clock, DeniedReason, RefreshErrorKind, Secret};
use reqwest_challenge_login::oauth::{
    Client, ClientCredentials, Grant, Issuer, JwtBearer, OAuth, RefreshToken, TokenExchange,
};
use reqwest_challenge_testing::{Answer, Failure, ManualClock, MockApi, MockIdentityProvider, ReceivedRequest};
use serde_json::{Value, json};

use crate::support::oauth::{client, client_by, endpoint, line, protected, why};

/// An issuer whose token endpoint the caller sets.
pub(crate) fn issuer(server: &MockApi) -> Issuer {
    Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap()
}

/// An API that accepts every token.
async fn open() -> MockApi {
    let api = MockApi::start().await.unwrap();
    api.at("/").answers_with(|arrived| match arrived.credential() {
        Some(_) => Answer::ok("welcome"),
        None => Answer::unauthorized(["Bearer realm=\"api\""]),
    });
    api
}

fn token() -> Answer {
    Answer::json(json!({ "access_token": "granted", "token_type": "bearer" }))
}

/// The token request of a call of an API.
async fn asked(who: Client, grant: impl Grant, set: impl FnOnce(OAuth) -> OAuth) -> ReceivedRequest {
    asked_at(SystemTime::now, who, grant, set).await
}

/// The token request of a call of an API by a session with this clock.
async fn asked_at(
    clock: impl Clock,
    who: Client,
    grant: impl Grant,
    set: impl FnOnce(OAuth) -> OAuth,
) -> ReceivedRequest {
    let server = endpoint(|_| token()).await;
    let api = open().await;
    let oauth = set(OAuth::new(issuer(&server), who, grant).unwrap());
    let (client, _) = client_by(clock, &api.origin(), oauth);
    assert_eq!(client.get(api.url("/")).send().await.unwrap().status(), 200);
    let arrived = server.requests();
    assert_eq!(arrived.len(), 1, "one request: {arrived:?}");
    assert_eq!(arrived[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    arrived[0].clone()
}

#[tokio::test]
async fn basic_client_authentication_form_encodes_the_id_and_the_secret() {
    let sent = asked(Client::secret_basic("my client", "web secret:%+/é"), ClientCredentials, |oauth| oauth).await;
    let pair = STANDARD.encode("my+client:web+secret%3A%25%2B%2F%C3%A9");
    assert_eq!(sent.header("authorization"), Some(&*format!("Basic {pair}")));
    assert_eq!(sent.body(), b"grant_type=client_credentials");
}

#[tokio::test]
async fn secret_post_sends_the_client_secret_in_the_body() {
    let sent = asked(Client::secret_post("web", "se cret&"), ClientCredentials, |oauth| oauth.scopes(["a", "b"])).await;
    assert_eq!(sent.header("authorization"), None);
    let body = "grant_type=client_credentials&scope=a+b&client_secret=se+cret%26&client_id=web";
    assert_eq!(String::from_utf8_lossy(sent.body()), body);
}

#[tokio::test]
async fn a_public_client_sends_its_id_and_no_secret() {
    let set = |oauth: OAuth| oauth.resource("https://api.example.com/").parameter("audience", "a b");
    let sent = asked(Client::public("tool"), ClientCredentials, set).await;
    assert_eq!(sent.header("authorization"), None);
    let form = ["client_id", "resource", "audience", "client_secret"].map(|name| sent.form(name));
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(form, [text("tool"), text("https://api.example.com/"), text("a b"), None]);
}

/// The header and the claims of a JWT, after a check of its signature.
pub(crate) fn verified(jwt: &str, jwk: &str) -> [Value; 2] {
    let jwk: Value = serde_json::from_str(jwk).unwrap();
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        point.extend(URL_SAFE_NO_PAD.decode(jwk[coordinate].as_str().unwrap()).unwrap());
    }
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    VerifyingKey::from_sec1_bytes(&point).unwrap().verify(signed.as_bytes(), &signature).unwrap();
    let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    [part(header), part(payload)]
}

#[tokio::test]
async fn a_private_key_signs_a_client_assertion_for_the_issuer() {
    let (key, clock) = (Es256Key::generate().unwrap(), ManualClock::new());
    let (jwk, secret) = (key.public_jwk(), key.to_secret());
    let client = Client::private_key_jwt("service", key, Some("k1"));
    let sent = asked_at(clock.clone(), client, ClientCredentials, |oauth| oauth).await;
    let text = |name: &str| sent.form(name).unwrap();
    assert_eq!(text("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let [header, claims] = verified(&text("client_assertion"), &jwk);
    assert_eq!(header, json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" }));
    // The audience is the issuer, and not its token endpoint.
    let base = sent.url().origin().ascii_serialization();
    assert_eq!([&claims["iss"], &claims["sub"], &claims["aud"]], ["service", "service", &*base]);
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 120);
    let again = Client::private_key_jwt("service", Es256Key::from_secret(&secret).unwrap(), None);
    let sent = asked_at(clock, again, ClientCredentials, |oauth| oauth).await;
    let [header, other] = verified(&sent.form("client_assertion").unwrap(), &jwk);
    assert_ne!(other["jti"], claims["jti"], "each assertion has its own `jti`");
    assert!(header.get("kid").is_none());
}

#[tokio::test]
async fn the_jwt_bearer_grant_sends_a_signed_assertion() {
    let key = Es256Key::generate().unwrap();
    let jwk = key.public_jwk();
    let grant = JwtBearer::new("robot@example.com", "alice", key).key_id("k2").claim("scope", "x").claim("aud", "evil");
    let sent = asked(Client::public("robot"), grant, |oauth| oauth).await;
    assert_eq!(sent.form("grant_type").as_deref(), Some("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    let [header, claims] = verified(&sent.form("assertion").unwrap(), &jwk);
    assert_eq!((&header["kid"], &header["alg"]), (&"k2".into(), &"ES256".into()));
    let base = sent.url().origin().ascii_serialization();
    let said = ["iss", "sub", "scope", "aud"].map(|name| claims[name].as_str().unwrap().to_owned());
    assert_eq!(said, ["robot@example.com", "alice", "x", &base]);
}

#[tokio::test]
async fn the_token_exchange_grant_sends_the_subject_token_and_the_actor_token() {
    const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
    let grant = TokenExchange::new(|| Ok(Secret::new("of the user")), JWT)
        .actor(|| Ok(Secret::new("of the service")), JWT)
        .requesting("urn:ietf:params:oauth:token-type:access_token")
        .audience("one")
        .audience("two");
    let sent = asked(Client::public("service"), grant, |oauth| oauth).await;
    assert_eq!(sent.form("subject_token").as_deref(), Some("of the user"));
    for (name, value) in [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", JWT),
        ("actor_token", "of the service"),
        ("actor_token_type", JWT),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ] {
        assert_eq!(sent.form(name).as_deref(), Some(value), "{name}");
    }
    assert!(String::from_utf8_lossy(sent.body()).contains("&audience=one&audience=two&"));
    let lacks = TokenExchange::new(|| Err("the file is gone".into()), JWT);
    let (server, api) = (endpoint(|_| token()).await, open().await);
    let (client, _) = client(&api.origin(), OAuth::new(issuer(&server), Client::public("s"), lacks).unwrap());
    let error = client.get(api.url("/")).send().await.unwrap_err();
    assert!(line(&why(&error)).contains("the file is gone"), "{error}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_renewal_rotates_the_refresh_token_and_keeps_what_the_response_omits() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let login = provider.log_in(["api:read"]);
    let at = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(at, Client::public("tool"), RefreshToken::new(login.refresh_token)).unwrap();
    let (client, session) = client(&api.origin(), oauth.scopes(["api:read"]));
    for rotates in [true, true, false, false, true] {
        provider.rotate_refresh_tokens(rotates);
        api.tokens().expire_all();
        assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
        // The response has no scope. If the server does not rotate, it has no refresh token either.
        assert_eq!(session.credential().unwrap().scopes().unwrap(), ["api:read"]);
    }
    assert_eq!((provider.grants("refresh_token"), provider.reuses()), (5, 0));
}

#[tokio::test]
async fn a_replaced_refresh_token_is_never_sent_again() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let login = provider.log_in(["api:read"]);
    let at = Issuer::new(provider.issuer()).unwrap();
    let grant = RefreshToken::new(login.refresh_token);
    let oauth = OAuth::new(at, Client::public("tool"), grant).unwrap().hint("tool login");
    let (client, session) = client(&api.origin(), oauth);
    assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
    provider.fail_next(Failure::InvalidGrant);
    api.tokens().expire_all();
    let error = client.get(api.url("/api")).send().await.unwrap_err();
    assert_eq!(why(&error).kind(), &RefreshErrorKind::CredentialRevoked { code: "invalid_grant".to_owned() });
    session.invalidate(reqwest_challenge::Unauthorized::find(&error).unwrap());
    let again = session.login().await;
    assert_eq!((provider.reuses(), provider.token_requests()), (0, 3), "{again:?}");
    session.logout().await.unwrap();
    let error = session.login().await.unwrap_err();
    assert!(line(&error).contains("tool login"), "{}", line(&error));
    assert_eq!(provider.reuses(), 0);
}

/// The tokens that were revoked, and the type hint of each.
fn revoked(provider: &MockIdentityProvider) -> Vec<(String, String)> {
    let exchanges = provider.journal().exchanges();
    let asked = exchanges.iter().filter(|one| one.request().path() == "/revoke").map(|one| one.request());
    asked.map(|asked| (asked.form("token").unwrap(), asked.form("token_type_hint").unwrap())).collect()
}

#[tokio::test]
async fn a_logout_revokes_the_access_token_if_there_is_no_refresh_token() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let server = endpoint(|_| Answer::json(json!({ "access_token": "only-one", "token_type": "Bearer" }))).await;
    let at = Issuer::new(provider.issuer()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let at = at.revocation_endpoint(provider.revocation_url()).unwrap();
    let oauth = OAuth::new(at, Client::secret_basic("c", "s"), ClientCredentials).unwrap();
    let (_, session) = client(&server.origin(), oauth);
    let held = session.login().await.unwrap();
    assert_eq!(held.source(), Some(&*format!("issuer:{}", provider.issuer())));
    session.logout().await.unwrap();
    assert_eq!(revoked(&provider), [("only-one".to_owned(), "access_token".to_owned())]);
    // A logout succeeds if the server does not support revocation, and fails if the revocation fails.
    for (code, is_done) in [("unsupported_token_type", true), ("invalid_request", false)] {
        server.at("/revoke").answers(Answer::new(400).json_body(json!({ "error": code })));
        let at = issuer(&server).revocation_endpoint(server.url("/revoke")).unwrap();
        let oauth = OAuth::new(at, Client::secret_basic("c", "s"), ClientCredentials).unwrap();
        let (_, session) = client(&server.origin(), oauth);
        session.login().await.unwrap();
        assert_eq!(session.logout().await.is_ok(), is_done, "{code}");
    }
}

#[tokio::test]
async fn a_logout_revokes_the_refresh_token() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let login = provider.log_in(["api:read"]);
    let oauth = OAuth::new(
        Issuer::new(provider.issuer()).unwrap(),
        Client::public("tool"),
        RefreshToken::new(login.refresh_token),
    );
    let (client, session) = client(&api.origin(), oauth.unwrap());
    client.get(api.url("/api")).send().await.unwrap();
    let held = session.credential().unwrap();
    session.logout().await.unwrap();
    let revoked = revoked(&provider);
    assert_eq!(revoked.len(), 1);
    let (token, hint) = &revoked[0];
    assert!(held.attachment().unwrap().expose().contains(token) && hint == "refresh_token", "{token} {hint}");
    assert!(client.get(api.url("/api")).send().await.is_err());
    assert_eq!(provider.token_requests(), 1, "no token is requested after a logout");
}

/// A token endpoint that requires a nonce in each proof, and issues tokens that are bound to the key.
async fn with_nonces(sent: Arc<Mutex<Vec<Value>>>) -> MockApi {
    endpoint(move |arrived| {
        let proof = arrived.header("dpop").unwrap();
        let [_, claims, _] = proof.split('.').collect::<Vec<_>>().try_into().unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        sent.lock().unwrap().push(claims.clone());
        if claims["nonce"] != "n-1" {
            let answer = Answer::new(400).json_body(json!({ "error": "use_dpop_nonce" }));
            return answer.header("dpop-nonce", "n-1");
        }
        Answer::json(json!({ "access_token": "bound", "token_type": "DPoP" }))
    })
    .await
}

#[tokio::test]
async fn a_request_for_a_dpop_token_uses_the_servers_nonce() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let server = with_nonces(sent.clone()).await;
    let api = MockApi::start().await.unwrap();
    api.at("/").answers_with(|arrived| match arrived.header("authorization") {
        Some("DPoP bound") if arrived.header("dpop").is_some() => Answer::ok("welcome"),
        _ => Answer::unauthorized(["DPoP algs=\"ES256\""]),
    });
    let dpop = Dpop::new(Es256Key::generate().unwrap());
    let oauth = OAuth::new(issuer(&server), Client::secret_basic("s", "secret"), ClientCredentials).unwrap().dpop(dpop);
    let (client, session) = client(&api.origin(), oauth);
    assert_eq!(client.get(api.url("/")).send().await.unwrap().status(), 200);
    session.login().await.unwrap();
    let proofs = sent.lock().unwrap();
    let nonces: Vec<_> = proofs.iter().map(|claims| claims["nonce"].as_str()).collect();
    assert_eq!(
        nonces,
        [None, Some("n-1"), Some("n-1")],
        "the request is repeated with the nonce, and the nonce is remembered"
    );
    assert!(proofs.iter().all(|claims| claims["htu"] == server.url("/token") && claims.get("ath").is_none()));
}

#[tokio::test]
async fn a_bearer_token_is_refused_if_a_dpop_token_was_requested() {
    let (server, api) = (endpoint(|_| token()).await, open().await);
    let dpop = Dpop::new(Es256Key::generate().unwrap());
    let oauth = OAuth::new(issuer(&server), Client::public("s"), ClientCredentials).unwrap().dpop(dpop);
    let (client, _) = client(&api.origin(), oauth);
    let error = client.get(api.url("/")).send().await.unwrap_err();
    assert_eq!(
        why(&error).kind(),
        &RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "token_type".to_owned() }
    );
    assert_eq!(api.requests_to("/"), 1);
}

#[tokio::test]
async fn no_debug_output_and_no_error_shows_a_secret() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let server = endpoint(|arrived| {
        let echoed = String::from_utf8_lossy(arrived.body()).into_owned();
        let form = format!("{echoed} {:?} {:?}", arrived.form("refresh_token"), arrived.form("client_secret"));
        Answer::new(400).json_body(json!({ "error": "invalid_client", "error_description": form }))
    })
    .await;
    let api = open().await;
    let grant = RefreshToken::new("hunter2-refresh");
    let exchange = TokenExchange::new(|| Ok(Secret::new("hunter2")), "urn:ietf:params:oauth:token-type:jwt");
    let signed = JwtBearer::new("issuer", "hunter2 is the subject", Es256Key::generate().unwrap());
    let shown = format!("{grant:?} {exchange:?} {signed:?} {:?}", Client::secret_post("c", "hunter2-secret"));
    let key = Es256Key::generate().unwrap();
    let secret = key.to_secret();
    let shown = format!("{shown} {:?}", Client::private_key_jwt("c", key, None));
    assert!(!shown.contains(secret.expose()));
    let oauth = OAuth::new(issuer(&server), Client::secret_post("c", "hunter2-secret"), grant).unwrap();
    let shown = format!("{shown} {oauth:?} {oauth:#?} {provider:?}");
    let (client, session) = client(&api.origin(), oauth);
    let error = client.get(api.url("/")).send().await.unwrap_err();
    let shown = format!("{shown} {error:?} {error} {} {session:?} {:?}", line(&why(&error)), why(&error));
    assert!(shown.contains("***") && shown.contains("invalid_client"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
