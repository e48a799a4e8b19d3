//! Which responses and credentials belong to the middleware: headers of the caller, the origin of a response, and what
//! errors and reports say about them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_challenge::{
    AuthReport, CallOptions, ChallengeMiddleware, Credential, Error, Event, Forbidden, MockResponse, Password,
    Unauthorized, UnauthorizedReason,
};
use reqwest_challenge_testing::MockApi;
use reqwest_middleware::{ClientBuilder, Middleware, Next};

use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Answer, Script, challenged, respond, status};

fn key() -> Credential {
    Credential::header("x-api-key".parse().unwrap(), "k0")
}

#[tokio::test]
async fn a_header_credential_is_sent_beside_an_authorization_of_the_caller() {
    let server =
        Script::new(|arrived, _| if arrived.header("x-api-key").is_some() { status(200) } else { challenged() });
    let given = ChallengeMiddleware::builder(API, Fake::new()).initial_credential(key()).build().unwrap();
    let from_call = ChallengeMiddleware::new(API, Fake::new().with_initial(Ok(Some(key())))).unwrap();
    for auth in [given, from_call] {
        let client = server.client(&auth);
        for _ in 0..2 {
            assert_eq!(client.get(API).bearer_auth("mine").send().await.unwrap().status(), 200);
        }
        // If the caller sets the header that the credential would set, the caller's value is sent.
        let error = server.client(&auth).get(API).header("x-api-key", "mine").send().await.map(drop);
        assert!(error.is_ok());
    }
    let sent: Vec<_> = server.requests().iter().map(|one| one.header("x-api-key").unwrap().to_owned()).collect();
    assert_eq!(sent, ["k0", "k0", "mine", "k0", "k0", "mine"]);
    assert!(server.requests().iter().all(|one| one.header("x-api-key") == Some("mine") || one.token() == "mine"));
}

