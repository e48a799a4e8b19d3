//! Several authorization servers: redirect URIs and registrations are kept apart, and the number of remembered servers is bounded.

use std::collections::HashMap;

use reqwest_challenge::{Refresh, RefreshContext};
use reqwest_challenge_login::oauth::{
    AuthorizationCode, Client, ClientCredentials, DeviceCode, Grant, Issuer, OAuth, Registration,
};
use reqwest_challenge_testing::{Answer, MockApi, MockIdentityProvider};
use serde_json::{Value, json};

use crate::support::oauth::{Seen, browser, client, line, names, protected, why};

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// A server with additional metadata.
async fn server(more: Value) -> MockApi {
    let server = MockApi::start().await.unwrap();
    let mut metadata = json!({
        "issuer": server.origin(), "token_endpoint": server.url("/token"), "registration_endpoint": server.url("/register"),
        "authorization_endpoint": server.url("/authorize"), "code_challenge_methods_supported": ["S256"],
    });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.at(METADATA).answers(Answer::json(metadata));
    server.at("/register").answers_with(|arrived| {
        let asked: Value = serde_json::from_slice(arrived.body()).unwrap();
        Answer::json(json!({ "client_id": "registered", "redirect_uris": asked["redirect_uris"] }))
    });
    server
}

/// The path of the redirect URI in the login page for an API that names the server. If no page is shown, the error.
async fn redirect_path(server: &MockApi, client_of: Client) -> String {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    names(&api, &api.url("/api"), &server.origin());
    let before = server.requests_to("/register");
    let seen = Seen::default();
    let shown = seen.clone();
    // The user closes the page.
    let code = AuthorizationCode::new(move |prompt| {
        shown.0.lock().unwrap().push(prompt.url().clone());
        Err("closed".into())
    });
    let oauth = OAuth::new(Issuer::from_challenge(), client_of, code).unwrap().prompting();
    let (client, _) = client(&api.origin(), oauth);
    let error = client.get(api.url("/api")).send().await.unwrap_err();
    if seen.count() == 0 {
        return line(&why(&error));
    }
    let redirect = seen.param(0, "redirect_uri").unwrap();
    if server.requests_to("/register") > before {
        let requests = server.requests();
        let registered = requests.iter().rfind(|one| one.path() == "/register").unwrap();
        let registered: Value = serde_json::from_slice(registered.body()).unwrap();
        assert_eq!(registered["redirect_uris"], json!([redirect]));
    }
    redirect.parse::<reqwest::Url>().unwrap().path().to_owned()
}

#[tokio::test]
async fn a_server_without_iss_in_its_responses_gets_its_own_redirect_uri() {
    let registered = || Client::registered(Registration::named("tool"));
    let (one, other) = (server(json!({})).await, server(json!({})).await);
    let (first, second) = (redirect_path(&one, registered()).await, redirect_path(&other, registered()).await);
    assert!(first.starts_with("/callback/") && second.starts_with("/callback/") && first != second);
    let names_itself = server(json!({ "authorization_response_iss_parameter_supported": true })).await;
    assert_eq!(redirect_path(&names_itself, registered()).await, "/callback");
    let supports_documents = server(json!({ "client_id_metadata_document_supported": true })).await;
    // A client with a fixed ID or a document has one redirect path, so only `iss` tells the responses of two servers apart.
    assert_eq!(redirect_path(&names_itself, Client::public("tool")).await, "/callback");
    for client_of in [Client::public("tool"), Client::metadata_document("https://tool.example/client.json")] {
        let error = redirect_path(&supports_documents, client_of).await;
        assert!(error.contains("mix_up") && error.contains("name it with `Issuer::new`"), "{error}");
    }
    let document =
        Client::metadata_document("https://tool.example/client.json").or_registered(Registration::named("tool"));
    let own = redirect_path(&supports_documents, document.clone()).await;
    assert!(own.starts_with("/callback/") && own != first, "{own}");
    assert_eq!(redirect_path(&one, document.clone()).await, first);
    let does_both = json!({ "client_id_metadata_document_supported": true, "authorization_response_iss_parameter_supported": true });
    assert_eq!(redirect_path(&server(does_both).await, document).await, "/callback");
}

