//! docker-registry 2.8 of Debian, with a token server of the test.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use reqwest_challenge::{ChallengeMiddleware, Unauthorized};
use reqwest_challenge_login::registry::Registry;
use reqwest_challenge_testing::{Answer, MockApi, ReceivedRequest};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::all::{Check, Running};
use crate::check;

pub(crate) const CHECKS: [Check; 3] = [
    check!("registry tokens", "a push and a pull of two repositories, a token for each", push_and_pull),
    check!("registry tokens", "without a password, a pull succeeds and a push is refused", anonymous),
    check!("registry tokens", "a token server that the caller did not name receives no request", unnamed),
];

/// A token server whose key the registry trusts. Its tokens allow alice everything and others only to pull.
pub(crate) async fn token_server(folder: PathBuf) -> MockApi {
    let server = MockApi::start().await.unwrap();
    server.at("/token").answers_with(move |arrived| {
        let alice = arrived.header("authorization") == Some(&format!("Basic {}", STANDARD.encode("alice:s3cret")));
        Answer::json(json!({ "token": token(&folder, arrived, alice), "expires_in": 300 }))
    });
    server
}

fn token(folder: &std::path::Path, arrived: &ReceivedRequest, alice: bool) -> String {
    let der = std::fs::read(folder.join("key.der")).unwrap();
    // SEC 1: a sequence, a version, and the key in 32 octets.
    let key = SigningKey::from_slice(&der[7..39]).unwrap();
    let certificate = STANDARD.encode(std::fs::read(folder.join("certificate.der")).unwrap());
    let scopes: Vec<_> = arrived.url().query_pairs().filter(|(name, _)| name == "scope").collect();
    let access: Vec<Value> = scopes
        .iter()
        .map(|(_, scope)| {
            let parts: Vec<_> = scope.split(':').collect();
            let actions: Vec<_> = parts[2].split(',').filter(|action| alice || *action == "pull").collect();
            json!({ "type": parts[0], "name": parts[1], "actions": actions })
        })
        .collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [certificate] });
    let claims = json!({
        "iss": "token-server", "sub": "", "aud": "registry", "exp": now + 300, "nbf": now - 10, "iat": now,
        "jti": now.to_string(), "access": access,
    });
    let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let signature: Signature = key.sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn client(url: &str, registry: Registry) -> ClientWithMiddleware {
    let auth = ChallengeMiddleware::builder(url, registry)
        .partition_by(reqwest_challenge_login::registry::partition)
        .build()
        .unwrap();
    ClientBuilder::new(reqwest::Client::new()).with(auth).build()
}

/// Pushes a blob and a manifest that names it. Returns the status of the manifest.
async fn push(client: &ClientWithMiddleware, url: &str, name: &str) -> u16 {
    let digest = |octets: &[u8]| {
        let hash = Sha256::digest(octets);
        format!("sha256:{}", hash.iter().map(|octet| format!("{octet:02x}")).collect::<String>())
    };
    let blob = format!("{{\"of\":\"{name}\"}}");
    let begun = client.post(format!("{url}/v2/{name}/blobs/uploads/")).send().await.unwrap();
    let mut location = reqwest::Url::parse(begun.headers()["location"].to_str().unwrap()).unwrap();
    location.query_pairs_mut().append_pair("digest", &digest(blob.as_bytes()));
    let put = client.put(location).header("content-type", "application/octet-stream").body(blob.clone());
    assert_eq!(put.send().await.unwrap().status(), 201);
    let described = |kind: &str| json!({ "mediaType": kind, "size": blob.len(), "digest": digest(blob.as_bytes()) });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.image.config.v1+json"),
        "layers": [described("application/vnd.oci.image.layer.v1.tar")],
    });
    let put = client.put(format!("{url}/v2/{name}/manifests/latest")).body(manifest.to_string());
    put.header("content-type", "application/vnd.oci.image.manifest.v1+json").send().await.unwrap().status().as_u16()
}

async fn push_and_pull(server: Running) {
    let (url, tokens) = (&server.url, server.tokens.as_ref().unwrap());
    let alice = client(url, Registry::new().password("alice", "s3cret").token_server(tokens.origin()).unwrap());
    for name in ["library/one", "two"] {
        assert_eq!(push(&alice, url, name).await, 201);
    }
    let before = tokens.requests().len();
    for _ in 0..3 {
        for name in ["library/one", "two"] {
            let pulled = alice.get(format!("{url}/v2/{name}/manifests/latest"));
            let pulled = pulled.header("accept", "application/vnd.oci.image.manifest.v1+json").send().await.unwrap();
            assert_eq!(pulled.status(), 200);
        }
    }
    assert_eq!(tokens.requests().len() - before, 2);
}

async fn anonymous(server: Running) {
    let (url, tokens) = (&server.url, server.tokens.as_ref().unwrap());
    let client = client(url, Registry::new().token_server(tokens.origin()).unwrap());
    let tags = client.get(format!("{url}/v2/two/tags/list")).send().await.unwrap();
    assert_eq!(tags.json::<Value>().await.unwrap()["tags"], json!(["latest"]));
    let error = client.post(format!("{url}/v2/two/blobs/uploads/")).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.error_code().as_deref(), refused.report().attempts()), (Some("insufficient_scope"), 2));
}

async fn unnamed(server: Running) {
    let (url, tokens) = (&server.url, server.tokens.as_ref().unwrap());
    let before = tokens.requests().len();
    let client = client(url, Registry::new().password("alice", "s3cret"));
    let error = client.get(format!("{url}/v2/two/tags/list")).send().await.unwrap_err();
    assert!(Unauthorized::find(&error).unwrap().refresh_error().is_some());
    assert_eq!(tokens.requests().len(), before);
}
