//! A login on another device (RFC 8628), with a manual clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest_challenge::{Credential, Error, Session};
use reqwest_challenge_login::oauth::{Client, DeviceCode, Issuer, OAuth};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, MockIdentityProvider, ReceivedRequest, until};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::oauth::{client_by, device_server, line};

type Login = JoinHandle<Result<Credential, Error>>;

/// A login that waits for the user. Its clock moves only when the test moves it.
struct Pending {
    server: MockApi,
    clock: ManualClock,
    session: Session,
    login: Login,
    shown: Arc<Mutex<Vec<String>>>,
}

/// Starts a login. `device` changes the device authorization, and `poll` answers the polls.
async fn start(device: Value, poll: impl Fn(usize, &ReceivedRequest) -> Answer + Send + Sync + 'static) -> Pending {
    let (server, issuer) = device_server(device, poll).await;
    let shown = Arc::new(Mutex::new(Vec::new()));
    let seen = shown.clone();
    let grant = DeviceCode::new(move |prompt| {
        let code = prompt.user_code().unwrap();
        seen.lock().unwrap().push(format!("{code} at {} of {}", prompt.complete_url().path(), prompt.host()));
        Ok(())
    });
    let clock = ManualClock::new();
    let oauth = OAuth::new(issuer, Client::public("tool"), grant).unwrap();
    let (_, session) = client_by(clock.clone(), &server.origin(), oauth);
    let waiting = session.clone();
    let login = tokio::spawn(async move { waiting.login().await });
    Pending { server, clock, session, login, shown }
}

impl Pending {
    fn polls(&self) -> usize {
        self.server.requests_to("/token")
    }

    /// Moves the clock, and returns the number of polls in that time.
    async fn after(&self, seconds: u64) -> usize {
        until(|| self.clock.waiting() == 1 || self.login.is_finished()).await;
        let before = self.polls();
        self.clock.forward(Duration::from_secs(seconds));
        // After the yields, every task that woke up has polled, or waits again.
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
async fn the_client_polls_every_five_seconds_if_the_server_names_no_interval() {
    let pending_login = start(json!({}), |number, _| if number < 4 { pending() } else { token() }).await;
    assert_eq!(pending_login.after(4).await, 0);
    assert_eq!(pending_login.after(1).await, 1);
    assert_eq!(pending_login.after(5).await, 1);
    assert_eq!(pending_login.after(5).await, 1);
    assert_eq!(pending_login.after(5).await, 1);
    assert_eq!(*pending_login.shown.lock().unwrap(), ["ABCD-EFGH at /device of 127.0.0.1"]);
    let sent = pending_login.server.requests().last().unwrap().clone();
    assert_eq!(sent.form("device_code").as_deref(), Some("hunter2-device"));
    pending_login.login.await.unwrap().unwrap();
}

#[tokio::test]
async fn slow_down_adds_five_seconds_to_all_later_intervals() {
    let answer = |number, _: &ReceivedRequest| match number {
        1 => code("slow_down"),
        2 | 3 => pending(),
        _ => token(),
    };
    let pending_login = start(json!({ "interval": 2 }), answer).await;
    assert_eq!(pending_login.after(2).await, 1, "the server's interval");
    for _ in 0..3 {
        assert_eq!((pending_login.after(6).await, pending_login.after(1).await), (0, 1));
    }
    pending_login.login.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_interval_in_a_slow_down_response_is_used() {
    for (said, seconds) in [(json!(30), 30), (json!("30"), 30), (json!(1), 10), (json!(null), 10)] {
        let answer = move |number, _: &ReceivedRequest| match number {
            1 => Answer::ok("").json_body(json!({ "error": "slow_down", "interval": said })),
            _ => token(),
        };
        let pending_login = start(json!({}), answer).await;
        assert_eq!(pending_login.after(5).await, 1);
        assert_eq!((pending_login.after(seconds - 1).await, pending_login.after(1).await), (0, 1), "{seconds}");
        pending_login.login.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_failed_connection_slows_the_polling_down_and_does_not_end_it() {
    let answer = |number, _: &ReceivedRequest| match number {
        1 => Answer::cut(),
        2 => Answer::new(503).body("out of order"),
        _ => token(),
    };
    let pending_login = start(json!({}), answer).await;
    pending_login.after(5).await;
    // reqwest may have repeated the request whose connection was cut.
    let polls = pending_login.polls();
    assert_eq!((pending_login.after(9).await, pending_login.after(1).await), (0, 1), "after {polls}");
    pending_login.after(20).await;
    pending_login.login.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_polling_ends_when_the_code_expires_or_the_user_refuses() {
    let pending_login = start(json!({ "expires_in": 12 }), |_, _| pending()).await;
    assert_eq!((pending_login.after(5).await, pending_login.after(5).await, pending_login.after(5).await), (1, 1, 0));
    assert!(line(&pending_login.login.await.unwrap().unwrap_err()).contains("expired_token"));
    for end in ["access_denied", "expired_token", "invalid_grant"] {
        let pending_login = start(json!({}), move |_, _| code(end)).await;
        pending_login.after(5).await;
        let error = line(&pending_login.login.await.unwrap().unwrap_err());
        assert!(error.contains(end) && !error.contains("hunter2"), "{error}");
        assert_eq!(error.contains("refused on the other device"), end == "access_denied", "{error}");
    }
}

#[tokio::test]
async fn the_polling_ends_at_once_when_the_caller_drops_the_login_and_at_a_logout() {
    for logs_out in [false, true] {
        let pending_login = start(json!({}), |_, _| pending()).await;
        until(|| pending_login.clock.waiting() == 1).await;
        if logs_out {
            pending_login.session.logout().await.unwrap();
            assert!(pending_login.login.await.unwrap().is_err());
        } else {
            pending_login.login.abort();
        }
        assert!(pending_login.session.wait_until_saved(Duration::from_secs(20)).await);
        assert_eq!((pending_login.clock.waiting(), pending_login.server.requests_to("/token")), (0, 0));
    }
}

#[tokio::test]
async fn a_code_or_a_page_that_is_unsafe_to_show_ends_the_login() {
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
        let pending_login = start(odd.clone(), |_, _| token()).await;
        let error = line(&pending_login.login.await.unwrap().unwrap_err());
        assert!(pending_login.shown.lock().unwrap().is_empty(), "{odd}: {error}");
        assert_eq!(pending_login.server.requests_to("/token"), 0, "{odd}");
    }
}

#[tokio::test]
async fn a_user_enters_the_code_and_the_login_succeeds() {
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
    // The user opens the provider's page and enters the code.
    let page = format!("{}/device", provider.issuer());
    let form = reqwest::get(&page).await.unwrap().text().await.unwrap();
    assert!(form.contains("<form action=/device>") && form.contains("name=user_code"), "{form}");
    assert_eq!(reqwest::get(format!("{page}?user_code=another")).await.unwrap().status(), 404);
    assert_eq!(reqwest::get(format!("{page}?user_code={}", codes[0])).await.unwrap().status(), 200);
    clock.forward(Duration::from_secs(1));
    assert_eq!(login.await.unwrap().unwrap().scopes().unwrap(), ["a"]);
    assert_eq!(provider.grants("urn:ietf:params:oauth:grant-type:device_code"), 1);
}
