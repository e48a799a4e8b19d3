//! A login on another device (RFC 8628), by a clock that the tests move.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest_challenge::{Credential, Error, Session};
use reqwest_challenge_login::oauth::{Client, DeviceCode, Issuer, OAuth};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, MockIdentityProvider, ReceivedRequest, until};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::oauth::{client_by, device_server, line};

type Login = JoinHandle<Result<Credential, Error>>;

/// A login that is under way, whose clock stands.
struct Begun {
    server: MockApi,
    clock: ManualClock,
    session: Session,
    login: Login,
    shown: Arc<Mutex<Vec<String>>>,
}

/// A server with that device authorization, which answers polls so.
async fn begin(device: Value, poll: impl Fn(usize, &ReceivedRequest) -> Answer + Send + Sync + 'static) -> Begun {
    let (server, issuer) = device_server(device, poll).await;
    let shown = Arc::new(Mutex::new(Vec::new()));
    let seen = shown.clone();
    let grant = DeviceCode::new(move |invitation| {
        let code = invitation.user_code().unwrap();
        seen.lock().unwrap().push(format!("{code} at {} of {}", invitation.complete_url().path(), invitation.host()));
        Ok(())
    });
    let clock = ManualClock::new();
    let oauth = OAuth::new(issuer, Client::public("tool"), grant).unwrap();
    let (_, session) = client_by(clock.clone(), &server.origin(), oauth);
    let waiting = session.clone();
    let login = tokio::spawn(async move { waiting.login().await });
    Begun { server, clock, session, login, shown }
}

impl Begun {
    fn polls(&self) -> usize {
        self.server.requests_to("/token")
    }

    /// Lets that long pass, and says how many polls there were then.
    async fn after(&self, seconds: u64) -> usize {
        until(|| self.clock.waiting() == 1 || self.login.is_finished()).await;
        let before = self.polls();
        self.clock.forward(Duration::from_secs(seconds));
        // Whoever was woken has asked, or waits on.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        until(|| self.clock.waiting() == 1 || self.login.is_finished()).await;
        self.polls() - before
    }
}

fn pending() -> Answer {
    Answer::new(400).json_body(json!({ "error": "authorization_pending" }))
}

fn code(code: &str) -> Answer {
    Answer::new(400).json_body(json!({ "error": code }))
}

fn token() -> Answer {
    Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }))
}

#[tokio::test]
async fn it_polls_every_five_seconds_where_nobody_says_how_often() {
    let begun = begin(json!({}), |number, _| if number < 4 { pending() } else { token() }).await;
    assert_eq!(begun.after(4).await, 0);
    assert_eq!(begun.after(1).await, 1);
    assert_eq!(begun.after(5).await, 1);
    assert_eq!(begun.after(5).await, 1);
    assert_eq!(begun.after(5).await, 1);
    assert_eq!(*begun.shown.lock().unwrap(), ["ABCD-EFGH at /device of 127.0.0.1"]);
    let sent = begun.server.requests().last().unwrap().clone();
    assert_eq!(sent.form("device_code").as_deref(), Some("hunter2-device"));
    begun.login.await.unwrap().unwrap();
}

#[tokio::test]
async fn slow_down_adds_five_seconds_for_good() {
    let answer = |number, _: &ReceivedRequest| match number {
        1 => code("slow_down"),
        2 | 3 => pending(),
        _ => token(),
    };
    let begun = begin(json!({ "interval": 2 }), answer).await;
    assert_eq!(begun.after(2).await, 1, "as the server said");
    for _ in 0..3 {
        assert_eq!((begun.after(6).await, begun.after(1).await), (0, 1));
    }
    begun.login.await.unwrap().unwrap();
}

