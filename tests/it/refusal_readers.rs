//! Readers of refusals that the caller sets, the end of a rate limit, and masked echoes.

use std::time::Duration;

use reqwest_challenge::{Builder, ChallengeMiddleware, Credential, Forbidden, Problem, RawRefusal, Unauthorized};
use reqwest_challenge_testing::ManualClock;

use crate::support::script::{API, Script, respond};

const SECRET: &str = "hunter2-of-the-caller";

fn builder() -> Builder {
    ChallengeMiddleware::builder(API, Credential::bearer(SECRET))
}

async fn refused(builder: Builder, status: u16, headers: &[(&str, &str)], body: &str) -> reqwest_middleware::Error {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = body.to_owned();
    let server = Script::new(move |_, _| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        respond(status, &headers, &body)
    });
    server.client(&builder.build().unwrap()).get(API).send().await.unwrap_err()
}

const CHALLENGE: (&str, &str) =
    ("www-authenticate", "Bearer error=\"insufficient_scope\", error_description=\"of the challenge\", scope=\"a b\"");

/// A reader for an API whose refusals are `code|text|scope`.
fn acme(refusal: &RawRefusal<'_>) -> Option<Problem> {
    let body = std::str::from_utf8(refusal.body()).ok()?;
    let [code, text, scope] = body.split('|').collect::<Vec<_>>().try_into().ok()?;
    let mut problem = refusal.problem();
    problem.code = Some(code.to_owned());
    problem.detail = Some(text.to_owned());
    problem.required_scopes = vec![scope.to_owned()];
    Some(problem)
}

#[tokio::test]
async fn the_reader_of_the_caller_takes_precedence_over_the_challenges_and_the_table() {
    let error =
        refused(builder().read_refusals(acme), 403, &[CHALLENGE, ("retry-after", "7")], "E7|no seat|seats").await;
    let denied = Forbidden::find(&error).unwrap();
    assert_eq!(denied.error_code().as_deref(), Some("E7"));
    assert_eq!(denied.message().as_deref(), Some("no seat"));
    assert_eq!(denied.required_scopes(), ["seats"]);
    assert_eq!(denied.retry_after(), Some(Duration::from_secs(7)));
    let error = refused(builder().read_refusals(acme), 401, &[CHALLENGE], "E7|no seat|seats").await;
    let denied = Unauthorized::find(&error).unwrap();
    assert_eq!((denied.error_code().as_deref(), denied.message().as_deref()), (Some("E7"), Some("no seat")));
}

#[tokio::test]
async fn the_table_applies_if_the_reader_of_the_caller_declines() {
    let body = r#"{"code":"E1","message":"of the body"}"#;
    let error = refused(builder().read_refusals(acme), 403, &[CHALLENGE], body).await;
    let denied = Forbidden::find(&error).unwrap();
    assert_eq!(denied.error_code().as_deref(), Some("insufficient_scope"));
    assert_eq!(denied.message().as_deref(), Some("of the body"));
    assert_eq!(denied.problem().code.as_deref(), Some("E1"));
    assert_eq!(denied.required_scopes(), ["a", "b"]);
}

#[tokio::test]
async fn a_raw_refusal_gives_the_response_and_prints_no_values() {
    let read = |refusal: &RawRefusal<'_>| {
        assert_eq!((refusal.status().as_u16(), refusal.body()), (403, &b"E1|private|s"[..]));
        assert!(refusal.challenges().get("bearer").is_some() && refusal.headers().contains_key("x-a"));
        let shown = format!("{refusal:?}");
        assert!(shown.contains("x-a") && !shown.contains("private"), "{shown}");
        // The code shows that the reader ran.
        let mut problem = Problem::default();
        problem.code = Some("seen".to_owned());
        Some(problem)
    };
    let error = refused(builder().read_refusals(read), 403, &[CHALLENGE, ("x-a", "private")], "E1|private|s").await;
    assert_eq!(Forbidden::find(&error).unwrap().error_code().as_deref(), Some("seen"));
}

/// Header fields, and the expected number of seconds.
type Case<'c> = (&'c [(&'c str, &'c str)], Option<f64>);

