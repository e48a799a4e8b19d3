//! The formats in which servers write errors and tokens, at every endpoint.

use std::time::Duration;

use reqwest_challenge::{Credential, DeniedReason, Refresh, RefreshContext, RefreshError, RefreshErrorKind};
use reqwest_challenge_login::oauth::{
    AuthorizationCode, Client, ClientCredentials, DeviceCode, Issuer, OAuth, Registration,
};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::oauth_robustness::settled;
use crate::support::oauth::{back, browser, client, client_by, device_server, endpoint, line};

async fn granted(answer: Answer) -> Result<Credential, RefreshError> {
    let server = endpoint(move |_| answer.clone()).await;
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(issuer, Client::secret_basic("c", "s"), ClientCredentials).unwrap().hint("run it");
    let context = RefreshContext::builder("https://api.example.com/").build().unwrap();
    oauth.refresh(context).await.map(|credential| credential.unwrap())
}

fn form(text: &'static str) -> Answer {
    Answer::ok(text).header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
}

#[tokio::test]
async fn a_token_is_read_in_every_format() {
    let members = json!({ "access_token": "t", "token_type": "bearer", "expires_in": "28800", "scope": ["a", "b"] });
    for answer in [
        form("access_token=t&expires_in=28800&scope=a+b&token_type=bearer&error="),
        Answer::ok("access_token=t&expires_in=28800&scope=a%20b&token_type=bearer\n"),
        Answer::ok(format!("\u{feff}{members}")),
        Answer::json(&members),
        Answer::json(
            json!({ "access_token": "t", "expires_in": 28800, "scope": "a b", "error": null, "status": "ok", "code": 0 }),
        ),
        Answer::new(201).json_body(&members),
    ] {
        let told = format!("{answer:?}");
        let got = granted(answer).await.unwrap_or_else(|error| panic!("{told}: {}", line(&error)));
        assert!(got.expiry().is_some(), "{told}");
        assert_eq!(got.scopes().unwrap(), ["a", "b"], "{told}");
    }
}

#[tokio::test]
async fn an_error_is_read_in_every_format() {
    for answer in [
        form("error=invalid_client&error_description=no+such+client"),
        Answer::new(200).json_body(json!({ "error": "invalid_client", "error_description": "no such client" })),
        Answer::new(401).body("\u{feff}{\"error\":\"invalid_client\",\"error_description\":\"no such client\"}"),
        Answer::new(401).json_body(json!({ "error": { "code": "invalid_client", "message": "no such client" } })),
        Answer::new(200).json_body(json!({ "error": { "code": "invalid_client", "message": "no such client" } })),
        Answer::new(400)
            .json_body(json!({ "errors": [{ "errorType": "invalid_client", "message": "no such client" }] })),
        Answer::new(200).json_body(
            json!({ "success": false, "errors": [{ "code": "invalid_client", "detail": "no such client" }] }),
        ),
        Answer::new(403).json_body(json!({ "errorCode": "invalid_client", "errorMessage": "no such client" })),
        Answer::new(404).json_body(json!({ "error": "invalid_client", "error_description": "no such client" })),
    ] {
        let told = format!("{answer:?}");
        let error = granted(answer).await.unwrap_err();
        assert_eq!(
            error.kind(),
            &RefreshErrorKind::Denied { reason: DeniedReason::Client, code: "invalid_client".to_owned() },
            "{told}"
        );
        assert!(line(&error).contains("no such client"), "{told}: {}", line(&error));
    }
}

/// The codes for an error that only the user can resolve.
const USER_REQUIRED: [&str; 7] = [
    "interaction_required",
    "login_required",
    "consent_required",
    "account_selection_required",
    "mfa_required",
    "insufficient_user_authentication",
    "unmet_authentication_requirements",
];

