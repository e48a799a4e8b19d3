//! Logins of a command-line tool: when the user is prompted, and how.

use std::io::{self, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use reqwest_challenge::{
    ChallengeMiddleware, Credential, DeniedReason, Refresh, RefreshContext, RefreshErrorKind, Session,
};
use reqwest_challenge_login::cli::{EnvToken, Environment, Login, LoginBuilder, exit_code, explain};
use reqwest_challenge_login::oauth::{Client, Issuer, LoginMethod};
use reqwest_challenge_login::store::{Key, MemoryStore, Store, Stored};
use reqwest_challenge_testing::{Answer, Failure, MockApi, MockIdentityProvider, RecordingRefresher, until};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::support::contexts::logout;
use crate::support::oauth::{protected, why};
use crate::support::script::{API, Script, challenged, status};

/// A terminal of a user who has a browser on this machine.
fn local_terminal() -> Environment {
    Environment::from_variables(true, |name| name == "DISPLAY")
}

/// A terminal of a user who is connected by SSH.
fn ssh_terminal() -> Environment {
    Environment::from_variables(true, |name| matches!(name, "DISPLAY" | "SSH_CONNECTION"))
}

/// The output that the user reads.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

fn login(provider: &MockIdentityProvider, screen: &Screen) -> LoginBuilder {
    let login = Login::oauth(Issuer::new(provider.issuer()).unwrap(), Client::public("tool"));
    login
        .command("tool login")
        .output(screen.clone())
        .environment(local_terminal())
        .configure_oauth(|oauth| oauth.scopes(["api:read"]))
}

fn client(origin: &str, refresher: impl Refresh) -> (ClientWithMiddleware, Session) {
    let auth = ChallengeMiddleware::new(origin, refresher).unwrap();
    let session = auth.session();
    (ClientBuilder::new(reqwest::Client::new()).with(auth).build(), session)
}

#[tokio::test]
async fn without_a_terminal_a_request_fails_at_once_with_login_required_and_the_provider_is_not_called() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let environments = [
        Environment::from_variables(false, |_| false),
        Environment::from_variables(true, |name| name == "CI"),
        local_terminal().with_input(false),
    ];
    let mut hints = Vec::new();
    for environment in environments {
        let screen = Screen::default();
        let refresher = login(&provider, &screen).prompting().environment(environment).build().unwrap();
        let refresher = Arc::new(refresher);
        // The future is ready when it is polled for the first time, so it waits for nothing.
        let context = RefreshContext::builder(api.url("/api")).build().unwrap();
        let polled = pin!(refresher.refresh(context)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(_))), "{polled:?}");
        let (client, session) = client(&api.origin(), refresher);
        let error = client.get(api.url("/api")).send().await.unwrap_err();
        let RefreshErrorKind::LoginRequired { hint } = why(&error).kind().clone() else { panic!("{error:?}") };
        assert!(hint.starts_with("run `tool login` at a terminal ("), "{hint}");
        hints.push(hint);
        assert!(session.login().await.is_err());
        assert_eq!(screen.text(), "");
    }
    let reasons = ["standard input or standard error is not a terminal", "CI is set", "prompts are turned off"];
    assert!(hints.iter().zip(reasons).all(|(hint, reason)| hint.contains(reason)), "{hints:?}");
    let asked = provider.journal().exchanges();
    assert!(asked.iter().all(|one| one.request().server() == "api"), "{asked:?}");
}