#[tokio::test]
async fn slow_down_that_names_an_interval_is_obeyed() {
    for (said, seconds) in [(json!(30), 30), (json!("30"), 30), (json!(1), 10), (json!(null), 10)] {
        let answer = move |number, _: &ReceivedRequest| match number {
            1 => Answer::ok("").json_body(json!({ "error": "slow_down", "interval": said })),
            _ => token(),
        };
        let begun = begin(json!({}), answer).await;
        assert_eq!(begun.after(5).await, 1);
        assert_eq!((begun.after(seconds - 1).await, begun.after(1).await), (0, 1), "{seconds}");
        begun.login.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_fails_slows_the_polling_down_and_does_not_end_it() {
    let answer = |number, _: &ReceivedRequest| match number {
        1 => Answer::cut(),
        2 => Answer::new(503).body("out of order"),
        _ => token(),
    };
    let begun = begin(json!({}), answer).await;
    begun.after(5).await;
    // reqwest may have tried the connection that was cut once more.
    let polls = begun.polls();
    assert_eq!((begun.after(9).await, begun.after(1).await), (0, 1), "after {polls}");
    begun.after(20).await;
    begun.login.await.unwrap().unwrap();
}

#[tokio::test]
async fn it_stops_when_the_code_expires_and_when_the_person_refuses() {
    let begun = begin(json!({ "expires_in": 12 }), |_, _| pending()).await;
    assert_eq!((begun.after(5).await, begun.after(5).await, begun.after(5).await), (1, 1, 0));
    assert!(line(&begun.login.await.unwrap().unwrap_err()).contains("expired_token"));
    for end in ["access_denied", "expired_token", "invalid_grant"] {
        let begun = begin(json!({}), move |_, _| code(end)).await;
        begun.after(5).await;
        let error = line(&begun.login.await.unwrap().unwrap_err());
        assert!(error.contains(end) && !error.contains("hunter2"), "{error}");
        assert_eq!(error.contains("refused on the other device"), end == "access_denied", "{error}");
    }
}

#[tokio::test]
async fn it_stops_at_once_when_nobody_waits_and_at_a_logout() {
    for logs_out in [false, true] {
        let begun = begin(json!({}), |_, _| pending()).await;
        until(|| begun.clock.waiting() == 1).await;
        if logs_out {
            begun.session.logout().await.unwrap();
            assert!(begun.login.await.unwrap().is_err());
        } else {
            begun.login.abort();
        }
        assert!(begun.session.wait_until_saved(Duration::from_secs(20)).await);
        assert_eq!((begun.clock.waiting(), begun.server.requests_to("/token")), (0, 0));
    }
}

#[tokio::test]
async fn what_cannot_be_shown_to_a_person_is_not() {
    for odd in [
        json!({ "user_code": "AB\u{1b}[2J" }),
        json!({ "user_code": "A".repeat(100) }),
        json!({ "user_code": "" }),
        json!({ "verification_uri": "https://evil.example/device" }),
        json!({ "verification_uri": "http://127.0.0.1@evil.example/" }),
        json!({ "verification_uri": "javascript:alert(1)" }),
        json!({ "verification_uri": null }),
        json!({ "verification_uri_complete": "https://evil.example/device?user_code=ABCD" }),
        json!({ "device_code": null }),
    ] {
        let begun = begin(odd.clone(), |_, _| token()).await;
        let error = line(&begun.login.await.unwrap().unwrap_err());
        assert!(begun.shown.lock().unwrap().is_empty(), "{odd}: {error}");
        assert_eq!(begun.server.requests_to("/token"), 0, "{odd}");
    }
}

#[tokio::test]
async fn somebody_types_the_code_and_is_let_in() {
    let (provider, clock) = (MockIdentityProvider::start().await.unwrap(), ManualClock::new());
    provider.set_device_interval(Duration::from_secs(1));
    let issuer = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(issuer, Client::public("tool"), DeviceCode::new(|_| Ok(()))).unwrap().scopes(["a"]);
    let (_, session) = client_by(clock.clone(), &provider.issuer(), oauth);
    let waiting = session.clone();
    let login = tokio::spawn(async move { waiting.login().await });
    until(|| clock.waiting() == 1).await;
    let codes = provider.user_codes();
    assert!(!provider.decide_login("another", true));
    // As a person does, on the page that the provider has for it.
    let page = format!("{}/device", provider.issuer());
    let form = reqwest::get(&page).await.unwrap().text().await.unwrap();
    assert!(form.contains("<form action=/device>") && form.contains("name=user_code"), "{form}");
    assert_eq!(reqwest::get(format!("{page}?user_code=another")).await.unwrap().status(), 404);
    assert_eq!(reqwest::get(format!("{page}?user_code={}", codes[0])).await.unwrap().status(), 200);
    clock.forward(Duration::from_secs(1));
    assert_eq!(login.await.unwrap().unwrap().scopes().unwrap(), ["a"]);
    assert_eq!(provider.grants("urn:ietf:params:oauth:grant-type:device_code"), 1);
}
