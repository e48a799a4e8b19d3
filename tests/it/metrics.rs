//! What the metrics count, and that no label holds a secret or a value that grows without a bound.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest_challenge::{
    CallOptions, ChallengeMiddleware, Credential, RefreshContext, RefreshError, RefreshErrorKind, UnauthorizedReason,
};
use reqwest_middleware::ClientBuilder;

use crate::support::fake::{Fake, ManualClock};
use crate::support::recorder::Recorder;
use crate::support::script::{API, Answer, Script, challenged, challenged_with, respond, status};

const CALLS: &str = "reqwest_challenge.calls";
const REFRESHES: &str = "reqwest_challenge.refreshes";
const VERDICT: &str = "reqwest_challenge.verdict";
const RESENDS: &str = "http.request.resend_count";
const REASON: &str = "reqwest_challenge.refresh.reason";
const OUTCOME: &str = "reqwest_challenge.refresh.outcome";
const BACKGROUND: &str = "reqwest_challenge.refresh.background";

/// Sends one request to a server that gives these answers in order, and returns the recorder.
async fn record(answers: impl IntoIterator<Item = Answer>, fake: Fake, options: CallOptions) -> Recorder {
    let recorder = Recorder::default();
    let installed = recorder.install();
    let server = Script::sequence(answers);
    let auth = ChallengeMiddleware::new(API, fake.with_initial(Ok(Some(Credential::bearer("t0"))))).unwrap();
    let _ = server.client(&auth).get(API).with_extension(options).send().await;
    drop(installed);
    recorder
}

#[tokio::test]
async fn each_end_of_a_call_is_counted_once_with_its_verdict() {
    let scopes = || Answer::insufficient_scope("write");
    let denied = || Fake::failing(RefreshError::new(RefreshErrorKind::TimedOut));
    let declines = || Fake::answering(|_, _| Ok(None));
    let plain = CallOptions::new;
    let cases = [
        ("ok", "0", vec![status(200)], Fake::new(), plain()),
        ("ok", "0", vec![status(500)], Fake::new(), plain()),
        ("ok", "1", vec![challenged(), status(200)], Fake::new(), plain()),
        ("forbidden", "0", vec![scopes()], Fake::new(), plain()),
        ("forbidden", "1", vec![challenged(), scopes()], Fake::new(), plain()),
        ("forbidden", "0", vec![scopes()], Fake::new(), plain().pass_through()),
        ("still_rejected", "1", vec![challenged(), challenged()], Fake::new(), plain()),
        ("still_rejected", "1", vec![challenged(), challenged()], Fake::new(), plain().pass_through()),
        ("declined", "0", vec![challenged()], declines(), plain()),
        ("refresh_failed", "0", vec![challenged()], denied(), plain()),
        ("no_retry", "0", vec![challenged()], Fake::new(), plain().no_retry()),
        ("caller_credential", "0", vec![challenged()], Fake::new(), plain().identity(Credential::bearer("mine"))),
        ("foreign_origin", "0", vec![challenged().url("https://other.example.org/")], Fake::new(), plain()),
        ("no_response", "0", vec![Answer::cut()], Fake::new(), plain()),
        ("no_response", "1", vec![challenged(), Answer::cut()], Fake::new(), plain()),
    ];
    for (verdict, resends, answers, fake, options) in cases {
        let recorder = record(answers, fake, options).await;
        assert_eq!(recorder.values(CALLS, &[]), [1.0], "{verdict}");
        let labels = [(VERDICT, verdict), (RESENDS, resends)];
        assert_eq!(recorder.values(CALLS, &labels), [1.0], "{verdict}: {:?}", recorder.samples());
    }
}

