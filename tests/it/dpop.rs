//! DPoP: proofs that a server can check, nonces, and tokens that are bound.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use reqwest_challenge::dpop::{Dpop, Es256Key, ProofKey};
use reqwest_challenge::{
    AuthReport, BoxError, ChallengeMiddleware, Credential, RefreshContext, Renewed, Secret, Unauthorized, hardened,
};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, ReceivedRequest, RecordingRefresher, Script};
use reqwest_middleware::ClientBuilder;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::script::{API, status};

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// The header and the claims of a proof whose signature holds.
pub(crate) fn proof(arrived: &ReceivedRequest) -> (Value, Value) {
    let proof = arrived.header("dpop").unwrap();
    let (signed, signature) = proof.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
    let jwk = &header["jwk"];
    let coordinate = |name: &str| decoded(jwk[name].as_str().unwrap());
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let key = VerifyingKey::from_sec1_bytes(&point).unwrap();
    key.verify(signed.as_bytes(), &Signature::from_slice(&decoded(signature)).unwrap()).unwrap();
    (header, serde_json::from_slice(&decoded(claims)).unwrap())
}

fn key() -> Es256Key {
    Es256Key::generate().unwrap()
}

/// A refresher that returns tokens bound to the key.
fn bound(dpop: &Dpop) -> RecordingRefresher {
    let dpop = dpop.clone();
    RecordingRefresher::answering(move |number, _| Ok(Some(dpop.credential(format!("t{number}"), "dpop").unwrap())))
}

#[tokio::test]
async fn a_proof_names_the_method_the_url_without_query_the_token_and_the_time() {
    let clock = ManualClock::new();
    let dpop = Dpop::new(key());
    let server = Script::always(status(200));
    let auth = ChallengeMiddleware::builder(API, dpop.credential("t0", "DPoP").unwrap()).clock(clock.clone());
    server.client(&auth.build().unwrap()).post(format!("{API}/a%20b?secret=hunter2#x")).body("x").send().await.unwrap();
    let arrived = &server.requests()[0];
    assert_eq!(arrived.credential(), Some("DPoP t0"));
    let (header, claims) = proof(arrived);
    assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("dpop+jwt"), Some("ES256")));
    assert_eq!((claims["htm"].as_str(), claims["htu"].as_str()), (Some("POST"), Some("https://api.example.com/a%20b")));
    let now = clock.time().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(claims["iat"].as_u64(), Some(now));
    assert_eq!(decoded(claims["ath"].as_str().unwrap()), Sha256::digest("t0").as_slice());
    assert!(claims["nonce"].is_null() && header["jwk"]["d"].is_null(), "{header} {claims}");
    assert!(arrived.headers()["dpop"].is_sensitive() && arrived.headers()["authorization"].is_sensitive());
}

#[tokio::test]
async fn each_send_has_its_own_proof() {
    let server = Script::new(|arrived, _| match arrived.credential() {
        Some("DPoP t1") => status(200),
        _ => Answer::unauthorized(["DPoP algs=\"ES256\", error=\"invalid_token\""]),
    });
    let dpop = Dpop::new(key());
    let auth =
        ChallengeMiddleware::builder(API, bound(&dpop)).initial_credential(dpop.credential("t0", "DPoP").unwrap());
    let client = server.client(&auth.build().unwrap());
    for _ in 0..20 {
        client.get(API).send().await.unwrap();
    }
    let all: HashSet<_> = server.requests().iter().map(|arrived| proof(arrived).1["jti"].to_string()).collect();
    assert_eq!((server.sends(), all.len()), (21, 21));
}

/// A server that requires its current nonce. It changes the nonce with each accepted request.
fn rotating() -> Script {
    let current = Mutex::new(0);
    Script::new(move |arrived, _| {
        let mut current = current.lock().unwrap();
        let right = proof(arrived).1["nonce"].as_str() == Some(&format!("n{current}"));
        *current += usize::from(right);
        let answer = match right {
            true => status(200),
            false => Answer::unauthorized(["DPoP error=\"use_dpop_nonce\", error_description=\"the nonce\""]),
        };
        answer.header("dpop-nonce", format!("n{current}"))
    })
}

