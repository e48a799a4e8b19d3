//! The mock identity provider answers as the RFCs require, or with the failure that the test configures.

use reqwest_challenge_testing::{Failure, Gate, Judgement, MockApi, MockIdentityProvider, Protection};

use super::apis::{challenges, get};

const FORM: &str = "application/x-www-form-urlencoded";

async fn token(provider: &MockIdentityProvider, form: &str) -> (u16, serde_json::Value) {
    let request = reqwest::Client::new().post(provider.token_url()).header("content-type", FORM).body(form.to_owned());
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_refresh_token_is_rotated_and_its_reuse_revokes_all_tokens_of_the_login() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let (login, other) = (provider.log_in(["read"]), provider.log_in(["read"]));
    let renew = |token: &str| format!("grant_type=refresh_token&refresh_token={token}");
    let (status, first) = token(&provider, &renew(&login.refresh_token)).await;
    assert_eq!((status, first["token_type"].as_str(), first["expires_in"].as_u64()), (200, Some("Bearer"), Some(3600)));
    let access = first["access_token"].as_str().unwrap();
    assert_eq!(provider.tokens().judge(access, Some("read")), Judgement::Accepted);
    let (status, error) = token(&provider, &renew(&login.refresh_token)).await;
    assert_eq!((status, error["error"].as_str(), provider.reuses()), (400, Some("invalid_grant"), 1));
    assert_eq!(provider.tokens().judge(access, None), Judgement::Revoked);
    assert_eq!(token(&provider, &renew(first["refresh_token"].as_str().unwrap())).await.0, 400);
    assert_eq!(provider.tokens().judge(&other.access_token, None), Judgement::Accepted, "another login");
    provider.rotate_refresh_tokens(false);
    for _ in 0..2 {
        let (status, again) = token(&provider, &renew(&other.refresh_token)).await;
        assert_eq!((status, again["refresh_token"].as_str()), (200, Some(&*other.refresh_token)));
    }
    let body = format!("token={}", other.refresh_token);
    let revoked = reqwest::Client::new()
        .post(provider.revocation_url())
        .header("content-type", FORM)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!((revoked.status().as_u16(), token(&provider, &renew(&other.refresh_token)).await.0), (200, 400));
    assert_eq!((provider.grants("refresh_token"), provider.token_requests()), (3, 6));
}

#[tokio::test]
async fn a_provider_requires_its_client_by_basic_or_in_the_body() {
    let provider = MockIdentityProvider::start().await.unwrap();
    provider.require_client("web", "se cret:%");
    let form = "grant_type=client_credentials";
    assert_eq!(token(&provider, form).await.0, 401);
    assert_eq!(token(&provider, &format!("{form}&client_id=web&client_secret=se+cret%3A%25")).await.0, 200);
    // Another encoding of the same secret: `%20` for a space.
    let basic = reqwest::Client::new().post(provider.token_url()).basic_auth("web", Some("se%20cret%3a%25"));
    let answer: serde_json::Value =
        basic.header("content-type", FORM).body(form).send().await.unwrap().json().await.unwrap();
    assert!(answer["refresh_token"].is_null() && answer["access_token"].is_string());
}

#[tokio::test]
async fn an_invalid_token_request_gets_the_error_of_rfc_6749() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let refresh_token = provider.log_in(["a"]).refresh_token;
    for (form, code) in [
        ("", "invalid_request"),
        ("grant_type=refresh-token", "unsupported_grant_type"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=authorization_code", "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=x", "invalid_grant"),
        (&format!("grant_type=refresh_token&refresh_token={refresh_token}&scope=admin"), "invalid_scope"),
    ] {
        let (status, answer) = token(&provider, form).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some(code)), "{form}");
    }
    let no_form = reqwest::Client::new().post(provider.token_url()).body("grant_type=client_credentials");
    assert_eq!(no_form.send().await.unwrap().status(), 400);
    assert_eq!(provider.grants("client_credentials"), 0);
}

