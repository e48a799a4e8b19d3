//! `unauthenticated_when`: responses that count as a 401 by their head.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use reqwest_challenge::lint::Finding;
use reqwest_challenge::{
    AuthReport, Builder, CallOptions, ChallengeMiddleware, Credential, Error, Event, Forbidden, RefreshReason,
    Unauthorized, UnauthorizedReason,
};

use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Answer, Script, challenged, respond, status, stream};
use crate::support::traced;

fn with_t0() -> Fake {
    Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))))
}

/// A middleware for which these statuses count as a 401.
fn counting(fake: &Fake, statuses: &'static [u16]) -> Builder {
    let builder = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new());
    builder.unauthenticated_when(|head| statuses.contains(&head.status().as_u16()))
}

#[track_caller]
fn refused(error: &reqwest_middleware::Error) -> &Unauthorized {
    Unauthorized::find(error).unwrap_or_else(|| panic!("{error}"))
}

#[tokio::test]
async fn a_head_that_counts_as_a_401_is_answered_by_one_refresh_and_one_more_send() {
    let login_page = || respond(302, &[("location", "/login")], "");
    let named = || respond(400, &[("x-error-code", "expired_token")], "");
    for (answer, method) in [
        (status(419), "GET"),
        (status(440), "POST"),
        (status(498), "HEAD"),
        (status(500), "GET"),
        (named(), "PUT"),
        (login_page(), "GET"),
    ] {
        let fake = with_t0();
        let server = Script::new(move |arrived, _| if arrived.token() == "t1" { status(200) } else { answer.clone() });
        let auth = ChallengeMiddleware::builder(API, fake.clone()).unauthenticated_when(|head| {
            let is = |name: &str, value: &str| head.headers().get(name).is_some_and(|found| found == value);
            match head.status().as_u16() {
                419 | 440 | 498 | 500 => true,
                400 => is("x-error-code", "expired_token"),
                _ => is("location", "/login"),
            }
        });
        let client = server.client(&auth.build().unwrap());
        // The first call signs after the initial call of the refresher; the others sign at once.
        for _ in 0..2 {
            let response = client.request(method.parse().unwrap(), API).body("the same").send().await.unwrap();
            assert_eq!(response.status(), 200, "{method}");
        }
        assert_eq!((server.tokens().join(" "), fake.reasons()), ("t0 t1 t1".into(), vec![RefreshReason::Challenged]));
        assert_eq!(server.requests()[1].body(), b"the same");
    }
}

#[tokio::test]
async fn a_held_credential_that_is_refused_by_such_a_head_is_renewed() {
    let fake = Fake::new();
    let server = Script::new(|arrived, _| if arrived.token() == "t1" { status(200) } else { status(419) });
    let auth = counting(&fake, &[419]).initial_credential(Credential::bearer("t0")).build().unwrap();
    let response = server.client(&auth).get(API).send().await.unwrap();
    assert_eq!((response.status().as_u16(), AuthReport::of(&response).attempts()), (200, 2));
    assert_eq!((server.sends(), fake.calls()), (2, 1));
}

#[tokio::test]
async fn the_function_is_not_asked_about_a_success_a_401_or_a_403() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (seen, fake) = (asked.clone(), with_t0());
    let server = Script::new(|arrived, _| match arrived.path()[1..].parse() {
        Ok(401) => challenged(),
        Ok(number) => status(number),
        Err(_) => status(500),
    });
    let auth = ChallengeMiddleware::builder(API, fake.clone()).unauthenticated_when(move |head| {
        seen.lock().unwrap().push(head.status().as_u16());
        head.status().is_success() || matches!(head.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    });
    let client = server.client(&auth.build().unwrap());
    for number in [200, 201, 204, 206, 299, 404, 503] {
        assert_eq!(client.get(format!("{API}/{number}")).send().await.unwrap().status(), number);
    }
    let error = client.get(format!("{API}/403")).send().await.unwrap_err();
    assert!(Forbidden::find(&error).is_some(), "{error}");
    assert_eq!((server.sends(), fake.calls()), (8, 0));
    client.get(format!("{API}/401")).send().await.unwrap_err();
    assert_eq!(*asked.lock().unwrap(), [404, 503], "each response is asked about once");
}