#[tokio::test]
async fn a_nonce_is_used_without_a_refresh_and_each_response_can_replace_it() {
    let (server, dpop) = (rotating(), Dpop::new(key()));
    let refresher = bound(&dpop).with_initial(Ok(Some(dpop.credential("t0", "DPoP").unwrap())));
    let client = server.client(&ChallengeMiddleware::new(API, refresher.clone()).unwrap());
    let first = client.post(API).body("x").send().await.unwrap();
    assert_eq!(AuthReport::of(&first).renewed(), Some(Renewed::ByScheme));
    for _ in 0..10 {
        assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    }
    assert_eq!((server.sends(), refresher.calls()), (12, 0));
}

#[tokio::test]
async fn a_nonce_outlives_its_token_and_is_used_only_at_its_origin() {
    let (server, dpop) = (Script::always(status(200)), Dpop::new(key()));
    let request = |url: &str| reqwest::Request::new(reqwest::Method::POST, url.parse().unwrap());
    let mut token = request("https://auth.example.com/token?x");
    let headers = http::HeaderMap::from_iter([("dpop-nonce".parse().unwrap(), "from-auth".parse().unwrap())]);
    dpop.learn(token.url(), &headers);
    dpop.prove(&mut token, SystemTime::now()).await.unwrap();
    let auth = ChallengeMiddleware::new(API, dpop.credential("t0", "DPoP").unwrap()).unwrap();
    let client = server.client(&auth);
    client.get(API).send().await.unwrap();
    assert!(proof(&server.requests()[0]).1["nonce"].is_null(), "the proof has no nonce of another origin");
    assert!(token.headers().contains_key("dpop") && !token.headers().contains_key("authorization"));
    // The nonces of more origins than the limit: the first origin is forgotten.
    (0..100).for_each(|number| dpop.learn(&format!("https://h{number}.example/").parse().unwrap(), &headers));
    dpop.learn(
        &API.parse().unwrap(),
        &http::HeaderMap::from_iter([("dpop-nonce".parse().unwrap(), "ours".parse().unwrap())]),
    );
    client.get(API).send().await.unwrap();
    assert_eq!(proof(&server.requests()[1]).1["nonce"].as_str(), Some("ours"));
}

#[tokio::test]
async fn a_server_that_wants_a_token_and_then_a_nonce_accepts_the_next_call() {
    let dpop = Dpop::new(key());
    let server = Script::new(|arrived, _| match arrived.header("dpop") {
        None => Answer::unauthorized(["DPoP algs=\"ES256\""]),
        Some(_) if proof(arrived).1["nonce"] == "n" => status(200),
        Some(_) => Answer::unauthorized(["DPoP error=\"use_dpop_nonce\""]).header("dpop-nonce", "n"),
    });
    let auth = ChallengeMiddleware::new(API, bound(&dpop)).unwrap();
    let client = server.client(&auth);
    let error = client.get(API).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert!(refused.hint().unwrap().ends_with("call again"), "{error}");
    assert_eq!((server.sends(), client.get(API).send().await.unwrap().status().as_u16()), (2, 200));
}

