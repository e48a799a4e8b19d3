//! The budget of a session: it limits the refreshes that a server causes if it refuses every new credential.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Credential, Forbidden, RefreshError, Unauthorized, UnauthorizedReason};

use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Script, challenged, challenged_with, respond, status, stream};

/// A middleware with a clock that the test moves.
fn with_clock(fake: &Fake) -> (ChallengeMiddleware, ManualClock) {
    let clock = ManualClock::new();
    (ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap(), clock)
}

fn reason(error: &reqwest_middleware::Error) -> UnauthorizedReason {
    Unauthorized::find(error).unwrap().reason()
}

#[tokio::test]
async fn five_hundred_paths_that_all_refuse_cost_three_refreshes() {
    let (server, fake) = (Script::always(challenged()), Fake::new());
    let (auth, clock) = with_clock(&fake);
    let client = server.client(&auth);
    for path in 0..500 {
        let error = client.get(format!("{API}/{path}")).send().await.unwrap_err();
        let wanted = if path < 3 { UnauthorizedReason::StillRejected } else { UnauthorizedReason::BudgetExhausted };
        assert_eq!(reason(&error), wanted, "path {path}");
        assert_eq!(error.to_string().contains("several new credentials in a row"), path >= 3, "{error}");
    }
    assert_eq!(fake.calls(), 3);
    // One more refresh starts after each cooldown. The cooldowns double from 30 s to 5 min.
    for (tries, cooldown) in [30, 60, 120, 240, 300, 300].into_iter().enumerate() {
        clock.forward(Duration::from_secs(cooldown - 1));
        client.get(format!("{API}/early/{tries}")).send().await.unwrap_err();
        assert_eq!(fake.calls(), 3 + tries, "the cooldown of {cooldown} s");
        clock.forward(Duration::from_secs(1));
        client.get(format!("{API}/late/{tries}")).send().await.unwrap_err();
        client.get(format!("{API}/later/{tries}")).send().await.unwrap_err();
        assert_eq!(fake.calls(), 4 + tries, "after the cooldown of {cooldown} s");
    }
}

#[tokio::test]
async fn a_hundred_concurrent_401s_for_one_credential_count_once() {
    let (server, fake) = (Script::always(challenged()), Fake::new());
    let (auth, _) = with_clock(&fake);
    let client = server.client(&auth);
    let calls = (0..100).map(|path| tokio::spawn(client.get(format!("{API}/{path}")).send()));
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap_err();
    }
    client.get(format!("{API}/more")).send().await.unwrap_err();
    assert!((2..=3).contains(&fake.calls()), "{}", fake.calls());
}

#[tokio::test]
async fn a_success_a_login_and_an_invalidation_each_end_the_cooldown() {
    for case in ["success", "login", "invalidate"] {
        let good = Arc::new(AtomicBool::new(false));
        let accepts = good.clone();
        let server = Script::new(move |arrived, _| {
            let accepted = accepts.load(Ordering::SeqCst) && !arrived.token().is_empty();
            if accepted { status(200) } else { challenged() }
        });
        let fake = Fake::new();
        let (auth, _) = with_clock(&fake);
        let client = server.client(&auth);
        let mut last = None;
        for path in 0..5 {
            last = client.get(format!("{API}/{path}")).send().await.err();
        }
        assert_eq!((reason(last.as_ref().unwrap()), fake.calls()), (UnauthorizedReason::BudgetExhausted, 3), "{case}");
        match case {
            "success" => {
                good.store(true, Ordering::SeqCst);
                client.get(format!("{API}/good")).send().await.unwrap();
                good.store(false, Ordering::SeqCst);
            }
            "login" => drop(auth.session().login().await.unwrap()),
            _ => assert!(auth.session().invalidate(Unauthorized::find(last.as_ref().unwrap()).unwrap())),
        }
        let before = fake.calls();
        client.get(format!("{API}/after")).send().await.unwrap_err();
        assert_eq!(fake.calls(), before + 1, "{case}");
    }
}

#[tokio::test]
async fn a_path_that_accepts_each_new_credential_keeps_the_budget_full() {
    let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
        (_, "") => challenged(),
        (path, _) if path.starts_with("/ok") => status(200),
        _ => challenged(),
    });
    let fake = Fake::new();
    let (auth, _) = with_clock(&fake);
    let client = server.client(&auth);
    // More than the budget of a whole session.
    for path in 0..50 {
        client.get(format!("{API}/bad/{path}")).send().await.unwrap_err();
        client.get(format!("{API}/ok/{path}")).send().await.unwrap();
    }
    assert_eq!(fake.calls(), 50, "each of the fifty paths causes one refresh");
}

#[tokio::test]
async fn varied_challenges_do_not_increase_the_budget() {
    // The 401s differ in scheme, realm, resource and demand. The requests differ in path, and some have a body that
    // cannot be sent twice.
    let server = Script::new(|_, number| match number % 4 {
        0 => challenged_with(&format!("Bearer realm=\"{number}\"")),
        1 => challenged_with(&format!("Bearer resource_metadata=\"{API}/r/{number}\"")),
        2 => challenged_with(&format!("Bearer error=\"insufficient_scope\", scope=\"s{number}\"")),
        _ => challenged_with(&format!("DPoP realm=\"{number}\"")),
    });
    let fake = Fake::new();
    let (auth, _) = with_clock(&fake);
    let client = server.client(&auth);
    for path in 0..200 {
        let request = client.post(format!("{API}/{path}"));
        let request = if path % 3 == 0 { request.body(stream("once")) } else { request };
        request.send().await.unwrap_err();
    }
    assert!(fake.calls() <= 4, "{}", fake.calls());
}

