//! The state of each slot of a session: its failures, the credentials for other demands, and its last use.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest_challenge::{
    ChallengeMiddleware, Credential, RefreshContext, RefreshError, Unauthorized, UnauthorizedReason,
};

use crate::support::fake::{Fake, ManualClock, until};
use crate::support::script::{API, Script, challenged, challenged_with, status};

#[tokio::test]
async fn a_denied_demand_does_not_affect_a_plain_401_or_another_demand() {
    let demands =
        ["claims=\"e30=\"", "acr_values=\"gold\"", "max_age=\"5\"", "error=\"insufficient_scope\", scope=\"a\""];
    for demand in demands {
        let server = Script::new(move |arrived, _| match (arrived.path(), arrived.token()) {
            (_, token) if token.starts_with("good") => status(200),
            ("/more", _) => challenged_with(&format!("Bearer realm=\"api\", {demand}")),
            ("/other", _) => challenged_with("Bearer realm=\"api\", claims=\"e30gIA==\""),
            _ => challenged(),
        });
        let fake = Fake::answering(|_, context| match context.demand() {
            demand if demand.is_empty() || demand.claims() == Some("e30gIA==") => Ok(Some(Credential::bearer("good"))),
            _ => Err(RefreshError::denied("access_denied")),
        });
        for path in ["plain", "other"] {
            let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new()).build().unwrap();
            let client = server.client(&auth);
            for _ in 0..3 {
                client.get(format!("{API}/more")).send().await.unwrap_err();
            }
            assert_eq!(client.get(format!("{API}/{path}")).send().await.unwrap().status(), 200, "{demand} {path}");
        }
        assert_eq!(fake.calls(), 4, "{demand}: each demand causes one refresh");
    }
}

#[tokio::test]
async fn a_credential_kept_for_a_demand_is_not_sent_after_its_expiry() {
    let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
        (path, token) if token.starts_with(path.trim_start_matches('/')) && !token.is_empty() => status(200),
        ("/first", _) => challenged_with("Bearer claims=\"e30=\""),
        _ => challenged_with("Bearer claims=\"e30g\""),
    });
    let clock = ManualClock::new();
    let expires = clock.clone();
    let fake = Fake::answering(move |number, context| {
        let path = context.url().map(|url| url.path().trim_start_matches('/').to_owned()).unwrap_or_default();
        let credential = Credential::bearer(format!("{path}-{number}"));
        Ok(Some(credential.with_expiry(expires.time_in(Duration::from_secs(600)))))
    });
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
    let client = server.client(&auth);
    let call = async |path: &str| client.get(format!("{API}/{path}")).send().await.unwrap().status();
    for path in ["first", "second", "first"] {
        assert_eq!(call(path).await, 200);
    }
    assert_eq!(fake.calls(), 2);
    // Both credentials have expired. The newest is renewed before it is sent, and the other one is not sent.
    clock.forward(Duration::from_secs(700));
    call("second").await;
    let before = server.sends();
    call("first").await;
    let tokens = server.tokens().split_off(before);
    assert!(!tokens.iter().any(|token| token == "first-1"), "{tokens:?}");
}

#[tokio::test]
async fn the_least_recently_used_partition_is_dropped_first() {
    let name = |path: &str| path.trim_start_matches('/').to_owned();
    let server =
        Script::new(move |arrived, _| if arrived.token() == name(arrived.path()) { status(200) } else { challenged() });
    let fake = Fake::answering(|_, context: &RefreshContext| {
        Ok(context.url().map(|url| Credential::bearer(url.path().trim_start_matches('/'))))
    });
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new());
    let client = server.client(&auth.partition_by(|_, url| url.path().to_owned()).build().unwrap());
    for number in 0..1_000 {
        client.get(format!("{API}/p{number}")).send().await.unwrap();
        client.get(format!("{API}/busy")).send().await.unwrap();
    }
    assert_eq!(fake.calls(), 1_001, "the partition that is always in use is not dropped");
}