#[tokio::test]
async fn an_error_that_requires_the_user_is_login_required_in_every_grant() {
    let required = RefreshErrorKind::LoginRequired { hint: "run it".to_owned() };
    for code in USER_REQUIRED {
        for status in [400, 401, 403, 200] {
            let error = granted(Answer::new(status).json_body(json!({ "error": code }))).await.unwrap_err();
            assert_eq!(error.kind(), &required, "{code}: {}", line(&error));
        }
    }
    let suberror = json!({ "error": "invalid_grant", "suberror": "consent_required" });
    assert_eq!(granted(Answer::new(400).json_body(suberror)).await.unwrap_err().kind(), &required);
    // The authorization page and the device endpoint report the same error.
    let server = endpoint(|_| Answer::new(500)).await;
    server.at("/authorize").open().answers_with(|asked| back(asked, "error=interaction_required&error_description=x"));
    server.at("/device").answers(Answer::new(400).json_body(json!({ "error": "interaction_required" })));
    let issuer = || {
        let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
        let issuer = issuer.authorization_endpoint(server.url("/authorize")).unwrap();
        issuer.device_authorization_endpoint(server.url("/device")).unwrap()
    };
    let code = OAuth::new(issuer(), Client::public("c"), AuthorizationCode::new(browser().0)).unwrap();
    let device = OAuth::new(issuer(), Client::public("c"), DeviceCode::new(|_| Ok(()))).unwrap();
    for oauth in [code, device] {
        let context = RefreshContext::builder(server.url("/api")).build().unwrap();
        let error = oauth.prompting().hint("run it").refresh(context).await.unwrap_err();
        assert_eq!(error.kind(), &required, "{}", line(&error));
    }
}

/// The outcome of a device login.
async fn device_login(device: Value, answers: fn(usize) -> Answer) -> (Result<(), String>, usize) {
    let (server, issuer) = device_server(device, move |number, _| answers(number)).await;
    let clock = ManualClock::new();
    let oauth = OAuth::new(issuer, Client::public("c"), DeviceCode::new(|_| Ok(()))).unwrap();
    let (_, session) = client_by(clock.clone(), &server.origin(), oauth);
    let login = tokio::spawn(async move { session.login().await.map(drop) });
    for _ in 0..20 {
        until(|| clock.waiting() == 1 || login.is_finished()).await;
        if login.is_finished() {
            break;
        }
        clock.forward(Duration::from_secs(30));
        settled().await;
    }
    (login.await.unwrap().map_err(|error| line(&error)), server.requests_to("/token"))
}

#[tokio::test]
async fn the_page_of_a_device_login_is_read_from_both_of_its_members() {
    let token = |_| Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }));
    for device in [
        json!({ "verification_uri": null, "verification_url": "HERE/device" }),
        json!({ "verification_uri": "", "verification_url": "HERE/device", "interval": "5", "expires_in": "600" }),
        json!({ "verification_url": "https://evil.example/device" }),
    ] {
        assert_eq!(device_login(device.clone(), token).await.0, Ok(()), "{device}");
    }
    let elsewhere = json!({ "verification_uri": null, "verification_url": "https://evil.example/device" });
    assert!(device_login(elsewhere, token).await.0.unwrap_err().contains("untrusted_url"));
}

#[tokio::test]
async fn a_transient_poll_failure_does_not_end_a_device_login() {
    fn answers(number: usize) -> Answer {
        match number {
            1 | 2 => Answer::cut(),
            3 => Answer::ok("<html>the hotel asks</html>"),
            4 => Answer::new(503),
            5 => Answer::new(428).json_body(json!({ "error": "authorization_pending" })),
            6 => form("error=authorization_pending&error_description=wait"),
            7 => Answer::new(400).json_body(json!({ "error": { "code": "slow_down" } })),
            8 => Answer::ok("\u{feff}{\"error\":\"authorization_pending\"}"),
            _ => Answer::json(json!({ "access_token": "t", "token_type": "Bearer" })),
        }
    }
    let (ended, polls) = device_login(json!({ "expires_in": 900 }), answers).await;
    assert_eq!(ended, Ok(()), "after {polls} polls");
}

