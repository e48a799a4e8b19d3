//! Responses that replace the refresh token and have no usable access token: the new refresh token is not lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_challenge::ChallengeMiddleware;
use reqwest_challenge::dpop::{Dpop, Es256Key};
use reqwest_challenge_login::oauth::{Client, Issuer, OAuth, RefreshToken};
use reqwest_challenge_login::store::{MemoryStore, Stored};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value, json};

use crate::stores::stored;
use crate::support::folder::key;
use crate::support::oauth::endpoint;
use crate::support::script::{API, Script, challenged, status};

/// A server whose refresh tokens `r0`, `r1`, … are valid once each. The renewal number `odd` gets `members`, the others get a token.
async fn rotates(odd: usize, members: Value, kind: &'static str) -> (MockApi, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let rotated = count.clone();
    let server = endpoint(move |asked| {
        let number = rotated.load(Ordering::SeqCst);
        if asked.form("refresh_token") != Some(format!("r{number}")) {
            return Answer::new(400).json_body(json!({ "error": "invalid_grant" }));
        }
        let number = rotated.fetch_add(1, Ordering::SeqCst) + 1;
        let mut answer = json!({ "access_token": format!("t{number}"), "token_type": kind });
        if number == odd {
            answer = members.clone();
        }
        answer["refresh_token"] = format!("r{number}").into();
        Answer::json(answer)
    })
    .await;
    (server, count)
}

/// A process of a user whose first refresh token was `r0`.
fn process(
    server: &MockApi,
    api: &Script,
    store: &MemoryStore,
    clock: &ManualClock,
    dpop: Option<&Dpop>,
) -> ClientWithMiddleware {
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(issuer, Client::public("tool"), RefreshToken::new("r0")).unwrap();
    let oauth = dpop.into_iter().fold(oauth, |oauth, dpop| oauth.dpop(dpop.clone()));
    let restores = dpop.cloned();
    let stored = Stored::new(oauth, store.clone(), key());
    let stored = stored.restored_by(move |_, token| Some(restores.as_ref()?.restored(token)));
    let auth = ChallengeMiddleware::builder(API, stored).clock(clock.clone()).build().unwrap();
    ClientBuilder::new(reqwest::Client::new()).with(auth).with(api.clone()).build()
}

/// An API that accepts only the token that was issued last.
fn accepts_last(count: &Arc<AtomicUsize>) -> Script {
    let count = count.clone();
    Script::new(move |arrived, _| {
        let presented = arrived.header("authorization").unwrap_or_default().to_owned();
        let last = count.load(Ordering::SeqCst);
        if last > 0 && presented.split(' ').next_back() == Some(&*format!("t{last}")) {
            status(200)
        } else {
            challenged()
        }
    })
}

#[tokio::test]
async fn a_new_refresh_token_without_a_usable_access_token_is_kept() {
    for members in [
        json!({}),
        json!({ "token_type": "Bearer" }),
        json!({ "access_token": "", "token_type": "Bearer" }),
        json!({ "access_token": null, "message": "try again" }),
        json!({ "access_token": 17, "token_type": "Bearer" }),
        json!({ "access_token": "t", "token_type": "mac" }),
        json!({ "access_token": "t", "token_type": "DPoP" }),
        json!({ "access_token": "a\nb", "token_type": "Bearer" }),
    ] {
        // The odd response is the first one, with an empty store, or the second one.
        for odd in [1, 2] {
            for is_another_process in [true, false] {
                let (server, count) = rotates(odd, members.clone(), "Bearer").await;
                let (api, store, clock) = (accepts_last(&count), MemoryStore::new(), ManualClock::new());
                let mut run = process(&server, &api, &store, &clock, None);
                if odd == 2 {
                    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
                    count.store(1, Ordering::SeqCst);
                    // The API no longer accepts t1.
                    let refuses = Script::new(|_, _| challenged());
                    run = process(&server, &refuses, &store, &clock, None);
                }
                assert!(run.get(API).send().await.is_err(), "{members} {odd}");
                assert_eq!(count.load(Ordering::SeqCst), odd, "{members} {odd}");
                let text = stored(&store).await.unwrap_or_default();
                assert!(text.contains(&format!("r{odd}\\\"")), "{members} {odd}: {text}");
                if is_another_process {
                    run = process(&server, &api, &store, &clock, None);
                    assert_eq!(run.get(API).send().await.unwrap().status(), 200, "{members} {odd}");
                } else {
                    clock.forward(Duration::from_secs(31));
                    let _ = run.get(API).send().await;
                }
                assert_eq!(count.load(Ordering::SeqCst), odd + 1, "the new refresh token is sent: {members} {odd}");
            }
        }
    }
}

#[tokio::test]
async fn a_new_refresh_token_with_an_unbound_access_token_is_kept() {
    let dpop = Dpop::new(Es256Key::generate().unwrap());
    let (server, count) = rotates(1, json!({ "access_token": "t", "token_type": "Bearer" }), "DPoP").await;
    let (api, store, clock) = (accepts_last(&count), MemoryStore::new(), ManualClock::new());
    assert!(process(&server, &api, &store, &clock, Some(&dpop)).get(API).send().await.is_err());
    let text = stored(&store).await.unwrap_or_default();
    assert!(text.contains("r1\\\""), "{text}");
    let run = process(&server, &api, &store, &clock, Some(&dpop));
    let _ = run.get(API).send().await;
    assert_eq!(count.load(Ordering::SeqCst), 2, "the new refresh token is sent");
}

#[tokio::test]
async fn an_error_response_replaces_no_refresh_token() {
    for (code, members) in [(400, json!({ "error": "odd" })), (503, json!({})), (200, json!({ "error": "odd" }))] {
        let mut body = members.clone();
        body["refresh_token"] = "r9".into();
        let server = endpoint(move |_| Answer::new(code).json_body(body.clone())).await;
        let (api, store, clock) = (Script::new(|_, _| challenged()), MemoryStore::new(), ManualClock::new());
        assert!(process(&server, &api, &store, &clock, None).get(API).send().await.is_err());
        assert_eq!(stored(&store).await, None, "{code} {members}");
    }
}