#[tokio::test]
async fn a_success_that_passes_at_once_is_counted_once() {
    let recorder = Recorder::default();
    let _installed = recorder.install();
    let auth = ChallengeMiddleware::builder(API, Fake::new()).initial_credential(Credential::bearer("t0"));
    let client = Script::always(status(200)).client(&auth.build().unwrap());
    for number in 1..4 {
        client.get(API).send().await.unwrap();
        assert_eq!(recorder.values(CALLS, &[(VERDICT, "ok"), (RESENDS, "0")]).len(), number);
    }
    assert_eq!(recorder.samples().len(), 3);
}

#[tokio::test]
async fn a_call_that_may_not_be_sent_has_the_verdict_failed() {
    let recorder = Recorder::default();
    let _installed = recorder.install();
    let initial = Err(RefreshError::login_required("log in"));
    let auth = ChallengeMiddleware::new(API, Fake::new().with_initial(initial)).unwrap();
    let client = Script::always(status(200)).client(&auth);
    client.get(API).send().await.unwrap_err();
    client.get(API.replace("https", "http")).send().await.unwrap_err();
    assert_eq!(recorder.values(CALLS, &[(VERDICT, "failed"), (RESENDS, "0")]), [1.0, 1.0]);
    let failed = [(REASON, "initial"), (OUTCOME, "failed"), ("error.type", "login_required")];
    assert_eq!(recorder.values(REFRESHES, &failed), [1.0]);
}

#[tokio::test]
async fn a_refresh_is_counted_with_its_reason_its_outcome_and_its_waiters() {
    let recorder = record([challenged(), status(200)], Fake::new(), CallOptions::new()).await;
    let renewed = [(REASON, "challenged"), (OUTCOME, "renewed"), (BACKGROUND, "false")];
    assert_eq!(recorder.values(REFRESHES, &renewed), [1.0]);
    assert_eq!(recorder.values("reqwest_challenge.refresh.duration", &renewed[..2]).len(), 1);
    assert_eq!(recorder.values("reqwest_challenge.refresh.waiters", &[]), [1.0, 1.0]);
    let fails = Fake::failing(RefreshError::new(RefreshErrorKind::Transient { retry_after: None }));
    let recorder = record([challenged()], fails, CallOptions::new()).await;
    let failed = [(REASON, "challenged"), (OUTCOME, "failed"), ("error.type", "transient")];
    assert_eq!(recorder.values(REFRESHES, &failed), [1.0]);
    let panics = Fake::answering(|_, _| panic!("the refresher panics"));
    let recorder = record([challenged()], panics, CallOptions::new()).await;
    assert_eq!(recorder.values(REFRESHES, &[(OUTCOME, "failed"), ("error.type", "panicked")]), [1.0]);
}

#[tokio::test]
async fn a_renewal_in_the_background_is_counted_with_its_credential() {
    let (recorder, clock) = (Recorder::default(), ManualClock::new());
    let _installed = recorder.install();
    let expiring = |clock: &ManualClock| Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600)));
    let first = expiring(&clock);
    let of_refresh = clock.clone();
    let fake = Fake::answering(move |_, _| Ok(Some(expiring(&of_refresh)))).gated();
    let auth = ChallengeMiddleware::builder(API, fake.clone()).initial_credential(first).clock(clock.clone());
    let auth = auth.ignore_dates().renew_ahead(Duration::from_secs(600)).build().unwrap();
    let client = Script::always(status(200)).client(&auth);
    // The time is within `renew_ahead`, whose exact moment is random, and before the renewal is due.
    clock.forward(Duration::from_secs(3569));
    client.get(API).send().await.unwrap();
    fake.wait_for_calls(1).await;
    fake.let_one_through();
    assert!(auth.session().wait_until_saved(Duration::from_secs(5)).await);
    let ahead = [(REASON, "expired"), (OUTCOME, "renewed"), (BACKGROUND, "true")];
    assert_eq!(recorder.values(REFRESHES, &ahead), [1.0]);
    assert_eq!(recorder.values("reqwest_challenge.refresh.waiters", &[]), [0.0]);
    assert_eq!(recorder.values("reqwest_challenge.credential.remaining_lifetime", &[]), [3600.0]);
    let expiry = clock.time_in(Duration::from_secs(3600)).duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(recorder.values("reqwest_challenge.credential.expiry", &[]), [expiry.as_secs_f64()]);
}

