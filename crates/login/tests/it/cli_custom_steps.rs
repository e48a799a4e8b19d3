//! The caller can replace each step of a login.

use std::io;
use std::sync::{Arc, Mutex};

use reqwest_challenge::{BoxError, ChallengeMiddleware, RefreshErrorKind};
use reqwest_challenge_login::cli::{Environment, Login, LoginBuilder};
use reqwest_challenge_login::oauth::{AuthorizationPrompt, Client, Issuer, LoginMethod};
use reqwest_challenge_testing::{MockApi, MockIdentityProvider, Protection};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::support::oauth::{protected, why};

/// A terminal of a user who has a browser on this machine.
fn local_terminal() -> Environment {
    Environment::from_variables(true, |name| name == "DISPLAY")
}

fn client(origin: &str, login: LoginBuilder) -> ClientWithMiddleware {
    let login = login.environment(local_terminal()).prompting().build().unwrap();
    let auth = ChallengeMiddleware::new(origin, login).unwrap();
    ClientBuilder::new(reqwest::Client::new()).with(auth).build()
}

/// The questions, and whether each answer was hidden.
type Asked = Arc<Mutex<Vec<(String, bool)>>>;

fn answers(
    asked: &Asked,
    secret: &'static str,
) -> impl Fn(&str, bool) -> io::Result<String> + Send + Sync + 'static + use<> {
    let asked = asked.clone();
    move |question, hidden| {
        asked.lock().unwrap().push((question.to_owned(), hidden));
        Ok(if hidden { secret.to_owned() } else { "alice".to_owned() })
    }
}

/// An issuer without a server.
fn unreachable_issuer() -> Issuer {
    Issuer::new("http://127.0.0.1:1").unwrap()
}

#[tokio::test]
async fn if_the_api_accepts_only_basic_the_login_asks_for_a_password() {
    let (api, asked) = (MockApi::start().await.unwrap(), Asked::default());
    api.at("/").accepts(Protection::basic("alice", "hunter2"));
    let login =
        Login::oauth(unreachable_issuer(), Client::public("tool")).or_password(None).prompt(answers(&asked, "hunter2"));
    assert_eq!(client(&api.origin(), login).get(api.origin()).send().await.unwrap().status(), 200);
    let questions = [("User name for 127.0.0.1", false), ("Password of alice for 127.0.0.1", true)];
    assert_eq!(*asked.lock().unwrap(), questions.map(|(question, hidden)| (question.to_owned(), hidden)));
    // If the API accepts bearer tokens too, the issuer is asked first.
    api.at("/").challenges_with(["Basic realm=\"a\"", "Bearer realm=\"a\""]);
    let login =
        Login::oauth(unreachable_issuer(), Client::public("tool")).or_password(None).prompt(answers(&asked, "hunter2"));
    let error = client(&api.origin(), login).get(api.origin()).send().await.unwrap_err();
    assert!(matches!(why(&error).kind(), RefreshErrorKind::Transient { .. }), "{error:?}");
    assert_eq!(asked.lock().unwrap().len(), 2, "there is no second prompt");
}

#[tokio::test]
async fn a_prompt_escapes_control_characters_in_names() {
    let (api, asked) = (MockApi::start().await.unwrap(), Asked::default());
    api.at("/x").accepts(Protection::basic("alice", "hunter2"));
    let login = Login::password(Some("al\u{202e}i\u{3164}ce")).prompt(answers(&asked, "hunter2"));
    client(&api.origin(), login).get(api.url("/x")).send().await.unwrap_err();
    assert_eq!(asked.lock().unwrap()[0].0, "Password of al\\u{202e}i\\u{3164}ce for 127.0.0.1");
}

#[tokio::test]
async fn a_custom_prompt_returns_a_token_or_fails() {
    let (api, asked) = (MockApi::start().await.unwrap(), Asked::default());
    api.at("/").requires("read");
    api.tokens().accept("hunter2-token");
    let login =
        Login::token("https://example.com/tokens").output(io::sink()).prompt(answers(&asked, " hunter2-token\n"));
    assert_eq!(client(&api.origin(), login).get(api.origin()).send().await.unwrap().status(), 200);
    assert_eq!(*asked.lock().unwrap(), [("Token for 127.0.0.1".to_owned(), true)]);
    let closed = |_: &str, _: bool| Err(io::Error::other("the window was closed"));
    let login = Login::token("https://example.com/tokens").output(io::sink()).prompt(closed);
    let error = client(&api.origin(), login).get(api.origin()).send().await.unwrap_err();
    let required = why(&error);
    assert!(matches!(required.kind(), RefreshErrorKind::LoginRequired { .. }), "{required:?}");
    assert!(format!("{required:?}").contains("the window was closed"), "{required:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_display_shows_the_login_page_and_the_device_code() {
    for way in [LoginMethod::Browser, LoginMethod::Device] {
        let provider = Arc::new(MockIdentityProvider::start().await.unwrap());
        provider.set_device_interval(std::time::Duration::from_secs(1));
        let api = protected(&provider).await;
        let (shown, decides) = (Arc::new(Mutex::new(0)), provider.clone());
        let count = shown.clone();
        let show = move |prompt: &AuthorizationPrompt| -> Result<(), BoxError> {
            *count.lock().unwrap() += 1;
            match prompt.user_code() {
                Some(code) => assert!(decides.decide_login(code, true)),
                None => drop(tokio::spawn(reqwest::get(prompt.url().clone()))),
            }
            Ok(())
        };
        let login = Login::oauth(Issuer::new(provider.issuer()).unwrap(), Client::public("tool"));
        let login = login.login_method(way).show(show).browser(|_| panic!("a browser opens")).output(Untouched);
        let client = client(&api.origin(), login.configure_oauth(|oauth| oauth.scopes(["api:read"])));
        assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200, "{way:?}");
        assert_eq!(*shown.lock().unwrap(), 1);
    }
}

/// A screen on which nothing may be written.
struct Untouched;

impl io::Write for Untouched {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        panic!("{}", String::from_utf8_lossy(octets));
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
