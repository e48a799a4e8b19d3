//! Cooldowns: how long a failure is remembered, and which requests are still sent in that time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{
    AuthReport, ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, Unauthorized,
    UnauthorizedReason,
};
use reqwest_middleware::ClientWithMiddleware;

use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Script, challenged, status};

fn failures() -> [RefreshError; 6] {
    [
        RefreshError::transient(None),
        RefreshError::credential_revoked("invalid_grant"),
        RefreshError::denied("invalid_client"),
        RefreshError::login_required("run `app login`"),
        RefreshError::other("odd"),
        RefreshError::from("odd"),
    ]
}

#[tokio::test]
async fn a_failed_early_renewal_is_tried_once_and_stops_no_request() {
    for ahead in [true, false] {
        for failure in failures() {
            let (server, clock) = (Script::accepting("t0"), ManualClock::new());
            let fake = Fake::failing(failure.clone());
            let expiry = clock.time_in(Duration::from_secs(3600));
            let auth = ChallengeMiddleware::builder(API, fake.clone())
                .initial_credential(Credential::bearer("t0").with_expiry(expiry))
                .clock(clock.clone());
            let auth = if ahead { auth.renew_ahead(Duration::from_secs(600)) } else { auth }.build().unwrap();
            let client = server.client(&auth);
            // The renewal is due, or due in the background, and the credential is still valid. The time of a background
            // renewal is random, but always before the last millisecond before the renewal is due.
            clock.forward(Duration::from_millis(if ahead { 3_569_999 } else { 3_575_000 }));
            for _ in 0..100 {
                assert_eq!(client.get(API).send().await.unwrap().status(), 200, "{failure}");
                assert!(auth.session().wait_until_saved(Duration::from_secs(5)).await);
            }
            assert_eq!(fake.calls(), 1, "{failure}, ahead {ahead}");
        }
    }
}

#[tokio::test]
async fn an_early_renewal_without_a_new_credential_is_tried_once() {
    let (server, clock) = (Script::accepting("t0"), ManualClock::new());
    let held = Credential::bearer("t0").with_expiry(clock.time_in(Duration::from_secs(3600)));
    for answer in [None, Some(held.clone())] {
        let fake = Fake::answering(move |_, _| Ok(answer.clone()));
        let clock = ManualClock::new();
        let auth = ChallengeMiddleware::builder(API, fake.clone())
            .initial_credential(held.clone())
            .clock(clock.clone())
            .build()
            .unwrap();
        let client = server.client(&auth);
        clock.forward(Duration::from_secs(3575));
        for _ in 0..100 {
            client.get(API).send().await.unwrap();
        }
        assert_eq!(fake.calls(), 1);
    }
}

#[tokio::test]
async fn the_same_token_with_a_later_expiry_is_held_for_longer() {
    let (server, clock) = (Script::accepting("t0"), ManualClock::new());
    let now = clock.clone();
    let lasts = move || Credential::bearer("t0").with_expiry(now.time_in(Duration::from_secs(3600)));
    let (held, longer) = (lasts(), lasts.clone());
    let fake = Fake::answering(move |_, _| Ok(Some(longer())));
    let auth =
        ChallengeMiddleware::builder(API, fake.clone()).initial_credential(held).clock(clock.clone()).build().unwrap();
    let client = server.client(&auth);
    for renewals in 1..4 {
        clock.forward(Duration::from_secs(3575));
        for _ in 0..10 {
            assert_eq!(client.get(API).send().await.unwrap().status(), 200);
            clock.forward(Duration::from_secs(2));
        }
        assert_eq!(fake.calls(), renewals, "the new expiry is an hour later");
    }
}

#[tokio::test]
async fn a_path_in_its_cooldown_is_sent_the_newer_credential_that_is_held() {
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
        // The path refuses the first new credential and accepts the next one.
        ("/a", "t0" | "t1") | ("/b", "t1") => challenged(),
        _ => status(200),
    });
    let clock = ManualClock::new();
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock).build().unwrap();
    let client = server.client(&auth);
    let error = client.get(format!("{API}/a")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::StillRejected);
    // A slow call to the path in cooldown is in progress with t1, while another path renews to t2.
    let gate = reqwest_challenge_testing::Gate::closed();
    let slow = crate::support::script::slow_client(&server, &auth, &gate);
    let late = tokio::spawn(slow.get(format!("{API}/a")).send());
    gate.reached_by(1).await;
    client.get(format!("{API}/b")).send().await.unwrap();
    assert_eq!(fake.calls(), 2);
    gate.open();
    assert_eq!(late.await.unwrap().unwrap().status(), 200);
    assert_eq!((server.tokens().last().map(String::as_str), fake.calls()), (Some("t2"), 2));
}

#[tokio::test]
async fn an_invalidated_credential_whose_refresher_declines_costs_one_refresh_for_each_call() {
    let fake = Fake::answering(|_, _| Ok(None)).with_initial(Ok(Some(Credential::bearer("t0"))));
    let server = Script::new(|arrived, _| if arrived.token() == "t0" { status(200) } else { challenged() });
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let client = server.client(&auth);
    let response = client.get(API).send().await.unwrap();
    assert!(auth.session().invalidate(&AuthReport::of(&response)));
    for call in 1..5 {
        let error = client.get(API).send().await.unwrap_err();
        assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::Declined);
        assert!(fake.calls() <= call, "call {call}: {}", fake.calls());
    }
}