#[tokio::test]
async fn the_end_of_a_rate_limit_is_counted_from_the_clock_of_the_middleware() {
    // The clock shows 1,800,000,000 s since 1970: Fri, 15 Jan 2027 08:00:00 GMT.
    let left = ("x-ratelimit-remaining", "0");
    let huge = "9".repeat(400);
    let cases: [Case<'_>; 28] = [
        (&[("retry-after", "120")], Some(120.0)),
        (&[("retry-after", "1.5")], Some(1.5)),
        (&[("retry-after", "99999999999999999999999999")], Some(366.0 * 86_400.0)),
        (&[("retry-after", "Fri, 15 Jan 2027 08:00:30 GMT")], Some(30.0)),
        (&[("retry-after", "Friday, 15-Jan-27 08:00:30 GMT")], Some(30.0)),
        (&[("retry-after", "Fri Jan 15 08:00:30 2027")], Some(30.0)),
        (&[("retry-after", "Fri, 15 Jan 9999 08:00:30 GMT")], Some(366.0 * 86_400.0)),
        (&[("retry-after", "2027-01-15T09:00:30+01:00")], Some(30.0)),
        (&[("retry-after", "Tue, 29 Feb 2028 08:00:00 GMT")], Some(366.0 * 86_400.0)),
        (&[("retry-after", "soon")], None),
        (&[("retry-after", "-5")], None),
        (&[("retry-after", "Fri, 99 Jan 2027 08:00:30 GMT")], None),
        (&[("retry-after-ms", "1500")], Some(1.5)),
        (&[left, ("x-ratelimit-reset", "1800000050")], Some(50.0)),
        (&[left, ("x-ratelimit-reset", "1800000050000")], Some(50.0)),
        (&[left, ("x-ratelimit-reset", "1800000050.25")], Some(50.25)),
        (&[left, ("x-ratelimit-reset", "50")], Some(50.0)),
        (&[left, ("x-ratelimit-reset", "1700000000")], Some(0.0)),
        (&[left, ("x-ratelimit-reset", "2027-01-15T08:01Z")], Some(60.0)),
        (&[left, ("x-ratelimit-reset", &huge)], Some(366.0 * 86_400.0)),
        (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "1m2.5s")], Some(62.5)),
        (&[("x-ratelimit-remaining", "0.0"), ("x-ratelimit-reset", "300")], Some(300.0)),
        (&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "300")], None),
        (&[("x-ratelimit-reset", "300")], None),
        (&[("ratelimit", "\"a\";r=0;t=5, \"b\";r=0;t=50, \"c\";r=1;t=99")], Some(50.0)),
        (&[("ratelimit", "limit=10, remaining=0, reset=7")], Some(7.0)),
        (&[("ratelimit", "limit=10, remaining=2, reset=7")], None),
        // `Retry-After` takes precedence, because it is about this request.
        (&[("retry-after", "3"), left, ("x-ratelimit-reset", "1800000050")], Some(3.0)),
    ];
    for (headers, wanted) in cases {
        let error = refused(builder().clock(ManualClock::new()), 403, headers, "").await;
        let read = Forbidden::find(&error).unwrap().retry_after();
        assert_eq!(read, wanted.map(Duration::from_secs_f64), "{headers:?}");
    }
}

#[tokio::test]
async fn an_echoed_credential_is_masked_in_each_value_of_a_refusal() {
    let json = format!(
        "{{\"code\":\"{SECRET}\",\"title\":\"a {SECRET}\",\"detail\":\"b {SECRET}\",\"requiredScopes\":[\"{SECRET}\"],\"help\":\"https://a.example/{SECRET}\"}}"
    );
    let xml = format!("<Error><Code>{SECRET}</Code><Message a='{SECRET}'>of {SECRET}</Message></Error>");
    let html = format!("<html><title>{SECRET}</title><p>you have sent us {SECRET}</p></html>");
    let field = format!("required; url=https://a.example/{SECRET}");
    let headers = [
        ("x-github-sso", &*field),
        ("x-ms-error-code", SECRET),
        ("x-accepted-oauth-scopes", SECRET),
        ("x-oauth-scopes", "none"),
    ];
    for headers in [&headers[..], &[]] {
        for body in [&json, &xml, &html, &format!("you sent {SECRET}"), &format!("\"you sent {SECRET}\"")] {
            let error = refused(builder(), 403, headers, body).await;
            let denied = Forbidden::find(&error).unwrap();
            let scopes = denied.required_scopes();
            let shown = format!("{:?} {:?} {:?} {error}", denied.problem(), denied.message(), denied.error_code());
            assert!(shown.contains("***") && !format!("{shown} {scopes:?}").contains(SECRET), "{shown} {scopes:?}");
        }
    }
}
