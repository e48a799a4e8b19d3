//! `inspect_bodies`: a 200 or 400 whose body says that the credential has expired.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest_challenge::lint::Finding;
use reqwest_challenge::{
    AuthReport, Builder, CallOptions, ChallengeMiddleware, Credential, MockResponse, RefreshReason, Refusal,
};

use crate::support::fake::{Fake, ManualClock, until};
use crate::support::script::{API, Answer, Gate, Script, challenged, respond, status};

const JSON: &str = "application/json";
const EXPIRED: &str = r#"{"ok":false,"error":"token_expired"}"#;

fn expired() -> Answer {
    respond(200, &[("content-type", JSON)], EXPIRED)
}

/// A middleware that holds `t0` and reads the error code of bodies of up to 1,000 bytes.
fn inspecting(fake: &Fake) -> Builder {
    let builder = ChallengeMiddleware::builder(API, fake.clone()).initial_credential(Credential::bearer("t0"));
    let builder = builder.clock(ManualClock::new()).inspect_bodies(1_000);
    builder.expired_when(|refusal| refusal.error_code().as_deref() == Some("token_expired"))
}

type Asked = Arc<Mutex<Vec<Refusal>>>;

/// A middleware that holds `t0` and takes each refusal that its function gets as an expired credential.
fn recording(fake: &Fake) -> (Builder, Asked) {
    let asked = Asked::default();
    let seen = asked.clone();
    let builder = inspecting(fake).expired_when(move |refusal| {
        seen.lock().unwrap().push(refusal.clone());
        true
    });
    (builder, asked)
}

