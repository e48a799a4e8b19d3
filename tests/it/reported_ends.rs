//! What the events and the report say about the end of a call, and where a trace has it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest_challenge::{
    AuthReport, ChallengeMiddleware, Credential, Event, Forbidden, RefreshContext, RefreshError, RefreshErrorKind,
    RefreshReason, Session, Unauthorized, UnauthorizedReason, Verdict,
};
use tracing::Instrument;
use tracing::field::Empty;

use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Answer, Script, challenged, status};
use crate::support::traced;

type Events = Arc<Mutex<Vec<Event>>>;

/// A middleware whose events are kept.
fn kept(fake: Fake) -> (ChallengeMiddleware, Events) {
    let events = Events::default();
    let seen = events.clone();
    let auth = ChallengeMiddleware::builder(API, fake.with_initial(Ok(Some(Credential::bearer("t0")))));
    let auth = auth.clock(ManualClock::new()).on_event(move |event| seen.lock().unwrap().push(event.clone()));
    (auth.build().unwrap(), events)
}

/// The verdict, the status and the number of further sends of each call that ended.
fn ends(events: &Events) -> Vec<(Verdict, Option<u16>, u8)> {
    let events = events.lock().unwrap();
    let ends = events.iter().filter_map(|event| match event {
        Event::CallEnded { verdict, status, resend_count, url, .. } => {
            assert_eq!(url.query(), None);
            Some((*verdict, status.map(|status| status.as_u16()), *resend_count))
        }
        _ => None,
    });
    ends.collect()
}

#[tokio::test]
async fn a_plain_success_has_no_event_and_every_other_call_has_one() {
    let (auth, events) = kept(Fake::new());
    let answers = [status(200), status(404), challenged(), status(200), Answer::insufficient_scope("x")];
    let rest = [challenged(), challenged(), challenged(), Answer::cut()];
    let client = Script::sequence(answers.into_iter().chain(rest)).client(&auth);
    for path in 0..6 {
        let _ = client.get(format!("{API}/{path}?secret=1")).send().await;
    }
    let rejected = Verdict::Unauthorized(UnauthorizedReason::StillRejected);
    let wanted = [
        (Verdict::Ok, Some(200), 1),
        (Verdict::Forbidden, Some(403), 0),
        (rejected, Some(401), 1),
        (Verdict::NoResponse, None, 1),
    ];
    assert_eq!(ends(&events), wanted);
}

#[tokio::test]
async fn the_report_says_how_often_a_request_was_sent_again() {
    let (auth, _) = kept(Fake::new());
    let answers = [status(200), challenged(), status(200), challenged(), Answer::insufficient_scope("x"), challenged()];
    let client = Script::sequence(answers.into_iter().chain([challenged()])).client(&auth);
    for resent in [0, 1] {
        assert_eq!(AuthReport::of(&client.get(API).send().await.unwrap()).resend_count(), resent);
    }
    let error = client.get(API).send().await.unwrap_err();
    assert_eq!(Forbidden::find(&error).unwrap().report().resend_count(), 1);
    let error = client.get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().report().resend_count(), 1);
    assert_eq!(AuthReport::default().resend_count(), 0);
}

#[tokio::test]
async fn the_span_of_the_caller_gets_the_resend_count_if_it_has_the_field() {
    traced::capture();
    let client = Script::accepting("t1").client(&kept(Fake::new()).0);
    let span = tracing::info_span!("GET", http.request.resend_count = Empty);
    client.get(API).send().instrument(span).await.unwrap();
    let traced = traced::text();
    assert!(traced.contains("GET{http.request.resend_count=1}"), "{traced}");
    let line = traced.lines().find(|line| line.contains("call ended")).expect(&traced);
    let fields = ["verdict=\"ok\"", "http.response.status_code=200", "http.request.resend_count=1", "waited_ms="];
    assert!(fields.iter().all(|field| line.contains(field)), "{line}");
}

#[tokio::test]
async fn a_spent_budget_is_reported_once_with_its_pause() {
    let (auth, events) = kept(Fake::new());
    let client = Script::always(challenged()).client(&auth);
    for path in 0..10 {
        client.get(format!("{API}/{path}")).send().await.unwrap_err();
    }
    let events = events.lock().unwrap();
    let spent = events.iter().filter_map(|event| match event {
        Event::BudgetExhausted { pause, whole_session, .. } => Some((*pause, *whole_session)),
        _ => None,
    });
    assert_eq!(spent.collect::<Vec<_>>(), [(Duration::from_secs(30), false)]);
}

