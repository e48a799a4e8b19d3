//! Servers that echo what they were sent: no error shows a secret.

use reqwest_challenge::{ChallengeMiddleware, Credential, RefreshErrorKind};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth, RefreshToken};
use reqwest_challenge_testing::{Answer, MockApi, ReceivedRequest};
use reqwest_middleware::ClientBuilder;
use serde_json::json;

use crate::support::oauth::{back, browser, client, endpoint, line, why};

/// The error text of a renewal for which the token endpoint sends `answer`.
async fn shown(client_of: Client, answer: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static) -> String {
    let server = endpoint(answer).await;
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth =
        OAuth::new(issuer, client_of, RefreshToken::new("hunter2-refresh")).unwrap().parameter("tenant", "acme1");
    let (_, session) = client(&server.origin(), oauth);
    line(&session.login().await.unwrap_err())
}

fn refusing(description: String) -> Answer {
    Answer::new(401).json_body(json!({ "error": "invalid_client", "error_description": description }))
}

#[tokio::test]
async fn an_error_about_an_unknown_token_type_shows_no_secret() {
    let shown = shown(Client::secret_post("c", "hunter2-secret"), |asked| {
        let kind = format!("odd {} {}", asked.form("refresh_token").unwrap(), asked.form("client_secret").unwrap());
        Answer::json(json!({ "access_token": "hunter2-access", "token_type": kind }))
    });
    let shown = shown.await;
    assert!(shown.contains("odd *** ***") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_secret_is_masked_in_every_encoding() {
    let basic = shown(Client::secret_basic("c", "hunter2-secret"), |asked| {
        refusing(format!("bad: {}", asked.header("authorization").unwrap()))
    });
    let basic = basic.await;
    assert!(basic.contains("bad: Basic ***"), "{basic}");
    let odd = "hunter2/se+cr et\"x";
    for written in ["hunter2%2Fse%2Bcr+et%22x", "hunter2%2fse%2bcr%20et%22x", "hunter2/se+cr et\\\"x", odd] {
        let shown = shown(Client::secret_post("c", odd), move |_| refusing(format!("bad: {written}"))).await;
        assert!(shown.ends_with("bad: ***"), "{written}: {shown}");
    }
    // A parameter that is not secret is a part of the secret, and is still shown alone.
    let shown = shown(Client::secret_post("c", "acme1-hunter2"), |asked| {
        refusing(format!("bad: {} of acme1", asked.form("client_secret").unwrap()))
    });
    assert!(shown.await.ends_with("bad: *** of acme1"));
}

/// The error kind of a renewal, after a login with the parameter `prompt`. The server refuses the renewal with `code`.
async fn refused_renewal(prompt: &str, code: &'static str) -> RefreshErrorKind {
    let server = endpoint(move |asked| match asked.form("grant_type").as_deref() {
        Some("authorization_code") => {
            Answer::json(json!({ "access_token": "t", "token_type": "Bearer", "refresh_token": "r" }))
        }
        _ => Answer::new(400).json_body(json!({ "error": code })),
    })
    .await;
    server.at("/authorize").open().answers_with(|asked| back(asked, "code=abc"));
    let api = MockApi::start().await.unwrap();
    api.at("/api").requires("read");
    let oauth = at(&server, AuthorizationCode::new(browser().0)).hint("run it").parameter("prompt", prompt);
    let (client, session) = client(&api.origin(), oauth);
    session.login().await.unwrap();
    why(&client.get(api.url("/api")).send().await.unwrap_err()).kind().clone()
}

fn at(server: &MockApi, grant: AuthorizationCode) -> OAuth {
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let issuer = issuer.authorization_endpoint(server.url("/authorize")).unwrap();
    OAuth::new(issuer, Client::public("c"), grant).unwrap()
}

#[tokio::test]
async fn an_error_code_that_contains_a_sent_parameter_keeps_its_meaning() {
    let required = RefreshErrorKind::LoginRequired { hint: "run it".to_owned() };
    assert_eq!(refused_renewal("login", "login_required").await, required);
    assert_eq!(refused_renewal("consent", "consent_required").await, required);
}

#[tokio::test]
async fn an_error_of_the_authorization_page_shows_no_state() {
    let server = endpoint(|_| Answer::new(500)).await;
    server.at("/authorize").open().answers_with(|asked| back(asked, "error=STATE&error_description=x+STATE"));
    let (show, seen) = browser();
    let (_, session) = client(&server.origin(), at(&server, AuthorizationCode::new(show)));
    let shown = line(&session.login().await.unwrap_err());
    assert!(shown.contains("x ***") && !shown.contains(&seen.param(0, "state").unwrap()), "{shown}");
}

#[tokio::test]
async fn a_token_that_the_challenge_echoes_is_in_no_url_for_the_user() {
    let server = endpoint(|_| Answer::new(500)).await;
    server.at("/authorize").open().answers_with(|asked| back(asked, "error=access_denied"));
    let api = MockApi::start().await.unwrap();
    let echo = "Bearer claims=\"hunter2-held\", acr_values=\"hunter2-held\", max_age=7, scope=\"read HUNTER2-held\"";
    api.at("/api").requires("read").challenges_with([echo]);
    let (show, seen) = browser();
    let oauth = at(&server, AuthorizationCode::new(show)).prompting();
    let auth = ChallengeMiddleware::builder(api.origin(), oauth).initial_credential(Credential::bearer("hunter2-held"));
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth.build().unwrap()).build();
    client.get(api.url("/api")).send().await.unwrap_err();
    let param = |name| seen.param(0, name);
    assert_eq!((param("max_age").as_deref(), param("claims"), param("acr_values")), (Some("7"), None, None));
    assert!(param("scope").is_none_or(|scope| scope == "read"), "{:?}", param("scope"));
}

#[tokio::test]
async fn a_secret_in_base64_or_hex_is_masked_and_a_short_secret_does_not_mask_our_own_words() {
    for written in
        ["aHVudGVyMi1yZWZyZXNo", "eGh1bnRlcjItcmVmcmVzaA", "68756E746572322d72656672657368", "HUNTER2-REFRESH"]
    {
        let shown = shown(Client::public("c"), move |_| refusing(format!("bad: {written}."))).await;
        assert!(shown.contains("bad: ***") || shown.contains("bad: e***"), "{written}: {shown}");
    }
    for secret in ["the", "token", "says", "401", "endpoint"] {
        let shown = shown(Client::secret_post("c", secret), |_| refusing("-".to_owned())).await;
        assert!(shown.contains("the token endpoint says 401: -"), "{secret}: {shown}");
    }
}