#[tokio::test]
async fn this_call_returns_its_response_and_the_next_one_renews() {
    let graphql = r#"{"data":null,"errors":[{"message":"Log in","extensions":{"code":"UNAUTHENTICATED"}}]}"#;
    for (status_code, media, body) in [
        (200, "application/graphql-response+json; charset=utf-8", graphql),
        (200, JSON, EXPIRED),
        (400, JSON, r#"{"error":"ExpiredToken","message":"Token has expired"}"#),
    ] {
        let answer = respond(status_code, &[("content-type", media)], body);
        let server = Script::new(move |arrived, _| if arrived.token() == "t0" { answer.clone() } else { status(200) });
        for has_initial in [false, true] {
            let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
            let auth = ChallengeMiddleware::builder(API, fake.clone()).inspect_bodies(64 << 10);
            let auth = if has_initial { auth.initial_credential(Credential::bearer("t0")) } else { auth };
            let auth = auth.expired_when(|refusal| {
                let code = refusal.error_code();
                matches!(code.as_deref(), Some("UNAUTHENTICATED" | "token_expired" | "ExpiredToken"))
            });
            let auth = auth.build().unwrap();
            let client = server.client(&auth);
            let sends = server.sends();
            let response = client.post(API).send().await.unwrap();
            assert_eq!((response.status().as_u16(), AuthReport::of(&response).attempts()), (status_code, 1));
            assert_eq!(response.extensions().get(), Some(&MockResponse));
            assert_eq!((response.text().await.unwrap().as_str(), auth.session().credential()), (body, None));
            assert_eq!((server.sends() - sends, fake.calls()), (1, 0));
            assert_eq!(client.post(API).send().await.unwrap().text().await.unwrap(), "");
            assert_eq!(
                (fake.reasons(), server.tokens().last().unwrap().as_str()),
                (vec![RefreshReason::Expired], "t1")
            );
        }
    }
}

#[tokio::test]
async fn the_refusal_has_the_facts_of_the_response_and_prints_no_secret() {
    let (auth, asked) = recording(&Fake::new());
    let body = r#"{"error":"token_expired","message":"t0-hunter2 is old"}"#;
    let server = Script::always(respond(400, &[("content-type", JSON), ("retry-after", "7")], body));
    let auth = auth.initial_credential(Credential::bearer("t0-hunter2")).build().unwrap();
    server.client(&auth).post(format!("{API}/x?key=s3cret")).send().await.unwrap();
    let asked = asked.lock().unwrap();
    let refusal = &asked[0];
    assert_eq!(
        (refusal.method().as_str(), refusal.url().as_str(), refusal.status().as_u16()),
        ("POST", "https://api.example.com/x", 400)
    );
    assert_eq!((&refusal.body()[..], refusal.is_body_whole()), (body.as_bytes(), true));
    assert_eq!((refusal.message().as_deref(), refusal.is_authenticated()), (Some("*** is old"), true));
    assert_eq!((refusal.retry_after(), refusal.is_foreign()), (Some(Duration::from_secs(7)), false));
    let printed = format!("{refusal:?}");
    assert!(
        printed.starts_with("Refusal {") && !printed.contains("hunter2") && !printed.contains("s3cret"),
        "{printed}"
    );
}

#[tokio::test]
async fn other_responses_are_not_shown_to_the_function() {
    let json = |number| respond(number, &[("content-type", JSON)], EXPIRED);
    let typed = |media| respond(200, &[("content-type", media)], EXPIRED);
    let encoded = |coding| respond(200, &[("content-type", JSON), ("content-encoding", coding)], EXPIRED);
    let other = "https://other.example.com/";
    for (case, answer, is_shown) in [
        ("json", json(200), true),
        ("problem", typed("application/problem+json"), true),
        ("xml", typed("application/soap+xml; charset=utf-8"), true),
        ("text", typed("Text/Plain"), true),
        ("form", typed("application/x-www-form-urlencoded"), true),
        ("no type", respond(200, &[], EXPIRED), true),
        ("identity", encoded("identity"), true),
        ("bad request", json(400), true),
        ("HEAD", json(200), false),
        ("header", json(200), false),
        ("identity of the call", json(200), false),
        ("201", json(201), false),
        ("206", json(206), false),
        ("404", json(404), false),
        ("500", json(500), false),
        ("image", typed("image/svg+xml"), false),
        ("lines", typed("application/x-ndjson"), false),
        ("events", typed("text/event-stream"), false),
        ("gzip", encoded("gzip"), false),
        ("empty", respond(200, &[("content-type", JSON)], ""), false),
        ("too long", Answer::new(200).header("content-type", JSON).body_of_size(1_001), false),
        ("longest", Answer::new(200).header("content-type", JSON).body_of_size(1_000), true),
        ("endless", Answer::new(200).header("content-type", JSON).endless_body(), false),
        ("another server", json(200).url(other), false),
    ] {
        let (auth, asked) = recording(&Fake::new());
        let auth = auth.build().unwrap();
        let client = Script::always(answer).client(&auth);
        let request = match case {
            "HEAD" => client.head(API),
            "header" => client.get(API).bearer_auth("mine"),
            "identity of the call" => {
                client.get(API).with_extension(CallOptions::new().identity(Credential::bearer("theirs")))
            }
            _ => client.get(API),
        };
        let mut response = request.send().await.unwrap();
        let shown = usize::from(is_shown);
        assert_eq!((asked.lock().unwrap().len(), auth.session().credential().is_none()), (shown, is_shown), "{case}");
        // More than the limit can be read of an endless body.
        let mut length = 0;
        while let Some(chunk) = response.chunk().await.unwrap().filter(|_| length < 20_000) {
            length += chunk.len();
        }
        let wanted = match case {
            "empty" => 0,
            "too long" => 1_001,
            "longest" => 1_000,
            "endless" => length.max(20_000),
            _ => EXPIRED.len(),
        };
        assert_eq!(length, wanted, "{case}");
    }
}

#[tokio::test]
async fn a_request_without_a_credential_or_without_a_function_reads_no_body() {
    let (auth, asked) = (ChallengeMiddleware::builder(API, Fake::new()), Asked::default());
    let seen = asked.clone();
    let auth = auth.inspect_bodies(1_000).expired_when(move |refusal| {
        seen.lock().unwrap().push(refusal.clone());
        true
    });
    Script::always(expired()).client(&auth.build().unwrap()).get(API).send().await.unwrap();
    assert!(asked.lock().unwrap().is_empty());
    let auth = ChallengeMiddleware::builder(API, Fake::new()).inspect_bodies(1_000);
    let auth = auth.initial_credential(Credential::bearer("t0")).build().unwrap();
    let response = Script::always(expired()).client(&auth).get(API).send().await.unwrap();
    assert_eq!((response.text().await.unwrap().as_str(), auth.session().credential().is_some()), (EXPIRED, true));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_passed_on_after_the_body_timeout_and_at_once_if_it_is_not_read() {
    for (case, wait) in [("stalls", 3), ("event stream", 0), ("another server", 0), ("no function", 0)] {
        let (auth, asked) = match case {
            "no function" => {
                let auth = ChallengeMiddleware::builder(API, Fake::new()).inspect_bodies(1_000);
                (auth.initial_credential(Credential::bearer("t0")), Asked::default())
            }
            _ => recording(&Fake::new()),
        };
        let auth = auth.body_timeout(Duration::from_secs(3)).build().unwrap();
        let media = if case == "event stream" { "text/event-stream" } else { JSON };
        let answer = respond(200, &[("content-type", media)], EXPIRED).stall_body();
        let answer = if case == "another server" { answer.url("https://other.example.com/") } else { answer };
        let started = tokio::time::Instant::now();
        let mut response = Script::always(answer).client(&auth).get(API).send().await.unwrap();
        assert_eq!(started.elapsed().as_secs(), wait, "{case}");
        assert_eq!((response.chunk().await.unwrap().unwrap(), response.content_length()), (EXPIRED.into(), None));
        // The rest of the body still stalls.
        assert!(tokio::time::timeout(Duration::from_secs(60), response.chunk()).await.is_err());
        assert_eq!((asked.lock().unwrap().len(), auth.session().credential().is_some()), (0, true), "{case}");
    }
}

#[tokio::test]
async fn a_thousand_such_responses_cause_one_refresh_by_the_next_calls() {
    let (fake, gate) = (Fake::new(), Gate::closed());
    let held = expired().hold_until(&gate);
    let server = Script::new(move |arrived, _| if arrived.token() == "t0" { held.clone() } else { status(200) });
    let client = server.client(&inspecting(&fake).build().unwrap());
    let calls = |sends: usize| {
        let calls: Vec<_> = (0..1_000).map(|_| tokio::spawn(client.get(API).send())).collect();
        let server = &server;
        async move {
            until(|| server.sends() >= sends).await;
            calls
        }
    };
    let first = calls(1_000).await;
    gate.open();
    for call in first {
        assert_eq!(call.await.unwrap().unwrap().text().await.unwrap(), EXPIRED);
    }
    assert_eq!((server.sends(), fake.calls()), (1_000, 0));
    for call in calls(2_000).await {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!((server.sends(), fake.calls()), (2_000, 1));
}

#[tokio::test]
async fn a_late_response_does_not_invalidate_a_newer_credential() {
    let (fake, gate) = (Fake::new(), Gate::closed());
    let late = expired().hold_until(&gate);
    let server = Script::new(move |arrived, _| match (arrived.path(), arrived.token()) {
        ("/late", _) => late.clone(),
        (_, "t0") => expired(),
        _ => status(200),
    });
    let auth = inspecting(&fake).build().unwrap();
    let client = server.client(&auth);
    let waiting = tokio::spawn(client.get(format!("{API}/late")).send());
    until(|| server.sends() == 1).await;
    for _ in 0..2 {
        client.get(API).send().await.unwrap();
    }
    gate.open();
    assert_eq!(waiting.await.unwrap().unwrap().text().await.unwrap(), EXPIRED);
    assert_eq!((auth.session().credential(), fake.calls()), (Some(Credential::bearer("t1")), 1));
}

#[tokio::test]
async fn a_server_that_always_says_expired_costs_three_refreshes() {
    let (server, fake) = (Script::always(expired()), Fake::new());
    let client = server.client(&inspecting(&fake).build().unwrap());
    for path in 0..50 {
        assert_eq!(client.get(format!("{API}/{path}")).send().await.unwrap().text().await.unwrap(), EXPIRED);
    }
    assert_eq!((fake.calls(), server.sends()), (3, 50), "while no refresh starts, the old credential is sent");
}

#[tokio::test]
async fn a_path_that_always_says_expired_beside_one_that_accepts_has_a_cooldown() {
    for number in [200, 403] {
        let bad = respond(number, &[("content-type", JSON)], EXPIRED);
        let server = Script::new(move |arrived, _| if arrived.path() == "/bad" { bad.clone() } else { status(200) });
        let (fake, clock) = (Fake::new(), ManualClock::new());
        let client = server.client(&inspecting(&fake).clock(clock.clone()).build().unwrap());
        for _ in 0..50 {
            let _ = client.get(format!("{API}/bad")).send().await;
            client.get(format!("{API}/good")).send().await.unwrap();
        }
        let before = fake.calls();
        assert!(before <= 2, "{number}: {before}");
        clock.forward(Duration::from_secs(61));
        for _ in 0..2 {
            let _ = client.get(format!("{API}/bad")).send().await;
        }
        assert_eq!(fake.calls(), before + 1, "{number}: the cooldown has ended");
    }
}

#[tokio::test]
async fn a_body_that_does_not_say_expired_counts_as_accepted() {
    let server = Script::new(|arrived, _| match arrived.path() {
        "/ok" => respond(200, &[("content-type", JSON)], r#"{"ok":true}"#),
        _ => challenged(),
    });
    let fake = Fake::new();
    let client = server.client(&inspecting(&fake).build().unwrap());
    for path in 0..10 {
        client.get(format!("{API}/{path}")).send().await.unwrap_err();
        assert_eq!(client.get(format!("{API}/ok")).send().await.unwrap().text().await.unwrap(), r#"{"ok":true}"#);
    }
    assert_eq!(fake.calls(), 10, "each success keeps the budget full");
}

#[tokio::test]
async fn a_replayed_call_is_inspected_too() {
    let fake = Fake::new();
    let server = Script::new(|arrived, _| match arrived.token() {
        "t0" => challenged(),
        "t1" => expired(),
        _ => status(200),
    });
    let auth = inspecting(&fake).build().unwrap();
    let client = server.client(&auth);
    let response = client.get(API).send().await.unwrap();
    assert_eq!((AuthReport::of(&response).attempts(), response.text().await.unwrap().as_str()), (2, EXPIRED));
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    assert_eq!((server.tokens().join(" "), fake.calls()), ("t0 t1 t2".into(), 2));
}

#[tokio::test]
async fn the_lint_checks_the_body_that_was_read_and_the_reader_of_the_caller_reads_it() {
    let body = r#"{"error":"invalid_token","why":"old"}"#;
    let server = Script::always(respond(200, &[("content-type", JSON)], body));
    let auth = inspecting(&Fake::new()).read_refusals(|refusal| {
        let mut problem = refusal.problem();
        problem.code = Some(if refusal.body().ends_with(b"\"old\"}") { "token_expired" } else { "other" }.to_owned());
        Some(problem)
    });
    let auth = auth.build().unwrap();
    let response = server.client(&auth).get(API).send().await.unwrap();
    let findings: Vec<_> = AuthReport::of(&response).findings().iter().map(Finding::id).collect();
    assert_eq!((findings, auth.session().credential()), (vec!["success-with-an-error"], None));
}