#[tokio::test]
async fn a_403_that_always_means_expired_counts_against_the_budget() {
    let (server, fake) = (Script::always(status(403)), Fake::new().with_initial(Ok(Some(Credential::bearer("t0")))));
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .clock(ManualClock::new())
        .expired_when(|_| true)
        .build()
        .unwrap();
    let client = server.client(&auth);
    for path in 0..50 {
        let error = client.get(format!("{API}/{path}")).send().await.unwrap_err();
        assert!(Forbidden::find(&error).is_some(), "{error}");
    }
    assert_eq!((fake.calls(), server.sends()), (3, 50), "while no refresh starts, the old credential is sent");
}

#[tokio::test]
async fn a_refresher_that_returns_the_refused_credential_is_called_three_times() {
    for kind in ["bearer", "basic", "header", "custom"] {
        let made = match kind {
            "bearer" => Credential::bearer("same"),
            "basic" => Credential::basic("u", "same"),
            "header" => Credential::header("x-api-key".parse().unwrap(), "same"),
            _ => Credential::custom(Same),
        };
        let fake = Fake::answering(move |_, _| Ok(Some(made.clone())));
        let server = Script::always(challenged());
        let (auth, clock) = with_clock(&fake);
        let client = server.client(&auth);
        for path in 0..20 {
            client.get(format!("{API}/{path}")).send().await.unwrap_err();
            clock.forward(Duration::from_secs(1));
        }
        // The first call has no credential. It sends the returned credential as its second send, so the calls send it
        // 20 times.
        assert_eq!(fake.calls(), 3, "{kind}");
        assert_eq!(server.sends(), 21, "{kind}: one call does not send it twice");
    }
}

struct Same;

#[async_trait::async_trait]
impl reqwest_challenge::Authorize for Same {
    fn scheme(&self) -> &str {
        "Own"
    }

    async fn authorize(
        &self,
        request: &mut reqwest::Request,
        _now: std::time::SystemTime,
    ) -> Result<(), reqwest_challenge::BoxError> {
        request.headers_mut().insert("authorization", "Own same".parse()?);
        Ok(())
    }
}

#[tokio::test]
async fn a_server_with_a_new_challenge_each_time_causes_a_bounded_number_of_failures() {
    // A denial applies to one challenge. A revoked credential and an outage apply to all challenges.
    for (error, calls) in [
        (RefreshError::denied("metadata"), 16),
        (RefreshError::credential_revoked("invalid_grant"), 1),
        (RefreshError::transient(None), 1),
    ] {
        let server = Script::new(|_, number| challenged_with(&format!("Bearer realm=\"{number}\"")));
        let fake = Fake::failing(error.clone());
        let (auth, _) = with_clock(&fake);
        let client = server.client(&auth);
        for path in 0..300 {
            client.get(format!("{API}/{path}")).send().await.unwrap_err();
        }
        assert_eq!(fake.calls(), calls, "{error}");
    }
}

#[tokio::test]
async fn a_response_that_does_not_show_acceptance_does_not_reset_the_budget() {
    // Some servers send 400 for an expired token. A proxy or another server did not check the credential.
    let answers = [400, 407, 408, 429, 500, 503].map(|code| respond(code, &[], ""));
    for answer in answers.into_iter().chain([status(200).url("https://evil.example/")]) {
        let response = answer.clone();
        let server =
            Script::new(move |arrived, _| if arrived.path() == "/other" { response.clone() } else { challenged() });
        let fake = Fake::new();
        let (auth, _) = with_clock(&fake);
        let client = server.client(&auth);
        for path in 0..20 {
            client.get(format!("{API}/{path}")).send().await.unwrap_err();
            client.get(format!("{API}/other")).send().await.unwrap();
        }
        assert_eq!(fake.calls(), 3, "{answer:?}");
    }
}

#[tokio::test]
async fn refusals_count_in_any_order() {
    // The first call of each partition gets a credential and a 500, so the server has refused none of the credentials yet.
    let server = Script::new(|arrived, _| match arrived.token() {
        "" => challenged(),
        _ if arrived.path() == "/first" => status(500),
        _ => challenged(),
    });
    let fake = Fake::new();
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(ManualClock::new());
    let auth = auth.partition_by(|_, url| url.query().unwrap().to_owned()).build().unwrap();
    let client = server.client(&auth);
    for partition in 0..40 {
        client.get(format!("{API}/first?{partition}")).send().await.unwrap();
    }
    assert_eq!(fake.calls(), 40);
    // The newest credential is refused first. Each call shows two new credentials to the server, until it has refused 32.
    for partition in (0..40).rev() {
        client.get(format!("{API}/then/{partition}?{partition}")).send().await.unwrap_err();
    }
    assert_eq!(fake.calls(), 40 + 16);
}
