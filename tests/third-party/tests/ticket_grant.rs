//! The grant sends its parameters, and the credential works.
//!
//! `MockIdentityProvider` refuses a grant type that it does not know, so a path of a `MockApi` is the token endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use reqwest_challenge::{ChallengeMiddleware, Secret, reqwest, reqwest_middleware::ClientBuilder};
use reqwest_challenge_login::oauth::{Client, Issuer, OAuth};
use reqwest_challenge_testing::{Answer, MockApi, Protection, ReceivedRequest, Verdict, refresher_contract};
use third_party::ticket_grant::{GRANT_TYPE, TicketGrant};

const TICKET: &str = "ticket-0001-of-monday";

/// An API whose path `/token` issues a token for the ticket. It answers with the status, if that is not 200.
async fn server(status: &Arc<AtomicU16>) -> MockApi {
    let api = MockApi::start().await.unwrap();
    api.at("/reports").accepts(Protection::bearer());
    let (tokens, status) = (api.tokens().clone(), status.clone());
    api.at("/token").answers_with(move |request: &ReceivedRequest| {
        let form = |name| request.form(name).unwrap_or_default();
        let is_valid = form("grant_type") == GRANT_TYPE && form("gate") == "north gate" && form("ticket") == TICKET;
        match status.load(Ordering::SeqCst) {
            200 if is_valid => {
                let token = tokens.issue(["reports:read"], None);
                Answer::json(format!(r#"{{"access_token": "{token}", "token_type": "Bearer", "expires_in": 3600}}"#))
            }
            200 | 400 => Answer::new(400).json_body(r#"{"error": "invalid_grant"}"#),
            status => Answer::new(status),
        }
    });
    api
}

fn oauth(origin: &str) -> OAuth {
    let issuer = Issuer::new(origin).unwrap().token_endpoint(format!("{origin}/token")).unwrap();
    let grant = TicketGrant::new("north gate", || Ok(Secret::new(TICKET)));
    OAuth::new(issuer, Client::public("turnstile"), grant).unwrap()
}

#[tokio::test]
async fn the_token_request_has_the_grant_type_and_the_parameters() {
    let api = server(&Arc::new(AtomicU16::new(200))).await;
    let auth = ChallengeMiddleware::new(api.origin(), oauth(&api.origin())).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();

    assert_eq!(client.get(api.url("/reports")).send().await.unwrap().status(), 200);

    let requests = api.requests();
    let request = requests.iter().find(|request| request.path() == "/token").unwrap();
    assert_eq!(request.form("grant_type").as_deref(), Some(GRANT_TYPE));
    assert_eq!(request.form("gate").as_deref(), Some("north gate"));
    assert_eq!(request.form("ticket").as_deref(), Some(TICKET));
    assert_eq!(request.form("client_id").as_deref(), Some("turnstile"));
    api.journal().assert_sends("/token", 1);
    api.journal().assert_sends("/reports", 2);

    // An expired token is replaced by the same grant.
    api.tokens().expire_all();
    assert_eq!(client.get(api.url("/reports")).send().await.unwrap().status(), 200);
    api.journal().assert_sends("/token", 2);
}

#[tokio::test]
async fn oauth_with_the_grant_passes_the_contract() {
    let status = Arc::new(AtomicU16::new(200));
    let api = server(&status).await;
    let origin = api.origin();
    let (begin, end, revoke) = (status.clone(), status.clone(), status);
    let report = refresher_contract(move || oauth(&origin))
        .url(api.url("/reports"))
        .outage(move || begin.store(503, Ordering::SeqCst), move || end.store(200, Ordering::SeqCst))
        .revocation(move || revoke.store(400, Ordering::SeqCst))
        .run()
        .await;
    println!("{report}");
    report.assert_passed();
    assert!(report.checks().iter().all(|check| check.verdict == Verdict::Passed), "a check was skipped:\n{report}");
}