#[tokio::test]
async fn a_401_to_a_credential_of_the_caller_starts_no_refresh() {
    let (server, fake) = (Script::always(challenged()), Fake::new().with_initial(Ok(Some(key()))));
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let error = server.client(&auth).get(API).header("x-api-key", "mine").send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::CallerCredential);
    assert_eq!((server.sends(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn a_403_of_another_server_expires_nothing_and_emits_no_event() {
    for pass_through in [false, true] {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = events.clone();
        let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
        let server = Script::new(|arrived, _| match arrived.path() {
            "/away" => respond(403, &[], "expired").url("https://evil.example/"),
            _ => status(200),
        });
        let auth = ChallengeMiddleware::builder(API, fake.clone()).expired_when(|_| true).on_event(move |event| {
            if matches!(event, Event::Forbidden { .. }) {
                seen.lock().unwrap().push(format!("{event:?}"));
            }
        });
        let auth = if pass_through { auth.pass_through() } else { auth }.build().unwrap();
        let client = server.client(&auth);
        drop(client.get(format!("{API}/away")).send().await);
        client.get(API).send().await.unwrap();
        assert_eq!((fake.calls(), events.lock().unwrap().len()), (0, 0), "pass-through {pass_through}: {events:?}");
    }
}

#[tokio::test]
async fn pass_through_still_applies_expired_when() {
    for option in [false, true] {
        let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
        let server =
            Script::new(
                |arrived, _| if arrived.token() == "t0" { respond(403, &[("x-why", "old")], "") } else { status(200) },
            );
        let auth = ChallengeMiddleware::builder(API, fake.clone())
            .expired_when(|denied| denied.headers().get("x-why").is_some_and(|why| why == "old"));
        let auth = if option { auth } else { auth.pass_through() }.build().unwrap();
        let request = server.client(&auth).get(API);
        let request = if option { request.with_extension(CallOptions::new().pass_through()) } else { request };
        assert_eq!(request.send().await.unwrap().status(), 403);
        assert_eq!(server.client(&auth).get(API).send().await.unwrap().status(), 200);
        assert_eq!(fake.calls(), 1);
    }
}

/// Makes a new response of the parts of each response, like a middleware that reads the body. The new response has no
/// URL.
struct Rebuilds;

#[async_trait]
impl Middleware for Rebuilds {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let response: http::Response<reqwest::Body> = next.run(request, extensions).await?.into();
        let (parts, body) = response.into_parts();
        Ok(http::Response::from_parts(parts, body).into())
    }
}

#[tokio::test]
async fn a_network_response_that_lost_its_url_counts_as_foreign() {
    let (api, other) = (MockApi::start().await.unwrap(), MockApi::start().await.unwrap());
    api.at("/away").redirects_to(other.url("/"));
    other.at("/").open().answers(Answer::unauthorized(["Bearer realm=\"other\""]));
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let auth = ChallengeMiddleware::new(api.origin(), fake.clone()).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).with(Rebuilds).build();
    let error = client.get(api.url("/away")).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.reason(), refused.is_foreign()), (UnauthorizedReason::ForeignOrigin, true));
    assert!(error.to_string().contains("names no URL"), "{error}");
    assert_eq!((other.requests().len(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn a_redirect_to_reqwests_placeholder_url_is_foreign() {
    let (api, other) = (MockApi::start().await.unwrap(), MockApi::start().await.unwrap());
    api.at("/away").redirects_to("http://no.url.provided.local/");
    other.at("/").open().answers(Answer::unauthorized(["Bearer realm=\"other\""]));
    // The client sends requests for this host name to the second server, as its proxy.
    let there = other.origin();
    let proxy =
        reqwest::Proxy::custom(move |url| (url.host_str() == Some("no.url.provided.local")).then(|| there.clone()));
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let auth = ChallengeMiddleware::new(api.origin(), fake.clone()).unwrap();
    let client = reqwest::Client::builder().proxy(proxy).build().unwrap();
    let client = ClientBuilder::new(client).with(auth).build();
    let error = client.get(api.url("/away")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::ForeignOrigin);
    assert_eq!((other.requests().len(), fake.calls()), (1, 0));
}

/// Responds without a server and without a URL, like a simple mock.
struct MadeByHand {
    is_marked: bool,
}

#[async_trait]
impl Middleware for MadeByHand {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
        let known = request.headers().get("authorization").is_some_and(|sent| sent == "Bearer t1");
        let mut response = http::Response::builder().status(if known { 200 } else { 401 }).body("").unwrap();
        if self.is_marked {
            response.extensions_mut().insert(MockResponse);
        }
        Ok(response.into())
    }
}

#[tokio::test]
async fn a_marked_response_without_a_url_counts_as_a_response_of_the_api() {
    let fake = Fake::new();
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).with(MadeByHand { is_marked: true }).build();
    assert_eq!(client.post(API).send().await.unwrap().status(), 200);
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn a_response_without_a_url_and_without_a_mark_counts_as_foreign() {
    let fake = Fake::new();
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).with(MadeByHand { is_marked: false }).build();
    let error = client.post(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::ForeignOrigin);
    assert!(error.to_string().contains("names no URL"), "{error}");
    assert_eq!(fake.calls(), 0);
}

#[tokio::test]
async fn the_url_of_a_marked_response_decides_its_origin() {
    let other = challenged().url("https://other.example.com/");
    let server = Script::always(other);
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::ForeignOrigin);
    assert_eq!((server.sends(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn a_header_field_does_not_mark_a_response() {
    let (api, other) = (MockApi::start().await.unwrap(), MockApi::start().await.unwrap());
    api.at("/away").redirects_to(other.url("/"));
    let marked = Answer::unauthorized(["Bearer realm=\"other\""]).header("mock-response", "MockResponse");
    other.at("/").open().answers(marked);
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let auth = ChallengeMiddleware::new(api.origin(), fake.clone()).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    let error = client.get(api.url("/away")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::ForeignOrigin);
    assert_eq!((other.requests().len(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn the_report_of_a_success_can_invalidate_the_credential() {
    // Bluesky responds to an expired token with 400, Slack with 200.
    for answer in [
        respond(400, &[("content-type", "application/json")], r#"{"error":"ExpiredToken"}"#),
        respond(200, &[("content-type", "application/json")], r#"{"ok":false,"error":"token_expired"}"#),
    ] {
        let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
        let server = Script::new(move |arrived, _| if arrived.token() == "t0" { answer.clone() } else { status(200) });
        let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
        let client = server.client(&auth);
        // The first call asks for the initial credential; the second one has it already.
        client.get(API).send().await.unwrap();
        let response = client.get(API).send().await.unwrap();
        let report = AuthReport::of(&response);
        assert_eq!((report.attempts(), report.generation().is_some(), report.epoch()), (1, true, Some(0)));
        assert!(auth.session().invalidate(&report));
        assert!(!auth.session().invalidate(&report), "the credential is already invalid");
        client.get(API).send().await.unwrap();
        assert_eq!((server.tokens().last().map(String::as_str), fake.calls()), (Some("t1"), 1));
    }
}

#[tokio::test]
async fn a_request_outside_the_origins_emits_an_event() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let auth = ChallengeMiddleware::builder(API, Fake::new()).on_event(move |event| {
        if let Event::PassedThrough { method, url, .. } = event {
            seen.lock().unwrap().push(format!("{method} {url}"));
        }
    });
    let server = Script::always(status(200));
    let client = server.client(&auth.build().unwrap());
    client.get("https://www.api.example.com/x?secret=1").send().await.unwrap();
    client.get("https://www.api.example.com/y").with_extension(CallOptions::new().skip()).send().await.unwrap();
    client.get("https://user:pass@api.example.com:8443/z").send().await.unwrap();
    assert_eq!(*events.lock().unwrap(), ["GET https://www.api.example.com/x", "GET https://api.example.com:8443/z"]);
}

fn line(error: &reqwest_middleware::Error) -> String {
    error.to_string()
}

#[tokio::test]
async fn the_error_names_the_refused_credential_and_its_source() {
    let never = || Script::always(Answer::unauthorized(["Bearer error=\"invalid_token\"", "Basic realm=\"a\""]));
    let fixed =
        |credential: Credential| ChallengeMiddleware::new(API, credential.with_source("env:API_TOKEN")).unwrap();
    for (auth, wanted) in [
        (
            fixed(Credential::bearer("t")),
            "the server refused this token (from env:API_TOKEN), and there is no other to try",
        ),
        (fixed(key()), "the server refused this credential (from env:API_TOKEN), and there is no other to try"),
        (ChallengeMiddleware::new(API, Password::new("u", "p")).unwrap(), "the server refused this password"),
        (ChallengeMiddleware::new(API, Fake::new()).unwrap(), "the server refused this token"),
        (
            ChallengeMiddleware::new(API, Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))))).unwrap(),
            "the server refused the new token",
        ),
    ] {
        let error = never().client(&auth).get(API).send().await.unwrap_err();
        assert!(line(&error).contains(&format!("({wanted})")), "{error}");
        assert!(!line(&error).contains("where it means 403"), "{error}");
        assert_eq!(Unauthorized::find(&error).unwrap().hint(), None);
    }
}

#[tokio::test]
async fn the_error_has_a_hint_of_a_403_only_if_the_credential_works_on_another_path() {
    let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
        ("/ok", token) if !token.is_empty() => status(200),
        _ => challenged(),
    });
    let renewed =
        || ChallengeMiddleware::new(API, Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))))).unwrap();
    let fixed = || ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap();
    for auth in [renewed(), fixed()] {
        let client = server.client(&auth);
        let error = client.get(format!("{API}/not-mine")).send().await.unwrap_err();
        assert_eq!(Unauthorized::find(&error).unwrap().hint(), None, "the credential has not worked on any path");
        client.get(format!("{API}/ok")).send().await.unwrap();
        let error = client.get(format!("{API}/not-mine/either")).send().await.unwrap_err();
        assert!(line(&error).contains("may send 401 where it means 403"), "{error}");
    }
    // If the server accepted a credential on this path before, and now refuses it there, the credential has expired. So
    // there is no hint about 403.
    let auth = fixed();
    let server = Script::new(|_, number| if number == 0 { status(200) } else { challenged() });
    server.client(&auth).get(API).send().await.unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().hint(), None);
}

#[tokio::test]
async fn an_exhausted_budget_has_its_own_reason() {
    let auth = ChallengeMiddleware::builder(API, Fake::new()).clock(ManualClock::new()).build().unwrap();
    let client = Script::always(challenged()).client(&auth);
    for path in 0..3 {
        client.get(format!("{API}/{path}")).send().await.unwrap_err();
    }
    let error = client.get(format!("{API}/more")).send().await.unwrap_err();
    match Error::find(&error) {
        Some(Error::Unauthorized(refused)) => assert_eq!(refused.reason(), UnauthorizedReason::BudgetExhausted),
        other => panic!("{other:?}"),
    }
    assert!(Forbidden::find(&error).is_none());
}