/// Opens pages like a browser, and records the output up to that time.
fn browser(
    screen: &Screen,
    read: &Arc<Mutex<String>>,
) -> impl Fn(&reqwest::Url) -> io::Result<()> + Send + Sync + use<> {
    let (screen, read) = (screen.clone(), read.clone());
    let runtime = tokio::runtime::Handle::current();
    move |url| {
        *read.lock().unwrap() = screen.text();
        let url = url.clone();
        runtime.spawn(async move { reqwest::get(url).await.unwrap() });
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_page_and_its_host_are_printed_before_a_browser_opens() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (screen, read) = (Screen::default(), Arc::default());
    let refresher = login(&provider, &screen).browser(browser(&screen, &read)).prompting().build().unwrap();
    let (client, _) = client(&api.origin(), refresher);
    assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
    let read = read.lock().unwrap().clone();
    let page = format!("{}/authorize?", provider.issuer());
    assert!(read.contains(&page) && read.contains("at 127.0.0.1, in the browser that opens"), "{read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn if_no_browser_opens_the_user_gets_a_notice_and_can_open_the_page_by_hand() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let screen = Screen::default();
    let refresher = login(&provider, &screen).browser(|_| Err(io::Error::other("no such program"))).build().unwrap();
    let (_, session) = client(&api.origin(), refresher);
    let waiting = session.clone();
    let login = tokio::spawn(async move { waiting.login().await });
    until(|| screen.text().contains("no browser opened: no such program")).await;
    // The user opens the page by hand.
    let text = screen.text();
    let page = text.lines().map(str::trim).find(|line| line.starts_with("http")).unwrap().to_owned();
    reqwest::get(page).await.unwrap();
    login.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_over_ssh_or_without_a_display_logs_in_with_a_device_code() {
    let provider = MockIdentityProvider::start().await.unwrap();
    provider.set_device_interval(Duration::from_secs(1));
    let api = protected(&provider).await;
    for (environment, way) in [
        (ssh_terminal(), None),
        (Environment::from_variables(true, |_| false), None),
        (local_terminal(), Some(LoginMethod::Device)),
    ] {
        let screen = Screen::default();
        let opened = Arc::new(AtomicUsize::new(0));
        let count = opened.clone();
        let refresher = login(&provider, &screen).environment(environment).browser(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        let refresher = way.into_iter().fold(refresher, LoginBuilder::login_method).build().unwrap();
        let (_, session) = client(&api.origin(), refresher);
        let login = tokio::spawn(async move { session.login().await });
        until(|| !provider.user_codes().is_empty() || login.is_finished()).await;
        let code = provider.user_codes().pop().unwrap();
        assert!(provider.decide_login(&code, true));
        login.await.unwrap().unwrap();
        let text = screen.text();
        assert!(text.contains(&code) && text.contains("/device") && text.contains("at 127.0.0.1"), "{text}");
        assert_eq!(opened.load(Ordering::SeqCst), 0, "no browser is tried");
    }
}

#[tokio::test]
async fn a_user_over_ssh_gets_no_login_page_that_redirects_to_this_machine() {
    let server = MockApi::start().await.unwrap();
    server.at("/.well-known").answers(Answer::json(serde_json::json!({
        "issuer": server.origin(), "token_endpoint": server.url("/token"), "authorization_endpoint": server.url("/authorize"),
    })));
    let screen = Screen::default();
    let login = Login::oauth(Issuer::new(server.origin()).unwrap(), Client::public("tool"));
    let login = login.output(screen.clone()).environment(ssh_terminal()).build().unwrap();
    assert!(login.timeout() >= Duration::from_secs(15 * 60));
    let stored = Stored::new(login, MemoryStore::new(), Key::new("k"));
    let env = EnvToken::from_value("TOOL_TOKEN", None, stored);
    assert!(env.timeout() > Duration::from_secs(15 * 60), "the store adds time to wait for another process");
    let (_, session) = client(&server.origin(), env);
    let error = format!("{:?}", session.login().await.unwrap_err());
    assert!(error.contains("LoginRequired") && screen.text().is_empty(), "{error} {}", screen.text());
}

#[test]
fn no_prompt_is_possible_without_a_terminal_in_ci_or_with_prompts_turned_off() {
    for (environment, can_prompt) in [
        (local_terminal(), true),
        (ssh_terminal(), true),
        (Environment::from_variables(false, |_| true), false),
        (Environment::from_variables(true, |name| name == "CI"), false),
        (local_terminal().with_input(false), false),
    ] {
        assert_eq!(environment.can_prompt(), can_prompt, "{environment:?}");
    }
    let (local, remote) = (local_terminal(), ssh_terminal());
    assert!(local.has_display() && !local.is_remote() && remote.is_remote());
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_requests_prompt_the_user_once_and_a_refused_login_is_not_repeated_at_once() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (screen, opened) = (Screen::default(), Arc::new(AtomicUsize::new(0)));
    let (count, runtime) = (opened.clone(), tokio::runtime::Handle::current());
    provider.refuse_logins(true);
    let refresher = login(&provider, &screen).prompting().browser(move |url| {
        count.fetch_add(1, Ordering::SeqCst);
        let url = url.clone();
        runtime.spawn(async move { reqwest::get(url).await.unwrap() });
        Ok(())
    });
    let (client, session) = client(&api.origin(), refresher.build().unwrap());
    for _ in 0..2 {
        let all: Vec<_> = (0..20)
            .map(|_| {
                let (client, url) = (client.clone(), api.url("/api"));
                tokio::spawn(async move { why(&client.get(url).send().await.unwrap_err()) })
            })
            .collect();
        for one in all {
            assert_eq!(
                one.await.unwrap().kind(),
                &RefreshErrorKind::Denied { reason: DeniedReason::AccessDenied, code: "access_denied".to_owned() }
            );
        }
        assert_eq!(opened.load(Ordering::SeqCst), 1, "the refusal is remembered");
    }
    provider.refuse_logins(false);
    session.login().await.unwrap();
    assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_renewal_opens_no_browser_unless_prompts_are_enabled() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (screen, read) = (Screen::default(), Arc::default());
    let refresher = login(&provider, &screen).browser(browser(&screen, &read)).build().unwrap();
    let (client, session) = client(&api.origin(), refresher);
    session.login().await.unwrap();
    let shown = screen.text();
    provider.fail_next(Failure::InvalidGrant);
    api.tokens().expire_all();
    let error = client.get(api.url("/api")).send().await.unwrap_err();
    assert_eq!((exit_code(&error), screen.text() == shown), (4, true));
}

#[tokio::test]
async fn a_token_from_the_environment_is_used_and_never_replaced() {
    let store = MemoryStore::new();
    let key = || Key::new("https://auth.example.com");
    let server = Script::new(|arrived, _| if arrived.token() == "good" { status(200) } else { challenged() });
    let below = RecordingRefresher::answering(|_, _| Ok(Some(Credential::bearer("good").with_attachment("kept"))));
    let layered = |token: Option<&str>| {
        EnvToken::from_value("TOOL_TOKEN", token.map(str::to_owned), Stored::new(below.clone(), store.clone(), key()))
    };
    let run = |refresher| {
        let auth = ChallengeMiddleware::new(API, refresher).unwrap();
        (server.client(&auth), auth.session())
    };
    // The store contains the login of another user.
    let (_, session) = run(layered(None));
    session.login().await.unwrap();
    let before = store.load(&key()).await.unwrap();
    let (client, session) = run(layered(Some("bad\n")));
    let error = client.get(API).send().await.unwrap_err();
    let RefreshErrorKind::LoginRequired { hint } = why(&error).kind().clone() else { panic!("{error:?}") };
    assert!(hint.contains("TOOL_TOKEN was refused"), "{hint}");
    assert_eq!(session.credential().unwrap().source(), Some("env:TOOL_TOKEN"));
    assert_eq!((below.calls(), store.load(&key()).await.unwrap()), (1, before.clone()));
    let shown = explain(&error, "tool login", Some("TOOL_TOKEN"));
    assert!(shown.contains("set another, or unset it") && !shown.contains("help"), "{shown}");
    // An empty variable counts as not set.
    let (client, session) = run(layered(Some("  ")));
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    assert_eq!(session.credential().unwrap().source(), Some("memory"));
    let (client, _) = run(layered(Some("not\u{1}sendable")));
    let error = client.get(API).send().await.unwrap_err();
    assert!(format!("{error:#}").contains("TOOL_TOKEN cannot be sent") && !format!("{error:#}").contains("not\u{1}"));
    assert!(format!("{:?}", layered(Some("hunter2"))).contains("is_set: true"));
    assert!(!format!("{:?}", layered(Some("hunter2"))).contains("hunter2"));
    // A logout removes the stored credential. It does not change the environment.
    let (_, session) = run(layered(Some("good")));
    let error = format!("{:?}", session.login().await.unwrap_err());
    assert!(error.contains("is used in place of a login"), "{error}");
    layered(Some("good")).forget(logout(Some(Credential::bearer("good")))).await.unwrap();
    assert_eq!(store.load(&key()).await.unwrap(), None);
}

#[tokio::test]
async fn a_prompt_for_a_secret_without_a_terminal_fails_with_login_required() {
    let api = MockApi::start().await.unwrap();
    api.at("/").requires("read");
    for login in [Login::token("https://example.com/tokens"), Login::password(Some("alice")), Login::password(None)] {
        let screen = Screen::default();
        let environment = Environment::from_variables(false, |_| false);
        let login =
            login.command("tool login").prompting().environment(environment).output(screen.clone()).build().unwrap();
        let (client, session) = client(&api.origin(), login);
        let error = client.get(api.url("/")).send().await.unwrap_err();
        assert_eq!(exit_code(&error), 4);
        assert!(session.login().await.is_err());
        assert_eq!(screen.text(), "");
    }
}