#[tokio::test]
async fn each_pause_of_a_budget_is_counted_once() {
    let recorder = Recorder::default();
    let _installed = recorder.install();
    let auth = ChallengeMiddleware::builder(API, Fake::new()).clock(ManualClock::new()).build().unwrap();
    let client = Script::always(challenged()).client(&auth);
    for path in 0..20 {
        client.get(format!("{API}/{path}")).send().await.unwrap_err();
    }
    assert_eq!(recorder.values("reqwest_challenge.budget.exhausted", &[("reqwest_challenge.budget", "slot")]), [1.0]);
    assert_eq!(recorder.values(CALLS, &[(VERDICT, "budget_exhausted")]).len(), 17);
}

/// Reports that its save failed, like a store.
async fn unsaved(context: RefreshContext) -> Result<Credential, std::io::Error> {
    context.report_save_failed(&std::io::Error::other("the disk of s3cret-token is full"));
    Ok(Credential::bearer("s3cret-renewed"))
}

#[tokio::test]
async fn no_label_holds_a_secret_or_grows_with_the_requests() {
    let recorder = Recorder::default();
    let installed = recorder.install();
    for number in 0..100 {
        let realm = format!("Bearer realm=\"s3cret-realm-{number}\", error=\"s3cret-{number}\", scope=\"s3cret\"");
        let body = format!("{{\"error\": \"s3cret-{number}\"}}");
        let last = respond(200 + number % 50, &[("x-id", "s3cret")], &body);
        let server = Script::sequence([challenged_with(&realm), last]);
        let auth = ChallengeMiddleware::builder(API, unsaved)
            .initial_credential(Credential::bearer("s3cret-token"))
            .partition_by(move |_, _| format!("s3cret-tenant-{number}"))
            .build()
            .unwrap();
        let url = format!("{API}/s3cret-path-{number}?s3cret={number}");
        server.client(&auth).get(url).header("x-trace", "s3cret").send().await.unwrap();
        let code = format!("s3cret-{number}");
        let fails = Fake::failing(RefreshError::new(RefreshErrorKind::CredentialRevoked { code }));
        let auth = ChallengeMiddleware::new(API, fails).unwrap();
        let client =
            ClientBuilder::new(reqwest::Client::new()).with(auth).with(Script::always(challenged_with(&realm)));
        client.build().get(format!("{API}/s3cret-{number}")).send().await.unwrap_err();
    }
    drop(installed);
    let samples = recorder.samples();
    assert!(samples.len() > 500, "{}", samples.len());
    let series: BTreeSet<_> = samples.into_iter().map(|sample| (sample.name, sample.labels)).collect();
    assert!(series.len() < 20, "{series:#?}");
    let shown = format!("{series:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("example.com"), "{shown}");
    let values = series.iter().flat_map(|(_, labels)| labels.values());
    let is_name = |value: &str| value.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    assert!(values.into_iter().all(|value| is_name(value) && value.len() < 30));
}

#[test]
fn each_reason_of_an_unauthorized_call_has_a_name_of_its_own() {
    use UnauthorizedReason::*;
    let all = [
        Declined,
        StillRejected,
        NotReplayable,
        Redirected,
        ForeignOrigin,
        SessionChanged,
        LoggedOut,
        CallerCredential,
        NoRetry,
        RefreshFailed,
        BudgetExhausted,
    ];
    let names: BTreeSet<_> = all.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(names.len(), all.len());
    // The name is that of the variant.
    for reason in all {
        assert_eq!(reason.as_str().replace('_', ""), format!("{reason:?}").to_lowercase());
    }
}