#[tokio::test]
async fn a_second_such_head_is_unauthorized_with_its_real_status_and_the_path_has_a_cooldown() {
    let (server, fake) = (Script::always(respond(419, &[], "page expired")), with_t0());
    let auth = counting(&fake, &[419]).build().unwrap();
    let client = server.client(&auth);
    let error = client.get(API).send().await.unwrap_err();
    let first = refused(&error);
    assert_eq!((first.status().as_u16(), first.reason()), (419, UnauthorizedReason::StillRejected));
    assert_eq!((server.sends(), fake.calls(), &first.body()[..]), (2, 1, &b"page expired"[..]));
    let wanted = format!(
        "419 to GET {API}/: page expired (the server refused the new token); it counts as a 401 by `unauthenticated_when`"
    );
    assert_eq!(first.to_string(), wanted);
    // The path is in its cooldown.
    let error = client.get(API).send().await.unwrap_err();
    assert_eq!(refused(&error).reason(), UnauthorizedReason::StillRejected);
    assert_eq!((server.sends(), fake.calls()), (3, 1));
}

#[tokio::test]
async fn no_sequence_of_three_answers_causes_a_third_send_or_a_second_refresh_in_a_call() {
    let kinds = [200, 401, 403, 419, 500];
    for number in 0..kinds.len().pow(3) {
        let answers: Vec<_> = (0..3).map(|place| kinds[number / kinds.len().pow(place) % kinds.len()]).collect();
        let script = answers.clone();
        let server = Script::new(move |_, number| match script.get(number) {
            Some(401) => challenged(),
            Some(number) => status(*number),
            None => status(200),
        });
        let fake = with_t0();
        let client = server.client(&counting(&fake, &[419, 200, 403]).build().unwrap());
        let (mut sends, mut calls) = (0, 0);
        while sends < 3 {
            let _ = client.get(API).send().await;
            let now = (server.sends(), fake.calls());
            assert!(now.0 - sends <= 2 && now.1 - calls <= 1, "{answers:?}: {now:?}");
            let is_last = matches!(answers[sends], 200 | 403 | 500);
            assert!(!is_last || now.0 - sends == 1, "{answers:?}: sent again after {}", answers[sends]);
            (sends, calls) = now;
        }
    }
}