#[tokio::test]
async fn the_first_proof_contains_the_nonce_of_the_first_401() {
    let dpop = Dpop::new(key());
    let server = Script::new(|arrived, _| match arrived.header("dpop") {
        Some(_) if proof(arrived).1["nonce"] == "n" => status(200),
        _ => Answer::unauthorized(["DPoP algs=\"ES256\""]).header("dpop-nonce", "n"),
    });
    let client = server.client(&ChallengeMiddleware::new(API, bound(&dpop)).unwrap());
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    assert_eq!(server.sends(), 2);
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_refused() {
    let dpop = Dpop::new(key());
    let error = dpop.credential("hunter2", "Bearer").unwrap_err();
    assert!(error.to_string().contains("not `DPoP` (RFC 9449 §5)"), "{error}");
    let log_in = move |_: RefreshContext| {
        let credential = dpop.credential("hunter2", "Bearer");
        async move { Ok::<_, BoxError>(credential?) }
    };
    let server = Script::always(Answer::unauthorized(["DPoP algs=\"ES256\""]));
    let error = server.client(&ChallengeMiddleware::new(API, log_in).unwrap()).get(API).send().await.unwrap_err();
    let shown = format!("{:#} {server:?}", anyhow::Error::from(error));
    assert!(shown.contains("not bound") && !shown.contains("hunter2"), "{shown}");
    assert_eq!(server.sends(), 1);
}

#[tokio::test]
async fn a_key_is_restored_from_its_secret_and_prints_no_secret() {
    let key = key();
    let (secret, jwk) = (key.to_secret(), key.public_jwk());
    assert_eq!(Es256Key::from_secret(&secret).unwrap().public_jwk(), jwk);
    for odd in ["", "not base64url!", "AAAA", &URL_SAFE_NO_PAD.encode([0; 32]), &URL_SAFE_NO_PAD.encode([255; 32])] {
        let error = Es256Key::from_secret(&Secret::new(odd)).unwrap_err();
        assert!(odd.is_empty() || !error.to_string().contains(odd), "{error}");
    }
    let shown = format!("{key:?}");
    let dpop = Dpop::new(key);
    let credential = dpop.credential("hunter2", "DPoP").unwrap();
    let shown = format!("{shown} {dpop:?} {credential:?}");
    assert!(!shown.contains("hunter2") && !shown.contains(secret.expose()), "{shown}");
    // The example in RFC 7638 §3.1 is for RSA. These are the members for an EC key.
    assert_eq!(decoded(&dpop.thumbprint()), Sha256::digest(&jwk).as_slice());
}

#[tokio::test]
async fn a_failure_of_a_custom_key_is_an_error_and_nothing_is_sent() {
    struct Gone;
    #[async_trait::async_trait]
    impl ProofKey for Gone {
        fn algorithm(&self) -> &str {
            "ES256"
        }
        fn public_jwk(&self) -> String {
            "{}".to_owned()
        }
        async fn sign(&self, _: &[u8]) -> Result<Vec<u8>, BoxError> {
            Err("the card was taken out".into())
        }
    }
    let server = Script::always(status(200));
    let auth = ChallengeMiddleware::new(API, Dpop::new(Gone).credential("t", "DPoP").unwrap()).unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    assert!(format!("{:#}", anyhow::Error::from(error)).contains("the card was taken out"));
    assert_eq!(server.sends(), 0);
}

#[tokio::test]
async fn a_proof_is_not_sent_to_another_server_after_a_redirect() {
    let api = MockApi::start().await.unwrap();
    let evil = api.another("evil").await.unwrap();
    api.at("/").redirects_to(evil.url("/x"));
    let credential = || -> Credential { Dpop::new(key()).credential("t0", "DPoP").unwrap() };
    let auth = ChallengeMiddleware::new(api.origin(), credential()).unwrap();
    let client = hardened(reqwest::Client::builder(), auth).unwrap();
    client.get(api.url("/")).send().await.unwrap();
    api.journal().assert_no_credential_reached("evil");
    assert_eq!((api.requests().len(), evil.requests().len()), (1, 1));
    assert!(!evil.requests()[0].headers().contains_key("dpop"));
    // A plain client sends the proof to the other server. The documentation warns of this.
    let auth = ChallengeMiddleware::new(api.origin(), credential()).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    client.get(api.url("/")).send().await.unwrap();
    assert!(evil.requests()[1].headers().contains_key("dpop"));
}

#[tokio::test(start_paused = true)]
async fn the_nonce_of_each_401_is_used_at_its_url() {
    // Each 401 brings its own nonce, which is valid once, at its URL. The body of the 401 is delayed, so all calls are
    // refused before the first is sent again.
    let given = Mutex::new(HashSet::new());
    let server = Script::new(move |arrived, number| {
        let nonce = proof(arrived).1["nonce"].as_str().unwrap_or_default().to_owned();
        if given.lock().unwrap().remove(&(arrived.path().to_owned(), nonce)) {
            return status(200);
        }
        let fresh = format!("n{number}");
        given.lock().unwrap().insert((arrived.path().to_owned(), fresh.clone()));
        Answer::unauthorized(["DPoP error=\"use_dpop_nonce\""]).header("dpop-nonce", fresh).stall_body()
    });
    let auth = ChallengeMiddleware::new(API, Dpop::new(key()).credential("t", "DPoP").unwrap()).unwrap();
    let client = server.client(&auth);
    let calls: Vec<_> =
        (0..20).map(|number| tokio::spawn(client.get(format!("{API}/{}?q={number}", number % 5)).send())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(server.sends(), 40);
}