#[tokio::test]
async fn refused_partitions_stay_within_the_budget_of_the_session() {
    let (server, fake, clock) = (Script::always(challenged()), Fake::new(), ManualClock::new());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone());
    let auth = auth.partition_by(|_, url| url.path().to_owned()).build().unwrap();
    let client = server.client(&auth);
    let mut last = None;
    for path in 0..500 {
        last = client.get(format!("{API}/{path}")).send().await.err();
    }
    assert_eq!(Unauthorized::find(&last.unwrap()).unwrap().reason(), UnauthorizedReason::BudgetExhausted);
    assert_eq!(fake.calls(), 32);
    clock.forward(Duration::from_secs(30));
    client.get(format!("{API}/later")).send().await.unwrap_err();
    client.get(format!("{API}/later/still")).send().await.unwrap_err();
    assert_eq!(fake.calls(), 33);
}

#[tokio::test]
async fn a_request_without_a_credential_waits_for_a_pending_login() {
    let (server, fake) = (Script::accepting("t1"), Fake::new().gated());
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let client = server.client(&auth);
    let session = auth.session();
    let login = tokio::spawn(async move { session.login().await });
    fake.wait_for_calls(1).await;
    let calls: Vec<_> = (0..5).map(|path| tokio::spawn(client.get(format!("{API}/{path}")).send())).collect();
    until(|| server.sends() == 5).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fake.calls(), 1, "no refresh starts beside the login");
    fake.let_one_through();
    login.await.unwrap().unwrap();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn two_concurrent_demands_start_one_flight_each() {
    let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
        (path, token) if token.starts_with(path.trim_start_matches('/')) && !token.is_empty() => status(200),
        ("/first", _) => challenged_with("Bearer claims=\"e30=\""),
        _ => challenged_with("Bearer claims=\"e30g\""),
    });
    let demands = Arc::new(Mutex::new(Vec::new()));
    let seen = demands.clone();
    let fake = Fake::answering(move |number, context| {
        seen.lock().unwrap().push(context.demand().claims().unwrap_or_default().to_owned());
        let path = context.url().map(|url| url.path().trim_start_matches('/').to_owned()).unwrap_or_default();
        Ok(Some(Credential::bearer(format!("{path}-{number}"))))
    });
    let fake = fake.gated();
    let client = server.client(&ChallengeMiddleware::new(API, fake.clone()).unwrap());
    let calls = ["first", "second"].map(|path| tokio::spawn(client.get(format!("{API}/{path}")).send()));
    until(|| server.sends() == 2).await;
    fake.wait_for_calls(1).await;
    fake.let_one_through();
    fake.wait_for_calls(2).await;
    fake.let_one_through();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    let mut demands = demands.lock().unwrap().clone();
    demands.sort_unstable();
    assert_eq!(demands, ["e30=", "e30g"]);
}

#[tokio::test]
async fn a_kept_credential_that_the_server_refuses_is_replaced() {
    let revoked = Arc::new(Mutex::new(None));
    let ended = revoked.clone();
    let server = Script::new(move |arrived, _| match (arrived.path(), arrived.token()) {
        (_, token) if ended.lock().unwrap().as_deref() == Some(token) => challenged_with("Bearer claims=\"e30=\""),
        (path, token) if token.starts_with(path.trim_start_matches('/')) && !token.is_empty() => status(200),
        ("/first", _) => challenged_with("Bearer claims=\"e30=\""),
        _ => challenged_with("Bearer claims=\"e30g\""),
    });
    let fake = Fake::answering(move |number, context| {
        let path = context.url().map(|url| url.path().trim_start_matches('/').to_owned()).unwrap_or_default();
        Ok(Some(Credential::bearer(format!("{path}-{number}"))))
    });
    let client = server.client(&ChallengeMiddleware::new(API, fake.clone()).unwrap());
    for path in ["first", "second"] {
        client.get(format!("{API}/{path}")).send().await.unwrap();
    }
    *revoked.lock().unwrap() = Some("first-1".to_owned());
    let error = client.get(format!("{API}/first")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::StillRejected);
    assert_eq!(client.get(format!("{API}/first")).send().await.unwrap().status(), 200);
    assert_eq!(fake.calls(), 3);
}