#[tokio::test]
async fn a_leaked_credential_is_found_at_each_place_of_a_request() {
    for (header, path) in [
        (Some(("authorization", "Bearer t\u{f6}k")), "/"),
        (Some(("proxy-authorization", "Basic eA==")), "/"),
        (Some(("x-api-key", "another")), "/"),
        (None, "/?access_token=x"),
        (None, "/mock-refresh-000001"),
    ] {
        let provider = MockIdentityProvider::start().await.unwrap();
        let (api, login) = (MockApi::trusting(&provider).await.unwrap(), provider.log_in(["a"]));
        let cdn = api.another("cdn").await.unwrap();
        api.at("/").accepts(Protection::api_key("x-api-key".parse().unwrap(), "k1"));
        get(&api, "/", Some(("x-api-key", "k1"))).await;
        token(&provider, &format!("grant_type=refresh_token&refresh_token={}", login.refresh_token)).await;
        get(&cdn, "/part2", None).await;
        api.journal().assert_no_credential_reached("cdn");
        get(&cdn, path, header).await;
        let journal = api.journal().clone();
        let assertion = std::panic::AssertUnwindSafe(|| journal.assert_no_credential_reached("cdn"));
        assert!(std::panic::catch_unwind(assertion).is_err(), "{header:?} {path}");
    }
}

#[tokio::test]
async fn a_provider_fails_as_the_test_configures() {
    let (provider, gate) = (MockIdentityProvider::start().await.unwrap(), Gate::closed());
    for failure in [
        Failure::InvalidGrant,
        Failure::InvalidClient,
        Failure::TooManyRequests(7),
        Failure::ServerError,
        Failure::NotJson,
        Failure::Cut,
        Failure::Hang(gate.clone()),
    ] {
        provider.fail_next(failure);
    }
    let ask = || {
        let request = reqwest::Client::new().post(provider.token_url()).header("content-type", FORM);
        request.body("grant_type=client_credentials").send()
    };
    assert_eq!(ask().await.unwrap().text().await.unwrap(), "{\"error\":\"invalid_grant\"}");
    assert_eq!(challenges(&ask().await.unwrap()), ["Basic realm=\"identity\""]);
    let busy = ask().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(ask().await.unwrap().status(), 500);
    assert!(ask().await.unwrap().text().await.unwrap().contains("not JSON"));
    assert!(ask().await.is_err());
    let hanging = tokio::spawn(ask());
    gate.reached_by(1).await;
    gate.open();
    assert_eq!(hanging.await.unwrap().unwrap().status(), 200);
    provider.begin_outage(Failure::ServerError);
    assert_eq!([ask().await.unwrap().status().as_u16(), ask().await.unwrap().status().as_u16()], [500, 500]);
    provider.end_outage();
    assert_eq!(ask().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_provider_accepts_a_grant_type_that_the_test_adds() {
    let provider = std::sync::Arc::new(MockIdentityProvider::start().await.unwrap());
    let grant_type = "urn:example:ticket";
    assert_eq!(token(&provider, "grant_type=urn:example:ticket").await.1["error"], "unsupported_grant_type");
    // The function may use the provider.
    let of_test = std::sync::Arc::downgrade(&provider);
    provider.accept_grant(grant_type, ["gate", "ticket"], move |request| {
        let is_first = of_test.upgrade().is_some_and(|provider| provider.grants(grant_type) == 0);
        if is_first && request.form("ticket").as_deref() == Some("t") { Ok(()) } else { Err("invalid_grant") }
    });
    for (form, missing) in [
        ("", "missing parameters: gate, ticket"),
        ("&gate=north", "missing parameters: ticket"),
        ("&gate=&ticket=t", "missing parameters: gate"),
    ] {
        let (status, answer) = token(&provider, &format!("grant_type={grant_type}{form}")).await;
        assert_eq!(
            (status, &answer["error"], &answer["error_description"]),
            (400, &"invalid_request".into(), &missing.into())
        );
    }
    let whole = format!("grant_type={grant_type}&gate=north&ticket=t&scope=read");
    assert_eq!(token(&provider, &whole.replace("ticket=t", "ticket=x")).await.1["error"], "invalid_grant");
    let (status, answer) = token(&provider, &whole).await;
    assert_eq!(status, 200);
    let access = answer["access_token"].as_str().unwrap();
    assert_eq!(provider.tokens().judge(access, Some("read")), Judgement::Accepted);
    assert_ne!(provider.tokens().judge(access, Some("write")), Judgement::Accepted);
    assert_eq!(token(&provider, &whole).await.0, 400, "the function decides about each request");
    assert_eq!(provider.grants(grant_type), 1);
    let renew = format!("grant_type=refresh_token&refresh_token={}", answer["refresh_token"].as_str().unwrap());
    assert_eq!(token(&provider, &renew).await.0, 200);
    // The parameters that the provider itself requires are named too.
    assert_eq!(
        token(&provider, "grant_type=password&username=a").await.1["error_description"],
        "missing parameters: password"
    );
}
