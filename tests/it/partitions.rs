//! Partitions, resources and demands: each has its own credential, flight and failures.

use std::time::Duration;

use reqwest_challenge::{
    AuthReport, CallOptions, ChallengeMiddleware, Credential, RefreshContext, RefreshError, Renewed, Unauthorized,
    UnauthorizedReason,
};

use crate::support::fake::{Fake, ManualClock, until};
use crate::support::script::{API, Gate, Script, challenged, challenged_with, slow_client, status};

/// The first segment of a path.
fn segment(path: &str) -> String {
    path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned()
}

/// A server on which each first segment of a path requires a token that begins with it.
fn partitioned() -> Script {
    Script::new(|arrived, _| {
        let wanted = segment(arrived.path());
        if arrived.token().starts_with(&format!("{wanted}-")) { status(200) } else { challenged() }
    })
}

/// A refresher that returns a token of the partition of the request.
fn tokens() -> Fake {
    Fake::answering(|number, context| Ok(Some(token(number, context))))
}

fn token(number: usize, context: &RefreshContext) -> Credential {
    let partition = context.url().map(|url| segment(url.path())).unwrap_or_default();
    Credential::bearer(format!("{partition}-{number}"))
}

fn middleware(fake: &Fake) -> ChallengeMiddleware {
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new());
    auth.partition_by(|_, url| segment(url.path())).build().unwrap()
}

