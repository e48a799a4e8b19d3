//! The grant sends its parameters, and the credential works.

use std::sync::Arc;

use reqwest_challenge::reqwest_middleware::ClientBuilder;
use reqwest_challenge::{ChallengeMiddleware, RefreshContext, Secret, reqwest};
use reqwest_challenge_login::oauth::{Client, Grant, Issuer, OAuth};
use reqwest_challenge_testing::{
    Failure, Judgement, MockApi, MockIdentityProvider, Protection, Verdict, refresher_contract,
};
use third_party::ticket_grant::{GRANT_TYPE, TicketGrant};

const TICKET: &str = "ticket-0001-of-monday";

/// A provider that issues a token for the ticket.
async fn provider() -> MockIdentityProvider {
    let provider = MockIdentityProvider::start().await.unwrap();
    provider.accept_grant(GRANT_TYPE, ["gate", "ticket"], |request| {
        let is_valid = request.form("gate").as_deref() == Some("north gate");
        if is_valid && request.form("ticket").as_deref() == Some(TICKET) { Ok(()) } else { Err("invalid_grant") }
    });
    provider
}

fn grant(ticket: &'static str) -> impl Grant {
    TicketGrant::new("north gate", move || Ok(Secret::new(ticket)))
}

fn oauth(issuer: &str, grant: impl Grant) -> OAuth {
    OAuth::new(Issuer::new(issuer).unwrap(), Client::public("turnstile"), grant).unwrap()
}

#[tokio::test]
async fn the_token_request_has_the_grant_type_and_the_parameters() {
    let provider = provider().await;
    let api = MockApi::trusting(&provider).await.unwrap();
    api.at("/reports").accepts(Protection::bearer());
    let auth = ChallengeMiddleware::new(api.origin(), oauth(&provider.issuer(), grant(TICKET))).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();

    assert_eq!(client.get(api.url("/reports")).send().await.unwrap().status(), 200);

    let exchanges = provider.journal().exchanges();
    let request =
        exchanges.iter().map(|exchange| exchange.request()).find(|request| request.path() == "/token").unwrap();
    assert_eq!(request.form("client_id").as_deref(), Some("turnstile"));
    assert_eq!((provider.token_requests(), provider.grants(GRANT_TYPE)), (1, 1));
    api.journal().assert_sends("/reports", 2);

    // An expired token is renewed with the refresh token.
    provider.tokens().expire_all();
    assert_eq!(client.get(api.url("/reports")).send().await.unwrap().status(), 200);
    assert_eq!((provider.grants(GRANT_TYPE), provider.grants("refresh_token")), (1, 1));
}

#[tokio::test]
async fn the_grant_alone_returns_the_token_or_the_error_of_the_server() {
    let provider = provider().await;
    let context = RefreshContext::builder("https://api.example.com").without_request().build().unwrap();
    for (ticket, is_valid) in [(TICKET, true), ("ticket-0002", false)] {
        let grant = Arc::new(grant(ticket));
        let oauth = oauth(&provider.issuer(), grant.clone()).scopes(["reports:read"]);
        match grant.obtain(&oauth.grant_context(&context).await.unwrap()).await {
            Ok(issued) => {
                assert!(
                    is_valid
                        && provider.tokens().judge(issued.access_token().expose(), Some("reports:read"))
                            == Judgement::Accepted
                );
            }
            Err(error) => {
                let shown = format!("{error} {error:?}");
                assert!(!is_valid && shown.contains("invalid_grant") && !shown.contains(ticket), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn oauth_with_the_grant_passes_the_contract() {
    let provider = Arc::new(provider().await);
    let (issuer, begin, end, revoke) = (provider.issuer(), provider.clone(), provider.clone(), provider.clone());
    let report = refresher_contract(move || oauth(&issuer, grant(TICKET)))
        .outage(move || begin.begin_outage(Failure::ServerError), move || end.end_outage())
        .revocation(move || revoke.begin_outage(Failure::InvalidGrant))
        .run()
        .await;
    println!("{report}");
    report.assert_passed();
    assert!(report.checks().iter().all(|check| check.verdict == Verdict::Passed), "a check was skipped:\n{report}");
}