/// The error type of each refresh that a 401 caused. `None` if the refresh did not fail.
fn failures(events: &Events) -> Vec<Option<&'static str>> {
    let events = events.lock().unwrap();
    let failures = events.iter().filter_map(|event| match event {
        Event::Refreshed { reason: RefreshReason::Challenged, error_type, .. } => Some(*error_type),
        _ => None,
    });
    failures.collect()
}

#[tokio::test]
async fn a_refresh_that_fails_panics_or_succeeds_is_reported_once() {
    let failing = RefreshErrorKind::Denied { reason: reqwest_challenge::DeniedReason::Client, code: "secret".into() };
    let cases = [
        (Fake::failing(RefreshError::new(failing)), Some("denied")),
        (Fake::answering(|_, _| panic!("the refresher panics")), Some("panicked")),
        (Fake::new(), None),
    ];
    for (fake, wanted) in cases {
        let (auth, events) = kept(fake);
        let _ = Script::accepting("t1").client(&auth).get(API).send().await;
        assert_eq!(failures(&events), [wanted]);
    }
}

#[tokio::test]
async fn a_listener_that_panics_after_a_panic_of_the_refresher_does_not_abort_the_process() {
    let fake = Fake::answering(|_, _| panic!("the refresher panics"));
    let auth = ChallengeMiddleware::builder(API, fake.with_initial(Ok(Some(Credential::bearer("t0")))));
    let is_end = |event: &Event| matches!(event, Event::Refreshed { error_type: Some("panicked"), .. });
    let auth = auth.on_event(move |event| assert!(!is_end(event), "the listener panics")).build().unwrap();
    let error = Script::accepting("t1").client(&auth).get(API).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!(*refused.refresh_error().unwrap().kind(), RefreshErrorKind::Panicked);
}

#[test]
fn a_flight_whose_runtime_ends_is_reported() {
    let (auth, events) = kept(Fake::new().gated());
    let client = Script::accepting("t1").client(&auth);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let started = Arc::new(tokio::sync::Notify::new());
    runtime.spawn(client.get(API).send());
    drop(started);
    let is_challenged = || events.lock().unwrap().iter().any(|event| matches!(event, Event::Challenged { .. }));
    runtime.block_on(reqwest_challenge_testing::until(is_challenged));
    runtime.block_on(reqwest_challenge_testing::until(|| is_renewing(&auth.session())));
    runtime.shutdown_timeout(Duration::from_secs(10));
    assert_eq!(failures(&events), [Some("gone")]);
}

/// Whether a refresh is in progress.
fn is_renewing(session: &Session) -> bool {
    let waker = std::task::Waker::noop();
    let mut wait = std::pin::pin!(session.wait_until_saved(Duration::from_secs(60)));
    wait.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending()
}

/// Reports that its save failed, like a store.
async fn unsaved(context: RefreshContext) -> Result<Credential, std::io::Error> {
    context.report_save_failed(&std::io::Error::other("the token hunter2hunter2\ndoes not fit"));
    Ok(Credential::bearer("t1"))
}

#[tokio::test]
async fn a_failed_save_is_reported_in_one_line_without_the_held_credential() {
    traced::capture();
    let events = Events::default();
    let seen = events.clone();
    let auth = ChallengeMiddleware::builder(API, unsaved).initial_credential(Credential::bearer("hunter2hunter2"));
    let auth = auth.on_event(move |event| seen.lock().unwrap().push(event.clone())).build().unwrap();
    Script::accepting("t1").client(&auth).get(API).send().await.unwrap();
    let events = events.lock().unwrap();
    let failed = events.iter().find_map(|event| match event {
        Event::SaveFailed { reason, error, .. } => Some((*reason, error.clone())),
        _ => None,
    });
    let (reason, error) = failed.unwrap();
    assert_eq!(reason, RefreshReason::Challenged);
    assert!(error.contains("the token ***") && !error.contains('\n'), "{error}");
    let traced = traced::text();
    assert!(traced.contains("save failed reason=\"challenged\"") && !traced.contains("hunter2"), "{traced}");
}

#[tokio::test]
async fn a_context_without_a_session_takes_the_report_of_a_failed_save() {
    let context = RefreshContext::builder(API).build().unwrap();
    context.report_save_failed(&std::io::Error::other("full"));
}