#[tokio::test]
async fn a_login_drops_the_credentials_of_the_earlier_identity_in_each_slot() {
    for (partitioned, out) in [(true, false), (true, true), (false, false), (false, true)] {
        let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
            (_, "") => challenged(),
            ("/a", token) if !token.contains('a') => challenged(),
            ("/first", token) if !token.contains("first") => challenged_with("Bearer claims=\"e30=\""),
            _ => status(200),
        });
        let fake = Fake::answering(|number, context| {
            let path = context.url().map(|url| url.path().trim_start_matches('/').to_owned()).unwrap_or_default();
            Ok(Some(Credential::bearer(format!("{path}-{number}"))))
        });
        let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new());
        let auth = if partitioned { auth.partition_by(|_, url| url.path().to_owned()) } else { auth };
        let auth = auth.build().unwrap();
        let client = server.client(&auth);
        for path in ["a", "first", "b"] {
            client.get(format!("{API}/{path}")).send().await.unwrap();
        }
        let earlier = server.tokens();
        if out {
            auth.session().logout().await.unwrap();
        }
        auth.session().login().await.unwrap();
        let before = server.sends();
        for path in ["a", "first", "b"] {
            client.get(format!("{API}/{path}")).send().await.unwrap();
        }
        let sent = server.tokens().split_off(before);
        let stays = sent.iter().find(|token| !token.is_empty() && earlier.contains(token));
        assert_eq!(stays, None, "partitioned {partitioned}, logout {out}: {earlier:?}, then {sent:?}");
    }
}

#[tokio::test]
async fn a_new_path_of_a_known_resource_is_sent_the_credential_of_that_resource() {
    // The URL of the metadata does not say which paths belong to the resource.
    let wanted = Arc::new(Mutex::new("main-1"));
    let good = wanted.clone();
    let server = Script::new(move |arrived, _| match (arrived.path(), arrived.token()) {
        ("/main", token) if token == *good.lock().unwrap() => status(200),
        ("/main", _) => challenged_with(&format!("Bearer resource_metadata=\"{API}/metadata/main\"")),
        (_, token) if token.starts_with("second") => status(200),
        _ => challenged_with(&format!("Bearer resource_metadata=\"{API}/metadata/second\"")),
    });
    let fake = Fake::answering(|number, context| {
        let is_main = context.url().is_some_and(|url| url.path() == "/main");
        Ok(Some(Credential::bearer(format!("{}-{number}", if is_main { "main" } else { "second" }))))
    });
    let client = server.client(&ChallengeMiddleware::new(API, fake.clone()).unwrap());
    for path in ["main", "x"] {
        client.get(format!("{API}/{path}")).send().await.unwrap();
    }
    // The credential of the first resource becomes the newest of the session.
    *wanted.lock().unwrap() = "main-3";
    client.get(format!("{API}/main")).send().await.unwrap();
    assert_eq!(client.get(format!("{API}/y")).send().await.unwrap().status(), 200);
    assert_eq!((fake.calls(), server.tokens().last().map(String::as_str)), (3, Some("second-2")));
}

#[tokio::test]
async fn a_resource_of_one_origin_does_not_apply_to_another_origin() {
    let server = Script::new(|arrived, _| match (arrived.url().path(), arrived.token()) {
        (_, "") => challenged_with(&format!("Bearer resource_metadata=\"{API}/metadata/main\"")),
        ("/x", token) if arrived.url().host_str() == Some("api.example.com") && !token.starts_with("second") => {
            challenged_with(&format!("Bearer resource_metadata=\"{API}/metadata/second\""))
        }
        _ => status(200),
    });
    let fake = Fake::answering(|number, context| {
        let is_main = context.url().is_some_and(|url| url.path() == "/main");
        Ok(Some(Credential::bearer(format!("{}-{number}", if is_main { "main" } else { "second" }))))
    });
    let auth = ChallengeMiddleware::builder(API, fake).origin("https://other.example.com").build().unwrap();
    let client = server.client(&auth);
    for url in [format!("{API}/main"), format!("{API}/x"), "https://other.example.com/x".to_owned()] {
        client.get(url).send().await.unwrap();
    }
    assert_eq!(server.tokens().last().map(String::as_str), Some("main-1"));
}

#[tokio::test]
async fn a_login_ends_the_cooldown_of_a_path() {
    let (server, fake) = (Script::always(challenged()), Fake::new());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new()).build().unwrap();
    let client = server.client(&auth);
    for _ in 0..3 {
        client.get(API).send().await.unwrap_err();
    }
    assert_eq!(fake.calls(), 1);
    auth.session().login().await.unwrap();
    client.get(API).send().await.unwrap_err();
    assert_eq!(fake.calls(), 3, "the path may accept the other identity");
}
