//! A URL that a server names, and each of its redirects, is called only if it is secure and not a private address.

use reqwest_challenge::{DeniedReason, Refresh, RefreshContext, RefreshError, RefreshErrorKind};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth, Registration};
use reqwest_challenge_testing::{Answer, MockApi};
use serde_json::json;

use crate::support::oauth::line;

fn oauth() -> OAuth {
    let client = Client::registered(Registration::named("tool"));
    OAuth::new(Issuer::from_challenge(), client, AuthorizationCode::new(|_| Err("shown".into()))).unwrap().prompting()
}

/// The error of a refresh after a 401 whose challenge names the metadata.
async fn refresh_error(oauth: OAuth, api: &str, metadata: &str) -> RefreshError {
    let challenge = format!("Bearer resource_metadata=\"{metadata}\"");
    let context = RefreshContext::builder(api).challenge(&challenge).build().unwrap();
    oauth.refresh(context).await.unwrap_err()
}

#[track_caller]
fn is_refused(error: &RefreshError, what: &str) {
    assert_eq!(
        error.kind(),
        &RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "untrusted_url".to_owned() },
        "{what}: {}",
        line(error)
    );
}

const PUBLIC: &str = "https://api.example.com/v1";

#[tokio::test]
async fn no_private_address_is_called_in_any_notation() {
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "api.localhost",
        "0.0.0.0",
        "0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "2852039166",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[2002:c0a8:101::1]",
        "[2001::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[100::1]",
        "[5f00::1]",
        "１２７.0.0.1",
    ] {
        let error = refresh_error(oauth(), PUBLIC, &format!("https://{host}/metadata")).await;
        is_refused(&error, host);
    }
}

#[tokio::test]
async fn an_invalid_or_insecure_url_is_not_called() {
    for url in [
        "http://meta.example.com/",
        "ftp://meta.example.com/",
        "file:///etc/passwd",
        "//meta.example.com/",
        "/metadata",
        "https://user@meta.example.com/",
        "https://:pass@meta.example.com/",
        "https://@meta.example.com/",
        "https://meta.example.com/#fragment",
        "https://api.example.com@127.0.0.1/",
        "nonsense",
        "https://",
        "data:application/json,{}",
    ] {
        is_refused(&refresh_error(oauth(), PUBLIC, url).await, url);
    }
}

#[tokio::test]
async fn each_redirect_of_a_metadata_request_is_checked() {
    let api = MockApi::start().await.unwrap();
    for to in ["https://10.0.0.1/", "http://meta.example.com/", "https://u@meta.example.com/", "ftp://127.0.0.1/"] {
        api.at("/metadata").redirects_to(to);
        is_refused(&refresh_error(oauth(), &api.url("/v1"), &api.url("/metadata")).await, to);
    }
    // A relative redirect stays on the same server. A redirect loop ends.
    api.at("/metadata").redirects_to("/elsewhere");
    api.at("/elsewhere").answers(Answer::json(json!({ "resource": "https://another.example" })));
    let error = refresh_error(oauth(), &api.url("/v1"), &api.url("/metadata")).await;
    assert!(line(&error).contains("another.example"), "{}", line(&error));
    api.at("/elsewhere").redirects_to("/metadata");
    let asked = api.requests().len();
    is_refused(&refresh_error(oauth(), &api.url("/v1"), &api.url("/metadata")).await, "a redirect loop");
    assert_eq!(api.requests().len() - asked, 4);
}

/// An API whose metadata name the issuer.
async fn naming(issuer: &str) -> MockApi {
    let api = MockApi::start().await.unwrap();
    let document = json!({ "resource": api.origin(), "authorization_servers": [issuer] });
    api.at("/metadata").answers(Answer::json(document));
    api
}

#[tokio::test]
async fn urls_in_metadata_are_checked_like_urls_in_a_challenge() {
    for issuer in
        ["https://10.0.0.1", "http://auth.example.com", "https://u:p@auth.example.com", "https://169.254.169.254"]
    {
        let api = naming(issuer).await;
        is_refused(&refresh_error(oauth(), &api.url("/v1"), &api.url("/metadata")).await, issuer);
    }
    for (name, url) in [
        ("registration_endpoint", "https://10.0.0.1/register"),
        ("registration_endpoint", "http://auth.example.com/register"),
        ("authorization_endpoint", "https://login.elsewhere.example/"),
    ] {
        let server = MockApi::start().await.unwrap();
        let mut metadata = json!({
            "issuer": server.origin(), "code_challenge_methods_supported": ["S256"],
            "token_endpoint": server.url("/token"), "registration_endpoint": server.url("/register"),
            "authorization_endpoint": server.url("/authorize"),
        });
        metadata[name] = url.into();
        server.at("/.well-known/oauth-authorization-server").answers(Answer::json(metadata));
        server.at("/register").answers(Answer::new(201).json_body(json!({ "client_id": "c" })));
        let api = naming(&server.origin()).await;
        is_refused(&refresh_error(oauth(), &api.url("/v1"), &api.url("/metadata")).await, url);
    }
}

#[tokio::test]
async fn a_private_host_that_the_caller_names_is_called() {
    // The API has a public host, and the caller names an issuer on this machine.
    let server = MockApi::start().await.unwrap();
    server.at("/").answers(Answer::new(404));
    let issuer = Issuer::new(server.origin()).unwrap();
    let oauth = OAuth::new(issuer, Client::public("c"), AuthorizationCode::new(|_| Ok(()))).unwrap().prompting();
    let error = oauth.refresh(RefreshContext::builder(PUBLIC).build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), &RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "no_metadata".to_owned() });
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn metadata_that_the_callers_client_fetched_from_another_server_are_refused() {
    let (elsewhere, api) = (MockApi::start().await.unwrap(), MockApi::start().await.unwrap());
    elsewhere
        .at("/")
        .answers(Answer::json(json!({ "resource": api.origin(), "authorization_servers": ["https://evil.example"] })));
    api.at("/metadata").redirects_to(elsewhere.url("/"));
    let oauth = oauth().http_client(reqwest::Client::new());
    is_refused(&refresh_error(oauth, &api.url("/v1"), &api.url("/metadata")).await, "a redirect that was followed");
}