#[tokio::test]
async fn such_a_head_of_another_server_starts_no_refresh() {
    let (server, fake) = (Script::always(status(419).url("https://evil.example/")), with_t0());
    let error = server.client(&counting(&fake, &[419]).build().unwrap()).get(API).send().await.unwrap_err();
    assert_eq!(refused(&error).reason(), UnauthorizedReason::ForeignOrigin);
    assert_eq!((server.sends(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_twice_is_sent_once_and_the_next_call_succeeds() {
    for case in ["stream", "redirected", "safe methods only"] {
        let server = Script::new(move |arrived, _| match (arrived.token(), case) {
            ("t1", _) => status(200),
            (_, "redirected") => status(419).url(&format!("{API}/elsewhere")),
            _ => status(419),
        });
        let fake = with_t0();
        let auth = counting(&fake, &[419]);
        let auth = if case == "safe methods only" { auth.safe_methods_only() } else { auth }.build().unwrap();
        let client = server.client(&auth);
        let request = client.post(API);
        let request = if case == "stream" { request.body(stream("once")) } else { request.body("once") };
        let error = request.send().await.unwrap_err();
        let wanted = match case {
            "stream" => UnauthorizedReason::NotReplayable,
            "redirected" => UnauthorizedReason::Redirected,
            _ => UnauthorizedReason::NoRetry,
        };
        assert_eq!((refused(&error).reason(), server.sends(), fake.calls()), (wanted, 1, 1), "{case}");
        assert_eq!(client.post(API).body("once").send().await.unwrap().status(), 200, "{case}");
        assert_eq!((server.sends(), fake.calls()), (2, 1), "{case}");
    }
}

#[tokio::test]
async fn a_server_that_answers_so_to_everything_costs_three_refreshes() {
    let (server, fake) = (Script::always(status(419)), with_t0());
    let client = server.client(&counting(&fake, &[419]).build().unwrap());
    let mut last = None;
    for path in 0..200 {
        last = client.get(format!("{API}/{path}")).send().await.err();
    }
    assert_eq!(refused(&last.unwrap()).reason(), UnauthorizedReason::BudgetExhausted);
    assert_eq!((fake.calls(), server.sends()), (3, 203));
}

#[tokio::test]
async fn a_hundred_calls_that_get_such_a_head_share_one_refresh() {
    let server = Script::new(|arrived, _| if arrived.token() == "t1" { status(200) } else { status(419) });
    let fake = Fake::new().gated();
    let auth = counting(&fake, &[419]).initial_credential(Credential::bearer("t0")).build().unwrap();
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(server.client(&auth).get(API).send())).collect();
    crate::support::fake::until(|| server.sends() == 100).await;
    fake.let_one_through();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!((server.sends(), fake.calls()), (200, 1));
}

#[tokio::test]
async fn pass_through_returns_the_second_response() {
    let (server, fake) = (Script::always(respond(419, &[], "page expired")), with_t0());
    let auth = counting(&fake, &[419]).pass_through().build().unwrap();
    let response = server.client(&auth).get(API).send().await.unwrap();
    assert_eq!((response.status().as_u16(), AuthReport::of(&response).attempts()), (419, 2));
    assert_eq!(response.text().await.unwrap(), "page expired");
    assert_eq!((server.sends(), fake.calls()), (2, 1));
}

#[tokio::test]
async fn a_caller_that_allows_one_send_or_sets_the_credential_gets_the_error_at_once() {
    for case in ["no retry", "header", "identity"] {
        let (server, fake) = (Script::always(status(419)), with_t0());
        let client = server.client(&counting(&fake, &[419]).build().unwrap());
        let (request, options) = (client.get(API), CallOptions::new());
        let request = match case {
            "no retry" => request.with_extension(options.no_retry()),
            "header" => request.bearer_auth("mine"),
            _ => request.with_extension(options.identity(Credential::bearer("theirs"))),
        };
        let error = request.send().await.unwrap_err();
        let wanted =
            if case == "no retry" { UnauthorizedReason::NoRetry } else { UnauthorizedReason::CallerCredential };
        assert_eq!((refused(&error).reason(), server.sends(), fake.calls()), (wanted, 1, 0), "{case}");
    }
    let server = Script::always(status(419));
    let client = server.client(&counting(&with_t0(), &[419]).build().unwrap());
    let response = client.get(API).with_extension(CallOptions::new().skip()).send().await.unwrap();
    assert_eq!(response.status(), 419);
}

#[tokio::test]
async fn the_head_has_the_url_the_challenges_and_the_header_of_the_refused_credential() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heads = seen.clone();
    let server = Script::always(respond(498, &[(WWW_AUTHENTICATE.as_str(), "Bearer realm=\"api\"")], ""));
    let auth = ChallengeMiddleware::builder(API, Fake::new()).initial_credential(Credential::bearer("t0"));
    let auth = auth.unauthenticated_when(move |head| {
        let sent = head.sent_header().map(|value| value.to_str().unwrap().to_owned());
        let realm = head.challenges().get("bearer").and_then(|bearer| bearer.realm().map(|realm| realm.into_owned()));
        heads.lock().unwrap().push((head.url().path().to_owned(), sent, realm));
        false
    });
    let response = server.client(&auth.build().unwrap()).get(format!("{API}/x")).send().await.unwrap();
    assert_eq!(response.status(), 498, "the function decides");
    assert_eq!(*seen.lock().unwrap(), [("/x".into(), Some("Bearer t0".into()), Some("api".into()))]);
}

#[tokio::test]
async fn the_lint_checks_such_a_head_by_its_real_status() {
    let server = Script::always(status(419));
    let error = server.client(&counting(&with_t0(), &[419]).build().unwrap()).get(API).send().await.unwrap_err();
    let findings = refused(&error).report().findings().iter().map(Finding::id).collect::<Vec<_>>();
    assert!(findings.is_empty(), "{findings:?}");
}

#[tokio::test]
async fn the_event_and_the_trace_have_the_real_status() {
    traced::capture();
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let server = Script::new(|arrived, _| match (arrived.token(), arrived.path()) {
        ("t1", "/401") => challenged(),
        ("t1", _) => status(200),
        _ => status(419),
    });
    let auth = counting(&with_t0(), &[419]).on_event(move |event| {
        if let Event::Challenged { status, url, schemes, .. } = event {
            seen.lock().unwrap().push(format!("{} {url} {schemes:?}", status.as_u16()));
        }
    });
    let client = server.client(&auth.build().unwrap());
    client.get(format!("{API}/?token=hunter2")).send().await.unwrap();
    client.get(format!("{API}/401")).with_extension(CallOptions::new().no_retry()).send().await.unwrap_err();
    let wanted = [format!("419 {API}/ []"), format!("401 {API}/401 [\"Bearer\"]")];
    assert_eq!(*events.lock().unwrap(), wanted);
    let text = traced::text();
    assert!(
        text.contains("reqwest_challenge: counts as 401 ")
            && text.contains("status=419")
            && text.contains("reqwest_challenge: 401 "),
        "{text}"
    );
    assert!(!text.contains("hunter2") && !text.contains("t0"), "{text}");
}

#[tokio::test]
async fn strict_declines_such_a_head_without_a_challenge() {
    let (server, fake) = (Script::always(Answer::new(419)), with_t0());
    let auth = counting(&fake, &[419]).strict().build().unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    assert_eq!((refused(&error).reason(), fake.calls()), (UnauthorizedReason::Declined, 0));
    assert!(matches!(Error::find(&error), Some(Error::Unauthorized(_))));
}
