//! If the caller's client follows redirects, no secret goes to a second server and no response from there is accepted.

use std::sync::Arc;

use reqwest_challenge::{Credential, DeniedReason, Error, RefreshError, RefreshErrorKind, Session};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, ClientCredentials, DeviceCode, Grant, Issuer, OAuth};
use reqwest_challenge_login::oauth::{RefreshToken, Registration};
use reqwest_challenge_testing::{Answer, MockApi};
use serde_json::json;

use crate::support::oauth::line;
use crate::support::redirects::{FollowsWhere, STATUSES, builder, elsewhere, is_untouched};

const ENDPOINTS: [&str; 4] =
    ["token_endpoint", "registration_endpoint", "device_authorization_endpoint", "revocation_endpoint"];

/// An issuer that names all endpoints, each of which grants every request.
async fn issuer() -> MockApi {
    let server = MockApi::start().await.unwrap();
    let mut metadata = json!({
        "issuer": server.origin(), "authorization_endpoint": server.url("/authorize"),
        "code_challenge_methods_supported": ["S256"],
    });
    for name in ENDPOINTS {
        metadata[name] = server.url(&format!("/{name}")).into();
        server.at(&format!("/{name}")).answers(grants(&server));
    }
    server.at("/.well-known/oauth-authorization-server").answers(Answer::json(metadata));
    server
}

/// A successful response for each endpoint.
fn grants(server: &MockApi) -> Answer {
    Answer::json(json!({
        "access_token": "granted", "token_type": "Bearer", "client_id": "evil", "device_code": "d", "user_code": "CODE",
        "refresh_token": "hunter2", "verification_uri": server.url("/device"), "issuer": server.origin(),
        "resource": server.origin(), "token_endpoint": server.url("/token_endpoint"),
    }))
}

fn session(server: &MockApi, client: Client, grant: impl Grant, follows: FollowsWhere) -> Session {
    let oauth = OAuth::new(Issuer::new(server.origin()).unwrap(), client, grant).unwrap();
    let oauth = if follows == FollowsWhere::InOAuth { oauth.http_client(reqwest::Client::new()) } else { oauth };
    builder(server, oauth, follows).build().unwrap().session()
}

#[track_caller]
fn is_refused(got: Result<Credential, Error>, how: &str) {
    let error = got.unwrap_err();
    let refused = RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "untrusted_url".to_owned() };
    let found = RefreshError::find(&error).unwrap();
    // The error is transient if the redirect may have come from a proxy in front of the server, and a refusal
    // otherwise.
    assert!(*found.kind() == refused || found.is_transient(), "{how}: {}", line(&error));
    assert!(!line(&error).contains("hunter2"));
}

#[tokio::test]
async fn no_secret_of_a_token_request_is_sent_to_a_second_server() {
    for (follows, status) in FollowsWhere::each() {
        let (server, other) = (issuer().await, elsewhere(grants).await);
        server.at("/token_endpoint").answers(Answer::new(status).header("location", other.url("/token")));
        let how = format!("{follows:?} {status}");
        let sessions = [
            session(&server, Client::secret_post("c", "hunter2"), ClientCredentials, follows),
            session(&server, Client::secret_basic("c", "hunter2"), ClientCredentials, follows),
            session(&server, Client::public("c"), RefreshToken::new("hunter2"), follows),
        ];
        for session in sessions {
            is_refused(session.login().await, &how);
        }
        assert_eq!(server.requests_to("/token_endpoint"), 3, "{how}");
        is_untouched(&other, status, "POST");
    }
}

#[tokio::test]
async fn no_registration_and_no_device_code_of_a_second_server_is_accepted() {
    let no_prompt =
        |_: &reqwest_challenge_login::oauth::AuthorizationPrompt| -> Result<(), reqwest_challenge::BoxError> {
            panic!("a prompt is shown")
        };
    for (follows, status) in FollowsWhere::each() {
        let (server, other) = (issuer().await, elsewhere(grants).await);
        for name in ["registration_endpoint", "device_authorization_endpoint"] {
            server.at(&format!("/{name}")).answers(Answer::new(status).header("location", other.url("/")));
        }
        let how = format!("{follows:?} {status}");
        let registered = Client::registered(Registration::named("tool").with("software_statement", "hunter2"));
        is_refused(session(&server, registered, AuthorizationCode::new(no_prompt), follows).login().await, &how);
        is_refused(session(&server, Client::public("c"), DeviceCode::new(no_prompt), follows).login().await, &how);
        is_untouched(&other, status, "POST");
    }
}

#[tokio::test]
async fn no_token_to_revoke_is_sent_to_a_second_server() {
    for (follows, status) in FollowsWhere::each() {
        let (server, other) = (issuer().await, elsewhere(grants).await);
        server.at("/revocation_endpoint").answers(Answer::new(status).header("location", other.url("/")));
        let session = session(&server, Client::public("c"), RefreshToken::new("hunter2"), follows);
        session.login().await.unwrap();
        let error = session.logout().await.unwrap_err();
        assert!(!line(&error).contains("hunter2"), "{}", line(&error));
        is_untouched(&other, status, "POST");
    }
}

#[tokio::test]
async fn metadata_of_a_second_server_are_not_accepted() {
    for (follows, status) in FollowsWhere::each() {
        let (server, other) = (issuer().await, elsewhere(grants).await);
        server
            .at("/.well-known/oauth-authorization-server")
            .answers(Answer::new(status).header("location", other.url("/")));
        let session = session(&server, Client::secret_post("c", "hunter2"), ClientCredentials, follows);
        is_refused(session.login().await, &format!("{follows:?} {status}"));
        is_untouched(&other, status, "GET");
        assert_eq!(server.requests_to("/token_endpoint"), 0);
    }
}

#[tokio::test]
async fn a_redirect_loop_and_a_redirect_on_the_same_server_give_no_token() {
    for (follows, status) in FollowsWhere::each() {
        let (server, other) = (issuer().await, MockApi::start().await.unwrap());
        other.at("/").redirects_to(server.url("/back"));
        server.at("/back").answers(grants(&server));
        for to in [other.url("/"), server.url("/back")] {
            server.at("/token_endpoint").answers(Answer::new(status).header("location", to));
            let session = session(&server, Client::secret_post("c", "hunter2"), ClientCredentials, follows);
            is_refused(session.login().await, &format!("{follows:?} {status}"));
        }
        let sent_on = [other.requests(), server.requests().into_iter().filter(|one| one.path() == "/back").collect()];
        assert!(sent_on.iter().flatten().all(|one| one.body().is_empty() && one.header("authorization").is_none()));
    }
}

#[tokio::test]
async fn a_callers_client_without_redirects_works_and_sends_a_content_length() {
    for (follows, _) in FollowsWhere::each().into_iter().step_by(STATUSES.len()) {
        let server = Arc::new(issuer().await);
        let session = session(&server, Client::secret_post("c", "hunter2"), ClientCredentials, follows);
        session.login().await.unwrap();
        let requests = server.requests();
        let posted = requests.iter().find(|one| one.path() == "/token_endpoint").unwrap();
        assert_eq!(posted.header("content-length"), Some(&*posted.body().len().to_string()));
        assert_eq!(posted.form("client_secret").as_deref(), Some("hunter2"));
        let asked = requests.iter().find(|one| one.method() == "GET").unwrap();
        assert!(asked.header("content-length").is_none() && asked.header("transfer-encoding").is_none());
    }
}