#[tokio::test]
async fn a_refresher_that_returns_at_once_is_called_once_for_all_waiters() {
    type Ends = fn() -> Result<Option<Credential>, RefreshError>;
    let ways: [(&str, Ends); 4] = [
        ("declines", || Ok(None)),
        ("fails", || Err(RefreshError::other("odd"))),
        ("panics", || panic!("the refresher panics")),
        ("returns the same", || Ok(Some(Credential::bearer("t0")))),
    ];
    for (way, ends) in ways {
        let fake = Fake::answering(move |_, _| ends()).with_initial(Ok(Some(Credential::bearer("t0"))));
        let gate = reqwest_challenge_testing::Gate::closed();
        let server = Script::always(challenged());
        let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new()).build().unwrap();
        let client = crate::support::script::slow_client(&server, &auth, &gate);
        let calls: Vec<_> = (0..50).map(|path| tokio::spawn(client.get(format!("{API}/{path}")).send())).collect();
        gate.reached_by(50).await;
        gate.open();
        for call in calls {
            call.await.unwrap().unwrap_err();
        }
        assert_eq!(fake.calls(), 1, "{way}");
        // A later request starts a new refresh, unless the refresher returned the refused credential.
        client.get(format!("{API}/later")).send().await.unwrap_err();
        assert_eq!(fake.calls(), if way == "returns the same" { 1 } else { 2 }, "{way}");
    }
}

#[tokio::test]
async fn durations_can_be_unlimited_and_a_clock_that_is_set_back_ends_each_cooldown() {
    let longest = Duration::MAX;
    let (server, clock) = (Script::always(challenged()), ManualClock::new());
    let fake = Fake::answering(|number, _| match number % 2 {
        0 => Err(RefreshError::transient(Some(Duration::MAX))),
        _ => Ok(Some(Credential::bearer(format!("t{number}")))),
    })
    .with_timeout(longest);
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .clock(clock.clone())
        .expiry_margin(longest)
        .renew_ahead(longest)
        .refresh_timeout(longest)
        .transient_backoff(longest)
        .failure_cooldown(longest)
        .rejection_cooldown(longest)
        .body_timeout(longest)
        .build()
        .unwrap();
    let client = server.client(&auth);
    for _ in 0..10 {
        let calls: Vec<_> = (0..10).map(|path| tokio::spawn(client.get(format!("{API}/{path}")).send())).collect();
        for call in calls {
            call.await.expect("no call panics").unwrap_err();
        }
        let before = fake.calls();
        // The clock shows a time before the start of every cooldown.
        clock.back(Duration::from_secs(1));
        client.get(format!("{API}/0")).send().await.unwrap_err();
        assert!(fake.calls() > before, "a cooldown outlived a clock that was set back");
    }
}

/// A refresher that sends a request through the client of another API.
struct Calls {
    client: OnceLock<ClientWithMiddleware>,
    url: String,
    meet: Arc<tokio::sync::Barrier>,
}

#[async_trait]
impl Refresh for Calls {
    async fn refresh(&self, _: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        // Both refreshers have started before either sends.
        self.meet.wait().await;
        match self.client.get().unwrap().get(&self.url).send().await {
            Ok(_) => Ok(Some(Credential::bearer("t1"))),
            Err(error) => Err(RefreshError::find(&error).cloned().unwrap_or_else(|| RefreshError::other(error))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_refreshers_that_call_each_other_concurrently_fail_at_once() {
    let (one, other) = ("https://one.example", "https://other.example");
    let meet = Arc::new(tokio::sync::Barrier::new(2));
    let made = |url: &str| Arc::new(Calls { client: OnceLock::new(), url: url.to_owned(), meet: meet.clone() });
    let (calls_other, calls_one) = (made(other), made(one));
    let server = Script::always(challenged());
    let auth = |origin, refresher| ChallengeMiddleware::new(origin, refresher).unwrap();
    let clients = [server.client(&auth(one, calls_other.clone())), server.client(&auth(other, calls_one.clone()))];
    assert!(calls_other.client.set(clients[1].clone()).is_ok() && calls_one.client.set(clients[0].clone()).is_ok());
    let began = tokio::time::Instant::now();
    let calls = [tokio::spawn(clients[0].get(one).send()), tokio::spawn(clients[1].get(other).send())];
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        let kind = Unauthorized::find(&error).and_then(Unauthorized::refresh_error).map(RefreshError::kind);
        assert_eq!(kind, Some(&RefreshErrorKind::Recursive), "{error:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_success_beside_sixty_four_refusing_paths_ends_only_the_cooldown_of_its_path() {
    let clock = ManualClock::new();
    let accepts = Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
    let of_server = accepts.clone();
    let server = Script::new(move |request, _| {
        let path = request.path().to_owned();
        let is_accepted = path == "/open" || of_server.lock().unwrap().contains(&path);
        if is_accepted { status(200) } else { challenged() }
    });
    let fake = Fake::new();
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
    let client = server.client(&auth);
    let get = async |path: &str| client.get(format!("{API}{path}")).send().await.map(|response| response.status());
    for number in 0..64 {
        get(&format!("/no/{number}")).await.unwrap_err();
        get("/open").await.unwrap();
    }
    let refreshes = fake.calls();
    accepts.lock().unwrap().push("/no/7".to_owned());
    assert_eq!(get("/no/7").await.unwrap(), 200);
    accepts.lock().unwrap().clear();
    // The cooldown of this path has ended, so its 401 starts a refresh. That of another path has not.
    get("/no/7").await.unwrap_err();
    assert_eq!(fake.calls(), refreshes + 1);
    get("/open").await.unwrap();
    get("/no/8").await.unwrap_err();
    assert_eq!(fake.calls(), refreshes + 1);
}