async fn two_hundred_calls_over_ten_partitions_cost_ten_tokens() {
    let (server, fake) = (partitioned(), tokens());
    let client = server.client(&middleware(&fake));
    let calls: Vec<_> = (0..200).map(|n| tokio::spawn(client.get(format!("{API}/r{}/{n}", n % 10)).send())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    for n in 0..200 {
        assert_eq!(client.get(format!("{API}/r{}/{n}", n % 10)).send().await.unwrap().status(), 200);
    }
    assert_eq!(fake.calls(), 10);
}

#[tokio::test]
async fn two_hundred_calls_over_ten_partitions_in_one_thread_cost_ten_tokens() {
    for _ in 0..10 {
        two_hundred_calls_over_ten_partitions_cost_ten_tokens().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_over_ten_partitions_in_two_threads_cost_ten_tokens() {
    for _ in 0..10 {
        two_hundred_calls_over_ten_partitions_cost_ten_tokens().await;
    }
}

#[tokio::test]
async fn flights_of_two_partitions_run_side_by_side() {
    let (server, fake) = (partitioned(), tokens().gated());
    let client = server.client(&middleware(&fake));
    let calls = ["a", "b"].map(|name| tokio::spawn(client.get(format!("{API}/{name}")).send()));
    // Both flights have started, and neither has ended.
    fake.wait_for_calls(2).await;
    fake.let_one_through();
    fake.let_one_through();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(fake.calls(), 2);
}

#[tokio::test]
async fn a_final_failure_is_remembered_in_each_partition() {
    let fake = Fake::failing(RefreshError::credential_revoked("unauthorized"));
    let client = partitioned().client(&middleware(&fake));
    for n in 0..30 {
        client.get(format!("{API}/{}", ["a", "b"][n % 2])).send().await.unwrap_err();
    }
    assert_eq!(fake.calls(), 2, "each partition calls the refresher once");
}

#[tokio::test]
async fn each_partition_sends_its_cached_credential() {
    let (server, fake) = (partitioned(), tokens());
    let client = server.client(&middleware(&fake));
    client.get(format!("{API}/a")).send().await.unwrap();
    client.get(format!("{API}/b")).send().await.unwrap();
    for name in ["a", "b", "a", "b"] {
        let response = client.get(format!("{API}/{name}")).send().await.unwrap();
        assert_eq!(AuthReport::of(&response).attempts(), 1, "{name}");
    }
    assert_eq!((fake.calls(), server.sends()), (2, 8));
}

#[tokio::test]
async fn a_late_401_of_a_partition_is_replayed_with_its_newer_credential() {
    let (server, fake, late) = (partitioned(), tokens(), Gate::closed());
    let auth = middleware(&fake);
    let slow = tokio::spawn(slow_client(&server, &auth, &late).get(format!("{API}/a/slow")).send());
    late.reached_by(1).await;
    for name in ["a", "b"] {
        server.client(&auth).get(format!("{API}/{name}")).send().await.unwrap();
    }
    late.open();
    assert_eq!(AuthReport::of(&slow.await.unwrap().unwrap()).renewed(), Some(Renewed::Reused));
    assert_eq!((server.tokens().split_off(4), fake.calls()), (vec![String::new(), "a-1".to_owned()], 2));
}

#[tokio::test]
async fn the_initial_credential_is_sent_in_every_partition() {
    let server = Script::accepting("t0");
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let client = server.client(&middleware(&fake));
    for name in ["a", "b"] {
        client.get(format!("{API}/{name}")).send().await.unwrap();
    }
    assert_eq!((server.sends(), fake.calls(), fake.initial_calls()), (2, 0, 1));
}

#[tokio::test]
async fn an_invalidation_in_one_partition_does_not_affect_the_others() {
    let (server, fake) = (partitioned(), tokens());
    let auth = middleware(&fake);
    let client = server.client(&auth);
    let response = client.get(format!("{API}/a")).send().await.unwrap();
    client.get(format!("{API}/b")).send().await.unwrap();
    assert!(auth.session().invalidate(&AuthReport::of(&response)));
    for name in ["a", "b"] {
        client.get(format!("{API}/{name}")).send().await.unwrap();
    }
    assert_eq!(fake.calls(), 3);
}

#[tokio::test]
async fn a_logout_forgets_the_credentials_of_all_partitions() {
    let (server, fake) = (partitioned(), tokens());
    let auth = middleware(&fake);
    let client = server.client(&auth);
    client.get(format!("{API}/a")).send().await.unwrap();
    client.get(format!("{API}/b")).send().await.unwrap();
    auth.session().logout().await.unwrap();
    let forgotten = fake.forgotten();
    for token in ["a-1", "b-2"] {
        assert!(forgotten.contains(&Some(Credential::bearer(token))), "{forgotten:?}");
    }
    let error = client.get(format!("{API}/a")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::LoggedOut);
}

#[tokio::test]
async fn partitions_are_bounded_by_a_setting_and_the_least_recently_used_one_is_dropped() {
    let (server, fake) = (partitioned(), tokens());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new()).max_partitions(10);
    let auth = auth.partition_by(|_, url| segment(url.path())).build().unwrap();
    let client = server.client(&auth);
    let call = async |n: usize| client.get(format!("{API}/p{n}")).send().await.unwrap();
    for n in 0..1_000 {
        call(n).await;
        // This partition is used all the time, so it is never dropped.
        call(0).await;
    }
    assert_eq!(fake.calls(), 1_000);
    for n in [0, 999, 998, 997, 996, 995, 994, 993, 992, 991] {
        call(n).await;
    }
    assert_eq!(fake.calls(), 1_000, "the ten that were used last have a slot");
    call(990).await;
    assert_eq!(fake.calls(), 1_001);
    call(0).await;
    assert_eq!(fake.calls(), 1_002, "it was the least recently used one");
}

/// A server with two protected resources (RFC 9728), each of which accepts only its own tokens.
fn two_resources() -> Script {
    Script::new(|arrived, _| {
        let resource = segment(arrived.path());
        if arrived.token().starts_with(&resource) && !arrived.token().is_empty() && !resource.is_empty() {
            return status(200);
        }
        challenged_with(&format!("Bearer resource_metadata=\"{API}/.well-known/oauth-protected-resource/{resource}\""))
    })
}

#[tokio::test]
async fn two_resources_of_one_origin_have_a_token_each() {
    let (server, fake) = (two_resources(), tokens());
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let client = server.client(&auth);
    for path in ["api/read", "api2/read", "api/read", "api2/read", "api2/write", "api/write"] {
        assert_eq!(client.get(format!("{API}/{path}")).send().await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(fake.calls(), 2);
    // The refresh for the second resource does not receive the credential of the first, which it could use up.
    assert!(fake.contexts()[1].credential().is_none());
    // The middleware knows that the paths below the path of a resource belong to it.
    assert_eq!(server.sends(), 4 + 4);
}

#[tokio::test]
async fn a_denied_refresh_applies_only_to_the_same_challenge() {
    // The challenge of one path makes the refresher fail. The other paths of the origin still work.
    for odd in ["Bearer realm=\"odd\"", "Bearer resource_metadata=\"https://other.example/m\"", "Basic realm=\"api\""] {
        let server = Script::new(move |arrived, _| match (arrived.path(), arrived.token()) {
            ("/odd", _) => challenged_with(odd),
            (_, "") => challenged(),
            _ => status(200),
        });
        let fake = Fake::answering(|number, context| {
            if context.url().is_some_and(|url| url.path() == "/odd") {
                return Err(RefreshError::denied("mismatch"));
            }
            Ok(Some(Credential::bearer(format!("t{number}"))))
        });
        let client = server.client(&ChallengeMiddleware::new(API, fake.clone()).unwrap());
        for _ in 0..3 {
            client.get(format!("{API}/odd")).send().await.unwrap_err();
        }
        assert_eq!(fake.calls(), 1, "{odd}");
        assert_eq!(client.get(format!("{API}/other")).send().await.unwrap().status(), 200, "{odd}");
        client.get(format!("{API}/odd")).send().await.unwrap_err();
        assert!(fake.calls() <= 3, "{odd}: {}", fake.calls());
    }
}

#[tokio::test]
async fn alternating_demands_cost_one_token_each() {
    for (first, second) in [
        ("claims=\"e30=\"", "claims=\"e30g\""),
        ("acr_values=\"gold\"", "acr_values=\"silver\""),
        ("error=\"insufficient_scope\", scope=\"a\"", "error=\"insufficient_scope\", scope=\"b\""),
    ] {
        let server = Script::new(move |arrived, _| match (arrived.path(), arrived.token()) {
            (path, token) if token.starts_with(path.trim_start_matches('/')) && !token.is_empty() => status(200),
            ("/first", _) => challenged_with(&format!("Bearer {first}")),
            _ => challenged_with(&format!("Bearer {second}")),
        });
        let fake = tokens();
        let client = server.client(&ChallengeMiddleware::new(API, fake.clone()).unwrap());
        for n in 0..20 {
            let path = ["first", "second"][n % 2];
            assert_eq!(client.get(format!("{API}/{path}")).send().await.unwrap().status(), 200, "{first}, call {n}");
        }
        assert_eq!(fake.calls(), 2, "{first}");
    }
}

#[tokio::test]
async fn a_401_for_an_insufficient_credential_is_refreshed_once_for_that_demand() {
    for want in [
        "error=\"insufficient_scope\", scope=\"write\"",
        "error=\"insufficient_user_authentication\", acr_values=\"gold\"",
        "error=\"insufficient_authorization\", authorization_details=\"[]\"",
        "error=\"insufficient_scope\"",
    ] {
        let (server, fake) = (Script::always(challenged_with(&format!("Bearer {want}"))), Fake::new());
        let clock = ManualClock::new();
        let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
        let client = server.client(&auth);
        for path in 0..10 {
            client.get(format!("{API}/{path}")).send().await.unwrap_err();
        }
        assert_eq!(fake.calls(), 1, "{want}");
        assert!(!fake.contexts()[0].demand().is_empty(), "{want}");
        clock.forward(Duration::from_secs(31));
        client.get(format!("{API}/later")).send().await.unwrap_err();
        assert_eq!(fake.calls(), 2, "{want}");
    }
}

#[tokio::test]
async fn a_body_factory_runs_only_for_a_replay() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let made = Arc::new(AtomicUsize::new(0));
    let (server, fake) = (Script::accepting("t1"), Fake::new());
    let client = server.client(&ChallengeMiddleware::new(API, fake.clone()).unwrap());
    for wanted in [1, 1, 1] {
        let counted = made.clone();
        let options = CallOptions::new().body(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            crate::support::script::stream("once")
        });
        let request = client.post(API).body(crate::support::script::stream("once")).with_extension(options);
        assert_eq!(request.send().await.unwrap().status(), 200);
        assert_eq!(made.load(Ordering::SeqCst), wanted);
    }
    assert!(server.requests().iter().all(|arrived| arrived.body() == b"once"));
}

#[tokio::test]
async fn one_caller_of_a_partition_reports_that_it_started_the_refresh() {
    let (server, fake) = (partitioned(), tokens().gated());
    let client = server.client(&middleware(&fake));
    let calls: Vec<_> = (0..3).map(|_| tokio::spawn(client.get(format!("{API}/a")).send())).collect();
    until(|| server.sends() == 3).await;
    fake.wait_for_calls(1).await;
    fake.let_one_through();
    let mut how = Vec::new();
    for call in calls {
        how.extend(AuthReport::of(&call.await.unwrap().unwrap()).renewed());
    }
    assert_eq!(how.iter().filter(|how| **how == Renewed::Started).count(), 1, "{how:?}");
}