#[tokio::test]
async fn the_metadata_of_the_last_eight_servers_are_remembered() {
    let (api, issuers) = (MockApi::start().await.unwrap(), MockApi::start().await.unwrap());
    for number in 0..9 {
        let metadata = json!({
            "issuer": issuers.url(&format!("/{number}")), "token_endpoint": issuers.url("/token"),
            "authorization_endpoint": issuers.url("/authorize"), "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        issuers.at(&format!("{METADATA}/{number}")).answers(Answer::json(metadata));
    }
    let code = AuthorizationCode::new(|_| Err("closed".into()));
    let (_, session) =
        client(&api.origin(), OAuth::new(Issuer::from_challenge(), Client::public("tool"), code).unwrap());
    let asked_after_login = async |number: usize| {
        names(&api, &api.url("/api"), &issuers.url(&format!("/{number}")));
        let error = session.login().await.unwrap_err();
        assert!(line(&error).contains("closed"), "{}", line(&error));
        issuers.requests_to(&format!("{METADATA}/{number}"))
    };
    for number in 0..9 {
        assert_eq!(asked_after_login(number).await, 1);
    }
    assert_eq!((asked_after_login(8).await, asked_after_login(1).await), (1, 1), "remembered");
    assert_eq!(asked_after_login(0).await, 2, "the oldest of nine");
}

#[test]
fn an_invalid_url_of_a_client_metadata_document_is_an_error() {
    let set_up = |url: &str| {
        let code = AuthorizationCode::new(|_| Ok(()));
        let made = OAuth::new(Issuer::from_challenge(), Client::metadata_document(url), code);
        made.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(set_up("https://tool.example/client.json"), Ok(()));
    for (url, why) in [
        ("tool", "is not an https URL"),
        ("http://tool.example/client.json", "uses plain http"),
        ("https://me@tool.example/client.json", "contains a user name"),
        ("https://tool.example/client.json#me", "contains a fragment"),
        ("https://tool.example/", "must have a path in its URL"),
    ] {
        let error = set_up(url).unwrap_err();
        assert!(error.starts_with("the client's metadata document") && error.contains(why), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_registered_client_authenticates_with_the_secret_that_the_server_issued() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let server = server(json!({})).await;
        server.at("/register").answers(Answer::new(201).json_body(json!({
            "client_id": "registered", "client_secret": "hunter2-given", "token_endpoint_auth_method": method,
        })));
        // The server sends no `iss`. Its response is accepted because its redirect URI is used for no other server.
        server.at("/authorize").open().answers_with(|asked| {
            let query: HashMap<_, _> = asked.url().query_pairs().into_owned().collect();
            Answer::redirect(format!("{}?code=abc&state={}", query["redirect_uri"], query["state"]))
        });
        let token = json!({ "access_token": "t", "token_type": "Bearer", "refresh_token": "r" });
        server.at("/token").answers(Answer::json(token));
        let api = MockApi::start().await.unwrap();
        names(&api, &api.url("/api"), &server.origin());
        api.at("/api").requires("read");
        let registered = Client::registered(Registration::named("tool"));
        let code = || AuthorizationCode::new(browser().0);
        let (_, session) =
            client(&api.origin(), OAuth::new(Issuer::from_challenge(), registered.clone(), code()).unwrap());
        let held = session.login().await.unwrap();
        // Another process, which has only the stored credential.
        let another = OAuth::new(Issuer::from_challenge(), registered, code()).unwrap();
        let context = RefreshContext::builder(api.url("/api")).credential(held).build().unwrap();
        another.refresh(context).await.unwrap();
        let requests = server.requests();
        let asked: Vec<_> = requests.iter().filter(|one| one.path() == "/token").collect();
        assert_eq!(asked.len(), 2);
        for one in asked {
            let (basic, post) = (one.header("authorization"), one.form("client_secret"));
            match method {
                "client_secret_basic" => {
                    assert!(basic.is_some_and(|basic| basic.starts_with("Basic ")) && post.is_none())
                }
                _ => assert!(basic.is_none() && post.as_deref() == Some("hunter2-given")),
            }
        }
        assert_eq!(server.requests_to("/register"), 1);
    }
}

#[tokio::test]
async fn the_error_of_a_server_without_registration_names_the_solution() {
    let login = async |server: &MockApi| {
        let api = MockApi::start().await.unwrap();
        names(&api, &api.url("/api"), &server.origin());
        let registered = Client::registered(Registration::named("tool"));
        let code = AuthorizationCode::new(|_| Ok(()));
        let (_, session) = client(&api.origin(), OAuth::new(Issuer::from_challenge(), registered, code).unwrap());
        line(&session.login().await.unwrap_err())
    };
    let page = server(json!({})).await;
    page.at("/register").answers(Answer::new(403));
    for server in [page, server(json!({ "registration_endpoint": null })).await] {
        let error = login(&server).await;
        assert!(error.contains("(registration)") && error.contains("pass it to `Client::public`"), "{error}");
    }
    let gone = server(json!({})).await;
    gone.at("/register").answers(Answer::new(503));
    assert!(!login(&gone).await.contains("(registration)"));
}

#[test]
fn a_grant_with_a_user_has_a_longer_timeout() {
    let at = || Issuer::new("https://auth.example.com").unwrap();
    let with =
        |grant: Box<dyn Grant>| OAuth::new(at(), Client::secret_basic("c", "s"), grant).unwrap().timeout().as_secs();
    assert_eq!(with(Box::new(ClientCredentials)), 30);
    assert!(with(Box::new(AuthorizationCode::new(|_| Ok(())))) >= 5 * 60);
    assert!(with(Box::new(DeviceCode::new(|_| Ok(())))) >= 15 * 60);
}

#[test]
fn an_issuer_by_plain_http_must_be_on_this_machine() {
    for host in ["127.0.0.1", "[::1]", "localhost", "auth.localhost", "auth.localhost."] {
        assert!(Issuer::new(format!("http://{host}:8080")).is_ok(), "{host}");
    }
    for host in ["auth.example.com", "authlocalhost", "10.0.0.1"] {
        assert!(Issuer::new(format!("http://{host}:8080")).is_err(), "{host}");
    }
}