#[tokio::test]
async fn an_error_with_status_200_ends_a_device_login_like_one_with_status_400() {
    for (answers, told) in [
        ((|_| Answer::json(json!({ "error": "access_denied" }))) as fn(usize) -> Answer, "refused on the other device"),
        (|_| Answer::json(json!({ "error": "authorization_declined" })), "refused on the other device"),
        (|_| Answer::json(json!({ "error": "expired_token" })), "the code was not typed in time"),
        (|_| Answer::json(json!({ "error": "odd", "error_description": "gone" })), "gone"),
    ] {
        let (ended, polls) = device_login(json!({}), answers).await;
        assert!(ended.as_ref().is_err_and(|error| error.contains(told)) && polls == 1, "{ended:?} after {polls}");
    }
}

#[tokio::test]
async fn an_error_with_status_200_is_read_at_the_device_and_registration_endpoints() {
    let server = MockApi::start().await.unwrap();
    server.at("/.well-known/oauth-authorization-server").answers(Answer::json(json!({
        "issuer": server.origin(), "token_endpoint": server.url("/token"),
        "device_authorization_endpoint": server.url("/device"), "registration_endpoint": server.url("/register"),
    })));
    let registered = || Client::registered(Registration::named("tool"));
    for (path, client_of) in [("/device", Client::public("c")), ("/register", registered())] {
        let no = json!({ "error": "invalid_scope", "error_description": "not for you" });
        server.at(path).answers(Answer::json(no));
        let issuer = Issuer::new(server.origin()).unwrap();
        let oauth = OAuth::new(issuer, client_of, DeviceCode::new(|_| Ok(()))).unwrap();
        let (_, session) = client(&server.origin(), oauth);
        let error = line(&session.login().await.unwrap_err());
        assert!(error.contains("invalid_scope") && error.contains("not for you"), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_logout_succeeds_if_the_server_no_longer_knows_the_token_and_fails_if_it_refuses() {
    let server = endpoint(|_| Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }))).await;
    for (answer, is_done) in [
        (Answer::ok(""), true),
        (Answer::json("{\"ok\":true}"), true),
        (Answer::new(400).json_body(json!({ "error": "invalid_token" })), true),
        (Answer::json(json!({ "ok": false, "error": "token_revoked" })), true),
        (Answer::json(json!({ "ok": false, "error": "not_allowed" })), false),
        (Answer::new(503).json_body(json!({ "error": "invalid_token" })), false),
    ] {
        server.at("/revoke").answers(answer.clone());
        let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
        let issuer = issuer.revocation_endpoint(server.url("/revoke")).unwrap();
        let oauth = OAuth::new(issuer, Client::secret_basic("c", "s"), ClientCredentials).unwrap();
        let (_, session) = client(&server.origin(), oauth);
        session.login().await.unwrap();
        assert_eq!(session.logout().await.is_ok(), is_done, "{answer:?}");
    }
}

/// A token endpoint whose first responses are cut in the body.
async fn cutting(cut: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut read = Vec::new();
            while !String::from_utf8_lossy(&read).contains("device_code=") {
                stream.read_buf(&mut read).await.unwrap();
            }
            let body = "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}";
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let sent = if number < cut { &body[..10] } else { body };
            stream.write_all(format!("{head}{sent}").as_bytes()).await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn a_truncated_poll_response_slows_the_polling_down_and_does_not_end_a_device_login() {
    let (server, _) = device_server(json!({ "interval": 5, "expires_in": 600 }), |_, _| Answer::new(500)).await;
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(cutting(2).await).unwrap();
    let issuer = issuer.device_authorization_endpoint(server.url("/device_authorization")).unwrap();
    let clock = ManualClock::new();
    let oauth = OAuth::new(issuer, Client::public("c"), DeviceCode::new(|_| Ok(()))).unwrap();
    let (_, session) = client_by(clock.clone(), &server.origin(), oauth);
    let login = tokio::spawn(async move { session.login().await.map(drop) });
    for seconds in [5, 10, 20] {
        until(|| clock.waiting() == 1 || login.is_finished()).await;
        clock.forward(Duration::from_secs(seconds - 1));
        settled().await;
        assert_eq!(clock.waiting(), usize::from(!login.is_finished()), "no poll before {seconds} s");
        clock.forward(Duration::from_secs(1));
        settled().await;
    }
    let got = login.await.unwrap();
    assert!(got.is_ok(), "{}", line(&got.unwrap_err()));
}
