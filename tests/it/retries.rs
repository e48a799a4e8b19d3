//! `reqwest-retry` above the middleware: which errors are retried, and after which time.

use std::time::Duration;

use reqwest_challenge::retry::{ChallengeRetryStrategy, RetryAfterPolicy, retrying};
use reqwest_challenge::{ChallengeMiddleware, Credential, Error, RefreshError, RefreshErrorKind};
use reqwest_challenge_testing::{Answer, ManualClock, RecordingRefresher, Script};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::{DefaultRetryableStrategy, RetryDecision, RetryPolicy, RetryTransientMiddleware};
use tokio::time::Instant;

use crate::support::script::{API, CHALLENGE, challenged, status};

/// At most three retries, without a delay.
struct AtOnce;

impl RetryPolicy for AtOnce {
    fn should_retry(&self, start: std::time::SystemTime, retries: u32) -> RetryDecision {
        if retries < 3 { RetryDecision::Retry { execute_after: start } } else { RetryDecision::DoNotRetry }
    }
}

/// A client with the retry middleware above ours. No failure is remembered, so that each try starts a refresh.
fn client(server: &Script, refresher: &RecordingRefresher) -> ClientWithMiddleware {
    let auth = ChallengeMiddleware::builder(API, refresher.clone()).transient_backoff(Duration::ZERO).build().unwrap();
    ClientBuilder::new(reqwest::Client::new()).with(retrying(AtOnce)).with(auth).with(server.clone()).build()
}

