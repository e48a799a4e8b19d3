//! If an authorization server's response ends in the middle of its body, the error is transient and a poll is repeated.

use std::time::Duration;

use reqwest_challenge::{Credential, RefreshError};
use reqwest_challenge_login::oauth::{
    AuthorizationCode, Client, ClientCredentials, DeviceCode, Issuer, OAuth, RefreshToken, Registration,
};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, until};
use serde_json::json;

use crate::support::faults::{Fault, failing, failing_until};
use crate::support::oauth::{client, client_by, device_server, line};

/// An issuer whose metadata name `url` for `endpoint`.
async fn issuer(endpoint: &str, url: &str) -> MockApi {
    let server = MockApi::start().await.unwrap();
    let mut metadata = json!({
        "issuer": server.origin(), "authorization_endpoint": server.url("/authorize"),
        "code_challenge_methods_supported": ["S256"], "token_endpoint": server.url("/token"),
    });
    metadata[endpoint] = url.into();
    server.at("/.well-known").answers(Answer::json(metadata));
    server.at("/token").answers(Answer::json(json!({ "access_token": "t", "token_type": "Bearer" })));
    server
}

fn oauth(server: &str, client: Client, endpoint: &str) -> OAuth {
    let issuer = Issuer::new(server).unwrap();
    let oauth = match endpoint {
        "registration_endpoint" => OAuth::new(issuer, client, AuthorizationCode::new(|_| Ok(()))),
        "device_authorization_endpoint" => OAuth::new(issuer, client, DeviceCode::new(|_| Ok(()))),
        "revocation_endpoint" => OAuth::new(issuer, client, RefreshToken::new("kept")),
        _ => OAuth::new(issuer, client, ClientCredentials),
    };
    oauth.unwrap()
}

#[tokio::test]
async fn a_truncated_response_of_any_endpoint_is_a_transient_error() {
    for endpoint in ["token_endpoint", "device_authorization_endpoint", "registration_endpoint", "revocation_endpoint"]
    {
        let url = failing(Fault::ClosesChunk).await;
        let server = issuer(endpoint, &url).await;
        let id = match endpoint {
            "registration_endpoint" => Client::registered(Registration::named("tool")),
            _ => Client::public("c"),
        };
        let (_, session) = client(&server.origin(), oauth(&server.origin(), id, endpoint));
        let error = match endpoint {
            "revocation_endpoint" => {
                session.login().await.unwrap();
                session.logout().await.unwrap_err()
            }
            _ => session.login().await.unwrap_err(),
        };
        assert!(RefreshError::find(&error).unwrap().is_transient(), "{endpoint}: {error:?}");
        assert!(!format!("{error:?} {}", line(&error)).contains("hunter2"));
    }
    // The metadata.
    let url = failing(Fault::Closes).await;
    let origin = url.split("/token").next().unwrap();
    let (_, session) = client(origin, oauth(origin, Client::public("c"), "metadata"));
    let error = session.login().await.unwrap_err();
    assert!(RefreshError::find(&error).unwrap().is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_device_login_continues_after_truncated_poll_responses() {
    let (server, issuer) = device_server(json!({ "interval": 1 }), |_, _| Answer::new(500)).await;
    let polls = failing_until(Fault::Closes, 2, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}").await;
    let issuer = issuer.also(&polls[..polls.find("/token").unwrap()]).unwrap().token_endpoint(polls).unwrap();
    let clock = ManualClock::new();
    let oauth = OAuth::new(issuer, Client::public("tool"), DeviceCode::new(|_| Ok(()))).unwrap();
    let (_, session) = client_by(clock.clone(), &server.origin(), oauth);
    let login = tokio::spawn(async move { session.login().await });
    while !login.is_finished() {
        until(|| clock.waiting() == 1 || login.is_finished()).await;
        clock.forward(Duration::from_secs(10));
        until(|| clock.waiting() == 0 || login.is_finished()).await;
    }
    assert_eq!(login.await.unwrap().unwrap(), Credential::bearer("t"));
}

/// Only the text of such a response shows that it is incomplete.
#[tokio::test]
async fn a_response_without_a_length_that_ends_early_is_a_transient_error() {
    let server = MockApi::start().await.unwrap();
    let mut documents = vec![(
        "/.well-known",
        json!({
            "issuer": server.origin(), "authorization_endpoint": server.url("/authorize"),
            "code_challenge_methods_supported": ["S256"], "token_endpoint": server.url("/token"),
            "registration_endpoint": server.url("/register"), "resource": server.origin(),
            "authorization_servers": [server.origin()],
        })
        .to_string(),
    )];
    server.at("/.well-known").answers(Answer::json(&documents[0].1));
    documents.push(("/token", json!({ "access_token": "t", "token_type": "Bearer" }).to_string()));
    documents.push(("/register", json!({ "client_id": "hunter2" }).to_string()));
    for (path, whole) in documents {
        for length in (1..whole.len()).step_by(7).chain([whole.len() - 1]) {
            server.at(path).answers(Answer::json(&whole[..length]));
            let oauth = match path {
                "/register" => {
                    let registered = Client::registered(Registration::named("tool"));
                    oauth(&server.origin(), registered, "registration_endpoint")
                }
                _ => oauth(&server.origin(), Client::public("c"), "token_endpoint"),
            };
            let error = client(&server.origin(), oauth).1.login().await.unwrap_err();
            assert!(RefreshError::find(&error).unwrap().is_transient(), "{path} {length}: {error:?}");
            assert!(!format!("{error:?} {}", line(&error)).contains("hunter2"));
        }
        server.at(path).answers(Answer::json(whole));
    }
}