/// A refresher that fails temporarily that many times, then returns `t`.
fn failing_first(failures: usize, retry_after: Option<Duration>) -> RecordingRefresher {
    RecordingRefresher::answering(move |number, _| match number <= failures {
        true => Err(RefreshError::transient(retry_after)),
        false => Ok(Some(Credential::bearer("t"))),
    })
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_temporarily_is_retried() {
    let (server, refresher) = (Script::accepting("t"), failing_first(2, None));
    let response = client(&server, &refresher).get(API).send().await.unwrap();
    assert_eq!((response.status().as_u16(), refresher.calls()), (200, 3));
    // Two calls with one send each, and one call with two.
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn every_other_error_of_this_crate_is_final() {
    let final_errors = [
        RefreshError::login_required("log in"),
        RefreshError::credential_revoked("invalid_grant"),
        RefreshError::denied("access_denied"),
        RefreshError::other("no"),
        RefreshError::new(RefreshErrorKind::TimedOut),
    ];
    for error in final_errors {
        let (server, refresher) = (Script::always(challenged()), RecordingRefresher::failing(error.clone()));
        let failed = client(&server, &refresher).get(API).send().await.unwrap_err();
        assert!(matches!(Error::find(&failed), Some(Error::Unauthorized(_))), "{failed:?}");
        assert_eq!((server.requests().len(), refresher.calls()), (1, 1), "{error}");
    }
    // A 403 is final even with `Retry-After`. A 401 that a new credential does not solve is final too.
    for (answer, sends) in [(status(403).header("retry-after", "1"), 1), (challenged(), 2)] {
        let server = Script::always(answer);
        let failed = client(&server, &RecordingRefresher::new()).get(API).send().await.unwrap_err();
        assert!(Error::find(&failed).is_some());
        assert_eq!(server.requests().len(), sends);
    }
}

#[tokio::test(start_paused = true)]
async fn other_results_are_judged_by_the_strategy_inside() {
    for (code, sends) in [(200, 1), (404, 1), (429, 4), (503, 4)] {
        let server = Script::always(status(code));
        let response = client(&server, &RecordingRefresher::new()).get(API).send().await.unwrap();
        assert_eq!((response.status().as_u16(), server.requests().len()), (code, sends));
    }
}

/// How long a call takes on tokio's clock. The clock is paused, so the test does not wait for that time.
async fn duration_of(client: &ClientWithMiddleware) -> Duration {
    let started = Instant::now();
    drop(client.get(API).send().await);
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_retry_after_of_the_api_is_waited_for() {
    let server = Script::sequence([status(503).header("retry-after", "20"), Answer::ok("")]);
    let took = duration_of(&client(&server, &RecordingRefresher::new())).await;
    assert_eq!(server.requests().len(), 2);
    assert!(took > Duration::from_secs(18) && took <= Duration::from_secs(21), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_date_in_retry_after_counts_from_the_date_of_the_response() {
    let clock = ManualClock::new();
    let [now, until] = [0, 20].map(|span| httpdate::fmt_http_date(clock.time_in(Duration::from_secs(span))));
    let busy = status(503).header("date", &now).header("retry-after", &until);
    let server = Script::sequence([busy, Answer::ok("")]);
    let took = duration_of(&client(&server, &RecordingRefresher::new())).await;
    assert_eq!(server.requests().len(), 2);
    assert!(took > Duration::from_secs(18) && took <= Duration::from_secs(21), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_retry_after_of_the_refresh_is_waited_for() {
    let server = Script::accepting("t");
    let refresher = failing_first(1, Some(Duration::from_secs(20)));
    let clock = ManualClock::new();
    let auth = ChallengeMiddleware::builder(API, refresher.clone()).clock(clock.clone()).build().unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(retrying(AtOnce)).with(auth).with(server.clone());
    let took = duration_of(&client.build()).await;
    assert!(took > Duration::from_secs(18), "{took:?}");
    // The session remembers the failure by its clock, which this test does not move, so no second refresh starts.
    assert_eq!(refresher.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_longer_retry_after_than_the_limit_ends_the_retries() {
    let busy = || status(503).header("retry-after", "61");
    let server = Script::always(busy());
    let took = duration_of(&client(&server, &RecordingRefresher::new())).await;
    assert_eq!((server.requests().len(), took), (1, Duration::ZERO));

    let policy = RetryAfterPolicy::new(AtOnce).max_wait(Duration::from_secs(70));
    let retry = RetryTransientMiddleware::new_with_policy_and_strategy(policy, ChallengeRetryStrategy::default());
    let server = Script::sequence([busy(), Answer::ok("")]);
    let client = ClientBuilder::new(reqwest::Client::new()).with(retry).with(server.clone()).build();
    assert!(duration_of(&client).await > Duration::from_secs(59));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_span_of_one_response_does_not_delay_the_next_retry() {
    let busy = [status(503).header("retry-after", "20"), status(503), Answer::ok("")];
    let server = Script::sequence(busy);
    let took = duration_of(&client(&server, &RecordingRefresher::new())).await;
    assert_eq!(server.requests().len(), 3);
    assert!(took <= Duration::from_secs(21), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_longer_delay_of_the_policy_is_kept() {
    let policy = ExponentialBackoff::builder().retry_bounds(Duration::from_secs(40), Duration::from_secs(50));
    let policy = policy.jitter(reqwest_retry::Jitter::None).build_with_max_retries(1);
    let auth = ChallengeMiddleware::new(API, RecordingRefresher::new()).unwrap();
    let server = Script::sequence([status(503).header("retry-after", "1"), Answer::unauthorized([CHALLENGE])]);
    let client = ClientBuilder::new(reqwest::Client::new()).with(retrying(policy)).with(auth).with(server.clone());
    assert!(duration_of(&client.build()).await > Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn the_default_strategy_retries_no_error_of_a_middleware() {
    // The reason why this crate has a strategy. If this changes, the guide must change too.
    let (server, refresher) = (Script::accepting("t"), failing_first(2, None));
    let auth = ChallengeMiddleware::new(API, refresher.clone()).unwrap();
    let retry = RetryTransientMiddleware::new_with_policy_and_strategy(AtOnce, DefaultRetryableStrategy);
    let client = ClientBuilder::new(reqwest::Client::new()).with(retry).with(auth).with(server.clone()).build();
    client.get(API).send().await.unwrap_err();
    assert_eq!(refresher.calls(), 1);
}
